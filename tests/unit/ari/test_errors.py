"""Every refusal is a typed error that says what, where, and what to do."""

import pytest

from ari_app.ari import errors
from ari_app.ari.transport import Request, Response


def answer(status: int, text: str = "", reason: str = "Reason") -> Response:
    return Response(Request("POST", "channels/c1/answer"), status, reason, text)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, errors.BadRequest),
        (401, errors.Unauthorized),
        (403, errors.Unauthorized),
        (404, errors.NotFound),
        (409, errors.Conflict),
        (412, errors.InvalidState),
        (418, errors.AriHttpError),
        (422, errors.Unprocessable),
        (500, errors.ServerError),
        (503, errors.ServerError),
    ],
)
def test_a_status_is_a_kind_of_error(status, kind):
    with pytest.raises(errors.AriError) as caught:
        answer(status).checked()

    assert type(caught.value) is kind
    assert caught.value.status == status


def test_an_error_says_what_was_asked_what_asterisk_said_and_what_to_do():
    with pytest.raises(errors.NotFound) as caught:
        answer(404, '{"message": "Channel not found"}').checked()

    assert str(caught.value) == (
        "POST channels/c1/answer: Asterisk answered 404 (Channel not found); it has ended, or never was"
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"message": "Channel not found"}', "Channel not found"),
        ('{"error": "Allocation failed"}', "Allocation failed"),
        ("{}", "Reason"),
        ("[]", "Reason"),
        ("", "Reason"),
        ("<html>", "Reason"),
    ],
)
def test_what_asterisk_said_is_found_wherever_it_said_it(text, said):
    with pytest.raises(errors.ServerError) as caught:
        answer(500, text).checked()

    assert caught.value.reason == said


def test_an_address_that_no_module_serves_is_not_an_object_that_is_gone():
    with pytest.raises(errors.NoSuchResource, match="load the res_ari"):
        answer(404, '{"message": "Resource not found"}').checked()
    assert not issubclass(errors.NoSuchResource, errors.NotFound)


@pytest.mark.parametrize("status", [200, 201, 204])
def test_a_success_is_itself(status):
    done = answer(status)

    assert done.checked() is done


def test_a_success_that_is_not_json_is_an_error():
    with pytest.raises(errors.AriBadAnswer, match="is this Asterisk"):
        answer(200, "<html>").json()


def test_every_error_is_in_the_tree_drawn_at_the_top():
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, Exception)]

    assert all(issubclass(kind, errors.AriError) and kind.__name__ in errors.__doc__ for kind in kinds)
