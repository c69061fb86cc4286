"""What each rule does to rows, through the stage."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from compagnon.errors import UserError

NB, NNB = "\u00a0", "\u202f"


def one(kitchen: Any, column: dict[str, Any], values: list[Any], **options: Any) -> Any:
    """Prepares a table of one column ``x`` (and a reject-free table)."""
    table = {"from": {"s": {"x": options.pop("entry", "X")}}, "columns": {"x": column}}
    return kitchen.prepare(table, {"s": [{"X": v, "n": i} for i, v in enumerate(values)]}, **options)


def test_integers_take_digits_only(kitchen: Any) -> None:
    done = one(kitchen, {"type": "integer"}, ["1", " 2 ", "-3", "+4", f"5{NB}", "1_000", "0x1F", "5.", "1e3", "", None])
    assert done.column("x") == [1, 2, -3, 4, 5, None, None]
    assert [v[0] for v in done.codes().values()] == [("not_integer", "x")] * 4


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("1 234,56 €", "1234.56"),
        (f"1{NB}234,56{NB}€", "1234.56"),
        (f"1{NNB}234{NNB}567,5", "1234567.50"),
        ("1234,567", "1234.57"),
        ("−12,5", "-12.50"),
        ("12", "12.00"),
    ],
)
def test_french_numbers(kitchen: Any, written: str, value: str) -> None:
    assert one(kitchen, {"type": "decimal", "formats": ["fr"]}, [written]).column("x") == [Decimal(value)]


def test_numbers_that_are_not(kitchen: Any) -> None:
    wrong = ["1 23", "12.5", "1,2,3", "€", "12 34,5", "douze"]
    done = one(kitchen, {"type": "decimal", "formats": ["fr"]}, [*wrong, "1,5"])
    assert done.column("x") == [Decimal("1.50")]
    assert len(done.quarantine) == len(wrong)


def test_english_and_plain_numbers(kitchen: Any) -> None:
    done = one(
        kitchen, {"type": "float", "formats": ["en", "plain"]}, ["1,234.5", "$12", "1e3", ".5", "inf", "nan", "1e999"]
    )
    assert done.column("x") == [1234.5, 12.0, 1000.0, 0.5]
    assert len(done.quarantine) == 3


def test_booleans(kitchen: Any) -> None:
    done = one(
        kitchen, {"type": "boolean"}, ["Oui", "NON", "vrai", "faux", "true", "False", "yes", "no", "1", "0", "si"]
    )
    assert done.column("x") == [True, False] * 5
    assert list(done.codes().values()) == [[("not_boolean", "x")]]


def test_dates_in_several_forms(kitchen: Any) -> None:
    column = {"type": "date", "formats": ["%d/%m/%Y", "iso"]}
    done = one(
        kitchen, column, ["31/12/2024", "2024-12-31", "1/2/2024", "31/02/2024", "31/12/24", "2024-12-31T23:30:00Z"]
    )
    assert done.column("x") == [date(2024, 12, 31), date(2024, 12, 31), date(2024, 2, 1), date(2025, 1, 1)]
    assert len(done.quarantine) == 2


def test_moments_are_utc_and_naive_ones_are_local(kitchen: Any) -> None:
    column = {"type": "timestamp", "formats": ["%d/%m/%Y %H:%M", "iso"]}
    values = ["01/07/2024 12:00", "2024-01-01 12:00", "2024-01-01T12:00:00+05:30", "2024-01-01T12:00:00.25Z"]
    assert one(kitchen, column, values).column("x") == [
        datetime(2024, 7, 1, 10, tzinfo=UTC),
        datetime(2024, 1, 1, 11, tzinfo=UTC),
        datetime(2024, 1, 1, 6, 30, tzinfo=UTC),
        datetime(2024, 1, 1, 12, 0, 0, 250_000, tzinfo=UTC),
    ]


def test_local_times_that_come_twice_or_never(kitchen: Any) -> None:
    done = one(kitchen, {"type": "timestamp"}, ["2024-10-27 02:30:00", "2024-03-31 02:30:00"])
    # The second half past two of autumn (winter time); in spring the missing hour is added: 03:30 summer time.
    assert done.column("x") == [datetime(2024, 10, 27, 1, 30, tzinfo=UTC), datetime(2024, 3, 31, 1, 30, tzinfo=UTC)]


def test_time_zone_of_a_source_wins(kitchen: Any) -> None:
    entry = {"column": "X", "timezone": "America/New_York", "formats": ["%Y%m%d%H%M"]}
    done = one(kitchen, {"type": "timestamp", "timezone": "UTC"}, ["202401011200"], entry=entry)
    assert done.column("x") == [datetime(2024, 1, 1, 17, tzinfo=UTC)]


def test_typed_values_need_no_text(kitchen: Any) -> None:
    moment = datetime(2024, 7, 1, 12)
    for kind, given, value in [
        ("integer", 3.0, 3), ("integer", 7, 7), ("float", 2, 2.0), ("boolean", 1, True), ("decimal", 1.25,
        Decimal("1.25")),
        ("date", moment, moment.date()), ("timestamp", moment, datetime(2024, 7, 1, 10, tzinfo=UTC)), ("text", 12,
        "12"),
    ]:  # fmt: skip
        assert one(kitchen, {"type": kind}, [given]).column("x") == [value], kind
    assert list(one(kitchen, {"type": "integer"}, [3.5]).codes().values()) == [[("not_integer", "x")]]


def test_cleaning_in_the_order_given(kitchen: Any) -> None:
    column = {"type": "text", "clean": ["html", "nfc", "spaces"]}
    texts = [f"  a{NB}&amp;\t b ", "e\u0301te\u0301", "&eacute;", "   ", "\u212b", "plain", f"x{NNB}"]
    assert one(kitchen, column, texts).column("x") == ["a & b", "été", "é", None, "Å", "plain", "x"]


def test_case_and_accents(kitchen: Any) -> None:
    for step, value in [
        ("lower", "élève ÇA".lower()),
        ("upper", "ÉLÈVE ÇA"),
        ("unaccent", "eleve CA"),
        ("fold", "eleve ca"),
    ]:
        assert one(kitchen, {"type": "text", "clean": [step]}, ["élève ÇA"]).column("x") == [value]


def test_replacements_follow_clean_up(kitchen: Any) -> None:
    column = {
        "type": "text",
        "clean": ["upper"],
        "replace": [{"pattern": "([A-Z]+)-([0-9]+)", "with": r"\2-\1"}, {"pattern": "'", "with": ""}],
    }
    assert one(kitchen, column, ["ab-12", "l'eau"]).column("x") == ["12-AB", "LEAU"]


def test_categories_map_fold_and_reject(kitchen: Any) -> None:
    column = {
        "type": "category",
        "values": ["beginner", "Été", "l'eau"],
        "map": {"débutant": "beginner", "1": "beginner"},
    }
    done = one(kitchen, column, ["beginner", "DEBUTANT", " Débutant ", "1", "ete", "L'EAU", "expert", None, " "])
    assert done.column("x") == ["beginner"] * 4 + ["Été", "l'eau", None, None]
    assert list(done.codes().values()) == [[("unknown_value", "x")]]


def test_values_from_a_file(kitchen: Any) -> None:
    (kitchen.root / "topics.yaml").write_text("cnn: Réseaux convolutifs\nrnn: Récurrents\n", encoding="utf-8")
    assert one(kitchen, {"type": "category", "values": "topics.yaml"}, ["CNN", "rnn"]).column("x") == ["cnn", "rnn"]


def test_entries_of_a_map_that_contradict(kitchen: Any) -> None:
    column = {"type": "category", "values": ["a", "b"], "map": {"Été": "a", "ETE": "b"}}
    with pytest.raises(UserError) as caught:
        one(kitchen, column, ["x"])
    assert caught.value.code == "prepare.map-conflict"


def test_units(kitchen: Any) -> None:
    def run(kind: str, unit: str, given: str, value: Any) -> list[Any]:
        return one(kitchen, {"type": kind, "unit": unit}, [value], entry={"column": "X", "unit": given}).column("x")

    assert run("float", "degC", "degF", "212") == [pytest.approx(100)]
    assert run("float", "kilometer", "mile", 2.0) == [pytest.approx(3.218688)]
    assert run("integer", "meter", "kilometer", "2.54") == [2540]
    assert run("decimal", "meter", "centimeter", "254") == [Decimal("2.54")]
    assert run("float", "€", "€", "3") == [3.0]
    with pytest.raises(UserError) as caught:
        run("float", "meter", "second", "1")
    assert caught.value.code == "prepare.unit"


def test_bounds_pattern_required(kitchen: Any) -> None:
    done = one(
        kitchen, {"type": "integer", "required": True, "at_least": 1, "at_most": 10}, ["0", "1", "10", "11", "", "x"]
    )
    assert done.column("x") == [1, 10]
    assert [c[0][0] for c in done.codes().values()] == ["too_small", "too_large", "missing", "not_integer"]
    done = one(kitchen, {"type": "text", "pattern": "[A-Z]{2}[0-9]+"}, ["AB12", "ab12", "AB12 ", None])
    assert done.column("x") == ["AB12", None]


def test_derived_columns_use_those_above(kitchen: Any) -> None:
    table = {
        "from": {"s": {"text": "T"}},
        "columns": {
            "text": {"type": "text", "clean": ["spaces"]},
            "length": {"type": "integer", "expr": "length(text)"},
            "double": {"type": "decimal", "expr": "length * 2.5"},
            "course": {"type": "category", "values": ["tp", "td"], "expr": "regexp_extract(text, '(TP|TD)') -- ok"},
        },
    }
    done = kitchen.prepare(table, {"s": [{"T": " TP  1 "}, {"T": "rien"}]})
    assert done.rows == [
        {"row_id": "s:piece:000000", "source": "s", "text": "TP 1", "length": 4, "double": Decimal("10.00"),
        "course": "tp"},
        {"row_id": "s:piece:000001", "source": "s", "text": "rien", "length": 4, "double": Decimal("10.00"),
        "course": None},
    ]  # fmt: skip


def test_all_reasons_are_kept(kitchen: Any) -> None:
    table = {
        "from": {"s": {"a": "A", "b": "B"}},
        "columns": {"a": {"type": "integer"}, "b": {"type": "text", "required": True}},
        "reject": [
            {"when": "a is null", "because": {"fr": "pas de a", "en": "no a"}, "code": "no_a"},
            {"when": "length(b) > 3", "because": "trop long"},
        ],
    }
    rows = [{"A": "x", "B": ""}, {"A": "1", "B": "long"}, {"A": "1", "B": "ok"}, {"A": "x", "B": "longer"}]
    done = kitchen.prepare(table, {"s": rows})
    assert done.codes() == {
        "s:piece:000000": [("not_integer", "a"), ("missing", "b"), ("no_a", None)],
        "s:piece:000001": [("reject_2", None)],
        "s:piece:000003": [("not_integer", "a"), ("no_a", None), ("reject_2", None)],
    }
    first = done.quarantine["s:piece:000000"]
    assert first["raw"] == '{"A":"x","B":""}'
    assert [r["fr"] for r in first["reasons"]][2] == "pas de a"
    assert [r["en"] for r in first["reasons"]][2] == "no a"
    assert done.facts == {
        "rows_read": 4, "rows_prepared": 1, "rows_rejected": 3, "rows_duplicate": 0, "rows_restored": 0,
        "values_masked": 0,
    }  # fmt: skip


def test_more_rules_than_one_word_of_bits(kitchen: Any) -> None:
    names = [f"c{i}" for i in range(80)]
    table = {"from": {"s": {n: n for n in names}}, "columns": {n: {"type": "integer"} for n in names}}
    done = kitchen.prepare(
        table, {"s": [dict.fromkeys(names, "1"), {**dict.fromkeys(names, "1"), "c70": "x", "c3": "y"}]}
    )
    assert done.codes() == {"s:piece:000001": [("not_integer", "c3"), ("not_integer", "c70")]}
    assert done.facts["rows_prepared"] == 1


def test_unique_keeps_the_preferred_row(kitchen: Any) -> None:
    table = {
        "from": {"s": {"k": "K", "at": "D"}},
        "columns": {"k": {"type": "text", "clean": ["fold"]}, "at": {"type": "date"}},
        "unique": {"by": ["k"], "prefer": "at desc"},
    }
    rows = [
        ("a", "2024-01-01"),
        ("A ", "2024-02-01"),
        ("a", "2024-02-01"),
        ("b", ""),
        ("b", "2024-01-01"),
        (None, ""),
        (None, ""),
    ]
    done = kitchen.prepare(table, {"s": [{"K": k, "D": d} for k, d in rows]})
    assert [r["row_id"][-1] for r in done.rows] == ["1", "4", "5", "6"]
    aside = done.quarantine
    assert {i[-1]: r["reasons"][0]["code"] for i, r in aside.items()} == {
        "0": "duplicate",
        "2": "duplicate",
        "3": "duplicate",
    }
    assert "s:piece:000001" in aside["s:piece:000002"]["reasons"][0]["en"]
    assert done.facts["rows_duplicate"] == 3
    assert done.facts["rows_rejected"] == 3


def test_rejected_rows_do_not_compete(kitchen: Any) -> None:
    table = {
        "from": {"s": {"k": "K", "n": "N"}},
        "columns": {"k": {"type": "text"}, "n": {"type": "integer"}},
        "unique": {"by": "k"},
    }
    done = kitchen.prepare(table, {"s": [{"K": "a", "N": "x"}, {"K": "a", "N": "1"}]})
    assert done.column("n") == [1]
    assert done.codes() == {"s:piece:000000": [("not_integer", "n")]}


def test_sources_that_name_and_write_differently(kitchen: Any) -> None:
    table = {
        "from": {
            "a": {"id": "Numero", "n": "Montant"},
            "b": {"id": "qid", "n": {"column": "amount", "formats": ["en"]}},
            "c": {"id": "k"},
        },
        "columns": {"id": {"type": "text"}, "n": {"type": "decimal", "formats": ["fr"]}},
    }
    rows = {"a": [{"Numero": "1", "Montant": "1 000,5"}], "b": [{"qid": 2, "amount": "1,000.5"}], "c": [{"k": "3"}]}
    done = kitchen.prepare(table, rows)
    assert [(r["source"], r["id"], r["n"]) for r in done.rows] == [
        ("a", "1", Decimal("1000.50")), ("b", "2", Decimal("1000.50")), ("c", "3", None),
    ]  # fmt: skip


def test_a_column_that_the_source_has_not(kitchen: Any) -> None:
    with pytest.raises(UserError) as caught:
        one(kitchen, {"type": "text"}, ["a"], entry="x_")
    assert caught.value.code == "prepare.column-missing"
    assert "X" in (caught.value.problems[0].next or "")


def test_an_expression_that_fails_names_itself_and_not_the_value(kitchen: Any) -> None:
    table = {
        "from": {"s": {"a": "A"}},
        "columns": {"a": {"type": "text"}, "n": {"type": "integer", "expr": "cast(a as bigint)"}},
        "reject": [{"when": "cast(a as integer) > 3", "because": "x"}, {"when": "a is null", "because": "x"}],
    }
    with pytest.raises(UserError) as caught:
        kitchen.prepare(table, {"s": [{"A": "secret@example.org"}]})
    assert caught.value.code == "prepare.expression-failed"
    assert "columns.n.expr" in str(caught.value)
    assert "secret" not in str(caught.value)


def test_no_rows_at_all(kitchen: Any) -> None:
    from compagnon.chain.artifact import Artifact

    empty = Artifact("rows", "raw", (), {"source": "s"})
    kitchen.store.put(empty)
    done = kitchen.prepare({"from": {"s": {"x": "X"}}, "columns": {"x": {"type": "integer"}}}, {"s": empty})
    assert done.facts["rows_read"] == 0
    assert done.table.num_rows == 0
    assert done.table.schema.names == ["row_id", "source", "x"]
