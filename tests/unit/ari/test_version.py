"""Which Asterisk is new enough."""

import pytest

from ari_app.ari.errors import AriBadAnswer, AriTooOld
from ari_app.ari.version import parse_version, require_version


@pytest.mark.parametrize(
    ("said", "version"),
    [
        ("22.10.1", (22, 10, 1)),
        ("22.10.1+dfsg+~cs6.17.60671434-1", (22, 10, 1)),
        ("23.0.0-rc1", (23, 0, 0)),
        ("23.1", (23, 1, 0)),
        ("certified/20.7-cert3", (20, 7, 0)),
        ("certified-22.11-cert1", (22, 11, 0)),
    ],
)
def test_a_version_is_read_without_its_packaging(said, version):
    assert parse_version({"system": {"version": said}}) == version


@pytest.mark.parametrize(
    "info", [{}, {"system": None}, {"system": {}}, {"system": {"version": "GIT-master"}}]
)
def test_an_answer_without_a_version_is_not_asterisks(info):
    with pytest.raises(AriBadAnswer, match="no version"):
        parse_version(info)


@pytest.mark.parametrize("said", ["22.10.1", "22.11.0", "23.0.0"])
def test_a_new_enough_asterisk_is_taken(said):
    assert require_version({"system": {"version": said}}) >= (22, 10, 1)


@pytest.mark.parametrize("said", ["22.10.0", "22.9.9", "20.16.0", "21.12.2"])
def test_an_older_asterisk_is_refused_with_the_reason(said):
    with pytest.raises(AriTooOld, match=rf"Asterisk {said} is too old: .*security.*22\.10\.1 or later"):
        require_version({"system": {"version": said}})
