"""``prepare_TABLE.sql``: the rules of a table as the SQL that the run executed, each with its name and meaning."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from compagnon.evidence.code import layout
from compagnon.spec.model import Column, Keep, Spec, Table, text_of
from compagnon.stages.prepare import engine, exits, reasons, text, work
from compagnon.stages.prepare.compiler import RowLocal, compile_source
from compagnon.stages.prepare.expressions import literal, quoted
from compagnon.stages.prepare.overlay import Input

if TYPE_CHECKING:
    import duckdb

_STEPS = {
    "nfc": "accents écrits d'une seule façon (Unicode NFC)",
    "spaces": "espaces de toutes sortes ramenées à une seule, aucune aux bords",
    "html": "entités HTML lues (&eacute; devient é)",
    "lower": "minuscules",
    "upper": "majuscules",
    "unaccent": "sans accents",
    "fold": "sans casse ni accents",
}
_HEADS = {
    "raw": "Ce que la source donne, sous le nom de la colonne",
    "text": "La valeur comme texte",
    "clean": "Nettoyage (clean)",
    "cleaned": "Valeur nettoyée, avant les remplacements",
    "replace": "Remplacements (replace)",
    "read": "Valeur lue, avant les correspondances",
    "map": "Valeurs prévues et autres façons d'écrire (values, map)",
    "typed": "La valeur dans son type",
    "expr": "Colonne calculée (expr)",
}


@dataclass(frozen=True)
class Prepared:
    """What is known of one table: its SQL and what leaves of each column."""

    name: str
    sql: str
    sources: tuple[str, ...]
    keeps: Mapping[str, Keep]


@dataclass
class _Recorder:
    """Stands where a connection is wanted, and keeps the statements."""

    statements: list[str] = field(default_factory=list)

    def execute(self, sql: str) -> None:
        self.statements.append(sql)


def prepared(name: str, spec: Spec, root: Path, raw: Mapping[str, Sequence[Path]], restored: Sequence[str]) -> Prepared:
    """The SQL of one table; ``raw`` has the files of each source's last collection, which say the types."""
    table = spec.tables[name]
    readable = [path for paths in raw.values() for path in paths]
    with engine.connect(threads=1, readable=readable) as connection:
        scene = work.make_scene(table, spec.timezone, root, connection)
        inputs = [work.view(source, table, raw[source], connection) for source in table.from_]
        compiled = [compile_source(table, i.source, i.relation, i.types, scene) for i in inputs]
        keeps = exits.of_table(table, connection)
    sections = [_title(name, table), _macros(), _restored(restored)]
    sections += [_rules(table, i, part) for i, part in zip(inputs, compiled, strict=True)]
    sections += [_rows(table, compiled[0]), _duplicates(table, compiled[0]), _ready(table, keeps, compiled[0])]
    sections.append(_aside(compiled[0]))
    return Prepared(name, "\n\n".join(sections) + "\n", tuple(table.from_), keeps)


def _title(name: str, table: Table) -> str:
    lines = [f"Table {name}" + (f" : {text_of(table.meaning, 'fr')}" if table.meaning else "")]
    lines += [
        "Règles de solution.yaml, telles que l'exécution les a traduites pour DuckDB.",
        f"Les sources sont lues par 2_prepare.py : {', '.join(_relation(s) for s in table.from_)}.",
        "Une règle ne regarde qu'une ligne ; chaque étape (WITH) part de la précédente.",
    ]
    return layout.comment("\n".join(lines))


def _relation(source: str) -> str:
    return quoted(f"from.{source}")


def _restored(ids: Sequence[str]) -> str:
    head = layout.comment("Lignes remises par une personne : les rejets et les doublons ne les concernent pas")
    made = "CREATE TEMP TABLE restored (row_id VARCHAR);"
    if ids:
        made += "\nINSERT INTO restored VALUES\n    " + ",\n    ".join(f"({literal(i)})" for i in ids) + ";"
    return f"{head}\n{made}"


