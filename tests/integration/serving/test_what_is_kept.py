"""Predictions and feedback are kept masked, survive crashes, and nothing personal reaches a log."""

from __future__ import annotations

import io
import itertools
import json
import logging
import random
import re
import sys
import threading
from collections import Counter
from datetime import timedelta
from pathlib import Path

import httpx
import pyarrow.parquet as pq
import pytest
from filelock import FileLock, Timeout
from serving import key_of, running, send, token_of

from compagnon import Solution
from compagnon.operate.feedback import list_feedback
from compagnon.operate.monitor import segments
from compagnon.operate.monitor.recorder import Answered, Recorder, leave
from compagnon.services.model_api.service import make_service
from compagnon.web.app import create_app, routes_of
from compagnon.web.logs import configure

PERSONAL = "Je suis jeanne.dupont@example.org, 06 12 34 56 78, où est mon colis ?"


def kept(solution: Solution) -> list[dict[str, object]]:
    paths = segments.paths(solution.workspace.predictions, solution.engine, "theme")
    return [row for path in paths for row in pq.read_table(path).to_pylist()]


def test_predictions_of_api_and_page_are_kept_masked(fresh: Solution) -> None:
    with running(create_app(fresh)) as address:
        headers = {"Authorization": f"Bearer {key_of(fresh)}"}
        body = {"rows": [{"text": PERSONAL}, {"text": "ma facture"}]}
        answer = httpx.post(f"{address}/api/models/theme/predict", json=body, headers=headers)
        send(f"{address}/models/theme/try", {"in-text": PERSONAL})
    rows = kept(fresh)
    assert [(row["row"], row["by"] == "page:local") for row in rows] == [(0, False), (1, False), (0, True)]
    assert rows[0]["request"] == answer.headers["x-request-id"]
    assert rows[0]["label"] == answer.json()["predictions"][0]["label"]
    assert rows[0]["version"] == answer.json()["version"]
    assert rows[0]["input"] == '{"text":"Je suis [courriel], [téléphone], où est mon colis ?"}'
    folder = fresh.workspace.predictions
    assert not list(folder.glob("*.jsonl"))
    assert not list(folder.glob("*.lock"))
    assert all(path.stat().st_mode & 0o077 == 0 for path in folder.iterdir())


def recorder(solution: Solution) -> Recorder:
    return Recorder(solution.workspace.predictions, solution.engine, solution.spec, solution.clock)


def answered(solution: Solution, text: str = "bonjour", request: str = "00" * 8) -> Answered:
    now = solution.clock.now()
    return Answered(now, request, "theme", "v1", "page", [{"text": text}], [("compte", 0.5, "model")])


def test_lines_of_a_killed_worker_are_closed_by_the_next_and_a_torn_one_is_counted(fresh: Solution) -> None:
    first = recorder(fresh)
    first.start()
    first._write([answered(fresh, f"texte {number}") for number in range(5)])
    (lines,) = fresh.workspace.predictions.glob("*.jsonl")
    with lines.open("ab") as file:
        file.write(b'{"at":"2026-01-01T00:00:00Z","request":"cut')
    alive = recorder(fresh)
    alive.start()
    alive.close()
    assert alive.counts.torn == 0  # the first one still holds its lock: hands off
    assert lines.exists()
    first._lock.release()  # as the system does when a process is killed
    heir = recorder(fresh)
    heir.start()
    heir.close()
    assert heir.counts.torn == 1
    assert len(kept(fresh)) == 5
    assert not lines.exists()


def test_a_worker_that_starts_while_another_looks_for_what_was_left_keeps_its_lock(fresh: Solution) -> None:
    """Its lock is there before it is held: the other takes it for that of a worker that is gone, for a moment."""
    starts = recorder(fresh)
    fresh.workspace.predictions.mkdir(parents=True, exist_ok=True)
    place = fresh.workspace.predictions / f"{starts._sign}.lock"
    looks = FileLock(str(place), timeout=0, thread_local=False)
    looks.acquire()
    timer = threading.Timer(0.3, leave, [looks])
    timer.start()
    starts.start()
    timer.join()
    with pytest.raises(Timeout):
        FileLock(str(place), timeout=0).acquire()
    starts.close()
    assert not place.exists()


