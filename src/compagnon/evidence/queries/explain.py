"""What the optimization of a query is worth: plan, rows and time before and after, kept as a run of the ledger."""

from __future__ import annotations

import json
import secrets as random
import shutil
import statistics
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from compagnon.chain import digest as digests
from compagnon.chain.artifact import Artifact, ArtifactStore, Draft
from compagnon.chain.fact import fact
from compagnon.chain.ledger import Ledger
from compagnon.chain.run import Output, Run
from compagnon.chain.runner import Chain
from compagnon.errors import UserError
from compagnon.evidence.queries import engines
from compagnon.evidence.queries.header import FOLDER, WITHOUT_INDEX, Query
from compagnon.i18n import _
from compagnon.spec.model import Spec
from compagnon.stages.collect import paths
from compagnon.stages.collect import query as reading

if TYPE_CHECKING:
    import pyarrow as pa

TIMES = 7
"""How often each form is asked; the median time is kept."""


@dataclass(frozen=True)
class Form:
    """A query as it is, or as it was before its optimization."""

    sql: str
    plan: str
    rows: int
    seconds: float
    digest: str


def source_of(query: Query, spec: Spec) -> str | None:
    """The source that answers: the one the header names, else the one that names the file; None: the tables.

    Raises UserError ``query.unknown-source``.
    """
    if query.on is not None:
        if query.on not in spec.sources:
            raise UserError(
                "query.unknown-source",
                _("The header of {name} names the source {source}, which is not declared.").format(
                    name=query.name, source=query.on
                ),
                next=_("Sources: {names}.").format(names=", ".join(spec.sources) or "—"),
            )
        return query.on
    file = f"{FOLDER}/{query.path.name}"
    return next((name for name, options in spec.sources.items() if getattr(options, "query", None) == file), None)


def explain(query: Query, chain: Chain) -> tuple[Run, dict[str, Any]]:
    """Ask ``query`` and its form of before, compare, and append the run ``query/NAME``; the run and its plans.

    Raises UserError ``query.wrong``, ``query.no-engine``, ``query.no-index``, ``query.before-missing``.
    """
    source = source_of(query, chain.spec)
    started, run_id = chain.clock.now(), random.token_hex(6)
    begun = chain.clock.monotonic()
    scratch = chain.workspace.scratch / run_id
    scratch.mkdir(mode=0o700, parents=True)
    try:
        engine, after, before = _measured(query, source, chain, scratch)
        document: dict[str, Any] = {
            "engine": engine,
            "source": source,
            "after": {"sql": after.sql, "plan": after.plan},
            "before": {"sql": before.sql, "plan": before.plan, "how": query.before} if before else None,
        }
        path = scratch / "plan.json"
        path.write_text(json.dumps(document, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        segment = chain.artifacts.put_segment("clean", Draft("plan.json", path))
        artifact = Artifact("plan", "clean", (segment,), {"query": query.name})
        chain.artifacts.put(artifact)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    facts = [fact("query_rows", after.rows), fact("query_time", after.seconds)]
    warnings = []
    if before:
        facts += [fact("query_rows_before", before.rows), fact("query_time_before", before.seconds)]
        if before.digest != after.digest:
            warnings.append(_("The query does not give the same rows as before its optimization."))
    if query.missing:
        warnings.append(_("The header does not say: {parts}.").format(parts=", ".join(query.missing)))
    chain.ledger.add_spec(chain.spec_digest, chain.spec_text)
    duration = round(chain.clock.monotonic() - begun, 3)
    run = Run(
        id=run_id,
        stage=f"query/{query.name}",
        status="done",
        key={"query": digests.of_value(query.sql)},
        started=started,
        ended=chain.clock.now(),
        reason=_("asked by compagnon query explain"),
        spec=chain.spec_digest,
        outputs=(Output(f"plan/{query.name}", "plan", "clean", artifact.digest, 0),),
        facts=(*facts, fact("duration", duration)),
        warnings=tuple(warnings),
    )
    chain.ledger.append(run)
    return run, document


def last(query: Query, ledger: Ledger, artifacts: ArtifactStore) -> tuple[Run, dict[str, Any]] | None:
    """The last run of ``query`` with its plans, if there is one."""
    run = ledger.last(f"query/{query.name}")
    output = run.output(f"plan/{query.name}") if run else None
    artifact = artifacts.get(output.zone, output.digest) if output else None
    if run is None or artifact is None:
        return None
    return run, json.loads(artifacts.path(artifact, "plan.json").read_text(encoding="utf-8"))


def is_current(query: Query, run: Run) -> bool:
    """Whether the query is still the one that was measured."""
    return run.key.get("query") == digests.of_value(query.sql)


def _measured(query: Query, source: str | None, chain: Chain, scratch: Path) -> tuple[str, Form, Form | None]:
    given = (source, chain.spec, chain.workspace, chain.secrets, scratch)
    sql = reading.checked(query.sql, query.path.name)
    with engines.ready(*given) as asked:
        if query.before is None:
            (after,) = _forms([(sql, asked)], chain)
            return asked.engine, after, None
        if query.before == WITHOUT_INDEX:
            with engines.ready(*given, indexes=False) as without:
                before, after = _forms([(sql, without), (sql, asked)], chain)
        else:
            old = reading.checked(_before(query), query.before)
            before, after = _forms([(old, asked), (sql, asked)], chain)
        return asked.engine, after, before


def _before(query: Query) -> str:
    try:
        paths.check(query.before or "")
        return (query.path.parent / (query.before or "")).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(
            "query.before-missing",
            _("The header of {name} names {path}, which cannot be read.").format(name=query.name, path=query.before),
            next=_("Write there the query as it was, or: before: without index"),
        ) from error


def _forms(asked: list[tuple[str, engines.Asked]], chain: Chain) -> list[Form]:
    """Each (query, engine) measured: in turns, so that a moment when the machine is busy weighs on all alike."""
    # Once for nothing: what the disk brings is then in memory for each form.
    tables = [engine.rows(sql) for sql, engine in asked]
    times: list[list[float]] = [[] for _form in asked]
    for _turn in range(TIMES):
        for place, (sql, engine) in enumerate(asked):
            start = chain.clock.monotonic()
            engine.rows(sql)
            times[place].append(chain.clock.monotonic() - start)
    return [
        Form(sql, engine.plan(sql), table.num_rows, round(statistics.median(found), 6), _digest(table))
        for (sql, engine), table, found in zip(asked, tables, times, strict=True)
    ]


def _digest(table: pa.Table) -> str:
    """Digest of the rows whatever their order."""
    import duckdb

    with duckdb.connect(config={"threads": 1}) as connection:
        connection.register("answer", table)
        return digests.of_table(connection.sql("SELECT * FROM answer ORDER BY ALL").to_arrow_table())
