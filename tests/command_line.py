"""The command line as people use it: a process of its own, with a language and a folder."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[1]
SMALL = REPOSITORY / "tests" / "data" / "small"
# Compiled modules are kept, even where a machine says not to: each command would compile all of Compagnon again.
DROPPED = ("COMPAGNON_", "LC_", "LANG", "PYTHONDONTWRITEBYTECODE")
SHARED = REPOSITORY.parent / "shared"


class CommandLine:
    """``compagnon`` typed in ``folder``; ``environ`` replaces variables of the process."""

    def __init__(self, folder: Path, **environ: str) -> None:
        self.folder = folder
        kept = {k: v for k, v in os.environ.items() if not k.startswith(DROPPED)}
        self.environ = {**kept, "LANG": "C.UTF-8", **environ}

    def __call__(
        self, *arguments: str, stdin: str | None = None, code: int | None = 0, timeout: float = 240
    ) -> subprocess.CompletedProcess[str]:
        """Run and compare the exit code with ``code`` (None: any)."""
        done = subprocess.run(
            [sys.executable, "-m", "compagnon", *arguments],
            cwd=self.folder,
            env=self.environ,
            input=stdin,
            capture_output=True,
            encoding="utf-8",
            timeout=timeout,
            check=False,
        )
        assert "Traceback" not in done.stderr, done.stderr
        if code is not None:
            assert done.returncode == code, done.stdout + done.stderr
        return done

    def json(self, *arguments: str, code: int = 0) -> Any:
        """The JSON document that a command prints."""
        return json.loads(self(*arguments, "--json", code=code).stdout)