def test_a_segment_is_closed_by_a_process_of_its_own_as_by_the_server(fresh: Solution) -> None:
    worker = recorder(fresh)
    worker.start()
    worker._write([answered(fresh, f"texte {number}") for number in range(3)])
    (lines,) = fresh.workspace.predictions.glob("*.jsonl")
    beside = segments.compact(lines, "theme")
    expected = pq.read_table(beside.path).to_pylist()
    beside.path.unlink()
    closed = segments.close(lines, "theme", fresh.engine, apart=True)
    assert closed == beside
    assert kept(fresh) == expected
    assert not lines.exists()
    with pytest.raises(OSError, match="ended with"):
        segments.close(lines.with_name("gone.jsonl"), "theme", fresh.engine, apart=True)
    worker.close()


def test_closing_a_segment_again_after_a_crash_adds_nothing(fresh: Solution) -> None:
    worker = recorder(fresh)
    worker.start()
    worker._write([answered(fresh)])
    (lines,) = fresh.workspace.predictions.glob("*.jsonl")
    content = lines.read_bytes()
    worker.close()
    lines.write_bytes(content)  # the crash came after the Parquet file and before the lines were removed
    again = recorder(fresh)
    again.start()
    again.close()
    assert len(kept(fresh)) == 1


def test_old_segments_are_destroyed_at_the_start(fresh: Solution) -> None:
    worker = recorder(fresh)
    worker.start()
    old = answered(fresh)
    worker._write([old._replace(at=old.at - timedelta(days=400))])
    worker.close()
    assert len(kept(fresh)) == 1
    (path,) = fresh.workspace.predictions.glob("*.parquet")
    after = recorder(fresh)
    after.start()
    after.close()
    assert kept(fresh) == []
    assert not path.exists()


def test_inputs_may_be_left_out_and_requests_sampled(fresh: Solution) -> None:
    model = fresh.spec.models["theme"]
    record = model.serve.record.model_copy(update={"inputs": "none", "sample": 0.5})
    serve = model.serve.model_copy(update={"record": record})
    fresh.spec.models["theme"] = model.model_copy(update={"serve": serve})
    worker = recorder(fresh)
    worker.start()
    generator = random.Random(1)
    for _ in range(400):
        worker.add(answered(fresh, request=f"{generator.getrandbits(64):016x}"))
    worker.close()
    rows = kept(fresh)
    assert 150 < len(rows) < 250
    assert {row["input"] for row in rows} == {None}


def test_a_full_queue_drops_and_counts_and_never_waits(fresh: Solution, monkeypatch: pytest.MonkeyPatch) -> None:
    from compagnon.operate.monitor import recorder as module

    monkeypatch.setattr(module, "QUEUE_ROWS", 3)
    worker = recorder(fresh)
    worker.add(answered(fresh))
    assert worker.counts.dropped == 1  # not started
    worker.start()
    worker._waiting = 3
    worker.add(answered(fresh))
    assert worker.counts.dropped == 2
    worker._waiting = 0
    worker.close()


def hidden(page: str) -> str:
    found = re.search(r'name="answer" value="([^"]+)"', page)
    assert found
    return found[1]


def test_feedback_is_kept_masked_once_and_only_for_our_own_answers(fresh: Solution) -> None:
    with running(create_app(fresh)) as address:
        page = send(f"{address}/models/theme/try", {"in-text": PERSONAL}, headers={"Accept-Language": "en"})
        assert page.status_code == 200
        place = f"{address}/models/theme/feedback"
        sealed = hidden(page.text)
        shown = re.search(r'<h2 id="answer-title">.*?</span> (\w+)</h2>', page.text, re.DOTALL)
        assert shown
        expected = next(label for label in ("compte", "facture", "livraison") if label != shown[1])
        said = {"answer": sealed, "expected": expected, "comment": "voir avec jeanne.dupont@example.org"}
        for _twice in range(2):
            answer = send(place, said)
            assert answer.status_code == 303
        wrong = send(place, {**said, "expected": "autre"}, headers={"Accept-Language": "en"})
        assert wrong.status_code == 422
        assert "Choose a label of the list." in wrong.text
        assert send(place, {**said, "answer": "x" + sealed}).status_code == 400
        assert (
            "recorded" in httpx.get(f"{address}/models/theme/try?noted=wrong", headers={"Accept-Language": "en"}).text
        )
    (feedback,) = list_feedback(fresh.engine)
    assert feedback.expected == expected
    assert feedback.input == {"text": "Je suis [courriel], [téléphone], où est mon colis ?"}
    assert feedback.comment == "voir avec [courriel]"
    assert feedback.prediction == page.headers["x-request-id"] + ":0"


