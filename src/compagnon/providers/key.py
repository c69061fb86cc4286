"""The key of a service as solution.yaml states it: a template that names secrets."""

from __future__ import annotations

from typing import Any

from compagnon.chain.secrets import Secrets
from compagnon.spec.variables import resolve_secrets


def find_key(options: Any, secrets: Secrets) -> tuple[str | None, str | None]:
    """The key that ``options`` ask for, and the first secret that is not set.

    (None, None) where no key is asked for. An empty secret counts as not set.
    """
    template = getattr(options, "key", None)
    if template is None:
        return None, None
    missing: list[str] = []

    def look(secret: str) -> str | None:
        value = (secrets.lookup(secret) or "").strip()
        if not value:
            missing.append(secret)
        return value

    key = resolve_secrets(template, look)
    return key, missing[0] if missing else None
