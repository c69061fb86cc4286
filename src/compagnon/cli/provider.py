"""``compagnon provider``: AI services."""

from __future__ import annotations

import sys
import time
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from compagnon.cli.command import Argument, Group, Option, json_option, opened
from compagnon.cli.command import command as make
from compagnon.cli.output import print_json, table
from compagnon.errors import UserError, UserErrors
from compagnon.i18n import N_, _, format_number

if TYPE_CHECKING:
    from compagnon.operate.usage.gateway import Gateway
    from compagnon.solution import Solution

command = Group(
    "provider",
    help=N_(
        "Set up AI services, try them, and see what they used. A key stands in the environment or in "
        ".compagnon/secrets, never in solution.yaml, and is never shown."
    ),
    examples=[
        ("compagnon provider add mistral", N_("declare Mistral; asks for the key without showing it")),
        ("compagnon provider test mistral", N_("ask it one word, and say what that took")),
        ("compagnon provider usage --by day", N_("tokens, price and footprint by day")),
    ],
)
_LOOK = 0.5
"""Seconds between two looks whether to stop."""


@make(
    "add",
    Argument(["name"], metavar="NAME", help=N_("How solution.yaml shall call it.")),
    Option(["--kind"], metavar="KIND", help=N_("mistral, or openai for any compatible address; NAME by default.")),
    Option(["--model"], metavar="MODEL", help=N_("tiny, small, medium, or an id of the service.")),
    Option(["--url"], metavar="URL", help=N_("Address of the service, up to /v1.")),
    Option(["--secret"], metavar="VARIABLE", help=N_("Variable that holds the key, such as MISTRAL_API_KEY.")),
    Option(["--key-stdin"], is_flag=True, help=N_("Read the key from standard input, for programs.")),
    json_option(),
    help=N_(
        "Declare a provider in solution.yaml and keep its key in .compagnon/secrets (readable by you only). Where it "
        "is declared already, only its key is replaced."
    ),
    examples=[
        ("compagnon provider add mistral", N_("Mistral; the key is asked for, and not shown")),
        ("compagnon provider add mistral --model medium --key-stdin", N_("for a program")),
        (
            "compagnon provider add local --kind openai --url http://127.0.0.1:11434/v1 --model qwen3",
            N_("a model on this machine, without a key"),
        ),
    ],
)
def add(
    name: str,
    kind: str | None,
    model: str | None,
    url: str | None,
    secret: str | None,
    key_stdin: bool,
    as_json: bool,
) -> None:
    from compagnon.operate.usage.opening import known

    with opened() as solution:
        is_new = name not in solution.spec.providers
        if is_new:
            given = {
                "kind": kind or name,
                "model": model,
                "url": url,
                "key": f"${{secret:{secret}}}" if secret else None,
            }
            _declare(solution, name, {key: value for key, value in given.items() if value})
            solution = _again(solution)
        elif kind or model or url or secret:
            raise UserError(
                "provider.exists",
                _("The provider {name} is already declared in solution.yaml.").format(name=name),
                next=_("Change its options there; this command then only replaces its key."),
            )
        found = next(provider for provider in known(solution) if provider.name == name)
        if found.secret and (key_stdin or found.key == "missing" or not is_new):
            _keep(solution, found.secret, key_stdin, needed=not is_new)
        found = next(provider for provider in known(solution) if provider.name == name)
        if as_json:
            print_json({**found.as_dict(), "added": is_new})
            return
        if is_new:
            click.echo(_("The provider {name} is declared in solution.yaml.").format(name=name))
        click.echo(_key_words(found.key, found.secret))
        click.echo(_("Try it: compagnon provider test {name}").format(name=name))


def _declare(solution: Solution, name: str, options: dict[str, str]) -> None:
    """Write the provider into the file; the file is put back where that makes a mistake."""
    from compagnon.chain.workspace import write_atomically
    from compagnon.scaffold.provider import declare

    file = solution.workspace.spec_file
    mode = file.stat().st_mode & 0o777
    before, _after = declare(file, name, options)
    try:
        _again(solution).loaded  # noqa: B018 - reading it finds the mistakes
    except UserErrors:
        write_atomically(file, before.encode(), mode=mode)
        raise


def _again(solution: Solution) -> Solution:
    from compagnon.solution import Solution

    return Solution(solution.root, clock=solution.clock, environ=solution.environ)


