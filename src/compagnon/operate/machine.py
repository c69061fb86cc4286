"""What this machine can do for Compagnon: libraries, programs, place, rights, language."""

from __future__ import annotations

import importlib.util
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from compagnon.i18n import N_, _, current, format_number

ROOM = 2_000_000_000
"""Free bytes under which a warning is given."""


@dataclass(frozen=True)
class Ability:
    """One thing that was looked for. ``needed`` is False for what only optional parts use."""

    name: str
    found: bool
    detail: str
    use: str
    needed: bool = False
    how: str = ""
    """How to have it, where it is missing."""

    def as_dict(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "found": self.found,
            "detail": self.detail,
            "use": _(self.use),
            "needed": self.needed,
            "how": self.how,
        }


def examine(folder: Path) -> list[Ability]:
    """Everything that is looked for; ``folder`` is where solutions would be made."""
    return [*_python(), *_extras(), *_programs(), *_place(folder), _locale()]


def _python() -> Iterator[Ability]:
    version = platform.python_version()
    yield Ability("python", sys.version_info >= (3, 11), version, N_("everything"), True, "Python >= 3.11")
    missing = [name for name in _requirements(None) if not _installed(name)]
    yield Ability(
        "libraries",
        not missing,
        ", ".join(missing) or _("all there"),
        N_("everything"),
        True,
        "pip install compagnon",
    )
    yield Ability("cpus", True, str(os.cpu_count() or 1), N_("speed of preparing and training"))


def _extras() -> Iterator[Ability]:
    uses = {
        "postgresql": N_("sources and operations on PostgreSQL"),
        "test": N_("tests of Compagnon itself"),
    }
    for extra in sorted(metadata.metadata("compagnon").get_all("Provides-Extra") or ()):
        missing = [name for name in _requirements(extra) if not _installed(name)]
        yield Ability(
            f"extra {extra}",
            not missing,
            ", ".join(missing) or _("all there"),
            uses.get(extra, N_("an optional part")),
            how=f'pip install "compagnon[{extra}]"',
        )


def _requirements(extra: str | None) -> list[str]:
    """Distributions that Compagnon, or one of its extras, asks for on this platform."""
    found = []
    for line in metadata.requires("compagnon") or ():
        requirement, _sign, marker = line.partition(";")
        named = re.search(r"extra == ['\"]([^'\"]+)['\"]", marker)
        if (named[1] if named else None) != extra or ("win32" in marker and sys.platform == "win32"):
            continue
        match = re.match(r"[A-Za-z0-9._-]+", requirement.strip())
        if match and match[0].lower() != "compagnon":
            found.append(match[0])
    return found


def _installed(name: str) -> bool:
    try:
        metadata.version(name)
    except metadata.PackageNotFoundError:
        return False
    return True


def _programs() -> Iterator[Ability]:
    java = shutil.which("java")
    yield Ability(
        "java",
        java is not None,
        _version(java, "-version"),
        N_("the Spark engine"),
        how="apt install default-jre-headless",
    )
    spark = importlib.util.find_spec("pyspark") is not None
    yield Ability(
        "spark", spark, metadata.version("pyspark") if spark else "", N_("tables too large for one machine"),
        how="pip install pyspark",
    )  # fmt: skip
    postgres = postgresql_programs()
    yield Ability(
        "postgresql",
        postgres is not None,
        str(postgres or ""),
        N_("trying PostgreSQL on this machine, tests"),
        how="apt install postgresql",
    )
    browser = next(
        (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
    )
    yield Ability("browser", browser is not None, browser or "", N_("tests of the pages"), how="apt install chromium")


def postgresql_programs() -> Path | None:
    """The folder of PostgreSQL's server programs (initdb, pg_ctl), the newest version first."""
    on_path = shutil.which("initdb")
    if on_path:
        return Path(on_path).resolve().parent
    found = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    return max(found, key=lambda path: [int(n) for n in re.findall(r"\d+", path.parent.name)], default=None)


def _version(program: str | None, option: str) -> str:
    if program is None:
        return ""
    try:
        done = subprocess.run([program, option], capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.SubprocessError):
        return program
    lines = (done.stderr or done.stdout).strip().splitlines()
    return lines[0] if lines else program


def _place(folder: Path) -> Iterator[Ability]:
    place = folder.absolute()
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free
    yield Ability(
        "disk",
        free >= ROOM,
        _("{size} GB").format(size=format_number(free / 1e9, 1)),
        N_("free space for data and models"),
        True,
        _("Free some space."),
    )
    yield Ability(
        "write access",
        os.access(place, os.W_OK | os.X_OK),
        str(place),
        N_("making solutions here"),
        True,
        _("Give yourself the right to write in this folder."),
    )


def _locale() -> Ability:
    detail = f"{current()} ({os.environ.get('LC_ALL') or os.environ.get('LANG') or 'C'}, {sys.getfilesystemencoding()})"
    return Ability(
        "locale",
        sys.getfilesystemencoding().lower().replace("-", "") == "utf8",
        detail,
        N_("language of messages, names of files"),
        how="export LANG=C.UTF-8",
    )
