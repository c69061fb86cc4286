"""The command line: one file per command, loaded when it is called."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from compagnon.cli.command import LazyGroup, language_option, solution_option, version_option
from compagnon.i18n import N_

COMMANDS = {
    "new": ("compagnon.cli.new", N_("Make a solution from a template or from data.")),
    "check": ("compagnon.cli.check", N_("Report every mistake of solution.yaml at once.")),
    "plan": ("compagnon.cli.plan", N_("Tell what a run would do, and why.")),
    "run": ("compagnon.cli.run", N_("Do what is not valid, stage by stage.")),
    "status": ("compagnon.cli.status", N_("Show the state of each stage and what it found.")),
    "log": ("compagnon.cli.log", N_("Show the logbook: runs and notes, the latest first.")),
    "note": ("compagnon.cli.note", N_("Write in the logbook.")),
    "show": ("compagnon.cli.show", N_("Show a run or an artifact in full.")),
    "query": ("compagnon.cli.query", N_("Ask the stored tables, by SQL that only reads.")),
    "quarantine": ("compagnon.cli.quarantine", N_("See the rows that were set aside, and put them back.")),
    "export": ("compagnon.cli.export", N_("Write a stored table to a CSV, Parquet or JSON file.")),
    "document": ("compagnon.cli.document", N_("Write a quality report, a model card or the logbook to take away.")),
    "predict": ("compagnon.cli.predict", N_("Predict with a packaged model, without a server.")),
    "ask": ("compagnon.cli.ask", N_("Ask the tutor a question, answered with its sources.")),
    "knowledge": ("compagnon.cli.knowledge", N_("Check and search what the tutor knows.")),
    "prompt": ("compagnon.cli.prompt", N_("Try, score and ship the tutor's prompts.")),
    "handover": ("compagnon.cli.handover", N_("Take over the conversations that need a person.")),
    "faq": ("compagnon.cli.faq", N_("Let the FAQ grow from real questions without an answer.")),
    "serve": ("compagnon.cli.serve", N_("Serve the pages and the model API on this machine.")),
    "sandbox": ("compagnon.cli.sandbox", N_("Serve practice sources, to learn collecting on.")),
    "worker": ("compagnon.cli.worker", N_("Do the runs that pages and programs ask for.")),
    "provider": ("compagnon.cli.provider", N_("Set up, try and account for AI services.")),
    "key": ("compagnon.cli.key", N_("Make, list and revoke the keys of the API.")),
    "backup": ("compagnon.cli.backup", N_("Write the whole solution to one archive.")),
    "restore": ("compagnon.cli.restore", N_("Make a solution of a backup again, in an empty folder.")),
    "gc": ("compagnon.cli.gc", N_("Remove files that no kept run needs any more.")),
    "schema": ("compagnon.cli.schema", N_("Print the JSON Schema of solution.yaml, for editors.")),
    "doctor": ("compagnon.cli.doctor", N_("Tell what this machine can do.")),
}
"""Each command by name: the module that holds it as ``command``, and its line in ``compagnon --help``."""


def program() -> LazyGroup:
    """The ``compagnon`` command with its sub-commands, none of them loaded yet."""
    return LazyGroup(
        "compagnon",
        COMMANDS,
        help=N_(
            "Compagnon takes an AI solution, described by one file, from raw sources to a monitored application, and "
            "keeps the evidence."
        ),
        params=[solution_option(), language_option(), version_option()],
        examples=[
            ("compagnon new work/tutor --from tutor", N_("make the flagship solution in work/tutor")),
            ("compagnon -C work/tutor run", N_("do what is to be done there")),
            ("compagnon -C work/tutor serve", N_("see it in a browser")),
        ],
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line on ``arguments`` (those of the process by default); returns the exit code."""
    from compagnon.cli.failure import guarded

    return guarded(program(), list(sys.argv[1:] if arguments is None else arguments))
