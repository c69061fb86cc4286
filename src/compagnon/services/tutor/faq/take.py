"""A firm's FAQ becomes entries of the knowledge base, with an account of what was taken, mended and refused."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from compagnon.errors import UserError
from compagnon.i18n import _
from compagnon.scaffold.folder import slug
from compagnon.services.tutor.faq.mend import Glued, clean, mend
from compagnon.services.tutor.faq.read import Raw, read
from compagnon.services.tutor.faq.write import Entry, Written, added
from compagnon.services.tutor.knowledge.base import Base
from compagnon.services.tutor.knowledge.load import load
from compagnon.services.tutor.search.words import fold

TOPIC = "faq"
"""Topic of entries without a theme."""
LONGEST_QUESTION, LONGEST_ANSWER = 500, 20_000
"""Characters."""
_NAME = re.compile(r"^[a-z][a-z0-9_]{0,62}$")
_BARE = re.compile(r"[\W_]+")


@dataclass(frozen=True)
class Refused:
    """An entry that was not taken, and why."""

    place: str
    question: str
    why: str
    code: str

    def as_dict(self) -> dict[str, str]:
        """What scripts read."""
        return {"place": self.place, "question": self.question, "code": self.code, "why": self.why}


@dataclass
class Taken:
    """What an import took, and what it did not."""

    files: list[Written] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    mended: int = 0
    """Entries whose text was cleaned of HTML or glued sentences."""
    glued: dict[str, str] = field(default_factory=dict)
    """Words that seem glued, and how they would be parted (or were, if that was asked for)."""

    @property
    def ids(self) -> list[str]:
        """Ids of the new entries."""
        return [name for file in self.files for name in file.ids]

    def as_dict(self, shown: str) -> dict[str, Any]:
        """What scripts read; ``shown``: the folder of the base."""
        return {
            "files": [f"{shown}/{file.path.name}" for file in self.files],
            "taken": len(self.ids),
            "ids": self.ids,
            "mended": self.mended,
            "glued": self.glued,
            "refused": [each.as_dict() for each in self.refused],
        }


def import_faq(
    path: Path,
    folder: Path,
    *,
    topic: str | None = None,
    title: str = "",
    language: str = "fr",
    part_words: bool = False,
    shown: str = "knowledge",
) -> Taken:
    """Add the questions and answers of the file ``path`` to the base in ``folder``, a topic for each theme.

    ``topic``: all of them in this one, whatever their theme. ``part_words``: part the words that seem glued, not only
    sentences. A question that stands in the base already is refused, and nothing there is changed. Raises UserError.
    """
    if topic is not None and not _NAME.fullmatch(topic):
        what = _("`{name}` is not a valid name.").format(name=topic)
        next_ = _("Use lower-case letters, digits and `{separator}`, beginning with a letter.").format(separator="_")
        raise UserError("knowledge.topic-name", what, next=next_)
    raws = read(path)
    base = load(folder, shown=shown) if folder.is_dir() and any(folder.glob("*.json")) else None
    done = Taken()
    kept = _readable(raws, base, done)
    glued = Glued(text for raw in kept for text in (raw.question, raw.answer))
    by_topic: dict[str, list[Entry]] = defaultdict(list)
    titles: dict[str, str] = {}
    for raw in kept:
        done.glued |= glued.found(f"{raw.question} {raw.answer}")
        if part_words:
            raw = Raw(raw.place, glued.part(raw.question), glued.part(raw.answer), raw.theme)
        name = topic or (slug(raw.theme, between="_", fallback="theme") if raw.theme else TOPIC)
        titles.setdefault(name, title or raw.theme or _("Frequent questions"))
        by_topic[name].append(Entry(raw.question, raw.answer, source=path.name))
    done.files = [added(folder, name, titles[name], rows, language=language) for name, rows in by_topic.items()]
    for file in done.files:
        file.save()
    return done


def _readable(raws: Sequence[Raw], base: Base | None, done: Taken) -> list[Raw]:
    """What can be an entry, cleaned; why not goes to ``done.refused``."""
    seen = {bare(subtopic.title): "" for subtopic in base} if base else {}
    kept: list[Raw] = []
    for raw in raws:
        plain = Raw(raw.place, " ".join(clean(raw.question).split()), clean(raw.answer), " ".join(raw.theme.split()))
        good = Raw(plain.place, mend(plain.question), mend(plain.answer), plain.theme)
        fault = _fault(good, seen)
        if fault is not None:
            done.refused.append(Refused(raw.place, good.question[:LONGEST_QUESTION], fault[1], fault[0]))
            continue
        seen[bare(good.question)] = raw.place
        done.mended += (good.question, good.answer) != (raw.question.strip(), raw.answer.strip())
        kept.append(good)
    return kept


def _fault(raw: Raw, seen: dict[str, str]) -> tuple[str, str] | None:
    """Code and reason why an entry is not taken."""
    key = bare(raw.question)
    if not key:
        return "no-question", _("there is no question")
    if not bare(raw.answer):
        return "no-answer", _("there is no answer")
    if len(raw.question) > LONGEST_QUESTION:
        return "long-question", _("the question is longer than {most} characters").format(most=LONGEST_QUESTION)
    if len(raw.answer) > LONGEST_ANSWER:
        return "long-answer", _("the answer is longer than {most} characters").format(most=LONGEST_ANSWER)
    if key in seen:
        place = seen[key]
        if place:
            return "twice", _("the same question stands at {place}").format(place=place)
        return "known", _("this question is in the knowledge base already")
    return None


def bare(text: str) -> str:
    """Letters and digits of ``text``: case, accents, blanks and signs do not make two questions."""
    return _BARE.sub("", fold(text))
