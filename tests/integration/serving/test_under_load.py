"""Queues, time-outs, faults of a model, new versions while requests go on."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from serving import Said, Slow, declared, key_of, limited, running, send

from compagnon import Solution
from compagnon.access.keys import revoke_key
from compagnon.features.inputs import Input
from compagnon.services.model_api import shelf as shelves
from compagnon.services.model_api.service import ModelService, make_service
from compagnon.services.model_api.shelf import Shelf
from compagnon.services.model_api.work import Work
from compagnon.spec.model import Fallback
from compagnon.stages.package.validate import check
from compagnon.web.app import create_app

GOOD = {"rows": [{"text": "hello"}]}
By = Callable[..., contextlib.AbstractContextManager[str]]


@pytest.fixture(params=["fast", "ordinary"])
def by(request: pytest.FixtureRequest) -> By:
    """Serves a solution, its predictions by one path or the other."""

    def serve(solution: Solution, service: ModelService | None = None) -> contextlib.AbstractContextManager[str]:
        models = service or make_service(solution)
        return running(create_app(solution, service=models), models if request.param == "fast" else None)

    return serve


def until(condition: Callable[[], bool], seconds: float = 30.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "nothing happened"
        time.sleep(0.02)


def test_more_than_the_queue_holds_is_turned_away_and_the_rest_answered(by: By, fresh: Solution) -> None:
    limited(fresh, queue=3)
    slow = Slow()
    service = make_service(fresh, Shelf(fresh, load=lambda *_: slow), Work(threads=1))

    async def ask_all(address: str, key: str) -> list[httpx.Response]:
        async with httpx.AsyncClient(timeout=60) as client:
            post = client.post
            headers = {"Authorization": f"Bearer {key}"}
            asked = [asyncio.create_task(post(address, json=GOOD, headers=headers)) for _ in range(20)]
            _done, pending = await asyncio.wait(asked, timeout=20, return_when=asyncio.FIRST_COMPLETED)
            while len(pending) > 4:
                await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
                pending = {task for task in asked if not task.done()}
            # The loop is free while the model is not: health answers.
            assert (await client.get(address.partition("/api/")[0] + "/health/live")).status_code == 200
            slow.go.set()
            return list(await asyncio.gather(*asked))

    with by(fresh, service) as address:
        answers = asyncio.run(ask_all(f"{address}/api/models/theme/predict", key_of(fresh)))
    codes = sorted(answer.status_code for answer in answers)
    assert codes == [200] * 4 + [503] * 16
    turned_away = next(answer for answer in answers if answer.status_code == 503)
    assert turned_away.json()["code"] == "predict.overloaded"
    assert int(turned_away.headers["retry-after"]) >= 1


def test_a_model_that_does_not_answer_in_time_is_a_problem_and_keeps_its_place(by: By, fresh: Solution) -> None:
    limited(fresh, timeout=timedelta(seconds=0.2))
    slow = Slow()
    service = make_service(fresh, Shelf(fresh, load=lambda *_: slow), Work(threads=1))
    with by(fresh, service) as address:
        headers = {"Authorization": f"Bearer {key_of(fresh)}"}
        answer = httpx.post(f"{address}/api/models/theme/predict", json=GOOD, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (503, "predict.timeout")
        assert service.work.waiting == {"theme": 1}
        slow.go.set()
        until(lambda: service.work.waiting == {"theme": 0})


def test_a_declared_answer_stands_in_for_a_model_that_is_too_slow_or_too_busy(by: By, fresh: Solution) -> None:
    limited(fresh, queue=1, timeout=timedelta(seconds=0.3))
    declared(fresh, fallback=Fallback(label="à trier"))
    slow = Slow()
    service = make_service(fresh, Shelf(fresh, load=lambda *_: slow), Work(threads=1))
    with by(fresh, service) as address:
        headers = {"Authorization": f"Bearer {key_of(fresh)}", "Accept-Language": "en"}
        predict = f"{address}/api/models/theme/predict"
        two = {"rows": [{"text": "hello"}, {"text": "again"}]}
        answers = [httpx.post(predict, json=two, headers=headers) for _ in range(3)]
        assert [answer.status_code for answer in answers] == [200] * 3
        instead = {"label": "à trier", "confidence": 0.0, "decide": "person"}
        assert [answer.json()["predictions"] for answer in answers] == [[instead, instead]] * 3
        codes = [answer.json()["fallback"]["code"] for answer in answers]
        assert codes == ["predict.timeout", "predict.timeout", "predict.overloaded"]
        assert "did not answer in time" in answers[0].json()["fallback"]["reason"]
        # What is wrong stays refused, and a person at the page is told the truth.
        assert httpx.post(predict, json={"rows": [{"text": ""}]}, headers=headers).status_code == 422
        assert send(f"{address}/models/theme/try", {"in-text": "hello"}).status_code == 503
        assert 'compagnon_fallbacks_total{model="theme",code="predict.overloaded"} 2' in service.metrics_text()
        slow.go.set()
        until(lambda: service.work.waiting == {"theme": 0})
        assert "fallback" not in httpx.post(predict, json=two, headers=headers).json()
    assert service.recorder.counts.written <= 4  # what the model did not say is not kept as its words


def test_answers_are_kept_by_content_where_that_is_declared(by: By, fresh: Solution) -> None:
    declared(fresh, cache=2)
    asked: list[str] = []

    class Counting(Slow):
        def predict(self, rows: Sequence[Mapping[str, Any]]) -> list[Said]:
            asked.extend(row["text"] for row in rows)
            return super().predict(rows)

    model = Counting()
    model.go.set()
    service = make_service(fresh, Shelf(fresh, load=lambda *_: model))
    with by(fresh, service) as address:
        headers = {"Authorization": f"Bearer {key_of(fresh)}"}

        def ask(*texts: str) -> Any:
            body = {"rows": [{"text": text} for text in texts]}
            answer = httpx.post(f"{address}/api/models/theme/predict", json=body, headers=headers)
            assert answer.status_code == 200
            return answer.json()["predictions"]

        first = ask("a", "b", "a")
        assert (asked, first[0]) == (["a", "b"], first[2])
        assert ask("b", "a") == [first[1], first[0]]
        assert asked == ["a", "b"]
        ask("c")  # the one unasked for longest leaves
        ask("b")
        assert asked == ["a", "b", "c", "b"]
        assert 'compagnon_cache_answers{model="theme"} 2' in service.metrics_text()
        kept = service.shelf.get("theme").cache
        assert kept is not None
        assert not any(b"hello" in name or len(name) != 16 for name in kept._kept)
    assert service.recorder.counts.written == 7


def test_a_new_version_begins_with_no_answers_kept(by: By, fresh: Solution) -> None:
    declared(fresh, cache=10)
    service = make_service(fresh)
    with by(fresh, service) as address:
        headers = {"Authorization": f"Bearer {key_of(fresh)}"}
        for _twice in range(2):
            answer = httpx.post(f"{address}/api/models/theme/predict", json=GOOD, headers=headers)
        old = service.shelf.get("theme")
        assert old.cache is not None
        assert (old.cache.hits, len(old.cache)) == (1, 1)
        service.shelf._places["theme"].served = service.shelf._places["theme"].tried = None
        service.shelf.look()
        new = service.shelf.get("theme")
        assert new.cache is not None
        assert (new.cache.hits, len(new.cache)) == (0, 0)
        again = httpx.post(f"{address}/api/models/theme/predict", json=GOOD, headers=headers)
        assert again.json() == answer.json()


def test_a_fault_of_the_model_is_500_without_internals_and_its_words_stay_out_of_the_log(
    by: By, fresh: Solution, caplog: pytest.LogCaptureFixture
) -> None:
    slow = Slow()
    slow.go.set()
    service = make_service(fresh, Shelf(fresh, load=lambda *_: slow))
    with caplog.at_level("DEBUG"), by(fresh, service) as address:
        headers = {"Authorization": f"Bearer {key_of(fresh)}"}
        answer = httpx.post(f"{address}/api/models/theme/predict", json={"rows": [{"text": "break"}]}, headers=headers)
        page = send(f"{address}/models/theme/try", {"in-text": "break"})
    assert answer.status_code == 500
    assert answer.json()["code"] == "server.fault"
    assert "RuntimeError" not in answer.text
    assert page.status_code == 500
    assert "<h1>" in page.text
    assert any("RuntimeError at serving.py" in getattr(record, "error", "") for record in caplog.records)
    assert "a secret of" not in caplog.text + answer.text + page.text


def test_a_key_may_ask_so_often_and_a_revoked_one_not_at_all(by: By, fresh: Solution) -> None:
    limited(fresh, per_minute=3)
    with by(fresh) as address:
        predict = f"{address}/api/models/theme/predict"
        first, second = key_of(fresh), key_of(fresh)
        answers = [httpx.post(predict, json=GOOD, headers={"Authorization": f"Bearer {first}"}) for _ in range(5)]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
        assert 1 <= int(answers[-1].headers["retry-after"]) <= 20
        assert httpx.post(predict, json=GOOD, headers={"Authorization": f"Bearer {second}"}).status_code == 200
        other = Solution(fresh.root)  # as another process would
        revoke_key(other.engine, second.split("_")[1], other.clock.now())
        other.close()
        until(lambda: httpx.post(predict, json=GOOD, headers={"Authorization": f"Bearer {second}"}).status_code == 401)


def test_before_the_first_run_the_server_says_what_to_do(by: By, trained: Path, tmp_path: Path) -> None:
    shutil.copytree(trained, tmp_path / "empty", ignore=shutil.ignore_patterns(".compagnon"))
    solution = Solution(tmp_path / "empty")
    with by(solution) as address:
        headers = {"Authorization": f"Bearer {key_of(solution)}", "Accept-Language": "en"}
        answer = httpx.post(f"{address}/api/models/theme/predict", json=GOOD, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (503, "model.not-ready")
        assert "compagnon run" in answer.json()["detail"]
        assert httpx.get(f"{address}/health/ready").status_code == 503
        assert httpx.get(f"{address}/models/theme/try").status_code == 503
        assert "compagnon run" in httpx.get(f"{address}/").text
        assert "compagnon run" in httpx.get(f"{address}/logbook").text
        # The first package is taken up without a restart.
        Solution(solution.root).run()
        until(lambda: httpx.post(f"{address}/api/models/theme/predict", json=GOOD, headers=headers).status_code == 200)
    solution.close()


def test_new_versions_are_taken_up_without_a_failed_request(
    by: By, fresh: Solution, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shelves, "LOOK_EVERY", 0.05)
    key = key_of(fresh)
    seen: list[tuple[int, str]] = []
    stop = threading.Event()

    def ask(address: str) -> None:
        with httpx.Client(headers={"Authorization": f"Bearer {key}"}, timeout=60) as client:
            while not stop.is_set():
                answer = client.post(f"{address}/api/models/theme/predict", json=GOOD)
                seen.append((answer.status_code, answer.json().get("version", "")))

    with by(fresh) as address:
        threads = [threading.Thread(target=ask, args=(address,)) for _ in range(3)]
        for thread in threads:
            thread.start()
        file = fresh.root / "solution.yaml"
        text = file.read_text(encoding="utf-8")
        versions = []
        for threshold in ("0.41", "0.42"):
            file.write_text(text.replace("person_below: 0.4", f"person_below: {threshold}"), encoding="utf-8")
            other = Solution(fresh.root)
            other.run(to="package")
            artifact = other.artifact("package/theme", "package/theme")
            assert artifact is not None
            versions.append(artifact.digest[:12])
            other.close()
            until(lambda: seen[-1][1] == versions[-1])
        stop.set()
        for thread in threads:
            thread.join()
    assert {status for status, _version in seen} == {200}
    order = list(dict.fromkeys(version for _status, version in seen))
    assert order[-2:] == versions
    assert len(order) == 3


def test_a_damaged_package_is_refused_and_the_old_one_stays(fresh: Solution, caplog: pytest.LogCaptureFixture) -> None:
    shelf = Shelf(fresh)
    shelf.look()
    old = shelf.get("theme").version
    file = fresh.root / "solution.yaml"
    file.write_text(
        file.read_text(encoding="utf-8").replace("person_below: 0.4", "person_below: 0.45"), encoding="utf-8"
    )
    other = Solution(fresh.root)
    other.run(to="package")
    artifact = other.artifact("package/theme", "package/theme")
    assert artifact is not None
    graph = other.artifacts.path(artifact, "package.json")
    sound = graph.read_bytes()
    graph.chmod(0o600)
    graph.write_bytes(sound[:-3] + b" \n\n")
    shelf.look()
    assert shelf.get("theme").version == old
    assert shelf.state()["theme"]["refused"]["code"] == "package.altered"
    assert shelf.is_ready()
    assert "refused: package.altered" in caplog.text
    graph.write_bytes(sound)
    shelf._places["theme"].tried_at = -1e9  # the wait before the next try is over
    shelf.look()
    assert shelf.get("theme").version == artifact.digest[:12] != old
    assert shelf.state()["theme"]["refused"] is None
    other.close()


def test_a_model_of_several_inputs_is_tried_by_a_form_with_a_field_each(by: By, fresh: Solution) -> None:
    table = Slow()
    table.inputs = (
        Input("size", "float"),
        Input("kind", "category", nullable=True, categories=("x", "y")),
        Input("on", "boolean"),
    )
    table.go.set()
    table.validate = lambda rows: check(table.inputs, rows, longest=100, text_needed=False)  # type: ignore[method-assign]
    table.predict = lambda rows: [Said("yes", 0.3, "person", (0.3, 0.7)) for _ in rows]  # type: ignore[method-assign]
    service = make_service(fresh, Shelf(fresh, load=lambda *_: table))
    with by(fresh, service) as address:
        english = {"Accept-Language": "en"}
        page = httpx.get(f"{address}/models/theme/try", headers=english).text
        assert 'name="in-size"' in page
        assert '<option value="x">' in page
        wrong = send(f"{address}/models/theme/try", {"in-size": "much", "in-on": "true"}, headers=english)
        assert wrong.status_code == 422
        assert 'aria-describedby="error-in' not in wrong.text
        assert "Write a number" in wrong.text
        assert 'value="much"' in wrong.text
        good = {"in-size": "1 234,5", "in-on": "false", "in-kind": ""}
        answer = send(f"{address}/models/theme/try", good, headers=english)
        assert answer.status_code == 200
        assert "A person decides" in answer.text


def test_forms_of_other_sites_and_other_names_are_refused(by: By, fresh: Solution) -> None:
    with by(fresh) as address:
        host = address.removeprefix("http://")
        post = f"{address}/logbook"
        for headers in (
            {"Origin": "http://evil.example"},
            {"Origin": "null"},
            {"Origin": "http://127.0.0.1:1"},
            {"Origin": f"http://{host}.evil.example"},
            {"Sec-Fetch-Site": "cross-site"},
            {"Sec-Fetch-Site": "same-site"},
        ):
            assert httpx.post(post, data={"text": "x"}, headers=headers).status_code == 403, headers
        for name in ("evil.example", "127.0.0.1.evil.example", host + ".evil.example", ""):
            assert httpx.get(address, headers={"Host": name}).status_code in (400, 421), name
        assert httpx.get(address, headers={"X-Forwarded-For": "192.0.2.1"}).status_code == 421
        assert fresh.ledger.notes() == []
        assert send(post, {"text": "x"}, headers={"Origin": address}).status_code == 303
        assert len(fresh.ledger.notes()) == 1
        for next_place in ("//evil.example", "https://evil.example"):
            answer = httpx.get(f"{address}/{next_place}?lang=en")
            assert "evil.example" not in answer.headers.get("location", "")


def test_what_users_wrote_is_shown_as_text(by: By, fresh: Solution) -> None:
    with by(fresh) as address:
        send(f"{address}/logbook", {"text": "<script>alert(1)</script>"})
        assert "<script>" not in httpx.get(f"{address}/logbook").text
        page = send(f"{address}/models/theme/try", {"in-text": "</textarea><script>alert(1)</script>"}).text
        assert "<script>" not in page