def _keep(solution: Solution, secret: str, from_stdin: bool, *, needed: bool) -> None:
    if from_stdin:
        solution.secrets.keep(secret, sys.stdin.readline())
    elif sys.stdin.isatty():
        text = click.prompt(_("Key ({secret}), not shown").format(secret=secret), hide_input=True, default="", err=True)
        if text.strip():
            solution.secrets.keep(secret, text)
    elif needed:
        raise UserError(
            "provider.no-terminal",
            _("There is no terminal to ask for the key."),
            next=_("Give it on standard input: --key-stdin < FILE"),
        )


def _key_words(state: str, secret: str | None) -> str:
    words = {
        "environment": _("The key comes from the environment ({secret})."),
        "kept": _("The key is kept in .compagnon/secrets ({secret})."),
        "missing": _("The key is missing: set {secret} in the environment, or run this command again."),
        "none": _("It needs no key."),
    }
    return words[state].format(secret=secret)


@make(
    "list",
    json_option(),
    help=N_("List the providers that can be used here, with their models, prices, and whether their keys are set."),
    examples=[("compagnon provider list", N_("those declared, then those that need no declaration"))],
)
def list_(as_json: bool) -> None:
    from compagnon.operate.usage.opening import known
    from compagnon.providers.prices import catalog

    with opened() as solution:
        found, prices = known(solution), catalog()
        priced = [(provider, prices.price(provider.kind, provider.model)) for provider in found]
        if as_json:
            listed = [
                {
                    **provider.as_dict(),
                    "price": {"prompt": float(price.prompt), "answer": float(price.answer)} if price else None,
                }
                for provider, price in priced
            ]
            print_json({"providers": listed, "prices_read": prices.read, "currency": prices.currency})
            return
        states = {"environment": _("set"), "kept": _("kept"), "missing": _("missing"), "none": _("not needed")}
        table(
            [_("Provider"), _("Kind"), _("Model"), _("Key"), _("Price of a million tokens")],
            [
                [
                    provider.name,
                    provider.kind,
                    provider.model,
                    states[provider.key],
                    f"{price.prompt} / {price.answer} {prices.currency}" if price else "",
                ]
                for provider, price in priced
            ],
        )
        read = _("Prices (asked / answered) read on {date}; price in solution.yaml goes first.")
        click.echo(read.format(date=prices.read.isoformat()))


@make(
    "test",
    Argument(["name"], metavar="NAME", help=N_("The provider, as solution.yaml calls it.")),
    json_option(),
    help=N_("Ask a provider for one word: says whether key, model and network are right, and what that took."),
    examples=[
        ("compagnon provider test mistral", N_("exit code 1 and the reason where it does not answer")),
        ("compagnon provider test local --json", N_("for a program")),
    ],
)
def test(name: str, as_json: bool) -> None:
    import asyncio

    from compagnon.operate.usage.opening import gateway

    with opened() as solution:
        way = gateway(solution, name)
        result = asyncio.run(_try(way))
        if as_json:
            print_json(result)
            return
        used = result["receipt"]
        click.echo(_("The provider {name} answers: {answer}").format(name=name, answer=result["answer"]))
        click.echo(
            _("Model {model}, first word after {ms} ms, {tokens} tokens, {models} models offered.").format(
                model=used["model"],
                ms=result["first_ms"],
                tokens=used["tokens"]["prompt"] + used["tokens"]["completion"],
                models=len(result["models"]),
            )
        )


async def _try(way: Gateway) -> dict[str, Any]:
    from compagnon.providers.port import Message, ProviderDown, Request

    asked = Request((Message("user", "Réponds par un seul mot : bonjour."),), max_tokens=10, temperature=0)
    start, first, answer = time.monotonic(), 0.0, ""
    try:
        exchange = way.ask(asked, again=False)
        async for piece in exchange:
            first = first or time.monotonic() - start
            answer += piece.text
        try:
            models = await way.provider.models()
        except ProviderDown:
            models = []  # not every compatible service has a list; it has answered
        assert exchange.receipt is not None
        return {
            "name": way.provider.name,
            "answer": "".join(c for c in answer if c.isprintable())[:200],
            "first_ms": int(first * 1000),
            "receipt": exchange.receipt.as_dict(),
            "models": models,
        }
    finally:
        await way.provider.close()


