"""Gathers the messages of the code and templates into the French catalog, and compiles it.

python scripts/messages.py            update compagnon.po from the sources, then compile compagnon.mo
python scripts/messages.py --check    say what is missing, fuzzy, wrong, unused or not compiled; exit 1 if anything is
"""

from __future__ import annotations

import io
import re
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import click
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import PoFileParser, write_po

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
CLICK = Path(str(click.__file__)).parent
CLICK_UNSEEN = ("required",)  # since 8.5 it translates what a variable holds, where nothing can be gathered
COMMENT = "# French of Compagnon. Gathered by scripts/messages.py; write the French here, then run it again."
PLURALS, PLURAL = 2, "(n > 1)"
HEADER = [
    ("Project-Id-Version", "compagnon"),
    ("Language", "fr"),
    ("Plural-Forms", f"nplurals={PLURALS}; plural={PLURAL};"),
    ("MIME-Version", "1.0"),
    ("Content-Type", "text/plain; charset=utf-8"),
    ("Content-Transfer-Encoding", "8bit"),
]
PLACEHOLDER = re.compile(r"%\(\w+\)s|\{(\w+(?:![rsa])?)(?::[^{}]*)?\}")


def place(filename: str) -> Any:
    """A place without a line, which Babel takes and its types do not know."""
    return [(filename, None)]


def template() -> Catalog:
    """Every message of the project, and those of Click, without line numbers, so that the file changes little."""
    catalog = Catalog(project="compagnon", charset="utf-8")
    for filename, _line, message, comments, context in extract_from_dir(
        str(SOURCE), METHODS, OPTIONS, keywords={"_": None, "N_": None, "ngettext": (1, 2), "gettext": None}
    ):
        catalog.add(message, None, place(filename), auto_comments=comments, context=context)
    for filename, _line, message, comments, context in extract_from_dir(
        str(CLICK), [("**.py", "python")], keywords={"_": None, "ngettext": (1, 2)}
    ):
        catalog.add(message, None, place(f"click/{filename}"), auto_comments=comments, context=context)
    for message in CLICK_UNSEEN:
        catalog.add(message, None, place("click/core.py"))
    return catalog


class French(Catalog):
    """The catalog with a header of its own: no dates and no version of Babel, which would change without a reason."""

    @property
    def mime_headers(self) -> list[tuple[str, str]]:
        return HEADER

    @mime_headers.setter
    def mime_headers(self, _headers: object) -> None:
        """What a file says of itself is not kept."""

    # As in the header: Babel 2.19 counts a third form, of millions, which GNU gettext does not ask of French.
    @property
    def num_plurals(self) -> int:
        return PLURALS

    @property
    def plural_expr(self) -> str:
        return PLURAL


def read(path: Path) -> Catalog:
    catalog = French(locale="fr", charset="utf-8", header_comment=COMMENT, fuzzy=False)
    if path.exists():
        with path.open("rb") as file:
            PoFileParser(catalog, ignore_obsolete=True).parse(file)
        catalog.header_comment, catalog.fuzzy = COMMENT, False
    return catalog


def written(catalog: Catalog) -> bytes:
    buffer = io.BytesIO()
    write_po(buffer, catalog, width=0, sort_output=True, ignore_obsolete=True)
    return buffer.getvalue()


def compiled(catalog: Catalog) -> bytes:
    buffer = io.BytesIO()
    write_mo(buffer, catalog)
    return buffer.getvalue()


def save(catalog: Catalog) -> None:
    """Write both forms, if they change."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, content in (("compagnon.po", written(catalog)), ("compagnon.mo", compiled(catalog))):
        path = FOLDER / name
        if not path.exists() or path.read_bytes() != content:
            path.write_bytes(content)


def forms(value: object) -> list[str]:
    """A message, or its singular and plural, as a list; empty if there is none."""
    return [str(form or "") for form in value] if isinstance(value, tuple | list) else [str(value)] if value else []


def placeholders(text: str) -> Counter[str]:
    """What is replaced in a message: ``{name}``, ``{name!r}``, ``%(name)s``; doubled braces stand for themselves."""
    plain = text.replace("{{", "").replace("}}", "")
    return Counter(match[0] if match[0].startswith("%") else match[1] for match in PLACEHOLDER.finditer(plain))


def differs(english: list[str], french: list[str]) -> bool:
    """Whether the French of a message replaces something else than the English. It may repeat a value."""
    wanted = [set(placeholders(form)) for form in english]
    found = [set(placeholders(form)) for form in french]
    # The French singular also speaks of none: where the English leaves the count out, the French may give it.
    return len(wanted) != len(found) or found[-1] != wanted[-1] or not wanted[0] <= found[0] <= set().union(*wanted)


def faults() -> list[str]:
    """What a reader in French would miss."""
    catalog = read(FOLDER / "compagnon.po")
    wanted = template()
    found = []
    for message in wanted:
        if not message.id:
            continue
        known = catalog.get(message.id, message.context)
        french = forms(known.string) if known else []
        if known is None or not french or not all(french):
            found.append(f"missing: {message.id}")
        elif known.fuzzy:
            found.append(f"fuzzy: {message.id}")
        elif differs(forms(message.id), french):
            found.append(f"placeholders: {message.id}")
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
    save(catalog)
    empty = sum(1 for message in catalog if message.id and not all(forms(message.string) or [""]))
    print(f"{len(catalog)} messages, {empty} without French")
    return 0


if __name__ == "__main__":
    sys.exit(main())
