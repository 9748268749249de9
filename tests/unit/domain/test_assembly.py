"""A marketplace made piece by piece is the one made as a whole; what did not change is the same object."""

import json

import pytest

from ari_app.domain.document.assembly import assemble, with_numbers
from ari_app.domain.document.reading import from_document, to_document
from tests.bench.market import Shape, document


def text_of(changed):
    kept = {name: value for name, value in to_document(from_document(changed)).items() if name != "numbers"}
    return json.dumps(kept, sort_keys=True, separators=(",", ":"))


@pytest.fixture(scope="module")
def base():
    return document(Shape(3, 4)) | {"screen": {"block": ["+1900*"]}, "trunks": {"main": {"allow": ["+44*"]}}}


def test_it_is_the_same_as_when_it_is_made_as_a_whole(base):
    made = assemble(text_of(base))
    whole = from_document(base)
    assert with_numbers(made.marketplace, whole.numbers) == whole
    sections = ("advertisers", "publishers", "destinations", "campaigns", "flows", "creatives", "trunks")
    assert made.document(*sections) == json.loads(text_of(base))


def test_a_document_of_little_is_whole(base):
    least = {name: base[name] for name in ("currency", "advertisers", "publishers")}
    least |= {"destinations": {}, "campaigns": {}, "numbers": {}}
    assert assemble(text_of(least)).marketplace == from_document(least)


def test_what_did_not_change_is_taken_over(base):
    before = assemble(text_of(base))
    agent = base["destinations"]["agent-1"] | {"capacity": 77}
    changed = base | {"destinations": base["destinations"] | {"agent-1": agent}}
    del changed["destinations"]["agent-2"]
    after = assemble(text_of(changed), before)
    assert with_numbers(after.marketplace, {}) == with_numbers(from_document(changed), {})
    assert after.marketplace.campaigns is before.marketplace.campaigns
    destinations = after.marketplace.destinations
    assert destinations["agent-1"].capacity == 77
    assert all(destinations[n] is before.marketplace.destinations[n] for n in destinations if n != "agent-1")


def test_in_another_currency_the_same_words_are_other_amounts(base):
    before = assemble(text_of(base))
    yen = json.loads(text_of(base).replace(".00", "")) | {"currency": "JPY", "numbers": {}}
    after = assemble(text_of(yen), before)
    assert after.marketplace == from_document(yen)
    assert after.marketplace.campaigns["campaign-0"].price == 42


def test_a_piece_that_cannot_be_read_is_refused_with_its_name(base):
    text = text_of(base)
    with pytest.raises(ValueError, match=r"^destinations\.agent-0\.capacities: "):
        assemble(text.replace('"capacity":', '"capacities":'))
    with pytest.raises(ValueError, match=r"^currency: "):
        assemble(text.replace('"USD"', '"dollars"'))
    for broken in ("[]", "", text[:-1], text[: len(text) // 2], text.replace(":", "")):
        with pytest.raises(ValueError, match=r"expected a mapping|Expecting|delimiter|Unterminated"):
            assemble(broken)


def test_a_document_may_have_room_between_its_parts(base):
    text = text_of(base)
    for spaced in (json.dumps(json.loads(text)), json.dumps(json.loads(text), indent=2)):
        assert assemble(spaced).marketplace == assemble(text).marketplace