@make(
    "usage",
    Option(
        ["--by"],
        type=click.Choice(["day", "person", "provider", "model"]),
        default="day",
        show_default=True,
        help=N_("What to sum up by; people stand there as pseudonyms."),
    ),
    Option(["--since"], type=click.DateTime(["%Y-%m-%d"]), metavar="DATE", help=N_("First day, as 2026-11-21 (UTC).")),
    Option(["--provider"], metavar="NAME", help=N_("Only this provider.")),
    json_option(),
    help=N_("Show what AI services used: answers, tokens, price and estimated footprint."),
    examples=[
        ("compagnon provider usage", N_("by day, all providers")),
        ("compagnon provider usage --by person --since 2026-11-01 --json", N_("by pseudonym, for a program")),
    ],
)
def usage(by: str, since: datetime | None, provider: str | None, as_json: bool) -> None:
    from compagnon.operate.usage import report

    with opened() as solution:
        chosen: Any = by
        lines = report.usage(solution.engine, chosen, since=since.date() if since else None, provider=provider)
        if as_json:
            print_json({"by": by, "lines": [line.as_dict() for line in lines]})
            return
        if not lines:
            click.echo(_("Nothing was asked of an AI service."))
            return
        heads = {"day": _("Day (UTC)"), "person": _("Person"), "provider": _("Provider"), "model": _("Model")}
        table(
            [heads[by], _("Answers"), _("Given again"), _("Failed"), _("Tokens"), _("Price"), _("Energy"), _("CO2e")],
            [
                [
                    line.group or "-",
                    format_number(line.answers),
                    format_number(line.cached),
                    format_number(line.failed),
                    format_number(line.prompt_tokens + line.completion_tokens),
                    _price(line),
                    _range(line.energy_wh, "Wh") if line.weighed else "",
                    _range(line.carbon_g, "g") if line.weighed else "",
                ]
                for line in lines
            ],
            right=frozenset(range(1, 8)),
        )
        click.echo(
            _("Energy and CO2e are estimates by EcoLogits, where it knows the model; nothing is measured there.")
        )


def _price(line: Any) -> str:
    known = f"{line.cost:.4f} {line.currency}" if line.currency else ""
    return f"{known} + ?".removeprefix(" + ") if line.unpriced else known


def _range(values: tuple[float, float], unit: str) -> str:
    low, high = (f"{value:.3g}" for value in values)
    return f"{low} {unit}" if low == high else f"{low}-{high} {unit}"


@make(
    "emulate",
    Option(
        ["--port"],
        type=click.IntRange(0, 65535),
        default=8200,
        show_default=True,
        help=N_("Port to listen on, on this machine only; 0 takes a free one."),
    ),
    Option(
        ["--script"],
        type=click.Choice(["grounded", "echo", "obedient"]),
        default="grounded",
        show_default=True,
        help=N_("What it says: the passages of the prompt, the question, or whatever the prompt orders."),
    ),
    Option(
        ["--delay"], type=click.FloatRange(0, 10), default=0.02, show_default=True, help=N_("Seconds between words.")
    ),
    json_option(N_("Print the address as JSON once it is ready, for programs.")),
    help=N_(
        "Serve an emulation of Mistral's API on this machine, to practice without a key and to see each failure. It is "
        "no model. A model named fault-rate-limited or the like fails on purpose; POST /control sets what "
        "happens. Ctrl-C stops."
    ),
    examples=[
        ("compagnon provider emulate", N_("on http://127.0.0.1:8200; any key is accepted")),
        ("compagnon provider emulate --port 0 --script obedient --json", N_("the worst model there is, for a test")),
    ],
)
def emulate(port: int, script: str, delay: float, as_json: bool) -> None:
    import contextlib

    from compagnon.cli.run import stoppable
    from compagnon.sandbox.mistral import FAULTS, Emulator

    emulator = Emulator(script=script, delay=delay)
    try:
        emulator.start(port)
    except OSError as error:
        raise UserError(
            "provider.port-taken",
            _("Port {port} is taken.").format(port=port),
            next=_("Choose another one: --port 0 takes a free one."),
        ) from error
    with stoppable():
        try:
            if as_json:
                print_json({"url": emulator.url, "faults": list(FAULTS)})
            else:
                click.secho(emulator.url, bold=True)
                click.echo(_("In solution.yaml: {line}").format(line=f"url: {emulator.url}"))
                click.echo(_("Faults: {names}").format(names=", ".join(FAULTS)))
                click.echo(_("Ctrl-C stops."))
            sys.stdout.flush()
            with contextlib.suppress(KeyboardInterrupt):
                while True:
                    time.sleep(_LOOK)
        finally:
            emulator.stop()


for _each in (add, list_, test, usage, emulate):
    command.add_command(_each)
