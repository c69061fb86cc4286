"""Parts of the command line that need no process of their own."""

from __future__ import annotations

import click
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from compagnon.chain.fact import Fact
from compagnon.chain.indicator import judge
from compagnon.chain.words import bytes_text, fact_text, value_text
from compagnon.cli import program
from compagnon.cli.failure import language
from compagnon.cli.new import spread
from compagnon.cli.output import cell, width
from compagnon.cli.plan import refreshed
from compagnon.errors import UserError
from compagnon.i18n import use
from compagnon.spec.model import Indicator


@pytest.mark.parametrize(
    ("given_", "meant"),
    [
        (["d", "--from-data", "a", "b"], ["d", "--from-data", "a", "--from-data", "b"]),
        (["--from-data", "a", "b", "--json"], ["--from-data", "a", "--from-data", "b", "--json"]),
        (["d", "--from-data", "a", "--from-data", "b"], ["d", "--from-data", "a", "--from-data", "b"]),
        (["d", "--from", "tutor"], ["d", "--from", "tutor"]),
        (["d", "--from-data", "a", "--table", "t"], ["d", "--from-data", "a", "--table", "t"]),
    ],
)
def test_files_that_follow_from_data(given_: list[str], meant: list[str]) -> None:
    assert spread(given_) == meant


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--lang", "fr", "run"], "fr"),
        (["run", "--lang=fr"], "fr"),
        (["run", "--help", "--lang", "en"], "en"),
        (["note", "--", "--lang", "fr"], "en"),
        (["run", "--lang"], "en"),
        (["run", "--lang", "de"], "en"),
    ],
)
def test_the_language_is_read_before_all_else(arguments: list[str], expected: str) -> None:
    assert language(arguments) == expected


@pytest.mark.parametrize(
    ("indicator", "value", "unit", "verdict"),
    [
        ({"at_least": 0.85}, 0.85, "1", "met"),
        ({"at_least": 0.85}, 0.849, "1", "missed"),
        ({"at_least": "85 %"}, 0.86, "1", "met"),
        ({"at_most": "5 ms"}, 4.9, "ms", "met"),
        ({"at_most": "0.005 s"}, 5.1, "ms", "missed"),
        ({"at_most": "1 MB"}, 999_999, "byte", "met"),
        ({"at_least": 1, "at_most": 3}, 4, "row", "missed"),
        ({"at_most": "5 kg"}, 4, "ms", "unknown"),
        ({"at_least": 1}, None, "row", "unknown"),
        ({"at_least": 1}, "svm", "", "unknown"),
        ({"at_least": 1}, True, "", "unknown"),
    ],
)
def test_indicators(indicator: dict[str, object], value: object, unit: str, verdict: str) -> None:
    declared = Indicator(fact="x", of="train/x", **indicator)  # type: ignore[arg-type]
    assert judge(declared, Fact("x", value, unit, "computed")).verdict == verdict  # type: ignore[arg-type]
    assert judge(declared, None).verdict == "unknown"


def test_refresh_names_stages() -> None:
    there = ["collect/a", "train/b"]
    assert refreshed(["*"], there) == {"collect/a", "train/b"}
    assert refreshed(["collect", "train/b"], there) == {"collect", "train/b"}
    assert refreshed([], there) == frozenset()
    with pytest.raises(UserError, match="no stage"):
        refreshed(["trein"], there)


def test_values_are_written_as_the_language_does() -> None:
    with use("fr"):
        assert value_text(0.8714, "1") == "0,871"
        assert bytes_text(27_400) == "27,4 ko"
        assert fact_text("rows_prepared", 912, "row") == "912 lignes préparées"
    with use("en"):
        assert value_text(2.5, "ms") == "2.500 ms"
        assert value_text(None, "") == "–"
        assert fact_text("rows_duplicate", 1, "row") == "1 duplicate set aside"
        assert fact_text("rows_duplicate", 0, "row") == "0 duplicates set aside"


@given(st.text(max_size=200))
def test_no_value_moves_the_cursor_of_a_terminal(text: str) -> None:
    shown = cell(text)
    assert shown.isprintable()
    assert len(shown) <= 60


@given(st.text(alphabet="aé日\u0301 ", max_size=20))
def test_width_counts_what_a_terminal_shows(text: str) -> None:
    assert width(click.style(text, fg="red")) == width(text)
    assert width("日本") == 4
    assert width("e\u0301") == 1


def test_without_a_command_the_help_is_shown() -> None:
    result = CliRunner().invoke(program(), [])
    assert "Commands" in result.output


def test_version() -> None:
    result = CliRunner().invoke(program(), ["--version"])
    assert result.output.startswith("compagnon 0.")
