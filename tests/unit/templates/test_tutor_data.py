"""The data of the tutor template: enough of it, valid labels, evaluation kept out of training, nobody real."""

import csv
import html
import io
import json
import re
import sqlite3
import unicodedata
from functools import cache
from importlib import resources
from typing import Any, NamedTuple

from compagnon.spec.yaml import parse

TUTOR = resources.files("compagnon.templates") / "tutor"
LEVELS = {"beginner", "intermediate", "advanced"}
PHONE = re.compile(r"(?<![\w.])(?:\+33[ .-]?|0)[1-9](?:[ .-]?[0-9]{2}){4}(?![0-9])")
FICTIONAL = re.compile(
    r"0(?:19900|26191|35301|46571|53649|63998)[0-9]{4}"
)  # ARCEP: numbers reserved for audiovisual works
NOISE = re.compile(r"((test|essai|ok)[ 0-9]*)+|[^a-z]+")
MAIL = re.compile(r"[\w.+-]+@([\w-]+(?:\.[\w-]+)*\.[a-z]{2,})", re.IGNORECASE)


class Question(NamedTuple):
    source: str
    text: str
    topic: str | None
    level: str | None
    author: str


def fold(text: str) -> str:
    bare = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return " ".join(bare.casefold().split())


def bare(text: str) -> str:
    """Letters and digits only: punctuation, accents, case and spaces do not make two questions different."""
    return " ".join(re.findall(r"\w+", fold(text)))


def clean(text: str | None) -> str:
    return " ".join(html.unescape(text or "").split())


@cache
def spec() -> dict[str, Any]:
    document = parse((TUTOR / "solution.yaml").read_text("utf-8"), "solution.yaml")
    assert not document.problems
    return dict(document.data)


def values(file: str) -> set[str]:
    return set(parse((TUTOR / file).read_text("utf-8"), file).data)


def known(column: str, allowed: set[str], written: str | None) -> str | None:
    spellings = {fold(k): v for k, v in spec()["tables"]["questions"]["columns"][column]["map"].items()}
    spellings |= {fold(value): value for value in allowed}
    return spellings.get(fold(written or ""))


def exports() -> list[list[str]]:
    """Every line of the two CSV files, headers apart."""
    found = []
    for name, encoding in (("questions-2026-10.csv", "cp1252"), ("questions-2026-11.csv", "utf-8-sig")):
        text = (TUTOR / "data" / name).read_bytes().decode(encoding)
        found += list(csv.reader(io.StringIO(text, newline=""), delimiter=";"))[1:]
    return found


def rows() -> list[tuple[str, str | None, str | None, str | None, str]]:
    """Every readable row of the three sources: source, text, topic and level as written, author."""
    found: list[tuple[str, str | None, str | None, str | None, str]] = []
    found += [("export", row[1], row[2], row[3], row[5]) for row in exports() if len(row) == 6]
    for line in (TUTOR / "data" / "forum.jsonl").read_text("utf-8").splitlines():
        try:
            entry = json.loads(line)
        except json.JSONDecodeError:
            continue
        found.append(("forum", entry["message"], entry["tag"], entry["difficulty"], entry["author"]))
    with resources.as_file(TUTOR / "data" / "school.sqlite") as path:
        base = sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)
        try:
            query = (TUTOR / "queries" / "questions.sql").read_text("utf-8")
            found += [("school", body, tag, lvl, author) for _q, body, tag, lvl, _c, author in base.execute(query)]
        finally:
            base.close()
    return found


@cache
def training() -> tuple[Question, ...]:
    """Rows with a text, a known topic and a known level, one a text."""
    topics = values("topics.yaml")
    found: dict[str, Question] = {}
    for source, text, topic, level, author in rows():
        question = Question(
            source, clean(text), known("topic", topics, topic), known("level", LEVELS, level), clean(author).lower()
        )
        if (
            len(question.text) > 2
            and question.topic
            and question.level
            and bare(question.text) not in ("test", "essai")
        ):
            found[question.text] = question
    return tuple(found.values())


@cache
def evaluation() -> tuple[dict[str, str], ...]:
    text = (TUTOR / "data" / "evaluation.csv").read_text("utf-8")
    return tuple(csv.DictReader(io.StringIO(text), delimiter=";"))


