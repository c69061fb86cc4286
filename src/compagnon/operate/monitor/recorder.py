"""Keeping predictions without making anybody wait: a bounded queue and one thread that masks and writes."""

from __future__ import annotations

import contextlib
import logging
import os
import queue
import secrets as random
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import msgspec

from compagnon.chain.clock import Clock
from compagnon.errors import UserError
from compagnon.operate.monitor import segments
from compagnon.operate.monitor.masking import mask_row
from compagnon.operate.monitor.segments import Line

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from compagnon.spec.model import Record, Spec

_log = logging.getLogger(__name__)
_encode = msgspec.json.Encoder().encode

QUEUE_ROWS = 50_000
ROTATE_BYTES = 8_000_000
ROTATE_SECONDS = 3600.0
PURGE_SECONDS = 3600.0


@dataclass(frozen=True)
class Answered:
    """One answered request. ``outcomes`` are (label, confidence, decide) of each row."""

    at: datetime
    request: str
    model: str
    version: str
    by: str
    rows: Sequence[Mapping[str, Any]]
    outcomes: Sequence[tuple[str, float, str]]


@dataclass
class _Growing:
    path: Path
    file: IO[bytes]
    since: float
    size: int = 0


@dataclass
class Counts:
    """What became of predictions, in rows."""

    written: int = 0
    dropped: int = 0
    torn: int = 0


