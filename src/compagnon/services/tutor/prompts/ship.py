"""Shipping a prompt: it becomes the one that the tutor uses, only where no stated measure got worse."""

from __future__ import annotations

import difflib
import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from compagnon.errors import GateRefused, Location, UserError
from compagnon.i18n import _, format_number
from compagnon.services.tutor.prompts import scores
from compagnon.services.tutor.prompts.compare import Difference, compare
from compagnon.services.tutor.prompts.measure import MEASURES
from compagnon.services.tutor.prompts.play import Conditions
from compagnon.services.tutor.prompts.variant import VERSIONS, Variant, own_place, shipped
from compagnon.spec.text import read_text

if TYPE_CHECKING:
    from compagnon.solution import Solution

TOLERANCE = 0.05
"""How much of a share may be lost: one question of a set of 24 is 0.042."""


@dataclass(frozen=True)
class Shipping:
    """What shipping would write: the exact difference of the file, and why it may."""

    file: str
    variant: Variant
    version: int
    kept_as: str
    """Where the version before it goes."""
    patch: str
    content: str
    digest: str
    """Of the file that would be written over."""
    differences: tuple[Difference, ...]
    tolerance: float

    def as_dict(self) -> dict[str, Any]:
        return {
            **self.variant.as_dict(), "file": self.file, "version": self.version, "kept_as": self.kept_as,
            "patch": self.patch, "tolerance": self.tolerance, "measures": [one.as_dict() for one in self.differences],
        }  # fmt: skip


def prepare(solution: Solution, variant: Variant, conditions: Conditions, tolerance: float = TOLERANCE) -> Shipping:
    """What shipping ``variant`` changes; writes nothing.

    Raises GateRefused ``prompt.not-played`` where it or the prompt in use was not played whole under ``conditions``,
    ``prompt.worse`` where a gated measure lost more than ``tolerance``; UserError ``prompt.not-own``, ``prompt.same``.
    """
    own_place(solution)
    now = shipped(solution)
    if variant.digest == now.digest:
        raise UserError("prompt.same", _("This is the prompt that is used already."), where=Location(variant.name))
    both = [scores.answers(solution.engine, each.digest, conditions.digest) for each in (now, variant)]
    for each, answers in zip((now, variant), both, strict=True):
        if len(answers) < len(conditions.questions):
            raise GateRefused(
                "prompt.not-played",
                _(
                    "{done} of {count} questions were played with this text of the prompt, under these conditions."
                ).format(done=len(answers), count=len(conditions.questions)),
                where=Location(each.name),
                next=_("Play it: compagnon prompt score --prompt {file} --provider {provider}").format(
                    file=each.name, provider=conditions.provider
                ),
            )
    differences = compare(*both)
    worse = [one for one in differences if MEASURES[one.measure].gated and one.change < -tolerance - 1e-9]
    if worse:
        raise GateRefused(
            "prompt.worse",
            _("This prompt does worse than the one that is used: {measures}.").format(measures=_told(worse)),
            where=Location(variant.name),
            next=_("See the questions: compagnon prompt compare {before} {after}").format(
                before=now.name, after=variant.name
            ),
        )
    return _shipping(solution, variant, now, differences, tolerance)


def _shipping(
    solution: Solution, variant: Variant, now: Variant, differences: Sequence[Difference], tolerance: float
) -> Shipping:
    path, file = own_place(solution), now.name
    old = read_text(path, file)
    if not now.version.isdigit():
        raise UserError(
            "prompt.version", _("The version of the prompt in use is not a whole number."), where=Location(file, 2)
        )
    version = int(now.version) + 1
    date = solution.clock.now().date().isoformat()
    content = f"---\nversion: {version}\ndate: {date}\n---\n{variant.text.rstrip()}\n"
    lines, changed = (text.splitlines(keepends=True) for text in (old, content))
    patch = "".join(difflib.unified_diff(lines, changed, f"a/{file}", f"b/{file}", n=2))
    folder, stem = path.parent / VERSIONS, path.stem
    kept = folder / f"{stem}-{now.version}.md"
    if kept.exists() and kept.read_text(encoding="utf-8") != old:
        kept = folder / f"{stem}-{now.version}-{now.digest[:8]}.md"
    shown = kept.relative_to(solution.root).as_posix()
    return Shipping(file, variant, version, shown, patch, content, _digest(old), tuple(differences), tolerance)


def write(solution: Solution, shipping: Shipping, by: str) -> None:
    """Write what was shown: the version before is kept first. Raises UserError where the file changed meanwhile."""
    path = own_place(solution)
    old = read_text(path, shipping.file)
    if _digest(old) != shipping.digest:
        raise UserError(
            "prompt.file-changed",
            _("The file has changed meanwhile; nothing was written."),
            where=Location(shipping.file),
            next=_("Look at the difference again."),
        )
    kept, scratch = solution.root / shipping.kept_as, path.with_suffix(".new")
    try:
        kept.parent.mkdir(exist_ok=True)
        kept.write_text(old, encoding="utf-8")
        scratch.write_text(shipping.content, encoding="utf-8")
        os.replace(scratch, path)
    except OSError as error:
        scratch.unlink(missing_ok=True)
        what = _("The file cannot be written: {reason}.").format(reason=error.strerror or error)
        raise UserError("prompt.not-written", what, where=Location(shipping.file)) from None
    said = _("Prompt {file}: version {version} is used from now on ({digest}); the one before is {kept}.").format(
        file=shipping.file, version=shipping.version, digest=shipping.variant.digest[:12], kept=shipping.kept_as
    )
    solution.note(said, by=by)


def _told(differences: Sequence[Difference]) -> str:
    return " ; ".join(
        f"{_(MEASURES[one.measure].title)} {format_number(one.before, 2)} → {format_number(one.after, 2)}"
        for one in differences
    )


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
