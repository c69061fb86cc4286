"""Puts the guides of ``docs/`` into the built package: docs stay their one place, and an installed copy has them."""

from __future__ import annotations

from pathlib import Path
from shutil import copyfile

from setuptools import setup
from setuptools.command.build_py import build_py

DOCS = Path(__file__).parent / "docs"
FOLDERS = ("how-to", "tutorial")


class BuildWithGuides(build_py):
    """As ``build_py``; an editable install reads ``docs/`` itself."""

    def run(self) -> None:
        super().run()
        if self.editable_mode:
            return
        place = Path(self.build_lib) / "compagnon" / "web" / "guides"
        place.mkdir(parents=True, exist_ok=True)
        pages = [path for folder in FOLDERS for path in sorted((DOCS / folder).glob("*.md"))]
        if not pages:
            raise SystemExit("docs/how-to is missing: build from a whole checkout or source distribution")
        for path in pages:
            copyfile(path, place / path.name)


if __name__ == "__main__":
    setup(cmdclass={"build_py": BuildWithGuides})
