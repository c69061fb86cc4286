"""Options that every estimator of text shares: which terms it sees."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from compagnon.spec.model import EstimatorOptions
from compagnon.stages.train.view_text import TextView


def _ordered(value: tuple[int, int] | None) -> tuple[int, int] | None:
    if value is not None and value[0] > value[1]:
        raise ValueError("the first length cannot exceed the second")
    return value


Words = Annotated[
    tuple[Annotated[int, Field(ge=1, le=3)], Annotated[int, Field(ge=1, le=3)]] | None, AfterValidator(_ordered)
]
# From 2: a lone space would count otherwise in the graph. To 3: that is the shortest word with the spaces around it.
Chars = Annotated[
    tuple[Annotated[int, Field(ge=2, le=3)], Annotated[int, Field(ge=2, le=8)]] | None, AfterValidator(_ordered)
]
Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]
Grid = Positive | Annotated[tuple[Positive, ...], Field(min_length=1, max_length=10)]
"""One value, or a few to compare on the folds."""


class TextOptions(EstimatorOptions):
    """How text becomes features: word n-grams and character n-grams within words."""

    words: Words = Field((1, 2), description="Shortest and longest run of words that counts as a term; null for none.")
    chars: Chars = Field((3, 5), description="Shortest and longest run of characters within a word; null for none.")
    words_from: int = Field(1, ge=1, description="Rows in which a run of words must appear to be kept.")
    chars_from: int = Field(2, ge=1, description="Rows in which a run of characters must appear to be kept.")

    @model_validator(mode="after")
    def _some_terms(self) -> Self:
        if self.words is None and self.chars is None:
            raise ValueError("words and chars cannot both be null: nothing would be left to see")
        return self

    def view(self) -> TextView:
        return TextView(self.words, self.chars, self.words_from, self.chars_from)
