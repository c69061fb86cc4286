"""Write boundaries: places where a crash test may kill the process.

``COMPAGNON_FAULT=name`` kills at the first crossing of that boundary, ``name:3`` at the third; ``COMPAGNON_FAULT_LOG``
names a file to which each crossing is appended, so that a test finds every boundary there is.
"""

from __future__ import annotations

import os
import signal
from collections import Counter

_crossed: Counter[str] = Counter()


def boundary(name: str) -> None:
    """Marks the moment just after (or, by its name, before) a lasting write."""
    wanted, log = os.environ.get("COMPAGNON_FAULT"), os.environ.get("COMPAGNON_FAULT_LOG")
    if not wanted and not log:
        return
    _crossed[name] += 1
    if log:
        with open(log, "a", encoding="utf-8") as file:
            file.write(f"{name}:{_crossed[name]}\n")
    if wanted:
        place, _, count = wanted.partition(":")
        if place == name and _crossed[name] == int(count or 1):
            os.kill(os.getpid(), signal.SIGKILL)
