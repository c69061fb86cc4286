"""Gathers the messages of the code and templates into the French catalog, and compiles it.

python scripts/messages.py            update fr.po from the sources, then compile fr.mo
python scripts/messages.py --check    say what is missing, fuzzy, unused or not compiled; exit 1 if anything is
"""

from __future__ import annotations

import io
import sys
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src" / "compagnon"
FOLDER = SOURCE / "i18n" / "catalogs" / "fr" / "LC_MESSAGES"
METHODS = [
    ("**.py", "python"),
    ("**/web/templates/**.html", "jinja2.ext:babel_extract"),
    ("**/render/**.html", "jinja2.ext:babel_extract"),
]
OPTIONS = {
    "**/web/templates/**.html": {"silent": "false", "trimmed": "true"},
    "**/render/**.html": {"silent": "false", "trimmed": "true"},
}
# Click's own words are looked up in the same catalog.
CLICK = Path(__import__("click").__file__).parent


def template() -> Catalog:
    """Every message of the project, and those of Click, without line numbers, so that the file changes little."""
    catalog = Catalog(project="compagnon", charset="utf-8")
    for filename, _line, message, comments, context in extract_from_dir(
        str(SOURCE), METHODS, OPTIONS, keywords={"_": None, "N_": None, "ngettext": (1, 2), "gettext": None}
    ):
        catalog.add(message, None, [(filename, None)], auto_comments=comments, context=context)
    for filename, _line, message, comments, context in extract_from_dir(
        str(CLICK), [("**.py", "python")], keywords={"_": None, "ngettext": (1, 2)}
    ):
        catalog.add(message, None, [(f"click/{filename}", None)], auto_comments=comments, context=context)
    return catalog


def read(path: Path) -> Catalog:
    if not path.exists():
        return Catalog(locale="fr", charset="utf-8", project="compagnon")
    with path.open("rb") as file:
        return read_po(file, locale="fr", charset="utf-8")


def compiled(catalog: Catalog) -> bytes:
    buffer = io.BytesIO()
    write_mo(buffer, catalog)
    return buffer.getvalue()


def faults() -> list[str]:
    """What a reader in French would miss."""
    catalog = read(FOLDER / "compagnon.po")
    wanted = template()
    found = []
    for message in wanted:
        if not message.id:
            continue
        known = catalog.get(message.id, message.context)
        strings = [] if known is None else known.string if isinstance(known.string, tuple | list) else [known.string]
        if not strings or not all(strings):
            found.append(f"missing: {message.id}")
        elif known is not None and known.fuzzy:
            found.append(f"fuzzy: {message.id}")
    for message in catalog:
        if message.id and wanted.get(message.id, message.context) is None:
            found.append(f"unused: {message.id}")
    mo = FOLDER / "compagnon.mo"
    if not mo.exists() or mo.read_bytes() != compiled(catalog):
        found.append("compagnon.mo is not compiled from compagnon.po")
    return found


def main() -> int:
    if "--check" in sys.argv:
        found = faults()
        print("\n".join(found) or "complete")
        return 1 if found else 0
    catalog = read(FOLDER / "compagnon.po")
    catalog.update(template(), no_fuzzy_matching=True)
    catalog.obsolete.clear()
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (FOLDER / "compagnon.po").open("wb") as file:
        write_po(file, catalog, width=0, sort_output=True, ignore_obsolete=True, omit_header=False)
    (FOLDER / "compagnon.mo").write_bytes(compiled(catalog))
    empty = sum(1 for m in catalog if m.id and not (all(m.string) if isinstance(m.string, tuple | list) else m.string))
    print(f"{len(catalog)} messages, {empty} without French")
    return 0


if __name__ == "__main__":
    sys.exit(main())
