"""``compagnon serve``."""

from __future__ import annotations

import sys

import click

from compagnon.cli.command import Option, opened
from compagnon.cli.command import command as make
from compagnon.i18n import N_, _


@make(
    "serve",
    Option(
        ["--port"],
        type=click.IntRange(0, 65535),
        default=8000,
        show_default=True,
        help=N_("Port to listen on; 0 takes a free one."),
    ),
    Option(
        ["--host"],
        default="127.0.0.1",
        show_default=True,
        help=N_("Address to listen on. Another one than this machine's own opens the API to the network."),
    ),
    Option(
        ["--name", "names"],
        multiple=True,
        metavar="NAME",
        help=N_("Name that browsers call this server by, such as tutor.example.org behind a proxy. May be repeated."),
    ),
    Option(
        ["--log", "level"],
        type=click.Choice(["warning", "info", "debug"]),
        default="warning",
        show_default=True,
        help=N_(
            "What the log tells: warning, or info for a line on each request and prediction, with the request's id."
        ),
    ),
    Option(
        ["--log-format", "form"],
        type=click.Choice(["auto", "json", "text"]),
        default="auto",
        show_default=True,
        help=N_("json for one object a line, text for people; auto: text on a terminal, json elsewhere."),
    ),
    help=N_(
        "Serve the pages and the model API of the packaged models. It listens on this machine only, unless --host says "
        "otherwise; until there is an account, pages answer on this machine only in any case. Ctrl-C stops it."
    ),
    examples=[
        ("compagnon serve", N_("pages and API on http://127.0.0.1:8000")),
        ("compagnon -C work/tutor serve --port 9000", N_("on another port")),
        (
            "compagnon serve --host 0.0.0.0 --name tutor.example.org --log info",
            N_("behind a proxy with TLS, each request logged"),
        ),
    ],
)
def command(port: int, host: str, names: tuple[str, ...], level: str, form: str) -> None:
    from compagnon.web.logs import configure
    from compagnon.web.server import is_loopback, serve

    configure(level, form)

    first: list[str] = []

    def say(address: str, pages: bool) -> None:
        click.secho(address, bold=True)
        for link in first:
            click.echo(_("To create the first account, within an hour: {link}").format(link=link))
        if not pages:
            click.echo(_("Pages are off until there is an account: start once without --host to create it."))
        click.echo(_("Ctrl-C stops."))
        sys.stdout.flush()

    with opened() as solution:
        solution.loaded  # noqa: B018 - a mistake in the file is said before listening
        if not is_loopback(host):
            warning = _("Listening on {host}: open to the network. Put a proxy with TLS before it.")
            click.secho(warning.format(host=host), fg="yellow", err=True)
        serve(solution, host, port, on_ready=say, on_first=first.append, names=names)
