"""A question in, checked lines with their citations out: whatever is asked, and whatever the service does."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compagnon.chain.secrets import Secrets
from compagnon.chain.workspace import Workspace
from compagnon.database.engine import open_database
from compagnon.errors import UserError
from compagnon.i18n import current
from compagnon.operate.usage.gateway import Exchange, Gateway
from compagnon.providers.extract import ExtractOptions
from compagnon.providers.port import Answer, Piece, ProviderDown, Request, Usage
from compagnon.providers.steady import gather
from compagnon.services.tutor.answer.events import Began, Cited, Done, Event, Line, Reply, write
from compagnon.services.tutor.answer.history import Turn
from compagnon.services.tutor.answer.prompt import Prompt
from compagnon.services.tutor.answer.tutor import Question, Tutor
from compagnon.services.tutor.knowledge.base import Base
from compagnon.services.tutor.passages import resolve, source_of
from compagnon.services.tutor.search.index import Index

QUESTIONS = Path(__file__).parents[4] / "data" / "tutor" / "questions.jsonl"
ROWS = [json.loads(line) for line in QUESTIONS.read_text(encoding="utf-8").splitlines()]
FRENCH, ENGLISH = "c'est quoi le dropout ?", "what is dropout?"
TRUE = "À l'inférence, le dropout est coupé. [1]\n"
ALSO = "Le réseau ne peut plus compter sur un seul neurone. [2]\n"
FALSE = "Le dropout a été inventé sur Mars par des robots jardiniers. [1]\n"
EXERCISE = "exercice : calculer la taille de sortie d'une convolution avec un pas et une bordure"


@dataclass
class Scripted:
    """A provider that writes ``texts`` piece by piece, then fails if it is told to; the way to it is the real one."""

    Options: ClassVar[type[ExtractOptions]] = ExtractOptions
    extra: ClassVar[str | None] = None
    texts: list[str]
    fails: bool = False
    name: str = "school"
    outside: bool = False
    model: str = "scripted"
    asked: list[Request] = field(default_factory=list)
    left: list[str] = field(default_factory=list)

    async def stream(self, request: Request) -> AsyncIterator[Piece]:
        self.asked.append(request)
        try:
            for text in self.texts:
                yield Piece(text)
                await asyncio.sleep(0)
            if self.fails:
                raise ProviderDown("provider.failed", "The service school failed.")
            yield Piece(finish="stop", usage=Usage(7, 3))
            self.left.append("end")
        finally:
            self.left.append("free")

    async def complete(self, request: Request) -> Answer:
        return await gather(self, request)

    async def models(self) -> list[str]:
        return [self.model]

    async def close(self) -> None:
        pass


Served = Callable[..., tuple[Tutor, Scripted]]


@pytest.fixture(scope="module")
def served(index: Index, prompt: Prompt, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A tutor whose service writes what the test says."""
    workspace = Workspace(tmp_path_factory.mktemp("tutor"))
    engine = open_database(workspace)

    def make(*texts: str, fails: bool = False, on: Index = index) -> tuple[Tutor, Scripted]:
        provider = Scripted(list(texts), fails)
        gateway = Gateway(engine, Secrets(workspace, {}), provider, ExtractOptions(kind="extract"))
        return Tutor(on, prompt, "school", lambda request, _question: gateway.ask(request, again=False)), provider

    yield make
    engine.dispose()


@pytest.fixture(scope="session")
def tutor(index: Index, prompt: Prompt) -> Tutor:
    """Without a service."""
    return Tutor(index, prompt)


def events_of(tutor: Tutor, question: Question) -> list[Event]:
    async def go() -> list[Event]:
        return [event async for event in tutor.ask(question)]

    return asyncio.run(go())


def reply_of(tutor: Tutor, text: str, *turns: Turn, **more: Any) -> Reply:
    return asyncio.run(tutor.reply(Question(text, turns, **more)))


def turn(reply: Reply) -> Turn:
    return Turn(reply.question, reply.answer, reply.mode, reply.subtopics)


def in_order(events: list[Event]) -> Reply:
    """What holds for any answer; its reply."""
    first, *middle, last = events
    assert isinstance(first, Began)
    assert isinstance(last, Done)
    assert all(isinstance(event, Cited | Line) for event in middle)
    cited: list[int] = []
    waiting: set[int] = set()
    for event in middle:
        if isinstance(event, Cited):
            cited.append(event.citation.number)
            waiting.add(event.citation.number)
        elif isinstance(event, Line):
            assert set(event.citations) <= set(cited)
            waiting -= set(event.citations)
    reply = last.reply
    assert waiting == set()
    assert cited == [citation.number for citation in reply.citations] == list(range(1, len(cited) + 1))
    assert reply.lines == tuple(event for event in middle if isinstance(event, Line))
    assert reply.answer == write(reply.lines) != ""
    assert (first.level, first.how, first.mode) == (reply.level, reply.how, reply.mode)
    return reply