def _rules(table: Table, found: Input, compiled: RowLocal) -> str:
    ctes, final = layout.layers(layout.tidied(_named(compiled.sql, table)))
    notes = _Notes(table, found)
    texts = [f"{quoted(name)} AS (\n{_select(body, notes.of(name))}\n)" for name, body in ctes]
    _replaced, items, relation = layout.selected(final)
    kept = [item for item in items if not layout.target(item).startswith("@did")]
    lines = [_bits(item, compiled) if layout.target(item).startswith("@bad") else "    " + item for item in kept]
    head = layout.comment(f"Les règles pour les lignes de la source {found.source}")
    made = f"CREATE TEMP TABLE {quoted('rules.' + found.source)} AS\nWITH "
    return f"{head}\n{made}" + ",\n".join(texts) + "\nSELECT\n" + ",\n".join(lines) + f"\nFROM {relation};"


_MACROS = {
    "clean_fold": text.fold,
    "clean_outer_spaces": text.outer_spaces,
    "clean_spaces": text.spaces,
    "clean_nfc": text.nfc,
    "clean_html": text.html,
}
"""Steps whose SQL is long, each before those that it is made of."""


def _named(sql: str, table: Table) -> str:
    """``sql`` with the name of a macro where the compiler wrote the whole of a step."""
    for name in table.columns:
        column = quoted("@text." + name)
        for macro, step in _MACROS.items():
            sql = sql.replace(step(column), f"{macro}({column})")
    return sql


def _macros() -> str:
    """The macros, each under what it does."""
    said = {f"clean_{step}": words for step, words in _STEPS.items()}
    said["clean_outer_spaces"] = "sans espaces aux bords"
    made = [
        f"{layout.comment(said[macro])}\nCREATE TEMP MACRO {macro}(x) AS\n    {layout.wrapped(step('x'), 4)};"
        for macro, step in _MACROS.items()
    ]
    return "\n".join([layout.comment("Nettoyages dont le SQL est long, nommés une fois pour toutes"), *made])


def _select(body: str, notes: tuple[str, Mapping[str, str]]) -> str:
    head, by_target = notes
    replaced, items, relation = layout.selected(body)

    def lines(parts: Sequence[str], indent: int) -> str:
        found = []
        for place, item in enumerate(parts):
            note = by_target.get(layout.target(item))
            mark = "," if place + 1 < len(parts) else ""
            above = layout.comment(note, indent) + "\n" if note else ""
            found.append(f"{above}{' ' * indent}{layout.wrapped(item, indent)}{mark}")
        return "\n".join(found)

    shown = layout.comment(head, 4) + "\n    SELECT\n"
    if replaced:
        star = f"        * REPLACE (\n{lines(replaced, 12)}\n        )"
        shown += star + (",\n" + lines(items[1:], 8) if items[1:] else "")
    else:
        shown += lines(items, 8)
    return f"{shown}\n    FROM {relation}"


class _Notes:
    """The comment of each expression, by layer and column."""

    def __init__(self, table: Table, found: Input) -> None:
        self.table, self.found = table, found
        self.turns = {"clean": 0, "replace": 0}

    def of(self, layer: str) -> tuple[str, dict[str, str]]:
        kind = layer.rstrip("0123456789")
        if kind in ("text", "expr"):
            self.turns = {"clean": 0, "replace": 0}
        notes = {}
        for name, column in self.table.columns.items():
            prefix = {"raw": "@in.", "expr": "@in.", "cleaned": "@clean.", "read": "@read.", "typed": ""}
            notes[prefix.get(kind, "@text.") + name] = self._note(kind, name, column)
        if kind in self.turns:
            self.turns[kind] += 1
        return _HEADS.get(kind, kind), {target: note for target, note in notes.items() if note}

    def _note(self, kind: str, name: str, column: Column) -> str:
        meaning = text_of(column.meaning, "fr") if column.meaning else ""
        if kind == "raw":
            return f"{name} : {meaning}" if meaning else name
        if kind == "clean":
            steps = [*column.clean, *([] if column.type == "text" else [""]), None]
            step = steps[self.turns["clean"]] if self.turns["clean"] < len(steps) else None
            last = "un texte vide compte comme une valeur absente"
            words = last if step is None else f"{step} : {_STEPS[step]}" if step else "sans espaces aux bords"
            return f"{name} : {words}"
        if kind == "replace" and self.turns["replace"] < len(column.replace):
            rule = column.replace[self.turns["replace"]]
            return f"{name} : {rule.pattern} devient {rule.with_!r}"
        if kind == "map":
            return f"{name} : {text_count(column)}"
        if kind == "typed":
            entry = self.table.from_.get(self.found.source, {}).get(name)
            formats = (entry.formats if entry else ()) or column.formats
            unit = f", {entry.unit} → {column.unit}" if entry and entry.unit and entry.unit != column.unit else ""
            return f"{name} : {column.type}" + (f" ({', '.join(formats)})" if formats else "") + unit
        if kind == "expr" and column.expr is not None:
            return f"{name} : {column.expr.strip()}" + (f"\n{meaning}" if meaning else "")
        return ""


