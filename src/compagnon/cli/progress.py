"""The progress of a run: a line for each stage; on a terminal, a live line below for the one at work."""

from __future__ import annotations

import contextlib
import shutil
import sys
import threading
import time
from typing import TYPE_CHECKING

import click

from compagnon.chain.words import key_facts_text
from compagnon.cli.output import width
from compagnon.i18n import _, format_duration, ngettext, use
from compagnon.i18n import current as language

if TYPE_CHECKING:
    from compagnon.chain.runner import Event

EVERY = 0.2
"""Seconds between two drawings of the live line."""


class Quiet:
    """Shows nothing."""

    def show(self, event: Event) -> None: ...

    def __enter__(self) -> Quiet:
        return self

    def __exit__(self, *exception: object) -> None: ...


class Display:
    """Writes what happens; a reader that goes away does not stop the run."""

    def __init__(self, name: str, count: int) -> None:
        self.name, self.count = name, count
        self.live = sys.stdout.isatty()
        self._lock = threading.Lock()
        self._started = 0.0
        self._doing: Event | None = None
        self._reason = ""
        self._stop = threading.Event()
        self._speaking = language()
        self._thread = threading.Thread(target=self._tick, name="live-line", daemon=True)

    def show(self, event: Event) -> None:
        with self._lock:
            if event.kind == "started":
                self._started = time.monotonic()
            if event.kind in ("started", "progress"):
                self._doing = event
            if event.kind == "started":
                self._reason = event.message
            if event.kind != "progress" and not (self.live and event.kind == "started"):
                self._erase()
                self._line(event)
            if event.kind in ("done", "failed"):
                self._doing = None

    def _line(self, event: Event) -> None:
        place = f"{event.place.position}/{event.place.count}" if event.place else ""
        head = f"{place:>5} "
        stage = click.style(event.stage, bold=True)
        if event.kind == "cached":
            self._say(
                f"{head}{click.style('✓', fg='green')} {stage}  " + _("valid: {reason}").format(reason=event.message)
            )
        elif event.kind == "started":
            self._say(f"{head}{click.style('▶', fg='cyan')} {stage}  {event.message}")
        elif event.kind == "done":
            took = format_duration(time.monotonic() - self._started)
            facts = key_facts_text(event.run.facts) if event.run else ""
            line = _("done in {duration}").format(duration=took)
            parts = [line, facts, f"({self._reason})" if self.live and self._reason else ""]
            self._say(f"{head}{click.style('✓', fg='green')} {stage}  {' · '.join(part for part in parts if part)}")
            for warning in event.run.warnings if event.run else ():
                self._say("        " + _("warning: {problem}").format(problem=warning))
        elif event.kind == "failed":
            # In short; what to do about it follows after the last stage, with the others.
            what = event.message.partition("\n")[0]
            self._say(f"{head}{click.style('✗', fg='red')} {stage}  " + _("failed: {what}").format(what=what))
        elif event.kind == "blocked":
            self._say(
                f"{head}{click.style('·', fg='yellow')} {stage}  "
                + _("not done: {reason}").format(reason=event.message)
            )

    def _say(self, line: str) -> None:
        with contextlib.suppress(BrokenPipeError):
            click.echo(line)
            sys.stdout.flush()

    # --- the live line

    def _tick(self) -> None:
        with use(self._speaking):
            while not self._stop.wait(EVERY):
                with self._lock:
                    self._draw()

    def _draw(self) -> None:
        event = self._doing
        if event is None:
            return
        seconds = int(time.monotonic() - self._started)
        elapsed = f"{seconds} s" if seconds < 60 else format_duration(seconds)
        parts = [event.stage, event.message]
        if event.kind == "progress" and event.done is not None:
            parts.append(f"{event.done}/{event.total}" if event.total else str(event.done))
        text = "      … " + "  ".join(part for part in (*parts, elapsed) if part)
        room = shutil.get_terminal_size().columns - 1
        while width(text) > room:
            text = text[:-1]
        with contextlib.suppress(BrokenPipeError, OSError):
            sys.stdout.write("\r\x1b[2K" + text)
            sys.stdout.flush()

    def _erase(self) -> None:
        if self.live:
            with contextlib.suppress(BrokenPipeError, OSError):
                sys.stdout.write("\r\x1b[2K")
                sys.stdout.flush()

    def __enter__(self) -> Display:
        self._say(
            ngettext("Solution {name}: {count} stage", "Solution {name}: {count} stages", self.count).format(
                name=click.style(self.name, bold=True), count=self.count
            )
        )
        if self.live:
            self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._stop.set()
        if self.live:
            self._thread.join()
            self._erase()
