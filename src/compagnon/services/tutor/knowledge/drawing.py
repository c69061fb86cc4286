"""Drawings of the knowledge base: SVG files that can be shown in a page without running or fetching anything."""

from __future__ import annotations

import re
from pathlib import Path

from compagnon.i18n import _

MAX_BYTES = 200_000
_REFUSED = ("script", "foreignobject", "iframe", "embed", "object", "audio", "video", "image", "handler", "set")
_LINKS = ("href", "src")
_OUTSIDE = re.compile(r"url\(\s*['\"]?(?!#)|@import|expression\(", re.IGNORECASE)


def fault(folder: Path, file: str) -> str | None:
    """Why the drawing ``file`` of the base in ``folder`` cannot be shown, in words; None if it can."""
    path = (folder / file).resolve()
    if not path.is_relative_to(folder.resolve()):
        return _("it is outside the folder of the knowledge base")
    if path.suffix != ".svg":
        return _("it is not an SVG file")
    if not path.is_file():
        return _("there is no such file")
    if path.stat().st_size > MAX_BYTES:
        return _("it is larger than {count} bytes").format(count=MAX_BYTES)
    return content_fault(path.read_bytes())


def content_fault(content: bytes) -> str | None:
    """Why an SVG document cannot be shown, in words; None if it can."""
    from xml.etree import ElementTree

    if b"<!DOCTYPE" in content or b"<!ENTITY" in content:
        return _("it declares a document type")  # entities could grow without bound: not parsed at all
    try:
        root = ElementTree.fromstring(content)  # noqa: S314 - without a document type there are no entities
    except ElementTree.ParseError as error:
        return _("it is not XML: {reason}").format(reason=error)
    if _local(root.tag) != "svg":
        return _("it is not an SVG file")
    if "viewBox" not in root.attrib:
        return _("it has no viewBox, so it cannot grow and shrink with the page")
    for element in root.iter():
        name = _local(element.tag)
        if name in _REFUSED:
            return _("it holds <{name}>").format(name=name)
        if name == "style" and _OUTSIDE.search(element.text or ""):
            return _("it reaches outside itself")
        for key, value in element.attrib.items():
            local = _local(key)
            if local.startswith("on"):
                return _("it holds {name}=, which runs code").format(name=local)
            if (local in _LINKS and not value.startswith("#")) or _OUTSIDE.search(value):
                return _("it reaches outside itself")
    return None


def _local(name: object) -> str:
    """The name of an element or attribute without its namespace, in lower case; empty for a comment."""
    return name.rpartition("}")[2].lower() if isinstance(name, str) else ""
