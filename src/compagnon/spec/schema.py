"""The JSON Schema of solution.yaml, with which editors complete and check it while one types; and of other files."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema

from compagnon.spec.model import Spec

DIALECT = "https://json-schema.org/draft/2020-12/schema"


class _Generate(GenerateJsonSchema):
    """Without the titles made from Python names, which say nothing."""

    schema_dialect = DIALECT

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def json_schema(model: type[Spec]) -> dict[str, Any]:
    """JSON Schema (2020-12) of ``model``, short forms included (``dummy`` for ``{kind: dummy}``)."""
    return json_schema_of(model, "solution.yaml")


def json_schema_of(model: type[BaseModel], title: str) -> dict[str, Any]:
    """JSON Schema (2020-12) of the files that ``model`` reads, which people know as ``title``."""
    schema = model.model_json_schema(by_alias=True, mode="validation", schema_generator=_Generate)
    return {"$schema": DIALECT, **schema, "title": title}
