"""How subtopics hold together: circles of prerequisites, which no order of reading could follow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from compagnon.services.tutor.knowledge.model import Subtopic


def cycles(by_id: Mapping[str, Subtopic]) -> list[tuple[str, ...]]:
    """Circles of prerequisites, each once, as the ids from its smallest one back to it."""
    found: dict[frozenset[str], tuple[str, ...]] = {}
    done: set[str] = set()
    for start in sorted(by_id):
        for circle in _walk(start, by_id, done):
            place = circle.index(min(circle))
            turned = circle[place:] + circle[:place]
            found.setdefault(frozenset(circle), (*turned, turned[0]))
    return sorted(found.values())


def _walk(start: str, by_id: Mapping[str, Subtopic], done: set[str]) -> Iterator[tuple[str, ...]]:
    """Depth first from ``start``, without recursion: a chain of prerequisites may be long."""
    if start in done:
        return
    path, pending = [start], [iter(by_id[start].prerequisites)]
    while pending:
        needed = next(pending[-1], None)
        if needed is None:
            pending.pop()
            done.add(path.pop())
        elif needed in path:
            yield tuple(path[path.index(needed) :])
        elif needed in by_id and needed not in done:
            path.append(needed)
            pending.append(iter(by_id[needed].prerequisites))
