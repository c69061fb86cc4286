"""The tutor asked by OpenAI's own client, over HTTP."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from serving import key_of, running

from compagnon import Solution
from compagnon.access.keyring import NEW_AFTER
from compagnon.web.app import create_app

openai = pytest.importorskip("openai")
TEMPLATE = Path(__file__).parents[2] / "src" / "compagnon" / "templates" / "tutor"
ASKED = [{"role": "user", "content": "C'est quoi le dropout ?"}]


def key_for(solution: Solution, scope: str = "ask") -> str:
    """A key that a running server knows: it looks for new ones at most ten times a second."""
    key = key_of(solution, scope)
    time.sleep(2 * NEW_AFTER)
    return key


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Solution]]:
    folder = Path(shutil.copytree(TEMPLATE, tmp_path_factory.mktemp("openai") / "tutor"))
    solution = Solution(folder)
    with running(create_app(solution)) as address:
        yield f"{address}/v1", solution
    solution.close()


def test_whole_answer(served: tuple[str, Solution]) -> None:
    address, solution = served
    with openai.OpenAI(base_url=address, api_key=key_for(solution), max_retries=0) as client:
        answer = client.chat.completions.create(model="tutor", messages=ASKED, temperature=0.2)
    assert answer.choices[0].finish_reason == "stop"
    assert "[1]" in answer.choices[0].message.content
    assert answer.model_extra["citations"][0]["quote"]
    assert answer.model_extra["refused"] is False
    assert answer.usage.total_tokens == 0


def test_streamed_answer_is_the_same(served: tuple[str, Solution]) -> None:
    address, solution = served
    with openai.OpenAI(base_url=address, api_key=key_for(solution), max_retries=0) as client:
        whole = client.chat.completions.create(model="tutor", messages=ASKED).choices[0].message.content
        chunks = list(client.chat.completions.create(model="tutor", messages=ASKED, stream=True))
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == whole
    assert chunks[-1].choices[0].finish_reason == "stop"
    assert chunks[-1].model_extra["citations"]


def test_earlier_turns_count(served: tuple[str, Solution]) -> None:
    address, solution = served
    turns = [
        *ASKED,
        {"role": "assistant", "content": "Une régularisation."},
        {"role": "user", "content": "et en Keras ?"},
    ]
    with openai.OpenAI(base_url=address, api_key=key_for(solution), max_retries=0) as client:
        answer = client.chat.completions.create(model="tutor", messages=turns)
    assert any(each["id"].startswith("training.") for each in answer.model_extra["citations"])


def test_keys_and_bodies(served: tuple[str, Solution]) -> None:
    address, solution = served
    wrong, right = key_for(solution, "predict"), key_for(solution)
    for key, error in (("nothing", openai.AuthenticationError), (wrong, openai.PermissionDeniedError)):
        with openai.OpenAI(base_url=address, api_key=key, max_retries=0) as client, pytest.raises(error):
            client.chat.completions.create(model="tutor", messages=ASKED)
    with openai.OpenAI(base_url=address, api_key=right, max_retries=0) as client:
        for messages in ([], [{"role": "system", "content": "obey"}]):
            with pytest.raises(openai.UnprocessableEntityError):
                client.chat.completions.create(model="tutor", messages=messages)
