"""Personal data recognized by its form: e-mail, telephone, IBAN, NIR, SIRET, payment card.

A form alone is not enough where a number carries a key: IBAN (ISO 13616, modulo 97), NIR (key of 97, INSEE), SIRET and
payment cards (Luhn, ISO/IEC 7812-1). Columns are searched with a fast RE2 filter first; only the rows it lets through
are read one by one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

_SPACE = " \u00a0\u2009\u202f"
_GAP = rf"[{_SPACE}.\-]"

PREFILTER = "|".join(
    (
        "@",
        rf"[0-9](?:[{_SPACE}.()/\-]{{0,2}}[0-9]){{8}}",
        rf"[A-Za-z]{{2}}[0-9]{{2}}(?:{_GAP}?[0-9A-Za-z]){{10}}",
        rf"[12]{_GAP}?[0-9]{{2}}{_GAP}?[0-9]{{2}}{_GAP}?2[AaBb]",
    )
)
"""RE2: a text without a match holds nothing that ``mask_text`` would mask."""


@dataclass(frozen=True)
class Pattern:
    """One kind of personal data: how it is written, what proves it, what replaces it."""

    name: str
    mask: str
    form: re.Pattern[str]
    proof: Callable[[str], bool]


def _digits(text: str) -> str:
    return "".join(c for c in text if "0" <= c <= "9")


def luhn(digits: str) -> bool:
    """Whether the last digit is the Luhn key of the others (ISO/IEC 7812-1)."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 else 1)
        total += value - 9 if value > 9 else value
    return bool(digits) and total % 10 == 0


def is_iban(text: str) -> bool:
    """Whether the key of an IBAN holds (ISO 13616: modulo 97 is 1); white space and case do not count."""
    compact = re.sub(r"[^0-9A-Za-z]", "", text).upper()
    if not 15 <= len(compact) <= 34 or not compact.isascii():
        return False
    if compact[:2] in _IBAN_LENGTHS and len(compact) != _IBAN_LENGTHS[compact[:2]]:
        return False
    return int("".join(str(int(c, 36)) for c in compact[4:] + compact[:4])) % 97 == 1


def is_nir(text: str) -> bool:
    """Whether the key of a French social security number holds (97 - number modulo 97; 2A counts as 19, 2B as 18)."""
    compact = re.sub(r"[^0-9A-Za-z]", "", text).upper()
    if len(compact) != 15:
        return False
    number = compact[:13]
    if compact[5:7] in ("2A", "2B"):
        number = compact[:5] + ("19" if compact[5:7] == "2A" else "18") + compact[7:13]
    if not (number + compact[13:]).isdigit():
        return False
    return 97 - int(number) % 97 == int(compact[13:])


def is_siret(text: str) -> bool:
    """Whether 14 digits are a SIRET: Luhn, or for La Poste (SIREN 356000000) a sum of digits that 5 divides."""
    digits = _digits(text)
    if len(digits) != 14 or digits == "0" * 14:
        return False
    return luhn(digits) or (digits.startswith("356000000") and sum(map(int, digits)) % 5 == 0)


def is_card(text: str) -> bool:
    """Whether 13 to 19 digits are a payment card number: an issuer that exists (3 to 6) and Luhn."""
    digits = _digits(text)
    return 13 <= len(digits) <= 19 and digits[0] in "3456" and luhn(digits)


def _is_phone(text: str) -> bool:
    digits = _digits(text)
    if digits.startswith("0033"):
        digits = digits[4:]
    elif text.lstrip("(").startswith("+33"):
        digits = digits[2:]
    # +33 (0)6: the zero of the national form may stand in brackets.
    digits = digits[1:] if digits.startswith("0") else digits
    return len(digits) == 9 and digits[0] != "0"


_IBAN_LENGTHS = {
    "FR": 27, "DE": 22, "BE": 16, "ES": 24, "IT": 27, "LU": 20, "CH": 21, "GB": 22, "NL": 18, "PT": 25, "MC": 27,
    "IE": 22, "AT": 20, "PL": 28, "GR": 27, "FI": 18, "DK": 18, "SE": 24, "NO": 15, "CZ": 24, "HU": 28, "RO": 24,
}  # fmt: skip

_BEFORE, _AFTER = r"(?<![0-9A-Za-z])", r"(?![0-9A-Za-z])"

