from __future__ import annotations

from pathlib import Path

import pytest

from compagnon.chain.secrets import Secrets
from compagnon.chain.workspace import Workspace
from compagnon.errors import UserError


def test_a_key_that_the_user_gives_is_kept_and_replaced(tmp_path: Path) -> None:
    secrets = Secrets(Workspace(tmp_path), {})
    own = secrets.own("pseudonym_key")
    secrets.keep("MISTRAL_API_KEY", " sk-one \n")
    secrets.keep("MISTRAL_API_KEY", "sk-two")
    assert secrets.lookup("MISTRAL_API_KEY") == "sk-two"
    assert secrets.own("pseudonym_key") == own
    assert secrets.workspace.secrets_file.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("value", ["", " \n", "two\nlines", "clé", "tab\there", "nul\x00"])
def test_what_is_no_key_is_not_kept_nor_shown(value: str, tmp_path: Path) -> None:
    secrets = Secrets(Workspace(tmp_path), {})
    with pytest.raises(UserError) as caught:
        secrets.keep("MISTRAL_API_KEY", value)
    assert caught.value.code == "secrets.bad-value"
    assert not value.strip() or value not in str(caught.value)
    assert secrets.lookup("MISTRAL_API_KEY") is None
