"""``compagnon plan``."""

from __future__ import annotations

from collections.abc import Sequence

import click

from compagnon.chain.plan import Step
from compagnon.cli.command import Option, json_option, opened
from compagnon.cli.command import command as make
from compagnon.cli.output import marked, print_json, table
from compagnon.i18n import N_, _, ngettext

ALL = "*"


def to_option() -> Option:
    return Option(["--to"], metavar="STAGE", help=N_("Go as far as this stage (train/topic) or kind of stage (train)."))


def refresh_option() -> Option:
    return Option(
        ["--refresh"],
        metavar="[STAGE]",
        is_flag=False,
        flag_value=ALL,
        multiple=True,
        help=N_("Do this stage again though it is valid; may be repeated. Without a name: every stage."),
    )


def refreshed(names: Sequence[str], instances: Sequence[str]) -> frozenset[str]:
    """The stages that ``--refresh`` names, checked against those there are."""
    from compagnon.errors import UserError

    known = {*instances, *(name.partition("/")[0] for name in instances)}
    for name in names:
        if name != ALL and name not in known:
            raise UserError(
                "plan.unknown-stage",
                _("There is no stage {name} in this solution.").format(name=name),
                next=_("Stages: {names}.").format(names=", ".join(instances)),
            )
    return frozenset(instances) if ALL in names else frozenset(names)


@make(
    "plan",
    to_option(),
    refresh_option(),
    json_option(),
    help=N_(
        "Tell for each stage whether what the ledger holds is still valid, and why not: what `compagnon run` would do, "
        "without doing it. Sources are looked at, not collected."
    ),
    examples=[
        ("compagnon plan", N_("what a run would do now")),
        ("compagnon plan --to train/topic", N_("only what that stage needs")),
        ("compagnon plan --refresh collect", N_("as if every source had to be collected again")),
    ],
)
def command(to: str | None, refresh: tuple[str, ...], as_json: bool) -> None:
    with opened() as solution:
        names = [instance.id for instance in solution.chain.instances()]
        steps = solution.plan(to=to, refresh=refreshed(refresh, names))
        if as_json:
            print_json({"solution": solution.name, "stages": [as_dict(step) for step in steps]})
            return
        table(
            [_("Stage"), _("State"), _("Why")],
            [[step.instance.id, marked(step.state), step.reason] for step in steps],
        )
        todo = sum(not step.valid for step in steps)
        click.echo()
        click.echo(
            ngettext("{count} stage to do: compagnon run", "{count} stages to do: compagnon run", todo).format(
                count=todo
            )
            if todo
            else _("Nothing to do: everything is valid.")
        )


def as_dict(step: Step) -> dict[str, object]:
    """One step of a plan as JSON."""
    return {
        "name": step.instance.id,
        "state": step.state,
        "reason": step.reason,
        "run": step.run.id if step.run else None,
    }
