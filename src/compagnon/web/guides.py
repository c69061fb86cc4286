"""Guides: the how-to pages of the documentation, searched and shown in the language in use."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from markupsafe import Markup

from compagnon.web import markdown

FOLDERS = (Path(__file__).parent / "guides", Path(__file__).parents[3] / "docs" / "how-to")
"""Where an installed package and a working copy keep them; the first that is there."""
_NAME = re.compile(r"^[a-z0-9-]{1,60}$")
_POINTER = re.compile(r"^\*\[.*\n", re.MULTILINE)


@dataclass(frozen=True)
class Guide:
    """One page in one language: its name in addresses, its title, the titles of its parts, its text."""

    name: str
    title: str
    parts: tuple[str, ...]
    text: str

    @property
    def html(self) -> Markup:
        return markdown.render(re.sub(r"\A# .*\n", "", self.text))


@cache
def guides(language: str) -> tuple[Guide, ...]:
    """Every guide, by title; none where the documentation is not installed."""
    folder = next((folder for folder in FOLDERS if folder.is_dir()), None)
    found = [_read(path, language) for path in sorted(folder.glob("*.md"))] if folder else []
    return tuple(sorted(found, key=lambda guide: fold(guide.title)))


def find(name: str, language: str) -> Guide | None:
    if not _NAME.match(name):
        return None
    return next((guide for guide in guides(language) if guide.name == name), None)


def search(words: str, language: str) -> list[Guide]:
    """Guides whose titles or name hold every word, whatever its case and accents."""
    wanted = fold(words).split()
    return [g for g in guides(language) if all(word in fold(" ".join((g.name, g.title, *g.parts))) for word in wanted)]


def fold(text: str) -> str:
    """``text`` without case and accents."""
    plain = unicodedata.normalize("NFD", text.casefold())
    return "".join(character for character in plain if not unicodedata.combining(character))


def _read(path: Path, language: str) -> Guide:
    french, _rule, english = path.read_text(encoding="utf-8").partition("\n---\n")
    text = _POINTER.sub("", (french if language == "fr" else english) or french).strip()
    titles = re.findall(r"^#{1,3} (.*)$", text, re.MULTILINE)
    return Guide(path.stem, titles[0] if titles else path.stem, tuple(titles[1:]), text)
