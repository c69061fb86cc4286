"""The values of a category column, listed in place or in a YAML file beside solution.yaml."""

from __future__ import annotations

from pathlib import Path

from compagnon.errors import Problem, UserErrors
from compagnon.i18n import _
from compagnon.spec.files import values_file
from compagnon.spec.model import Column
from compagnon.spec.text import flaws, read_text
from compagnon.spec.yaml import parse


def category_values(root: Path, column: Column) -> tuple[str, ...]:
    """The allowed values of ``column``, in their order; empty when any is allowed. Raises UserError."""
    file = values_file(column)
    return tuple(read_values(root, file)) if file else tuple(column.values or ())


def read_values(root: Path, file: str) -> dict[str, str | None]:
    """Values and their meaning from ``file``: a list of texts, or a mapping from value to meaning (or anything).

    Raises UserError, with every mistake of the file.
    """
    text = read_text(root / file, file)
    problems = flaws(text, file)
    document = parse(text, file, bad_lines={problem.where.line for problem in problems if problem.where})
    data, problems = document.data, problems + document.problems
    found: dict[str, str | None] = {}
    if isinstance(data, dict):
        found = {str(value): meaning if isinstance(meaning, str) else None for value, meaning in data.items()}
    elif isinstance(data, list):
        for index, value in enumerate(data):
            where = document.locator.value((index,))
            if not isinstance(value, str):
                problems.append(Problem("spec.values", _("A value must be a text."), where, _("Put it in quotes.")))
            elif value in found:
                problems.append(Problem("spec.values", _("`{value}` is listed twice.").format(value=value), where))
            else:
                found[value] = None
    if not found and not problems:
        what = _("{file} lists no values.").format(file=file)
        problems.append(
            Problem("spec.values", what, document.locator.value(()), _("Write one value a line: `- value`."))
        )
    if problems:
        raise UserErrors(problems)
    return found
