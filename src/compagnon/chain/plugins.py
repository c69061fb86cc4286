"""Ports filled by ordinary Python packages, through entry points ``compagnon.sources``, ``compagnon.estimators``..."""

from __future__ import annotations

import functools
import hashlib
import json
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

from compagnon.errors import UserError
from compagnon.i18n import _

SHARED = ("features", "privacy", "render")
"""Packages that stages build on: an edit there may change what a stage makes."""

PORTS = ("sources", "estimators", "providers", "embedders", "stages", "templates")


@functools.cache
def available(port: str) -> dict[str, metadata.EntryPoint]:
    """Entry points of a port by name; Compagnon's own come first and cannot be replaced by another package."""
    found: dict[str, metadata.EntryPoint] = {}
    points = metadata.entry_points(group=f"compagnon.{port}")
    for point in sorted(points, key=lambda p: (p.dist is None or p.dist.name != "compagnon", p.name)):
        found.setdefault(point.name, point)
    return found


@functools.cache
def load(port: str) -> dict[str, Any]:
    """All adapters of a port, loaded. Adapter modules import light: heavy libraries wait inside their methods."""
    loaded = {}
    for name, point in available(port).items():
        try:
            loaded[name] = point.load()
        except Exception as error:
            raise UserError(
                "plugin.broken",
                _("The plug-in {name} of {distribution} cannot be loaded: {error}").format(
                    name=name, distribution=point.dist.name if point.dist else "?", error=error
                ),
                next=_("Update or uninstall that package."),
            ) from error
    return loaded


def missing_extra(extra: str, library: str) -> UserError:
    """What to say when a library that an optional part needs is not installed: the command that brings it."""
    return UserError(
        "extra.missing",
        _("{library} is not installed.").format(library=library),
        next=f'pip install "compagnon[{extra}]"',
    )


@functools.cache
def identity(distribution: str) -> str:
    """Version of a distribution as it enters a run's key: ``1.2.3``, or ``absent``."""
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return "absent"


@functools.cache
def source_identity(module: str) -> str:
    """Version of the package that holds ``module``, with the digest of its sources when it is installed editable.

    A developer who changes a stage's code sees its runs become stale; a user of a release does not pay for it.
    """
    top = module.partition(".")[0]
    try:
        distribution = metadata.distribution(top)
    except metadata.PackageNotFoundError:
        return "absent"
    version = distribution.version
    if not _editable(distribution):
        return version
    file = getattr(sys.modules.get(module), "__file__", None)
    if file is None:
        return version
    path = Path(file)
    sources = sorted(path.parent.rglob("*.py")) if path.name == "__init__.py" else [path]
    if top == "compagnon":
        package = Path(__file__).parent.parent
        sources += [source for name in SHARED for source in sorted((package / name).rglob("*.py"))]
    digest = hashlib.sha256()
    for source in sources:
        digest.update(source.name.encode() + b"\0" + source.read_bytes())
    return f"{version}+{digest.hexdigest()[:12]}"


def _editable(distribution: metadata.Distribution) -> bool:
    text = distribution.read_text("direct_url.json")
    if not text:
        return False
    return bool(json.loads(text).get("dir_info", {}).get("editable"))
