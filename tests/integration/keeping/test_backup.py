"""``compagnon backup`` and ``restore``: there and back, with a server's writes, forged archives, kill -9."""

from __future__ import annotations

import gzip
import io
import json
import os
import shutil
import sqlite3
import stat
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from command_line import CommandLine
from compagnon import Solution
from compagnon.chain import digest as digests
from compagnon.errors import UserError
from compagnon.operate.backup.restore import restore
from compagnon.operate.backup.write import write


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def summary(folder: Path) -> dict[str, Any]:
    solution = Solution(folder)
    try:
        return {step.instance.id: (step.state, step.run.id if step.run else None) for step in solution.status()}
    finally:
        solution.close()


def members(path: Path) -> dict[str, bytes]:
    """What a usual tar reads of an archive."""
    with tarfile.open(path) as archive:
        return {info.name: archive.extractfile(info).read() for info in archive.getmembers()}  # type: ignore[union-attr]


@pytest.fixture(scope="module")
def archive(_small_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A backup without secrets."""
    path = tmp_path_factory.mktemp("backup") / "small.tar.gz"
    solution = Solution(_small_run)
    write(solution, path)
    solution.close()
    return path


def test_there_and_back(small_solution_run: Path, tmp_path: Path) -> None:
    compagnon, path, folder = CommandLine(small_solution_run), tmp_path / "b.tar.gz", tmp_path / "new" / "again"
    (small_solution_run / ".compagnon" / "predictions" / "a.theme.1.jsonl").write_text("{}\n")
    made = compagnon.json("backup", str(path))
    assert made["bytes"] == path.stat().st_size
    assert (made["secrets"], made["outside"], made["altered"]) == (False, [], [])
    assert mode(path) == 0o600
    refused = compagnon("backup", str(path), code=1)
    assert "already exists" in refused.stderr
    assert "Secrets are not in it" in compagnon("backup", str(path), "--force").stdout

    said = CommandLine(tmp_path)("restore", str(path), str(folder)).stdout
    assert "another pseudonym" in said
    assert not (folder / ".compagnon" / "secrets").exists()
    status = CommandLine(folder).json("status")
    assert {stage["state"] for stage in status["stages"]} == {"cached"}
    assert summary(folder) == summary(small_solution_run)
    assert mode(folder / ".compagnon" / "compagnon.sqlite") == 0o600
    assert mode(folder / ".compagnon" / "raw") == 0o700
    assert (folder / ".compagnon" / "predictions" / "a.theme.1.jsonl").read_text() == "{}\n"
    again = CommandLine(folder)
    assert "0 stages computed" in again("run").stdout
    assert "45" in again("query", "run", "SELECT 40 + 5").stdout
    assert not list(folder.parent.glob(".*"))


def test_secrets_only_when_asked_for(small_solution_run: Path, tmp_path: Path) -> None:
    secrets = (small_solution_run / ".compagnon" / "secrets").read_bytes()
    solution = Solution(small_solution_run)
    write(solution, tmp_path / "with.tar.gz", with_secrets=True)
    write(solution, tmp_path / "without.tar.gz")
    solution.close()
    restore(tmp_path / "with.tar.gz", tmp_path / "again")
    kept = tmp_path / "again" / ".compagnon" / "secrets"
    assert kept.read_bytes() == secrets
    assert mode(kept) == 0o600
    key = secrets.partition(b"=")[2].splitlines()[0]
    assert not any(key in content for content in members(tmp_path / "without.tar.gz").values())


def test_the_database_is_copied_whole_while_others_write(small_solution_run: Path, tmp_path: Path) -> None:
    solution = Solution(small_solution_run)
    solution.note("before")
    other = sqlite3.connect(solution.workspace.database_file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    other.execute("INSERT INTO notes (text, author, at) VALUES ('half', 'a', '2026-01-01')")
    write(solution, tmp_path / "b.tar.gz")
    other.execute("ROLLBACK")
    other.close()
    solution.close()
    restore(tmp_path / "b.tar.gz", tmp_path / "again")
    again = Solution(tmp_path / "again")
    assert [note.text for note in again.ledger.notes()] == ["before"]
    again.close()


def test_long_names_and_accents(small_solution_run: Path, tmp_path: Path) -> None:
    name = "é" * 90 + ".csv"
    text = (small_solution_run / "data" / "messages.csv").read_text(encoding="utf-8").splitlines()
    (small_solution_run / "data" / f"messages{name}").write_text(text[0] + "\n", encoding="utf-8")
    solution = Solution(small_solution_run)
    written = write(solution, tmp_path / "b.tar.gz")
    solution.close()
    assert any(entry.member.startswith("long-names/") for entry in written.manifest.files)
    restore(tmp_path / "b.tar.gz", tmp_path / "again")
    assert (tmp_path / "again" / "data" / f"messages{name}").read_text(encoding="utf-8") == text[0] + "\n"


def test_an_altered_segment_is_left_out_and_named(small_solution_run: Path, tmp_path: Path) -> None:
    segment = next((small_solution_run / ".compagnon" / "clean" / "segments").rglob("*.duckdb"))
    segment.chmod(0o600)
    segment.write_bytes(b"x" + segment.read_bytes()[1:])
    done = CommandLine(small_solution_run)("backup", str(tmp_path / "b.tar.gz"))
    assert "not what was written" in done.stderr
    restore(tmp_path / "b.tar.gz", tmp_path / "again")
    states = {name: state for name, (state, _run) in summary(tmp_path / "again").items()}
    assert states["store/data"] == "stale"
    assert states["prepare/messages"] == "cached"


def test_a_ledger_in_postgresql_needs_pg_dump(small_solution: Path, tmp_path: Path, postgresql: str) -> None:
    compagnon = CommandLine(small_solution, COMPAGNON_DATABASE=postgresql)
    said = compagnon("backup", str(tmp_path / "b.tar.gz")).stdout
    assert "pg_dump" in said
    assert not any("sqlite" in name for name in members(tmp_path / "b.tar.gz"))
    assert "pg_restore" in compagnon("restore", str(tmp_path / "b.tar.gz"), str(tmp_path / "again")).stdout


# --- refusals


def code_of(action: Callable[[], Any]) -> str:
    with pytest.raises(UserError) as caught:
        action()
    return caught.value.code


def test_only_an_empty_folder_is_restored_to(archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    full = tmp_path / "full"
    full.mkdir()
    (full / "mine").write_text("mine")
    assert code_of(lambda: restore(archive, full)) == "restore.not-empty"
    assert [path.name for path in full.iterdir()] == ["mine"]
    empty = tmp_path / "empty"
    empty.mkdir()
    restore(archive, empty)
    assert (empty / "solution.yaml").exists()
    monkeypatch.chdir(tmp_path)
    assert code_of(lambda: restore(archive, Path())) == "restore.here"
    assert code_of(lambda: restore(tmp_path / "none.tar.gz", tmp_path / "x")) == "restore.no-file"
    assert code_of(lambda: restore(full / "mine", tmp_path / "x")) == "restore.not-a-backup"


def test_any_altered_or_missing_byte_is_refused(archive: Path, tmp_path: Path) -> None:
    plain = gzip.decompress(archive.read_bytes())
    forged, target = tmp_path / "forged.tar.gz", tmp_path / "target"
    step = len(plain) // 40
    for place in range(600, len(plain) - 1024, step):
        changed = bytearray(plain)
        changed[place] ^= 1
        forged.write_bytes(gzip.compress(bytes(changed), 1))
        code = None
        try:
            restore(forged, target)
        except UserError as error:
            code = error.code
        if code is None:
            # A byte that is not restored: padding between files.
            for found in json.loads(members(archive)["manifest.json"])["files"]:
                assert digests.of_file(target / found["name"]) == found["digest"]
            shutil.rmtree(target)
        assert code in {None, "restore.damaged", "restore.not-a-backup", "restore.unsafe"}, place
        assert not target.exists()
    raw = archive.read_bytes()
    for size in (1, 2, 100, len(raw) // 2, len(raw) - 1):
        forged.write_bytes(raw[:size])
        assert code_of(lambda: restore(forged, target)) in {"restore.damaged", "restore.not-a-backup"}, size
    assert [path.name for path in tmp_path.iterdir()] == ["forged.tar.gz"]


def forge(path: Path, files: list[dict[str, Any]], infos: list[tarfile.TarInfo], **changes: Any) -> Path:
    """An archive with the manifest ``files`` and members ``infos`` (of zeros), whatever they say."""
    document = {
        "format": "compagnon-backup",
        "version": 1,
        "solution": "s",
        "at": "2026-01-01",
        "compagnon": "0",
        "schema": None,
        "secrets": False,
        "files": files,
        **changes,
    }
    text = json.dumps(document).encode()
    with tarfile.open(path, "w:gz", format=tarfile.USTAR_FORMAT) as archive:
        first = tarfile.TarInfo("manifest.json")
        first.size = len(text)
        archive.addfile(first, io.BytesIO(text))
        for info in infos:
            archive.addfile(info, io.BytesIO(bytes(info.size)))
    return path


def entry(name: str, size: int = 0) -> dict[str, Any]:
    return {"name": name, "member": name, "size": size, "digest": digests.of_bytes(bytes(size))}


def info(name: str, size: int = 0, kind: bytes = tarfile.REGTYPE) -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.size, made.type = size, kind
    made.linkname = "/etc/passwd" if kind in (tarfile.SYMTYPE, tarfile.LNKTYPE) else ""
    return made


SPEC = "solution.yaml"


@pytest.mark.parametrize(
    "name",
    ["../out", "/out", "a/../../out", "a//b", "a/./b", "C:/out", "C:out", "\\\\host\\x", "a\\..\\b", "", "a\nb", "a\0b",
     ".compagnon/lock", ".compagnon/../x", ".Compagnon/secrets", ".compagnon /x", ".compagnon/crash.log", ".git/config",
     "x/.GIT/hooks/pre-commit", ".compagnon/raw/segments/00/x", ".compagnon/predictions/../../x", "solution.yaml/x",
     ".compagnon/clean/segments/00/" + "0" * 64],
)  # fmt: skip
def test_names_that_leave_the_folder_are_refused(name: str, tmp_path: Path) -> None:
    path = forge(tmp_path / "f.tar.gz", [entry(SPEC), entry(name)], [info(SPEC), info(name)])
    assert code_of(lambda: restore(path, tmp_path / "in" / "target")) == "restore.unsafe"
    assert [p.name for p in tmp_path.iterdir()] == ["f.tar.gz"]


@pytest.mark.parametrize(
    "kind",
    [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE, tarfile.DIRTYPE,
     tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_SPARSE],
)  # fmt: skip
def test_anything_but_plain_files_is_refused(kind: bytes, tmp_path: Path) -> None:
    path = forge(tmp_path / "f.tar.gz", [entry(SPEC), entry("x")], [info(SPEC), info("x", kind=kind)])
    assert code_of(lambda: restore(path, tmp_path / "target")) == "restore.unsafe"
    assert [p.name for p in tmp_path.iterdir()] == ["f.tar.gz"]


def test_where_a_backup_is_written(small_solution: Path, tmp_path: Path) -> None:
    solution = Solution(small_solution)
    assert code_of(lambda: write(solution, tmp_path / "b.zip")) == "backup.unknown-format"
    assert code_of(lambda: write(solution, tmp_path / "none" / "b.tar.gz")) == "backup.no-folder"
    solution.close()
    text = (small_solution / "solution.yaml").read_text(encoding="utf-8")
    values = "values: [facture, livraison, compte]"
    assert values in text
    base = "sources:\n  base: {kind: sql, url: 'sqlite:///data/base.sqlite', query: queries/all.sql}"
    text = text.replace(values, "values: ./themes.yaml").replace("sources:", base, 1)
    (small_solution / "solution.yaml").write_text(text, encoding="utf-8")
    (small_solution / "queries").mkdir()
    (small_solution / "queries" / "all.sql").write_text("select 1 as id", encoding="utf-8")
    sqlite3.connect(small_solution / "data" / "base.sqlite").executescript("create table t (id)").connection.close()
    (small_solution / "themes.yaml").write_text("[facture, livraison, compte]\n", encoding="utf-8")
    solution = Solution(small_solution)
    names = {entry.name for entry in write(solution, tmp_path / "b.tar.gz").manifest.files}
    solution.close()
    assert {"queries/all.sql", "data/base.sqlite"} <= names
    assert {"solution.yaml", "themes.yaml", "data/messages.csv", ".compagnon/compagnon.sqlite"} <= names


def test_other_lies(tmp_path: Path) -> None:
    path, target = tmp_path / "f.tar.gz", tmp_path / "target"
    bomb, small = info("x", 50_000_000), entry("x", 10)
    lies: list[tuple[str, list[dict[str, Any]], list[tarfile.TarInfo], dict[str, Any]]] = [
        ("restore.damaged", [entry(SPEC), small], [info(SPEC), bomb], {}),
        ("restore.damaged", [entry(SPEC), entry("x")], [info(SPEC), info("y")], {}),
        ("restore.damaged", [entry(SPEC), entry("x")], [info(SPEC)], {}),
        ("restore.unsafe", [entry(SPEC)], [info(SPEC), info("y")], {}),
        ("restore.unsafe", [entry(SPEC)], [info(SPEC), bomb], {}),
        ("restore.no-space", [entry(SPEC), {**small, "size": 1 << 60}], [info(SPEC), info("x", 10)], {}),
        ("restore.not-a-backup", [entry("x")], [info("x")], {}),
        ("restore.not-a-backup", [entry(SPEC), entry(SPEC)], [info(SPEC), info(SPEC)], {}),
        ("restore.not-a-backup", [{**entry(SPEC), "size": -1}], [info(SPEC)], {}),
        ("restore.not-a-backup", [{**entry(SPEC), "size": "1"}], [info(SPEC)], {}),
        ("restore.not-a-backup", [entry(SPEC)], [info(SPEC)], {"format": "other"}),
        ("restore.not-a-backup", [entry(SPEC)], [info(SPEC)], {"solution": None}),
        ("restore.newer", [entry(SPEC)], [info(SPEC)], {"version": 2}),
        ("restore.newer", [entry(SPEC)], [info(SPEC)], {"schema": "9999"}),
    ]
    for code, files, infos, changes in lies:
        forge(path, files, infos, **changes)
        assert code_of(lambda: restore(path, target)) == code, (code, files, changes)
        assert [p.name for p in tmp_path.iterdir()] == ["f.tar.gz"]


def test_killed_at_each_boundary(small_solution_run: Path, archive: Path, tmp_path: Path) -> None:
    """A backup is there whole or not at all, and so is a restored folder; the next try succeeds."""
    before = archive.read_bytes()
    path = tmp_path / "b.tar.gz"
    path.write_bytes(before)
    for fault in ("backup-database", "before-backup"):
        killed = CommandLine(small_solution_run, COMPAGNON_FAULT=fault)
        assert killed("backup", str(path), "--force", code=None).returncode == -9
        assert path.read_bytes() == before
    CommandLine(small_solution_run)("backup", str(path), "--force")
    CommandLine(small_solution_run)("run", "--quiet")
    assert list((small_solution_run / ".compagnon" / "scratch").iterdir()) == []
    target = tmp_path / "target"
    killed = CommandLine(tmp_path, COMPAGNON_FAULT="before-restore")
    assert killed("restore", str(path), str(target), code=None).returncode == -9
    assert not target.exists()
    CommandLine(tmp_path)("restore", str(path), str(target))
    assert {state for state, _run in summary(target).values()} == {"cached"}


def test_memory_does_not_grow_with_the_files(small_solution: Path, tmp_path: Path) -> None:
    import tracemalloc

    with (small_solution / "data" / "messages-large.csv").open("wb") as file:
        file.truncate(80_000_000)
    solution = Solution(small_solution)
    assert solution.ledger.runs() == []
    tracemalloc.start()
    try:
        write(solution, tmp_path / "b.tar.gz")
        restore(tmp_path / "b.tar.gz", tmp_path / "again")
        _now, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
        solution.close()
    assert peak < 40_000_000
    assert os.path.getsize(tmp_path / "again" / "data" / "messages-large.csv") == 80_000_000
