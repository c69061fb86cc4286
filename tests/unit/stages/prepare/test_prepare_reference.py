"""The compiled rules against the slow reference, on rows nobody thought of; and spellings that come back."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))

import reference

from compagnon.spec.model import Table
from compagnon.stages.prepare import cast, engine, text, work
from compagnon.stages.prepare.overlay import Input

TABLE = Table.model_validate(
    {
        "from": {"s": {"name": "T", "n": "N", "amount": "A", "ok": "B", "level": "C", "at": "D"}},
        "columns": {
            "name": {"type": "text", "clean": ["html", "nfc", "spaces"], "required": True},
            "n": {"type": "integer", "formats": "fr", "at_most": 1000},
            "amount": {"type": "decimal", "formats": ["fr", "en"]},
            "ok": {"type": "boolean"},
            "level": {"type": "category", "values": ["débutant", "Expert"], "map": {"1": "débutant", "fort": "Expert"}},
            "at": {"type": "timestamp", "formats": ["%d/%m/%Y %H:%M", "iso"]},
            "size": {"type": "integer", "expr": "length(name)"},
        },
        "reject": [{"when": "size > 6", "because": "long", "code": "long"}],
    }
)
SPACES = st.text(alphabet=" \t\u00a0\u202f\u3000\x85", max_size=3)


def around(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str | None]:
    return st.none() | st.tuples(SPACES, inner, SPACES).map("".join)


LETTERS = "aAzéÉàçœ e\u0301&;'\"<1\u00a0\u202f\u212bß"
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "T": around(
                st.text(alphabet=LETTERS, max_size=9) | st.sampled_from(["&eacute;t&eacute;", "a&nbsp;b",
            "&amp;lt;"])
            ),
            "N": around(
                st.integers(-5, 3000).map(str)
                | st.from_regex(r"[+-]?[0-9]{1,4}( [0-9]{3}){0,2}(,5)?",
            fullmatch=True) | st.sampled_from(["x", "1e3"])),
            "A": around(st.from_regex(r"[+−-]?[0-9]{1,4}([ \u00a0\u202f,.][0-9]{3}){0,2}([,.][0-9]{1,4})?( ?€)?",
            fullmatch=True)),
            "B": around(st.sampled_from(["oui", "NON", "Vrai", "faux", "true", "no", "1", "0", "2", "peut-être"])),
            "C": around(st.sampled_from(["DEBUTANT", "débutant", "de\u0301butant", "expert", "1", "FORT", "moyen"])),
            "D": around(
                st.sampled_from(["31/12/2024 23:59", "1/2/2024 3:04", "27/10/2024 02:30", "31/03/2024 02:30",
                "30/02/2024 10:00",
                                 "2024-07-01T12:30", "2024-10-27T02:00", "2024-3-1T00:00", "01/01/24 10:00", "hier"])
            ),
        }
    ),
    max_size=12,
)  # fmt: skip


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with engine.connect(threads=1) as made:
        yield made


@given(given_rows=ROWS)
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_compiled_rules_equal_the_reference(
    connection: duckdb.DuckDBPyConnection, given_rows: list[dict[str, Any]]
) -> None:
    for index, row in enumerate(given_rows):
        row["_row_id"] = f"s:{index}"
    connection.execute("DROP TABLE IF EXISTS rows")
    connection.execute(
        'CREATE OR REPLACE TEMP TABLE given ("_row_id" VARCHAR, "_source" VARCHAR, '
        "T VARCHAR, N VARCHAR, A VARCHAR, B VARCHAR, C VARCHAR, D VARCHAR)"
    )
    for row in given_rows:
        cells = [row["_row_id"], "s", *(row[c] for c in "TNABCD")]
        connection.execute("INSERT INTO given VALUES (?, ?, ?, ?, ?, ?, ?, ?)", cells).fetchall()
    types = dict.fromkeys(("_row_id", "_source", *"TNABCD"), "VARCHAR")
    scene = work.make_scene(TABLE, "Europe/Paris", Path(), connection)
    compiled = work.apply("t", TABLE, [Input("s", "given", types)], scene, connection)
    found = {}
    for row in connection.sql("FROM rows").to_arrow_table().to_pylist():
        bits = [r for i, r in enumerate(compiled.reasons) if row["@bad0"] >> i & 1]
        values = {name: row[name] for name in TABLE.columns}
        found[row["row_id"]] = (values, [f"{r.code} {r.column}" for r in bits])
    expected = reference.rows(given_rows)
    for values, reasons in expected.values():
        order = [f"{r.code} {r.column}" for r in compiled.reasons]
        reasons.sort(key=order.index)
        assert set(values) == set(TABLE.columns)
    assert found == expected


@pytest.fixture(scope="module")
def value(connection: duckdb.DuckDBPyConnection) -> Callable[[str, str], Any]:
    """The value of an SQL expression over ``x``."""

    def compute(sql: str, x: str) -> Any:
        return (
            connection.sql(f"SELECT {sql} AS y FROM (SELECT ?::VARCHAR AS x)", params=[x])
            .to_arrow_table()
            .to_pylist()[0]["y"]
        )

    return compute


AMOUNTS = st.decimals(min_value=-(10**12), max_value=10**12, places=2)


@given(
    amount=AMOUNTS,
    group=st.sampled_from([" ", "\u00a0", "\u202f", ""]),
    euro=st.sampled_from(["", " €", "\u00a0€", "€", " EUR"]),
)
@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_amounts_written_in_french_come_back(value: Any, amount: Decimal, group: str, euro: str) -> None:
    written = f"{amount:,.2f}".replace(",", group).replace(".", ",") + euro
    assert value(cast.decimal("x", ["fr"], 2), written) == amount


@given(amount=AMOUNTS, form=st.sampled_from(["{:,.2f}", "{:.2f}", "{:,.2f} €"]))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_amounts_written_in_english_come_back(value: Any, amount: Decimal, form: str) -> None:
    assert value(cast.decimal("x", ["en"], 2), form.format(amount)) == amount


@given(number=st.floats(allow_nan=False, allow_infinity=False))
@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_floats_come_back(value: Any, number: float) -> None:
    assert value(cast.real("x", []), repr(number)) == number


@given(
    at=st.datetimes(min_value=datetime(1950, 1, 1), max_value=datetime(2090, 1, 1)).map(
        lambda d: d.replace(microsecond=0)
    ),
    form=st.sampled_from(
        ["%d/%m/%Y %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y%m%d%H%M%S", "%d.%m.%Y à %Hh%Mm%S", "%S %M %H %j %Y"]
    ),
)
@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_dates_written_in_several_ways_come_back(value: Any, at: datetime, form: str) -> None:
    formats = [form, "%d/%m/%Y"] if form != "%Y-%m-%dT%H:%M:%S" else ["iso"]
    assert value(cast.moment("x", formats, "UTC"), at.strftime(form)) == at.replace(tzinfo=UTC)


@given(
    words=st.text(alphabet=LETTERS + reference.WHITE, max_size=12),
    step=st.sampled_from(["nfc", "spaces", "html", "unaccent", "fold"]),
)
@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_clean_up_equals_the_reference(value: Any, words: str, step: str) -> None:
    assert value(text.STEPS[step]("x"), words) == reference.CLEAN[step](words)


@given(words=st.text(max_size=20).filter(lambda t: "\x00" not in t))
@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_nfc_and_spaces_of_any_text(value: Any, words: str) -> None:
    assert value(text.nfc("x"), words) == reference.CLEAN["nfc"](words)
    assert value(text.spaces("x"), words) == reference.collapse(words)
    assert value(text.outer_spaces("x"), words) == words.strip(reference.WHITE)
