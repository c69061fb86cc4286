"""What nobody has reviewed yet, and the signature of who has read it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from compagnon.chain.workspace import explain_disk, write_atomically
from compagnon.errors import UserError
from compagnon.i18n import _
from compagnon.services.tutor.answer.clean import suspect
from compagnon.services.tutor.answer.sentences import sentences
from compagnon.services.tutor.knowledge.base import Base
from compagnon.services.tutor.knowledge.model import Subtopic
from compagnon.services.tutor.passages import passages
from compagnon.spec.finding import nearest


@dataclass(frozen=True)
class Waiting:
    """A subtopic that nobody has reviewed; ``doubtful``: its sentences to look at twice."""

    subtopic: Subtopic
    doubtful: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """What scripts read."""
        one = self.subtopic
        return {"id": one.id, "language": one.edition, "title": one.title, "doubtful": list(self.doubtful)}


def waiting(base: Base) -> list[Waiting]:
    """Subtopics without a review, translations included."""
    return [
        Waiting(subtopic, tuple(_doubtful(subtopic)))
        for spoken in (base, *base.translations.values())
        for subtopic in spoken
        if subtopic.reviewed is None
    ]


def chosen(found: Iterable[Waiting], names: Iterable[str]) -> list[Waiting]:
    """Those of ``found`` that ``names`` (topics or ids of subtopics) mean. Raises UserError for a name of none."""
    found, kept = list(found), []
    for name in names:
        own = [one for one in found if name in (one.subtopic.id, one.subtopic.topic)]
        if not own:
            known = {one.subtopic.id for one in found} | {one.subtopic.topic for one in found}
            what = _("Nothing named `{name}` waits for a review.").format(name=name)
            raise UserError("knowledge.nothing-to-review", what, next=nearest(name, sorted(known)))
        kept += [one for one in own if one not in kept]
    return kept


def sign(base: Base, read: Iterable[Waiting], by: str, day: date) -> list[str]:
    """Write that ``by`` reviewed these on ``day``, each file replaced whole; returns the files, from the base's folder.

    Raises UserError where a file cannot be written.
    """
    by_file: dict[Path, set[str]] = {}
    for one in read:
        folder = base.spoken(one.subtopic.edition).folder
        by_file.setdefault(folder / f"{one.subtopic.topic}.json", set()).add(one.subtopic.id)
    for path, ids in by_file.items():
        data = json.loads(path.read_text(encoding="utf-8"))
        for subtopic in data["subtopics"]:
            if subtopic["id"] in ids:
                subtopic["reviewed"] = {"date": day.isoformat(), "by": by}
        with explain_disk(path):
            write_atomically(path, f"{json.dumps(data, ensure_ascii=False, indent=2)}\n".encode())
    return [path.relative_to(base.folder).as_posix() for path in by_file]


def _doubtful(subtopic: Subtopic) -> Iterator[str]:
    """Sentences that read like an order to a machine, or carry an address, a quotation or another script."""
    if suspect(subtopic.title):
        yield subtopic.title
    for passage in passages(subtopic):
        if suspect(passage.heading):
            yield passage.heading
        for start, end in sentences(passage.text):
            if suspect(passage.text[start:end]):
                yield passage.text[start:end]
