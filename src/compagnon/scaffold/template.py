"""Templates: ready solutions, data and YAML only, in folders of installed packages.

An entry point of the group ``compagnon.templates`` is read and never loaded as Python: ``tutor =
"compagnon.templates:tutor"`` means the folder ``tutor`` inside the package ``compagnon.templates``. Another package
offers its own in the same way: ``tickets = "their_package:tickets"``.
"""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Callable
from pathlib import Path

from compagnon.chain import plugins
from compagnon.errors import UserError
from compagnon.i18n import _
from compagnon.scaffold.folder import appearing

LEFT_OUT = shutil.ignore_patterns("__pycache__", "*.pyc", "__init__.py", ".compagnon")


def names() -> list[str]:
    """Templates there are, by name."""
    return list(plugins.available("templates"))


def place(name: str) -> Path:
    """The folder of a template; raises UserError ``new.unknown-template``."""
    point = plugins.available("templates").get(name)
    if point is None:
        raise UserError(
            "new.unknown-template",
            _("There is no template {name}.").format(name=name),
            next=_("Templates: {names}.").format(names=", ".join(names())),
        )
    spec = importlib.util.find_spec(point.module)
    for root in (spec.submodule_search_locations or ()) if spec else ():
        folder = Path(root, *(point.attr or name).split("."))
        if (folder / "solution.yaml").is_file():
            return folder
    raise UserError(
        "new.broken-template",
        _("The template {name} has no solution.yaml ({place}).").format(name=name, place=point.value),
        next=_("Update or install again the package that brings it."),
    )


def copy(name: str, target: Path, change: Callable[[Path], None] | None = None) -> None:
    """Copy a template into ``target``, which must not hold anything; raises UserError.

    ``change`` is called with the folder before it shows under its name: it appears changed, or not at all.
    """
    source = place(name)
    with appearing(target) as folder:
        shutil.copytree(source, folder, ignore=LEFT_OUT, dirs_exist_ok=True, copy_function=shutil.copyfile)
        if change is not None:
            change(folder)
