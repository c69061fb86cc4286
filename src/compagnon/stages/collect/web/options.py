"""Options of a ``web`` source."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from compagnon.i18n import _
from compagnon.spec.model import Duration, Name, Section, StringList
from compagnon.stages.collect.encoding import EncodingName
from compagnon.stages.collect.http.options import Bounds, HttpOptions, check_address


def check_selector(value: str) -> str:
    """A CSS selector; raises ValueError."""
    from cssselect import HTMLTranslator, SelectorError

    try:
        HTMLTranslator().css_to_xpath(value)
    except SelectorError as error:
        raise ValueError(_("not a CSS selector: {why}").format(why=error)) from error
    return value


def _check_selectors(values: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(check_selector(value) for value in values)


def _check_addresses(values: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(check_address(value) for value in values)


Selector = Annotated[str, AfterValidator(check_selector)]


class Cell(Section):
    """Where a column stands: in an element of the row, or in what the page says of itself."""

    select: Selector | None = Field(None, description="CSS selector within the row; the row itself if absent.")
    attribute: str | None = Field(None, description="Attribute to take (href, datetime); the text if absent.")
    join: str | None = Field(None, description="Put between all elements that match; the first one alone if absent.")
    meta: str | None = Field(
        None, description="What the page says of itself: url, title, language, canonical, or the name of a meta tag."
    )

    @model_validator(mode="after")
    def _one_of(self) -> Cell:
        if self.meta is not None and (self.select or self.attribute or self.join is not None):
            raise ValueError(_("say either meta or select and attribute"))
        return self


def _as_cell(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    select, at, attribute = value.partition("@")
    return {"select": select.strip() or None, "attribute": attribute.strip() if at else None}


class WebOptions(HttpOptions):
    """Options of a ``web`` source. ``robots.txt`` is obeyed, and there is no option to disobey it."""

    kind: Literal["web"]
    contact: str = Field(
        min_length=3, description="Who answers for this source: sites are told how to reach them with each request."
    )
    start: Annotated[StringList, AfterValidator(_check_addresses)] = Field(
        min_length=1, description="Addresses of the first pages."
    )
    follow: Annotated[StringList, AfterValidator(_check_selectors)] = Field(
        (), description="CSS selectors of the links to follow, on the declared hosts only."
    )
    depth: int = Field(100, ge=0, description="Links followed one after the other from a first page.")
    pages: StringList = Field(
        (), description="Paths of the pages that hold rows (/questions/*.html); every page if absent."
    )
    rows: Selector | None = Field(None, description="CSS selector of which each element is a row; else a page is one.")
    fields: dict[Name, Annotated[Cell, BeforeValidator(_as_cell, json_schema_input_type=str | Cell)]] = Field(
        {}, description="Columns and where they stand: a CSS selector, with @ and an attribute or without."
    )
    table: Selector | None = Field(None, description="CSS selector of a table whose heads name the columns.")
    delay: Duration = Field(timedelta(seconds=1), description="Between two requests; robots.txt may ask for more.")
    encoding: EncodingName = Field(
        "auto", description="Of the pages; as the server or the page says if absent, else UTF-8."
    )
    bounds: Bounds = Field(Bounds(pages=1000), description="What one collection may take.")

    @model_validator(mode="after")
    def _something(self) -> WebOptions:
        if not self.fields and self.table is None:
            raise ValueError(_("say what to extract: fields or table"))
        if self.table is not None and (self.rows or any(cell.meta is None for cell in self.fields.values())):
            raise ValueError(_("beside a table, fields only take what the page says of itself: {meta: url}"))
        return self
