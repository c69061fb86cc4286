"""From the bytes of a file to UTF-8 text: compression, encoding, line ends."""

from __future__ import annotations

import codecs
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, BinaryIO, cast

from pydantic import AfterValidator

from compagnon.errors import UserError
from compagnon.i18n import _

CHUNK = 1 << 20
SAMPLE = 1 << 18
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_MAGIC = ((b"\x1f\x8b", "gz"), (b"\x28\xb5\x2f\xfd", "zst"), (b"BZh", "bz2"), (b"PK\x03\x04", "zip"))
_SUFFIXES = {".gz": "gz", ".zst": "zst", ".bz2": "bz2", ".zip": "zip"}
_SINGLE_BYTE = ["cp1252", "cp1250", "cp850", "mac_roman"]
BAD = "\udcff"
"""What a byte that has no meaning becomes; written as the byte 0xFF, it makes its row unreadable."""


def _is_known(name: str) -> str:
    if name != "auto":
        try:
            codecs.lookup(name)
        except LookupError as error:
            raise ValueError(_("unknown encoding; common ones are utf-8, cp1252, latin-1 and utf-16")) from error
    return name


EncodingName = Annotated[str, AfterValidator(_is_known)]
"""An option of a source: ``auto``, or an encoding that Python knows."""


@dataclass(frozen=True)
class Encoding:
    """The encoding of a text, and how it is known: declared, mark (byte order mark), checked, guessed."""

    name: str
    known: str


def _one_bad(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeDecodeError)
    return BAD, error.end


codecs.register_error("compagnon-bad", _one_bad)


def compression_of(path: Path, declared: str = "auto") -> str:
    """``gz``, ``zst``, ``bz2``, ``zip`` or ``none``, by the first bytes (a wrong suffix does not count)."""
    if declared != "auto":
        return declared
    with path.open("rb") as file:
        start = file.read(4)
    found = next((name for magic, name in _MAGIC if start.startswith(magic)), "none")
    return found if path.suffix.lower() in _SUFFIXES or found in ("gz", "zst", "zip") else "none"


@contextmanager
def opened(path: Path, compression: str) -> Iterator[BinaryIO]:
    """The decompressed bytes of a file; raises UserError ``collect.file-unreadable`` for a damaged archive."""
    import pyarrow as pa

    try:
        if compression == "none":
            with path.open("rb") as file:
                yield file
        elif compression == "zip":
            with zipfile.ZipFile(path) as archive:
                members = [member for member in archive.infolist() if not member.is_dir()]
                if len(members) != 1:
                    raise UserError(
                        "collect.archive-members",
                        _("The archive {path} holds {count} files; one is expected.").format(
                            path=path.name, count=len(members)
                        ),
                        next=_("Unpack it and name its files with a pattern, such as data/*.csv."),
                    )
                with archive.open(members[0]) as member:
                    yield cast(BinaryIO, member)
        else:
            with pa.input_stream(
                str(path), compression={"gz": "gzip", "zst": "zstd"}.get(compression, compression)
            ) as s:
                yield cast(BinaryIO, s)
    except (OSError, EOFError, zipfile.BadZipFile, RuntimeError, pa.ArrowException) as error:
        raise UserError(
            "collect.file-unreadable",
            _("The file {path} cannot be read to its end: {why}").format(path=path.name, why=error),
            next=_("Have it sent again, or say its compression in the options of the source."),
        ) from error


def chunks(file: BinaryIO) -> Iterator[bytes]:
    while chunk := file.read(CHUNK):
        yield bytes(chunk)


