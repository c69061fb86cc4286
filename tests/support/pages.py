"""Runs what a page of the documentation shows: its console blocks, and the changes of its diff blocks."""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

FENCE = re.compile(
    r"^(?:<!-- (?P<mark>[^>]*) -->\n)?```(?P<kind>console|diff)(?: (?P<title>\S+))?\n(?P<body>.*?)^```$", re.M | re.S
)
PORT = "8000"
END = "__end_of_command__"


@dataclass(frozen=True)
class Block:
    """A fenced block: its kind (console or diff), the comment above it, the word after its kind, where it stands."""

    kind: str
    mark: str
    title: str
    body: str
    start: int
    end: int

    @property
    def commands(self) -> list[tuple[str, str]]:
        """Commands of a console block, each with the output shown."""
        parts = re.split(r"^\$ ", self.body, flags=re.M)[1:]
        return [(command, output.rstrip("\n")) for command, _newline, output in (p.partition("\n") for p in parts)]


def blocks(text: str) -> list[Block]:
    """Console and diff blocks of a page, in order."""
    return [
        Block(m["kind"], (m["mark"] or "").strip(), m["title"] or "", m["body"], m.start("body"), m.end("body"))
        for m in FENCE.finditer(text)
    ]


class Shell:
    """One shell in which all commands of a page run; ``compagnon`` is the one under test, servers take a free port."""

    def __init__(self, folder: Path, environ: Mapping[str, str] | None = None) -> None:
        self.port = str(_free_port())
        env = {name: value for name, value in os.environ.items() if name != "COMPAGNON_DATABASE"}
        env["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{env['PATH']}"
        env |= {"COLUMNS": "120", "LOGNAME": "moi", "NO_COLOR": "1", "OMP_NUM_THREADS": "1", **(environ or {})}
        self._bash = subprocess.Popen(
            ["bash", "--noprofile", "--norc"],
            cwd=folder,
            env=env,
            text=True,
            encoding="utf-8",
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        self._log = folder / "serve.log"

    def run(self, command: str) -> tuple[int, str]:
        """Exit code and output of ``command``; a server stays behind and its first words are the output."""
        command = command.replace(PORT, self.port)
        if re.fullmatch(r"compagnon( -C \S+)? serve", command):
            return self._serve(command)
        code, output = self._ask(command)
        return code, output.replace(self.port, PORT).rstrip()

    def _serve(self, command: str) -> tuple[int, str]:
        self._ask(f"{command} --port {self.port} >{shlex.quote(str(self._log))} 2>&1 &")
        for _try in range(600):
            said = self._log.read_text(encoding="utf-8") if self._log.exists() else ""
            if "Ctrl-C" in said:
                return 0, said.replace(self.port, PORT).rstrip()
            time.sleep(0.1)
        return 1, said

    def _ask(self, command: str) -> tuple[int, str]:
        assert self._bash.stdin is not None
        assert self._bash.stdout is not None
        self._bash.stdin.write(f"{command}\necho; echo {END} $?\n")
        self._bash.stdin.flush()
        lines: list[str] = []
        for line in self._bash.stdout:
            if line.startswith(END):
                return int(line.split()[1]), "".join(lines)
            lines.append(line)
        return 1, "".join(lines)

    def close(self) -> None:
        """End the server, if there is one, and the shell."""
        with contextlib.suppress(BrokenPipeError):
            self._ask("kill $(jobs -p) 2>/dev/null; wait")
        assert self._bash.stdin is not None
        assert self._bash.stdout is not None
        self._bash.stdin.close()
        self._bash.wait(timeout=60)
        self._bash.stdout.close()


@contextlib.contextmanager
def shell(folder: Path, environ: Mapping[str, str] | None = None) -> Iterator[Shell]:
    """A shell in ``folder``, closed at the end."""
    opened = Shell(folder, environ)
    try:
        yield opened
    finally:
        opened.close()


def apply(diff: str, file: Path) -> None:
    """Change ``file`` as the hunks of ``diff`` say (parted by lines that begin with @@)."""
    text = file.read_text(encoding="utf-8")
    for hunk in re.split(r"^@@.*\n", diff, flags=re.M):
        lines = [line for line in hunk.splitlines() if line]
        if lines:
            old, new = ("".join(f"{line[1:]}\n" for line in lines if line[0] in signs) for signs in (" -", " +"))
            assert text.count(old) == 1, f"found {text.count(old)} times in {file.name}:\n{old}"
            text = text.replace(old, new)
    file.write_text(text, encoding="utf-8")


def skeleton(output: str) -> str:
    """``output`` without what differs from one run or machine to the next: numbers, dates, names of runs, keys."""
    # The link of the first account is another each time, and not there once there is an account.
    output = re.sub(r"^.*/first/\S+\n?", "", output, flags=re.M)
    output = re.sub(r"cpg_\w+|\bp_[0-9a-f]{16}|\b[0-9a-f]{12,16}\b", "ID", output)
    output = re.sub(r"\b(\d{1,2} [a-zéû]+\.? \d{4}|[A-Z][a-z]{2} \d{1,2}, \d{4}),? *[\d:]+(\s[AP]M)?", "DATE", output)
    output = re.sub(r"\d+(?:[.,\s]\d+)*", "N", output)
    output = re.sub(r"\(?-?N\)?", "N", output)
    output = re.sub(r"✎ \S+", "✎ AUTHOR", output)
    return "\n".join(" ".join(line.split()) for line in output.splitlines())


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
