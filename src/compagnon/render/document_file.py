"""The forms that a document is written in: HTML and .docx."""

from __future__ import annotations

from typing import Literal

from compagnon.render import document_docx as docx_writer
from compagnon.render import document_html as html_writer
from compagnon.render.document import Document

Form = Literal["html", "docx"]
MEDIA_TYPES: dict[Form, str] = {
    "html": "text/html; charset=utf-8",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
}


def write(document: Document, form: Form) -> bytes:
    """The bytes of the file; the same document gives the same bytes."""
    return docx_writer.write(document) if form == "docx" else html_writer.write(document).encode()
