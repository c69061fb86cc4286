"""Answers of one package kept by what was asked, where ``serve.cache`` says how many.

A package has a cache of its own, so that a new version begins with none. What was asked is kept as a keyed digest only:
nothing of it can be read back from memory.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import msgspec

R = TypeVar("R")
T = TypeVar("T")
Found = tuple[str, float, str]
"""Label, confidence and decision."""
_encode = msgspec.json.Encoder().encode


@dataclass
class Cache(Generic[T]):
    """At most ``size`` answers; the one unasked for longest leaves first. Safe to share between threads."""

    size: int
    hits: int = 0
    misses: int = 0
    _kept: dict[bytes, T] = field(default_factory=dict, init=False, repr=False)
    _key: bytes = field(default_factory=lambda: os.urandom(32), init=False, repr=False)
    _guard: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)

    def __len__(self) -> int:
        return len(self._kept)

    def answers(
        self, asked: Sequence[Sequence[Any]], rows: Sequence[R], compute: Callable[[Sequence[R]], Sequence[T]]
    ) -> list[T]:
        """What ``compute`` says of ``rows``, asked only for those not kept, each of them once.

        ``asked`` is what each row holds, as the client gave it, in the order of the inputs.
        """
        names = [self._name(values) for values in asked]
        with self._guard:
            found = {name: self._kept[name] for name in names if name in self._kept}
            self.hits += sum(name in found for name in names)
            for name in found:
                self._kept[name] = self._kept.pop(name)  # asked just now: it leaves last
        missing = {name: row for name, row in zip(names, rows, strict=True) if name not in found}
        if missing:
            made = dict(zip(missing, compute(list(missing.values())), strict=True))
            found.update(made)
            with self._guard:
                self.misses += len(made)
                self._kept.update(made)
                while len(self._kept) > self.size:
                    del self._kept[next(iter(self._kept))]
        return [found[name] for name in names]

    def _name(self, values: Sequence[Any]) -> bytes:
        # 3 and 3.0 are the same to a model, and come as the one or the other by one path or the other.
        plain = [float(value) if type(value) is int else value for value in values]
        return hashlib.blake2b(_encode(plain), digest_size=16, key=self._key).digest()
