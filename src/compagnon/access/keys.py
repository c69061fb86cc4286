"""API keys for machines: scopes, expiry, revocation. Only a digest is stored; the key itself is shown once.

A key reads ``cpg_ID_SECRET``; the secret is 256 random bits, so a plain SHA-256 of the key is enough to store: there is
nothing to guess (OWASP ASVS 5, 11.4).
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets as random
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from compagnon.errors import UserError
from compagnon.i18n import _

if TYPE_CHECKING:
    from sqlalchemy import Engine, Row

SCOPES = ("predict", "ask")
"""What a key may be allowed to do."""

PREFIX = "cpg"
_FORM = re.compile(rf"{PREFIX}_([0-9a-f]{{12}})_([A-Za-z0-9_-]{{43}})")


@dataclass(frozen=True)
class Key:
    """A key as it is stored: everything but the key itself."""

    id: str
    digest: str
    label: str
    scopes: frozenset[str]
    created: datetime
    expires: datetime | None = None
    revoked: datetime | None = None

    def is_valid(self, now: datetime) -> bool:
        return self.revoked is None and (self.expires is None or now < self.expires)

    def as_dict(self) -> dict[str, Any]:
        """What may be shown; the digest may not."""
        return {
            "id": self.id,
            "label": self.label,
            "scopes": sorted(self.scopes),
            "created": self.created.isoformat(),
            "expires": self.expires.isoformat() if self.expires else None,
            "revoked": self.revoked.isoformat() if self.revoked else None,
        }


def create_key(
    engine: Engine, scopes: Iterable[str], label: str = "", expires: datetime | None = None, *, now: datetime
) -> tuple[str, str]:
    """Make a key; returns its id and the key itself, which nobody can find again. Raises UserError."""
    from sqlalchemy import insert

    from compagnon.database.ledger import writing
    from compagnon.database.tables import keys

    wanted = sorted(set(scopes))
    unknown = [scope for scope in wanted if scope not in SCOPES]
    if unknown or not wanted:
        raise UserError(
            "key.unknown-scope",
            _("No such scope: {scopes}.").format(scopes=", ".join(unknown) or "∅"),
            next=_("Scopes: {scopes}.").format(scopes=", ".join(SCOPES)),
        )
    if expires is not None and expires <= now:
        raise UserError(
            "key.expired", _("This key would already be over when it begins."), next=_("Give a later moment.")
        )
    key_id = random.token_hex(6)
    text = f"{PREFIX}_{key_id}_{random.token_urlsafe(32)}"
    values = {
        "id": key_id,
        "hash": digest_of(text),
        "label": label.strip()[:200],
        "scopes": wanted,
        "created": now,
        "expires": expires,
    }
    with writing(engine) as connection:
        connection.execute(insert(keys).values(**values))
    return key_id, text


def list_keys(engine: Engine) -> list[Key]:
    """All keys, the oldest first, those revoked or over included."""
    from sqlalchemy import select

    from compagnon.database.ledger import reading
    from compagnon.database.tables import keys

    with reading(engine) as connection:
        return [_key(row) for row in connection.execute(select(keys).order_by(keys.c.created, keys.c.id))]


def revoke_key(engine: Engine, key_id: str, now: datetime) -> Key:
    """End a key for good; running servers notice within about a second. Raises UserError ``key.unknown``."""
    from sqlalchemy import func, update

    from compagnon.database.ledger import writing
    from compagnon.database.tables import keys

    change = update(keys).where(keys.c.id == key_id).values(revoked=func.coalesce(keys.c.revoked, now))
    with writing(engine) as connection:
        row = connection.execute(change.returning(*keys.c)).first()
    if row is None:
        raise UserError(
            "key.unknown",
            _("There is no key {id}.").format(id=key_id),
            next=_("See the keys there are: compagnon key list"),
        )
    return _key(row)


def check_key(engine: Engine, text: str, scope: str, now: datetime) -> Key | None:
    """The key that ``text`` is, if it is valid now and allows ``scope``; reads the database each time."""
    key = match(text, {key.id: key for key in list_keys(engine)})
    return key if key is not None and key.is_valid(now) and scope in key.scopes else None


def match(text: str, keys: dict[str, Key]) -> Key | None:
    """The stored key that ``text`` is; compared in constant time."""
    form = _FORM.fullmatch(text)
    key = keys.get(form[1]) if form else None
    # The digest is compared even where no such id exists, so that time tells nothing about ids.
    same = hmac.compare_digest(digest_of(text), key.digest if key else "0" * 64)
    return key if same else None


def digest_of(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def _key(row: Row[Any]) -> Key:
    from compagnon.database.ledger import utc

    return Key(
        id=row.id,
        digest=row.hash,
        label=row.label,
        scopes=frozenset(row.scopes),
        created=utc(row.created),
        expires=utc(row.expires) if row.expires else None,
        revoked=utc(row.revoked) if row.revoked else None,
    )
