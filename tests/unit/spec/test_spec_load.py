from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from compagnon.errors import UserError, UserErrors
from compagnon.i18n import use
from compagnon.spec.kinds import complete_model
from compagnon.spec.load import Loaded, load
from compagnon.spec.model import EstimatorOptions, SourceOptions
from compagnon.spec.shape import findings
from compagnon.spec.values import category_values
from compagnon.spec.yaml import parse

MINIMAL = "version: 1\nname: x\n"
FULL = Path(__file__).parent / "full.yaml"


def problems(load_text, text, **more):
    with pytest.raises(UserErrors) as caught:
        load_text(text, **more)
    return [(p.code, p.path) for p in caught.value.problems]


def test_smallest_file(load_text):
    loaded = load_text(MINIMAL)
    assert (loaded.spec.name, loaded.files, loaded.warnings) == ("x", (), ())


def test_problems_come_in_the_order_of_the_file(load_text):
    text = "models: {M: 3}\nversion: one\nsources:\n  a: {kind: file}\n  a: {kind: sql}\nnom: x\n"
    with pytest.raises(UserErrors) as caught:
        load_text(text)
    lines = [p.where.line for p in caught.value.problems]
    assert lines == sorted(lines)
    assert len(lines) >= 5


def test_shape_of_healthy_sections_is_checked_beside_broken_ones(load_text):
    assert problems(load_text, "version: 1\nname: x\nsources: [\nneed: {usres: [a]}\n") == [
        ("spec.syntax", None),
        ("spec.unknown-key", "need.usres"),
    ]


def test_tabs_do_not_hide_other_mistakes(load_text):
    text = "version: 1\nname: x\nsources:\n\ta: {kind: file}\nneed: {users: 'a}\nprivacy: {who: me}\n"
    assert [code for code, _path in problems(load_text, text)] == ["spec.tab", "spec.syntax", "spec.unknown-key"]


def test_python_names_are_not_keys(load_text):
    table = "sources: {a: {kind: file, path: x}}\ntables: {t: {from_: {a: {x: X}}, columns: {x: {type: text}}}}\n"
    assert ("spec.unknown-key", "tables.t.from_") in problems(load_text, MINIMAL + table)


def test_files_outside_by_a_link_are_refused(load_text, tmp_path_factory, tmp_path):
    outside = tmp_path_factory.mktemp("outside") / "secret.sql"
    outside.write_text("select 1")
    os.symlink(outside, tmp_path / "query.sql")
    text = MINIMAL + "sources: {a: {kind: sql, url: x, query: query.sql}}\n"
    assert problems(load_text, text) == [("spec.file-outside", "sources.a.query")]


def test_the_tutor_names_what_is_in_the_solution(load_text):
    text = MINIMAL + "tutor: {knowledge: ../elsewhere, topic_model: topic}\n"
    assert problems(load_text, text) == [
        ("spec.file-outside", "tutor.knowledge"),
        ("spec.unknown-model", "tutor.topic_model"),
    ]


@pytest.mark.parametrize("name", ["C:\\x.sql", "\\\\host\\x.sql", "a/../../x.sql", "~/x.sql", "a\0b.sql"])
def test_odd_file_names_are_refused(load_text, name):
    text = MINIMAL + f"sources: {{a: {{kind: sql, url: x, query: '{name}'}}}}\n"
    with pytest.raises(UserErrors):
        load_text(text)


def test_expressions_are_checked_by_the_hook(load_text):
    text = MINIMAL + "title: x\n"
    found = [(("title",), "not SQL"), (("name",), "neither")]
    with pytest.raises(UserErrors) as caught:
        load_text(text, check_expressions=lambda spec: found)
    assert [(p.code, p.where.line, p.what) for p in caught.value.problems] == [
        ("spec.expression", 2, "neither"),
        ("spec.expression", 3, "not SQL"),
    ]


def test_facts_are_not_checked_when_unknown(load_text):
    text = MINIMAL + (
        "need: {indicators: [{fact: anything, of: collect/a, at_most: 3}]}\nsources: {a: {kind: file, path: x}}\n"
    )
    assert problems(load_text, text) == [("spec.unknown-fact", "need.indicators.0.fact")]
    assert load_text(text, known_facts=None).spec


def test_malformed_section_does_not_make_its_names_unknown(load_text):
    text = MINIMAL + "sources: [a]\ntables: {t: {from: {a: {x: X}}, columns: {x: {type: text}}}}\n"
    assert problems(load_text, text) == [("spec.type", "sources")]


