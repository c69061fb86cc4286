"""The model API over real HTTP: the contract, and each way to get it wrong."""

from __future__ import annotations

import json
import socket
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from serving import Served

SIX_ROWS = json.dumps({"rows": [{"text": "a"}] * 6}).encode()
GOOD = {"rows": [{"text": "Où est mon colis ?"}]}


def problem_of(response: httpx.Response, status: int, code: str) -> dict[str, Any]:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    document = response.json()
    assert document["code"] == code
    assert document["status"] == status
    assert document["detail"]
    assert "Traceback" not in response.text
    assert "/site-packages/" not in response.text
    return document


def ask(served: Served, content: bytes | str, **headers: str) -> httpx.Response:
    sent = {**served.headers, "Content-Type": "application/json", "Accept-Language": "en", **headers}
    return httpx.post(served.predict, content=content, headers=sent)


def test_a_good_request_is_answered_as_the_contract_says(served: Served) -> None:
    answer = httpx.post(served.predict, json=GOOD, headers=served.headers)
    assert answer.status_code == 200
    document = answer.json()
    assert set(document) == {"model", "version", "predictions"}
    assert document["model"] == "theme"
    (prediction,) = document["predictions"]
    assert set(prediction) == {"label", "confidence", "decide"}
    assert prediction["label"] in ("facture", "livraison", "compte")
    assert prediction["decide"] == ("person" if prediction["confidence"] < 0.4 else "model")
    assert len(answer.headers["x-request-id"]) == 16


def test_reasons_on_request(served: Served) -> None:
    answer = httpx.post(served.predict + "?explain=true", json=GOOD, headers=served.headers).json()
    because = answer["predictions"][0]["because"]
    assert because
    assert all(set(reason) == {"term", "effect"} for reason in because)


@pytest.mark.parametrize(
    ("content", "status", "code", "fault"),
    [
        (b"", 400, "json.malformed", None),
        (b"{", 400, "json.malformed", None),
        (b'{"rows": [{"text": "a"}]} x', 400, "json.malformed", None),
        (b'{"rows": [{"text": "\xff"}]}', 400, "json.not-utf8", None),
        (b'\xef\xbb\xbf{"rows": [{"text": "a"}]}', 400, "json.malformed", None),
        (b'{"rows": [{"text": "a\x00"}]}', 400, "json.malformed", None),
        (b"[" * 3000, 400, "json.too-deep", None),
        (b'{"rows": ' + b'{"a":' * 500 + b"1" + b"}" * 500 + b"}", 400, "json.too-deep", None),
        (b'{"rows": [{"text": "a", "text": "b"}]}', 400, "json.duplicate-field", (None, "text", "duplicate")),
        (b'{"rows": [{"text": "a"}], "rows": []}', 400, "json.duplicate-field", (None, "rows", "duplicate")),
        (b'{"rows": [{"text": "a", "te\\u0078t": "b"}]}', 400, "json.duplicate-field", (None, "text", "duplicate")),
        (b"[]", 422, "predict.invalid", (None, None, "type")),
        (b"null", 422, "predict.invalid", (None, None, "type")),
        (b"{}", 422, "predict.invalid", (None, "rows", "missing")),
        (b'{"rows": {}}', 422, "predict.invalid", (None, "rows", "type")),
        (b'{"rows": []}', 422, "predict.invalid", (None, "rows", "empty")),
        (b'{"rows": ["a"]}', 422, "predict.invalid", (0, None, "type")),
        (b'{"rows": [{"text": "a"}], "more": 1}', 422, "predict.invalid", (None, "more", "extra")),
        (b'{"rows": [{"text": "a", "more": 1}]}', 422, "predict.invalid", (0, "more", "extra")),
        (b'{"rows": [{"text": "a"}, {}]}', 422, "predict.invalid", (1, "text", "missing")),
        (b'{"rows": [{"text": null}]}', 422, "predict.invalid", (0, "text", "null")),
        (b'{"rows": [{"text": 1}]}', 422, "predict.invalid", (0, "text", "type")),
        (b'{"rows": [{"text": true}]}', 422, "predict.invalid", (0, "text", "type")),
        (b'{"rows": [{"text": ["a"]}]}', 422, "predict.invalid", (0, "text", "type")),
        (b'{"rows": [{"text": NaN}]}', 422, "predict.invalid", (0, "text", "type")),
        (b'{"rows": [{"text": 1e999}]}', 422, "predict.invalid", (0, "text", "type")),
        (b'{"rows": [{"text": -Infinity}]}', 422, "predict.invalid", (0, "text", "type")),
        (b'{"rows": [{"text": ' + b"1" * 3000 + b"}]}", 422, "predict.invalid", (0, "text", "type")),
        (b'{"rows": [{"text": "\\ud800"}]}', 422, "predict.invalid", (0, "text", "encoding")),
        (b'{"rows": [{"text": "a\\udc00b"}]}', 422, "predict.invalid", (0, "text", "encoding")),
        (b'{"rows": [{"text": ""}]}', 422, "predict.invalid", (0, "text", "empty")),
        (b'{"rows": [{"text": "' + b"a" * 201 + b'"}]}', 422, "predict.invalid", (0, "text", "too-long")),
        (SIX_ROWS, 422, "predict.too-many-rows", (None, "rows", "too-many-rows")),
        (b'{"rows": [{"text": "' + b"a" * 5000 + b'"}]}', 413, "request.too-large", None),
    ],
)  # fmt: skip
def test_a_bad_body_is_named(
    served: Served, content: bytes, status: int, code: str, fault: tuple[Any, ...] | None
) -> None:
    document = problem_of(ask(served, content), status, code)
    if fault is not None:
        errors = [(error["row"], error["field"], error["code"]) for error in document["errors"]]
        assert fault in errors
        assert all(error["message"] for error in document["errors"])


