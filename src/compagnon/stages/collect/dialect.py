"""The dialect of a CSV file, detected from its beginning: delimiter, quote, names of columns."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from dataclasses import dataclass
from typing import Any

from compagnon.stages.collect.rows import unique_names

DELIMITERS = (",", ";", "\t", "|")
INDEX, TRAILING = "_index", "_trailing"
_RECORDS = 500


@dataclass(frozen=True)
class Dialect:
    """How the cells of a CSV file are written, and what its columns are called."""

    delimiter: str
    quote: str
    escape: str
    header: bool
    names: tuple[str, ...]
    unnamed: str | None = None
    """The name given to a column that the header does not name: ``_index`` in front, ``_trailing`` at the end."""

    def as_dict(self) -> dict[str, Any]:
        found: dict[str, Any] = {"delimiter": self.delimiter, "quote": self.quote, "header": self.header}
        if self.escape != self.quote:
            found["escape"] = self.escape
        if self.unnamed:
            found["unnamed"] = self.unnamed
        return found


def detect(
    sample: str, delimiter: str | None = None, quote: str | None = None, escape: str | None = None, header: bool = True
) -> Dialect | None:
    """The dialect of a text of which ``sample`` is the beginning; None if it holds no record."""
    quote = _quote(sample) if quote is None else quote
    if delimiter is None:
        delimiter = max(
            DELIMITERS, key=lambda d: (_fitness(_records(sample, d, quote, escape), quote), -DELIMITERS.index(d))
        )
    records = _records(sample, delimiter, quote, escape)
    if not records:
        return None
    names, unnamed = _names(records, header)
    return Dialect(delimiter, quote, escape or quote, header, names, unnamed)


def _quote(sample: str) -> str:
    """The double quote, unless cells are clearly enclosed in single ones."""
    single = len(re.findall(r"(?:^|[,;\t|])'[^'\n]*'(?=[,;\t|\r\n]|$)", sample, re.MULTILINE))
    return "'" if single >= 3 and '"' not in sample else '"'


def _records(sample: str, delimiter: str, quote: str, escape: str | None) -> list[list[str]]:
    options: dict[str, Any] = {"delimiter": delimiter}
    if not quote:
        options["quoting"] = csv.QUOTE_NONE
    else:
        options["quotechar"] = quote
    if escape and escape != quote:
        options |= {"escapechar": escape, "doublequote": False}
    records: list[list[str]] = []
    reader = csv.reader(io.StringIO(sample, newline=""), **options)
    try:
        for record in reader:
            if record:
                records.append(record)
            if len(records) >= _RECORDS:
                break
    except csv.Error:
        pass
    return records


def _fitness(records: list[list[str]], quote: str) -> tuple[float, int]:
    """How well a delimiter fits: the share of records with the most common number of cells, if that is over 1.

    It counts less where the first record has another number (one name may be missing), and where cells are left with
    half a pair of quotes: both happen with a comma that is only part of the text.
    """
    if not records:
        return 0.0, 0
    width, count = Counter(map(len, records)).most_common(1)[0]
    if width < 2:
        return 0.0, width
    share = count / len(records)
    if len(records[0]) != width:
        share *= 0.9 if len(records[0]) == width - 1 > 1 else 0.5
    halves = sum(any(cell.count(quote) % 2 for cell in record) for record in records) if quote else 0
    return round(share * (1 - halves / len(records)), 2), width


def _names(records: list[list[str]], header: bool) -> tuple[tuple[str, ...], str | None]:
    """Names of the columns, and the name given to one that the header leaves out."""
    if not header:
        width = Counter(map(len, records)).most_common(1)[0][0]
        return tuple(f"column{place}" for place in range(1, width + 1)), None
    names, rows = [name.strip() for name in records[0]], records[1:]
    widths = Counter(map(len, rows))
    unnamed = None
    if widths and widths.most_common(1)[0][0] == len(names) + 1:
        longer = [row for row in rows if len(row) == len(names) + 1]
        at_end = all(row[-1] == "" for row in longer) and not all(row[0] == "" for row in longer)
        unnamed = TRAILING if at_end else INDEX
        names = [*names, unnamed] if at_end else [unnamed, *names]
    return tuple(unique_names(names)), unnamed
