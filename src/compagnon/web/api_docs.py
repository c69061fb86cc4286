"""The API's documentation: our own rendering of the OpenAPI document, without a script or a foreign server."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from compagnon.i18n import _
from compagnon.services.model_api.diagnose import invalid
from compagnon.services.model_api.openapi import document
from compagnon.services.model_api.shelf import Shelf
from compagnon.web.view import View


@dataclass(frozen=True)
class Operation:
    """One method of one address, as the page shows it."""

    id: str
    method: str
    path: str
    summary: str
    description: str
    access: str
    parameters: list[dict[str, Any]]
    body: str | None
    curl: str
    responses: list[tuple[str, str, str, str | None]]
    """Status, meaning, media type, and the schema of the body where it is not that of a problem."""


def make_api_docs(view: View, shelf: Shelf) -> Callable[[Request], Response]:
    """The handler of ``/api/docs``."""

    def api_docs(request: Request) -> Response:
        found = document(view.solution.spec, shelf)
        server = f"http://{request.headers.get('host', '127.0.0.1:8000')}"
        operations = [
            _operation(server, path, method, operation, found)
            for path, methods in found["paths"].items()
            for method, operation in methods.items()
        ]
        values = {
            "operations": operations,
            "problem": _pretty(found["components"]["schemas"]["Problem"]),
            "example": _problem(shelf),
        }
        return view.page(request, "api.html", values)

    return api_docs


def _operation(server: str, path: str, method: str, operation: dict[str, Any], found: dict[str, Any]) -> Operation:
    content = operation.get("requestBody", {}).get("content", {}).get("application/json")
    security = operation["security"]
    return Operation(
        id=operation["operationId"],
        method=method.upper(),
        path=path,
        summary=operation["summary"],
        description=operation.get("description", ""),
        access=_access(security),
        parameters=operation.get("parameters", []),
        body=_pretty(_resolved(content["schema"], found)) if content else None,
        curl=_curl(server, path, method, bool(security), content),
        responses=[
            (status, response["description"], ", ".join(response["content"]), _answer(response, found))
            for status, response in operation["responses"].items()
        ],
    )


def _access(security: list[dict[str, Any]]) -> str:
    """Who may ask, in words."""
    if not security:
        return _("For everybody, without a key.")
    if {} in security:
        return _("From this machine without a key; from elsewhere with any key that is valid.")
    return _("With a key of scope predict, from this machine too.")


def _answer(response: dict[str, Any], found: dict[str, Any]) -> str | None:
    """The schema of a JSON answer; problems have theirs at the end of the page."""
    schema = response["content"].get("application/json", {}).get("schema")
    return _pretty(_resolved(schema, found)) if schema else None


def _problem(shelf: Shelf) -> str | None:
    """The answer to a row without its fields, as a model that is served gives it."""
    shelved = next((one for name in shelf.names if (one := shelf.find(name))), None)
    faults = shelved.package.validate([{}]) if shelved else []
    return _pretty(json.loads(invalid(faults).problem.body("0" * 32))) if faults else None


def _curl(server: str, path: str, method: str, key: bool, content: dict[str, Any] | None) -> str:
    lines = [f"curl {server}{path}"]
    if method != "get":
        lines[0] = f"curl -X {method.upper()} {server}{path}"
    if key:
        lines.append('-H "Authorization: Bearer $KEY"')
    if content is not None:
        example = content.get("example") or {"rows": [{}]}
        quoted = json.dumps(example, ensure_ascii=False).replace("'", "'\\''")
        lines += ['-H "Content-Type: application/json"', f"-d '{quoted}'"]
    return " \\\n  ".join(lines)


def _resolved(schema: Any, found: dict[str, Any]) -> Any:
    """``schema`` with its references put in place."""
    if isinstance(schema, dict):
        if "$ref" in schema:
            return _resolved(found["components"]["schemas"][schema["$ref"].rpartition("/")[2]], found)
        return {name: _resolved(value, found) for name, value in schema.items()}
    return [_resolved(value, found) for value in schema] if isinstance(schema, list) else schema


def _pretty(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)
