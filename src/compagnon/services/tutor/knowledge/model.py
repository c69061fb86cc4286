"""The model of one file of the knowledge base: a topic, its subtopics, and what each of them teaches."""

from __future__ import annotations

import datetime
from typing import Annotated, Any, Literal

from pydantic import Field, PrivateAttr, StringConstraints

from compagnon.spec.model import Name, Section
from compagnon.spec.schema import json_schema_of

BASE_VERSION = 1

Difficulty = Literal["beginner", "intermediate", "advanced"]
DIFFICULTIES: tuple[Difficulty, ...] = ("beginner", "intermediate", "advanced")
Language = Literal["fr", "en"]

SubtopicId = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,62}\.[a-z][a-z0-9_]{0,62}$"),
    Field(description="The topic, a dot and a short name: cnn.convolution."),
]
Filled = Annotated[str, StringConstraints(min_length=1)]


class Example(Section):
    """One concrete example from computing."""

    title: Filled = Field(description="What it shows.")
    text: Filled = Field(description="The example in words.")
    code: str | None = Field(None, description="Code that goes with it.")
    language: str | None = Field(None, description="Language of the code: python, sql...")


class Misconception(Section):
    """Something that learners often believe, and what is true."""

    belief: Filled = Field(description="What is believed.")
    answer: Filled = Field(description="What is true, and why.")


class Term(Section):
    """One word of the trade. Other names and the abbreviation stand in parentheses: `réseau convolutif (CNN)`."""

    term: Filled = Field(description="The word, with other names in parentheses.")
    definition: Filled = Field(description="What it means.")


class Diagram(Section):
    """A drawing that helps, with what it says in words."""

    file: Filled = Field(description="SVG file, from the folder of the knowledge base: diagrams/convolution.svg.")
    alt: Filled = Field(description="Text alternative: all that the drawing says.")
    caption: str | None = Field(None, description="Line under the drawing.")


class Reference(Section):
    """Where the content comes from."""

    title: Filled = Field(description="Title of the work or page.")
    authors: str | None = Field(None, description="Who wrote it.")
    year: int | None = Field(None, ge=1800, le=2200, description="Year of publication.")
    url: str | None = Field(None, description="Address, for what is read on the web.")


class Review(Section):
    """Who read the subtopic again for correctness, and when."""

    date: datetime.date = Field(description="Day of the review: 2026-11-21.")
    by: Filled = Field(description="Who reviewed it.")


class Subtopic(Section):
    """One notion, read in a few minutes."""

    id: SubtopicId
    title: Filled = Field(description="Title as learners read it; in a FAQ, the question.")
    difficulty: Difficulty = Field(description="Level of the reader that it is written for.")
    content: Filled = Field(description="120 to 300 words, or the answer of a FAQ; a blank line parts paragraphs.")
    asked: tuple[Filled, ...] = Field((), description="Other ways in which people ask for it; found, never shown.")
    examples: tuple[Example, ...] = Field((), description="Concrete examples from computing; one at least.")
    prerequisites: tuple[SubtopicId, ...] = Field((), description="Subtopics to understand first.")
    misconceptions: tuple[Misconception, ...] = Field((), description="Common errors, and their answer.")
    glossary: tuple[Term, ...] = Field((), description="Words of the trade that it introduces.")
    diagram: Diagram | None = Field(None, description="A drawing, where one helps.")
    sources: tuple[Reference, ...] = Field((), description="Where the content comes from.")
    reviewed: Review | None = Field(None, description="Last review; absent before it.")
    _edition: str = PrivateAttr("")

    @property
    def edition(self) -> str:
        """The language of the translation that it belongs to; empty in the base itself."""
        return self._edition

    def of_edition(self, edition: str) -> None:
        """Say, once it is read, that it belongs to a translation."""
        self._edition = edition

    @property
    def topic(self) -> str:
        """The topic that it belongs to, from its id."""
        return self.id.partition(".")[0]

    @property
    def paragraphs(self) -> tuple[str, ...]:
        """The content, paragraph by paragraph."""
        return tuple(part for part in self.content.split("\n\n") if part.strip())


class Topic(Section):
    """One file of the knowledge base."""

    version: Literal[1] = Field(description="Version of this format: 1.")
    topic: Name = Field(description="Short name of the topic, and of its file.")
    title: Filled = Field(description="Title as learners read it.")
    language: Language = Field("fr", description="Language of the texts.")
    kind: Literal["course", "faq"] = Field(
        "course", description="`faq`: each subtopic is a question and its answer, which is given whole."
    )
    subtopics: tuple[Subtopic, ...] = Field(min_length=1, description="What the topic is made of, in teaching order.")


def json_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of a file of the knowledge base."""
    return json_schema_of(Topic, "knowledge/TOPIC.json")