def text_count(column: Column) -> str:
    """What ``values`` and ``map`` say of a column, in words."""
    listed = "une valeur prévue, sinon rien" if column.values else "toute valeur est gardée"
    return f"{listed} ; {len(column.map)} autres façons d'écrire" if column.map else listed


def _bits(item: str, compiled: RowLocal) -> str:
    """The reasons of a row as bits of a number: one line a reason, with its code and its words."""
    name = layout.target(item)
    inner = item.removeprefix("CAST(").rpartition(" AS BIGINT)")[0]
    first = int(name.removeprefix("@bad")) * reasons.BITS
    lines = []
    parts = layout.split(inner, "+")
    for place, part in enumerate(parts):
        weight = part.rpartition(" THEN ")[2].partition(" ")[0]
        if part != "0":
            reason = compiled.reasons[first + int(weight).bit_length() - 1]
            lines.append(layout.comment(f"{reason.code} : {reason.fr}", 8))
        lines.append(f"        {layout.wrapped(part, 8)}" + (" +" if place + 1 < len(parts) else ""))
    return "    CAST(\n" + "\n".join(lines) + f"\n    AS BIGINT) AS {quoted(name)}"


def _rows(table: Table, compiled: RowLocal) -> str:
    union = "\nUNION ALL\n".join(f"SELECT * FROM {quoted('rules.' + source)}" for source in table.from_)
    cleared = ", ".join(f'"@bad{word}" = 0' for word in range(reasons.words(len(compiled.reasons))))
    return (
        layout.comment("Toutes les sources ensemble")
        + f"\nCREATE TEMP TABLE rows AS\n{union};\n"
        + f"UPDATE rows SET {cleared} WHERE row_id IN (SELECT row_id FROM restored);"
    )


def _duplicates(table: Table, compiled: RowLocal) -> str:
    recorder: Any = _Recorder()
    connection: duckdb.DuckDBPyConnection = recorder
    work.find_duplicates(table, compiled, connection)
    rule = "unique : non demandé, aucune ligne n'est un doublon"
    if table.unique is not None:
        prefer = ", ".join(table.unique.prefer) or "row_id"
        rule = f"unique : une seule ligne par {', '.join(table.unique.by)} ; on garde la première selon {prefer}"
    lines = [line.strip() for line in recorder.statements[0].strip().splitlines()]
    return layout.comment(rule) + "\n" + "\n".join(lines) + ";"


def _ready(table: Table, keeps: Mapping[str, Keep], compiled: RowLocal) -> str:
    names = [name for name in table.columns if keeps[name] != "drop"]
    source = [] if "source" in table.columns else ['"@source" AS source']
    items = ["row_id", *source, *(quoted(name) for name in names)]
    dropped = [name for name in table.columns if keeps[name] == "drop"]
    notes = "Les lignes gardées" + (f" ; restent en zone brute : {', '.join(dropped)}" if dropped else "")
    return (
        layout.comment(notes + "\nPseudonymes et masques sont posés ensuite par 2_prepare.py")
        + "\nCREATE TEMP VIEW ready AS\nSELECT "
        + ", ".join(items)
        + f"\nFROM rows\nWHERE {work.good(reasons.words(len(compiled.reasons)))}"
        + "\n    AND row_id NOT IN (SELECT row_id FROM duplicates);"
    )


