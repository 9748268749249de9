"""A file of numbers is taken whole, or refused with the line of every mistake."""

import pytest

from ari_app.domain.basics.errors import DocumentError
from ari_app.domain.numbers.inventory import Item, parse

GOOD = "did,kind,region,trunk\n+12125550100,local,NY,main\n+18885550100,tollfree,,main\n"


def findings(text: str) -> list[str]:
    """What is wrong with the text."""
    with pytest.raises(DocumentError) as caught:
        parse(text, "n.csv")
    return caught.value.findings


def test_the_numbers_of_a_file_are_read() -> None:
    expected = [Item("+12125550100", "local", "NY", "main"), Item("+18885550100", "tollfree", None, "main")]
    assert parse(GOOD, "n.csv") == expected


def test_a_spreadsheets_file_is_read_alike() -> None:
    text = 'trunk,did,region,kind\r\nmain,"+12125550100",NY,local\r\n\r\nmain,+18885550100,,tollfree\r\n'
    assert parse("\ufeff" + text, "n.csv") == parse(GOOD, "n.csv")


@pytest.mark.parametrize(
    ("row", "finding"),
    [
        ("2125550100,local,NY,main", 'did: expected a phone number such as "+12125550123", got "2125550100"'),
        ("+12125550101,mobile,NY,main", 'kind: expected local or tollfree, got "mobile"'),
        ("+12125550101,local,ZZ,main", 'region: expected a state or province code such as NY, DC, PR or ON, got "ZZ"'),
        ("+12125550101,local,,main", "region: expected a state for a local number, and none for a tollfree one"),
        ("+18885550101,tollfree,NY,main", "region: expected a state for a local number, and none for a tollfree one"),
        ("+12125550101,local,NY", "expected 4 fields, got 3"),
        ("+12125550100,local,NY,main", "did: +12125550100 is in this file twice"),
        ('+1212555,a\x1bb,NY,main', 'kind: expected local or tollfree, got "a\\x1bb"'),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_line(row: str, finding: str) -> None:
    assert findings(GOOD + row + "\n") == [f"n.csv:4: {finding}"]


def test_a_file_with_other_columns_is_refused() -> None:
    assert findings("number,kind\n") == [
        "n.csv:1: expected the columns did,kind,region,trunk, got ['number', 'kind']"
    ]
    assert "got []" in findings("")[0]


def test_a_quote_that_does_not_end_is_named() -> None:
    assert findings(GOOD + '"+1212') == ["n.csv:4: not CSV: unexpected end of data"]


def test_a_file_of_nothing_but_mistakes_is_not_told_to_the_end() -> None:
    assert len(findings(GOOD + "x\n" * 10_000)) < 200