# --- without a service


@pytest.mark.parametrize("language", ["fr", "en"])
def test_each_citation_leads_to_its_exact_quote(tutor: Tutor, base: Base, language: str) -> None:
    """Forty questions of learners, those in English asked for where there are fewer."""
    asked = sorted(ROWS, key=lambda row: row["language"] != language)[:: 1 if language == "en" else 5][:40]
    cited = 0
    for row in asked:
        reply = in_order(events_of(tutor, Question(row["question"], language=language)))
        assert reply.language == language
        assert reply.dropped == 0
        for citation in reply.citations:
            passage = resolve(citation.id, base)
            assert source_of(passage, base)[citation.start : citation.end] == citation.quote != ""
            assert citation.title == passage.title
            assert citation.id.endswith("/en") == (language == "en")
        cited += bool(reply.citations)
    assert cited >= 20


@settings(max_examples=40)
@given(st.text(max_size=60) | st.sampled_from(["", "?", "dropout " * 500, "<script>", "[PERSON_1]", "\x00", FRENCH]))
def test_whatever_is_asked_there_is_one_answer(tutor: Tutor, text: str) -> None:
    reply = in_order(events_of(tutor, Question(text)))

    assert reply.refused == (reply.citations == ())
    assert reply.refused == (reply.mode == "refusal") == bool(reply.reason)
    assert not (reply.refused and reply.sure)


@pytest.mark.parametrize(
    ("text", "more", "language"),
    [
        (FRENCH, {}, "fr"),
        (ENGLISH, {}, "en"),
        (FRENCH, {"language": "en"}, "en"),
        (ENGLISH, {"language": "fr"}, "fr"),
        (ENGLISH, {"language": "de"}, "fr"),
        ("dropout", {"usual": "en"}, "en"),
        ("dropout", {"usual": "fr"}, "fr"),
        ("dropout", {}, "fr"),
        (FRENCH, {"usual": "en"}, "fr"),
    ],
)
def test_an_answer_speaks_the_language_of_its_question(
    tutor: Tutor, text: str, more: dict[str, str], language: str
) -> None:
    reply = reply_of(tutor, text, **more)  # type: ignore[arg-type]

    assert reply.language == language
    assert ("Aucun modèle de langage" in reply.answer) == (language == "fr")
    assert ("## To go further" in reply.answer) == (language == "en")


def test_a_refusal_speaks_the_language_of_its_question_too(tutor: Tutor) -> None:
    french, english = (reply_of(tutor, t) for t in ("une recette de quiche", "give me a recipe for a cake"))

    assert french.refused
    assert english.refused
    assert "Je peux vous parler de" in french.answer
    assert "I can speak of" in english.answer


def test_a_question_that_points_back_keeps_the_language_of_the_conversation(tutor: Tutor) -> None:
    first = reply_of(tutor, ENGLISH)
    second = reply_of(tutor, "OK, Keras?", turn(first), usual="fr")

    assert second.question == f"{ENGLISH} OK, Keras?"
    assert second.language == "en"


def test_whoever_reads_keeps_their_own_language(tutor: Tutor) -> None:
    async def go() -> list[str]:
        return [current() async for _event in tutor.ask(Question(FRENCH))]

    assert set(asyncio.run(go())) == {"en"}


def test_questions_at_once_do_not_mix(tutor: Tutor) -> None:
    async def go() -> list[Reply]:
        return await asyncio.gather(*(tutor.reply(Question(text)) for text in (FRENCH, ENGLISH) * 3))

    together = asyncio.run(go())
    assert [reply.answer for reply in together] == [reply_of(tutor, text).answer for text in (FRENCH, ENGLISH) * 3]


def test_a_level_that_is_not_known_is_inferred(tutor: Tutor, index: Index, prompt: Prompt) -> None:
    inferred = reply_of(tutor, FRENCH)
    chosen = reply_of(tutor, FRENCH, level="advanced")
    remembered = reply_of(tutor, FRENCH, level="advanced", how="remembered")
    other = reply_of(Tutor(index, prompt, infer=lambda _text: "intermediate"), FRENCH)

    assert (inferred.level, inferred.how) == ("beginner", "inferred")
    assert (chosen.level, chosen.how) == ("advanced", "chosen")
    assert (remembered.level, remembered.how) == ("advanced", "remembered")
    assert (other.level, other.how) == ("intermediate", "inferred")
    assert chosen.answer != inferred.answer


