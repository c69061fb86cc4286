"""Text as features: TF-IDF of words and of the characters inside words (typos share most of them)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from compagnon.errors import UserError
from compagnon.i18n import _
from compagnon.stages.train.port import FittedView

if TYPE_CHECKING:
    from compagnon.features.inputs import Feeds, Input
    from compagnon.stages.train.graph import Graph

PADDING = "\x01"
"""Fills short rows inside the graph; folding removes control characters, so no text holds it."""
WORD = r"[^ ]+"


@dataclass(frozen=True)
class TextView:
    """N-grams of words and of characters within words, each block sublinear TF-IDF of length 1.

    Terms in fewer rows than ``words_from`` (``chars_from``) are left out. Source: Manning et al., Introduction to
    Information Retrieval, chapter 6 (TF-IDF, sublinear term frequency).
    """

    words: tuple[int, int] | None = (1, 2)
    chars: tuple[int, int] | None = (3, 5)
    words_from: int = 1
    chars_from: int = 2

    def fit(self, inputs: Sequence[Input], feeds: Feeds) -> FittedView:
        from sklearn.feature_extraction.text import TfidfVectorizer

        field = next(i for i in inputs if i.type == "text")
        blocks: list[Any] = []
        shared: dict[str, Any] = {"lowercase": False, "sublinear_tf": True}
        if self.words:
            words = {"ngram_range": self.words, "min_df": self.words_from, "token_pattern": WORD}
            blocks.append(TfidfVectorizer(analyzer="word", **words, **shared))
        if self.chars:
            # Each word stands between two spaces: "char_wb" of scikit-learn, on text whose only blanks are spaces.
            blocks.append(TfidfVectorizer(analyzer="char_wb", ngram_range=self.chars, min_df=self.chars_from, **shared))
        fitted = []
        for block in blocks:
            try:
                fitted.append(block.fit(feeds[field.name]))
            except ValueError:  # every term is too rare: the other block may still serve
                continue
        if not fitted:
            raise UserError(
                "train.no-terms",
                _("The texts of column {column} share no words: there is nothing to learn from.").format(
                    column=field.name
                ),
                next=_("Check that the model's input is the right column, or collect more rows."),
            )
        return FittedText(field.name, tuple(fitted))


@dataclass(frozen=True)
class FittedText:
    """Vocabularies and inverse document frequencies."""

    column: str
    blocks: tuple[Any, ...]

    def transform(self, feeds: Feeds) -> Any:
        import scipy.sparse as sp

        texts = feeds[self.column]
        return sp.hstack([block.transform(texts) for block in self.blocks], format="csr")

    def export(self, graph: Graph) -> str:
        text = graph.input(self.column, "string")
        parts = [_export_block(graph, text, block) for block in self.blocks]
        return parts[0] if len(parts) == 1 else graph.add("Concat", parts, axis=1)


def _export_block(graph: Graph, text: str, block: Any) -> str:
    # Feeds hold each text between two spaces: the bounds of its first and last words, as char_wb sees them.
    by_words = block.analyzer == "word"
    tokens = graph.add(
        "Tokenizer",
        [text],
        "com.microsoft",
        mark=0,
        pad_value=PADDING,
        mincharnum=1,
        separators=[" "] if by_words else [""],
    )
    counts = _export_counts(graph, tokens, block, by_words)
    one = graph.constant(1.0)
    logarithm = graph.add("Log", [graph.add("Max", [counts, one])])
    frequency = graph.add("Add", [logarithm, graph.add("Min", [counts, one])])
    weighted = graph.add("Mul", [frequency, graph.constant(block.idf_)])
    return graph.add("Normalizer", [weighted], "ai.onnx.ml", norm="L2")


def _export_counts(graph: Graph, tokens: str, block: Any, by_words: bool) -> str:
    low, high = block.ngram_range
    terms = sorted(block.vocabulary_, key=block.vocabulary_.get)
    by_size: list[list[tuple[list[str], int]]] = [[] for _size in range(high)]
    for index, term in enumerate(terms):
        parts = term.split(" ") if by_words else list(term)
        by_size[len(parts) - 1].append((parts, index))
    while not by_size[-1]:  # an empty last size is refused by the operator
        by_size.pop()
    starts: list[int] = []
    pool: list[str] = []
    indexes: list[int] = []
    for size in by_size:
        starts.append(len(pool))
        for parts, index in size:
            pool.extend(parts)
            indexes.append(index)
    return graph.add(
        "TfIdfVectorizer",
        [tokens],
        mode="TF",
        min_gram_length=min(low, len(by_size)),
        max_gram_length=len(by_size),
        max_skip_count=0,
        ngram_counts=starts,
        ngram_indexes=indexes,
        pool_strings=pool,
    )
