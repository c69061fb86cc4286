"""The lock that says who works on a solution.

The operating system's file lock excludes others and ends with its process, whatever the clock says; a small file
beside it says who holds it, so that the other side gets a useful answer.
"""

from __future__ import annotations

import contextlib
import json
import os
import platform
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from compagnon.chain.clock import Clock
from compagnon.chain.workspace import Workspace, explain_disk, write_atomically
from compagnon.errors import UserError
from compagnon.i18n import _, format_datetime


@contextlib.contextmanager
def hold(workspace: Workspace, clock: Clock, purpose: str) -> Iterator[None]:
    """Hold the solution until the block ends; raises UserError ``run.locked`` naming the holder."""
    from filelock import FileLock, Timeout

    workspace.prepare()
    lock = FileLock(str(workspace.lock_file), timeout=0)
    try:
        with explain_disk(workspace.lock_file):
            lock.acquire()
    except Timeout as error:
        raise _locked(holder(workspace)) from error
    try:
        about = {
            "pid": os.getpid(),
            "host": platform.node(),
            "purpose": purpose,
            "since": clock.now().isoformat(),
        }
        with explain_disk(workspace.home):
            write_atomically(workspace.home / "holder.json", json.dumps(about).encode())
        yield
    finally:
        with contextlib.suppress(OSError):
            (workspace.home / "holder.json").unlink()
        lock.release()


def holder(workspace: Workspace) -> dict[str, Any] | None:
    """Who holds the solution, as far as is written; None if nobody does."""
    try:
        about = json.loads((workspace.home / "holder.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return about if isinstance(about, dict) else None


def is_held(workspace: Workspace) -> bool:
    """Whether some process holds the solution now."""
    from filelock import FileLock, Timeout

    if not workspace.lock_file.exists():
        return False
    lock = FileLock(str(workspace.lock_file), timeout=0)
    try:
        lock.acquire()
    except (Timeout, OSError):
        return True
    lock.release()
    return False


def _locked(about: dict[str, Any] | None) -> UserError:
    if not about:
        what = _("Another command is working on this solution.")
    else:
        what = _(
            "Another command is working on this solution: {purpose}, process {pid} on {host}, since {since}."
        ).format(
            purpose=about.get("purpose"),
            pid=about.get("pid"),
            host=about.get("host"),
            since=format_datetime(datetime.fromisoformat(about["since"])),
        )
    return UserError("run.locked", what, next=_("Wait until it is done, or stop it; nothing was changed."))
