"""What one party sees of what is told: fields that it may not see are gone, names and numbers are masked."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ari_app.access.fields import FIELDS, HOLDS
from ari_app.access.parties import Party
from ari_app.access.sights import HIDDEN, MASKED, NO_EXCEPTIONS, WHOLE, Exceptions, Sight

_CODED: Mapping[str, str] = {
    "advertiser_names": "advertiser",
    "publisher_names": "publisher",
    "sources": "source",
    "destinations": "agent",
}
"""Topics of names, and what a masked name begins with."""
_CODE = re.compile(r"[a-z]+-[0-9a-f]{8}", re.ASCII)
_LINES = {"destination": "OffersLine", "disposition": "EndingsLine"}
_BILLS = {"advertiser": "invoice", "publisher": "statement"}
EXCHANGE = "the exchange"


@dataclass(frozen=True, slots=True)
class Lens:
    """How one party sees. `key` makes the codes of masked names: the same name always has the same code."""

    party: Party
    exceptions: Exceptions = NO_EXCEPTIONS
    key: bytes = b""

    def sight(self, topic: str) -> Sight:
        """How the party sees a topic. Raises KeyError for a topic that there is not."""
        return self.exceptions.of(self.party, topic)

    def sees(self, topic: str) -> bool:
        """Whether the party sees the topic as it is."""
        return self.sight(topic) is WHOLE

    def shown(self, noun: str, value: Mapping[str, Any]) -> dict[str, Any]:
        """What the party sees of a JSON object of this noun: hidden fields are not there, masked ones are masked."""
        return dict(value) if self.party.kind == "operator" else self._object(noun, "", value)

    def owns(self, noun: str, value: Mapping[str, Any], campaigns: Collection[str] = ()) -> bool:
        """Whether this object, as it is told to the operator, is the party's to see.

        `campaigns`: the party's own; they are asked where the object names no party, such as an application.
        """
        if self.party.kind == "operator":
            return True
        if noun == "Bill":
            return (value["kind"], value["party"]) == (_BILLS.get(self.party.kind), self.party.id)
        if noun == "Cap":
            return (value["owner"], value["id"]) == (self.party.kind, self.party.id)
        if noun == "Campaign":
            return (
                value["advertiser"] == str(self.party.id)
                if self.party.kind == "advertiser"
                else value["id"] in campaigns
            )
        if noun in ("Advertiser", "Publisher"):
            return (noun.lower(), value["id"]) == (self.party.kind, self.party.id)
        if "account" in value:
            return bool(value["account"] == str(self.party))
        if self.party.kind == "agent":
            return self.party.id in _agents_of(value)
        if self.party.kind in value:
            return bool(value[self.party.kind] == self.party.id)
        return value.get("campaign") in campaigns

    def listed(
        self, noun: str, values: Iterable[Mapping[str, Any]], campaigns: Collection[str] = ()
    ) -> list[dict[str, Any]]:
        """What the party sees of a list: its own objects, each as `shown`."""
        return [self.shown(noun, value) for value in values if self.owns(noun, value, campaigns)]

    def masked(self, topic: str, text: str) -> str:
        """A text of this topic as the party sees it; empty where the topic is hidden."""
        match self.sight(topic):
            case Sight.WHOLE:
                return text
            case Sight.HIDDEN:
                return ""
        if topic in _CODED:
            return self.code(_CODED[topic], text)
        return masked_number(text) if topic == "caller_numbers" else self._by_whom(text)

    def code(self, kind: str, name: str) -> str:
        """What stands for a name: `publisher-4f2c91d0`. What is a code already stays: of a veiled call, all are."""
        if _CODE.fullmatch(name) is not None and name.startswith(f"{kind}-"):
            return name
        digest = hmac.new(self.key, f"{kind}:{name}".encode(), hashlib.sha256)
        return f"{kind}-{digest.hexdigest()[:8]}"

    def _by_whom(self, actor: str) -> str:
        """Who did something: the party's own people by name, the operator's are the exchange, others are their kind."""
        kind, colon, name = actor.partition(":")
        if not colon or kind not in ("advertiser", "publisher", "agent"):
            return EXCHANGE
        return actor if name.partition("/")[0] == self.party.id and kind == self.party.kind else f"the {kind}"

    def _object(self, noun: str, path: str, value: Mapping[str, Any]) -> dict[str, Any]:
        seen = {}
        for name, inner in value.items():
            field = f"{path}{name}"
            topic = FIELDS.get(noun, {}).get(field)
            if topic is None or self.sight(topic) is HIDDEN:
                continue
            seen[name] = self._field(noun, field, topic, inner, value)
        return self._of_its_own(noun, seen) if not path else seen

    def _field(self, noun: str, field: str, topic: str, inner: Any, whole: Mapping[str, Any]) -> Any:
        if self.sight(topic) is MASKED and isinstance(inner, str):
            return self.masked(topic, inner)
        held = HOLDS.get((noun, field))
        if noun == "Report" and field in ("lines", "total"):
            held = _LINES.get(whole["by"], "CallsLine")
        if isinstance(inner, list):
            return [self._inner(noun, f"{field}[].", held, one) for one in inner]
        return self._inner(noun, f"{field}.", held, inner)

    def _inner(self, noun: str, path: str, held: str | None, inner: Any) -> Any:
        """What stands in a field that is seen: another noun, an object with rows of its own, or a value as it is."""
        if not isinstance(inner, Mapping):
            return inner
        if held is not None:
            return self.shown(held, inner)
        has_rows = any(known.startswith(path) for known in FIELDS[noun])
        return self._object(noun, path, inner) if has_rows else dict(inner)

    def _of_its_own(self, noun: str, seen: dict[str, Any]) -> dict[str, Any]:
        """A payout run, and the overrides of a campaign, are of many publishers: one sees what is its own."""
        if noun == "PayoutRun" and "payouts" in seen:
            seen["payouts"] = [one for one in seen["payouts"] if one["publisher"] == self.party.id]
        if noun == "Campaign" and self.party.kind == "publisher":
            for terms in (seen, seen.get("staged") or {}):
                if terms.get("overrides"):
                    terms["overrides"] = {
                        name: one for name, one in terms["overrides"].items() if name == self.party.id
                    }
        return seen


def masked_number(number: str) -> str:
    """A phone number without its last four digits: `+1212555****`."""
    return f"{number[:-4]}****" if len(number) > 4 else "****"


def _agents_of(value: Mapping[str, Any]) -> set[str]:
    """The destinations that an object is about."""
    named = {value.get("destination"), value.get("agent"), value.get("winner")}
    return {name for name in (*named, *(leg["destination"] for leg in value.get("legs", ()))) if name}
