"""The OpenAPI document is complete, and every answer conforms to it whatever is sent."""

from __future__ import annotations

import json
import re
from html import unescape

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from hypothesis import given as check
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from serving import Served

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


def test_every_route_for_machines_is_described(served: Served) -> None:
    document = httpx.get(served.address + "/api/openapi.json").json()
    assert document["openapi"] == "3.1.0"
    assert set(document["paths"]) == {
        "/api/models",
        "/api/models/theme",
        "/api/models/theme/predict",
        "/api/openapi.json",
        "/health/live",
        "/health/ready",
        "/metrics",
    }
    operations = [operation for path in document["paths"].values() for operation in path.values()]
    assert len({operation["operationId"] for operation in operations}) == len(operations)
    assert all(operation["summary"] and "security" in operation for operation in operations)


def test_the_page_says_of_every_operation_who_may_ask_how_and_what_comes_back(served: Served) -> None:
    document = httpx.get(served.address + "/api/openapi.json").json()
    page = unescape(httpx.get(served.address + "/api/docs", headers={"accept-language": "en"}).text)
    sections = {part.partition('"')[0]: part for part in page.split('<section class="operation" id="')[1:]}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            said = sections[operation["operationId"]]
            assert f"{method.upper()} {path}" in said
            assert f"curl {'' if method == 'get' else f'-X {method.upper()} '}{served.address}{path}" in said
            assert ("Authorization: Bearer $KEY" in said) is bool(operation["security"])
            scope = operation["security"] == [{"key": []}]
            assert ("With a key of scope predict" in said) is scope
            assert ("For everybody, without a key." in said) is (operation["security"] == [])
            for status, answer in operation["responses"].items():
                assert f"<b>{status}</b>" in said, (path, status)
                assert ('aria-label="Answer ' + status in said) is ("application/json" in answer["content"])
    problem = json.loads(re.search(r"<pre[^>]*>(.*?)</pre>", sections["problems"], re.DOTALL)[1])  # type: ignore[index]
    assert problem["status"] == 422
    assert problem["errors"][0]["field"] == "text"
    assert set(problem) <= set(document["components"]["schemas"]["Problem"]["properties"])


@pytest.mark.parametrize("mode", ["positive", "negative"])
def test_answers_conform_to_the_document(served: Served, mode: str) -> None:
    schema = schemathesis.openapi.from_url(served.address + "/api/openapi.json")
    generation = schemathesis.GenerationMode(mode)
    counts, taken = [], []
    for result in schema.get_all_operations():
        operation = result.ok()
        if mode == "negative" and operation.method != "post":
            continue  # an operation without input has no wrong one
        strategy = operation.as_strategy(generation_mode=generation)

        @check(case=strategy)
        @settings(
            max_examples=60,
            deadline=None,
            database=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.explicit, Phase.generate],
        )
        def conforms(case: schemathesis.Case) -> None:
            response = case.call(headers=served.headers)
            counts.append(response.status_code)
            wrong = {place.value for place, part in case.meta.components.items() if part.mode.is_negative}
            # A wrong header alone (the key) is made good by the call above.
            if response.status_code == 200 and wrong - {"header"}:
                taken.append((wrong, case.query, case.body))
            case.validate_response(response, checks=CHECKS)

        conforms()
    assert len(counts) >= 60
    assert not [status for status in counts if status >= 500]
    if mode == "positive":
        assert set(counts) <= {200, 422}  # 422: a text of signs that mean nothing, which no schema can tell
        assert 200 in counts
    else:
        assert taken == []


@settings(max_examples=60, deadline=None, derandomize=True)
@check(st.binary(max_size=300))
def test_any_bytes_are_answered_with_a_problem(served: Served, body: bytes) -> None:
    headers = {**served.headers, "Content-Type": "application/json"}
    answer = httpx.post(served.predict, content=body, headers=headers)
    assert answer.status_code in (400, 422)
    assert answer.headers["content-type"] == "application/problem+json"
