"""The security page names tests that exist, and every line of the standards has an answer."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "reference" / "security.md").read_text(encoding="utf-8")
LEVEL_1 = re.findall(
    r"[\d.]+",
    "1.2.1 1.2.2 1.2.3 1.2.4 1.2.5 1.3.1 1.3.2 1.5.1 2.1.1 2.2.1 2.2.2 2.3.1 3.2.1 3.2.2 3.3.1 3.4.1 3.4.2 3.5.1 3.5.2 "
    "3.5.3 4.1.1 4.4.1 5.2.1 5.2.2 5.3.1 5.3.2 6.1.1 6.2.1 6.2.2 6.2.3 6.2.4 6.2.5 6.2.6 6.2.7 6.2.8 6.3.1 6.3.2 6.4.1 "
    "6.4.2 7.2.1 7.2.2 7.2.3 7.2.4 7.4.1 7.4.2 8.1.1 8.2.1 8.2.2 8.3.1 9.1.1 9.1.2 9.1.3 9.2.1 10.4.1 10.4.5 11.3.1 "
    "11.3.2 11.4.1 12.1.1 12.2.2 13.4.1 14.2.1 14.3.1 15.1.1 15.2.1 15.3.1",
)
"""Lines of ASVS 5.0 at level 1; ranges are written with their first and last."""


def test_each_proof_is_a_test_that_exists() -> None:
    proofs = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PAGE)
    assert len(proofs) > 60
    missing = [
        f"{file}::{name}"
        for file, name in proofs
        if not re.search(rf"^(async )?def {name}\(", (ROOT / file).read_text(encoding="utf-8"), re.MULTILINE)
    ]
    assert missing == []


def test_every_line_of_the_standards_is_answered() -> None:
    assert [number for number in LEVEL_1 if not re.search(rf"^\|.*\b{re.escape(number)}\b", PAGE, re.MULTILINE)] == []
    assert [n for n in range(1, 11) if f"| A{n:02}:2021 |" not in PAGE or f"| API{n}:2023 |" not in PAGE] == []


def test_a_line_without_proof_says_why() -> None:
    for line in PAGE.splitlines():
        if line.startswith("|") and line.endswith("| — |"):
            assert "**à faire**" in line or "comme API" in line, line
