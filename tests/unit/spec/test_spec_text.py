from __future__ import annotations

import pytest

from compagnon.errors import UserError
from compagnon.spec.text import MAX_BYTES, decode, flaws, read_text, shorten


def test_byte_order_mark_is_dropped():
    assert decode(b"\xef\xbb\xbfname: x", "f") == "name: x"


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        ("é: à\n".encode("latin-1"), "Latin-1"),
        ("l’été\n".encode("cp1252"), "Windows-1252"),
        ("name: x".encode("utf-16"), "UTF-16"),
        ("name: été".encode("utf-16-be"), "UTF-16"),
        ("name: été".encode("utf-16-le"), "UTF-16"),
        ("name: x".encode("utf-32"), "UTF-32"),
    ],
)
def test_encodings_are_named(content, encoding):
    with pytest.raises(UserError) as caught:
        decode(content, "f")
    assert caught.value.code == "spec.encoding"
    assert encoding in caught.value.problem.what


def test_bad_byte_has_its_line_and_column():
    with pytest.raises(UserError) as caught:
        decode(b"\xef\xbb\xbfa: \xc3\xa9\nb: caf\xe9 noir\n", "f")
    where = caught.value.problem.where
    assert (where.line, where.column, where.text) == (2, 7, "b: café noir")


def test_size_is_bounded():
    assert len(decode(b"#" * MAX_BYTES, "f")) == MAX_BYTES
    with pytest.raises(UserError) as caught:
        decode(b"#" * (MAX_BYTES + 1), "f")
    assert caught.value.code == "spec.too-large"


def test_what_is_not_a_readable_file(tmp_path):
    with pytest.raises(UserError) as caught:
        read_text(tmp_path / "none.yaml", "none.yaml")
    assert caught.value.code == "spec.not-found"
    assert "compagnon new" in caught.value.problem.next
    with pytest.raises(UserError) as caught:
        read_text(tmp_path, "folder")
    assert caught.value.code == "spec.not-a-file"


def test_tabs_are_refused_in_indentation_only():
    text = "a:\n\tb: 1\nc: x\ty\n  \td: 2\nsql: |\n  select\n  \t1\n\t# comment\n\t \nlast: 1\n"
    assert [(p.code, p.where.line, p.where.column) for p in flaws(text, "f")] == [
        ("spec.tab", 2, 1),
        ("spec.tab", 4, 3),
        ("spec.tab", 8, 1),
    ]


@pytest.mark.parametrize("sign", ["\0", "\x1b", "\x7f", "\x90", "\ufffe"])
def test_control_characters_are_refused(sign):
    (problem,) = flaws(f"a: 1\nb: é{sign}\n", "f")
    assert (problem.code, problem.where.line, problem.where.column) == ("spec.control-character", 2, 5)
    assert sign not in str(problem)


def test_long_lines_are_shown_around_the_place():
    line = "".join(chr(0x4E00 + i) for i in range(1000))
    assert line[499] in shorten(line, 500)
    assert len(shorten(line, 500)) < 170
