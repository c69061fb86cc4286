"""The OpenAPI document, made for the packages that are served: each model's rows by their own schema."""

from __future__ import annotations

from typing import Any

from compagnon.i18n import _, current, format_number
from compagnon.services.model_api.problem import title_of
from compagnon.services.model_api.schema import row_schema
from compagnon.services.model_api.service import INSTEAD
from compagnon.services.model_api.shelf import Shelf, Shelved
from compagnon.spec.model import Spec, text_of

KEY: list[dict[str, list[str]]] = [{"key": []}]
OPEN_HERE: list[dict[str, list[str]]] = [{}, {"key": []}]


def describe(shelved: Shelved) -> dict[str, Any]:
    """What one model takes and gives."""
    model, package = shelved.model, shelved.package
    return {
        "name": shelved.name,
        "title": text_of(model.title, current()) or shelved.name,
        "task": model.task,
        "version": shelved.version,
        "labels": list(package.labels),
        "schema": row_schema(package, model.serve.limits.text),
        "examples": examples(shelved),
        "person_below": model.decide.person_below,
        "limits": {
            "rows": model.serve.limits.rows,
            "body": model.serve.limits.body,
            "text": model.serve.limits.text,
            "per_minute": model.serve.limits.per_minute,
        },
    }


def examples(shelved: Shelved) -> list[dict[str, Any]]:
    """The declared examples as rows; one given as a text stands for a model with one input."""
    first = shelved.package.inputs[0].name
    return [
        dict(example) if isinstance(example, dict) else {first: example} for example in shelved.model.serve.examples
    ]


def document(spec: Spec, shelf: Shelf) -> dict[str, Any]:
    """OpenAPI 3.1 for everything that machines may ask of this server."""
    served = [shelved for name in shelf.names if (shelved := shelf.find(name))]
    paths: dict[str, Any] = {}
    schemas = _common_schemas()
    for shelved in served:
        row = f"Row_{shelved.name}"
        schemas[row] = row_schema(shelved.package, shelved.model.serve.limits.text)
        paths[f"/api/models/{shelved.name}/predict"] = {"post": _predict(shelved, row)}
        title = _("What {name} takes and gives").format(name=shelved.name)
        paths[f"/api/models/{shelved.name}"] = {"get": _get(f"describe_{shelved.name}", title, "Model", (401, 503))}
    paths["/api/models"] = {"get": _get("list_models", _("Models served"), "Models", (401,))}
    paths["/api/openapi.json"] = {"get": _get("openapi", _("This document"), None, (401,))}
    paths["/health/live"] = {"get": _get("live", _("The server runs"), "Alive", (), security=[])}
    ready = _get("ready", _("Every declared model is served"), "Ready", (), security=[])
    ready["responses"]["503"] = _json_answer(_("Not every model is served"), "Ready", headers={"Retry-After": RETRY})
    paths["/health/ready"] = {"get": ready}
    metrics = _get("metrics", _("Counters, as Prometheus reads them"), None, (401,))
    metrics["responses"]["200"]["content"] = {"text/plain": {"schema": {"type": "string"}}}
    paths["/metrics"] = {"get": metrics}
    if spec.tutor is not None:
        paths["/v1/chat/completions"] = {"post": _completions()}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": text_of(spec.title, current()) or spec.name,
            "version": "1",
            "description": text_of(spec.need.problem, current()) if spec.need else "",
        },
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "key": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": _("An API key: compagnon key create --scope predict"),
                }
            },
        },
    }


RETRY = {"schema": {"type": "integer", "minimum": 1}, "description": "s"}


def _predict(shelved: Shelved, row: str) -> dict[str, Any]:
    limits = shelved.model.serve.limits
    title = text_of(shelved.model.title, current()) or shelved.name
    content: dict[str, Any] = {
        "schema": {
            "type": "object",
            "properties": {
                "rows": {
                    "type": "array",
                    "minItems": 1,
                    "maxItems": limits.rows,
                    "items": {"$ref": f"#/components/schemas/{row}"},
                }
            },
            "required": ["rows"],
            "additionalProperties": False,
        }
    }
    if shelved.model.serve.examples:
        content["example"] = {"rows": examples(shelved)[:2]}
    operation: dict[str, Any] = {
        "operationId": f"predict_{shelved.name}",
        "summary": _("Predict: {title}").format(title=title),
        "description": _(
            "At most {rows} rows and {body} bytes. `decide` is `person` below a confidence of {below}: "
            "then a person decides."
        ).format(
            rows=format_number(limits.rows),
            body=format_number(limits.body),
            below=format_number(shelved.model.decide.person_below),
        ),
        "security": KEY,
        "parameters": [
            {
                "name": "explain",
                "in": "query",
                "required": False,
                "description": _("Give the terms that weigh most, as `because`."),
                "schema": {"type": "boolean", "default": False},
            }
        ],
        "requestBody": {"required": True, "content": {"application/json": content}},
        "responses": {"200": _json_answer(_("One prediction for each row, in their order"), "Answer")},
    }
    for status in (400, 401, 403, 408, 413, 415, 422, 429, 503):
        operation["responses"][str(status)] = _problem(status)
    return operation


