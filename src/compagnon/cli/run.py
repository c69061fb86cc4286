"""``compagnon run``."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from compagnon.chain.plan import needed_for
from compagnon.cli.command import Option, json_option, opened
from compagnon.cli.command import command as make
from compagnon.cli.output import print_json_line
from compagnon.cli.plan import refresh_option, refreshed, to_option
from compagnon.cli.progress import Display, Quiet
from compagnon.cli.summary import print_summary, summary
from compagnon.errors import DONE, UserError
from compagnon.i18n import N_

if TYPE_CHECKING:
    from compagnon.chain.runner import Event


@make(
    "run",
    to_option(),
    refresh_option(),
    Option(["--quiet", "-q"], is_flag=True, help=N_("Print the summary only.")),
    json_option(N_("Print JSON lines: each event as it happens, then a summary.")),
    help=N_(
        "Do what is not valid, stage by stage, and add each run to the ledger. What is still valid is not computed "
        "again, and it is said. A stage that fails does not stop those that do not depend on it; Ctrl-C stops, and "
        "what was finished is kept. Indicators of the need that are missed are shown; they are not a failure."
    ),
    examples=[
        ("compagnon run", N_("do what is to be done")),
        ("compagnon run --to train/topic", N_("only what that stage needs")),
        ("compagnon run --refresh collect", N_("collect every source again, and what follows from it")),
        ("compagnon run --json", N_("events for a program, one JSON document a line")),
    ],
)
def command(to: str | None, refresh: tuple[str, ...], quiet: bool, as_json: bool) -> int:
    with opened() as solution:
        instances = solution.chain.instances()
        wanted = refreshed(refresh, [instance.id for instance in instances])
        count = len(needed_for(instances, to) if to else instances)
        done: dict[str, str] = {}
        display: Display | Quiet = Quiet() if quiet or as_json else Display(solution.name, count)

        def tell(event: Event) -> None:
            if event.kind != "progress":
                done[event.stage] = event.kind
            if as_json:
                print_json_line(event.as_dict())
            else:
                display.show(event)

        error: UserError | None = None
        with stoppable(), display:
            try:
                solution.run(to=to, refresh=wanted, on_event=tell)
            except UserError as failure:
                if not done:
                    raise
                error = failure
        about = summary(solution, done, error)
        if as_json:
            print_json_line(about)
        else:
            print_summary(about, error)
        return error.exit_code if error else DONE


@contextmanager
def stoppable() -> Iterator[None]:
    """Let SIGTERM end a run as Ctrl-C does: scratch removed, the job closed, what was finished kept."""

    def stop(_signal: int, _frame: Any) -> None:
        raise KeyboardInterrupt

    before: Callable[..., Any] | int | None = signal.getsignal(signal.SIGTERM)
    signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before or signal.SIG_DFL)
