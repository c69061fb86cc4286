"""Dotted paths into a JSON document: ``data.items``, ``author.email``, ``tags.0``."""

from __future__ import annotations

from typing import Any


class _Absent:
    """Told apart from null: a key that is not there."""


ABSENT: Any = _Absent()


def look(node: Any, path: str) -> Any:
    """The value at ``path``, or ABSENT. A key that holds dots itself is found where its parts are not."""
    inner = node
    for step in path.split("."):
        if isinstance(inner, dict) and step in inner:
            inner = inner[step]
        elif isinstance(inner, list) and step.isdigit() and int(step) < len(inner):
            inner = inner[int(step)]
        else:
            return node[path] if isinstance(node, dict) and path in node else ABSENT
    return inner


def look_all(records: list[dict[str, Any]], path: str) -> list[Any]:
    """``look`` in each of ``records``, fast where the path leads through objects in all of them."""
    values: list[Any] = records
    try:
        for step in path.split("."):
            values = [value[step] for value in values]
    except (KeyError, TypeError, IndexError):
        return [look(record, path) for record in records]
    return values


def find(node: Any, path: str) -> Any:
    """The value at ``path``; None where there is none."""
    found = look(node, path)
    return None if found is ABSENT else found
