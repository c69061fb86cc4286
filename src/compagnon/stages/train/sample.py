"""Rows on which package and model must agree: real ones, and where they are too few, changed ones, none twice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    from compagnon.features.inputs import Input

ROUNDS = 50
ENOUGH = 5
"""Times as many rows as are wanted, among which different ones are looked for."""


def draw(table: pa.Table, inputs: tuple[Input, ...], count: int, seed: int) -> pa.Table:
    """``count`` different rows of inputs (fewer only when no more can be made), the same for the same seed."""
    import numpy as np
    import pyarrow as pa

    generator = np.random.default_rng(seed)
    table = table.select([field.name for field in inputs]).combine_chunks()
    if table.num_rows > ENOUGH * count:
        table = table.take(pa.array(np.sort(generator.permutation(table.num_rows)[: ENOUGH * count])))
    real = _distinct(table)
    if real.num_rows >= count:
        return real.take(pa.array(np.sort(generator.permutation(real.num_rows)[:count])))
    found = real
    for _round in range(ROUNDS):
        if found.num_rows >= count:
            break
        found = _distinct(pa.concat_tables([found, _changed(real, inputs, count, generator)]))
    return found.slice(0, count)


def _distinct(table: pa.Table) -> pa.Table:
    """First occurrences, in order."""
    import pyarrow as pa

    seen: set[tuple[Any, ...]] = set()
    keep = []
    for index, row in enumerate(zip(*(column.to_pylist() for column in table.columns), strict=True)):
        if row not in seen:
            seen.add(row)
            keep.append(index)
    return table.take(pa.array(keep, type=pa.int64()))


def _changed(real: pa.Table, inputs: tuple[Input, ...], count: int, generator: np.random.Generator) -> pa.Table:
    """Texts with a word left out, doubled or misspelled; other columns mixed from different rows."""
    import pyarrow as pa

    columns = []
    for field in inputs:
        column = real.column(field.name).take(pa.array(generator.integers(0, real.num_rows, count)))
        if field.type == "text":
            column = pa.chunked_array(
                [pa.array([_misspelled(text, generator) for text in column.to_pylist()], type=pa.string())]
            ).cast(real.schema.field(field.name).type)
        columns.append(column)
    return pa.table(columns, schema=real.schema)


def _misspelled(text: str | None, generator: np.random.Generator) -> str | None:
    words = text.split() if text else []
    if not words:
        return text
    place, kind = int(generator.integers(len(words))), int(generator.integers(4))
    word = words[place]
    if kind == 0 and len(words) > 1:
        words[place : place + 1] = []
    elif kind == 1:
        words[place : place + 1] = [word, word]
    elif kind == 2 and len(word) > 1:
        cut = int(generator.integers(1, len(word)))
        words[place] = word[: cut - 1] + word[cut] + word[cut - 1] + word[cut + 1 :]
    else:
        words.insert(int(generator.integers(len(words) + 1)), word[::-1])
    return " ".join(words)
