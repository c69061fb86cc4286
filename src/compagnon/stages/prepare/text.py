"""Text clean-up as DuckDB expressions.

Each takes the name of a column of type VARCHAR, quoted, and gives SQL. A quick RE2 test stands before the slow
functions of Unicode: most values need nothing, and testing costs a fifth of doing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from compagnon.stages.prepare.expressions import literal

WHITE = r"\s\x0B\x{85}\x{A0}\x{1680}\x{2000}-\x{200A}\x{2028}\x{2029}\x{202F}\x{205F}\x{3000}"
"""Inside an RE2 class: Unicode's White_Space property; RE2's own \\s knows only ASCII."""
_ODD_WHITE = r"\t-\r\x{85}\x{A0}\x{1680}\x{2000}-\x{200A}\x{2028}\x{2029}\x{202F}\x{205F}\x{3000}"
_ALREADY_NFC = r"[\x00-\x{2FF}\x{2010}-\x{205E}\x{20A0}-\x{20BF}]*"
"""Characters that NFC leaves alone whatever stands beside them."""


def nfc(x: str) -> str:
    return f"CASE WHEN regexp_full_match({x}, '{_ALREADY_NFC}') THEN {x} ELSE nfc_normalize({x}) END"


def spaces(x: str) -> str:
    return (
        f"CASE WHEN regexp_matches({x}, '^ | $|  |[{_ODD_WHITE}]') "
        f"THEN trim(regexp_replace({x}, '[{WHITE}]+', ' ', 'g')) ELSE {x} END"
    )


def html(x: str) -> str:
    return f"CASE WHEN contains({x}, '&') THEN html_decode({x}) ELSE {x} END"


def lower(x: str) -> str:
    return f"lower({x})"


def upper(x: str) -> str:
    return f"upper({x})"


def unaccent(x: str) -> str:
    return f"strip_accents({x})"


def fold(x: str) -> str:
    """White space, case and accents do not count: how values of a category are compared."""
    return f"lower(strip_accents({spaces(x)}))"


def outer_spaces(x: str) -> str:
    """White space before and after gone, what is inside kept."""
    return (
        f"CASE WHEN regexp_matches({x}, '^[{WHITE}]|[{WHITE}]$') "
        f"THEN regexp_replace({x}, '^[{WHITE}]+|[{WHITE}]+$', '', 'g') ELSE {x} END"
    )


def blank_is_null(x: str) -> str:
    return f"nullif({x}, '')"


def replaced(x: str, pattern: str, by: str) -> str:
    return f"regexp_replace({x}, {literal(pattern)}, {literal(by)}, 'g')"


STEPS: dict[str, Callable[[str], str]] = {
    "nfc": nfc,
    "spaces": spaces,
    "html": html,
    "lower": lower,
    "upper": upper,
    "unaccent": unaccent,
    "fold": fold,
}


def lookup(x: str, exact: Iterable[str], folded: dict[str, str], otherwise: str = "NULL") -> str:
    """The value of a category for the text ``x``: itself, or by its folded form; ``otherwise`` if there is none."""
    listed = ", ".join(literal(value) for value in exact)
    pairs = ", ".join(f"{literal(key)}: {literal(value)}" for key, value in folded.items())
    found = f"MAP {{{pairs}}}[{fold(x)}]" if folded else "NULL"
    if otherwise != "NULL":
        found = f"coalesce({found}, {otherwise})"
    return f"CASE WHEN {x} IN ({listed}) THEN {x} ELSE {found} END" if listed else found
