"""The pages of accounts and keys, put at their addresses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from starlette.requests import Request

from compagnon.web.account_page import AccountPage
from compagnon.web.admin import Admin
from compagnon.web.forms import with_form
from compagnon.web.key_page import KeyPage
from compagnon.web.link_page import LinkPage
from compagnon.web.sign_in import SignIn
from compagnon.web.view import View

Add = Callable[[str, Callable[[Request], Any], str], None]


def add_access(get: Add, post: Add, view: View, sign_in: SignIn) -> None:
    """Register them with ``get`` and ``post`` of the application."""
    links, account, admin, keys = LinkPage(view, sign_in), AccountPage(view), Admin(view), KeyPage(view)
    get("/sign-in", sign_in.show, "sign-in")
    post("/sign-in", sign_in.enter, "sign-in.enter")
    post("/sign-out", sign_in.out, "sign-out")
    get("/first/{token}", links.first, "first")
    post("/first/{token}", with_form(links.create), "first.create")
    get("/link/{token}", links.show, "link")
    post("/link/{token}", with_form(links.use), "link.use")
    get("/account", account.show, "account")
    post("/account/details", with_form(account.details), "account.details")
    post("/account/password", with_form(account.password), "account.password")
    post("/account/sessions", with_form(account.sessions), "account.sessions")
    post("/account/export", with_form(account.export), "account.export")
    post("/account/erase", with_form(account.erase), "account.erase")
    get("/admin/accounts", admin.accounts, "accounts")
    post("/admin/accounts", with_form(admin.invite), "accounts.invite")
    get("/admin/accounts/{id}", admin.account, "accounts.one")
    post("/admin/accounts/{id}", with_form(admin.change), "accounts.change")
    get("/admin/settings", admin.settings, "settings")
    post("/admin/settings", with_form(admin.change_settings), "settings.change")
    get("/admin/audit", admin.audit, "audit")
    get("/keys", keys.show, "keys")
    post("/keys", with_form(keys.create), "keys.create")
    post("/keys/revoke", with_form(keys.revoke), "keys.revoke")
