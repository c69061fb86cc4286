"""The template ``tutor`` fed by the five kinds of sources: its forum is an API, a web site and a lake of the sandbox.

The export (files) and the school (SQL) stay as the template has them. The forum's messages are split over the three
other kinds, each message in one of them; what its file holds that cannot be read is given by the API as it is.
"""

from __future__ import annotations

import contextlib
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

from compagnon.chain.secrets import Secrets
from compagnon.chain.workspace import Workspace
from compagnon.errors import UserError
from compagnon.i18n import _
from compagnon.sandbox.catalog import CELLS, FIELDS
from compagnon.sandbox.practice import SECRET, Sandbox
from compagnon.sandbox.rows import COLUMNS, Row, forum, share
from compagnon.sandbox.stores import write_lake
from compagnon.scaffold import template

TEMPLATE = "tutor"
DATASET = "forum"
PARTS = ("rest", "web", "bigdata")
"""Kinds over which the forum is split."""
LAKE = "data/lake"
PORT = 8100
_SOLUTION = "solution.yaml"
_ADDRESS = re.compile(rf"http://127\.0\.0\.1:(\d{{1,5}})/api/page/{DATASET}\b")
_SOURCES = f"""\
  # Les messages du forum arrivent par trois chemins, un message n'étant que sur un : l'API, les pages, les archives.
  # `make run` et `compagnon sandbox --tutor DOSSIER` servent l'API et les pages ; sans eux, la dernière collecte sert.
  forum_api:                  # API REST : un jeton, des pages numérotées ; thèmes et niveaux en anglais
    kind: rest
    url: ADDRESS/api/page/{DATASET}
    private: true             # l'adresse est celle de cette machine
    auth: {{kind: bearer, token: "${{secret:{SECRET}}}"}}   # un jeton neuf à chaque démarrage, hors de ce fichier
    pages: {{kind: page, size: 50, total: meta.total}}
    records: data.items
    fields: {FIELDS}
    key: id
    retry: {{times: 2, first: 200 ms}}
    fresh_for: 1 day
EVIDENCE
  forum_site:                 # pages web : une fiche par message, robots.txt est respecté
    kind: web
    start: ADDRESS/site/{DATASET}/cards/1.html
    follow: a.next
    rows: article.row
    fields: {CELLS}
    key: id
    private: true
    delay: 0 s
    retry: {{times: 2, first: 200 ms}}
    fresh_for: 1 day
EVIDENCE
  forum_archive:              # lac : des fichiers Parquet rangés par mois
    kind: bigdata
    path: {LAKE}
    key: id
    engine: ENGINE
EVIDENCE
"""
_EVIDENCE = """\
    licence: CC-BY-4.0
    contact: forum@example.org
    access: {fr: "WAY_FR", en: "WAY_EN"}
    confidential: {fr: "adresses et textes libres : ne sortent pas de la zone brute en clair", \
en: "addresses and free texts: do not leave the raw zone in clear"}
    instead: last"""
_WAYS = (
    ("jeton remis par l'animateur du forum", "token given by the host of the forum"),
    ("pages publiques du forum", "public pages of the forum"),
    ("archives mensuelles déposées par l'animateur du forum", "monthly archives left by the host of the forum"),
)
_NAMES = ("forum_api", "forum_site", "forum_archive")
_WORDS = (
    ("les comptes viennent des trois sources", "les comptes viennent des cinq sources"),
    ("counts come from the three sources", "counts come from the five sources"),
    ("trois systèmes qui ne se ressemblent pas", "cinq systèmes qui ne se ressemblent pas"),
    ("les deux autres en ISO", "les autres en ISO"),
)