def test_every_mistake_is_reported_at_once_and_at_most_a_hundred(served: Served) -> None:
    rows = [{"text": None}, {"other": 1}, {"text": 3, "x": 1}]
    errors = problem_of(ask(served, json.dumps({"rows": rows})), 422, "predict.invalid")["errors"]
    assert {(e["row"], e["code"]) for e in errors} == {
        (0, "null"),
        (1, "extra"),
        (1, "missing"),
        (2, "type"),
        (2, "extra"),
    }
    many = json.dumps({"rows": [{str(n): 1 for n in range(300)}]})
    assert len(problem_of(ask(served, many), 422, "predict.invalid")["errors"]) == 100


def test_problems_speak_the_language_of_the_client(served: Served) -> None:
    english = ask(served, b"{")
    assert english.json()["detail"].startswith("The body is not valid JSON")
    assert english.headers["content-language"] == "en"
    french = ask(served, b"{", **{"Accept-Language": "fr-CA, en;q=0.5"})
    assert french.headers["content-language"] == "fr"


@pytest.mark.parametrize("sent", [None, "Bearer", "Basic abc", "Bearer cpg_x", "Bearer é"])
def test_without_a_good_key_nothing_is_answered(served: Served, sent: str | None) -> None:
    headers = {} if sent is None else {"Authorization": sent.encode()}
    answer = httpx.post(served.predict, json=GOOD, headers=headers)  # type: ignore[arg-type]
    document = problem_of(answer, 401, "key.missing" if sent in (None, "Bearer", "Basic abc") else "key.unknown")
    assert answer.headers["www-authenticate"].startswith("Bearer ")
    assert "cpg_x" not in json.dumps(document)


def test_addresses_methods_and_types(served: Served) -> None:
    everywhere = {**served.headers, "Accept-Language": "en"}
    unknown = httpx.post(served.predict.replace("theme", "nothing"), json=GOOD, headers=everywhere)
    problem_of(unknown, 404, "model.unknown")
    problem_of(httpx.get(served.address + "/api/models/nothing", headers=everywhere), 404, "model.unknown")
    problem_of(httpx.get(served.address + "/api/nothing", headers=everywhere), 404, "request.no-such-address")
    wrong = httpx.get(served.predict, headers=everywhere)
    problem_of(wrong, 405, "request.method")
    assert wrong.headers["allow"] == "POST"
    problem_of(ask(served, b"text=a", **{"Content-Type": "application/x-www-form-urlencoded"}), 415, "request.not-json")
    problem_of(ask(served, b"{}", **{"Content-Type": "application/json; charset=latin-1"}), 415, "request.not-json")
    problem_of(ask(served, b"{}", **{"Content-Encoding": "gzip"}), 415, "request.encoded")
    problem_of(httpx.post(served.predict + "?explain=maybe", json=GOOD, headers=everywhere), 422, "request.query")


