"""Settings that the administrator changes while the application runs: what may be done without an account."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, select, update

from compagnon.access import audit
from compagnon.access.role import ANONYMOUS_MAY
from compagnon.database.ledger import reading, writing
from compagnon.database.tables import settings
from compagnon.database.upsert import insert_missing
from compagnon.errors import UserError
from compagnon.i18n import _

_ANONYMOUS = "anonymous-rights"


def anonymous_rights(engine: Engine) -> frozenset[str]:
    """What may be done without an account: nothing until the administrator allows it."""
    kept = read_setting(engine, _ANONYMOUS, [])
    # What an older version allowed and this one does not is left out.
    return frozenset(kept) & ANONYMOUS_MAY


def allow_anonymous(engine: Engine, rights: Iterable[str], *, actor: str | None, now: datetime) -> frozenset[str]:
    """Allow exactly these rights without an account. Raises UserError ``setting.not-anonymous``."""
    wanted = frozenset(rights)
    if beyond := sorted(wanted - ANONYMOUS_MAY):
        raise UserError(
            "setting.not-anonymous",
            _("This cannot be allowed without an account: {rights}.").format(rights=", ".join(beyond)),
            next=_("What can be: {rights}.").format(rights=", ".join(sorted(ANONYMOUS_MAY))),
        )
    write_setting(engine, _ANONYMOUS, sorted(wanted), actor=actor, now=now)
    return wanted


def read_setting(engine: Engine, name: str, default: Any) -> Any:
    """The value kept under ``name``, else ``default``."""
    with reading(engine) as connection:
        row = connection.execute(select(settings.c.value).where(settings.c.name == name)).first()
    return row.value if row else default


def write_setting(engine: Engine, name: str, value: Any, *, actor: str | None, now: datetime) -> None:
    """Keep ``value`` (anything JSON) under ``name``, with a trace of who did it."""
    values = {"value": value, "changed": now, "changed_by": actor}
    with writing(engine) as connection:
        insert_missing(connection, settings, name=name, **values)
        connection.execute(update(settings).where(settings.c.name == name).values(**values))
        audit.record(connection, "setting-changed", now, actor=actor, detail=name)
