"""A file of numbers is taken whole, or refused with the line of every mistake."""

from typing import Any

import pytest

from ari_app.domain.basics.errors import DocumentError
from ari_app.domain.numbers import inventory
from ari_app.domain.numbers.inventory import Item, spelt_out

GOOD = "did,kind,region,trunk\n+12125550100,local,NY,main\n+18885550100,tollfree,,main\n"


def parse(text: str, **given: Any) -> list[Item]:
    """The numbers of a text, where only New York's area code is known."""
    return inventory.parse(text, "n.csv", {"212": "NY"}.get, **given)


def findings(text: str, **given: Any) -> list[str]:
    """What is wrong with the text."""
    with pytest.raises(DocumentError) as caught:
        parse(text, **given)
    return caught.value.findings


def test_the_numbers_of_a_file_are_read() -> None:
    expected = [Item("+12125550100", "local", "NY", "main"), Item("+18885550100", "tollfree", None, "main")]
    assert parse(GOOD) == expected


def test_a_spreadsheets_file_is_read_alike() -> None:
    text = 'trunk,did,region,kind\r\nmain,"+12125550100",NY,local\r\n\r\nmain,+18885550100,,tollfree\r\n'
    assert parse("\ufeff" + text) == parse(GOOD)


@pytest.mark.parametrize(
    ("row", "finding"),
    [
        ("125550100,local,NY,main", 'did: expected a phone number such as "+12125550123", got "125550100"'),
        ("2121550100,local,NY,main", 'did: expected a phone number such as "+12125550123", got "2121550100"'),
        ("+12125550101,mobile,NY,main", 'kind: expected local or tollfree, got "mobile"'),
        ("+12125550101,local,ZZ,main", 'region: expected a state or province code such as NY, DC, PR or ON, got "ZZ"'),
        ("+13105550101,local,,main", "region: no state is known for the area code of +13105550101; expected one"),
        ("+18885550101,local,NY,main", 'kind: +18885550101 is a toll-free number, got "local"'),
        ("+12125550101,tollfree,,main", 'kind: +12125550101 is no toll-free number, got "tollfree"'),
        ("(212) 555-0100,local,NY,main", "did: +12125550100 is in this file twice"),
        ("+18885550101,tollfree,NY,main", "region: expected a state for a local number, and none for a tollfree one"),
        ("+12125550101,local,NY", "expected 4 fields, got 3"),
        ("+12125550100,local,NY,main", "did: +12125550100 is in this file twice"),
        ('+1212555,a\x1bb,NY,main', 'kind: expected local or tollfree, got "a\\x1bb"'),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_line(row: str, finding: str) -> None:
    assert findings(GOOD + row + "\n") == [f"n.csv:4: {finding}"]


def test_a_number_that_a_spreadsheet_rounded_is_refused_with_the_way_out() -> None:
    (said,) = findings(GOOD + "1.21256E+10,local,NY,main\n")
    assert said.startswith('n.csv:4: did: a spreadsheet has rounded "1.21256E+10": format the column as text')


def test_a_file_without_numbers_or_their_trunk_is_refused() -> None:
    assert findings("carrier,kind\n") == [
        "n.csv:1: there is no column for did: none of ['carrier', 'kind'] is did or number or phone_number or "
        "phone number or phone or telephone or tn or e164 or e.164",
        "n.csv:1: there is no column for trunk: none of ['carrier', 'kind'] is trunk",
    ]
    assert "none of [] is did" in findings("")[0]
    assert findings("did,DID,trunk\n") == ["n.csv:1: two columns are named 'did'"]


EXPORTED = Item("+12125550101", "local", "NY", "main")


@pytest.mark.parametrize(
    "text",
    [
        "Number;Rate Center;Type;State\r\n(212) 555-0101;NWYRCYZN01;Local;New York\r\n",
        "TN\tStatus\n12125550101\tactive\n",
        "sep=;\nphone number;kind\n212.555.0101;local\n",
        'state,"Phone Number",note\nny,212-555-0101,"first; second"\n',
    ],
)
def test_what_carriers_and_spreadsheets_export_is_read(text: str) -> None:
    assert parse(text, trunk="main") == [EXPORTED]


def test_a_column_of_any_name_can_be_told() -> None:
    text = "line,kind of line,where\n2125550101,toll-free,\n"
    assert findings(text, trunk="main", columns={"did": "line", "kind": "kind of line"}) == [
        'n.csv:2: kind: +12125550101 is no toll-free number, got "toll-free"'
    ]
    assert parse(text, trunk="main", columns={"did": "line"}) == [EXPORTED]


def test_a_trunk_in_the_file_is_that_of_its_row() -> None:
    text = "did,trunk\n8335550100,\n2125550101,second\n"
    assert [(item.kind, item.region, item.trunk) for item in parse(text, trunk="main")] == [
        ("tollfree", None, "main"),
        ("local", "NY", "second"),
    ]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("+442071234567", "+442071234567"),
        ("+44 20 7123-4567", "+442071234567"),
        ("1 (212) 555-0101", "+12125550101"),
        ("+1 212 555 0101", "+12125550101"),
        ("442071234567", "442071234567"),  # may be anybody's
        ("0", "0"),
    ],
)
def test_a_number_is_spelt_out(written: str, meant: str) -> None:
    assert spelt_out(written) == meant


def test_a_quote_that_does_not_end_is_named() -> None:
    assert findings(GOOD + '"+1212') == ["n.csv:4: not CSV: unexpected end of data"]


def test_a_file_of_nothing_but_mistakes_is_not_told_to_the_end() -> None:
    assert len(findings(GOOD + "x\n" * 10_000)) < 200
