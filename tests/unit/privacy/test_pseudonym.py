from __future__ import annotations

import hashlib
import hmac

import pyarrow as pa

from compagnon.privacy.classes import DEFAULT_KEEP, exits, keep_of
from compagnon.privacy.pseudonym import pseudonym, pseudonyms
from compagnon.spec.model import Column

KEY, OTHER = b"k" * 32, b"o" * 32


def test_the_same_person_has_the_same_sign() -> None:
    signs = pseudonyms(pa.array(["A@x.fr", " a@X.FR ", None, "b@x.fr"]), KEY).to_pylist()
    assert signs[0] == signs[1] == pseudonym("a@x.fr", KEY)
    assert signs[2] is None
    assert signs[3] not in (signs[0], None)
    assert signs[0] == "p_" + hmac.new(KEY, b"a@x.fr", hashlib.sha256).hexdigest()[:16]
    assert pseudonym("a@x.fr", OTHER) != signs[0]


def test_columns_of_any_kind() -> None:
    chunked = pa.chunked_array([[1, 2], [1, None]])
    signs = pseudonyms(chunked, KEY).to_pylist()
    assert signs == [pseudonym("1", KEY), pseudonym("2", KEY), pseudonym("1", KEY), None]
    assert pseudonyms(pa.chunked_array([], pa.string()), KEY).to_pylist() == []
    assert len(pseudonyms(pa.array(["a", "b"]).slice(1), KEY)) == 1


def test_what_leaves_by_default() -> None:
    assert keep_of(Column(type="text")) == "plain"
    assert keep_of(Column(type="text", personal="email")) == "pseudonym"
    assert keep_of(Column(type="text", personal="name")) == "drop"
    assert keep_of(Column(type="text", personal="free_text")) == "mask"
    assert keep_of(Column(type="text", personal="email", keep="plain")) == "plain"
    assert all(keep != "plain" for name, keep in DEFAULT_KEEP.items() if name != "none")


def test_derived_texts_say_what_their_sources_say() -> None:
    columns = {
        "mail": Column(type="text", personal="email"),
        "text": Column(type="text", personal="free_text"),
        "domain": Column(type="text", expr="split_part(mail, '@', 2)"),
        "both": Column(type="text", expr="mail || text"),
        "size": Column(type="integer", expr="length(text)"),
        "open": Column(type="text", expr="mail", personal="none"),
        "second": Column(type="text", expr="domain"),
    }
    reads = {"domain": ["mail"], "both": ["mail", "text"], "size": ["text"], "open": ["mail"], "second": ["domain"]}
    assert exits(columns, reads) == {
        "mail": "pseudonym", "text": "mask", "domain": "pseudonym", "both": "pseudonym", "size": "plain",
        "open": "plain",
        "second": "pseudonym",
    }  # fmt: skip
