"""A translation of a knowledge base against the base: the same subtopics, made of the same parts."""

from __future__ import annotations

from collections.abc import Iterator

from compagnon.errors import Problem
from compagnon.i18n import N_, _
from compagnon.services.tutor.knowledge.base import Base
from compagnon.services.tutor.knowledge.load import Written
from compagnon.services.tutor.knowledge.model import Subtopic
from compagnon.spec.finding import Finding, nearest

PARTS = {
    "content": N_("paragraphs"),
    "examples": N_("examples"),
    "misconceptions": N_("misconceptions"),
    "glossary": N_("words of the glossary"),
}


def strangers(written: Written, translated: Base, of: Base) -> Iterator[Problem]:
    """What is no translation: another language than the folder's, subtopics that the base does not have."""
    topic, folder = written.topic, translated.folder.name
    if topic is None:
        return
    if topic.language != folder:
        what = _("The language is `{language}`, and the file is in the folder {folder}.")
        finding = Finding(
            "knowledge.language", what.format(language=topic.language, folder=f"{folder}/"), ("language",)
        )
        yield written.problem(finding)
    for subtopic in topic.subtopics:
        if subtopic.id not in of.by_id:
            what = _("There is no subtopic `{name}` in the knowledge base that this translates.")
            near = nearest(subtopic.id, of.by_id)
            yield written.about("knowledge.not-translated", what.format(name=subtopic.id), subtopic, "id", next=near)


def differences(written: Written, of: Base) -> Iterator[Problem]:
    """What deserves a look: subtopics that are missing, parts that are not as many, another difficulty."""
    topic = written.topic
    if topic is None or topic.topic not in of.topics:
        return
    missing = [each.id for each in of.topics[topic.topic].subtopics if each.id not in written.ids]
    if missing:
        what = _("Not translated yet: {names}.").format(names=", ".join(missing))
        yield written.problem(Finding("knowledge.translation-missing", what, ("subtopics",)))
    for subtopic in topic.subtopics:
        original = of.by_id.get(subtopic.id)
        if original is None:
            continue
        for part, word in PARTS.items():
            here, there = _count(subtopic, part), _count(original, part)
            if here != there:
                what = _("{here} {parts} here, {there} in the base.").format(here=here, there=there, parts=_(word))
                yield written.about("knowledge.translation-differs", what, subtopic, part)
        if subtopic.difficulty != original.difficulty:
            what = _("The difficulty is not that of the base: {difficulty}.").format(difficulty=original.difficulty)
            yield written.about("knowledge.translation-differs", what, subtopic, "difficulty")


def _count(subtopic: Subtopic, part: str) -> int:
    return len(subtopic.paragraphs) if part == "content" else len(getattr(subtopic, part))
