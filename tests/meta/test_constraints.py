"""constraints.txt names a version of each dependency, one that pyproject.toml accepts, and nothing of a machine."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]


def pinned() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pairs = [line.split("==") for line in lines if line and not line.startswith("#")]
    return {canonicalize_name(name): version for name, version in pairs}


def required() -> list[Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    every = [*project["dependencies"], *(line for extra in project["optional-dependencies"].values() for line in extra)]
    return [found for found in map(Requirement, every) if found.name != project["name"]]


def test_every_dependency_is_named_in_a_version_that_is_accepted() -> None:
    versions, requirements = pinned(), required()
    assert len(requirements) > 50
    assert {r.name for r in requirements if canonicalize_name(r.name) not in versions} == set()
    assert {str(r) for r in requirements if not r.specifier.contains(versions[canonicalize_name(r.name)])} == set()


def test_no_address_and_no_folder() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    named = [line for line in lines if not line.startswith("#")]
    assert [line for line in named if not re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.!+]+", line)] == []
    assert not [line for line in lines if "://" in line]


def test_the_makefile_installs_these_versions() -> None:
    installs = re.findall(r"\$\(PIP\) install .*", (ROOT / "Makefile").read_text(encoding="utf-8"))
    assert len(installs) == 2
    assert all("$(CONSTRAINED)" in line for line in installs)
