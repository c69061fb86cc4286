"""``compagnon show``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from compagnon.chain.words import bytes_text, fact_text
from compagnon.cli.command import Argument, json_option, opened
from compagnon.cli.command import command as make
from compagnon.cli.output import cell, print_json, table
from compagnon.errors import UserError
from compagnon.i18n import N_, _, format_datetime, format_number

if TYPE_CHECKING:
    from compagnon.chain.artifact import Artifact
    from compagnon.chain.run import Output, Run
    from compagnon.solution import Solution


@make(
    "show",
    Argument(
        ["what"],
        metavar="RUN|STAGE|ARTIFACT",
        help=N_(
            "A run by the beginning of its id, a stage for its last run, or an artifact by the beginning of its digest."
        ),
    ),
    json_option(),
    help=N_("Show a run in full (why, read, made, found, with what), or an artifact with its files."),
    examples=[
        ("compagnon show train/topic", N_("the last run of a stage")),
        ("compagnon show 4f1c", N_("the run, or the artifact, whose name begins so")),
    ],
)
def command(what: str, as_json: bool) -> None:
    with opened() as solution:
        run = solution.current(what) or (_latest_failed(solution, what)) or solution.ledger.run(what)
        if run is not None:
            print_json(_run_document(solution, run)) if as_json else _show_run(solution, run)
            return
        found = solution.artifacts.find(what) if _is_digest(what) else []
        if len(found) == 1:
            print_json(_document(found[0])) if as_json else _show_artifact(solution, found[0])
            return
        if found:
            raise UserError(
                "show.ambiguous",
                _("Several artifacts begin with {name}.").format(name=what),
                next=_("Give more of its name."),
            )
        raise UserError(
            "show.unknown",
            _("There is no run, stage or artifact {name}.").format(name=what),
            next=_("Runs are listed by: compagnon log"),
        )


def _latest_failed(solution: Solution, stage: str) -> Run | None:
    return next(iter(solution.ledger.runs(stage, limit=1)), None)


def _is_digest(text: str) -> bool:
    return len(text) >= 4 and all(c in "0123456789abcdef" for c in text)


def _is_kept(solution: Solution, output: Output) -> bool:
    """Whether the files of an output are still there: ``compagnon gc`` removes those of old runs."""
    return solution.artifacts.get(output.zone, output.digest) is not None


def _run_document(solution: Solution, run: Run) -> dict[str, Any]:
    outputs = [{**vars(output), "kept": _is_kept(solution, output)} for output in run.outputs]
    return {**run.as_dict(), "outputs": outputs}


def _show_run(solution: Solution, run: Run) -> None:
    state = _("finished") if run.status == "done" else _("failed")
    click.secho(f"{run.stage} {run.id}", bold=True)
    lines = [
        (_("State"), state),
        (_("Why it ran"), run.reason),
        (_("Started (UTC)"), format_datetime(run.started)),
        (_("Ended (UTC)"), format_datetime(run.ended)),
        (_("solution.yaml"), run.spec[:12]),
    ]
    if run.error:
        lines.append((_("Failure"), str(run.error.get("what", ""))))
    _pairs(lines)
    _section(_("Read"), [f"{name}  {digest[:12]}" for name, digest in run.inputs.items()])
    _section(
        _("Made"),
        [
            f"{o.name}  {o.digest[:12]}"
            + ("  " + _("{rows} rows").format(rows=format_number(o.rows)) if o.rows else "")
            + ("" if _is_kept(solution, o) else "  " + _("(files no longer kept)"))
            for o in run.outputs
        ],
    )
    _section(_("Found"), [fact_text(f.name, f.value, f.unit) for f in run.facts])
    _section(_("Warnings"), list(run.warnings))
    _section(_("With"), [f"{name} {version}" for name, version in run.environment.items()])


def _show_artifact(solution: Solution, artifact: Artifact) -> None:
    click.secho(f"{artifact.kind} {artifact.digest}", bold=True)
    _pairs([(_("Zone"), artifact.zone), (_("Rows"), format_number(artifact.rows))])
    click.echo()
    paths = solution.artifacts.paths(artifact)
    table(
        [_("File"), _("Rows"), _("Size"), _("Place")],
        [
            [
                s.name,
                "" if s.rows is None else format_number(s.rows),
                bytes_text(s.size),
                str(path.relative_to(solution.root)),
            ]
            for s, path in zip(artifact.segments, paths, strict=True)
        ],
        right=frozenset({1, 2}),
    )
    _section(
        _("Description"),
        [_("{name}: {value}").format(name=name, value=cell(value, 100)) for name, value in artifact.meta.items()],
    )


def _document(artifact: Artifact) -> dict[str, Any]:
    return {
        "kind": artifact.kind,
        "digest": artifact.digest,
        "zone": artifact.zone,
        "rows": artifact.rows,
        "meta": artifact.meta,
        "segments": [segment.as_dict() for segment in artifact.segments],
    }


def _pairs(lines: list[tuple[str, str]]) -> None:
    longest = max(len(name) for name, _value in lines)
    for name, value in lines:
        click.echo(f"{name:<{longest}}  {value}")


def _section(title: str, lines: list[str]) -> None:
    if lines:
        click.echo("\n" + click.style(title, bold=True))
        for line in lines:
            click.echo(f"  {line}")