def _aside(compiled: RowLocal) -> str:
    """The quarantine: each row with all its reasons."""
    words = work.good(reasons.words(len(compiled.reasons)))
    cases = []
    for index, reason in enumerate(compiled.reasons):
        said = f"{reason.code}" + (f" ({reason.column})" if reason.column else "")
        cases.append(f"        CASE WHEN {reasons.bit('@bad', index)} THEN {literal(f'{said} : {reason.fr}')} END")
    cases.append(f"        CASE WHEN kept IS NOT NULL THEN {literal(reasons.DUPLICATE.fr + ' : ')} || kept END")
    return (
        layout.comment("La quarantaine : les lignes mises de côté, avec toutes leurs raisons")
        + '\nCREATE TEMP VIEW aside AS\nSELECT row_id, "@source" AS source,\n    list_filter([\n'
        + ",\n".join(cases)
        + "\n    ], lambda r: r IS NOT NULL) AS reasons\nFROM rows LEFT JOIN duplicates USING (row_id)\n"
        + f"WHERE NOT ({words}) OR kept IS NOT NULL;"
    )


_SCRIPT = '''"""Étape 2 : préparer. Applique les règles de prepare_TABLE.sql et écrit tables/ et quarantine/."""

{imports}
import duckdb
import pyarrow.parquet as pq

{helpers}

HERE = Path(__file__).resolve().parent
{key}
# Chaque table : ses sources, et ce qui sort de la zone brute pour les colonnes personnelles.
TABLES = {{
{tables}}}


def prepare(table, sources, exits):
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        text = duckdb.sqltype("VARCHAR")
        decode = lambda texts: decode_entities(texts)
        connection.create_function("html_decode", decode, [text], text, type="arrow")
        for source in sources:
            raw = str(HERE / "raw" / (source + ".parquet")).replace("'", "''")
            connection.execute(f"CREATE VIEW \\"from.{{source}}\\" AS SELECT * FROM read_parquet('{{raw}}')")
        connection.execute((HERE / f"prepare_{{table}}.sql").read_text(encoding="utf-8"))
        rows = connection.sql("SELECT * FROM ready ORDER BY row_id").to_arrow_table()
        aside = connection.sql("SELECT * FROM aside ORDER BY row_id").to_arrow_table()
    for name, exit in exits.items():
        place = rows.column_names.index(name)
        column = rows.column(place)
{applied}
        rows = rows.set_column(place, name, column)
    for folder, found in (("tables", rows), ("quarantine", aside)):
        (HERE / folder).mkdir(exist_ok=True)
        pq.write_table(found, HERE / folder / f"{{table}}.parquet", compression="zstd")
    print(table, ":", rows.num_rows, "lignes prêtes,", aside.num_rows, "mises de côté")


for table, (sources, exits) in TABLES.items():
    prepare(table, sources, exits)
'''
_KEY = """# La clé des pseudonymes n'est écrite nulle part ici. Avec celle de la solution (.compagnon/secrets), les
# pseudonymes sont les mêmes que les siens ; avec une autre, d'autres signes, et les mêmes lignes.
KEY = bytes.fromhex(os.environ["COMPAGNON_PSEUDONYM_KEY"])
"""


def script(tables: Sequence[Prepared], keyed: bool) -> str:
    """``2_prepare.py`` for ``tables``; ``keyed``: some column leaves as a pseudonym, which needs the key."""
    entries = []
    exits_used = set()
    for table in tables:
        leaving = {name: keep for name, keep in table.keeps.items() if keep in ("pseudonym", "mask")}
        exits_used |= set(leaving.values())
        entries.append(f"    {table.name!r}: ({list(table.sources)!r}, {leaving!r}),\n")
    applied = []
    if "pseudonym" in exits_used:
        applied += ['        if exit == "pseudonym":', "            column = pseudonyms(column, KEY)"]
    if "mask" in exits_used:
        applied += [
            '        if exit == "mask" and str(column.type) == "string":',
            "            column, _ = mask(column)",
        ]
    wanted = ["from helpers.entities import decode_entities"]
    wanted += ["from helpers.masks import mask"] if "mask" in exits_used else []
    wanted += ["from helpers.pseudonyms import pseudonyms"] if "pseudonym" in exits_used else []
    return _SCRIPT.format(
        imports=("import os\n" if keyed else "") + "from pathlib import Path\n",
        helpers="\n".join(wanted),
        key=_KEY if keyed else "",
        tables="".join(entries),
        applied="\n".join(applied) or "        pass",
    )