def test_several_turns_stay_on_their_subject(tutor: Tutor) -> None:
    turns: list[Turn] = []
    for text in (FRENCH, "et en Keras ?", "pourquoi ?", "un exemple ?"):
        reply = reply_of(tutor, text, *turns)
        assert "training.regularization" in reply.subtopics
        turns.append(turn(reply))
    other = reply_of(tutor, "c'est quoi une convolution ?", *turns)

    assert other.question == "c'est quoi une convolution ?"
    assert other.subtopics[0].startswith("cnn.")


def test_hints_come_first_then_the_solution(tutor: Tutor) -> None:
    first = reply_of(tutor, EXERCISE)
    again = reply_of(tutor, "encore ?", turn(first))
    solved = reply_of(tutor, "donne la solution", turn(first))
    changed = reply_of(tutor, FRENCH, turn(first))

    assert [reply.mode for reply in (first, again, solved, changed)] == ["hints", "hints", "solution", "answer"]
    assert first.lines[0].kind == "note"
    assert "indices" in first.lines[0].text
    assert "## Exemple" not in first.answer + again.answer
    assert "## Exemple" in solved.answer


def test_the_solution_is_not_given_to_who_had_no_hints(tutor: Tutor) -> None:
    assert reply_of(tutor, f"{EXERCISE}, donne la solution").mode == "hints"


def test_personal_data_in_a_question_do_not_change_what_is_found(tutor: Tutor) -> None:
    plain, signed = reply_of(tutor, FRENCH), reply_of(tutor, f"{FRENCH} zoe@lycee.fr 06 12 34 56 78")

    assert signed.subtopics == plain.subtopics
    assert not signed.refused


def test_a_desk_gives_the_entry_and_hands_a_person_over(faq: Index, prompt: Prompt) -> None:
    desk = Tutor(faq, prompt)
    reply = in_order(events_of(desk, Question("combien coûte la livraison ?")))
    person, greeting = reply_of(desk, "je veux parler à un conseiller"), reply_of(desk, "bonjour")

    assert desk.desk
    assert reply.subtopics[0] == "livraison.frais"
    assert reply.lines[1].kind == "text"
    for paragraph in faq.base.subtopic("livraison.frais").paragraphs:
        assert " ".join(paragraph.split()) in [line.text for line in reply.lines]
    assert reply.mode == "answer"
    assert (person.refused, person.reason) == (True, "person")
    assert (greeting.refused, greeting.reason) == (True, "nothing-asked")


# --- through a service


def test_what_a_service_writes_is_checked_and_counted(served: Served) -> None:
    tutor, provider = served(TRUE, ALSO, "## Points\n", "- " + TRUE, "- " + ALSO)
    reply = in_order(events_of(tutor, Question(FRENCH)))

    assert (reply.provider, reply.failure, reply.dropped, reply.sure) == ("school", None, 0, True)
    assert reply.tokens == 10
    assert reply.receipt is not None
    assert "Aucun modèle" not in reply.answer
    assert "## Exemple" in reply.answer  # the service gave none
    assert provider.left == ["end", "free"]
    assert "français" in provider.asked[0].messages[0].content


def test_an_english_question_is_asked_in_english(served: Served, base: Base) -> None:
    tutor, provider = served("At inference, dropout is turned off. [1]\n")
    reply = in_order(events_of(tutor, Question(ENGLISH)))

    assert "Écrivez en anglais" in provider.asked[0].messages[0].content
    assert reply.provider == "extract"  # one line is too few
    assert reply.lines[0] == Line("text", "At inference, dropout is turned off.", (1,))
    assert all(citation.id.endswith("/en") for citation in reply.citations)
    titles = {subtopic.title for subtopic in base.spoken("en")}
    assert {passage.title.partition(" : ")[0] for passage in provider.asked[0].passages} <= titles


def test_lines_that_are_left_out_make_the_answer_unsure(served: Served) -> None:
    tutor, _provider = served(TRUE, ALSO, FALSE)
    reply = in_order(events_of(tutor, Question(FRENCH)))

    assert (reply.dropped, reply.sure, reply.provider) == (1, False, "school")
    assert "Mars" not in reply.answer
    assert reply.lines[-1].kind == "note"
    assert "pas sûr" in reply.lines[-1].text


