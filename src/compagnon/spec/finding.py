"""One mistake in what the user wrote, named by its path; the locator gives it a line."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

from compagnon.errors import Problem
from compagnon.i18n import _
from compagnon.spec.locator import Locator, Path, dotted

FEW = 16
"""At most so many valid names are listed after a mistake."""


class Unshown(ValueError):
    """Raised by a check of a value that must not be repeated anywhere, such as a key in the clear."""


@dataclass(frozen=True)
class Finding:
    """A mistake, or a warning, at ``path``: at its value, or at its key."""

    code: str
    what: str
    path: Path
    next: str | None = None
    at: Literal["value", "key"] = "value"
    severity: Literal["error", "warning"] = "error"
    shown: bool = True
    """Whether the line may be shown as it stands."""

    def located(self, locator: Locator) -> Problem:
        """The same as a problem with its file, line and text."""
        where = locator.key(self.path) if self.at == "key" else locator.value(self.path)
        if where is not None and not self.shown:
            where = replace(where, text=None)
        return Problem(self.code, self.what, where, self.next, dotted(self.path))


def nearest(name: str, valid: Iterable[str]) -> str | None:
    """What to do about an unknown ``name``: the nearest of ``valid``, and the others when they are few."""
    names = list(dict.fromkeys(valid))
    if not names:
        return None
    lower = {candidate.lower(): candidate for candidate in reversed(names)}
    close = difflib.get_close_matches(name.lower()[:100], lower, n=1, cutoff=0.6)
    listed = ", ".join(names)
    if close and len(names) > FEW:
        return _("Did you mean `{name}`?").format(name=lower[close[0]])
    if close:
        return _("Did you mean `{name}`? Possible here: {names}.").format(name=lower[close[0]], names=listed)
    return _("Possible here: {names}.").format(names=listed) if len(names) <= FEW else None
