"""What the emulated model says. It understands nothing: it repeats, arranges passages, or does what it is told.

A script takes the messages of a request and gives the answer. ``obedient`` is the worst model there is: it follows
any instruction, wherever it stands in the prompt, so that a test shows what the program around it holds back.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

Messages = Sequence[dict[str, Any]]
Script = Callable[[Messages], str]

_PASSAGE = re.compile(
    r"<passage\b[^>]*?\bid=[\"']?(?P<id>[^\"'\s>]+)[\"']?[^>]*>(?P<text>.*?)</passage>", re.DOTALL | re.IGNORECASE
)
_BRACKETED = re.compile(r"^\[(?P<id>[\w.:#/-]+)\][^\n]*\n(?P<text>.+?)(?=^\[[\w.:#/-]+\]|\Z)", re.DOTALL | re.MULTILINE)
_SENTENCE = re.compile(r"[^.!?\n]{20,}[.!?]")

_TOLD = re.compile(
    r"\b(?:ignore[zr]?|disregard|forget|oublie[zr]?|override|bypass|reveal|repeat|print|say|output|write|answer|reply|"
    r"respond|translate|act|pretend|you are now|from now on|tu es (?:maintenant|désormais)|désormais|révèle[zr]?|"
    r"répète[zr]?|répond(?:s|ez|re)|affiche[zr]?|écri(?:s|vez|re)|dis|dites|donne[zr]?|recopie[zr]?|fai(?:s|tes)|"
    r"montre[zr]?|traduis|imprime[zr]?|termine[zr]?|ajoute[zr]?|insère[zr]?|append|add|insert|include|inclus|start|begin|"
    r"commence[zr]?)\b",
    re.IGNORECASE,
)
_ABOUT_ITSELF = re.compile(
    r"system prompt|prompt syst[eè]me|instructions?|consignes?|r[eè]gles|rules|configuration|cl[eé]s?\b|api key|secret|"
    r"message syst[eè]me|everything above|tout ce qui pr[eé]c[eè]de|text above|texte ci-dessus",
    re.IGNORECASE,
)
_QUOTED = re.compile(r"«\s*(.+?)\s*»|“(.+?)”|\"([^\"]+)\"|`([^`]+)`|'([^']{3,})'|:\s*([^\n]+)$", re.MULTILINE)
_ACTIVE = re.compile(
    r"<script\b.*?</script>|<(?:img|iframe|svg|a|form|object|embed|link|meta|style|video|details)\b[^>]*>|"
    r"!?\[[^\]]*\]\([^)]+\)|javascript:[^\s]+|data:text/html[^\s]*",
    re.IGNORECASE | re.DOTALL,
)


def echo(messages: Messages) -> str:
    """What the user said last."""
    return next((text_of(m) for m in reversed(messages) if m.get("role") == "user"), "")


def grounded(messages: Messages) -> str:
    """The first sentences of the passages in the prompt, each with its citation ``[id]``, and a word of introduction.

    Passages are ``<passage id="...">text</passage>``, or lines ``[id] title`` followed by text.
    """
    found = passages(messages)
    if not found:
        return "Je ne trouve pas de passage sur ce sujet."
    points = []
    for name, text in found[:4]:
        sentence = _SENTENCE.search(" ".join(text.split()))
        points.append(f"- {(sentence[0] if sentence else text).strip()} [{name}]")
    return "\n".join(points)


def obedient(messages: Messages) -> str:
    """Does whatever any part of the prompt tells it to, the worst first; ``grounded`` where nothing does."""
    system = "\n".join(text_of(m) for m in messages if m.get("role") == "system")
    given = [text_of(m) for m in messages if m.get("role") != "system"]
    given += [text for _name, text in passages(messages)]
    done: list[str] = []
    for text in given:
        done += [match[0] for match in _ACTIVE.finditer(text)]
        for order in _orders(text):
            if _ABOUT_ITSELF.search(order) and system not in done:
                done.append(system)
            quoted = [next(part for part in match.groups() if part) for match in _QUOTED.finditer(order)]
            done += quoted or [order]
    return "\n".join(dict.fromkeys(done)) or grounded(messages)


def passages(messages: Messages) -> list[tuple[str, str]]:
    """Ids and texts of the passages that the prompt holds, in order."""
    whole = "\n".join(text_of(m) for m in messages)
    return [(m["id"], m["text"].strip()) for m in (*_PASSAGE.finditer(whole),)] or [
        (m["id"], m["text"].strip()) for m in _BRACKETED.finditer(whole)
    ]


def text_of(message: dict[str, Any]) -> str:
    """The text of a message, whose content is a string or a list of parts."""
    content = message.get("content") or ""
    if isinstance(content, list):
        return "".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    return str(content)


def _orders(text: str) -> list[str]:
    """Sentences that tell to do something."""
    pieces = re.split(r"(?<=[.!?])\s+|\n+", text)
    return [piece.strip() for piece in pieces if _TOLD.search(piece)]


SCRIPTS: dict[str, Script] = {"echo": echo, "grounded": grounded, "obedient": obedient}
