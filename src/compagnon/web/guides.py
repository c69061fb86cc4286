"""Guides: the tutorial and the how-to pages of the documentation, searched and shown in the language in use.

A guide is one file: French, then English after a line ``---`` or the title ``## English``; its own title is
``French · English``, or stands at the head of each part.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from markupsafe import Markup

from compagnon.web import markdown

INSTALLED = Path(__file__).parent / "guides"
"""Where an installed package keeps them; a working copy reads its own docs."""
DOCS = Path(__file__).parents[3] / "docs"
FOLDERS = ("tutorial", "how-to")
LONGEST_SNIPPET = 160
_NAME = re.compile(r"^[a-z0-9-]{1,60}$")
_POINTER = re.compile(r"^\*\[.*\n", re.MULTILINE)
_TITLE = re.compile(r"\A# (.*)\n")
_ENGLISH = re.compile(r"^(?:---\n+(?=# |## English$)|## English$)", re.MULTILINE)
_HEAD = re.compile(r"^## (?:Français|English)\n", re.MULTILINE)
_FENCE = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)
_LINK = re.compile(r"\]\((?:\.\./)?(?:how-to/|tutorial/)?([a-z0-9-]+)\.md(?:#[^)]*)?\)")


@dataclass(frozen=True)
class Guide:
    """One page in one language: its name in addresses, its title, the titles of its parts, its text.

    ``language`` is that of the text: the other one where there is no translation.
    """

    name: str
    language: str
    title: str
    parts: tuple[str, ...]
    text: str

    @property
    def title_html(self) -> Markup:
        return Markup(markdown.inline(self.title))  # noqa: S704 - escaped by inline

    @property
    def title_text(self) -> str:
        return self.title.replace("`", "")

    @property
    def html(self) -> Markup:
        names = {guide.name for guide in guides(self.language)}

        def to_help(found: re.Match[str]) -> str:
            return f"](/help/{found[1]})" if found[1] in names else found[0]

        return markdown.render(_LINK.sub(to_help, self.text))


@dataclass(frozen=True)
class Found:
    """A guide that a search found; ``snippet`` is the line that holds the words, where no title does."""

    guide: Guide
    snippet: str = ""


@cache
def guides(language: str) -> tuple[Guide, ...]:
    """Every guide: the tutorial first, then by title."""
    found = [read(path, language) for path in _files()]
    return tuple(sorted(found, key=lambda guide: (guide.name != "first-solution", fold(guide.title_text))))


def find(name: str, language: str) -> Guide | None:
    if not _NAME.match(name):
        return None
    return next((guide for guide in guides(language) if guide.name == name), None)


def search(words: str, language: str) -> list[Found]:
    """Guides that hold every word, whatever its case and accents: in their titles first, then in their text."""
    wanted = fold(words).split()
    in_titles, in_texts = [], []
    for guide in guides(language):
        if _holds(wanted, " ".join((guide.name, guide.title_text, *guide.parts))):
            in_titles.append(Found(guide))
        elif _holds(wanted, guide.text):
            in_texts.append(Found(guide, _snippet(wanted, guide.text)))
    return in_titles + in_texts


def fold(text: str) -> str:
    """``text`` without case and accents."""
    plain = unicodedata.normalize("NFD", text.casefold())
    return "".join(character for character in plain if not unicodedata.combining(character))


def read(path: Path, language: str) -> Guide:
    """The guide of a file, in ``language`` where it is written in it, else in French."""
    text = path.read_text(encoding="utf-8")
    titled = _TITLE.match(text)
    both = [part.strip() for part in titled[1].split(" · ")] if titled else [path.stem]
    french, english = _halves(text)
    own = "en" if language == "en" and english else "fr"
    body = english if own == "en" else french
    title = _TITLE.match(body)
    body = _POINTER.sub("", body[title.end() :] if title else body)
    body = _HEAD.sub("", body).strip()
    if not re.search("^## ", _FENCE.sub("", body), re.MULTILINE):
        # What stands under "## English" is one level too deep for a page of its own.
        body = re.sub(r"^#(##+ )", r"\1", body, flags=re.MULTILINE)
    shown = title[1] if title and " · " not in title[1] else both[-1] if own == "en" else both[0]
    parts = re.findall(r"^#{2,3} (.*)$", _FENCE.sub("", body), re.MULTILINE)
    return Guide(path.stem, own, shown, tuple(part.replace("`", "") for part in parts), body)


def _halves(text: str) -> tuple[str, str]:
    """French and English, the latter empty where there is none; signs inside code count for nothing."""
    hidden = _FENCE.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), text)
    found = _ENGLISH.search(hidden)
    return (text[: found.start()], text[found.end() :].lstrip()) if found else (text, "")


def _files() -> Iterable[Path]:
    if INSTALLED.is_dir():
        return sorted(INSTALLED.glob("*.md"))
    return [path for folder in FOLDERS for path in sorted((DOCS / folder).glob("*.md"))]


def _holds(wanted: list[str], text: str) -> bool:
    folded = fold(text)
    return all(word in folded for word in wanted)


def _snippet(wanted: list[str], text: str) -> str:
    """The line that holds most of the words, without its signs, cut where it is long."""
    lines = [line.strip(" |#>-*$`") for line in text.split("\n")]
    best = max(lines, key=lambda line: sum(word in fold(line) for word in wanted))
    place = min((fold(best).find(word) for word in wanted if word in fold(best)), default=0)
    start = max(0, place - LONGEST_SNIPPET // 2)
    cut = re.sub(r"[`*]|\]\([^)]*\)|\[", "", best[start : start + LONGEST_SNIPPET]).strip()
    return f"{'…' if start else ''}{cut}{'…' if start + LONGEST_SNIPPET < len(best) else ''}"
