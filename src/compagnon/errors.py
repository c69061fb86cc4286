"""Errors a user can act on: what went wrong, where, and what to do next."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

DONE, FIXABLE, USAGE, GATE_REFUSED, BUG = 0, 1, 2, 3, 70
"""Exit codes of the command line."""


@dataclass(frozen=True)
class Location:
    """A place in a file of the solution; lines and columns count from 1."""

    file: str
    line: int | None = None
    column: int | None = None
    text: str | None = None

    def __str__(self) -> str:
        if self.line is None:
            return self.file
        return f"{self.file}:{self.line}" + (f":{self.column}" if self.column else "")

    def as_dict(self) -> dict[str, Any]:
        return {"file": self.file, "line": self.line, "column": self.column, "text": self.text}


@dataclass(frozen=True)
class Problem:
    """One mistake: a stable code, what is wrong, where, and what to do next."""

    code: str
    what: str
    where: Location | None = None
    next: str | None = None
    path: str | None = None
    """Dotted place in solution.yaml, for example ``tables.questions.columns.level``."""

    def as_dict(self) -> dict[str, Any]:
        where = self.where.as_dict() if self.where else None
        return {"code": self.code, "what": self.what, "where": where, "next": self.next, "path": self.path}

    def __str__(self) -> str:
        lines = [f"{self.where}: {self.what}" if self.where else self.what]
        if self.where and self.where.text is not None:
            lines.append(f"    {self.where.text.strip()}")
        if self.next:
            lines.append(f"  → {self.next}")
        return "\n".join(lines)


class UserError(Exception):
    """A mistake or a circumstance that the user can change; shown without a traceback, exit code 1.

    ``code`` is stable and documented in docs/reference/errors; ``what`` says what happened, ``next`` what to do.
    """

    exit_code = FIXABLE

    def __init__(
        self, code: str, what: str, *, where: Location | None = None, next: str | None = None, path: str | None = None
    ) -> None:
        self.problem = Problem(code, what, where, next, path)
        super().__init__(str(self.problem))

    @property
    def problems(self) -> tuple[Problem, ...]:
        return (self.problem,)

    @property
    def code(self) -> str:
        return self.problems[0].code


@dataclass
class Problems:
    """Collects mistakes so that all are reported at once."""

    found: list[Problem] = field(default_factory=list)

    def add(self, problem: Problem) -> None:
        self.found.append(problem)

    def raise_if_any(self) -> None:
        if self.found:
            raise UserErrors(self.found)


class UserErrors(UserError):
    """Several mistakes found together, in the order of the file."""

    def __init__(self, problems: list[Problem]) -> None:
        self._problems = tuple(problems)
        Exception.__init__(self, "\n".join(str(p) for p in problems))

    @property
    def problems(self) -> tuple[Problem, ...]:
        return self._problems


class GateRefused(UserError):
    """A gate was asked and said no; exit code 3."""

    exit_code = GATE_REFUSED
