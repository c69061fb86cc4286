"""``compagnon key``: keys of the API."""

from __future__ import annotations

import click

from compagnon.cli.command import Argument, Group, Option, json_option, opened
from compagnon.cli.command import command as make
from compagnon.cli.output import print_json, table
from compagnon.errors import UserError
from compagnon.i18n import N_, _, format_datetime

command = Group(
    "key",
    help=N_("Make, list and revoke the keys with which programs call the API. Only a digest of a key is stored."),
    examples=[
        ("compagnon key create --scope predict --label site --expires 90d", N_("a key for a web site, for 90 days")),
        ("compagnon key list", N_("the keys there are")),
    ],
)


@make(
    "create",
    Option(["--scope"], multiple=True, required=True, metavar="SCOPE", help=N_("What the key may do: predict.")),
    Option(["--label"], default="", metavar="TEXT", help=N_("What it is for, to know it again.")),
    Option(
        ["--expires"],
        metavar="DURATION",
        help=N_("How long it is good, such as 90d or 1 year; without end by default."),
    ),
    json_option(),
    help=N_("Make a key and show it, once: it cannot be found again. Keep it like a password."),
    examples=[
        ("compagnon key create --scope predict", N_("a key that may predict")),
        ("compagnon key create --scope predict --expires 90d --json", N_("for a program: id and key")),
    ],
)
def create(scope: tuple[str, ...], label: str, expires: str | None, as_json: bool) -> None:
    from compagnon.access.keys import create_key
    from compagnon.spec.quantity import duration

    with opened() as solution:
        now = solution.clock.now()
        try:
            end = now + duration(expires) if expires else None
        except (ValueError, OverflowError) as error:
            raise UserError(
                "key.bad-duration",
                _("{value} is not a duration.").format(value=expires),
                next=_("Write for example 90d, 12 h or 1 year."),
            ) from error
        key_id, key = create_key(solution.engine, scope, label, end, now=now)
        if as_json:
            print_json({"id": key_id, "key": key})
            return
        click.echo(key)
        click.echo(_("Key {id}. It is shown this once only: keep it like a password.").format(id=key_id), err=True)


@make(
    "list",
    json_option(),
    help=N_("List the keys there are, with their scopes and ends; the keys themselves are not known."),
    examples=[("compagnon key list", N_("all keys, those revoked too"))],
)
def list_(as_json: bool) -> None:
    from compagnon.access.keys import list_keys

    with opened() as solution:
        keys = list_keys(solution.engine)
        if as_json:
            print_json({"keys": [key.as_dict() for key in keys]})
            return
        now = solution.clock.now()
        table(
            [_("Key"), _("Label"), _("Scopes"), _("Made (UTC)"), _("Expires (UTC)"), _("State")],
            [
                [
                    key.id,
                    key.label,
                    " ".join(sorted(key.scopes)),
                    format_datetime(key.created),
                    format_datetime(key.expires) if key.expires else "",
                    _("revoked") if key.revoked else _("good") if key.is_valid(now) else _("over"),
                ]
                for key in keys
            ],
        )


@make(
    "revoke",
    Argument(["key_id"], metavar="ID", help=N_("The id of the key, as `key list` shows it.")),
    json_option(),
    help=N_("End a key for good. A running server notices within about a second."),
    examples=[("compagnon key revoke 3f9c2a71b0de", N_("end that key"))],
)
def revoke(key_id: str, as_json: bool) -> None:
    from compagnon.access.keys import revoke_key

    with opened() as solution:
        key = revoke_key(solution.engine, key_id, solution.clock.now())
        if as_json:
            print_json(key.as_dict())
        else:
            click.echo(_("Key {id} is revoked.").format(id=key.id))


for _each in (create, list_, revoke):
    command.add_command(_each)
