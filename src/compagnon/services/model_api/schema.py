"""What one row of a request must be, as JSON Schema (2020-12)."""

from __future__ import annotations

from typing import Any

from compagnon.features.inputs import FLOAT32_LIMIT, Input
from compagnon.services.model_api.package import Served


def row_schema(package: Served, longest: int) -> dict[str, Any]:
    """The schema of one row: each input is there, null only where the model has seen it missing."""
    text_needed = package.task == "text-classification"
    return {
        "type": "object",
        "properties": {field.name: field_schema(field, longest, text_needed) for field in package.inputs},
        "required": [field.name for field in package.inputs],
        "additionalProperties": False,
    }


def field_schema(field: Input, longest: int, text_needed: bool) -> dict[str, Any]:
    """The schema of one field; ``longest`` bounds its characters."""
    schema: dict[str, Any]
    if field.type in ("text", "category"):
        schema = {"type": "string", "maxLength": longest}
        if field.type == "text" and text_needed:
            schema["minLength"] = 1
        if field.categories:
            schema["examples"] = list(field.categories[:5])
    elif field.type == "boolean":
        schema = {"type": "boolean"}
    elif field.type in ("integer", "decimal", "float"):
        # The graph computes with 32-bit numbers, also for integers.
        schema = {"type": "number", "minimum": -FLOAT32_LIMIT, "maximum": FLOAT32_LIMIT}
    else:
        schema = {"type": "string", "format": "date" if field.type == "date" else "date-time"}
    if field.nullable:
        schema["type"] = [schema["type"], "null"]
    return schema
