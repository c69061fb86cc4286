"""The model of solution.yaml: what the user wrote, checked and frozen.

Sources and estimators are ports: their options come from adapters (``SourceOptions`` and ``EstimatorOptions`` are the
bases), so the complete model is put together by ``compagnon.spec.kinds``.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    StringConstraints,
    model_validator,
)

from compagnon.i18n import _
from compagnon.spec import quantity

SPEC_VERSION = 1


class Section(BaseModel):
    """A part of solution.yaml: unknown keys are refused, values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, str_strip_whitespace=False)


def _as_duration(value: Any) -> Any:
    if isinstance(value, int | float):
        return quantity.duration(str(value))  # a number without a unit is refused with the examples
    return quantity.duration(value) if isinstance(value, str) else value


def _as_size(value: Any) -> Any:
    return quantity.size(value) if isinstance(value, str) else value


def _as_timezone(value: Any) -> Any:
    if isinstance(value, str):
        try:
            ZoneInfo(value)
        except (KeyError, ValueError, OSError) as error:
            raise ValueError(_("unknown time zone; expected an IANA name such as Europe/Paris or UTC")) from error
    return value


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


Name = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,62}$"),
    Field(description="Lower-case letters, digits and underscores, beginning with a letter."),
]
Duration = Annotated[
    timedelta,
    BeforeValidator(_as_duration, json_schema_input_type=str),
    PlainSerializer(quantity.write_duration, return_type=str),
]
Seconds = Annotated[Duration, Field(ge=timedelta(milliseconds=100), le=timedelta(minutes=10))]
Size = Annotated[int, BeforeValidator(_as_size, json_schema_input_type=str | int)]
Timezone = Annotated[str, BeforeValidator(_as_timezone)]
StringList = Annotated[tuple[str, ...], BeforeValidator(_as_list, json_schema_input_type=str | tuple[str, ...])]


class ByLanguage(Section):
    """One text in French and English; one of the two is enough."""

    fr: str | None = Field(None, description="In French.")
    en: str | None = Field(None, description="In English.")


Text = str | ByLanguage
"""A text given once for both languages, or by language."""


