"""What holds for every two marketplaces: a difference is told, and what is exported is the same again."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ari_app.domain.document.changes import changes, words
from ari_app.domain.document.reading import parse
from ari_app.domain.market.marketplace import Marketplace
from ari_app.views.marketfile import to_yaml
from tests.property.test_domain import coverage, marketplaces

TEXT = st.text("abc é😀,:#'\"{-", min_size=1, max_size=12).filter(str.strip)
PROMPT = st.sampled_from(["sound:vm-goodbye", "file:folder/bye.wav"]) | TEXT.map("tts:{}".format)
DURATION = st.integers(1, 10**7).map("{}ms".format) | st.integers(1, 99).map("{}d".format)
HOURS = st.fixed_dictionaries(
    {"open": st.lists(st.sampled_from(["mon-fri 08:00-20:00", "sat,sun 10:00-14:00"]), min_size=1)},
    optional={"timezone": st.just("Asia/Kolkata"), "closed": st.just(["2026-12-25"])},
)
SPENDING = {"main": {"cost_per_minute": "0.0125", "spend": {"max_amount": "9.50", "per": "day"}}}
CREDIT = st.sampled_from(["12.30", {"USD": "12.30", "JPY": "1230"}])
CLAUSE = st.one_of(
    st.fixed_dictionaries({"connected_at_least": DURATION}),
    st.fixed_dictionaries({"no_repeat_within": DURATION}),
    st.fixed_dictionaries({"within_hours": HOURS}),
    st.fixed_dictionaries({"caller_in": coverage()}),
)


@st.composite
def rich_marketplaces(draw: st.DrawFn) -> Marketplace:
    """A marketplace that says about everything that one can say."""
    document: dict[str, Any] = draw(marketplaces())
    document["advertisers"]["payer"] = {
        "name": draw(TEXT),
        "billing": {"model": "postpaid", "credit_limit": draw(CREDIT)},
        "caps": draw(
            st.sampled_from(
                [
                    [],
                    [{"max": 5, "per": "day", "basis": "attempts"}, {"max_amount": "9.90", "per": "total"}],
                    [
                        {"max_amount": "990", "per": "day", "currency": "JPY"},
                        {"max_amount": "9.90", "per": "day"},
                    ],
                ]
            )
        ),
    }
    ask = {
        "collect": {"prompt": draw(PROMPT), "digits": draw(st.integers(1, 9)), "as": "zip"},
        "tries": draw(st.integers(1, 10)),
        "barge_in": draw(st.booleans()),
        "timers": {"overall": draw(DURATION)},
        "next": "menu",
        "on_no_input": "no",
    }
    keys = draw(st.sets(st.sampled_from("0123456789*#"), min_size=1))
    choices = {key: {"set": {"kind": draw(TEXT)}, "next": "play"} for key in sorted(keys)}
    document["flows"] = {
        "yes": {
            "start": "ask",
            "nodes": {
                "ask": ask,
                "menu": {"menu": {"prompt": draw(PROMPT)}, "choices": choices},
                "play": {"play": draw(PROMPT), "next": "split"},
                "split": {"branch": [{"when": {"within_hours": draw(HOURS)}, "next": "no"}], "otherwise": "on"},
                "on": {"offer": True},
                "no": {"hangup": True},
            },
        }
    }  # fmt: skip
    campaign = document["campaigns"]["c"]
    campaign |= {
        "status": draw(st.sampled_from(["draft", "live", "paused", "ended"])),
        "flow": draw(st.sampled_from(["yes"])),
        "hours": draw(HOURS),
        "screen": {"redial_within": draw(DURATION), "block": ["+1900*"], "announce": draw(PROMPT)},
        "qualify": draw(st.lists(CLAUSE, max_size=4)),
    }
    campaign |= draw(st.sampled_from([{}, {"visibility": "invited", "invited": ["p"]}]))
    campaign |= draw(
        st.sampled_from([{}, {"currency": "EUR", "caps": [{"max_amount": "1.50", "per": "day"}]}])
    )
    campaign["applications"] = {"numbers_per_publisher": draw(st.integers(1, 1_000))}
    campaign |= draw(
        st.sampled_from(
            [
                {},
                {"recording": {"consent": {"prompt": "tts:This is recorded.", "everywhere": True}}},
                {"recording": {"consent": {"prompt": "sound:beep", "states": ["CA", "NY"]}, "keep": "30d"}},
            ]
        )
    )
    document["screen"] = {
        "block": draw(st.sampled_from([[], ["+1900*", "+12125550199"]])),
        "attestation": draw(st.sampled_from([[], ["A", "none"]])),
        "per_ani": {"max": draw(st.integers(1, 9)), "within": draw(DURATION)},
    }
    document["trunks"] = draw(
        st.sampled_from([{}, {"main": {}}, {"main": {"concurrent": 5, "allow": ["+44*"]}}, SPENDING])
    )
    document["numbers_policy"] = {"quarantine": draw(DURATION), "low_stock": draw(st.integers(0, 9))}
    campaign["route"] |= {
        "accept": draw(st.sampled_from(["press-1", "answer"])),
        "max_duration": draw(DURATION),
        "fallback": draw(st.just({}) | st.fixed_dictionaries({"play": PROMPT})),
    }
    document["numbers"]["+18005550102"] = {"campaign": "c", "publisher": "p", "source": draw(TEXT)}
    return parse(json.dumps(document, ensure_ascii=False), "generated.yaml")


@given(rich_marketplaces())
def test_what_is_exported_is_the_same_marketplace_and_plans_to_nothing(marketplace: Marketplace) -> None:
    again = parse(to_yaml(marketplace), "exported.yaml")
    assert again == marketplace
    assert changes(marketplace, again, {}) == []


@given(rich_marketplaces(), rich_marketplaces())
def test_there_are_changes_exactly_when_two_differ_and_the_way_back_names_the_same_objects(
    before: Marketplace, after: Marketplace
) -> None:
    there, back = changes(before, after, {}), changes(after, before, {})
    assert bool(there) is (before != after)
    assert len(words(there)) >= bool(there)
    opposite = {"added": "removed", "removed": "added", "changed": "changed", "moved": "moved"}
    assert {(c.what, c.name, opposite[c.kind]) for c in there} == {(c.what, c.name, c.kind) for c in back}
