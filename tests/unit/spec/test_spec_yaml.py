from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compagnon.spec.yaml import MAX_DEPTH, MAX_NODES, parse, resolve


def codes(text):
    return [problem.code for problem in parse(text, "f").problems]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"), ("oui", "oui"), ("on", "on"), ("y", "y"), ("1:30", "1:30"), ("2024-01-01", "2024-01-01"),
        ("true", True), ("FALSE", False), ("~", None), ("", None), ("null", None), ("nuLL", "nuLL"),
        ("12", 12), ("-012", -12), ("0x1F", 31), ("0o17", 15), ("017", 17), ("1_000", "1_000"), ("0b1", "0b1"),
        ("1.", 1.0), (".5", 0.5), ("1e3", 1000.0), ("-1.5E-2", -0.015), ("1,5", "1,5"), ("=", "="), ("²", "²"),
        ("١٢", "١٢"),
    ],
)  # fmt: skip
def test_plain_scalars_follow_the_core_schema(text, value):
    assert resolve(text) == value
    assert type(resolve(text)) is type(value)


def test_quotes_and_keys_make_texts():
    assert parse("a: '1'\nb: \"true\"\n1: x\nno: y\nc: |\n  12\n", "f").data == {
        "a": "1", "b": "true", "1": "x", "no": "y", "c": "12\n",
    }  # fmt: skip


def test_keys_and_values_have_their_places():
    locator = parse("a:\n  - {b: 1}\n  - c:\n      d\n", "f").locator
    key, value = locator.key(("a", 1, "c")), locator.value(("a", 1, "c"))
    assert (key.line, key.column, key.text) == (3, 5, "  - c:")
    assert (value.line, value.column) == (4, 7)
    assert locator.value(("a", 0, "b")).column == 9
    assert locator.value(("a", 7, "x")).line == 1
    assert locator.key(("nothing",)).line == 1


def test_aliases_copy_within_a_bound():
    document = parse("a: &x {b: [1, 2]}\nc: *x\n", "f")
    assert document.data == {"a": {"b": [1, 2]}, "c": {"b": [1, 2]}}
    assert document.data["a"] is not document.data["c"]
    assert document.locator.value(("c", "b", 1)).line == 1
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
    bomb += "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]\n" for i in range(1, 9))
    assert codes(bomb) == ["spec.too-many-values"]
    assert codes("[" + "1," * MAX_NODES + "1]") == ["spec.too-many-values"]


def test_aliases_cannot_recurse_or_deepen():
    assert codes("a: &a [*a]") == ["spec.alias-recursive"]
    assert codes("a: &a {b: {c: *a}}") == ["spec.alias-recursive"]
    assert codes("a: *b") == ["spec.alias-unknown"]
    deep = "a: &a " + "[" * 60 + "]" * 60 + "\nb: " + "[" * 60 + "*a" + "]" * 60
    assert codes(deep) == ["spec.depth"]
    assert codes("[" * (MAX_DEPTH + 1)) == ["spec.depth"]


def test_duplicate_keys_name_both_lines():
    document = parse("a: 1\nb: {c: 1, c: 2}\na: 3\n", "f")
    assert [(p.where.line, p.where.column, p.path) for p in document.problems] == [(2, 11, "b.c"), (3, 1, "a")]
    assert "line 1" in document.problems[1].what
    assert document.data == {"a": 1, "b": {"c": 1}}


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("a: !!int 3", "spec.tag"),
        ("a: !x y", "spec.tag"),
        ("a: 1\n---\nb: 1", "spec.documents"),
        ("<<: {a: 1}", "spec.merge"),
        ("[a]: 1", "spec.key"),
        ("a: .inf", "spec.number"),
        ("a: .NaN", "spec.number"),
        ("a: 1e999", "spec.number"),
        ("a: 99999999999999999999", "spec.number"),
        ("a: " + "9" * 5000, "spec.number"),
        ('a: "\\0"', "spec.control-character"),
        ('a: "\\ud800"', "spec.control-character"),
        ('"\\e": 1', "spec.control-character"),
        ('a: "\\UFFFFFFFF"', "spec.syntax"),
        ("%YAML 2.0\n---\na: 1", "spec.syntax"),
        ("a: [", "spec.syntax"),
        ("a: &x 1\nb: &x 2", "spec.anchor"),
    ],
)
def test_what_is_refused(text, code):
    assert codes(text) == [code]


def test_syntax_errors_of_several_sections_come_together():
    document = parse("a: [1\nb: {x: 'y}\nc: 3\nd: @x\n", "f")
    assert [problem.where.line for problem in document.problems] == [1, 2, 4]
    assert document.data == {"c": 3}
    assert not document.complete


@given(st.text(max_size=300) | st.text(alphabet="ab:-[]{}&*!|>'\"#%@`,? \n\t0\\", max_size=80))
def test_any_text_gives_data_or_problems(text):
    document = parse(text, "f")
    assert document.problems or document.complete
    for problem in document.problems:
        assert str(problem)
        assert problem.where.line >= 1


simple = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Cn"])),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(st.text(st.characters(codec="ascii", exclude_categories=["Cc"])), inner, max_size=4),
    max_leaves=20,
)  # fmt: skip


@given(simple)
def test_json_reads_as_itself(value):
    import json

    document = parse(json.dumps(value, ensure_ascii=False, indent=1), "f")
    assert document.problems == []
    assert document.data == value
