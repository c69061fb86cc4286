"""The reference pages made from the code are up to date, and name every fact and every error code."""

from __future__ import annotations

import ast
import importlib.util
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from compagnon.chain.fact import FACTS

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "docs" / "reference"


def _load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("reference_pages", ROOT / "scripts" / "reference.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


reference = _load()


@pytest.mark.parametrize("name", reference.PAGES)
def test_the_page_is_up_to_date(name: str) -> None:
    assert (FOLDER / name).read_text(encoding="utf-8") == reference.PAGES[name](), "make reference"


def test_every_fact_has_its_line() -> None:
    page = (FOLDER / "facts.md").read_text(encoding="utf-8")
    assert [line.split("`")[1] for line in page.splitlines() if line.startswith("| `")] == list(FACTS)


def test_every_code_that_a_test_expects_is_on_the_page() -> None:
    """Tests name the codes that users meet; one that the page lacks shows that the scan has missed a way to say it."""
    known = set(reference.found(reference.SOURCE))
    expected = set(_expected_codes(ROOT / "tests"))
    assert len(expected) > 30
    assert expected - known == set()


def test_every_code_has_a_message() -> None:
    bare = {
        code
        for code, places in reference.found(reference.SOURCE).items()
        if all(place.what == reference.UNSTATED for place in places)
    }
    # The words of these come from a library: DuckDB's on a query, the parser's on a broken file, the web server's.
    assert bare <= {"query.wrong", "spec.syntax", "spec.format", "request.refused"}


def test_the_ways_to_say_a_code_are_understood(tmp_path: Path) -> None:
    (tmp_path / "errors.py").write_text(
        "class UserError(Exception):\n    def __init__(self, code, what, *, next=None): ...\n"
        "class Down(UserError): pass\n"
        "def helper(code, what): ...\n"
        "class Own(UserError):\n"
        "    def __init__(self, library): super().__init__('x.own', f'{library} is absent.', next='get it')\n"
    )
    (tmp_path / "use.py").write_text(
        "def one(n):\n"
        "    what = _('There are {n}.').format(n=n)\n"
        "    raise UserError('x.one', what, next=_('Take one.'))\n"
        "def two(n):\n"
        "    raise Down('x.two' if n else 'x.three', _('Two.') if n else _('Three.'))\n"
        "helper('x.four', _('Four.'))\n"
        "other('x.five', _('Not an error.'))\n"
        "files = ('a.html', 'b', 'c')\n"
    )
    said = {code: [(p.what, p.advice) for p in places] for code, places in reference.found(tmp_path).items()}
    assert said == {
        "x.own": [("{library} is absent.", "get it")],
        "x.one": [("There are {n}.", "Take one.")],
        "x.two": [("Two.", "")],
        "x.three": [("Three.", "")],
        "x.four": [("Four.", "")],
    }


def _expected_codes(folder: Path) -> Iterator[str]:
    """Codes that tests compare with the code of an error (``caught.value.code == "..."``)."""
    for path in folder.rglob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Compare) and _is_code(node.left):
                for other in node.comparators:
                    if isinstance(other, ast.Constant) and isinstance(other.value, str):
                        yield from re.findall(r"^[a-z]+\.[a-z-]+$", other.value)


def _is_code(node: ast.expr) -> bool:
    return isinstance(node, ast.Attribute) and node.attr == "code"