def test_1000_personal_strings_through_every_page_and_api_leave_no_trace_in_logs(
    fresh: Solution, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    stream = io.StringIO()
    handler = configure("debug", "json", stream)
    canaries = [f"canari{number:04d}x.{number}@example.org" for number in range(1000)]
    routes = [route for route in routes_of(fresh) if not route.path.endswith("events")]
    ways = itertools.cycle((route, method) for route in routes for method in sorted(route.methods - {"HEAD"}))
    key, asked, answers = key_of(fresh), Counter[str](), Counter[int]()
    try:
        with caplog.at_level("DEBUG"), running(create_app(fresh)) as address, httpx.Client(timeout=60) as client:
            token = token_of(client.get(f"{address}/logbook").text)
            for number, canary in enumerate(canaries):
                route, method = next(ways)
                form = dict.fromkeys(("text", "name", "email", "in-text", "answer", "comment", "reason"), canary)
                known = re.sub(r"\{name(:\w+)?\}", "theme", route.path)
                path = re.sub(r"\{\w+(:\w+)?\}", canary, known if number % 2 else route.path)
                if route.name == "predict":
                    # Each way to be right or wrong with a key that counts.
                    bodies = ({"rows": [{"text": canary}]}, {"rows": [{canary: canary}]}, {canary: 1}, canary)
                    headers = {"Authorization": f"Bearer {key}"}
                    answer = client.post(
                        f"{address}/api/models/theme/predict", json=bodies[number % 4], headers=headers
                    )
                else:
                    headers = {"Referer": canary, "User-Agent": canary, "Accept-Language": canary}
                    if number % 3 == 0:
                        headers |= {"Authorization": f"Bearer {canary}", "Cookie": f"lang={canary}"}
                    data = {"csrf": token, **form} if method == "POST" else None
                    answer = client.request(
                        method, f"{address}{path}", params={"q": canary, "x": canary}, data=data, headers=headers
                    )
                asked[route.name] += 1
                answers[answer.status_code] += 1
            client.request(canaries[0][:9].upper(), f"{address}/")
    finally:
        logging.getLogger().removeHandler(handler)
        logging.getLogger("compagnon").setLevel(logging.NOTSET)
    assert min(asked[route.name] for route in routes) >= 5
    assert not [status for status in answers if status >= 500 and status != 503]
    printed = capfd.readouterr()
    # httpx logs the client's own requests: only what the server logs counts.
    logged = [f"{r.name} {r.getMessage()}" for r in caplog.records if r.name.split(".")[0] not in ("httpx", "httpcore")]
    lines = [line for line in stream.getvalue().splitlines() if json.loads(line)["logger"].startswith("compagnon")]
    text = "\n".join([*logged, *lines, printed.out, printed.err]).lower()
    assert len(lines) >= 950  # all but those of the style sheet and the script
    assert [canary for canary in canaries if canary[:10] in text] == []
    files = b"".join(Path(path).read_bytes() for path in fresh.workspace.predictions.iterdir())
    assert b"canari" not in files
    assert sys.getsizeof(files) > 100


def test_one_id_leads_from_the_page_to_the_model_and_the_record(fresh: Solution) -> None:
    stream = io.StringIO()
    handler = configure("info", "json", stream)
    service = make_service(fresh)
    try:
        with running(create_app(fresh, service=service), service) as address:
            page = send(f"{address}/models/theme/try", {"in-text": "où est mon colis"})
            headers = {"Authorization": f"Bearer {key_of(fresh)}"}
            rows = {"rows": [{"text": "où est mon colis"}]}
            client = httpx.Client(headers=headers)
            with client:
                answers = [client.post(f"{address}/api/models/theme/predict", json=rows) for _twice in range(2)]
    finally:
        logging.getLogger().removeHandler(handler)
        logging.getLogger("compagnon").setLevel(logging.NOTSET)
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    for answer in (page, *answers):
        mine = [line for line in lines if line.get("request") == answer.headers["x-request-id"]]
        assert sorted(line["event"] for line in mine) == ["prediction", "request"]
        (prediction,) = (line for line in mine if line["event"] == "prediction")
        assert (prediction["model"], prediction["rows"]) == ("theme", 1)
    recorded = b"".join(Path(path).read_bytes() for path in fresh.workspace.predictions.iterdir())
    assert answers[0].headers["x-request-id"].encode() in recorded
