"""Write constraints.txt, the version of each library installed here: ``make constraints``, once the tests pass."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

FILE = Path(__file__).resolve().parents[1] / "constraints.txt"
HEADER = """\
# The versions that every test of `make test` passed with, on Python {python}, Linux.
# The Makefile installs these and no others, so that a fresh clone works on the day of any release of a library;
# pyproject.toml says what Compagnon accepts, which is wider. Made again by `make constraints`, which takes the newest
# versions in an environment of its own and writes this file if the tests pass with them.
"""
APART = ("langchain-core", "llama-index-core")
"""Extras kept out of the environment of the tests, for their size and their plug-ins of pytest: a long test installs,
apart, the versions that FILE names. To take newer ones, write them there and run tests/e2e/test_retriever_page.py."""


def main() -> None:
    freeze = [sys.executable, "-m", "pip", "--disable-pip-version-check", "freeze", "--exclude", "compagnon"]
    lines = subprocess.run(freeze, check=True, capture_output=True, text=True).stdout.splitlines()
    # A library taken from a folder or an address would bind the file to this machine.
    foreign = [line for line in lines if "==" not in line]
    if foreign:
        sys.exit("Not installed from a registry: " + ", ".join(foreign))
    lines += [line for line in FILE.read_text(encoding="utf-8").splitlines() if line.startswith(APART)]
    lines.sort(key=lambda line: line.partition("==")[0].lower())
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    FILE.write_text(HEADER.format(python=python) + "\n".join(lines) + "\n", encoding="utf-8")
    print(f"{FILE.name}: {len(lines)} libraries")


if __name__ == "__main__":
    main()