def detect(path: Path, compression: str, declared: str = "auto") -> Encoding:
    """The encoding of a text file. The whole file is looked at: one byte far down may settle it.

    Raises UserError ``collect.encoding-unknown`` for a declared name that Python does not know.
    """
    if declared != "auto":
        try:
            return Encoding(codecs.lookup(declared).name, "declared")
        except LookupError as error:
            raise UserError(
                "collect.encoding-unknown",
                _("{name} is not a known encoding.").format(name=declared),
                next=_("Common ones are utf-8, cp1252, latin-1 and utf-16; or leave it out to have it detected."),
            ) from error
    with opened(path, compression) as file:
        start = file.read(SAMPLE)
        for mark, name in _BOMS:
            if start.startswith(mark):
                return Encoding(name, "mark")
        wide = _wide(start)
        if wide:
            return Encoding(wide, "guessed")
        if b"\0" in start[:4096] and start.count(b"\0") > len(start) // 20:
            raise UserError(
                "collect.file-unreadable",
                _("The file {path} is not text.").format(path=path.name),
                next=_("Say its format in the options of the source, or leave it out of the pattern."),
            )
        good, bad, odd = _utf8_lines(start, file)
    if bad == 0:
        return Encoding("utf-8", "checked")
    # A text in UTF-8 with some broken lines keeps most of its accented lines valid; another encoding has next to none.
    if good > bad:
        return Encoding("utf-8", "guessed")
    return Encoding(_single_byte(odd), "guessed")


def _wide(start: bytes) -> str | None:
    """UTF-16 without a mark: every other byte of Western text is zero."""
    sample = start[:4096]
    if len(sample) < 4:
        return None
    even, odd = sample[0::2].count(0) / len(sample[0::2]), sample[1::2].count(0) / len(sample[1::2])
    if odd > 0.6 and even < 0.2:
        return "utf-16-le"
    return "utf-16-be" if even > 0.6 and odd < 0.2 else None


def _utf8_lines(start: bytes, file: BinaryIO) -> tuple[int, int, bytes]:
    """Non-ASCII lines that are valid UTF-8, those that are not, and a sample of the latter."""
    good = bad = 0
    sample: list[bytes] = []
    rest = b""
    data = start
    while data:
        cut = data.rfind(b"\n") + 1
        text, rest = (rest + data[:cut], data[cut:]) if cut else (b"", rest + data)
        if len(rest) > 16 * CHUNK:
            text, rest = rest, b""
        if not text.isascii():
            good_here, bad_here = _count_lines(text, sample)
            good, bad = good + good_here, bad + bad_here
        data = bytes(file.read(CHUNK))
    good_here, bad_here = _count_lines(rest, sample)
    return good + good_here, bad + bad_here, b"\n".join(sample)


def _count_lines(text: bytes, sample: list[bytes]) -> tuple[int, int]:
    if text.isascii():
        return 0, 0
    try:
        text.decode("utf-8")
        return 1, 0
    except UnicodeDecodeError:
        pass
    good = bad = 0
    for line in text.split(b"\n"):
        if line.isascii():
            continue
        try:
            line.decode("utf-8")
            good += 1
        except UnicodeDecodeError:
            bad += 1
            if len(sample) < 2000:
                sample.append(line)
    return good, bad


def _single_byte(sample: bytes) -> str:
    """A one-byte encoding; Windows-1252 unless another fits clearly better (on a few words one cannot know)."""
    from charset_normalizer import from_bytes

    try:
        sample.decode("cp1252")
    except UnicodeDecodeError:
        return "latin-1"
    matches = from_bytes(sample, cp_isolation=_SINGLE_BYTE)
    best = matches.best()
    usual = next(
        (match for match in matches if match.encoding == "cp1252" or "cp1252" in match.could_be_from_charset), None
    )
    if best is None or (usual is not None and usual.chaos <= best.chaos + 0.02):
        return "cp1252"
    return best.encoding


def to_utf8(path: Path, compression: str, encoding: str, target: Path) -> None:
    """Write the text of ``path`` to ``target`` in UTF-8, line ends of old Macs made new; undecodable bytes as 0xFF."""
    errors = "surrogateescape" if encoding == "utf-8" else "compagnon-bad"
    decoder = codecs.getincrementaldecoder(encoding)(errors)
    old_mac: bool | None = None
    with opened(path, compression) as source, target.open("wb") as out:
        for chunk in chunks(source):
            text = decoder.decode(chunk)
            if old_mac is None and text:
                old_mac = "\r" in text and "\n" not in text
            out.write((text.replace("\r", "\n") if old_mac else text).encode("utf-8", "surrogateescape"))
        out.write(decoder.decode(b"", True).encode("utf-8", "surrogateescape"))
