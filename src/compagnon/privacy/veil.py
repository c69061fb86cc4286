"""Personal data hidden from an outside service, and shown again in what it answers.

``Veil.hide`` puts a placeholder such as ``[EMAIL_1]`` in the place of each value; the service sees that somebody gave
an address, not which. ``show`` and ``Lifting`` put the values back, also where a stream splits a placeholder. The
values live in memory as long as the veil, and appear in no log and no ``repr``.

It recognizes forms (with their keys where they have one), what a sentence announces (``je m'appelle``, ``né le``), and
the names it is told. It does not understand: a name that nothing announces leaves.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator

from compagnon.privacy.patterns import PATTERNS, places

_SPACE = "[ \u00a0\u2009\u202f\t]"
_WORD = r"[^\W\d_][\w'’\-]*"
_NAME = rf"[A-ZÀ-ÖØ-Þ][\w'’\-]*(?:{_SPACE}+[A-ZÀ-ÖØ-Þ][\w'’\-]*){{0,3}}"

_PLACEHOLDER = re.compile(r"\[([A-Z]{2,10})_([0-9]{1,6})\]", re.IGNORECASE)
_BEGUN = re.compile(r"\[(?:[A-Z]{0,10}|[A-Z]{2,10}_[0-9]{0,6})\Z", re.IGNORECASE)

_BYTE = "(?:25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])"
_NATIONAL = re.compile(
    r"(?<![0-9A-Za-z])(?:[0-9]{10}[A-Za-z]|[0-9]{9}[A-Za-z]{2}|[0-9]{4}[A-Z][0-9]{5}[A-Z])(?![0-9A-Za-z])"
)
"""INE, the French national student identifier: 11 signs, in the forms it has had."""

_ANNOUNCED: tuple[tuple[str, re.Pattern[str]], ...] = (
    (
        "STUDENT",
        re.compile(
            rf"(?:(?:num[ée]ro|n°|nº|no|num|id|identifiant|matricule|carte|number){_SPACE}*(?:d['’]|de{_SPACE}+)?"
            rf"(?:[ée]tudiante?|[ée]l[èe]ve|apprenante?|INE|student)?|(?:student|INE|matricule){_SPACE}*(?:number|id|no)?)"
            rf"{_SPACE}*(?:est|is|:|=|#)?{_SPACE}*(?=[A-Za-z]{{0,3}}[\-]?[0-9]{{5}})([A-Za-z]{{0,3}}[\-]?[0-9]{{5,14}}[A-Za-z]?)",
            re.IGNORECASE,
        ),
    ),
    (
        "NAME",
        re.compile(
            rf"(?i:je{_SPACE}+m['’]appelle|mon{_SPACE}+nom{_SPACE}+est|mon{_SPACE}+pr[ée]nom{_SPACE}+est|my{_SPACE}+name{_SPACE}+is|"
            rf"je{_SPACE}+me{_SPACE}+nomme|sign[ée]{_SPACE}*:?|cordialement{_SPACE}*,?|nom{_SPACE}*:|name{_SPACE}*:|"
            rf"m(?:onsieur|adame|me|lle|r)?\.?(?={_SPACE}+[A-ZÀ-Þ])|mrs?\.?|ms\.?){_SPACE}*\n?{_SPACE}*({_NAME})"
        ),
    ),
    (
        "NAME",
        re.compile(
            rf"(?i:je{_SPACE}+m['’]appelle|my{_SPACE}+name{_SPACE}+is){_SPACE}+({_WORD}(?:{_SPACE}+{_NAME})?)"
        ),
    ),
    (
        "BIRTH",
        re.compile(
            rf"(?:n[ée]e?s?{_SPACE}+le|date{_SPACE}+de{_SPACE}+naissance{_SPACE}*:?|"
            rf"born{_SPACE}+on|birth(?:day|date)?{_SPACE}*:?)"
            rf"{_SPACE}*([0-9]{{1,2}}(?:er)?[ ./\-][0-9A-Za-zéûô]{{1,9}}[ ./\-][0-9]{{2,4}}|"
            rf"[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}})",
            re.IGNORECASE,
        ),
    ),
    (
        "ADDRESS",
        re.compile(
            rf"(?<![0-9])([0-9]{{1,4}}{_SPACE}*(?:bis|ter|quater)?,?{_SPACE}+(?:rue|avenue|av\.|boulevard|bd|bld|all[ée]e|place|"
            rf"chemin|impasse|route|quai|cours|square|passage|sentier|faubourg)\b[^\n.;!?,]{{2,60}}"
            rf"(?:,?{_SPACE}*[0-9]{{5}}{_SPACE}+[A-ZÀ-Þ][\w'’\-]*(?:{_SPACE}[A-ZÀ-Þ][\w'’\-]*)*)?)",
            re.IGNORECASE,
        ),
    ),
    ("PHONE", re.compile(r"(?<![0-9A-Za-z+])(\+[1-9][0-9]{0,2}(?:[ .\-]?\(?[0-9]{1,4}\)?){2,5})(?![0-9])")),
    ("IP", re.compile(rf"(?<![0-9.])((?:{_BYTE}\.){{3}}{_BYTE})(?![0-9.])")),
)  # fmt: skip
"""What a form or the words before it announce; group 1 is the value."""

Span = tuple[int, int, str]


class Veil:
    """What was hidden in one conversation. The same value always gets the same placeholder.

    ``names``: names to hide wherever they stand (of the learner, of a class), whole and part by part, whatever their
    case and accents.
    """

    def __init__(self, names: Iterable[str] = ()) -> None:
        self._names = _Names(names)
        self._placeholders: dict[tuple[str, str], str] = {}
        self._values: dict[str, str] = {}
        self._counts: dict[str, int] = {}

    def __repr__(self) -> str:
        return f"Veil({len(self._values)} values)"

    @property
    def hidden(self) -> int:
        """How many different values are hidden."""
        return len(self._values)

    def hide(self, text: str) -> str:
        """``text`` with a placeholder for each value that is recognized."""
        found = _disjoint(self._spans(text), len(text))
        if not found:
            return text
        pieces, start = [], 0
        for begin, end, kind in found:
            # What lies between two values is searched anew: a number beside another may have looked like its end.
            pieces += [self.hide(text[start:begin]), self._placeholder(kind, text[begin:end])]
            start = end
        return "".join(pieces) + self.hide(text[start:])

    def show(self, text: str) -> str:
        """``text`` with the values in the place of their placeholders; unknown placeholders stay as they are."""
        return _PLACEHOLDER.sub(lambda match: self._values.get(match[0].upper(), match[0]), text)

    def lifting(self) -> Lifting:
        """Shows a stream piece by piece."""
        return Lifting(self)

    def _spans(self, text: str) -> Iterator[Span]:
        # What looks like a placeholder in the text itself is hidden too, so that it is not taken for one of ours.
        yield from ((match.start(), match.end(), "TEXT") for match in _PLACEHOLDER.finditer(text))
        yield from ((match.start(), match.end(), "STUDENT") for match in _NATIONAL.finditer(text))
        for pattern in PATTERNS:
            yield from ((begin, end, pattern.name.upper()) for begin, end in places(pattern, text))
        yield from self._names.spans(text)
        for kind, form in _ANNOUNCED:
            yield from ((*match.span(1), kind) for match in form.finditer(text))

    def _placeholder(self, kind: str, value: str) -> str:
        known = self._placeholders.get((kind, value))
        if known is None:
            self._counts[kind] = self._counts.get(kind, 0) + 1
            known = f"[{kind}_{self._counts[kind]}]"
            self._placeholders[kind, value] = known
            self._values[known] = value
        return known


class Lifting:
    """Shows the values in a stream: what may be the beginning of a placeholder waits for the next piece."""

    def __init__(self, veil: Veil) -> None:
        self._veil, self._rest = veil, ""

    def feed(self, piece: str) -> str:
        """What can be shown after ``piece``; the rest comes with later calls."""
        text = self._rest + piece
        begun = _BEGUN.search(text)
        cut = begun.start() if begun else len(text)
        self._rest = text[cut:]
        return self._veil.show(text[:cut])

    def end(self) -> str:
        """What was still held back."""
        rest, self._rest = self._rest, ""
        return self._veil.show(rest)


class _Names:
    """Names looked for without case and accents, as whole words; a part counts from 3 letters, capitalized."""

    def __init__(self, names: Iterable[str]) -> None:
        whole, parts = set[str](), set[str]()
        for name in names:
            folded = _fold(name)[0].strip()
            words = re.findall(r"[^\W\d_]+", folded)
            if sum(map(len, words)) >= 2:
                whole.add(r"[\s'’.\-]+".join(words))
                parts.update(word for word in words if len(word) >= 3)
        self._whole = _any(whole)
        self._parts = _any(parts)

    def spans(self, text: str) -> Iterator[Span]:
        if self._whole is None:
            return
        folded, at = _fold(text)
        for match in self._whole.finditer(folded):
            yield at[match.start()], at[match.end()], "NAME"
        for match in self._parts.finditer(folded) if self._parts else ():
            if text[at[match.start()]].isupper():
                yield at[match.start()], at[match.end()], "NAME"


def _any(forms: set[str]) -> re.Pattern[str] | None:
    if not forms:
        return None
    return re.compile(rf"(?<!\w)(?:{'|'.join(sorted(forms, key=lambda form: (-len(form), form)))})(?!\w)")


def _fold(text: str) -> tuple[str, list[int]]:
    """``text`` without case and accents, and where each of its signs stood (with the end as the last place)."""
    signs: list[str] = []
    at: list[int] = []
    for place, sign in enumerate(text):
        for part in unicodedata.normalize("NFKD", sign).lower():
            if not unicodedata.combining(part):
                signs.append(part)
                at.append(place)
    return "".join(signs), [*at, len(text)]


def _disjoint(spans: Iterable[Span], length: int) -> list[Span]:
    """Spans in order, none over another: the earlier found wins, as the surer forms are looked for first."""
    kept: list[Span] = []
    taken = bytearray(length)
    for begin, end, kind in spans:
        if begin < end and taken.find(1, begin, end) < 0:
            taken[begin:end] = b"\x01" * (end - begin)
            kept.append((begin, end, kind))
    return sorted(kept)