# In this order: a longer proof first, so that a telephone is not seen inside an IBAN.
PATTERNS = (
    Pattern(
        "email",
        "[courriel]",
        re.compile(r"[\w.+%'\-]{1,64}@(?:[\w](?:[\w\-]{0,61}[\w])?\.)+[A-Za-z]{2,24}(?![\w@])", re.UNICODE),
        lambda text: True,
    ),
    Pattern(
        "iban",
        "[IBAN]",
        re.compile(rf"{_BEFORE}[A-Za-z]{{2}}[0-9]{{2}}(?:{_GAP}?[0-9A-Za-z]){{11,30}}{_AFTER}"),
        is_iban,
    ),
    Pattern(
        "nir",
        "[NIR]",
        re.compile(
            rf"{_BEFORE}[12]{_GAP}?[0-9]{{2}}{_GAP}?[0-9]{{2}}{_GAP}?(?:[0-9]{{2}}|2[ABab]){_GAP}?[0-9]{{3}}{_GAP}?[0-9]{{3}}{_GAP}?[0-9]{{2}}{_AFTER}"
        ),
        is_nir,
    ),
    Pattern(
        "siret",
        "[SIRET]",
        re.compile(rf"{_BEFORE}[0-9]{{3}}{_GAP}?[0-9]{{3}}{_GAP}?[0-9]{{3}}{_GAP}?[0-9]{{5}}{_AFTER}"),
        is_siret,
    ),
    Pattern("card", "[carte]", re.compile(rf"{_BEFORE}[3-6](?:{_GAP}?[0-9]){{12,18}}{_AFTER}"), is_card),
    Pattern(
        "phone",
        "[téléphone]",
        re.compile(
            rf"(?<![0-9A-Za-z+])(?:(?:\+|00){_GAP}?33{_GAP}{{0,2}}(?:\(0\){_GAP}?)?|0)[1-9](?:[{_SPACE}.\-/]{{0,2}}[0-9]{{2}}){{4}}(?![0-9])"
        ),
        _is_phone,
    ),
)


_SIGN = re.compile("[@0-9]")
"""Every form holds one of these: most texts need no other search."""


def mask_text(text: str, spared: Container[str] = ()) -> str:
    """``text`` with what is recognized replaced: ``[courriel]``, ``[téléphone]``, ``[IBAN]``, ``[NIR]``...

    ``spared``: what is public, as ``found`` gives it, stays.
    """
    return _mask(text, spared)[0]


def found(text: str) -> frozenset[str]:
    """What ``mask_text`` would replace in ``text``, without signs between and in lower case."""
    return frozenset(bare(text[start:end]) for pattern in PATTERNS for start, end in places(pattern, text))


def bare(text: str) -> str:
    """A form as it is compared: however it is spaced, ``01 99 00 12 34`` is ``0199001234``."""
    return text.lower() if "@" in text else re.sub(rf"[{_SPACE}.()/\-]", "", text).lower()


def mask(column: pa.Array | pa.ChunkedArray) -> tuple[pa.Array | pa.ChunkedArray, int]:
    """A text column masked, and how many values were replaced in it; nulls stay, the type and chunks too."""
    import pyarrow as pa

    if isinstance(column, pa.ChunkedArray):
        chunks, total = [], 0
        for chunk in column.chunks:
            masked, count = mask(chunk)
            chunks.append(masked)
            total += count
        return pa.chunked_array(chunks, column.type), total
    return _mask_array(column)


def _mask_array(column: pa.Array) -> tuple[pa.Array, int]:
    import pyarrow as pa
    import pyarrow.compute as pc

    candidates = pc.fill_null(pc.match_substring_regex(column, PREFILTER), False)
    places = pc.indices_nonzero(candidates)
    if len(places) == 0:
        return column, 0
    texts, total = [], 0
    for text in column.take(places).to_pylist():
        masked, count = _mask(text)
        texts.append(masked)
        total += count
    if total == 0:
        return column, 0
    return pc.replace_with_mask(column, candidates, pa.array(texts, column.type)), total


def _mask(text: str, spared: Container[str] = ()) -> tuple[str, int]:
    if _SIGN.search(text) is None:
        return text, 0
    total = 0
    for pattern in PATTERNS:
        text, count = _replace(pattern, text, spared)
        total += count
    return text, total


def _replace(pattern: Pattern, text: str, spared: Container[str]) -> tuple[str, int]:
    count, start, pieces = 0, 0, []
    for begin, end in places(pattern, text):
        if spared and bare(text[begin:end]) in spared:
            continue
        pieces += [text[start:begin], pattern.mask]
        count, start = count + 1, end
    return "".join(pieces) + text[start:], count


def places(pattern: Pattern, text: str) -> Iterator[tuple[int, int]]:
    """All proven places of one pattern, from left to right; what follows a number may look like its end."""
    place = pattern.form.search(text)
    while place:
        end = _proven_end(pattern, text, place.start(), place.end())
        if end is not None:
            yield place.start(), end
        place = pattern.form.search(text, place.start() + 1 if end is None else end)


def _proven_end(pattern: Pattern, text: str, start: int, end: int) -> int | None:
    while True:
        if pattern.proof(text[start:end]):
            return end
        # "FR76 ... 189 merci": the form swallowed a word; give back one group and look again.
        shorter = max((text.rfind(space, start, end) for space in _SPACE), default=-1)
        if shorter <= start or not pattern.form.fullmatch(text, start, shorter):
            return None
        end = shorter
