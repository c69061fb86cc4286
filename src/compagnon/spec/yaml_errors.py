"""PyYAML's syntax errors in plain words."""

from __future__ import annotations

import re
from typing import Any

from compagnon.i18n import _


def explain(error: Any, first_line: int = 0, line: str = "") -> tuple[str, str | None, Any]:
    """What is wrong, what to do next, and the mark of the place, for a ``yaml.MarkedYAMLError``.

    ``first_line`` is the number of lines before the text that was read, ``line`` the line of
    the mistake."""
    problem, context = str(error.problem or ""), str(error.context or "")
    here, opened = error.problem_mark or error.context_mark, error.context_mark or error.problem_mark
    if problem.startswith("mapping values are not allowed"):
        return (
            _("A `:` is not expected here."),
            _("Put a text that contains `: ` in quotes; check the line above."),
            here,
        )
    if problem.startswith("sequence entries are not allowed"):
        return _("A list item `- ` is not expected here."), _("Begin the list on its own line, under its key."), here
    if problem.startswith("could not find expected ':'"):
        return _("This line is neither `key: value` nor a list item."), _("Add the missing `:`."), opened
    if problem.startswith(("expected ',' or ']'", "expected ',' or '}'")):
        closing = problem[len("expected ',' or '")]
        opening = {"]": "[", "}": "{"}[closing]
        if "${" in line:
            return _("`${` is not understood between brackets."), _('Put it in quotes: "${NAME}".'), opened
        return (
            _("The `{opening}` opened here is not closed as expected.").format(opening=opening),
            _("Look for a missing `,` or `{closing}` by line {line}.").format(
                closing=closing, line=first_line + _line_of(error)
            ),
            opened,
        )
    if problem.startswith("found unexpected end of stream") or "document separator" in problem:
        return _("The quotes opened here are not closed."), _("Close them, or double a quote inside the text."), opened
    if problem.startswith("expected <block end>"):
        return _end_of_block(context, here)
    if found := re.search(r"found character (.+) that cannot start any token", problem):
        sign = found[1].strip("'")
        what = _("A value cannot begin with `{sign}`.").format(sign=sign)
        return what, _("Put the text in quotes."), here
    if found := re.search(r"found unknown escape character (.+)", problem):
        what = _("`\\{sign}` means nothing in double quotes.").format(sign=found[1].strip("'"))
        return what, _("Use single quotes to keep backslashes as they are."), here
    if context.startswith(("while scanning an alias", "while scanning an anchor")):
        return _("`&` and `*` begin a name here."), _("Put the text in quotes."), opened
    if "a comment or a line break" in problem or "chomping or indentation" in problem:
        return _("Nothing may follow `|` or `>` on its line."), _("Begin the text on the next line, indented."), here
    if "but found '<document start>'" in problem or "expected '<document start>'" in problem:
        return _("The file goes on after its first value."), _("Check the indentation and the brackets."), here
    return _("This is not valid YAML: {reason}.").format(reason=problem), None, here


def _end_of_block(context: str, here: Any) -> tuple[str, str | None, Any]:
    if "block collection" in context:
        what = _("This line does not go on with the list above.")
    else:
        what = _("This line does not go on with the keys above.")
    return what, _("Align it with the lines above; put a text that begins with a quote wholly in quotes."), here


def _line_of(error: Any) -> int:
    return int(error.problem_mark.line) + 1 if error.problem_mark else 1
