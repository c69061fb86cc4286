"""Types guessed from values."""

from __future__ import annotations

from datetime import date, datetime

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compagnon.stages.prepare.infer import Guess, guess_columns


def guess(values: list[object]) -> Guess:
    (found,) = guess_columns(pa.table({"c": values}))
    return found


def texts(found: Guess) -> str:
    return " ".join(reason.message for reason in found.because)


@pytest.mark.parametrize(
    ("values", "kind", "formats"),
    [
        (["1", "22", "-3"], "integer", ()),
        (["1.5", "2", "-3.25"], "float", ()),
        (["1.50", "2.00", "13.25"], "decimal", ()),
        (["1 234,50 €", "12,00 €", "3,10 €"], "decimal", ("fr",)),
        (["1,234.50", "12.75", "1,000.25"], "float", ("en",)),
        (["3,5", "12,75", "0,25"], "float", ("fr",)),
        (["oui", "non", "oui"], "boolean", ()),
        (["0", "1", "1"], "boolean", ()),
        (["2026-03-01", "2026-03-02", "2025-12-31"], "date", ("iso",)),
        (["2026-03-01T10:00:00Z", "2026-03-02T11:30:00Z", "2025-12-31T00:00:00Z"], "timestamp", ("iso",)),
        (["31/12/2025", "01/03/2026", "15/04/2026"], "date", ("%d/%m/%Y",)),
        (["12/31/2025", "03/01/2026", "04/15/2026"], "date", ("%m/%d/%Y",)),
        (["31/12/2025 10:05", "01/03/2026 23:59", "15/04/2026 00:00"], "timestamp", ("%d/%m/%Y %H:%M",)),
        (["31.12.2025", "01.03.2026", "15.04.2026"], "date", ("%d.%m.%Y",)),
        (["01000", "75011", "69003"], "text", ()),
        (["rouge", "vert", "rouge"] * 10, "category", ()),
        (["C'est quoi un CNN ?", "Comment lire une courbe ROC ?", "Et la perte ?"], "text", ()),
        (["", "", ""], "text", ()),
        ([1, 2, 3], "integer", ()),
        ([1.5, 2.5, None], "float", ()),
        ([True, False, None], "boolean", ()),
        ([date(2026, 3, 1)], "date", ()),
        ([datetime(2026, 3, 1, 10)], "timestamp", ()),
    ],
)
def test_types(values: list[object], kind: str, formats: tuple[str, ...]) -> None:
    found = guess(values)
    assert (found.type, found.formats) == (kind, formats)
    assert found.because


def test_dates_of_two_forms() -> None:
    found = guess(["31/12/2025"] * 60 + ["2026-03-01"] * 40)
    assert found.type == "date"
    assert set(found.formats) == {"%d/%m/%Y", "iso"}


def test_day_and_month_that_cannot_be_told_apart_are_said() -> None:
    found = guess(["01/02/2026", "03/04/2026"])
    assert found.formats == ("%d/%m/%Y",)
    assert "cannot be told apart" in texts(found)


def test_numbers_that_two_languages_read_differently_are_said() -> None:
    assert "French as well as in English" in texts(guess(["1,234", "5,678", "9,012"]))


def test_a_few_values_that_do_not_fit_are_said_and_do_not_hide_the_type() -> None:
    found = guess([str(n) for n in range(199)] + ["inconnu"])
    assert found.type == "integer"
    assert found.because[1].values == {"count": 1}
    assert guess([str(n) for n in range(90)] + ["inconnu"] * 10).type == "text"


def test_counts() -> None:
    found = guess(["b", "a", "a", "", None, "b", "b"] * 5)
    assert (found.rows, found.filled, found.distinct, found.unique) == (35, 25, 2, False)
    assert found.values == ("b", "a")
    assert found.counts == (15, 10)
    assert guess(["1", "2", "3"]).unique


@settings(max_examples=60)
@given(st.lists(st.text(max_size=30) | st.none(), min_size=1, max_size=30))
def test_any_texts_give_a_guess_whose_counts_hold(values: list[str | None]) -> None:
    found = guess_columns(pa.table({"c": pa.array(values, pa.string())}))[0]
    assert found.rows == len(values)
    assert 0 <= found.distinct <= found.filled <= found.rows
    assert sum(found.counts) in (0, found.filled)


@settings(max_examples=40)
@given(st.lists(st.integers(-(10**15), 10**15), min_size=3, max_size=20, unique=True))
def test_whole_numbers_are_whole_numbers(values: list[int]) -> None:
    assert guess([str(value) for value in values]).type == "integer"


@settings(max_examples=40)
@given(st.lists(st.dates(date(1990, 1, 1), date(2030, 1, 1)), min_size=3, max_size=20))
def test_written_dates_are_dates(values: list[date]) -> None:
    assert guess([value.isoformat() for value in values]).type == "date"
    assert guess([value.strftime("%d/%m/%Y") for value in values]).type == "date"
