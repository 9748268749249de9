"""`callrace switch drain` where there is nothing to drain, or no sense in how it is asked."""

from __future__ import annotations

from tests.unit.cli.conftest import Cli, refusal


def test_drain_without_a_switch_is_refused_in_one_line(cli: Cli) -> None:
    assert "no switch is running" in refusal(cli("switch", "drain"))


def test_a_timeout_without_its_unit_is_wrong_usage(cli: Cli) -> None:
    result = cli("switch", "drain", "--timeout", "30")
    assert result.exit_code == 2
    assert "expected a duration such as" in result.stderr