def text_of(value: Text | None, language: str) -> str:
    """``value`` in ``language``, else in the other language; empty if there is none."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    first, second = (value.fr, value.en) if language == "fr" else (value.en, value.fr)
    return first or second or ""


# --- need --------------------------------------------------------------------------------------------------------


class Story(Section):
    """A user story: who wants what and why, with what makes it accepted."""

    as_: Text = Field(alias="as", description="Who wants it.")
    want: Text = Field(description="What they want.")
    so: Text | None = Field(None, description="What for.")
    accept: tuple[Text, ...] = Field((), description="Acceptance criteria.")
    accessibility: tuple[Text, ...] = Field((), description="Accessibility goals, such as use by keyboard.")


class Indicator(Section):
    """A fact of a stage with its threshold and the interval at which it is reviewed."""

    fact: str = Field(description="Name of a fact of that stage, such as macro_f1.")
    of: str = Field(description="Stage instance, such as train/topic.")
    at_least: float | str | None = Field(None, description="Threshold, with its unit where it has one: 0.85, 80 %.")
    at_most: float | str | None = Field(None, description="Threshold, with its unit where it has one: 5 ms.")
    review: Duration | None = Field(None, description="Interval at which it is looked at again.")


class Need(Section):
    """Why the solution exists: the problem, its users, their stories, what is measured."""

    problem: Text | None = Field(None, description="What is wrong today, and for whom.")
    users: tuple[Text, ...] = Field((), description="Who will use the solution.")
    stories: tuple[Story, ...] = Field((), description="What they want of it.")
    indicators: tuple[Indicator, ...] = Field((), description="What is measured, and the threshold that it must meet.")


# --- engine ------------------------------------------------------------------------------------------------------


class Engine(Section):
    """What works on rows: DuckDB in this process, or Spark."""

    kind: Literal["duckdb", "spark"] = Field(description="`duckdb`, or `spark` when one machine is outgrown.")
    master: str | None = Field(None, description="Of Spark: local[*] (default), local[2], spark://host:7077, yarn.")
    memory: str | None = Field(
        None, pattern=r"^[0-9]+[kmgt]$", description="Of Spark: memory of the local session or of each executor: 2g."
    )
    config: dict[str, str] = Field({}, description="Of Spark: settings of the session, by their names.")

    @model_validator(mode="after")
    def _of_spark(self) -> Engine:
        if self.kind != "spark" and (self.master or self.memory or self.config):
            raise ValueError(_("master, memory and config are those of Spark: kind: spark"))
        return self


def _as_engine(value: Any) -> Any:
    return {"kind": value} if isinstance(value, str) else value


EngineChoice = Annotated[
    Engine, BeforeValidator(_as_engine, json_schema_input_type=Literal["duckdb", "spark"] | Engine)
]


# --- sources -----------------------------------------------------------------------------------------------------


class SourceOptions(Section):
    """What every source states, whatever its kind; adapters add their own options."""

    kind: str = Field(description="Kind of source.")
    licence: str | None = Field(None, description="Licence of the data, SPDX name where there is one.")
    contact: str | None = Field(None, description="Who answers for this source.")
    access: Text | None = Field(None, description="How one gets at it: account, export, day.")
    confidential: Text | None = Field(None, description="What must not leave, and why.")
    instead: str | None = Field(
        None, description="What to use when the source is down: `last` (last good collection) or another source."
    )
    fresh_for: Duration | None = Field(None, description="How long a collection is good without looking again.")
    key: StringList = Field((), description="Columns that identify a row in this source; else its position does.")


# --- tables ------------------------------------------------------------------------------------------------------

ColumnType = Literal["text", "integer", "decimal", "float", "boolean", "date", "timestamp", "category"]
PersonalClass = Literal[
    "name", "email", "phone", "address", "birth", "identifier", "bank", "health", "location", "online", "opinion",
    "free_text", "other", "none",
]  # fmt: skip
Keep = Literal["plain", "pseudonym", "mask", "drop"]
Clean = Literal["nfc", "spaces", "html", "lower", "upper", "unaccent", "fold"]


class FromColumn(Section):
    """How one source names and writes a column, where it differs from the rest."""

    column: str = Field(description="Its name in this source.")
    unit: str | None = Field(None, description="Unit in this source; converted to the unit of the column.")
    formats: StringList = Field((), description="Spellings in this source, in place of those of the column.")
    timezone: Timezone | None = Field(None, description="Time zone of this source, in place of that of the column.")


class Replace(Section):
    """Replaces what a regular expression (RE2) finds."""

    pattern: str = Field(description="Regular expression (RE2).")
    with_: str = Field("", alias="with", description="Replacement; \\1 is the first group.")


def _as_from_column(value: Any) -> Any:
    return {"column": value} if isinstance(value, str) else value


class Column(Section):
    """One column of a table: its type and meaning, and how values are brought to it."""

    type: ColumnType = Field(description="Type of the values; `decimal` is exact, as for money.")
    meaning: Text | None = Field(None, description="What the column says, for people.")
    unit: str | None = Field(None, description="Unit of a number, such as km or EUR.")
    personal: PersonalClass | None = Field(None, description="Class of personal data that the column holds.")
    keep: Keep | None = Field(None, description="What leaves the raw zone: pseudonym, mask, nothing (drop) or plain.")
    required: bool = Field(False, description="Rows without a value are rejected.")
    clean: tuple[Clean, ...] = Field((), description="Text clean-up, in this order.")
    replace: tuple[Replace, ...] = Field((), description="Replacements in the text, in this order.")
    formats: StringList = Field((), description="Accepted spellings of dates (strptime or iso) or numbers (fr, en).")
    timezone: Timezone | None = Field(None, description="Time zone of dates that do not state theirs.")
    values: StringList | None = Field(None, description="Allowed values, or the YAML file that lists them.")
    map: dict[str, str] = Field({}, description="Other spellings of values, folded for case and accents.")
    scale: int = Field(2, ge=0, le=9, description="Digits after the decimal point of a decimal.")
    at_least: float | None = Field(None, description="Smaller numbers are rejected.")
    at_most: float | None = Field(None, description="Larger numbers are rejected.")
    pattern: str | None = Field(None, description="Regular expression (RE2) that the whole text must match.")
    expr: str | None = Field(None, description="Row-local SQL over the columns above: a derived column.")


class Reject(Section):
    """Rows for which ``when`` holds go to the quarantine, with the reason."""

    when: str = Field(description="Row-local SQL condition over the columns.")
    because: Text = Field(description="The reason, as people read it in the quarantine.")
    code: Name | None = Field(None, description="Short name of the reason; made from its place if absent.")


class Unique(Section):
    """Keeps one row by key; ``prefer`` orders the candidates, row_id breaks ties."""

    by: StringList = Field(description="Columns that tell rows apart.")
    prefer: StringList = Field(
        (), description="Which row is kept: `column asc` or `column desc`, the first that decides."
    )


class Table(Section):
    """A prepared, typed set of rows."""

    meaning: Text | None = Field(None, description="What one row is.")
    key: StringList = Field((), description="Columns that identify a row within its source.")
    from_: dict[
        Name,
        dict[Name, Annotated[FromColumn, BeforeValidator(_as_from_column, json_schema_input_type=str | FromColumn)]],
    ] = Field(alias="from", min_length=1, description="By source: how it names each column.")
    columns: dict[Name, Column] = Field(min_length=1, description="Columns, by name.")
    reject: tuple[Reject, ...] = Field(
        (), description="Which rows go to the quarantine; all reasons that apply are kept."
    )
    unique: Unique | None = Field(None, description="Which rows count as the same, and which one is kept.")


# --- privacy -----------------------------------------------------------------------------------------------------


class Privacy(Section):
    """Who is responsible for personal data, why they are held, and for how long."""

    controller: str | None = Field(None, description="Who is responsible for the processing (GDPR, article 4).")
    contact: str | None = Field(None, description="Data protection officer or contact.")
    purpose: Text | None = Field(None, description="What the data are used for.")
    basis: (
        Literal["consent", "contract", "legal_obligation", "vital_interests", "public_interest", "legitimate_interests"]
        | None
    ) = Field(None, description="Legal basis (GDPR, article 6).")
    keep: dict[str, Duration] = Field({}, description="How long each zone or table is kept.")


# --- models ------------------------------------------------------------------------------------------------------


class EstimatorOptions(Section):
    """What every estimator states; adapters add their hyper-parameters."""

    kind: str = Field(description="Kind of estimator.")


class TestTable(Section):
    """A table set apart for the test."""

    __test__ = False  # not a test case for pytest
    table: Name = Field(description="A table of this solution, never used to learn.")


class Split(Section):
    """How rows are parted: a test part never used to choose, folds to choose on."""

    test: Annotated[float, Field(gt=0, lt=1)] | TestTable = Field(
        0.2, description="Share of the rows kept for the test, or the table that holds it."
    )
    folds: int = Field(5, ge=2, le=20, description="Parts of the rest, on which families are compared.")
    group: str | None = Field(None, description="Rows of one group stay on one side.")
    seed: int = Field(1, description="Makes the split the same each time.")


class Decide(Section):
    """When the model must leave the decision to a person."""

    person_below: float = Field(0.0, ge=0, le=1, description="Confidence below which a person decides.")


class Limits(Section):
    """Bounds of one prediction request."""

    rows: int = Field(1000, ge=1, le=100_000, description="Rows of one request.")
    body: Size = Field(1_000_000, description="Size of one request.")
    text: int = Field(20_000, ge=1, description="Characters of one text.")
    per_minute: int = Field(600, ge=1, description="Requests of one key in a minute.")
    queue: int = Field(64, ge=1, description="Requests waiting before others are turned away.")
    timeout: Seconds = Field(timedelta(seconds=10), description="Wait for the model, queue included.")
    read: Seconds = Field(timedelta(seconds=10), description="Time that a client may take to send a request.")


class Fallback(Section):
    """What is answered in the place of a model that has no time; marked as such, and left to a person."""

    label: str = Field(min_length=1, description="What stands as the label, one of the model's or not.")


class Record(Section):
    """What is kept of predictions."""

    inputs: Literal["masked", "none"] = Field("masked", description="Inputs kept with personal data masked, or not.")
    sample: float = Field(1.0, ge=0, le=1, description="Share of the predictions that is kept.")
    keep: Duration = Field(timedelta(days=365), description="How long.")


class Serve(Section):
    """How a model is served."""

    examples: tuple[str | dict[str, Any], ...] = Field((), description="Inputs to try: a text, or a value by input.")
    limits: Limits = Field(Limits(), description="What one request may ask.")
    record: Record = Field(Record(), description="What is kept of predictions.")
    cache: int = Field(0, ge=0, le=1_000_000, description="Answers kept in memory for the same row; 0 for none.")
    fallback: Fallback | None = Field(None, description="What is answered when the model is too busy or too slow.")


class Package(Section):
    """How a model is packaged."""

    samples: int = Field(1000, ge=10, le=100_000, description="Rows on which package and model must agree.")


TaskName = Literal["text-classification", "tabular-classification"]
MetricName = Literal["macro_f1", "accuracy", "balanced_accuracy", "roc_auc"]


class Model(Section):
    """Something that predicts a column of a table from others."""

    task: TaskName = Field(description="What is predicted, and from what.")
    title: Text | None = Field(None, description="Name on pages.")
    table: Name = Field(description="Table that it learns from.")
    input: StringList = Field(min_length=1, description="Columns that it reads.")
    target: str = Field(description="Column that it predicts.")
    split: Split = Field(Split(), description="How rows are parted.")
    metric: MetricName = Field("macro_f1", description="What families are compared by.")
    estimators: tuple[EstimatorOptions, ...] = Field(min_length=1, description="Families to try, on the same folds.")
    budget: Duration = Field(
        timedelta(seconds=60), description="Time that training may take; what does not fit is named."
    )
    decide: Decide = Field(Decide(), description="When a person decides.")
    package: Package = Field(Package(), description="How it is packaged.")
    serve: Serve = Field(Serve(), description="How it is served.")


# --- tutor -------------------------------------------------------------------------------------------------------


class EmbedderOptions(Section):
    """What every embedder states; adapters add their own options."""

    kind: str = Field(description="Kind of embedder.")


Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
OpenHours = Annotated[
    str,
    StringConstraints(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9] ?- ?(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$"),
    Field(description="From and to, such as 09:00-12:30."),
]
Holiday = Annotated[
    str,
    BeforeValidator(lambda day: day.isoformat() if isinstance(day, date) else day, json_schema_input_type=str),
    StringConstraints(pattern=r"^([0-9]{4}-)?(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$"),
    Field(description="A day, such as 2026-12-25, or each year: 12-25."),
]


class Handover(Section):
    """When a person takes a conversation over, and how they are reached."""

    contact: Text = Field(description="How else people reach you: address, telephone.")
    hours: dict[Weekday, Annotated[tuple[OpenHours, ...], BeforeValidator(_as_list)]] = Field(
        {}, description="When somebody is there, in the solution's time zone; days left out are closed."
    )
    holidays: tuple[Holiday, ...] = Field((), description="Days on which nobody is there.")
    message: Text | None = Field(
        None, description="What people read out of hours, before the time at which somebody is back."
    )
    when: tuple[Literal["asked", "refused", "unsure"], ...] = Field(
        ("asked", "refused", "unsure"), description="What hands a conversation over."
    )


class LivingFaq(Section):
    """How real questions without an answer become drafts of entries."""

    people: int = Field(5, ge=2, description="People who must ask alike before their questions are shown together.")
    alike: float = Field(0.5, ge=0, le=1, description="How alike questions of one group are; 1 is the same words.")


class Tutor(Section):
    """A teaching assistant, or a support desk, that answers from a knowledge base."""

    knowledge: str = Field("knowledge", description="Folder of the knowledge base: one JSON file for each topic.")
    embedder: EmbedderOptions | None = Field(
        None, description="What finds passages by their meaning, besides their words; words alone if absent."
    )
    topic_model: Name | None = Field(
        None, description="Model of this solution that tells the topic of a question; its subtopics move up."
    )
    provider: Name | None = Field(
        None, description="Who writes answers: one of `providers`, or a kind; the first one declared, else `extract`."
    )
    unreviewed: Literal["hold", "quote"] = Field(
        "hold",
        description="What is done with subtopics that nobody reviewed: `hold` keeps them out of answers until somebody "
        "has read them, `quote` shows them without what reads like an order to a machine.",
    )
    scope: str | None = Field(
        None,
        description="File of questions to answer and to refuse (JSON Lines), from which `compagnon knowledge scope` "
        "learns what the tutor answers; a rule decides if absent.",
        json_schema_extra={"file": True},
    )
    prompt: str | None = Field(
        None,
        description="File of the prompt, with its version; the one that comes with Compagnon if absent.",
        json_schema_extra={"file": True},
    )
    handover: Handover | None = Field(None, description="How a person takes a conversation over; nobody if absent.")
    faq: LivingFaq = Field(LivingFaq(), description="How a FAQ grows from real questions.")


# --- providers ---------------------------------------------------------------------------------------------------


class Ceiling(Section):
    """What a provider may use at most; what would go over is refused before anything is sent."""

    tokens_per_day: int | None = Field(None, ge=0, description="Tokens in one day (UTC), all users together.")
    tokens_per_user: int | None = Field(None, ge=0, description="Tokens in one day (UTC) of one user.")
    tokens: int | None = Field(None, ge=0, description="Tokens of this solution in all.")
    cost_per_day: float | None = Field(None, ge=0, description="Price of one day, in the currency of the prices (USD).")
    cost_per_user: float | None = Field(None, ge=0, description="Price of one day of one user.")
    cost: float | None = Field(None, ge=0, description="Price of this solution in all.")


class Remember(Section):
    """Answers kept to be given again to the same question, masked."""

    keep: Duration = Field(timedelta(days=7), description="How long.")
    answers: int = Field(1000, ge=0, le=100_000, description="How many at most; 0 keeps none.")


class ProviderOptions(Section):
    """What every provider states, whatever its kind; adapters add their own options."""

    kind: str = Field(description="Kind of provider.")
    temperature: float = Field(0.2, ge=0, le=1.5, description="0: always the likeliest word; higher: more varied.")
    max_tokens: int = Field(1200, ge=1, le=100_000, description="Tokens of one answer.")
    seed: int | None = Field(None, ge=0, description="Asks the service for the same answer to the same question.")
    first_token: Duration = Field(timedelta(seconds=8), description="Wait for the first word of an answer.")
    between_tokens: Duration = Field(timedelta(seconds=8), description="Wait between two pieces of an answer.")
    whole_answer: Duration = Field(timedelta(seconds=90), description="Time of a whole answer.")
    retries: int = Field(1, ge=0, le=5, description="Further tries before the first word, where waiting may help.")
    retry_for: Duration = Field(
        timedelta(seconds=1), description="Time spent waiting between tries; a service that asks for more has failed."
    )
    largest: int = Field(200_000, ge=1000, description="Characters of one answer; more is refused.")
    ceiling: Ceiling = Field(Ceiling(), description="What it may use at most.")
    remember: Remember = Field(Remember(), description="Which answers are given again.")


# --- the whole ---------------------------------------------------------------------------------------------------


class Spec(Section):
    """A whole solution.yaml."""

    version: Literal[1] = Field(description="Version of this format: 1.")
    name: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,62}$")] = Field(
        description="Short name: lower-case letters, digits and hyphens."
    )
    title: Text | None = Field(None, description="Name on pages and documents.")
    timezone: Timezone = Field("UTC", description="Time zone of dates that do not state theirs, and of what is shown.")
    engine: EngineChoice = Field(Engine(kind="duckdb"), description="What prepares tables; rows are the same on each.")
    need: Need | None = Field(None, description="Why the solution exists.")
    sources: dict[Name, SourceOptions] = Field({}, description="Where rows come from, by name.")
    tables: dict[Name, Table] = Field({}, description="Prepared, typed sets of rows, by name.")
    privacy: Privacy | None = Field(None, description="Who is responsible for personal data, and for how long.")
    models: dict[Name, Model] = Field({}, description="What predicts, by name.")
    tutor: Tutor | None = Field(None, description="A teaching assistant that answers from a knowledge base.")
    providers: dict[Name, ProviderOptions] = Field({}, description="AI services, by name.")