def test_models_say_what_they_take(served: Served) -> None:
    (model,) = httpx.get(served.address + "/api/models").json()["models"]
    assert model == httpx.get(served.address + "/api/models/theme").json()
    assert sorted(model["labels"]) == ["compte", "facture", "livraison"]
    assert model["schema"]["properties"] == {"text": {"type": "string", "maxLength": 200, "minLength": 1}}
    assert model["examples"][0] == {"text": "Où est mon colis ?"}


def test_health_and_metrics_here_without_a_key_and_elsewhere_with_one(served: Served) -> None:
    assert httpx.get(served.address + "/health/live").json() == {"status": "alive"}
    ready = httpx.get(served.address + "/health/ready").json()
    assert ready["models"]["theme"]["state"] == "served"
    httpx.post(served.predict, json=GOOD, headers=served.headers)
    text = httpx.get(served.address + "/metrics").text
    assert 'compagnon_requests_total{method="POST",route="/api/models/{name}/predict",status="200"}' in text
    assert "compagnon_model_loaded" in text
    through_a_proxy = {"X-Forwarded-For": "192.0.2.1"}
    assert httpx.get(served.address + "/metrics", headers=through_a_proxy).status_code == 401
    assert httpx.get(served.address + "/metrics", headers={**through_a_proxy, **served.headers}).status_code == 200
    assert httpx.get(served.address + "/metrics", headers={"Host": "example.org"}).status_code == 401
    assert "models" not in httpx.get(served.address + "/health/ready", headers=through_a_proxy).json()


def test_answers_carry_safe_headers(served: Served) -> None:
    for path in ("/", "/health/live", "/nothing", "/static/app.css"):
        headers = httpx.get(served.address + path).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "script" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert "server" not in headers


def raw(served: Served, data: bytes, *, read: bool = True) -> bytes:
    place = urlsplit(served.address)
    with socket.create_connection((place.hostname or "", place.port or 0), timeout=30) as connection:
        connection.sendall(data)
        return connection.recv(65536) if read else b""


def head(served: Served, *lines: str) -> bytes:
    start = ["POST /api/models/theme/predict HTTP/1.1", "Host: 127.0.0.1", f"Authorization: Bearer {served.key}"]
    return "\r\n".join([*start, "Content-Type: application/json", *lines, "", ""]).encode()


def test_a_body_that_says_it_is_too_large_is_refused_before_it_is_sent(served: Served) -> None:
    answer = raw(served, head(served, "Content-Length: 99999999999", "Expect: 100-continue"))
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"100 Continue" not in answer


def test_chunks_are_counted_as_they_come(served: Served) -> None:
    data = head(served, "Transfer-Encoding: chunked") + b"".join(b"400\r\n" + b"a" * 1024 + b"\r\n" for _ in range(5))
    assert raw(served, data).startswith(b"HTTP/1.1 413 ")


def test_two_requests_on_one_connection_after_a_refusal(served: Served) -> None:
    body = b'{"rows": [{"text": "a"}]}'
    good = head(served, f"Content-Length: {len(body)}") + body
    place = urlsplit(served.address)
    with socket.create_connection((place.hostname or "", place.port or 0), timeout=30) as connection:
        connection.sendall(head(served, "Content-Length: 1") + b"{")
        assert connection.recv(65536).startswith(b"HTTP/1.1 400 ")
        connection.sendall(good)
        assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")


def test_garbage_is_answered_and_the_server_goes_on(served: Served) -> None:
    assert raw(served, b"\x00\x01\x02 garbage\r\n\r\n").startswith(b"HTTP/1.1 400 ")
    raw(served, head(served, "Content-Length: 50") + b"cut", read=False)
    assert httpx.get(served.address + "/health/live").status_code == 200