def _completions() -> dict[str, Any]:
    """The tutor, for clients of OpenAI's API."""
    message = {
        "type": "object",
        "properties": {
            "role": {"enum": ["system", "user", "assistant"]},
            "content": {"type": "string"},
        },
        "required": ["role", "content"],
    }
    body = {
        "type": "object",
        "properties": {
            "model": {"type": "string"},
            "messages": {"type": "array", "minItems": 1, "maxItems": 100, "items": message},
            "stream": {"type": "boolean", "default": False},
        },
        "required": ["messages"],
    }
    operation: dict[str, Any] = {
        "operationId": "ask_tutor",
        "summary": _("Ask the tutor, in the form of OpenAI's API"),
        "description": _("Needs a key with the scope ask. The last message of the user is the question."),
        "security": KEY,
        "requestBody": {"required": True, "content": {"application/json": {"schema": body}}},
        "responses": {"200": _json_answer(_("The answer with its citations"), None)},
    }
    operation["responses"]["200"]["content"]["text/event-stream"] = {"schema": {"type": "string"}}
    for status in (401, 403, 408, 413, 415, 422, 429, 503):
        operation["responses"][str(status)] = _problem(status)
    return operation


def _get(
    operation: str, summary: str, schema: str | None, problems: tuple[int, ...], security: Any = None
) -> dict[str, Any]:
    answer = _json_answer(summary, schema)
    return {
        "operationId": operation,
        "summary": summary,
        "security": OPEN_HERE if security is None else security,
        "responses": {"200": answer, **{str(status): _problem(status) for status in problems}},
    }


def _json_answer(description: str, schema: str | None, headers: dict[str, Any] | None = None) -> dict[str, Any]:
    content = {"schema": {"$ref": f"#/components/schemas/{schema}"} if schema else {"type": "object"}}
    return {
        "description": description,
        "headers": {"X-Request-Id": {"schema": {"type": "string"}}, **(headers or {})},
        "content": {"application/json": content},
    }


def _problem(status: int) -> dict[str, Any]:
    headers: dict[str, Any] = {"X-Request-Id": {"schema": {"type": "string"}}}
    if status in (429, 503):
        headers["Retry-After"] = RETRY
    if status == 401:
        headers["WWW-Authenticate"] = {"schema": {"type": "string"}}
    return {
        "description": title_of(status),
        "headers": headers,
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }


def _common_schemas() -> dict[str, Any]:
    text, nothing = {"type": "string"}, {"type": "null"}
    prediction = {
        "type": "object",
        "properties": {
            "label": text,
            "confidence": {"type": "number", "minimum": 0, "maximum": 1},
            "decide": {"enum": ["model", "person"]},
            "because": {
                "type": "array",
                "items": _object({"term": text, "effect": {"type": "number"}}),
            },
        },
        "required": ["label", "confidence", "decide"],
        "additionalProperties": False,
    }
    error = _object(
        {"row": {"type": ["integer", "null"]}, "field": {"type": ["string", "null"]}, "code": text, "message": text}
    )
    problem = _object(
        {"type": text, "title": text, "status": {"type": "integer"}, "code": text, "detail": text},
        {"instance": text, "errors": {"type": "array", "items": error}},
    )
    model = _object(
        {
            "name": text,
            "title": text,
            "task": text,
            "version": text,
            "labels": {"type": "array", "items": text},
            "schema": {"type": "object"},
            "examples": {"type": "array", "items": {"type": "object"}},
            "person_below": {"type": "number"},
            "limits": {"type": "object", "additionalProperties": {"type": "integer"}},
        }
    )
    refused = {"anyOf": [_object({"run": text, "code": text}), nothing]}
    state = _object(
        {
            "state": {"enum": ["served", "refused", "absent"]},
            "version": {"type": ["string", "null"]},
            "refused": refused,
        }
    )
    predictions = {"type": "array", "items": {"$ref": "#/components/schemas/Prediction"}}
    fallback = _object({"code": {"enum": list(INSTEAD)}, "reason": text})
    return {
        "Prediction": prediction,
        "Answer": _object({"model": text, "version": text, "predictions": predictions}, {"fallback": fallback}),
        "Problem": problem,
        "Model": model,
        "Models": _object({"models": {"type": "array", "items": {"$ref": "#/components/schemas/Model"}}}),
        "Alive": _object({"status": {"const": "alive"}}),
        "Ready": _object(
            {"status": {"enum": ["ready", "not-ready"]}},
            {"models": {"type": "object", "additionalProperties": state}},
        ),
    }


def _object(required: dict[str, Any], optional: dict[str, Any] | None = None) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {**required, **(optional or {})},
        "required": list(required),
        "additionalProperties": False,
    }
