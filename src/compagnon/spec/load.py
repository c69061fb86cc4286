"""Loading solution.yaml: every mistake at once, in the order of the file."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from compagnon.errors import Problem, UserErrors
from compagnon.i18n import _
from compagnon.spec.check import CheckExpressions, check
from compagnon.spec.files import mentioned
from compagnon.spec.finding import Finding
from compagnon.spec.locator import Locator
from compagnon.spec.model import SPEC_VERSION, Spec
from compagnon.spec.partial import validate
from compagnon.spec.text import flaws, read_text
from compagnon.spec.variables import expand
from compagnon.spec.yaml import Document, parse

FILE = "solution.yaml"


@dataclass(frozen=True)
class Loaded:
    """A spec without mistakes, where its parts stand, the files it names (relative to the folder), and warnings."""

    spec: Spec
    locations: Locator
    files: tuple[str, ...]
    warnings: tuple[Problem, ...]
    source_text: str
    root: Path


def load(
    root: Path,
    *,
    kinds: type[Spec],
    environ: Mapping[str, str],
    known_facts: Collection[str] | None = None,
    check_expressions: CheckExpressions | None = None,
) -> Loaded:
    """Reads and checks ``solution.yaml`` in ``root``.

    ``kinds`` is the complete model (``compagnon.spec.kinds.complete_model``), ``environ`` gives ``${VAR}``,
    ``known_facts`` the facts that indicators may name, ``check_expressions`` checks SQL and regular expressions.
    Raises UserErrors with every mistake.
    """
    text = read_text(root / FILE, FILE)
    problems = flaws(text, FILE)
    bad_lines = {problem.where.line for problem in problems if problem.where}
    document = parse(text, FILE, _expander(environ), bad_lines)
    problems += document.problems
    _refuse_newer(document)
    spec, found = None, list[Finding]()
    if document.data is not None or not problems:
        spec, found = _examine(document, root, kinds, known_facts, check_expressions, problems)
    locator = document.locator
    errors = problems + [finding.located(locator) for finding in _errors(found)]
    if errors or spec is None:
        raise UserErrors(sorted(dict.fromkeys(errors), key=_order))
    return Loaded(
        spec,
        locator,
        tuple(sorted({name for _path, name in mentioned(spec)})),
        tuple(sorted((f.located(locator) for f in found if f.severity == "warning"), key=_order)),
        text,
        root,
    )


def _examine(
    document: Document,
    root: Path,
    kinds: type[Spec],
    known_facts: Collection[str] | None,
    check_expressions: CheckExpressions | None,
    problems: list[Problem],
) -> tuple[Spec | None, list[Finding]]:
    """The spec as far as it can be read, and its mistakes; those of other files are added to ``problems``."""
    data = document.data
    if not isinstance(data, dict):
        where = document.locator.value(())
        what = _("{file} is empty.") if data is None else _("{file} must be a mapping (`key: value`).")
        next_ = _("Make a first one with: compagnon new DIR")
        problems.append(Problem("spec.not-a-mapping", what.format(file=FILE), where, next_))
        return None, []
    if not document.complete:  # sections that could not be read are not missing
        data = {"version": SPEC_VERSION, "name": "unnamed", **data}
    spec, shape = validate(kinds, data)
    found = list(shape)
    if spec is not None and document.complete:
        findings, others = check(spec, data, root, known_facts=known_facts)
        found += findings
        problems += others
        if check_expressions is not None:
            known = {finding.path for finding in findings}
            whole = _without_broken_tables(spec, shape)
            found += [
                Finding("spec.expression", what, path) for path, what in check_expressions(whole) if path not in known
            ]
    return spec, [f for f in found if not any(f.path[: len(path)] == path for path in document.unknown)]


def _without_broken_tables(spec: Spec, shape: list[Finding]) -> Spec:
    """``spec`` without tables that have a mistake of shape: their expressions may name what had to be left out."""
    broken = {finding.path[1] for finding in shape if finding.path[:1] == ("tables",) and len(finding.path) > 1}
    return spec.model_copy(update={"tables": {n: table for n, table in spec.tables.items() if n not in broken}})


def _refuse_newer(document: Document) -> None:
    version = document.data.get("version") if isinstance(document.data, dict) else None
    if isinstance(version, int) and not isinstance(version, bool) and version > SPEC_VERSION:
        what = _("This file is of version {found}; this Compagnon reads version {known}.")
        problem = Problem(
            "spec.newer-version",
            what.format(found=version, known=SPEC_VERSION),
            document.locator.value(("version",)),
            _("Install a newer Compagnon: pip install --upgrade compagnon"),
            "version",
        )
        raise UserErrors([problem])


def _expander(environ: Mapping[str, str]) -> Callable[[str], tuple[str | None, list[tuple[str, str, str | None]]]]:
    def expand_scalar(text: str) -> tuple[str | None, list[tuple[str, str, str | None]]]:
        result = expand(text, environ)
        mistakes: list[tuple[str, str, str | None]] = []
        for name in dict.fromkeys(result.missing):
            what = _("The variable {name} is not set.").format(name=name)
            mistakes.append(
                ("spec.variable-missing", what, _("Set it, for example: export {name}=...").format(name=name))
            )
        for wrong in dict.fromkeys(result.malformed):
            what = _("`{text}` is not a variable.").format(text=wrong)
            mistakes.append(
                ("spec.variable", what, _("Write ${NAME}, ${secret:NAME}, or $${ for the signs themselves."))
            )
        return (None if mistakes else result.text), mistakes

    return expand_scalar


def _errors(found: list[Finding]) -> list[Finding]:
    return [finding for finding in found if finding.severity == "error"]


def _order(problem: Problem) -> tuple[Any, ...]:
    where = problem.where
    if where is None:
        return (1, "", 0, 0)
    return (where.file != FILE, where.file, where.line or 0, where.column or 0)
