"""Accounts and signed-in browsers for tests of pages."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import httpx
from serving import token_of

from compagnon import Solution
from compagnon.access.account import create_account
from compagnon.access.password import hash_password

PASSWORD = "cheval agrafe pile correct"
_HASHED = hash_password(PASSWORD)


def add_account(solution: Solution, role: str, name: str | None = None) -> str:
    """An account with ``PASSWORD``; returns its id."""
    now = solution.clock.now()
    return create_account(
        solution.engine, name or role, f"Nom {role}", role, password_hash=_HASHED, actor=None, now=now
    ).id


def visit(address: str) -> httpx.Client:
    """A browser that has not signed in."""
    return httpx.Client(base_url=address, headers={"Accept-Language": "en"}, timeout=60)


@contextlib.contextmanager
def enter(address: str, name: str, **more: str) -> Iterator[httpx.Client]:
    """A browser in which ``name`` has signed in."""
    with visit(address) as client:
        page = client.get("/sign-in")
        form = {"csrf": token_of(page.text), "name": name, "password": PASSWORD, **more}
        answer = client.post("/sign-in", data=form)
        assert answer.status_code == 303, answer.text
        yield client


def post(client: httpx.Client, url: str, data: dict[str, str], *, of: str = "/account", **more: Any) -> httpx.Response:
    """Send a form with the token of the page ``of``."""
    return client.post(url, data={"csrf": token_of(client.get(of).text), **data}, **more)
