"""Computing by a shortcut. Safe to share between threads."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from struct import pack
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol

from compagnon.stages.package.session import session_of
from compagnon.stages.package.shortcut.columns import MATRIX
from compagnon.stages.package.shortcut.terms import PRODUCT

if TYPE_CHECKING:
    import numpy as np

    from compagnon.features.inputs import Feeds

    Floats = np.ndarray[Any, Any]

OUTPUT = ["probabilities"]
LOGARITHMS = 256
"""Counts of a term in a text whose frequency is ready; more are computed."""
_WIDTH = 4
"""Bytes of a number in ``pack``'s form "i"."""


class Shortcut(Protocol):
    def probabilities(self, feeds: Feeds) -> Floats:
        """Probabilities of shape (rows, labels), float32, as the package's graph gives them."""


@dataclass(frozen=True)
class Matrix:
    """A graph that takes the numbers of all columns as one matrix."""

    names: tuple[str, ...]
    widths: tuple[int, ...]
    strings: tuple[str, ...]
    run: Callable[..., list[Any]] = field(repr=False)

    @classmethod
    def of(cls, names: Sequence[str], widths: Sequence[int], strings: Sequence[str], graph: bytes) -> Matrix:
        return cls(tuple(names), tuple(widths), tuple(strings), runner(session_of(graph)))

    def probabilities(self, feeds: Feeds) -> Floats:
        import numpy as np

        columns = [feeds[name].reshape(-1, width) for name, width in zip(self.names, self.widths, strict=True)]
        return self.of_matrix(np.concatenate(columns, axis=1), {name: feeds[name] for name in self.strings})

    def of_matrix(self, matrix: Floats, strings: Mapping[str, Floats] = MappingProxyType({})) -> Floats:
        """Probabilities for float32 numbers of shape (rows, sum of widths) and the strings of the other columns."""
        found: Floats = self.run(OUTPUT, {MATRIX: matrix, **strings}, None)[0]
        return found


@dataclass(frozen=True)
class Block:
    """Terms of one kind: runs of ``low`` to ``high`` words, or of characters within a word and the spaces around it."""

    words: bool
    low: int
    high: int
    numbers: dict[str, int] = field(repr=False)
    """Place of each term among the features."""

    def within(self, word: str) -> list[int]:
        """Terms that ``word`` alone holds, each as often as it stands there."""
        get = self.numbers.get
        if self.words:
            number = get(word) if self.low == 1 else None
            return [] if number is None else [number]
        padded = f" {word} "
        end = len(padded)
        found: list[int | None] = []
        for size in range(self.low, self.high + 1):
            found += map(get, [padded[start : start + size] for start in range(end - size + 1)])
        return [number for number in found if number is not None]

    def across(self, words: Sequence[str]) -> list[int]:
        """Terms of several of the ``words``."""
        if not self.words:
            return []
        get, found = self.numbers.get, []
        for size in range(max(self.low, 2), self.high + 1):
            runs = zip(*(words[start:] for start in range(size)), strict=False)
            found += [number for number in map(get, map(" ".join, runs)) if number is not None]
        return found


