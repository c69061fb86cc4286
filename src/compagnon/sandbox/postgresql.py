"""A PostgreSQL of one's own, on a temporary folder and loopback: for practice, tests and benchmarks."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

USER = "compagnon"
PASSWORD = "practice-only"  # noqa: S105  it opens nothing but this temporary server


def binaries() -> Path | None:
    """The folder of ``initdb`` and ``pg_ctl``: the newest of Debian's, else that of the path; None if absent."""
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: float(p.parent.name), reverse=True)
    found = shutil.which("initdb")
    candidates = [*versions, *([Path(found).resolve().parent] if found else [])]
    return next((c for c in candidates if (c / "initdb").exists() and (c / "pg_ctl").exists()), None)


@contextlib.contextmanager
def server(options: tuple[str, ...] = ()) -> Iterator[str]:
    """Start a server, give its URL (``postgresql://USER:PASSWORD@127.0.0.1:PORT/postgres``), stop it at the end.

    Raises RuntimeError where PostgreSQL is not installed or does not start.
    """
    folder = binaries()
    if folder is None:
        raise RuntimeError("PostgreSQL's initdb and pg_ctl are not installed")
    with tempfile.TemporaryDirectory(prefix="compagnon-pg-", ignore_cleanup_errors=True) as name:
        place = Path(name)
        user = _other_user()
        if user:
            shutil.chown(place, user)
        data, log, secret = place / "data", place / "log", place / "password"
        secret.write_text(PASSWORD + "\n", encoding="utf-8")
        if user:
            shutil.chown(secret, user)
        port = _free_port()
        settings = ["-p", str(port), "-h", "127.0.0.1", "-k", str(place), "-F", *options]
        _run(
            user,
            place,
            [
                *(folder / "initdb", "-D", data, "-U", USER, "-A", "scram-sha-256", "--pwfile", secret),
                *("-E", "UTF8", "--locale=C", "--no-sync"),
            ],
        )
        _run(
            user,
            place,
            [folder / "pg_ctl", "-D", data, "-l", log, "-w", "-t", "120", "-o", " ".join(settings), "start"],
        )
        try:
            yield f"postgresql://{USER}:{PASSWORD}@127.0.0.1:{port}/postgres"
        finally:
            _run(user, place, [folder / "pg_ctl", "-D", data, "-m", "immediate", "-w", "stop"])


def _run(user: str | None, place: Path, command: Sequence[Path | str]) -> None:
    prefix = ["setpriv", f"--reuid={user}", f"--regid={_group(user)}", "--clear-groups"] if user else []
    environment = {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "HOME": str(place), "TZ": "UTC"}
    done = subprocess.run(
        [*prefix, *map(str, command)], cwd=place, env=environment, stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"{Path(command[0]).name} failed: {done.stderr.strip()}")


def _other_user() -> str | None:
    """PostgreSQL refuses to run as root: an unprivileged account of the system does it then."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        return None
    import pwd

    known = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in known else "nobody"


def _group(user: str) -> int:
    import pwd

    return pwd.getpwnam(user).pw_gid


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
