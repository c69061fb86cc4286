"""Who speaks with us, through a proxy or not."""

from __future__ import annotations

import ipaddress

from starlette.requests import Request

FORWARDED_SCHEME = "x-forwarded-proto"
STRICT_TRANSPORT = "max-age=31536000"
"""Sent where the browser speaks TLS, to us or to a proxy that says so: it will not come without for a year."""


def is_https(scheme: str, forwarded: str) -> bool:
    """Whether the browser speaks TLS, to us or to a proxy that says so; only its own answer depends on it."""
    return scheme == "https" or forwarded.partition(",")[0].strip().lower() == "https"


def is_loopback_peer(request: Request) -> bool:
    """Whether the connection comes from this machine, be it from a proxy."""
    try:
        return ipaddress.ip_address(request.client.host if request.client else "").is_loopback
    except ValueError:
        return False


def address_of(request: Request) -> str:
    """Where a request comes from; a proxy of this machine adds whom it speaks for at the end of its header."""
    address = request.client.host if request.client else ""
    said = request.headers.get("x-forwarded-for", "").rpartition(",")[2].strip()
    return said if said and is_loopback_peer(request) else address
