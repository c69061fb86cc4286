"""A small, right knowledge base to write in a folder, and to spoil."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

PARAGRAPH = (
    "Une convolution fait glisser une petite grille de poids sur une image. À chaque pas, on multiplie les pixels par "
    "les poids, puis on fait la somme. Le résultat est une nouvelle image, qui montre où se trouve un motif. "
    "Les mêmes poids servent partout. Le réseau a donc peu de nombres à apprendre. "
)

SUBTOPIC: dict[str, Any] = {
    "id": "cnn.convolution",
    "title": "La convolution",
    "difficulty": "beginner",
    "content": (PARAGRAPH * 2).strip() + "\n\n" + (PARAGRAPH * 2).strip(),
    "examples": [{"title": "Une photo", "text": "On cherche les bords.", "code": "x = 1", "language": "python"}],
    "prerequisites": [],
    "misconceptions": [{"belief": "Le filtre est écrit à la main", "answer": "Non : le réseau l'apprend."}],
    "glossary": [{"term": "réseau convolutif (CNN)", "definition": "réseau qui emploie des convolutions"}],
    "sources": [{"title": "Deep Learning", "authors": "Goodfellow", "year": 2016}],
    "reviewed": {"date": "2026-11-21", "by": "A. Relecteur"},
}  # fmt: skip

TOPIC: dict[str, Any] = {
    "version": 1,
    "topic": "cnn",
    "title": "Réseaux convolutifs",
    "language": "fr",
    "subtopics": [SUBTOPIC],
}

SOLUTION = "version: 1\nname: small\ntutor: {knowledge: knowledge}\n"


def subtopic(name: str, **changes: Any) -> dict[str, Any]:
    """A right subtopic named ``name``; a change to None takes the key away."""
    made = {**copy.deepcopy(SUBTOPIC), "id": name, **changes}
    return {key: value for key, value in made.items() if value is not None}


def topic(name: str, *subtopics: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """A topic that holds ``subtopics``."""
    return {**TOPIC, "topic": name, "subtopics": list(subtopics), **changes}


def write(folder: Path, *topics: dict[str, Any]) -> Path:
    """Write each of ``topics`` as a file of the base in ``folder``; returns the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for each in topics:
        text = json.dumps(each, ensure_ascii=False, indent=1)
        (folder / f"{each['topic']}.json").write_text(text, encoding="utf-8")
    return folder
