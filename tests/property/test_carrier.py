"""Whatever a carrier sends, and whatever the dialplan hands over: an INVITE is read, or says nothing."""

from __future__ import annotations

from urllib.parse import quote

from hypothesis import given
from hypothesis import strategies as st

from ari_app.domain.basics.fields import PHONE_NUMBER
from ari_app.domain.calls.carrier import invite_of, signalled, unread
from ari_app.domain.market.marketplace import Trunk
from ari_app.domain.terms.wire import pack_settled
from tests.samples import make_call

NAMES = (
    "request",
    "caller",
    "From",
    "To",
    "P-Asserted-Identity",
    "Privacy",
    "Diversion",
    "X-DID",
    "Remote-Party-ID",
)
HEADERISH = st.text('<>"\\,;:@+=() %sipteld0129*#-._\u00e9\u0660\n', max_size=60)
PLACES = st.sampled_from(["request", "To", "X-DID"])
RULES = st.builds(
    Trunk, number_in=PLACES, prefix=st.sampled_from([None, "+", "12"]), attestation_from=st.just("verstat")
)
ENCODED = st.lists(st.tuples(st.sampled_from(NAMES), HEADERISH)).map(
    lambda pairs: "&".join(f"{name}=((({quote(value, safe='')}" for name, value in pairs)
)


@given(text=ENCODED | st.text("&=%()aF09 ", max_size=200), rules=RULES)
def test_what_is_read_is_a_telephone_number_or_nothing(text: str, rules: Trunk) -> None:
    invite = invite_of(text)
    if invite is None:
        assert text == ""
        return
    told = signalled(invite, rules)
    assert told.did == "" or PHONE_NUMBER.fullmatch(told.did)
    assert told.ani is None or PHONE_NUMBER.fullmatch(told.ani)
    assert all(text.isprintable() and len(text) <= 200 for text in (*told.diversion, *told.history_info))
    call = make_call()
    call.diversion = list(told.diversion)
    assert pack_settled(call, [])
    assert all(where.isprintable() for _, where in unread(invite, rules, lambda number: True))