@pytest.mark.parametrize("texts", [[], [FALSE] * 3, ["Bonjour."], ["```\n"], [TRUE]])
def test_a_service_that_says_too_little_is_completed_by_passages(served: Served, texts: list[str]) -> None:
    tutor, _provider = served(*texts)
    reply = in_order(events_of(tutor, Question(FRENCH)))

    assert (reply.provider, reply.failure, reply.sure) == ("extract", None, False)
    assert "## Définition" in reply.answer
    assert "sans modèle de langage" in reply.answer
    assert "Mars" not in reply.answer


@pytest.mark.parametrize("texts", [[], [TRUE, ALSO, "Une phrase que"]])
def test_a_service_that_fails_is_replaced_and_keeps_what_was_said(served: Served, texts: list[str]) -> None:
    tutor, provider = served(*texts, fails=True)
    reply = in_order(events_of(tutor, Question(FRENCH)))

    assert (reply.provider, reply.failure, reply.refused) == ("extract", "provider.failed", False)
    assert "The service school failed." in reply.answer
    assert "## Définition" in reply.answer
    assert "Une phrase que" not in reply.answer
    assert reply.answer.startswith("À l'inférence, le dropout") == bool(texts)
    assert provider.left == ["free"]


def test_a_service_that_cannot_be_asked_is_replaced(index: Index, prompt: Prompt) -> None:
    def ask(_request: Request, _question: Question) -> Exchange:
        raise UserError("provider.no-key", "The key is not set.")

    reply = in_order(events_of(Tutor(index, prompt, "school", ask), Question(FRENCH)))

    assert (reply.provider, reply.failure) == ("extract", "provider.no-key")
    assert "The key is not set." in reply.answer
    assert reply.citations


@pytest.mark.parametrize("seen", range(1, 4))
def test_a_stop_in_the_middle_frees_the_service(served: Served, seen: int) -> None:
    tutor, provider = served(TRUE, ALSO, *[ALSO] * 50)

    async def go() -> None:
        events = tutor.ask(Question(FRENCH))
        for _each in range(seen):
            await anext(events)
        await events.aclose()

    asyncio.run(go())
    # The first event comes before the service is asked.
    assert provider.left == (["free"] if seen > 1 else [])
    assert len(provider.asked) == (seen > 1)


def test_a_question_that_is_cancelled_frees_the_service(served: Served) -> None:
    tutor, provider = served(TRUE, *[ALSO] * 5000)

    async def go() -> None:
        task = asyncio.create_task(tutor.reply(Question(FRENCH)))
        while not provider.asked:
            await asyncio.sleep(0.001)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(go())
    assert provider.left == ["free"]


@pytest.mark.parametrize("text", ["bonjour", "une recette de quiche lorraine"])
def test_a_refusal_asks_no_service(served: Served, text: str) -> None:
    tutor, provider = served(TRUE)
    began, *_rest = events_of(tutor, Question(text))

    assert provider.asked == []
    assert isinstance(began, Began)
    assert (began.provider, began.mode) == ("extract", "refusal")


def test_a_desk_is_content_with_one_line_and_adds_no_example(served: Served, faq: Index) -> None:
    said = faq.base.subtopic("livraison.frais").paragraphs[0]
    tutor, provider = served(f"{said} [1]\n", on=faq)
    reply = in_order(events_of(tutor, Question("combien coûte la livraison ?")))

    assert (reply.provider, reply.dropped) == ("school", 0)
    assert "##" not in reply.answer
    assert "Aucun titre" in provider.asked[0].messages[0].content


def test_hints_of_a_service_are_not_completed_by_the_solution(served: Served) -> None:
    hint = "- La convolution fait glisser un filtre sur l'image.\n"
    tutor, provider = served(hint, *[f"- {TRUE}"])
    reply = in_order(events_of(tutor, Question(EXERCISE)))

    assert reply.mode == "hints"
    assert "## Exemple" not in reply.answer
    assert "Ne donnez pas la solution" in provider.asked[0].messages[0].content


def test_earlier_turns_reach_the_service(served: Served) -> None:
    tutor, provider = served(TRUE, ALSO)
    reply_of(tutor, "et en Keras ?", *[Turn(f"question {n}", "Réponse.") for n in range(6)], Turn(FRENCH, "Oui."))
    contents = [message.content for message in provider.asked[0].messages]

    assert FRENCH in contents
    assert "question 1" in contents[-1]
    assert "et en Keras ?" in contents[-1]


def test_closing_gives_the_connections_back(index: Index, prompt: Prompt) -> None:
    given_back = []

    async def give_back() -> None:
        given_back.append(True)

    asyncio.run(Tutor(index, prompt, give_back=give_back).close())
    asyncio.run(Tutor(index, prompt).close())
    assert given_back == [True]
