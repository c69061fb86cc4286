"""Predictions and feedback are kept masked, survive crashes, and nothing personal reaches a log."""

from __future__ import annotations

import random
import re
import sys
from datetime import timedelta
from pathlib import Path

import httpx
import pyarrow.parquet as pq
import pytest
from serving import key_of, running, send

from compagnon import Solution
from compagnon.operate.feedback import list_feedback
from compagnon.operate.monitor import segments
from compagnon.operate.monitor.recorder import Answered, Recorder
from compagnon.web.app import create_app

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
    assert [(row["row"], row["by"] == "page") for row in rows] == [(0, False), (1, False), (0, True)]
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
    assert alive.counts.torn == 0  # the first one still holds its lock: hands off
    assert lines.exists()
    first._lock.release()  # as the system does when a process is killed
    alive.close()
    heir = recorder(fresh)
    heir.start()
    heir.close()
    assert heir.counts.torn == 1
    assert len(kept(fresh)) == 5
    assert not lines.exists()


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
    worker._write([Answered(old.at - timedelta(days=400), *list(vars(old).values())[1:])])
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


def test_200_personal_strings_through_api_and_pages_leave_no_trace_in_logs(
    fresh: Solution, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    canaries = [f"canari{number:03d}x.{number}@example.org" for number in range(200)]
    with caplog.at_level("DEBUG"), running(create_app(fresh)) as address:
        headers = {"Authorization": f"Bearer {key_of(fresh)}"}
        with httpx.Client(headers=headers, timeout=60) as client:
            for number, canary in enumerate(canaries):
                way = number % 10
                predict = f"{address}/api/models/theme/predict"
                if way == 0:
                    client.post(predict, json={"rows": [{"text": canary}]})
                elif way == 1:
                    client.post(predict, json={"rows": [{canary: canary}]})
                elif way == 2:
                    client.post(predict, content=f'{{"rows": [{{"text": "{canary}'.encode())
                elif way == 3:
                    client.post(f"{address}/api/models/{canary}/predict", json={})
                elif way == 4:
                    client.get(f"{address}/{canary}?q={canary}")
                elif way == 5:
                    send(f"{address}/models/theme/try?x={canary}", {"in-text": canary}, client)
                elif way == 6:
                    send(f"{address}/logbook", {"text": canary}, client)
                elif way == 7:
                    client.get(f"{address}/runs/{canary}", headers={"Referer": canary, "User-Agent": canary})
                elif way == 8:
                    send(f"{address}/models/theme/feedback", {"answer": canary, "comment": canary}, client)
                else:
                    client.request(canary[:9].upper(), predict, headers={"Authorization": f"Bearer {canary}"})
    printed = capfd.readouterr()
    # httpx logs the client's own requests: only what the server logs counts.
    logged = [f"{r.name} {r.getMessage()}" for r in caplog.records if r.name.split(".")[0] not in ("httpx", "httpcore")]
    text = "\n".join([*logged, printed.out, printed.err]).lower()
    assert "compagnon.web.guard" in text
    assert [canary for canary in canaries if canary[:9] in text] == []
    files = b"".join(Path(path).read_bytes() for path in fresh.workspace.predictions.iterdir())
    assert b"canari" not in files
    assert sys.getsizeof(files) > 100
