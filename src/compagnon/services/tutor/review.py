"""Corrections of answers: waiting, and decided by a teacher; an accepted one changes one passage of the knowledge base.

Nothing is written silently: ``propose`` shows the exact difference of the file, ``accept`` writes that difference and
no other (a file that has changed meanwhile is refused), and ``history.jsonl`` beside the base keeps who, when, why,
before and after.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from pydantic import ValidationError
from sqlalchemy import Engine, Row, desc, func, select, update

from compagnon.database.ledger import reading, utc, writing
from compagnon.database.tables import answer_corrections
from compagnon.errors import Location, UserError
from compagnon.i18n import _
from compagnon.services.tutor.knowledge.base import Base
from compagnon.services.tutor.knowledge.model import Topic
from compagnon.services.tutor.passages import resolve, source_of

HISTORY = "history.jsonl"
State = Literal["open", "accepted", "refused"]


@dataclass(frozen=True)
class Correction:
    """What a learner says of an answer, and what became of it."""

    id: int
    at: datetime
    author: str
    question: str
    answer: str
    text: str
    subtopic: str | None
    state: State
    decided: datetime | None
    decided_by: str | None
    why: str | None


@dataclass(frozen=True)
class Proposal:
    """A change of one passage as it would stand in its file."""

    passage: str
    file: str
    """From the folder of the base: ``cnn.json``, ``en/cnn.json`` for a translation."""
    digest: str
    """SHA-256 of the file that the difference was made from."""
    before: str
    after: str
    patch: str
    """The difference of the file, unified."""
    content: str
    """The whole new file."""


def corrections(engine: Engine, *, waiting: bool, limit: int = 21, offset: int = 0) -> list[Correction]:
    """Those that wait, the oldest first; or those decided, the last first."""
    table = answer_corrections
    query = select(table).limit(limit).offset(offset)
    if waiting:
        query = query.where(table.c.state == "open").order_by(table.c.id)
    else:
        query = query.where(table.c.state != "open").order_by(desc(table.c.decided), table.c.id)
    with reading(engine) as connection:
        return [_correction(row) for row in connection.execute(query)]


def count_waiting(engine: Engine) -> int:
    """How many corrections wait."""
    query = select(func.count()).select_from(answer_corrections).where(answer_corrections.c.state == "open")
    with reading(engine) as connection:
        return int(connection.execute(query).scalar_one())


def find(engine: Engine, number: int) -> Correction:
    """One correction; raises UserError ``correction.unknown``."""
    query = select(answer_corrections).where(answer_corrections.c.id == number)
    with reading(engine) as connection:
        row = connection.execute(query).first()
    if row is None:
        raise UserError("correction.unknown", _("There is no correction of that number."))
    return _correction(row)


def propose(base: Base, passage_id: str, after: str) -> Proposal:
    """What writing ``after`` in place of a passage changes in its file. Raises UserError, and writes nothing."""
    passage = resolve(passage_id, base)
    after = after.strip()
    if not after or after == passage.text:
        raise UserError("correction.no-change", _("Write what the passage should say."))
    path = base.spoken(passage.edition).folder / f"{passage.topic}.json"
    file = path.relative_to(base.folder).as_posix()
    old = path.read_text(encoding="utf-8")
    source = source_of(passage, base)
    changed = source[: passage.start] + after + source[passage.end :]
    # The text of the field as it stands in the file, so that nothing else of the file moves.
    was, becomes = (json.dumps(text, ensure_ascii=False) for text in (source, changed))
    if old.count(was) != 1:
        raise UserError(
            "correction.by-hand",
            _("This passage does not stand once, as it is, in its file: the file has to be changed by hand."),
            where=Location(file),
        )
    new = old.replace(was, becomes)
    try:
        Topic.model_validate_json(new)
    except ValidationError:
        raise UserError("correction.not-valid", _("The knowledge base would not be valid any more.")) from None
    lines, changes = (text.splitlines(keepends=True) for text in (old, new))
    patch = "".join(difflib.unified_diff(lines, changes, f"a/{file}", f"b/{file}", n=1))
    return Proposal(passage_id, file, _digest(old), passage.text, after, patch, new)


def accept(engine: Engine, base: Base, number: int, proposal: Proposal, *, by: str, why: str, now: datetime) -> None:
    """Write ``proposal`` into its file, with its line of history. Raises UserError where file or correction changed."""
    path = base.folder / proposal.file
    with writing(engine) as connection:
        _decide(connection, number, "accepted", by, why, now)
        if _digest(path.read_text(encoding="utf-8")) != proposal.digest:
            raise UserError(
                "correction.file-changed",
                _("The file has changed meanwhile; nothing was written."),
                where=Location(path.name),
                next=_("Look at the difference again."),
            )
        line = {
            "at": now.isoformat(),
            "correction": number,
            "passage": proposal.passage,
            "by": by,
            "why": why,
            "before": proposal.before,
            "after": proposal.after,
            "file": proposal.file,
            "from": proposal.digest,
            "to": _digest(proposal.content),
        }
        scratch = path.with_suffix(".new")
        try:
            scratch.write_text(proposal.content, encoding="utf-8")
            with (base.folder / HISTORY).open("a", encoding="utf-8") as history:
                history.write(json.dumps(line, ensure_ascii=False) + "\n")
            os.replace(scratch, path)
        except OSError as error:
            scratch.unlink(missing_ok=True)
            what = _("The file cannot be written: {reason}.").format(reason=error.strerror or error)
            next_ = _("Take the difference away and apply it where the knowledge base is kept.")
            raise UserError("correction.not-written", what, where=Location(path.name), next=next_) from None


def refuse(engine: Engine, number: int, *, by: str, why: str, now: datetime) -> None:
    """Decide that the base stays as it is. Raises UserError where it was decided meanwhile."""
    with writing(engine) as connection:
        _decide(connection, number, "refused", by, why, now)


def history(base: Base) -> dict[int, Mapping[str, Any]]:
    """What accepted corrections changed, by their numbers; lines that cannot be read are left out."""
    path, found = base.folder / HISTORY, {}
    for text in path.read_text(encoding="utf-8").splitlines() if path.is_file() else ():
        try:
            line = json.loads(text)
            found[int(line["correction"])] = line
        except (ValueError, KeyError, TypeError):
            continue
    return found


def _decide(connection: Any, number: int, state: State, by: str, why: str, now: datetime) -> None:
    table = answer_corrections
    change = update(table).where(table.c.id == number, table.c.state == "open")
    if not connection.execute(change.values(state=state, decided=now, decided_by=by, why=why)).rowcount:
        raise UserError("correction.decided", _("This correction was decided already."))


def _correction(row: Row[Any]) -> Correction:
    values = {name: getattr(row, name) for name in Correction.__dataclass_fields__}
    return Correction(**{**values, "at": utc(row.at), "decided": utc(row.decided) if row.decided else None})


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
