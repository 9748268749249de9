"""The names of a timeline's events. That no call has another is seen to by tests/behaviour, of every call there."""

from ari_app.domain.calls.timeline import EventName


def test_a_name_is_the_text_that_readers_of_the_record_know():
    assert f"{EventName.NOBODY_LEFT}" == "nobody left to ring"
    assert {EventName.GONE: 1}["gone"] == 1
