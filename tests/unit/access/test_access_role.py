from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from compagnon.access.identity import Identity, anonymous
from compagnon.access.reference import reference_markdown
from compagnon.access.role import ACCOUNT_ROLES, ANONYMOUS_MAY, RIGHTS, ROLES, allows, check_role, rights_of
from compagnon.errors import UserError

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "roles.md"


def test_page_is_up_to_date():
    text = reference_markdown()
    if os.environ.get("COMPAGNON_UPDATE_GOLDEN"):
        PAGE.write_text(text, encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == text


def test_every_role_has_known_rights_and_somebody_has_each_right():
    for role in ROLES.values():
        assert role.rights <= set(RIGHTS), role.name
    assert rights_of("admin") == set(RIGHTS)
    assert set(RIGHTS) >= ANONYMOUS_MAY


@pytest.mark.parametrize("role", ["jury", "reader"])
def test_those_who_only_read_write_nothing_but_their_own_account(role: str):
    assert {right for right in rights_of(role) if RIGHTS[right].writes} == {"account.own"}


@pytest.mark.parametrize("right", ["account.manage", "settings.manage", "audit.read"])
def test_only_an_administrator_administers(right: str):
    assert [role for role in ROLES if allows(role, right)] == ["admin"]


@pytest.mark.parametrize("right", ["quarantine.read", "quarantine.restore", "run.start", "run.cancel", "key.manage"])
def test_operating_takes_an_operator(right: str):
    assert [role for role in ROLES if allows(role, right)] == ["admin", "operator"]


def test_everyone_with_an_account_has_their_own_and_nobody_else():
    assert [role for role in ROLES if allows(role, "account.own")] == list(ACCOUNT_ROLES)


def test_an_unknown_role_has_no_right_and_an_unknown_right_is_a_bug():
    assert not allows("root", "solution.read")
    with pytest.raises(KeyError):
        allows("admin", "solution.raed")


@pytest.mark.parametrize("name", ["anonymous", "root", "", "Admin"])
def test_an_account_cannot_have_just_any_role(name: str):
    with pytest.raises(UserError) as caught:
        check_role(name)
    assert caught.value.code == "role.unknown"


def test_what_is_written_beside_a_note_names_nobody():
    assert Identity("person", "abc", "Somebody", "reader", frozenset()).author == "person:abc"
    assert Identity("key", "k1", "A label", "", frozenset()).author == "key:k1"
    assert anonymous(["model.try"]).author == "anonymous"
    assert anonymous(["model.try"]).may("model.try")
    assert not anonymous().may("model.try")


def test_what_each_request_needs_loads_nothing_heavy():
    light = "role identity csrf cookies origin password token name reference"
    code = f"import sys, importlib\nfor n in {light.split()!r}: importlib.import_module('compagnon.access.' + n)\n"
    code += "print(sorted({'sqlalchemy', 'argon2', 'zxcvbn', 'alembic'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
