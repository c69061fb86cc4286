"""The whole way to a service: real adapters, the emulated wire, the real database."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from asking import CANARY, options, question

from compagnon.chain.secrets import Secrets
from compagnon.chain.workspace import Workspace
from compagnon.database.engine import open_database
from compagnon.errors import UserError
from compagnon.operate.usage import record, remember
from compagnon.operate.usage.gateway import Exchange, Gateway
from compagnon.operate.usage.record import CeilingReached, Receipt
from compagnon.operate.usage.report import usage
from compagnon.providers.opening import open_provider
from compagnon.providers.port import Passage, Piece, ProviderDown
from compagnon.sandbox.mistral import Emulator

CONVERSATION = "Je m'appelle Zoé Lefèvre, zoe@lycee.fr, 06 12 34 56 78. C'est quoi un CNN ?"


class Clock:
    """A clock that stands still unless moved."""

    def __init__(self) -> None:
        self.at = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.at.timestamp()


class Place:
    """A gateway on a database of its own."""

    def __init__(self, root: Path, emulator: Emulator, kind: str = "mistral", **more: Any) -> None:
        self.root, self.clock = root, Clock()
        workspace = Workspace(root)
        self.engine = open_database(workspace)
        secrets = Secrets(workspace, {"MISTRAL_API_KEY": CANARY})
        chosen = options(kind, emulator, **more)
        self.gateway = Gateway(self.engine, secrets, open_provider("school", chosen, secrets), chosen, self.clock)

    def ask(self, text: str = "C'est quoi un CNN ?", take: int | None = None, **more: Any) -> tuple[str, Receipt]:
        """The answer (or its first ``take`` pieces) and the receipt."""
        asked = question(text, max_tokens=more.pop("max_tokens", None))

        async def go() -> tuple[str, Receipt]:
            exchange = self.gateway.ask(asked, **more)
            try:
                text = "".join([piece.text async for piece in first(exchange, take)])
            finally:
                await exchange.aclose()
                await self.gateway.provider.close()
            assert exchange.receipt is not None
            return text, exchange.receipt

        return asyncio.run(go())

    def bytes(self) -> bytes:
        self.engine.dispose()
        return b"".join(path.read_bytes() for path in (self.root / ".compagnon").glob("compagnon.sqlite*"))


async def first(exchange: Exchange, take: int | None) -> Any:
    count = 0
    async for piece in exchange:
        yield piece
        count += 1
        if take is not None and count >= take:
            return


@pytest.fixture(scope="module")
def running() -> Iterator[Emulator]:
    with Emulator() as found:
        found.stall = 30
        yield found


@pytest.fixture
def emulator(running: Emulator) -> Emulator:
    from compagnon.sandbox.mistral_script import echo

    running.script, running.always, running.delay = echo, None, 0.0
    running.faults.clear()
    running.seen.clear()
    return running


def test_personal_data_stay_here_and_stand_in_the_answer(tmp_path: Path, emulator: Emulator) -> None:
    place = Place(tmp_path, emulator)
    answer, _receipt = place.ask(CONVERSATION, names=["Zoé Lefèvre"])
    assert answer == CONVERSATION
    sent = str(emulator.seen)
    for secret in ("Zoé", "Lefèvre", "zoe@", "06 12"):
        assert secret not in sent
    assert "C'est quoi un CNN" in sent
    kept = place.bytes()
    assert not any(secret.encode() in kept for secret in ("Lefèvre", "zoe@", "06 12", CANARY))
    assert b"EMAIL_1" in kept, "the positive control: the masked answer is what is remembered"


def test_a_placeholder_split_by_the_stream_is_shown_whole(tmp_path: Path, emulator: Emulator) -> None:
    place = Place(tmp_path, emulator)
    split = [Piece("Écrivez à [EM"), Piece("AIL_"), Piece("1"), Piece("]."), Piece("", "stop")]

    async def pieces(_request: Any) -> Any:
        for piece in split:
            yield piece

    place.gateway.provider.stream = pieces  # type: ignore[method-assign]
    answer, _receipt = place.ask("Mon adresse est zoe@lycee.fr")
    assert answer == "Écrivez à zoe@lycee.fr."


def test_a_local_service_gets_the_text_as_it_is(tmp_path: Path) -> None:
    with Emulator(script="echo", speaks="openai") as local:
        place = Place(tmp_path, local, "openai")
        assert not place.gateway.provider.outside
        assert place.ask(CONVERSATION)[0] == CONVERSATION
        assert "zoe@lycee.fr" in str(local.seen)
        assert b"zoe@lycee.fr" not in place.bytes(), "an answer with personal data is not remembered"


def test_the_receipt_counts_tokens_and_price(tmp_path: Path, emulator: Emulator) -> None:
    _answer, receipt = Place(tmp_path, emulator).ask(person="person:1")
    assert (receipt.state, receipt.model, receipt.counted) == ("done", "mistral-small-2603", True)
    expected = (0.15 * receipt.usage.prompt_tokens + 0.60 * receipt.usage.completion_tokens) / 1e6
    assert receipt.cost == pytest.approx(expected)
    assert receipt.currency == "USD"


def test_a_price_of_solution_yaml_goes_first(tmp_path: Path, emulator: Emulator) -> None:
    _answer, receipt = Place(tmp_path, emulator, price={"prompt": 0, "answer": 1000}).ask()
    assert receipt.cost == pytest.approx(receipt.usage.completion_tokens / 1000)


def test_usage_by_day_person_and_model(tmp_path: Path, emulator: Emulator) -> None:
    place = Place(tmp_path, emulator)
    place.ask("un", person="person:1")
    place.ask("deux", person="person:2")
    place.clock.at += timedelta(days=1)
    place.ask("trois", person="person:2")
    emulator.always = "failed"
    with pytest.raises(ProviderDown):
        place.ask("quatre", person="person:2")
    days = usage(place.engine)
    assert [(line.group, line.answers, line.failed) for line in days] == [("2026-11-21", 2, 0), ("2026-11-22", 1, 1)]
    people = usage(place.engine, "person")
    assert sorted(line.answers for line in people) == [1, 2]
    assert all(line.group.startswith("p_") for line in people)
    assert "person:" not in str(people)
    [model] = usage(place.engine, "model", since=place.clock.at.date())
    assert (model.group, model.answers) == ("mistral-small-2603", 1)
    assert model.cost > 0
    assert set(model.as_dict()) >= {"group", "cost", "energy_wh", "carbon_g", "currency"}


@pytest.mark.parametrize(
    ("ceiling", "scope"),
    [
        ({"tokens_per_day": 1700}, "day"),
        ({"tokens_per_user": 1700}, "user"),
        ({"tokens": 1700}, "solution"),
        ({"cost_per_day": 0.0009}, "day"),
        ({"cost_per_user": 0.0009}, "user"),
        ({"cost": 0.0009}, "solution"),
    ],
)
def test_a_ceiling_is_never_passed_and_nothing_is_sent_then(
    ceiling: dict[str, Any], scope: str, tmp_path: Path, emulator: Emulator
) -> None:
    place = Place(tmp_path, emulator, ceiling=ceiling, remember={"answers": 0})
    refused: CeilingReached | None = None
    for turn in range(50):
        try:
            place.ask(f"question {turn} " + "mot " * 60, person="person:1")
        except CeilingReached as error:
            refused = error
            break
    assert refused is not None
    assert scope in str(refused)
    assert len(emulator.seen) == turn > 0
    [line] = usage(place.engine)
    most = next(iter(ceiling.values()))
    assert (line.cost if most < 1 else line.prompt_tokens + line.completion_tokens) <= most
    if scope == "user":
        place.ask("autre personne", person="person:2")
    if scope != "solution":
        place.clock.at += timedelta(days=1)
        place.ask("le lendemain", person="person:1")


def test_requests_at_once_cannot_pass_a_ceiling_together(tmp_path: Path, emulator: Emulator) -> None:
    """Each fits alone; what is reserved by one counts for the others before anything is used."""
    place = Place(tmp_path, emulator, ceiling={"tokens": 3000})

    async def go() -> list[Any]:
        async def one(number: int) -> str:
            return await place.gateway.ask(question(f"question {number}")).text()

        try:
            return await asyncio.gather(*map(one, range(8)), return_exceptions=True)
        finally:
            await place.gateway.provider.close()

    answers = asyncio.run(go())
    refused = [answer for answer in answers if isinstance(answer, CeilingReached)]
    assert refused
    assert all(isinstance(answer, str | CeilingReached) for answer in answers)
    [line] = usage(place.engine)
    assert line.prompt_tokens + line.completion_tokens <= 3000


def test_a_ceiling_of_cost_needs_a_price(tmp_path: Path) -> None:
    with Emulator(speaks="openai") as local:
        place = Place(tmp_path, local, "openai", ceiling={"cost": 1})
        with pytest.raises(UserError) as caught:
            place.ask()
        assert caught.value.code == "provider.no-price"
        assert not local.seen


def test_a_failure_that_cost_nothing_counts_nothing(tmp_path: Path, emulator: Emulator) -> None:
    place = Place(tmp_path, emulator)
    emulator.always = "unauthorized"
    with pytest.raises(ProviderDown):
        place.ask()
    [line] = usage(place.engine)
    assert (line.failed, line.prompt_tokens, line.completion_tokens, line.cost) == (1, 0, 0, 0)


def test_a_cut_answer_is_accounted_for_by_estimate(tmp_path: Path, emulator: Emulator) -> None:
    place = Place(tmp_path, emulator)
    emulator.always = "cut"
    with pytest.raises(ProviderDown):
        place.ask("mot " * 50)
    [line] = usage(place.engine)
    assert line.failed == 1
    assert line.prompt_tokens > 0
    assert line.completion_tokens > 0


def test_stopping_early_is_accounted_for(tmp_path: Path, emulator: Emulator) -> None:
    place = Place(tmp_path, emulator)
    emulator.delay = 0.01
    _answer, receipt = place.ask("mot " * 200, take=2)
    assert (receipt.state, receipt.counted) == ("stopped", False)
    assert receipt.usage.prompt_tokens > 0


def test_the_same_question_is_answered_again_for_nothing(tmp_path: Path, emulator: Emulator) -> None:
    place = Place(tmp_path, emulator)
    answer, _receipt = place.ask("Mon adresse est zoe@lycee.fr")
    again, receipt = place.ask("Mon adresse est ada@lycee.fr")
    assert (answer, again) == ("Mon adresse est zoe@lycee.fr", "Mon adresse est ada@lycee.fr")
    assert (receipt.state, receipt.usage.total, receipt.cost) == ("cached", 0, 0)
    assert len(emulator.seen) == 1
    place.ask("Mon adresse est ada@lycee.fr", again=False)
    place.ask("Mon adresse est ada@lycee.fr", max_tokens=50)
    assert len(emulator.seen) == 3


def test_what_is_remembered_ends_and_is_bounded(tmp_path: Path, emulator: Emulator) -> None:
    place = Place(tmp_path, emulator, remember={"answers": 2, "keep": "1 day"})
    for text in ("un", "deux", "un", "trois", "un", "deux"):
        place.clock.at += timedelta(seconds=1)
        place.ask(text)
    assert [call["body"]["messages"][-1]["content"] for call in emulator.seen] == ["un", "deux", "trois", "deux"]
    place.clock.at += timedelta(days=1, seconds=1)
    assert remember.purge(place.engine, place.clock.now()) == 2
    place.ask("un")
    assert len(emulator.seen) == 5


def test_a_cut_or_shortened_answer_is_not_remembered(tmp_path: Path, emulator: Emulator) -> None:
    place = Place(tmp_path, emulator)
    place.ask("une longue question de cours", max_tokens=2)
    place.ask("une longue question de cours", max_tokens=2)
    assert len(emulator.seen) == 2


def test_pseudonyms_end_and_can_be_taken_out(tmp_path: Path, emulator: Emulator) -> None:
    place = Place(tmp_path, emulator)
    place.ask("un", person="person:1")
    place.ask("deux", person="person:2")
    [one, two] = [line.group for line in usage(place.engine, "person")]
    assert record.forget(place.engine, one) == 1
    assert [line.group for line in usage(place.engine, "person")] == ["", two]
    assert record.purge(place.engine, place.clock.now() + timedelta(days=364)) == 0
    assert record.purge(place.engine, place.clock.now() + timedelta(days=367)) == 1
    [line] = usage(place.engine)
    assert line.answers == 2


def test_reports_take_no_write_lock(tmp_path: Path, emulator: Emulator) -> None:
    place = Place(tmp_path, emulator)
    place.ask("un")
    with sqlite3.connect(tmp_path / ".compagnon" / "compagnon.sqlite", isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        assert len(usage(place.engine)) == 1
        other.execute("ROLLBACK")


def test_other_passages_are_another_request() -> None:
    def key(*passages: Passage) -> str:
        return remember.key_of(b"k" * 32, "school", "m", replace(question(), passages=passages), ())

    one, two = Passage("a", "A", "un"), Passage("a", "A", "deux")
    assert len({key(), key(one), key(two), key(one, two)}) == 4
    assert key(one) == key(one)
