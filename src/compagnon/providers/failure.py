"""What each failure of a service is called, and what a person can do about it."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from compagnon.i18n import _
from compagnon.providers.port import ProviderDown

LONGEST_WAIT = 86_400.0
"""Seconds; a service that asks for more is taken to mean tomorrow."""


def of_status(name: str, status: int, retry_after: str | None = None) -> ProviderDown:
    """The failure that an HTTP status of 300 or more stands for. The body is not repeated: it may quote the request."""
    if status == 401:
        return ProviderDown(
            "provider.unauthorized",
            _("The provider {name} does not accept the key.").format(name=name),
            next=_("Check it with: compagnon provider test {name}").format(name=name),
            status=status,
        )
    if status == 403:
        return ProviderDown(
            "provider.forbidden",
            _("The provider {name} does not allow this with your key.").format(name=name),
            next=_("Look in your account there whether the model and the place are allowed."),
            status=status,
        )
    if status == 404:
        return ProviderDown(
            "provider.not-found",
            _("The provider {name} does not know this model or address.").format(name=name),
            next=_("The model may have been retired. See what there is: compagnon provider test {name}").format(
                name=name
            ),
            status=status,
        )
    if status == 429:
        return ProviderDown(
            "provider.rate-limited",
            _("The provider {name} asks to wait: too many requests or tokens.").format(name=name),
            next=_("Try again later, or raise the limit of your account there."),
            status=status,
            retry_after=seconds(retry_after),
        )
    if status >= 500:
        return ProviderDown(
            "provider.failed",
            _("The provider {name} has a breakdown (status {status}).").format(name=name, status=status),
            next=_("Try again later."),
            status=status,
            retry_after=seconds(retry_after),
        )
    return ProviderDown(
        "provider.refused",
        _("The provider {name} refuses the request (status {status}).").format(name=name, status=status),
        next=_(
            "Check the model and the options of the provider in solution.yaml; the text may be too long for the model."
        ),
        status=status,
    )


def unreachable(name: str) -> ProviderDown:
    return ProviderDown(
        "provider.unreachable",
        _("The provider {name} cannot be reached.").format(name=name),
        next=_("Check the network and the address of the provider."),
    )


def slow_start(name: str, limit: float) -> ProviderDown:
    return ProviderDown(
        "provider.slow-start",
        _("The provider {name} has not begun to answer within {limit:g} s.").format(name=name, limit=limit),
        next=_("Try again later, or give it more time with first_token."),
    )


def slow(name: str, limit: float) -> ProviderDown:
    return ProviderDown(
        "provider.slow",
        _("The provider {name} answers too slowly: over {limit:g} s.").format(name=name, limit=limit),
        next=_("Try again later, or give it more time with between_tokens and whole_answer."),
    )


def cut(name: str) -> ProviderDown:
    return ProviderDown(
        "provider.cut",
        _("The answer of the provider {name} broke off.").format(name=name),
        next=_("Try again."),
    )


def malformed(name: str) -> ProviderDown:
    return ProviderDown(
        "provider.malformed",
        _("The provider {name} answers something that is not an answer.").format(name=name),
        next=_("Check the address of the provider: another service may answer there."),
    )


def huge(name: str, limit: int) -> ProviderDown:
    return ProviderDown(
        "provider.huge",
        _("The provider {name} sends more than the {limit} characters that an answer may have.").format(
            name=name, limit=limit
        ),
        next=_("Ask for less with max_tokens."),
    )


def seconds(retry_after: str | None, now: datetime | None = None) -> float | None:
    """``Retry-After`` (RFC 9110, 10.2.3) in seconds: a number, or a date; None where it says neither."""
    if retry_after is None:
        return None
    text = retry_after.strip()
    try:
        wait = float(text)
    except ValueError:
        try:
            wait = (parsedate_to_datetime(text) - (now or datetime.now(UTC))).total_seconds()
        except (ValueError, TypeError, OverflowError):
            return None
    return min(max(wait, 0.0), LONGEST_WAIT) if wait == wait else None
