"""Prompts as they are compared: each known by the digest of its text, whatever its file and version are."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from compagnon.errors import Location, UserError
from compagnon.i18n import _
from compagnon.services.tutor.answer.opening import open_prompt
from compagnon.services.tutor.answer.prompt import Prompt, read_prompt
from compagnon.services.tutor.place import tutor_of

if TYPE_CHECKING:
    from compagnon.solution import Solution

VERSIONS = "versions"
"""Folder beside the prompt that keeps the versions before it."""
LONGEST = 20_000
"""Characters of a prompt that is tried."""


@dataclass(frozen=True)
class Variant:
    """One text of a prompt."""

    name: str
    """Its file, as it is shown."""
    version: str
    text: str

    @property
    def digest(self) -> str:
        """Of the text alone: a new version number does not make it another prompt."""
        return digest_of(self.text)

    @property
    def prompt(self) -> Prompt:
        return Prompt(self.version, self.text)

    def as_dict(self) -> dict[str, Any]:
        return {"name": self.name, "version": self.version, "digest": self.digest}


def digest_of(text: str) -> str:
    """What a prompt is known by."""
    return hashlib.sha256(_plain(text).encode()).hexdigest()


def typed(name: str, text: str) -> Variant:
    """A prompt that was typed and stands in no file; raises UserError ``prompt.empty``, ``prompt.too-long``."""
    text = _plain(text)
    if not text:
        raise UserError("prompt.empty", _("The prompt is empty."))
    if len(text) > LONGEST:
        raise UserError(
            "prompt.too-long", _("A prompt that is tried holds at most {count} characters.").format(count=LONGEST)
        )
    return Variant(name, "", text + "\n")


def shipped(solution: Solution) -> Variant:
    """The prompt that the tutor uses now."""
    prompt = open_prompt(solution)
    return Variant(tutor_of(solution.spec).prompt or "prompts/answer.md", prompt.version, prompt.body)


def read_variant(solution: Solution, given: str) -> Variant:
    """The prompt in the file ``given``, as seen from here or from the solution. Raises UserError as ``read_prompt``."""
    path = Path(given)
    if not path.is_file():
        path = solution.root / given
    path = path.absolute()
    root = solution.root.absolute()
    name = path.relative_to(root).as_posix() if path.is_relative_to(root) else given
    prompt = read_prompt(path, name)
    return typed_in(name, prompt)


def typed_in(name: str, prompt: Prompt) -> Variant:
    """The prompt of a file; raises UserError ``prompt.empty``, ``prompt.too-long``."""
    return Variant(name, prompt.version, typed(name, prompt.body).text)


def found(solution: Solution) -> list[Variant]:
    """The prompt that is used, the others beside it, then earlier versions, the latest first.

    Files that cannot be read as prompts are left out.
    """
    now = shipped(solution)
    folder = place(solution).parent
    beside = sorted(folder.glob("*.md"))
    earlier = sorted((folder / VERSIONS).glob("*.md"), key=lambda path: path.stat().st_mtime, reverse=True)
    others = []
    for path in (*beside, *earlier):
        try:
            variant = read_variant(solution, str(path))
        except UserError:
            continue
        if variant.name != now.name:
            others.append(variant)
    return [now, *others]


def place(solution: Solution) -> Path:
    """The file of the prompt that is used, or would be once solution.yaml names one."""
    return solution.root / (tutor_of(solution.spec).prompt or "prompts/answer.md")


def own_place(solution: Solution) -> Path:
    """The file of the solution's own prompt; raises UserError ``prompt.not-own`` where it has none."""
    if tutor_of(solution.spec).prompt is None:
        raise UserError(
            "prompt.not-own",
            _("This solution uses the prompt that comes with Compagnon, which is not written over."),
            where=Location("solution.yaml"),
            next=_("Copy it to prompts/answer.md and write under `tutor:` the line `prompt: prompts/answer.md`."),
        )
    return place(solution)


def _plain(text: str) -> str:
    return text.replace("\r\n", "\n").strip()
