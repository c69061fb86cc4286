"""Keeping predictions without making anybody wait: a bounded queue and one thread that masks and writes."""

from __future__ import annotations

import contextlib
import logging
import os
import secrets as random
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NamedTuple

import msgspec

from compagnon.chain.clock import Clock
from compagnon.errors import UserError
from compagnon.operate.monitor import segments
from compagnon.operate.monitor.masking import Mask, mask_of
from compagnon.operate.monitor.segments import Line

if TYPE_CHECKING:
    from filelock import BaseFileLock
    from sqlalchemy import Engine

    from compagnon.spec.model import Record, Spec

_log = logging.getLogger(__name__)
_encode = msgspec.json.Encoder().encode

QUEUE_ROWS = 50_000
ROTATE_BYTES = 8_000_000
ROTATE_SECONDS = 3600.0
PURGE_SECONDS = 3600.0
GATHER_SECONDS = 0.1
"""Time during which answers gather: waking the thread for each of them would cost more than writing it."""
AT_ONCE = 32
"""Answers turned into lines before the thread lets others run: those who answer must not wait for those who write."""
HELD_AT_MOST = 60.0
"""A worker that starts waits so long for its lock: one that looks for what was left may hold it for a moment."""


class Answered(NamedTuple):
    """One answered request. ``outcomes`` are (label, confidence, decide) of each row.

    ``named`` gives a row by the names of its inputs, where ``rows`` are not mappings already.
    """

    at: datetime
    request: str
    model: str
    version: str
    by: str
    rows: Sequence[Any]
    outcomes: Sequence[tuple[str, float, str]]
    named: Callable[[Any], Mapping[str, Any]] | None = None


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
    _queue: list[Answered] = field(default_factory=list, init=False, repr=False)
    _call: threading.Event = field(default_factory=threading.Event, init=False, repr=False)
    _masks: dict[str, Mask] = field(default_factory=dict, init=False, repr=False)
    _growing: dict[str, _Growing] = field(default_factory=dict, init=False, repr=False)
    _thread: threading.Thread | None = field(default=None, init=False, repr=False)
    _lock: Any = field(default=None, init=False, repr=False)
    _purged: float = field(default=0.0, init=False)
    _stopping: bool = field(default=False, init=False)

    def start(self) -> None:
        """Begin to write; close, meanwhile, what workers that are gone left behind, and destroy what is too old."""
        from filelock import FileLock

        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        place = str(self.folder / f"{self._sign}.lock")
        self._lock = FileLock(place, timeout=HELD_AT_MOST, mode=0o600, thread_local=False)
        self._lock.acquire(poll_interval=0.01)
        self._thread = threading.Thread(target=self._write_on, name="predictions", daemon=True)
        self._thread.start()

    def add(self, answered: Answered) -> None:
        """Hand over an answer; never waits. What does not fit is dropped and counted."""
        if self.wants(answered.model, answered.request):
            self.add_all([answered])

    def add_all(self, several: Sequence[Answered]) -> None:
        """Hand over answers that are wanted; never waits."""
        rows = 0
        for answered in several:
            rows += len(answered.rows)
        with self._guard:
            if self._thread is None or self._waiting + rows > QUEUE_ROWS:
                self.counts.dropped += rows
                return
            self._waiting += rows
            was_empty = not self._queue
            self._queue.extend(several)
        if was_empty:
            self._call.set()

    def keeps_all(self, model: str) -> bool:
        """Whether every request of a model is kept."""
        record = self._record(model)
        return record is not None and record.sample >= 1.0

    def wants(self, model: str, request: str) -> bool:
        """Whether this request is one of the share that is kept: others need not be handed over."""
        record = self._record(model)
        return record is not None and _sampled(request, record.sample)

    def close(self) -> None:
        """Write what waits, close the segments."""
        if self._thread is None:
            return
        self._stopping = True
        self._call.set()
        self._thread.join()
        self._thread = None
        for model in list(self._growing):
            self._close(model)
        leave(self._lock)

    def _record(self, model: str) -> Record | None:
        declared = self.spec.models.get(model)
        return declared.serve.record if declared else None

    def _write_on(self) -> None:
        self._adopt()
        self._purge()
        stopping = False
        while not stopping:
            called = self._call.wait(5.0)
            if called and not self._stopping:
                time.sleep(GATHER_SECONDS)
            stopping = self._stopping  # read first: what is handed over before is still written
            with self._guard:
                self._call.clear()
                batch, self._queue = self._queue, []
            if batch:
                self._write(batch)
            self._rotate()

    def _write(self, batch: list[Answered]) -> None:
        for start in range(0, len(batch), AT_ONCE):
            if start:
                time.sleep(0)
            self._write_some(batch[start : start + AT_ONCE])

    def _write_some(self, batch: list[Answered]) -> None:
        by_model: dict[str, list[bytes]] = {}
        rows = 0
        for answered in batch:
            by_model.setdefault(answered.model, []).extend(self._lines(answered))
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
        mask = self._mask(answered.model)
        at, request, _model, version, by, rows, outcomes, named = answered
        lines = []
        for number, (row, (label, confidence, decide)) in enumerate(zip(rows, outcomes, strict=True)):
            kept = None
            if mask is not None:
                kept = _encode(mask(row if named is None else named(row))).decode()
            lines.append(_encode(Line(at, request, number, version, label, confidence, decide, by, kept)))
        return lines

    def _mask(self, model: str) -> Mask | None:
        """What a row goes through before it is kept; None where inputs are not kept."""
        record = self._record(model)
        if record is None or record.inputs != "masked":
            return None
        mask = self._masks.get(model)
        if mask is None:
            mask = self._masks[model] = mask_of(self.spec, model)
        return mask

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
        # At the end, where the library of columns is there already, a process would only take longer.
        apart = not self._stopping or "pyarrow.parquet" not in sys.modules
        try:
            self.counts.torn += segments.close(path, model, self.engine, apart=apart).torn
        except (OSError, UserError, subprocess.SubprocessError) as error:
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
            leave(lock)

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


def leave(lock: BaseFileLock) -> None:
    """Let go of a lock whose file goes first: a worker that waits for it sees that, and makes another."""
    with contextlib.suppress(OSError):  # Windows removes it once it is let go
        Path(lock.lock_file).unlink(missing_ok=True)
    lock.release()


def _sampled(request: str, share: float) -> bool:
    """A share of requests, chosen by their (random) id."""
    return share >= 1.0 or int(request[:8], 16) / 0x1_0000_0000 < share
