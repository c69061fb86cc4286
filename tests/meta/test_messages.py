"""Every message of the code, the templates and click has its French, and the catalog is compiled from it."""

from __future__ import annotations

import gettext
import importlib.util
import re
from functools import cache
from pathlib import Path
from types import ModuleType

import pytest
from babel.messages.catalog import Message

from command_line import CommandLine
from compagnon import i18n
from compagnon.i18n.locale import CATALOGS

ROOT = Path(__file__).resolve().parents[2]
# A plain space before such a sign lets a line break there; French wants one that does not.
BREAKS = re.compile(r" [:;?!»](?![\w)])|« ")


def _scripts() -> ModuleType:
    spec = importlib.util.spec_from_file_location("messages_of_scripts", ROOT / "scripts" / "messages.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


messages = _scripts()
# Reading every source takes seconds: once is enough.
messages.template = cache(messages.template)  # type: ignore[attr-defined]
CATALOG = messages.read(messages.FOLDER / "compagnon.po")
KNOWN: list[Message] = [message for message in CATALOG if message.id]


def test_nothing_is_missing_fuzzy_wrong_unused_or_not_compiled() -> None:
    assert messages.faults() == [], "python scripts/messages.py, then write the French in compagnon.po"


def test_faults_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    catalog = messages.read(messages.FOLDER / "compagnon.po")
    monkeypatch.setattr(messages, "FOLDER", tmp_path)
    catalog["There is no account {name}."] = Message("There is no account {name}.", "Il n'y a pas de compte.")
    catalog["Examples"].string = ""
    catalog["Key"].flags.add("fuzzy")
    catalog["There is no table {name}."].string = "Il n'y a pas de table {nom}."
    (tmp_path / "compagnon.po").write_bytes(messages.written(catalog))
    assert set(messages.faults()) == {
        "unused: There is no account {name}.",
        "missing: Examples",
        "fuzzy: Key",
        "placeholders: There is no table {name}.",
        "compagnon.mo is not compiled from compagnon.po",
    }


def test_what_click_translates_from_a_variable_has_its_french(tmp_path: Path) -> None:
    shown = CommandLine(tmp_path, COMPAGNON_LANG="fr")("key", "create", "--help").stdout
    assert "[obligatoire]" in shown


def test_the_same_sources_write_the_same_files() -> None:
    catalog = messages.read(messages.FOLDER / "compagnon.po")
    catalog.update(messages.template(), no_fuzzy_matching=True)
    assert messages.written(catalog) == (messages.FOLDER / "compagnon.po").read_bytes()
    assert messages.compiled(catalog) == (messages.FOLDER / "compagnon.mo").read_bytes()


def test_the_header_does_not_change_by_itself() -> None:
    header = messages.written(CATALOG).decode().partition("\n\n")[0]
    assert "fuzzy" not in header
    assert "Date" not in header
    assert "Babel" not in header
    assert "Language: fr" in header


def test_placeholders_are_the_same_in_both_languages() -> None:
    for message in KNOWN:
        assert not messages.differs(messages.forms(message.id), messages.forms(message.string)), message.id


@pytest.mark.parametrize(
    ("english", "french"),
    [
        (["{a} of {b}"], ["{a}"]),
        (["{a}"], ["{b}"]),
        (["{a!r}"], ["{a}"]),
        (["%(a)s"], ["a"]),
        (["one {a}", "{count} {a}"], ["un {a}", "{a}"]),
        (["one {a}", "{count} {a}"], ["un", "{count} {a}"]),
        (["one {a}", "{count} {a}"], ["{count} {a}"]),
    ],
)
def test_other_placeholders_are_seen(english: list[str], french: list[str]) -> None:
    assert messages.differs(english, french)


def test_plural_forms_are_filled_and_chosen_as_in_french() -> None:
    plurals = [message for message in KNOWN if isinstance(message.id, tuple | list)]
    assert plurals
    compiled = gettext.translation("compagnon", str(CATALOGS), languages=["fr"])
    for message in plurals:
        singular, plural = messages.forms(message.string)
        assert singular
        assert plural
        chosen = [compiled.ngettext(message.id[0], message.id[1], count) for count in (0, 1, 2, 5)]
        assert chosen == [singular, singular, plural, plural]


def test_signs_are_written_as_in_french() -> None:
    for message in KNOWN:
        for form in messages.forms(message.string):
            words = re.sub(r"`[^`]*`", "", form)
            assert "’" not in words, form
            assert not BREAKS.search(words), form


def test_english_needs_no_catalog() -> None:
    with i18n.use("en"):
        assert i18n._("Examples") == "Examples"
        assert [i18n.ngettext("{count} row", "{count} rows", count) for count in (0, 1, 2)] == [
            "{count} rows",
            "{count} row",
            "{count} rows",
        ]


def test_an_empty_message_stays_empty() -> None:
    with i18n.use("fr"):
        assert i18n._("") == ""