@dataclass(frozen=True)
class Terms:
    """Sparse TF-IDF: only the lines of the weights that a text needs are read. Sums are in 64 bits.

    ``known`` keeps the terms within words that the model itself holds, as the bytes of 32-bit numbers. Those of other
    words are found each time, so that nothing of what people write stays in memory.
    """

    column: str
    blocks: tuple[Block, ...]
    bounds: Floats = field(repr=False)
    """Place of the first feature of each block."""
    known: dict[str, bytes | None] = field(repr=False)
    weights: Floats = field(repr=False)
    """By feature: its weights times its inverse document frequency, and that frequency."""
    frequencies: Floats = field(repr=False)
    """By count: the sublinear frequency of a term."""
    end: Callable[[Floats], Floats] = field(repr=False)

    @classmethod
    def of(
        cls, column: str, blocks: Iterable[Mapping[str, Any]], arrays: Mapping[str, Any], temperature: float | None
    ) -> Terms:
        """From the parts of the file; without a temperature, what follows the product is a graph."""
        import numpy as np

        made: list[Block] = []
        known: dict[str, bytes | None] = {}
        idf, bounds, start = [], [], 0
        for block in blocks:
            numbers = {term: number for number, term in enumerate(block["terms"], start)}
            bounds.append(start)
            start += len(numbers)
            idf.append(block["idf"])
            made.append(Block(block["words"], block["low"], block["high"], numbers))
            if block["words"]:
                known.update(dict.fromkeys(term for term in block["terms"] if " " not in term))
        if temperature is None:
            end = _graph(arrays["graph"].tobytes())
        else:
            end = _softmax(arrays["intercept"].astype(np.float64), temperature)
        every = np.concatenate(idf).astype(np.float64)[:, None]
        weights = np.concatenate([every * arrays["weights"], every], axis=1)
        # One feature more, of no weight: it ends the last text even where that is empty.
        weights = np.concatenate([weights, np.zeros_like(weights[:1])])
        frequencies = 1.0 + np.log(np.maximum(np.arange(LOGARITHMS), 1.0))
        return cls(column, tuple(made), np.array(bounds, dtype=np.int64), known, weights, frequencies, end)

    def probabilities(self, feeds: Feeds) -> Floats:
        import numpy as np

        texts = feeds[self.column]
        rows, last = len(texts), len(self.weights) - 1
        # The row of each term stands in the high bits, the term in the low ones.
        bits = last.bit_length()
        parts = [self._terms(text) for text in texts.tolist()]
        starts = np.arange(rows, dtype=np.int64) << bits
        keys = np.empty(sum(map(len, parts)) // _WIDTH + 1, dtype=np.int64)
        keys[:-1] = np.frombuffer(b"".join(parts), dtype=np.int32)
        keys[-1] = last
        if rows > 1:
            keys[:-1] += starts.repeat([len(part) // _WIDTH for part in parts])
            keys[-1] += starts[-1]
        keys.sort()
        first = np.empty(len(keys), dtype=bool)
        first[0] = True
        np.not_equal(keys[1:], keys[:-1], out=first[1:])
        places = first.nonzero()[0]
        counts = np.empty_like(places)
        counts[:-1] = places[1:] - places[:-1]
        counts[-1] = len(keys) - places[-1]
        keys = keys.take(places)
        few = counts.max() < LOGARITHMS
        frequency = self.frequencies.take(counts) if few else 1.0 + np.log(counts)
        products = self.weights.take(keys & ((1 << bits) - 1), axis=0)
        products *= frequency[:, None]
        products[:, -1] *= products[:, -1]
        # Where each block of each row begins.
        edges = keys.searchsorted((starts[:, None] + self.bounds).ravel())
        sums = np.add.reduceat(products, edges)
        lengths = np.sqrt(sums[:, -1:])
        ends = np.append(edges[1:], len(keys) - 1)
        empty = ends == edges
        if empty.any():  # NumPy gives an empty stretch the value at its place
            sums[empty], lengths[empty] = 0.0, 1.0
        sums = sums[:, :-1] / lengths
        if len(self.blocks) > 1:
            sums = np.add.reduce(sums.reshape(rows, len(self.blocks), -1), axis=1)
        return self.end(sums)

    def _terms(self, text: str) -> bytes:
        """Places of the terms of one text, each as often as it stands there, as 32-bit numbers."""
        words, known = text.split(), self.known
        parts = [known.get(word) or self._within(word) for word in words]
        for block in self.blocks:
            found = block.across(words)
            parts.append(pack(f"{len(found)}i", *found))
        return b"".join(parts)

    def _within(self, word: str) -> bytes:
        found = [number for block in self.blocks for number in block.within(word)]
        packed = pack(f"{len(found)}i", *found)
        if word in self.known:
            self.known[word] = packed
        return packed


def _softmax(intercept: Floats, temperature: float) -> Callable[[Floats], Floats]:
    import numpy as np

    def end(product: Floats) -> Floats:
        scores = (product + intercept) / temperature
        scores -= np.maximum.reduce(scores, axis=1, keepdims=True)
        np.exp(scores, out=scores)
        scores /= np.add.reduce(scores, axis=1, keepdims=True)
        return scores.astype(np.float32)

    return end


def _graph(graph: bytes) -> Callable[[Floats], Floats]:
    import numpy as np

    run = runner(session_of(graph))

    def end(product: Floats) -> Floats:
        found: Floats = run(OUTPUT, {PRODUCT: product.astype(np.float32)}, None)[0]
        return found

    return end


def runner(session: Any) -> Callable[..., list[Any]]:
    """A session's function ``(outputs, feeds, options)``, without the checks that Python does around it."""
    inner = getattr(session, "_sess", None)
    run: Callable[..., list[Any]] = inner.run if inner is not None else session.run
    return run
