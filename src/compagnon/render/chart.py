"""Charts as SVG that everyone can read: each comes with a sentence that says what it shows, and its table.

Colors are ``currentColor`` and CSS variables with fall-backs, so that pages decide on light and dark; no script, no
style sheet.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from compagnon.i18n import _, format_number

INK = "currentColor"
MAIN = "var(--chart-main, #2f6fb5)"
FAINT = "var(--chart-faint, #8a8a8a)"
FONT = 'font-family="system-ui, sans-serif"'
DENSEST = 0.45
"""Opacity of the darkest cell: text stays readable on it in light and dark."""
READABLE_CLASSES = 12
DARK = {"ink": "#e9edeb", "main": "#93c2f5", "faint": "#9aa5a4"}
"""Colors for a dark ground, where a picture stands apart from the page that would decide."""
WORST = 20

Cell = str | int | float
Table = tuple[tuple[str, ...], tuple[tuple[Cell, ...], ...]]


@dataclass(frozen=True)
class Chart:
    """An image, what it says in one sentence, and the same as a table: headers, and rows."""

    svg: str
    sentence: str
    table: Table

    def as_dict(self) -> dict[str, object]:
        headers, rows = self.table
        return {"sentence": self.sentence, "headers": list(headers), "rows": [list(row) for row in rows]}


@dataclass(frozen=True)
class Bar:
    """One value with its interval, if known."""

    label: str
    value: float
    low: float | None = None
    high: float | None = None


def confusion(labels: Sequence[str], matrix: Sequence[Sequence[int]]) -> Chart:
    """Heat map of a confusion matrix: rows are what is true, columns what was predicted.

    Above 12 classes the cells bear no numbers and the table lists the 20 most frequent confusions instead of all cells.
    """
    count = len(labels)
    small = count <= READABLE_CLASSES
    cell, margin = (44, 130) if small else (14, 130)
    size = margin + cell * count + 10
    parts = []
    for row, (label, counts) in enumerate(zip(labels, matrix, strict=True)):
        y = margin + row * cell
        parts.append(_text(margin - 6, y + cell / 2 + 4, short(label), anchor="end"))
        parts.append(_text(0, 0, short(label), anchor="start", turn=(margin + row * cell + cell / 2 + 4, margin - 6)))
        total = sum(counts) or 1
        for column, value in enumerate(counts):
            x = margin + column * cell
            if value:
                opacity = round(0.04 + (DENSEST - 0.04) * value / total, 3)
                parts.append(
                    f'<rect x="{x}" y="{y}" width="{cell}" height="{cell}" fill="{MAIN}" fill-opacity="{opacity}"/>'
                )
            if small:
                parts.append(_text(x + cell / 2, y + cell / 2 + 4, format_number(value), anchor="middle"))
    side = cell * count
    parts.append(f'<rect x="{margin}" y="{margin}" width="{side}" height="{side}" fill="none" stroke="{FAINT}"/>')
    parts.append(_text(8, 16, _("rows: true; columns: predicted"), anchor="start"))
    right = sum(matrix[i][i] for i in range(count))
    total = sum(sum(counts) for counts in matrix)
    worst = worst_confusions(labels, matrix)
    sentence = _("{right} rows of {total} are predicted right.").format(
        right=format_number(right), total=format_number(total)
    )
    if worst:
        true, predicted, times = worst[0]
        sentence += " " + _("The most frequent confusion: {true} taken for {predicted}, {times} times.").format(
            true=true, predicted=predicted, times=format_number(times)
        )
    if small:
        headers = (_("true \\ predicted"), *labels)
        rows: tuple[tuple[Cell, ...], ...] = tuple((a, *map(int, b)) for a, b in zip(labels, matrix, strict=True))
    else:
        headers, rows = (_("true"), _("predicted"), _("rows")), tuple(worst)
    return Chart(_svg(size, size, _("Confusion matrix"), sentence, parts), sentence, (headers, rows))


def worst_confusions(
    labels: Sequence[str], matrix: Sequence[Sequence[int]], limit: int = WORST
) -> list[tuple[str, str, int]]:
    """The most frequent confusions as (true, predicted, rows), ties in the order of the labels."""
    found = [
        (-value, row, column)
        for row, counts in enumerate(matrix)
        for column, value in enumerate(counts)
        if row != column and value
    ]
    return [(labels[row], labels[column], int(-value)) for value, row, column in sorted(found)[:limit]]


def roc(curves: Sequence[tuple[str, Sequence[float], Sequence[float], float]]) -> Chart:
    """ROC curves, each (label, false positive rates, true positive rates, area); the first is drawn strongest."""
    left, top, side = 50, 20, 300
    parts = _axes(left, top, side, _("false positive rate"), _("true positive rate"))
    parts.append(
        f'<line x1="{left}" y1="{top + side}" x2="{left + side}" y2="{top}" stroke="{FAINT}" stroke-dasharray="4 4"/>'
    )
    for position, (_label, false, true, _area) in reversed(list(enumerate(curves))):
        points = " ".join(
            f"{left + x * side:.1f},{top + side - y * side:.1f}" for x, y in zip(false, true, strict=True)
        )
        stroke = f'stroke="{MAIN}" stroke-width="2.5"' if position == 0 else f'stroke="{FAINT}" stroke-opacity="0.5"'
        parts.append(f'<polyline points="{points}" fill="none" {stroke}/>')
    if len(curves) == 1:
        sentence = _("The area under the ROC curve is {area} (1 is perfect, 0.5 is chance).").format(
            area=format_number(curves[0][3], 3)
        )
    else:
        worst = min(curves[1:], key=lambda curve: curve[3])
        sentence = _(
            "The mean area under the ROC curves is {area} (1 is perfect, 0.5 is chance); "
            "the hardest class to tell from the others is {label}, {worst}."
        ).format(area=format_number(curves[0][3], 3), label=worst[0], worst=format_number(worst[3], 3))
    rows = tuple((label, round(area, 4)) for label, _false, _true, area in curves)
    table: Table = ((_("class"), _("area under the curve")), rows)
    return Chart(_svg(left + side + 20, top + side + 50, _("ROC curve"), sentence, parts), sentence, table)


def bars(title: str, items: Sequence[Bar], decimals: int = 3) -> Chart:
    """Horizontal bars with their intervals; values count from 0."""
    if not items:
        sentence = _("There is nothing to show.")
        return Chart(_svg(240, 40, title, sentence, []), sentence, ((_("name"), _("value")), ()))
    left, height, width = 150, 26, 320
    top = max(max(item.value, item.high or 0.0) for item in items) or 1.0
    parts = []
    for position, item in enumerate(items):
        y = 8 + position * height
        length = max(item.value, 0.0) / top * width
        parts.append(_text(left - 6, y + 15, short(item.label, 20), anchor="end"))
        parts.append(
            f'<rect x="{left}" y="{y + 3}" width="{length:.1f}" height="{height - 10}" '
            f'fill="{MAIN}" fill-opacity="0.7"/>'
        )
        end = length
        if item.low is not None and item.high is not None:
            first, last = max(item.low, 0.0) / top * width, item.high / top * width
            middle = y + 3 + (height - 10) / 2
            parts.append(
                f'<path d="M{left + first:.1f} {middle - 4}v8m0 -4H{left + last:.1f}m0 -4v8" '
                f'fill="none" stroke="{INK}"/>'
            )
            end = max(end, last)
        parts.append(_text(left + end + 6, y + 15, format_number(item.value, decimals), anchor="start"))
    best = max(items, key=lambda item: item.value)
    sentence = _("{title}: the highest is {label}, {value}.").format(
        title=title, label=best.label, value=format_number(best.value, decimals)
    )
    rows = tuple(
        (
            i.label,
            round(i.value, 6),
            "" if i.low is None else round(i.low, 6),
            "" if i.high is None else round(i.high, 6),
        )
        for i in items
    )
    table: Table = ((_("name"), _("value"), _("low"), _("high")), rows)
    return Chart(_svg(left + width + 70, 16 + height * len(items), title, sentence, parts), sentence, table)


def histogram(title: str, edges: Sequence[float], counts: Sequence[int]) -> Chart:
    """Counts between consecutive edges (one more edge than counts)."""
    left, top, side = 50, 20, 300
    parts = _axes(left, top, side, "", _("rows"), ticks=False)
    most, total = max([*counts, 1]), sum(counts)
    width = side / max(len(counts), 1)
    for position, value in enumerate(counts):
        height = value / most * side
        parts.append(
            f'<rect x="{left + position * width + 1:.1f}" y="{top + side - height:.1f}" width="{width - 2:.1f}" '
            f'height="{height:.1f}" fill="{MAIN}" fill-opacity="0.7"/>'
        )
    for position in (0, len(counts) // 2, len(counts)):
        if position < len(edges):
            label = format_number(round(edges[position], 3))
            parts.append(_text(left + position * width, top + side + 16, label, anchor="middle"))
    sentence = _("{title}: {total} rows.").format(title=title, total=format_number(total))
    if total:
        peak = max(range(len(counts)), key=lambda index: counts[index])
        sentence += " " + _("Most ({count}) are between {low} and {high}.").format(
            count=format_number(counts[peak]),
            low=format_number(round(edges[peak], 3)),
            high=format_number(round(edges[peak + 1], 3)),
        )
    rows = tuple((edges[i], edges[i + 1], int(counts[i])) for i in range(len(counts)))
    table: Table = ((_("from"), _("to"), _("rows")), rows)
    return Chart(_svg(left + side + 20, top + side + 30, title, sentence, parts), sentence, table)


def on_dark(svg: str) -> str:
    """``svg`` in the colors of a dark ground: a picture that a page links to does not see the colors of the page."""
    plain = svg.replace("<svg ", f'<svg color="{DARK["ink"]}" ', 1)
    return plain.replace(MAIN, DARK["main"]).replace(FAINT, DARK["faint"])


def short(label: str, length: int = 18) -> str:
    """``label``, cut with an ellipsis where it is longer than ``length`` characters."""
    return label if len(label) <= length else label[: length - 1] + "…"


def _axes(left: int, top: int, side: int, below: str, beside: str, *, ticks: bool = True) -> list[str]:
    parts = [f'<path d="M{left} {top}V{top + side}H{left + side}" fill="none" stroke="{FAINT}"/>']
    for share in (0.0, 0.5, 1.0) if ticks else ():
        label = format_number(share, 1)
        parts.append(_text(left + share * side, top + side + 16, label, anchor="middle"))
        parts.append(_text(left - 6, top + side - share * side + 4, label, anchor="end"))
    parts.append(_text(left + side / 2, top + side + 36, below, anchor="middle"))
    parts.append(_text(0, 0, beside, anchor="middle", turn=(14, top + side / 2)))
    return parts


def _text(x: float, y: float, text: str, *, anchor: str, turn: tuple[float, float] | None = None) -> str:
    """A label at (x, y), or written upwards at ``turn``."""
    place = f'x="{x:g}" y="{y:g}"' if turn is None else f'transform="translate({turn[0]:g} {turn[1]:g}) rotate(-90)"'
    return f'<text {place} font-size="11" {FONT} fill="{INK}" text-anchor="{anchor}">{_plain(text)}</text>'


def _svg(width: float, height: float, title: str, sentence: str, parts: Sequence[str]) -> str:
    body = "".join(parts)
    # Several charts share a page: names must differ, and be the same for the same chart.
    name = "chart-" + hashlib.sha256((title + sentence + body).encode()).hexdigest()[:8]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-labelledby="{name}-title {name}-desc" '
        f'viewBox="0 0 {width:g} {height:g}" width="{width:g}" height="{height:g}">'
        f'<title id="{name}-title">{_plain(title)}</title><desc id="{name}-desc">{_plain(sentence)}</desc>{body}</svg>'
    )


def _plain(text: str) -> str:
    """Escaped, and without the control characters that XML cannot hold."""
    return escape(
        "".join(c if c >= " " and not "\ud800" <= c <= "\udfff" and c not in "\ufffe\uffff" else " " for c in text)
    )