@dataclass
class Recorder:
    """Keeps what models answered, as ``models.NAME.serve.record`` says. One per server process."""

    folder: Path
    engine: Engine
    spec: Spec
    clock: Clock
    counts: Counts = field(default_factory=Counts)
    _sign: str = field(default_factory=lambda: random.token_hex(6), init=False)
    _waiting: int = field(default=0, init=False)
    _guard: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)
    _queue: queue.SimpleQueue[Answered | None] = field(default_factory=queue.SimpleQueue, init=False, repr=False)
    _growing: dict[str, _Growing] = field(default_factory=dict, init=False, repr=False)
    _thread: threading.Thread | None = field(default=None, init=False, repr=False)
    _lock: Any = field(default=None, init=False, repr=False)
    _purged: float = field(default=0.0, init=False)
    _stopping: bool = field(default=False, init=False)

    def start(self) -> None:
        """Close what workers that are gone left behind, destroy what is too old, begin to write."""
        from filelock import FileLock

        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock = FileLock(str(self.folder / f"{self._sign}.lock"), timeout=0, mode=0o600, thread_local=False)
        self._lock.acquire()
        self._adopt()
        self._purge()
        self._thread = threading.Thread(target=self._write_on, name="predictions", daemon=True)
        self._thread.start()

    def add(self, answered: Answered) -> None:
        """Hand over an answer; never waits. What does not fit is dropped and counted."""
        record = self._record(answered.model)
        if record is None or not _sampled(answered.request, record.sample):
            return
        with self._guard:
            if self._thread is None or self._waiting + len(answered.rows) > QUEUE_ROWS:
                self.counts.dropped += len(answered.rows)
                return
            self._waiting += len(answered.rows)
        self._queue.put(answered)

    def wants(self, model: str, request: str) -> bool:
        """Whether this request is one of the share that is kept: others need not be handed over."""
        record = self._record(model)
        return record is not None and _sampled(request, record.sample)

    def close(self) -> None:
        """Write what waits, close the segments."""
        if self._thread is None:
            return
        self._queue.put(None)
        self._thread.join()
        self._thread = None
        for model in list(self._growing):
            self._close(model)
        self._lock.release()
        Path(self._lock.lock_file).unlink(missing_ok=True)

    def _record(self, model: str) -> Record | None:
        declared = self.spec.models.get(model)
        return declared.serve.record if declared else None

    def _write_on(self) -> None:
        while True:
            first = self._next()
            batch = [first] if first is not None else []
            stop = first is None and self._stopping
            while not stop and not self._queue.empty():
                more = self._queue.get()
                stop = more is None
                if more is not None:
                    batch.append(more)
            if batch:
                self._write(batch)
            self._rotate()
            if stop:
                return

    def _next(self) -> Answered | None:
        """The next answer; None after a quiet while, or (``_stopping``) when it is time to go."""
        with contextlib.suppress(queue.Empty):
            item = self._queue.get(timeout=5.0)
            self._stopping = item is None
            return item
        return None

    def _write(self, batch: list[Answered]) -> None:
        by_model: dict[str, list[bytes]] = {}
        rows = 0
        for answered in batch:
            lines = self._lines(answered)
            by_model.setdefault(answered.model, []).extend(lines)
            rows += len(answered.rows)
        try:
            for model, lines in by_model.items():
                self._append(model, b"\n".join(lines) + b"\n")
            self.counts.written += rows
        except OSError as error:
            self.counts.dropped += rows
            _log.error("predictions cannot be kept: %s", error.strerror)
        with self._guard:
            self._waiting -= rows

    def _lines(self, answered: Answered) -> list[bytes]:
        record = self._record(answered.model)
        keep_input = record is not None and record.inputs == "masked"
        lines = []
        for number, (row, outcome) in enumerate(zip(answered.rows, answered.outcomes, strict=True)):
            kept = _encode(mask_row(self.spec, answered.model, row)).decode() if keep_input else None
            label, confidence, decide = outcome
            line = Line(
                answered.at,
                answered.request,
                number,
                answered.version,
                label,
                confidence,
                decide,
                answered.by,
                kept,
            )
            lines.append(_encode(line))
        return lines

    def _append(self, model: str, data: bytes) -> None:
        growing = self._growing.get(model)
        if growing is None:
            stamp = f"{self.clock.now():%Y%m%dT%H%M%S}-{random.token_hex(3)}"
            path = self.folder / f"{self._sign}.{model}.{stamp}.jsonl"
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            growing = self._growing[model] = _Growing(path, os.fdopen(descriptor, "ab", buffering=0), time.monotonic())
        growing.file.write(data)
        growing.size += len(data)

    def _rotate(self) -> None:
        for model, growing in list(self._growing.items()):
            if growing.size >= ROTATE_BYTES or time.monotonic() - growing.since >= ROTATE_SECONDS:
                self._close(model)
        if time.monotonic() - self._purged >= PURGE_SECONDS:
            self._purge()

    def _close(self, model: str) -> None:
        growing = self._growing.pop(model)
        growing.file.close()
        self._compact(growing.path, model)

    def _compact(self, path: Path, model: str) -> None:
        try:
            self.counts.torn += segments.close(path, model, self.engine).torn
        except (OSError, UserError) as error:
            # The lines stay, and the next start closes them.
            _log.error("predictions stay as lines: %s", type(error).__name__)

    def _adopt(self) -> None:
        from filelock import FileLock, Timeout

        signs = {path.name.partition(".")[0] for path in self.folder.glob("*.jsonl")} - {self._sign}
        signs |= {path.stem for path in self.folder.glob("*.lock")} - {self._sign}
        for sign in sorted(signs):
            lock = FileLock(str(self.folder / f"{sign}.lock"), timeout=0, mode=0o600, thread_local=False)
            try:
                lock.acquire()
            except (Timeout, OSError):
                continue  # that worker is alive
            for path in self.folder.glob(f"{sign}.*.part"):
                path.unlink(missing_ok=True)
            for path in sorted(self.folder.glob(f"{sign}.*.jsonl")):
                self._compact(path, path.name.split(".")[1])
            lock.release()
            Path(lock.lock_file).unlink(missing_ok=True)

    def _purge(self) -> None:
        self._purged = time.monotonic()
        keep = {name: model.serve.record.keep for name, model in self.spec.models.items()}
        try:
            gone = segments.purge(self.folder, self.engine, keep, self.clock.now())
        except UserError as error:
            _log.error("old predictions could not be destroyed: %s", error.code)
            return
        if gone:
            _log.info("%d old segments of predictions destroyed", gone)


def _sampled(request: str, share: float) -> bool:
    """A share of requests, chosen by their (random) id."""
    return share >= 1.0 or int(request[:8], 16) / 0x1_0000_0000 < share