def test_iso_dates_without_zone_are_a_warning(load_text):
    text = MINIMAL + (
        "sources: {a: {kind: file, path: x}}\ntables: {t: {from: {a: {x: X}}, columns: {x: {type: timestamp}}}}\n"
    )
    (warning,) = load_text(text).warnings
    assert (warning.code, warning.path) == ("spec.timezone", "tables.t.columns.x")
    assert load_text("timezone: UTC\n" + text).warnings == ()


def test_values_come_from_place_or_file(tmp_path):
    kinds = complete_model({"file": SourceOptions}, {})
    (tmp_path / "v.yaml").write_text("a: {fr: un}\nno: deux\n")
    (tmp_path / "solution.yaml").write_text(
        MINIMAL
        + "sources: {a: file}\ntables: {t: {from: {a: {x: X, y: Y}}, columns: {x: {type: category, values: v.yaml}, "
        "y: {type: category, values: [1a, no]}}}}\n"
    )
    loaded = load(tmp_path, kinds=kinds, environ={})
    columns = loaded.spec.tables["t"].columns
    assert category_values(tmp_path, columns["x"]) == ("a", "no")
    assert category_values(tmp_path, columns["y"]) == ("1a", "no")
    assert loaded.files == ("v.yaml",)


def test_messages_follow_the_language(load_text):
    """Messages go through the catalog when they are made, whatever language it holds."""
    with use("fr"):
        assert problems(load_text, "version: 1\n") == [("spec.missing-key", None)]


def test_every_kind_of_pydantic_error_points_into_the_data():
    """Errors of adapters' own options, however nested, lead to a place in the file."""

    class Inner(BaseModel):
        n: int | list[float]
        more: dict[str, list[int]] = {}

    class Options(EstimatorOptions):
        inner: Inner | None = None
        pair: tuple[int, str] = (1, "a")

    model = complete_model({"file": SourceOptions}, {"one": Options, "two": EstimatorOptions})
    estimators = [
        {"kind": "one", "inner": {"n": [1, "x"], "more": {"a": [1, "b"]}}},
        {"kind": "one", "inner": {"n": {}}, "pair": [1, 2]},
    ]
    data = {"version": 1, "name": "x", "models": {"m": {"estimators": estimators}}}
    with pytest.raises(ValueError, match="validation error") as caught:
        model.model_validate(data)
    paths = {f.path[2:] for f in findings(caught.value, model, data)}
    assert paths >= {
        ("estimators", 0, "inner", "n", 1),
        ("estimators", 0, "inner", "more", "a", 1),
        ("estimators", 1, "inner", "n"),
        ("estimators", 1, "pair", 1),
    }


def loads_or_refuses(load_text, content):
    try:
        loaded, mistakes = load_text(content), ()
    except UserError as error:
        loaded, mistakes = None, error.problems
    assert isinstance(loaded, Loaded) == (not mistakes)
    for problem in mistakes:
        assert str(problem).encode()
        assert problem.code.startswith("spec.")


relaxed = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


@relaxed
@given(st.binary(max_size=200))
def test_any_bytes_load_or_are_refused(load_text, content):
    loads_or_refuses(load_text, content)


leaves = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
    | st.sampled_from(["last", "file", "dummy", "text", "1 d", "${A}", "${secret:A}", "../x", "a.yaml", "%d"])
)  # fmt: skip
keys = st.text(max_size=4) | st.sampled_from(
    sorted(set(re.findall(r"[a-z_]+(?=:)", FULL.read_text(encoding="utf-8"))))
)  # fmt: skip
anything = st.recursive(leaves, lambda x: st.lists(x, max_size=3) | st.dictionaries(keys, x, max_size=4), max_leaves=12)


@relaxed
@given(st.dictionaries(keys, anything, max_size=6))
def test_any_yaml_loads_or_is_refused(load_text, data):
    loads_or_refuses(load_text, yaml.safe_dump({"version": 1, "name": "x", **data}, allow_unicode=True))


DATA = parse(FULL.read_text(encoding="utf-8"), "f").data


def places(value, path=()):
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield from places(inner, (*path, key))


@settings(relaxed, max_examples=150)
@given(st.data())
def test_a_spoiled_file_is_refused_at_a_line_or_loads(load_text, data):
    """One place of a good file, replaced or deleted: never another exception."""
    import copy

    spoiled = copy.deepcopy(DATA)
    path = data.draw(st.sampled_from([p for p in places(DATA) if p]))
    holder = spoiled
    for part in path[:-1]:
        holder = holder[part]
    if data.draw(st.booleans()):
        holder[path[-1]] = data.draw(anything)
    else:
        del holder[path[-1]]
    loads_or_refuses(load_text, yaml.dump(spoiled, Dumper=yaml.SafeDumper, allow_unicode=True))
