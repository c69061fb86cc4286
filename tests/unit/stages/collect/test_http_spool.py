"""Pages that arrived survive a kill at any byte."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from compagnon.stages.collect.http.spool import RESUME_WITHIN, Spool

NOW = datetime(2026, 11, 21, tzinfo=UTC)


def filled(path: Path, bodies: list[bytes]) -> None:
    spool = Spool(path, "how", NOW)
    for place, body in enumerate(bodies):
        spool.add({"page": place}, body)
    spool.close()


def held(path: Path, how: str = "how", now: datetime = NOW) -> list[tuple[int, bytes]]:
    spool = Spool(path, how, now)
    found = [(e.note["page"], body) for e, body in zip(spool.entries, spool.bodies(spool.entries), strict=True)]
    spool.close()
    return found


@given(st.lists(st.binary(max_size=40), max_size=6), st.data())
def test_a_file_cut_anywhere_keeps_its_whole_pages(bodies: list[bytes], data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "pages"
        filled(path, bodies)
        whole = path.read_bytes()
        cut = data.draw(st.integers(0, len(whole)))
        path.write_bytes(whole[:cut])
        kept = held(path)
        assert kept == list(enumerate(bodies))[: len(kept)]
        spool = Spool(path, "how", NOW)
        spool.add({"page": 99}, b"more")
        spool.close()
        assert held(path) == [*kept, (99, b"more")]
        if cut == len(whole):
            assert len(kept) == len(bodies)


def test_a_byte_that_changed_ends_what_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "pages"
    filled(path, [b"aaaa", b"bbbb", b"cccc"])
    path.write_bytes(path.read_bytes().replace(b"bbbb", b"bxbb"))
    assert held(path) == [(0, b"aaaa")]


def test_pages_of_other_settings_or_too_old_are_dropped(tmp_path: Path) -> None:
    path = tmp_path / "pages"
    filled(path, [b"a"])
    assert held(path, now=NOW + RESUME_WITHIN) == [(0, b"a")]
    assert held(path, now=NOW + RESUME_WITHIN + timedelta(seconds=1)) == []
    filled(path, [b"a"])
    assert held(path, how="other") == []


def test_only_the_owner_reads_them(tmp_path: Path) -> None:
    filled(tmp_path / "pages", [b"a"])
    assert (tmp_path / "pages").stat().st_mode & 0o777 == 0o600