def similarities(left: list[str], right: list[str]) -> Any:
    """Dice similarity of the sets of character trigrams, each of ``left`` with each of ``right``."""
    import numpy as np
    from sklearn.feature_extraction.text import CountVectorizer

    counter = CountVectorizer(analyzer="char", ngram_range=(3, 3), binary=True, lowercase=False)
    grams = counter.fit_transform([f" {bare(text)} " for text in (*left, *right)]).astype(np.float64)
    a, b = grams[: len(left)], grams[len(left) :]
    sizes = np.asarray(a.sum(axis=1)) + np.asarray(b.sum(axis=1)).T
    return 2 * (a @ b.T).toarray() / np.maximum(sizes, 1)


def test_there_is_enough_of_each_part() -> None:
    assert len(training()) >= 1700
    assert len(evaluation()) >= 300
    by_topic = {topic: sum(q.topic == topic for q in training()) for topic in values("topics.yaml")}
    assert len(by_topic) == 20
    assert min(by_topic.values()) >= 60
    by_source = {source: sum(q.source == source for q in training()) for source in ("export", "forum", "school")}
    assert min(by_source.values()) >= 300


def test_labels_of_the_evaluation_are_the_declared_ones() -> None:
    assert {row["theme"] for row in evaluation()} == values("topics.yaml")
    assert {row["niveau"] for row in evaluation()} == values("levels.yaml") == LEVELS
    assert len({row["id"] for row in evaluation()}) == len(evaluation())
    assert len({bare(row["question"]) for row in evaluation()}) == len(evaluation())


def test_unknown_labels_are_the_few_that_noise_put_there() -> None:
    topics = values("topics.yaml")
    unknown = {fold(topic or "") for _s, _t, topic, _l, _a in rows() if known("topic", topics, topic) is None}
    assert unknown == {"", "autre", "divers", "other", "misc"}
    levels = {fold(level or "") for _s, _t, _topic, level, _a in rows() if known("level", LEVELS, level) is None}
    assert levels == {"", "?", "n9"}


def test_noise_is_there_and_stays_small() -> None:
    total = len(rows())
    assert 0.02 <= (total - len(training())) / total <= 0.06


def test_every_mapped_spelling_is_used() -> None:
    for column, place in (("topic", 2), ("level", 3)):
        seen = {fold(row[place] or "") for row in rows()}
        unused = [k for k in spec()["tables"]["questions"]["columns"][column]["map"] if fold(k) not in seen]
        assert not unused


def test_no_question_of_the_evaluation_is_in_the_training_part() -> None:
    training_texts = {bare(question.text) for question in training()}
    assert not [row["question"] for row in evaluation() if bare(row["question"]) in training_texts]


def test_no_training_line_is_nearly_one_of_the_evaluation() -> None:
    found = similarities([question.text for question in training()], [row["question"] for row in evaluation()])
    assert found.max() < 0.9


def test_similarity_sees_a_question_typed_otherwise() -> None:
    found = similarities(
        ["c'est quoi un réseau récurrent ?"], ["C est quoi un reseau récurrents", "À quoi sert Docker"]
    )
    assert found[0, 0] >= 0.9 > found[0, 1]


def test_people_are_invented() -> None:
    texts = [clean(text) for _s, text, _t, _l, _a in rows()] + [row["question"] for row in evaluation()]
    authors = {question.author for question in training()}
    domains = {match.lower() for text in (*texts, *authors) for match in MAIL.findall(text)}
    assert domains == {"example.org", "example.com"}
    assert 150 <= len(authors) <= 170
    phones = [re.sub(r"[^0-9]", "", match) for text in texts for match in PHONE.findall(text)]
    assert len(phones) >= 10
    assert not [phone for phone in phones if not FICTIONAL.fullmatch(phone)]


def test_only_the_truncated_lines_of_the_exports_are_broken() -> None:
    assert [len(row) for row in exports() if len(row) != 6] == [2, 3, 2]
    assert sum("\n" in row[1] for row in exports()) >= 5
    assert len({row[0] for row in exports()}) == len(exports())


def test_exports_are_encoded_differently() -> None:
    october = (TUTOR / "data" / "questions-2026-10.csv").read_bytes()
    november = (TUTOR / "data" / "questions-2026-11.csv").read_bytes()
    assert october.decode("cp1252")
    assert not _is_utf8(october)
    assert november.startswith(b"\xef\xbb\xbf")
    assert _is_utf8(november)


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
