"""Why a use case refuses: a closed list of codes, each with its sentence.

Each face shows a refusal in its own way: as the sentence alone, as an error with code and facts, or as the sentence
with a remedy (`cli/remedies.py`). So no sentence names a command.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum

Fact = str | int | None | Sequence[str]
"""A value in a refusal: an id, a count, or several ids, which the sentence joins with commas."""


class Code(StrEnum):
    """The codes, each with its sentence; the names in braces are its facts."""

    sentence: str

    def __new__(cls, code: str, sentence: str) -> Code:
        made = str.__new__(cls, code)
        made._value_ = code
        made.sentence = sentence
        return made

    NO_MARKETPLACE = "no_marketplace", "no marketplace was applied yet"
    MARKETPLACE_EXISTS = "marketplace_exists", "there is a marketplace in force already"
    UNKNOWN = "unknown", "there is no {what} {name}"
    EXISTS = "exists", "there is a {what} {name} already"
    NOT_IN_FORCE = "not_in_force", "there is no {what} {name} in the marketplace in force"
    STILL_NEEDED = "still_needed", "{what} {name} is needed by what would be left:\n{findings}"
    BAD_FIELD = "bad_field", "{why}"
    IS_THEIRS = "is_theirs", "{what} {name} is {owner}'s already"
    IS_ROUTED_TO = "is_routed_to", "destination {name} is in the waves of {owner}'s campaigns: {campaigns}"
    SWITCH_CANNOT_READ = (
        "switch_cannot_read",
        "version {version} is applied, but the running switch goes on with {in_force}: {why}",
    )
    SWITCH_IS_BEHIND = (
        "switch_is_behind",
        "version {version} is applied, but the running switch has not taken it over within {seconds} s; see {log}",
    )
    CREATIVE_NOT_APPROVED = "creative_not_approved", "creative {name} is {status}"
    CAMPAIGN_HAS_ENDED = "campaign_has_ended", "the campaign {name} has ended: nobody would take the calls"
    NO_NUMBER = "no_number", "{publisher} has no number for {campaign}{where}"
    SEVERAL_NUMBERS = "several_numbers", "{publisher} has {count} numbers for {campaign}"
    IMAGE_NOT_KEPT = "image_not_kept", "the image of {name} is not kept on this machine"
    NUMBER_UNKNOWN = "number_unknown", "{did} never was a tracking number here"
    NUMBER_IS_NOBODYS = "number_is_nobodys", "{did} is nobody's"
    NUMBER_IS_OF_THE_FILE = (
        "number_is_of_the_file",
        "{did} is in the marketplace's file: take it out there, and apply the file",
    )
    NUMBER_LIMIT = (
        "number_limit",
        "{publisher} has {has} of the {most} numbers that {campaign} gives to each publisher",
    )
    STOCK_IS_SHORT = "stock_is_short", "the stock is short: {wanted} wanted, {free} free{kind}"
    NUMBER_IS_HELD = "number_is_held", "{did} is {publisher}'s for {campaign}"
    NUMBER_NOT_IMPORTED = "number_not_imported", "{did} is not in the inventory"
    NUMBER_RESTS = "number_rests", "{did} is in quarantine"
    APPLICATIONS_CLOSED = "applications_closed", "{campaign} takes no application of {publisher}: {why}"
    APPLICATION_CANNOT = "application_cannot", "application {id} is {state}; it can only {can}"
    PAUSED_ALREADY = "paused_already", "{name} is paused already"
    NOT_PAUSED = "not_paused", "{name} is not paused"
    INVALID = "invalid", "{field}: {why}"
    NO_SUCH_PARTY = "no_such_party", "there is no {what} {name}; there are: {known}"
    NO_MONEY = "no_money", "call {call} belongs to no campaign, so no money moved by it"
    NO_ACCOUNT = (
        "no_account",
        "there is no account {account}; accounts are advertiser:ID, publisher:ID, exchange and world",
    )
    NO_RECORDING = "no_recording", "call {call} has no recording"
    NOT_IN_TERMS = "not_in_terms", "{file} has no campaign {campaign}; it has: {known}"
    OTHER_CURRENCY = (
        "other_currency",
        "{file} has campaign {campaign} in {currency}, and its call {call} is in {recorded}; give it that currency to "
        "compare",
    )
    NO_PAYOUT_RUN = "no_payout_run", "there is no payout run {key}"
    NOTHING_TO_ADJUST = "nothing_to_adjust", "neither a price nor a payout is to be taken back"
    AMBIGUOUS_CALL = "ambiguous_call", "{why}"
    KEY_TAKEN = "key_taken", "{why}"
    CANNOT_CORRECT = "cannot_correct", "{why}"
    CANNOT_REFUND = "cannot_refund", "{why}"
    CANNOT_DISPUTE = "cannot_dispute", "{why}"
    IN_DISPUTE = "in_dispute", "{why}"
    CANNOT_BILL = "cannot_bill", "{why}"
    MONTH_IS_OPEN = "month_is_open", "{why}"
    CANNOT_CONVERT = "cannot_convert", "{why}"
    CALLS_NOT_THERE = "calls_not_there", "{why}"
    NOT_SIGNED_IN = "not_signed_in", "nobody is signed in, or no longer"
    WRONG_SIGN_IN = "wrong_sign_in", "the address or the password is wrong"
    WRONG_CODE = "wrong_code", "the code is wrong, over, or was used already"
    TOO_MANY_TRIES = "too_many_tries", "too many tries went wrong: wait {seconds} s, then try again"
    LINK_OVER = "link_over", "the link is used, over, or was replaced by a newer one: ask for another"
    NOT_ALLOWED = "not_allowed", "{who} may not do this ({what})"
    CONFIRM_FIRST = "confirm_first", "prove first that it is you: it is longer ago than {minutes} minutes"
    NOBODY = "nobody", "nobody of the address {name} can sign in here"
    IS_MEMBER = "is_member", "{name} is in {party} already, as {role}"
    NO_MEMBER = "no_member", "{name} is not in {party}"
    LAST_OWNER = "last_owner", "{name} is the only owner: the exchange needs one"
    EDITED_MEANWHILE = (
        "edited_meanwhile",
        "{what} {name} is not as you have seen it any more: look at it again",
    )
    KEY_OF_ANOTHER_REQUEST = (
        "idempotency_key_reused",
        "another request was sent under the name {key}: give each request its own",
    )
    REQUEST_AT_WORK = (
        "request_at_work",
        "the request {key} is being done at this moment: ask again in a second",
    )
    REQUEST_OUTCOME_UNKNOWN = (
        "outcome_unknown",
        "nobody knows whether the request {key} was done: look, and if it was not, send it under another name",
    )
    COSTS_DIFFER = "costs_differ", "a cost is of one currency, and the calls have {currencies}"


class Refused(Exception):
    """The request is refused, and nothing has changed. `str` is the sentence.

    Making one raises KeyError when a fact of the code's sentence is missing.
    """

    def __init__(self, code: Code, **facts: Fact) -> None:
        self.code = code
        self.facts: Mapping[str, Fact] = facts
        super().__init__(code.sentence.format_map(self.texts))

    @property
    def texts(self) -> Mapping[str, str]:
        """The facts as texts, as they stand in the sentence."""
        return {name: _text(fact) for name, fact in self.facts.items()}


def _text(fact: Fact) -> str:
    return str(fact) if fact is None or isinstance(fact, str | int) else ", ".join(fact)
