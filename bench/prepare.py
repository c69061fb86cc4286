"""Preparing rows: the stage against a hand-written DuckDB script and pandas that do the same.

    python bench/prepare.py [--rows 1000000] [--repeat 3] [--json FILE]

12 rules on made-up orders: white space and NFC, HTML entities, a folded category, an integer, a French amount, two
forms of dates with a time zone, a truth value, a bound, a required column, a derived column, two rejects, unique with a
preference; kept rows and rejected rows (with every reason and the raw row as JSON) are written as Parquet in the order
of their ids. The stage also works out digests and the quality report, the others do not. Prints medians and ratios.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import duckdb

TABLE = {
    "from": {
        "orders": {
            "client": "Client", "city": "Ville", "level": "Niveau", "quantity": "Quantité", "amount": "Montant",
            "at": "Date", "paid": "Payé", "code": "Code",
        }
    },
    "columns": {
        "client": {"type": "text", "clean": ["html", "nfc", "spaces"], "required": True},
        "city": {"type": "text", "clean": ["fold"]},
        "level": {"type": "category", "values": ["beginner", "intermediate", "advanced"],
                  "map": {"débutant": "beginner", "intermédiaire": "intermediate", "avancé": "advanced"}},
        "quantity": {"type": "integer", "at_least": 1, "at_most": 1000},
        "amount": {"type": "decimal", "formats": ["fr"]},
        "at": {"type": "timestamp", "formats": ["%d/%m/%Y %H:%M", "iso"]},
        "paid": {"type": "boolean"},
        "code": {"type": "text", "replace": [{"pattern": "([A-Z]+)-([0-9]+)", "with": "\\2-\\1"}]},
        "price": {"type": "decimal", "expr": "amount / quantity"},
    },
    "reject": [
        {"when": "length(client) < 3", "because": {"fr": "client trop court", "en": "client too short"}},
        {"when": "paid and amount is null", "because": {"fr": "payé sans montant", "en": "paid without amount"}},
    ],
    "unique": {"by": ["code"], "prefer": "at desc"},
}  # fmt: skip


def make(path: Path, rows: int) -> None:
    """Raw rows as ``collect`` leaves them, about 6 % of them wrong somewhere and 1 % repeated."""
    with duckdb.connect() as connection:
        connection.execute(f"""
            COPY (
              SELECT 'orders:lot:' || lpad(i::VARCHAR, 9, '0') AS "_row_id", 'orders' AS "_source",
                CASE WHEN i % 50 = 0 THEN '' WHEN i % 9 = 0 THEN '  Société  Générale & fils ' || i
                     WHEN i % 11 = 0 THEN 'Caf&eacute; ' || i ELSE 'Établissements Martin ' || i END AS "Client",
                ['Paris','Orléans','SAINT-ÉTIENNE','Nîmes ',' Besançon'][1 + i % 5] AS "Ville",
                ['beginner','débutant','Avancé','INTERMEDIAIRE','advanced','expert'][1 + (i % 600)::INT // 118]
                  AS "Niveau",
                CASE WHEN i % 70 = 3 THEN 'douze' ELSE ((i * 7919) % 1003)::VARCHAR END AS "Quantité",
                ((i * 31) % 9 + 1)::VARCHAR || ' ' || lpad(((i * 17) % 1000)::VARCHAR, 3, '0') || ','
                  || lpad((i % 100)::VARCHAR, 2, '0') || ' €' AS "Montant",
                CASE WHEN i % 3 = 0
                       THEN strftime(TIMESTAMP '2024-01-01' + INTERVAL (i % 500000) MINUTE, '%Y-%m-%d %H:%M')
                     WHEN i % 90 = 1 THEN '31/02/2024 10:00'
                     ELSE strftime(TIMESTAMP '2024-01-01' + INTERVAL (i % 500000) MINUTE, '%d/%m/%Y %H:%M')
                     END AS "Date",
                ['oui','non','Oui','VRAI','faux'][1 + i % 5] AS "Payé",
                'REF-' || (CASE WHEN i % 100 = 7 THEN i - 1 ELSE i END)::VARCHAR AS "Code"
              FROM range({rows}) AS t(i) ORDER BY hash(i)
            ) TO '{path}' (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 65536)""")


# --- the stage


def stage(raw: Path, folder: Path) -> dict[str, int]:
    import pyarrow.parquet as pq

    from compagnon.chain.artifact import Artifact, ArtifactStore, Draft
    from compagnon.chain.clock import SystemClock
    from compagnon.chain.secrets import Secrets
    from compagnon.chain.stage import Context
    from compagnon.chain.workspace import Workspace
    from compagnon.spec.model import SourceOptions, Spec, Table
    from compagnon.stages.prepare import PrepareStage

    workspace = Workspace(folder)
    store = ArtifactStore(workspace)
    copy = workspace.scratch / "raw.parquet"
    workspace.prepare()
    os.link(raw, copy)
    rows = Artifact("rows", "raw", (store.put_segment("raw", Draft("raw.parquet", copy)),))
    spec = Spec(version=1, name="bench", timezone="Europe/Paris", sources={"orders": SourceOptions(kind="file")},
                tables={"orders": Table.model_validate(TABLE)})  # fmt: skip
    scratch = workspace.scratch / "run"
    scratch.mkdir()
    context = Context(spec, workspace, store, scratch, SystemClock(), Secrets(workspace), "run")
    context.inputs = {"rows/orders": rows}
    prepare = PrepareStage()
    start = time.perf_counter()
    prepare.run(prepare.instances(spec)[0], context)
    stage.seconds = time.perf_counter() - start  # type: ignore[attr-defined]
    kept, aside = (store.paths(context.emitted[f"{kind}/orders"])[0] for kind in ("table", "quarantine"))
    return {"kept": pq.read_metadata(kept).num_rows, "aside": pq.read_metadata(aside).num_rows}


# --- by hand


def by_hand(raw: Path, folder: Path) -> dict[str, int]:
    import html

    import pyarrow as pa

    white = r"[\s\x0B\x{85}\x{A0}\x{1680}\x{2000}-\x{200A}\x{2028}\x{2029}\x{202F}\x{205F}\x{3000}]+"
    start = time.perf_counter()
    with duckdb.connect() as c:
        c.execute("SET TimeZone = 'UTC'")
        text = duckdb.sqltype("VARCHAR")
        c.create_function(
            "unescape", lambda a: pa.array([html.unescape(t) for t in a.to_pylist()]), [text], text, type="arrow"
        )
        c.execute(f"CREATE MACRO collapse(s) AS trim(regexp_replace(s, '{white}', ' ', 'g'))")
        c.execute("CREATE MACRO fold(s) AS lower(strip_accents(collapse(s)))")
        c.execute(f"""
            CREATE TEMP TABLE cleaned AS
            WITH texts AS (
              SELECT "_row_id" AS row_id, "_source" AS source,
                nullif(collapse(nfc_normalize(
                  CASE WHEN contains("Client", '&') THEN unescape("Client") ELSE "Client" END)), '') AS client,
                nullif(fold("Ville"), '') AS city, fold("Niveau") AS level_, trim("Quantité") AS quantity_,
                trim("Montant") AS amount_, trim("Date") AS at_, lower(trim("Payé")) AS paid_,
                regexp_replace("Code", '([A-Z]+)-([0-9]+)', '\\2-\\1', 'g') AS code,
                struct_pack("Client" := "Client", "Ville" := "Ville", "Niveau" := "Niveau", "Quantité" := "Quantité",
                  "Montant" := "Montant", "Date" := "Date", "Payé" := "Payé", "Code" := "Code") AS raw
              FROM '{raw}'),
            typed AS (
              SELECT *,
                MAP {{'beginner': 'beginner', 'debutant': 'beginner', 'intermediate': 'intermediate',
                     'intermediaire': 'intermediate', 'advanced': 'advanced', 'avance': 'advanced'}}[level_] AS level,
                CASE WHEN regexp_full_match(quantity_, '[+-]?[0-9]+') THEN try_cast(quantity_ AS BIGINT)
                  END AS quantity,
                CASE WHEN regexp_full_match(amount_, '[+-]?([0-9]{{1,3}}(\\s[0-9]{{3}})+|[0-9]+)(,[0-9]+)?\\s*€?')
                  THEN try_cast(replace(regexp_replace(amount_, '[^0-9,+-]', '', 'g'), ',', '.') AS DECIMAL(18,2))
                  END AS amount,
                coalesce(try_strptime(at_, '%d/%m/%Y %H:%M'), try_cast(at_ AS TIMESTAMP))
                  AT TIME ZONE 'Europe/Paris' AS moment,
                CASE WHEN paid_ IN ('oui','vrai','true','yes','1') THEN true
                  WHEN paid_ IN ('non','faux','false','no','0') THEN false END AS paid
              FROM texts),
            derived AS (SELECT *, try_cast(amount / quantity AS DECIMAL(18,2)) AS price FROM typed)
            SELECT row_id, source, client, city, level, quantity, amount, moment, paid, code, price, raw,
              list_filter([
                CASE WHEN client IS NULL THEN 'client: empty' END,
                CASE WHEN level_ <> '' AND level IS NULL THEN 'level: unknown' END,
                CASE WHEN quantity_ <> '' AND quantity IS NULL THEN 'quantity: not a whole number' END,
                CASE WHEN quantity < 1 THEN 'quantity: below 1' END,
                CASE WHEN quantity > 1000 THEN 'quantity: above 1000' END,
                CASE WHEN amount_ <> '' AND amount IS NULL THEN 'amount: not a decimal' END,
                CASE WHEN at_ <> '' AND moment IS NULL THEN 'at: not a moment' END,
                CASE WHEN paid_ <> '' AND paid IS NULL THEN 'paid: neither' END,
                CASE WHEN length(client) < 3 THEN 'client too short' END,
                CASE WHEN paid AND amount IS NULL THEN 'paid without amount' END], lambda r: r IS NOT NULL) AS reasons
            FROM derived""")
        c.execute("""
            CREATE TEMP TABLE ranked AS SELECT row_id, row_number() OVER
              (PARTITION BY code ORDER BY moment DESC NULLS LAST, row_id) AS place
            FROM cleaned WHERE len(reasons) = 0 AND code IS NOT NULL""")
        c.execute(f"""COPY (SELECT * EXCLUDE (raw, reasons) FROM cleaned WHERE len(reasons) = 0
            AND row_id NOT IN (SELECT row_id FROM ranked WHERE place > 1) ORDER BY row_id)
            TO '{folder}/kept.parquet' (COMPRESSION zstd)""")
        c.execute(f"""COPY (SELECT row_id, source, to_json(raw)::VARCHAR AS raw,
              CASE WHEN len(reasons) = 0 THEN ['duplicate'] ELSE reasons END AS reasons FROM cleaned
            WHERE len(reasons) > 0 OR row_id IN (SELECT row_id FROM ranked WHERE place > 1) ORDER BY row_id)
            TO '{folder}/aside.parquet' (COMPRESSION zstd)""")
        by_hand.seconds = time.perf_counter() - start  # type: ignore[attr-defined]
        return {
            n: c.execute(f"SELECT count(*) FROM '{folder}/{n}.parquet'").fetchall()[0][0] for n in ("kept", "aside")
        }


# --- pandas


def with_pandas(raw: Path, folder: Path) -> dict[str, int]:
    import html
    import unicodedata

    import pandas as pd

    start = time.perf_counter()
    frame = pd.read_parquet(raw)
    given = frame.drop(columns=["_row_id", "_source"])

    def fold(texts: pd.Series[str]) -> pd.Series[str]:
        known = {t: unicodedata.normalize("NFD", " ".join(t.split())) for t in texts.unique()}
        return texts.map({t: "".join(c for c in n if not unicodedata.combining(c)).lower() for t, n in known.items()})

    out = pd.DataFrame({"row_id": frame["_row_id"], "source": frame["_source"]})
    client = frame["Client"]
    entity = client.str.contains("&", regex=False)
    client = client.where(~entity, client[entity].map(html.unescape))
    client = client.str.normalize("NFC").str.replace(r"\s+", " ", regex=True).str.strip()
    out["client"] = client.where(client != "", None)
    out["city"] = fold(frame["Ville"])
    levels = {"beginner": "beginner", "debutant": "beginner", "intermediate": "intermediate",
    "intermediaire": "intermediate",
              "advanced": "advanced", "avance": "advanced"}  # fmt: skip
    out["level"] = fold(frame["Niveau"]).map(levels)
    quantity = frame["Quantité"].str.strip()
    out["quantity"] = pd.to_numeric(quantity.where(quantity.str.fullmatch(r"[+-]?[0-9]+")), errors="coerce").astype(
        "Int64"
    )
    amount = frame["Montant"].str.replace(r"[\s€]", "", regex=True).str.replace(",", ".", regex=False)
    out["amount"] = pd.to_numeric(amount, errors="coerce").round(2)
    at = pd.to_datetime(frame["Date"], format="%d/%m/%Y %H:%M", errors="coerce")
    at = at.fillna(pd.to_datetime(frame["Date"], format="%Y-%m-%d %H:%M", errors="coerce"))
    out["at"] = at.dt.tz_localize("Europe/Paris", ambiguous=False, nonexistent="shift_forward").dt.tz_convert("UTC")
    truth = {"oui": True, "vrai": True, "non": False, "faux": False}
    out["paid"] = frame["Payé"].str.strip().str.lower().map(truth).astype("boolean")
    out["code"] = frame["Code"].str.replace(r"([A-Z]+)-([0-9]+)", r"\2-\1", regex=True)
    out["price"] = (out["amount"] / out["quantity"].where(out["quantity"] != 0)).astype("Float64").round(2)
    rules: dict[str, Any] = {
        "client: empty": out["client"].isna(),
        "level: unknown": out["level"].isna(),
        "quantity: not a whole number": out["quantity"].isna(),
        "quantity: below 1": (out["quantity"] < 1).fillna(False),
        "quantity: above 1000": (out["quantity"] > 1000).fillna(False),
        "amount: not a decimal": out["amount"].isna(),
        "at: not a moment": out["at"].isna(),
        "paid: neither": out["paid"].isna(),
        "client too short": (out["client"].str.len() < 3).fillna(False),
        "paid without amount": (out["paid"] & out["amount"].isna()).fillna(False),
    }
    reasons = pd.Series([""] * len(out), index=out.index)
    for text, wrong in rules.items():
        reasons = reasons.where(~wrong.astype(bool), reasons + text + "; ")
    good = out[reasons == ""].sort_values(["at", "row_id"], ascending=[False, True], na_position="last")
    double = good.duplicated("code")
    kept = good[~double].sort_values("row_id")
    reasons.loc[double[double].index] = "duplicate"
    aside = reasons[reasons != ""]
    rejected = pd.DataFrame({"row_id": out["row_id"].loc[aside.index], "source": "orders", "reasons": aside})
    rejected["raw"] = given.loc[aside.index].to_json(orient="records", lines=True, force_ascii=False).splitlines()
    kept.to_parquet(folder / "kept.parquet", compression="zstd", index=False)
    rejected.sort_values("row_id").to_parquet(folder / "aside.parquet", compression="zstd", index=False)
    with_pandas.seconds = time.perf_counter() - start  # type: ignore[attr-defined]
    return {"kept": len(kept), "aside": len(rejected)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--only", choices=["stage", "by_hand", "with_pandas"], action="append")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    runners: list[Any] = [f for f in (stage, by_hand, with_pandas) if not options.only or f.__name__ in options.only]
    seconds: dict[str, list[float]] = {f.__name__: [] for f in runners}
    cpu: dict[str, list[float]] = {f.__name__: [] for f in runners}
    counts: dict[str, dict[str, int]] = {}
    with tempfile.TemporaryDirectory() as base:
        raw = Path(base) / "raw.parquet"
        make(raw, options.rows)
        for turn in range(options.repeat):
            for runner in runners:
                folder = Path(base) / f"{runner.__name__}{turn}"
                folder.mkdir()
                start = time.process_time()
                counts[runner.__name__] = runner(raw, folder)
                cpu[runner.__name__].append(time.process_time() - start)
                seconds[runner.__name__].append(runner.seconds)
    medians = {name: statistics.median(found) for name, found in seconds.items()}
    for name, median in medians.items():
        ratio = f"  stage / this: {medians['stage'] / median:.2f}" if "stage" in medians else ""
        used = statistics.median(cpu[name])
        print(
            f"{name:12} {median:7.2f} s, processors {used:6.2f} s  {counts[name]}  "
            f"{[round(s, 2) for s in seconds[name]]}{ratio}"
        )
    if options.json:
        options.json.write_text(
            json.dumps({"rows": options.rows, "medians": medians, "counts": counts}, indent=1) + "\n"
        )


if __name__ == "__main__":
    main()
