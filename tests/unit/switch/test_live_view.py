"""What a running switch says of a call under way."""

from ari_app.domain.calls.stage import Stage
from ari_app.switch.live import live_view
from tests.samples import make_call


def test_a_live_call_tells_whose_it_is_and_where_its_caller_is() -> None:
    view = live_view(make_call(), Stage.TALKING)
    told = {name: view[name] for name in ("campaign", "advertiser", "publisher", "source", "state")}
    assert told == {
        "campaign": "plumbing",
        "advertiser": "acme",
        "publisher": "homefix",
        "source": "sidebar",
        "state": "NY",
    }
