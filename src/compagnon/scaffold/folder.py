"""A new folder that appears complete or not at all."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import tempfile
import unicodedata
from collections.abc import Iterator
from pathlib import Path

from compagnon.chain.workspace import explain_disk
from compagnon.errors import UserError
from compagnon.i18n import _

GITIGNORE = """\
# What Compagnon makes, and what must not be shared.
.compagnon/
.env
"""


@contextlib.contextmanager
def appearing(target: Path) -> Iterator[Path]:
    """A folder to fill, which becomes ``target`` when the block ends well, and vanishes when it does not.

    Raises UserError ``new.not-empty`` where ``target`` already holds something.
    """
    target = target.absolute()
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise UserError(
            "new.not-empty",
            _("{folder} already exists and is not empty.").format(folder=target),
            next=_("Give a folder that does not exist yet; nothing was changed."),
        )
    base = target.parent
    while not base.exists():
        base = base.parent
    with explain_disk(target):
        # Beside the target, so that the last step is one rename on the same disk.
        scratch = Path(tempfile.mkdtemp(prefix=".compagnon-new-", dir=base))
        try:
            filled = scratch / "solution"
            filled.mkdir()
            yield filled
            (filled / ".gitignore").write_text(GITIGNORE, encoding="utf-8")
            target.parent.mkdir(parents=True, exist_ok=True)
            if target.exists():
                target.rmdir()
            os.replace(filled, target)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)


def slug(text: str, *, between: str, fallback: str, longest: int = 60) -> str:
    """``text`` in lower-case ASCII letters, digits and ``between``, beginning with a letter."""
    plain = unicodedata.normalize("NFKD", text.replace("œ", "oe").replace("æ", "ae"))
    plain = plain.encode("ascii", "ignore").decode().lower()
    plain = re.sub(r"[^a-z0-9]+", between, plain).strip(between)
    if plain and not plain[0].isalpha():
        plain = f"{fallback}{between}{plain}"
    return plain[:longest].strip(between) or fallback
