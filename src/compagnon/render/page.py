"""Stand-alone pages: one HTML file each, without script, readable in light and dark and by a screen reader."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import jinja2

TEMPLATES = Path(__file__).parent / "templates"


@functools.cache
def _environment() -> jinja2.Environment:
    import jinja2

    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def render(template: str, *, language: str, title: str, **values: Any) -> str:
    """The page of ``template`` (a file in ``render/templates`` that extends ``page.html``); every value is escaped."""
    return _environment().get_template(template).render(language=language, title=title, **values)
