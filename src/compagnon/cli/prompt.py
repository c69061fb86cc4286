"""``compagnon prompt``: prompts tried side by side, scored on questions, compared and shipped."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from compagnon.cli.command import Argument, Group, Option, json_option, opened
from compagnon.cli.command import command as make
from compagnon.cli.output import cell, print_json, table
from compagnon.i18n import N_, _, format_number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from compagnon.services.tutor.prompts.compare import Difference
    from compagnon.services.tutor.prompts.measure import Heard, Values
    from compagnon.services.tutor.prompts.play import Step
    from compagnon.services.tutor.prompts.variant import Variant

command = Group(
    "prompt",
    help=N_(
        "Try prompts of the tutor side by side, score them on a set of questions, and ship one where no stated measure "
        "gets worse. A prompt is a file that begins with its version; only a service that writes reads it: `extract` "
        "does not."
    ),
    examples=[
        ('compagnon prompt try "C\'est quoi le dropout ?" --prompt prompts/b.md', N_("beside the prompt that is used")),
        ("compagnon prompt score --prompt prompts/b.md", N_("play the set of questions, and keep the scores")),
        ("compagnon prompt ship prompts/b.md", N_("use it, if nothing got worse")),
    ],
)

_SET = N_("File of questions (JSON Lines); questions.jsonl beside the prompt by default.")
_WHO = N_("The service that writes: one of `providers`.")


def _questions() -> Option:
    return Option(["--questions"], metavar="FILE", help=_SET)


def _provider() -> Option:
    return Option(["--provider"], metavar="NAME", help=_WHO)


@make(
    "list",
    json_option(),
    help=N_("List the prompt that is used, the others beside it, earlier versions, and the last scores."),
    examples=[("compagnon prompt list --json", N_("for a program"))],
)
def list_(as_json: bool) -> None:
    from compagnon.services.tutor.prompts import scores
    from compagnon.services.tutor.prompts.variant import found

    with opened() as solution:
        variants, latest = found(solution), scores.latest(solution.engine)
        if as_json:
            known = [{**each.as_dict(), "used": each is variants[0]} for each in variants]
            print_json({"prompts": known, "scores": [each.as_dict() for each in latest]})
            return
        rows = [
            (each.name, each.version, each.digest[:12], _("used") if each is variants[0] else "") for each in variants
        ]
        table((_("Prompt"), _("Version"), _("Digest"), ""), rows)
        for score in latest:
            name = score.variant.name or score.variant.digest[:12]
            click.echo()
            head = _("{name} ({digest}): {played} of {count} questions of {set}, {provider} {model}").format(
                name=name, digest=score.variant.digest[:12], played=score.played, count=score.count,
                set=score.questions, provider=score.provider, model=score.model,
            )  # fmt: skip
            click.echo(head)
            _show_means(score.means)


@make(
    "try",
    Argument(["question"], metavar="QUESTION", help=N_("What one asks.")),
    Option(
        ["--prompt", "prompts"],
        multiple=True,
        metavar="FILE",
        help=N_("A prompt to try; again for another. Alone, it stands beside the prompt that is used."),
    ),
    _provider(),
    Option(
        ["--level"],
        type=click.Choice(["beginner", "intermediate", "advanced"]),
        default="beginner",
        help=N_("Level of the answer; beginner by default."),
    ),
    json_option(),
    help=N_("Answer one question with several prompts, and say what the checks made of each answer."),
    examples=[
        (
            'compagnon prompt try "C\'est quoi le dropout ?" --prompt prompts/a.md --prompt prompts/b.md',
            N_("two prompts, one after the other"),
        ),
        (
            'compagnon prompt try "what is dropout?" --prompt prompts/b.md --provider mistral --json',
            N_("for a program"),
        ),
    ],
)
def try_(question: str, prompts: tuple[str, ...], provider: str | None, level: str, as_json: bool) -> None:
    from compagnon.services.tutor.prompts.play import Stage, hear_all
    from compagnon.services.tutor.prompts.questions import Asked
    from compagnon.services.tutor.prompts.variant import read_variant, shipped

    with opened() as solution:
        variants = [read_variant(solution, each) for each in prompts]
        if len(variants) < 2:
            variants.insert(0, shipped(solution))
        stage = Stage(solution, provider)
        asked = Asked.model_validate({"question": question, "level": level})
        heard = hear_all(stage, variants, asked)
        if as_json:
            print_json([_answer_dict(*each) for each in zip(variants, heard, strict=True)])
            return
        for variant, one in zip(variants, heard, strict=True):
            click.secho(f"── {variant.name} ({_('version')} {variant.version}, {variant.digest[:12]})", bold=True)
            click.echo(one.reply.answer)
            click.secho(_checks(one), dim=True)
            click.echo()
        if all(one.reply.refused for one in heard):
            click.echo(_("The search refuses this question before any prompt is read."))


@make(
    "score",
    Option(["--prompt"], metavar="FILE", help=N_("The prompt to play; the one that is used by default.")),
    _questions(),
    _provider(),
    Option(["--again"], is_flag=True, help=N_("Play every question again, also those that were played.")),
    json_option(),
    help=N_(
        "Play a set of questions with a prompt and keep what is measured of each answer. Stopped (Ctrl-C, a ceiling, a "
        "failure), it keeps what was played, and the same command goes on from there."
    ),
    examples=[
        ("compagnon prompt score", N_("the prompt that is used, to compare with")),
        ("compagnon prompt score --prompt prompts/b.md --provider mistral", N_("another one, by a named service")),
    ],
)
def score(prompt: str | None, questions: str | None, provider: str | None, again: bool, as_json: bool) -> int:
    from compagnon.cli.run import stoppable
    from compagnon.errors import DONE, FIXABLE
    from compagnon.services.tutor.prompts import scores
    from compagnon.services.tutor.prompts.play import Stage, play
    from compagnon.services.tutor.prompts.questions import read_questions
    from compagnon.services.tutor.prompts.variant import read_variant, shipped

    def tell(step: Step) -> None:
        failed = f"  {step.failed}" if step.failed else ""
        # Programs read standard output.
        click.echo(f"{step.done:>4}/{step.count}  {cell(step.question, 70)}{failed}", err=as_json)

    with opened() as solution, stoppable():
        variant = read_variant(solution, prompt) if prompt else shipped(solution)
        stage = Stage(solution, provider)
        conditions = stage.conditions(read_questions(solution, questions, stage.base))
        whole = play(stage, variant, conditions, again=again, on_step=tell)
        answers = scores.answers(solution.engine, variant.digest, conditions.digest)
        means = scores.means([answer.values for answer in answers])
        if as_json:
            print_json(
                {
                    **variant.as_dict(), "conditions": conditions.digest, "provider": conditions.provider,
                    "model": conditions.model, "played": len(answers), "count": len(conditions.questions),
                    "measures": means,
                    "answers": [{"question": each.question, "measures": each.values} for each in answers],
                }
            )  # fmt: skip
        else:
            played = _("{name}, version {version} ({digest}): {played} of {count} questions, {provider} {model}")
            click.echo(
                played.format(
                    name=variant.name, version=variant.version, digest=variant.digest[:12], played=len(answers),
                    count=len(conditions.questions), provider=conditions.provider, model=conditions.model,
                )
            )  # fmt: skip
            _show_means(means)
            if not whole:
                click.echo(_("Some questions were not answered: the same command goes on from there."))
        return DONE if whole else FIXABLE


@make(
    "compare",
    Argument(["before"], metavar="BEFORE", help=N_("File of the prompt to compare with.")),
    Argument(["after"], metavar="AFTER", help=N_("File of the other prompt.")),
    _questions(),
    _provider(),
    json_option(),
    help=N_(
        "Compare two prompts that were scored under the same conditions: each measure with its difference and an "
        "interval of 95 % over the questions, in pairs. Where the interval holds zero, nothing tells them apart."
    ),
    examples=[("compagnon prompt compare prompts/answer.md prompts/b.md", N_("what the second one changes"))],
)
def compare(before: str, after: str, questions: str | None, provider: str | None, as_json: bool) -> None:
    from compagnon.errors import Location, UserError
    from compagnon.services.tutor.prompts import scores
    from compagnon.services.tutor.prompts.compare import compare as differ
    from compagnon.services.tutor.prompts.play import Stage
    from compagnon.services.tutor.prompts.questions import read_questions
    from compagnon.services.tutor.prompts.variant import read_variant

    with opened() as solution:
        variants = [read_variant(solution, each) for each in (before, after)]
        stage = Stage(solution, provider)
        conditions = stage.conditions(read_questions(solution, questions, stage.base))
        both = [scores.answers(solution.engine, each.digest, conditions.digest) for each in variants]
        for variant, answers in zip(variants, both, strict=True):
            if not answers:
                raise UserError(
                    "prompt.no-scores",
                    _("This text of the prompt was not played under these conditions."),
                    where=Location(variant.name),
                    next=_("Play it: compagnon prompt score --prompt {file}").format(file=variant.name),
                )
        found = differ(*both)
        if as_json:
            named = {"before": variants[0].as_dict(), "after": variants[1].as_dict()}
            print_json({**named, "conditions": conditions.digest, "measures": [one.as_dict() for one in found]})
            return
        _show_differences(variants, found)


@make(
    "ship",
    Argument(["prompt"], metavar="PROMPT", help=N_("File of the prompt to use from now on.")),
    _questions(),
    _provider(),
    Option(
        ["--tolerance"],
        type=click.FloatRange(0, 1),
        default=0.05,
        help=N_("What a measure may lose; 0.05 by default, a question of a set of 24."),
    ),
    Option(["--yes"], is_flag=True, help=N_("Write without asking.")),
    Option(["--dry-run"], is_flag=True, help=N_("Show the difference, and write nothing.")),
    json_option(),
    help=N_(
        "Make a prompt the one that the tutor uses: next version, today's date, the version before kept in versions/. "
        "Refused (exit code 3) where it or the prompt in use was not played whole under these conditions, or where a "
        "measure lost more than the tolerance. The exact difference is shown first."
    ),
    examples=[
        ("compagnon prompt ship prompts/b.md --dry-run", N_("see whether it may, and what would change")),
        ("compagnon prompt ship prompts/b.md --yes", N_("for a script")),
    ],
)
def ship(
    prompt: str, questions: str | None, provider: str | None, tolerance: float, yes: bool, dry_run: bool, as_json: bool
) -> None:
    from compagnon.errors import UserError
    from compagnon.services.tutor.prompts import ship as shipping
    from compagnon.services.tutor.prompts.play import Stage
    from compagnon.services.tutor.prompts.questions import read_questions
    from compagnon.services.tutor.prompts.variant import read_variant, shipped
    from compagnon.solution import author

    with opened() as solution:
        variant = read_variant(solution, prompt)
        stage = Stage(solution, provider)
        conditions = stage.conditions(read_questions(solution, questions, stage.base))
        made = shipping.prepare(solution, variant, conditions, tolerance)
        if not as_json:
            _show_differences([shipped(solution), variant], made.differences)
            click.echo()
            click.echo(made.patch, nl=False)
        if not (yes or dry_run):
            if as_json:
                raise UserError("prompt.not-confirmed", _("With --json, give --yes or --dry-run."))
            click.confirm(_("Use this prompt from now on?"), abort=True)
        if not dry_run:
            shipping.write(solution, made, author())
        if as_json:
            print_json({**made.as_dict(), "written": not dry_run})
        elif not dry_run:
            click.echo(
                _("{file} is version {version}; the one before is {kept}.").format(
                    file=made.file, version=made.version, kept=made.kept_as
                )
            )


def _checks(heard: Heard) -> str:
    """What the checks made of an answer, in a line."""
    shown = sum(bool(line.citations) for line in heard.lines)
    parts = [
        _("lines kept: {kept}, left out: {dropped}").format(kept=shown, dropped=heard.reply.dropped),
        _("citations: {count}").format(count=len(heard.reply.citations)),
        _("written by: {provider}").format(provider=heard.reply.provider),
        _("{count} tokens").format(count=format_number(heard.reply.tokens)),
        f"{format_number(heard.seconds, 1)} s",
    ]
    if heard.reply.cost:
        parts.append(f"{heard.reply.cost:.5f} USD")
    return " · ".join(parts)


def _answer_dict(variant: Variant, heard: Heard) -> dict[str, object]:
    shown = [line for line in heard.lines if line.citations]
    return {
        "prompt": variant.as_dict(), **heard.reply.as_dict(), "kept": len(shown), "dropped": heard.reply.dropped,
        "written": heard.raw, "failure": heard.reply.failure, "seconds": round(heard.seconds, 3),
    }  # fmt: skip


def _show_means(means: Values) -> None:
    from compagnon.services.tutor.prompts.measure import MEASURES
    from compagnon.services.tutor.prompts.words import figure

    rows = [
        (_(measure.title), figure(name, value), _(measure.meaning))
        for name, measure in MEASURES.items()
        if (value := means.get(name)) is not None
    ]
    table((_("Measure"), _("Mean"), ""), rows, right=frozenset({1}))


def _show_differences(variants: Sequence[Variant], found: Sequence[Difference]) -> None:
    from compagnon.services.tutor.prompts.measure import MEASURES
    from compagnon.services.tutor.prompts.words import figure, interval, verdict_word

    before, after = (f"{each.name} ({each.digest[:8]})" for each in variants)
    click.echo(_("Before: {before}. After: {after}.").format(before=before, after=after))
    rows = [
        (
            _(MEASURES[one.measure].title), str(one.questions), figure(one.measure, one.before),
            figure(one.measure, one.after), interval(one), verdict_word(one.verdict),
        )
        for one in found
    ]  # fmt: skip
    head = (_("Measure"), _("Questions"), _("Before"), _("After"), _("Difference (95 %)"), "")
    table(head, rows, right=frozenset({1, 2, 3, 4}))


for _each in (list_, try_, score, compare, ship):
    command.add_command(_each)