@contextlib.contextmanager
def served(folder: Path, port: int | None = None) -> Iterator[Sandbox]:
    """The sandbox that the tutor in ``folder`` collects from; the tutor is made where the folder holds no solution.

    ``port``: where to listen when it is made, 8100 if absent, or a free one where that is taken. Its address then
    stands in solution.yaml and is kept from one start to the next, so that what was collected stays valid. The token
    is new each time and goes to the secrets of the solution, where any command finds it. Raises UserError
    ``sandbox.not-the-tutor``, ``sandbox.port-busy``, and what ``scaffold.template.copy`` raises.
    """
    known = (folder / _SOLUTION).is_file()
    if known:
        port = port_of(folder)
        if port is None:
            raise UserError(
                "sandbox.not-the-tutor",
                _("The solution in {folder} does not collect from the sandbox.").format(folder=folder),
                next=_("Give a folder that is absent or empty: the tutor is made there."),
            )
    with tempfile.TemporaryDirectory(prefix="compagnon-sandbox-") as name, contextlib.ExitStack() as stack:
        sandbox = _start(stack, Path(name), port, known)
        if not known:
            template.copy(TEMPLATE, folder, lambda made: convert(made, sandbox.address, engine()))
        messages, broken = messages_of(folder)
        sandbox.serve(DATASET, [*share(messages, "rest", PARTS), *broken], share(messages, "web", PARTS))
        Secrets(Workspace(folder), {}).keep(SECRET, sandbox.token)
        yield sandbox


def _start(stack: contextlib.ExitStack, place: Path, port: int | None, known: bool) -> Sandbox:
    try:
        return stack.enter_context(Sandbox(place, port=PORT if port is None else port, database=False))
    except UserError as error:
        if known or port is not None or error.code != "sandbox.port-busy":
            raise
        return stack.enter_context(Sandbox(place, port=0, database=False))


def port_of(folder: Path) -> int | None:
    """The port of the sandbox that the solution in ``folder`` collects from; None if it does not."""
    found = _ADDRESS.search((folder / _SOLUTION).read_text(encoding="utf-8", errors="replace"))
    return int(found[1]) if found else None


def engine() -> str:
    """What reads the lake: Spark where it can run on this machine, else DuckDB. The rows are the same."""
    from compagnon.engines import spark

    try:
        spark.check()
    except UserError:
        return "duckdb"
    return "spark"


def messages_of(folder: Path) -> tuple[list[Row], list[str]]:
    """The messages of the forum, numbered, and the lines of its file that cannot be read."""
    rows, broken = forum(folder)
    return [{COLUMNS[0]: number, **row} for number, row in enumerate(rows, 1)], broken


def convert(folder: Path, address: str, engine: str) -> None:
    """Have the template's copy in ``folder`` collect its forum from the sandbox at ``address`` and from a lake."""
    write_lake(folder / LAKE, share(messages_of(folder)[0], "bigdata", PARTS))
    file = folder / _SOLUTION
    file.write_text(five(file.read_text(encoding="utf-8"), address, engine), encoding="utf-8")


def five(text: str, address: str, engine: str) -> str:
    """The solution file of the template whose source ``forum`` is three sources of other kinds."""
    sources = _SOURCES.replace("ADDRESS", address).replace("ENGINE", engine)
    for french, english in _WAYS:
        sources = sources.replace("EVIDENCE", _EVIDENCE.replace("WAY_FR", french).replace("WAY_EN", english), 1)
    columns = "{" + ", ".join(f"{name}: {name}" for name in COLUMNS[1:]) + "}"
    mapping = "".join(f"      {name}: {columns}\n" for name in _NAMES)
    text = _once(r"^  forum: .*?(?=^  school: )", sources, text)
    text = _once(r"^      forum: \{.*?\}\n", mapping, text)
    for old, new in _WORDS:
        text = _once(re.escape(old), new, text)
    return text


def _once(pattern: str, new: str, text: str) -> str:
    changed, count = re.subn(pattern, lambda found: new, text, flags=re.M | re.S)
    if count != 1:
        raise RuntimeError(f"{pattern} occurs {count} times in the template's solution.yaml")
    return changed
