"""``${VAR}``, a setting taken from the environment, and ``${secret:VAR}``, resolved only where it is used.

``$${`` writes ``${``. After ``expand`` only secrets are left to resolve: ``${secret:VAR}`` means the secret and
``$${secret:VAR}`` the literal text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from compagnon.errors import UserError
from compagnon.i18n import _

_NAME = r"[A-Za-z_][A-Za-z0-9_]*"
_REFERENCE = re.compile(r"(?P<escape>\$\$\{(?P<escaped_secret>secret:)?)|\$\{(?P<secret>secret:)?(?P<name>[^}]*)\}?")
_SECRET = re.compile(rf"\$\$\{{secret:|\$\{{secret:({_NAME})\}}")
_WHOLE_NAME = re.compile(_NAME)


@dataclass(frozen=True)
class Expanded:
    """A text after expansion, the variables that are not set, and the references that make no sense."""

    text: str
    missing: tuple[str, ...] = ()
    malformed: tuple[str, ...] = ()


def expand(text: str, environ: Mapping[str, str]) -> Expanded:
    """``text`` with each ``${VAR}`` replaced by its value in ``environ``, in one pass; secrets stay as they are."""
    missing: list[str] = []
    malformed: list[str] = []

    def replacement(match: re.Match[str]) -> str:
        if match["escape"]:
            return match[0] if match["escaped_secret"] else "${"
        if not match[0].endswith("}") or not _WHOLE_NAME.fullmatch(match["name"]):
            malformed.append(match[0])
        elif match["secret"]:
            return match[0]
        elif match["name"] not in environ:
            missing.append(match["name"])
        else:
            return environ[match["name"]].replace("${secret:", "$${secret:")
        return match[0]

    return Expanded(_REFERENCE.sub(replacement, text), tuple(missing), tuple(malformed))


def secret_names(value: Any) -> tuple[str, ...]:
    """Names of the secrets that ``value`` (a spec, a part of it, or plain data) mentions, sorted."""
    names: set[str] = set()
    pending: list[Any] = [value]
    while pending:
        item = pending.pop()
        if isinstance(item, str):
            names.update(match[1] for match in _SECRET.finditer(item) if match[1])
        elif isinstance(item, BaseModel):
            pending.extend(vars(item).values())
        elif isinstance(item, Mapping):
            pending.extend(item.values())
        elif isinstance(item, (list, tuple, set, frozenset)):
            pending.extend(item)
    return tuple(sorted(names))


def resolve_secrets(text: str, lookup: Callable[[str], str | None]) -> str:
    """``text`` with its secrets in clear, for use and never for keeping.

    Raises UserError naming all that are missing.
    """
    values = {name: lookup(name) for name in secret_names(text)}
    missing = [name for name, value in values.items() if value is None]
    if missing:
        raise UserError(
            "spec.secret-missing",
            _("These secrets are not set: {names}.").format(names=", ".join(missing)),
            next=_("Set them in the environment, for example: export {name}=...").format(name=missing[0]),
        )
    return _SECRET.sub(lambda match: (values[match[1]] or "") if match[1] else "${secret:", text)
