"""Parts of the options that several adapters share."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field

from compagnon.i18n import _
from compagnon.providers.connection import is_private
from compagnon.spec.finding import Unshown
from compagnon.spec.model import ProviderOptions, Section

_SECRET = re.compile(r"\$\{secret:[A-Za-z_][A-Za-z0-9_]*\}")


def _as_secret(value: str) -> str:
    if not _SECRET.fullmatch(value):
        raise Unshown(_("A key does not stand in this file: write ${secret:NAME} and give it with provider add"))
    return value


def _as_url(value: str) -> str:
    if not value.startswith("https://") and not (value.startswith("http://") and is_private(value)):
        raise ValueError(_("an address begins with https://; http:// only within your own network"))
    return value.rstrip("/")


Key = Annotated[str, AfterValidator(_as_secret)]
Url = Annotated[str, AfterValidator(_as_url)]


class Cost(Section):
    """Price of a million tokens."""

    prompt: float = Field(ge=0, description="Of what is asked.")
    answer: float = Field(ge=0, description="Of what is answered.")


class ServiceOptions(ProviderOptions):
    """What providers on a network share."""

    price: Cost | None = Field(
        None, description="Price of a million tokens, where the list with its date is not right."
    )
