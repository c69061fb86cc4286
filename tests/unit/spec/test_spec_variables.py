from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compagnon.errors import UserError, UserErrors
from compagnon.spec.variables import expand, resolve_secrets, secret_names

MINIMAL = "version: 1\nname: x\n"


def test_settings_are_expanded_in_one_pass():
    assert expand("${A}/${B}-$A", {"A": "1", "B": "${A}"}).text == "1/${A}-$A"
    assert expand("$${A} costs $5 {x}", {"A": "1"}).text == "${A} costs $5 {x}"
    assert expand("$$${A}", {}).text == "$${A}"


def test_missing_and_malformed_are_all_named():
    result = expand("${A} ${B:-x} ${} ${A ${C}", {})
    assert result.missing == ("A",)
    assert result.malformed == ("${B:-x}", "${}", "${A ${C}")


def test_secrets_stay_symbolic_until_used():
    text = expand("pg://${secret:USER}:${secret:PASS}@${HOST}/$${secret:X}", {"HOST": "h", "USER": "no"}).text
    assert secret_names(text) == ("PASS", "USER")
    assert secret_names({"a": [text]}) == ("PASS", "USER")
    assert resolve_secrets(text, {"USER": "u", "PASS": "p${secret:X}"}.get) == "pg://u:p${secret:X}@h/${secret:X}"
    with pytest.raises(UserError) as caught:
        resolve_secrets(text, {}.get)
    assert "PASS, USER" in caught.value.problem.what


def test_a_setting_cannot_bring_in_a_secret():
    text = expand("${A}", {"A": "${secret:B}"}).text
    assert secret_names(text) == ()
    assert resolve_secrets(text, {}.get) == "${secret:B}"


def test_secret_names_of_a_spec(load_text):
    text = 'sources: {a: {kind: file, path: "x", contact: "${secret:ONE}", access: {fr: "${secret:TWO}"}}}\n'
    assert secret_names(load_text(MINIMAL + text).spec) == ("ONE", "TWO")


def test_all_missing_variables_are_listed_with_their_lines(load_text):
    text = MINIMAL + "title: ${A} and ${B}\nneed:\n  problem: '${A}'\n  users: [\"${C}\"]\ntimezone: ${ZONE}\n"
    with pytest.raises(UserErrors) as caught:
        load_text(text)
    assert [(p.code, p.where.line) for p in caught.value.problems] == [
        ("spec.variable-missing", line) for line in (3, 3, 5, 6, 7)
    ]


def test_unquoted_variables_keep_the_type_of_their_value(load_text):
    text = MINIMAL + (
        "sources:\n  a: {kind: file, path: x}\ntables:\n  t:\n    from: {a: {x: X, y: Y}}\n"
        "    columns:\n      x: {type: text}\n      y:\n        type: integer\n        at_least: ${LOW}\n"
        "        required: ${MUST}\n        meaning: '${LOW}'\n"
    )
    column = load_text(text, environ={"LOW": "3", "MUST": "true"}).spec.tables["t"].columns["y"]
    assert (column.at_least, column.required, column.meaning) == (3.0, True, "3")


@given(st.text(alphabet="${}secrt:ABx_ "))
def test_any_text_expands(text):
    result = expand(text, {"A": "${secret:B}", "B": "$"})
    if not result.missing and not result.malformed:
        assert set(secret_names(result.text)) <= set(secret_names(text))
