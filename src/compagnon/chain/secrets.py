"""Secrets: made once into ``.compagnon/secrets`` (0600), overridden by the environment, never in a run or a log."""

from __future__ import annotations

import os
import re
import secrets as random
from collections.abc import Mapping
from dataclasses import dataclass, field

from compagnon.chain.workspace import Workspace, explain_disk, write_atomically
from compagnon.errors import UserError
from compagnon.i18n import _

_LINE = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)=(.*)")


@dataclass(frozen=True)
class Secrets:
    """Looks names up in the environment, then in the secrets file."""

    workspace: Workspace
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ, repr=False)

    def lookup(self, name: str) -> str | None:
        """The secret that the user gave under ``name``, or None."""
        value = self.environ.get(name)
        return value if value is not None else self._file().get(name)

    def keep(self, name: str, value: str) -> None:
        """Keep a secret that the user gives in the secrets file (0600); one of that name is replaced.

        Raises UserError ``secrets.bad-value`` for what is no key: empty, of several lines, or with unusual signs.
        """
        value = value.strip()
        if not value or not value.isascii() or not value.isprintable() or not _LINE.fullmatch(f"{name}={value}"):
            raise UserError(
                "secrets.bad-value",
                _("What was given for {name} is not a key: it is empty or has signs that no key has.").format(
                    name=name
                ),
                next=_("Copy the key again, whole and alone, on one line."),
            )
        self._write(name, value, replace=True)

    def own(self, name: str) -> bytes:
        """A key of Compagnon's own, made at first use; ``COMPAGNON_NAME`` (hexadecimal) overrides it."""
        name = f"COMPAGNON_{name.upper()}"
        text = self.lookup(name)
        if text is None:
            text = random.token_hex(32)
            self._write(name, text, replace=False)
            text = self._file().get(name, text)
        try:
            key = bytes.fromhex(text)
        except ValueError:
            key = b""
        if len(key) < 16:
            raise UserError(
                "secrets.bad-key",
                _("The secret {name} is not a key of 16 bytes or more in hexadecimal.").format(name=name),
                next=_("Remove it from the environment or from .compagnon/secrets to have one made."),
            )
        return key

    def _file(self) -> dict[str, str]:
        try:
            text = self.workspace.secrets_file.read_text(encoding="utf-8")
        except FileNotFoundError:
            return {}
        return {match[1]: match[2] for line in text.splitlines() if (match := _LINE.fullmatch(line.strip()))}

    def _write(self, name: str, value: str, *, replace: bool) -> None:
        with explain_disk(self.workspace.secrets_file):
            known = self._file()
            known[name] = value if replace else known.get(name, value)
            self.workspace.prepare()
            text = "".join(f"{key}={value}\n" for key, value in known.items())
            write_atomically(self.workspace.secrets_file, text.encode(), mode=0o600)
