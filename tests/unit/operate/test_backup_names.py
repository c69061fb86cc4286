"""Names in a backup: whatever they are, what is accepted stays in the folder."""

from __future__ import annotations

import os
from pathlib import Path, PureWindowsPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compagnon.errors import UserError
from compagnon.operate.backup.manifest import is_safe, parse

ROOT = Path("/solutions/mine")
PART = st.one_of(
    st.sampled_from(
        ["", ".", "..", "...", "~", "a", "é", "C:", "c:x", ".compagnon", ".Compagnon", "secrets", ".git", "\\"]
    ),
    st.text(max_size=8),
)
NAMES = st.one_of(st.text(max_size=40), st.lists(PART, max_size=6).map("/".join), st.lists(PART).map("\\".join))


@given(NAMES)
def test_an_accepted_name_stays_in_the_folder(name: str) -> None:
    if is_safe(name):
        place = Path(os.path.normpath(ROOT / name))
        assert place != ROOT
        assert place.is_relative_to(ROOT)
        assert place.relative_to(ROOT).as_posix() == name
        windows = PureWindowsPath("D:/mine") / name
        assert windows.is_relative_to("D:/mine")
        assert ".." not in windows.parts
        assert name.isprintable() or not any(ord(sign) < 32 for sign in name)


@given(st.lists(st.from_regex(r"[a-zé0-9_-]{1,12}(\.[a-z]{1,4})?", fullmatch=True), min_size=1, max_size=4))
def test_ordinary_names_are_accepted(parts: list[str]) -> None:
    assert is_safe("/".join(parts))


@given(st.one_of(st.binary(max_size=60), st.text(max_size=60).map(lambda text: text.encode(errors="replace"))))
def test_no_bytes_make_the_manifest_fail_otherwise(data: bytes) -> None:
    with pytest.raises(UserError) as caught:
        parse(data)
    assert caught.value.code == "restore.not-a-backup"
