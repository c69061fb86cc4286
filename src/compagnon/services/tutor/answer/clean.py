"""What must not reach a reader: markup, addresses that no passage gives, orders to a machine, the prompt, keys.

Nothing here is needed for a page to be safe (pages escape everything); it keeps an answer from carrying things that a
passage or a question smuggled in.
"""

from __future__ import annotations

import re
import unicodedata

from compagnon.services.tutor.search.words import fold

_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U000e0000-\U000e0fff]"
)
"""Control characters, and what Unicode calls ignorable by default."""
_MARKUP = re.compile(r"<\s*/?\s*[a-zA-Z!][^<>]{0,400}>|<!--.*?-->|&(?:lt|#0*60|#x0*3c);", re.DOTALL)
_ADDRESS = re.compile(
    r"(?:[a-z][a-z0-9+.\-]{1,20}://|//(?=[\w\-]+\.)|www\.)[^\s<>«»\"')\]]+|\b(?:javascript|data|vbscript|mailto|"
    r"file):(?=\S)[^\s]*|"
    r"\b(?:[a-z0-9\-]+\.)+(?:com|fr|org|net|io|ai|dev|app|eu|info|biz|ru|cn|uk|de|es|it|be|ch|co|me|xyz|tech|cloud|site|"
    r"online|shop|example|test|invalid|onion)\b(?:/\S*)?|\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b|"
    r"[\w.+\-]+@[\w\-]+\.\w+",
    re.IGNORECASE,
)
_LINK = re.compile(r"!?\[[^\]\n]*\]\s*(?:\([^)\n]*\)|\[[^\]\n]*\]|:\s*\S+)")
_KEY = re.compile(
    r"\b(?:sk|pk|key|cpg|ghp|hf|xox[abp])[-_][A-Za-z0-9_\-]{12,}|\bBearer\s+[A-Za-z0-9._\-]{8,}|"
    r"\b[A-Z][A-Z0-9_]*(?:_API)?_KEY\s*[=:]\s*\S+"
)
_BLOB = re.compile(r"(?<![\w/+])(?=[A-Za-z+/]*[0-9+/])(?:[A-Za-z0-9+/]{40,}={0,2}|(?:[0-9a-fA-F]{2}){24,})(?![\w/+])")

_ORDERS = tuple(
    re.compile(pattern)
    for pattern in (
        # to set aside what was said
        r"\b(?:ignor|oubli|neglig|disregard|forget|overrid|bypass|contourn|annul|desobei)\w*\b.{0,60}"
        r"\b(?:instruction|consigne|regle|directive|prompt|rule|previous|above|precedent|ci-dessus|guideline|"
        r"garde-fou)",
        r"\b(?:nouvelles?|new|updated?)\b.{0,20}\b(?:instructions?|consignes?|directives?|regles?|rules?)\b\s*[:=]",
        r"\b(?:ignor|negeer|olvid|vergiss|vergeet|disonj)\w*\b.{0,40}\b(?:regl|regol|regr|regel|reolenn|instru|anweis)",
        r"\b(?:rien d.autre|nothing else|et rien de plus|and nothing more)\b",
        # to be somebody else
        r"\b(?:tu es|vous etes|you are|agis|act|comporte-toi|pretend|fais semblant|joue le role)\b.{0,20}"
        r"\b(?:maintenant|desormais|now|comme si|as if|as an?|sans (?:filtre|restriction|limite)|unrestricted|dan\b|"
        r"jailbreak)",
        r"\b(?:mode|acces)\s+(?:developpeur|debug|admin\w*|root|maintenance|dieu)\b|\b(?:developer|god|debug|admin|"
        r"sudo) mode\b",
        # to say this or that to the reader
        r"\b(?:repond\w*|repet\w*|affich\w*|ecri\w*|dis|dites|imprim\w*|recopi\w*|termin\w*|commenc\w*|ajout\w*|"
        r"insere\w*|"
        r"print|output|say|reply|respond|answer|write|repeat|append|include|begin|start|end)\b.{0,50}"
        r"(?:«|\"|“|`|:\s|\b(?:uniquement|seulement|exactement|only|exactly|verbatim|mot pour mot|word for word)\b)",
        # the prompt, keys, data
        r"\b(?:revel|montr|affich|divulg|donn|envoi|envoy|transm|reveal|show|print|leak|send|give|exfiltr|repeat|"
        r"repet)\w*\b.{0,50}"
        r"\b(?:prompt|instructions? (?:systeme|initiales?|internes?|cachees?)|system (?:message|instructions?)|"
        r"cles? (?:d.)?api|"
        r"api keys?|secrets?|mots? de passe|passwords?|conversation|historique)",
        # to the machine that reads
        r"^\W*(?:system|systeme|assistant|user|instruction|important|note|attention)s?\b[^:]{0,40}\b(?:ia|ai|llm|"
        r"modele|assistant|chatbot|"
        r"systeme|tuteur|tutor|model)\b[^:]{0,20}:",
        r"^\W*(?:system|systeme|assistant|ai|ia)\b\W{0,3}:|\{\{\s*system",
        r"^\W*(?:\[?/?inst\]?|<\|?\w+\|?>|#+\s*(?:system|instruction))",
        r"\b(?:a l.attention|message|note|consigne|instruction)s?\b.{0,15}\b(?:pour|for|to|de|du|aux?)\b.{0,12}"
        r"\b(?:l.ia|the ai|l.assistant|the assistant|modele de langage|language model|llm|chatbot|tuteur|tutor)\b",
    )
)


_UNREAD = re.compile(r"[«»“”„\"「」]|[Ѐ-᳿⺀-퟿豈-﷿ﹰ-﻿＀-￯]|[{}|]{2}")
"""Quotations, scripts other than Latin and Greek, marks of templates."""


def visible(text: str) -> str:
    """``text`` in its usual form, without signs that nobody sees."""
    return unicodedata.normalize("NFC", _HIDDEN.sub("", text))


def carries(text: str, known: str) -> str:
    """Why ``text`` may not be shown: markup, address, key or blob that does not stand in ``known``; empty if it may."""
    for why, pattern in (("markup", _MARKUP), ("link", _LINK), ("address", _ADDRESS), ("key", _KEY), ("blob", _BLOB)):
        for found in pattern.finditer(text):
            if why in ("link", "key") or found[0] not in known:
                return why
    return ""


def is_order(sentence: str) -> bool:
    """Whether a sentence tells a machine what to do, rather than a reader what is."""
    folded = fold(visible(sentence))
    return any(pattern.search(folded) for pattern in _ORDERS)


def suspect(sentence: str) -> bool:
    """Whether a sentence of a passage that nobody reviewed is left out of answers.

    Wider than needed on purpose: what is quoted, another script or an address is not used before a person read it.
    """
    return is_order(sentence) or bool(carries(sentence, "")) or bool(_UNREAD.search(visible(sentence)))


def titled(title: str, otherwise: str) -> str:
    """A title that nobody reviewed where it may be shown, else ``otherwise``."""
    title = visible(title)
    parts = re.split(r"(?<=[.:;,!?])\s+", title)
    return otherwise if suspect(title) or any(suspect(part) for part in parts) else title


def leaks(text: str, prompt: str, known: str = "", length: int = 6) -> bool:
    """Whether ``length`` words in a row of ``text`` stand in ``prompt``, and not in ``known``."""
    mine = fold(text).split()
    theirs, allowed = (f" {' '.join(fold(each).split())} " for each in (prompt, known))
    rows = (f" {' '.join(mine[i : i + length])} " for i in range(len(mine) - length + 1))
    return any(row in theirs and row not in allowed for row in rows)
