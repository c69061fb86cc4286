"""Dotted paths into a JSON document: ``data.items``, ``author.email``, ``tags.0``."""

from __future__ import annotations

from typing import Any

ABSENT: Any = object()
"""Told apart from null: a key that is not there."""


def look(node: Any, path: str) -> Any:
    """The value at ``path``, or ABSENT. A key that holds dots itself is found when written in full."""
    if isinstance(node, dict) and path in node:
        return node[path]
    for step in path.split("."):
        if isinstance(node, dict) and step in node:
            node = node[step]
        elif isinstance(node, list) and step.isdigit() and int(step) < len(node):
            node = node[int(step)]
        else:
            return ABSENT
    return node


def find(node: Any, path: str) -> Any:
    """The value at ``path``; None where there is none."""
    found = look(node, path)
    return None if found is ABSENT else found
