"""The model card as a document: what a model is for, what it learned from, how good it is, where it fails.

Source: Mitchell et al. 2019, Model Cards for Model Reporting. What nobody stated is a gap; nothing is invented. The
words about the need, the data and their licences are those that the packaging run recorded, not today's file.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from compagnon.chain.artifact import Artifact, ArtifactStore
from compagnon.chain.indicator import Judgement, judge
from compagnon.chain.ledger import Ledger
from compagnon.chain.run import Run
from compagnon.chain.words import meaning, value_text
from compagnon.errors import UserError
from compagnon.evidence import words
from compagnon.i18n import _, format_number, pick, use
from compagnon.privacy.patterns import mask_text
from compagnon.render.document import (
    Block,
    Cell,
    Code,
    Document,
    Figure,
    Gap,
    Heading,
    Inline,
    Language,
    List,
    Note,
    Paragraph,
    Table,
)
from compagnon.spec.model import Indicator, Spec

MOST_CLASSES = 40
MOST_CONFUSIONS = 10


def model_card(name: str, language: Language, *, spec: Spec, ledger: Ledger, artifacts: ArtifactStore) -> Document:
    """The card of the model ``name`` as it was last packaged.

    Raises UserError ``document.unknown-model`` or ``document.no-package``, ``artifact.altered`` where bytes changed.
    """
    run = ledger.last(f"package/{name}")
    made = run.output(f"package/{name}") if run else None
    artifact = artifacts.get(made.zone, made.digest) if made else None
    if run is None or made is None or artifact is None:
        raise _missing(name, spec)
    package = words.read_json(artifacts, artifact, "package.json")
    evaluated = artifacts.get(made.zone, package["from"]["evaluation"])
    with use(language):
        recorded = run.key.get("settings", {})
        title = pick(recorded.get("title"), language) or name
        blocks: list[Block] = [
            *_model(package, recorded, language),
            *_use(recorded, language),
            *_evaluated(package, recorded, evaluated, artifacts, ledger, language),
            *_indicators(name, run, recorded, package, ledger),
            *_ethics(recorded, language),
            *words.provenance(run, made.digest, spec.timezone),
        ]
        subject = _("Model card of {name}").format(name=f"{spec.name}/{name}")
        document = Document(title, language, tuple(blocks), run.ended, subject)
        missing = len(document.gaps)
        if not missing:
            return document
        first = Note(
            _("Pieces of information that are missing, marked where they belong: {count}.").format(count=missing)
        )
        return Document(title, language, (first, *blocks), run.ended, subject)


def _missing(name: str, spec: Spec) -> UserError:
    if name not in spec.models:
        return UserError(
            "document.unknown-model",
            _("There is no model {name}.").format(name=name),
            next=_("Models: {names}.").format(names=", ".join(spec.models)),
        )
    return UserError(
        "document.no-package",
        _("The model {name} is not packaged yet.").format(name=name),
        next=_("Run: compagnon run"),
    )


def _model(package: Mapping[str, Any], recorded: Mapping[str, Any], language: Language) -> list[Block]:
    solution = _card(recorded).get("solution") or {}
    name = pick(solution.get("title"), language) or solution.get("name")
    params = ", ".join(f"{key}={value}" for key, value in package["params"].items())
    threshold = package["decide"]["person_below"]
    items: list[tuple[Inline, ...]] = [
        words.fill(_("Solution: {name}"), name=name or Gap(_("the name of the solution"), "title")),
        words.fill(_("Task: {task}"), task=Code(package["task"])),
        words.fill(_("Predicts: {target}"), target=Code(package["target"])),
        words.fill(_("Reads: {inputs}"), inputs=Code(", ".join(i["name"] for i in package["input"]["fields"]))),
        words.fill(_("Family: {family}"), family=Code(f"{package['family']} {params}".strip())),
        (_("Classes: {count}").format(count=format_number(len(package["labels"]))),),
        words.fill(_("Format: ONNX; SHA-256 of the graph: {digest}"), digest=Code(package["digests"]["model.onnx"])),
    ]
    if threshold:
        said = _("Below a confidence of {threshold} a person decides.")
        items.append((said.format(threshold=format_number(threshold, 2)),))
    else:
        items.append((_("No confidence is declared below which a person decides."),))
    return [Heading(_("Model")), List(tuple(items))]


def _use(recorded: Mapping[str, Any], language: Language) -> list[Block]:
    need = (_card(recorded).get("solution") or {}).get("need") or {}
    problem = pick(need.get("problem"), language)
    users = tuple(pick(user, language) for user in need.get("users") or ())
    return [
        Heading(_("Intended use")),
        Paragraph(problem) if problem else Gap(_("the problem that the solution answers"), "need.problem"),
        Heading(_("Users"), 3),
        List(users) if users else Gap(_("the users"), "need.users"),
        Heading(_("Uses out of scope"), 3),
        Gap(_("to be stated by the people responsible")),
    ]


def _evaluated(
    package: Mapping[str, Any],
    recorded: Mapping[str, Any],
    evaluated: Artifact | None,
    artifacts: ArtifactStore,
    ledger: Ledger,
    language: Language,
) -> list[Block]:
    if evaluated is None:
        return [
            Heading(_("Data")),
            *_sources(recorded, "*", language),
            Heading(_("Quality")),
            Gap(_("the evaluation that the package was made from is not there any more"), "compagnon run"),
        ]
    report = words.read_json(artifacts, evaluated, "evaluation.json")
    name = package["name"]
    learned = words.maker(ledger, f"train/{name}", f"evaluation/{name}", evaluated.digest)
    settings = learned.key.get("settings", {}) if learned else {}
    sentence = _("Learned from {count} rows of the table {table}; tested on {test} rows.")
    parts: dict[str, Inline] = {
        "count": format_number(report["rows_train"]),
        "table": Code(settings["table"]) if settings.get("table") else Gap(_("the table")),
        "test": format_number(report["test_part"]["rows"]),
    }
    return [
        Heading(_("Data")),
        Paragraph(words.fill(sentence, **parts)),
        *_sources(recorded, settings.get("table", "*"), language),
        Heading(_("Quality")),
        *_quality(report),
        *_figures(report, evaluated, artifacts, language),
        *_limits(package, report),
    ]


def _sources(recorded: Mapping[str, Any], table: str, language: Language) -> list[Block]:
    card = _card(recorded)
    meaning = pick((card.get("meaning") or {}).get("meaning"), language)
    licences = (card.get("licences") or {}).items()
    gap = Gap(_("what a row of the table is"), f"tables.{table}.meaning")
    blocks: list[Block] = [Paragraph(meaning) if meaning else gap]
    if licences:
        rows = tuple((source, text or Gap(_("the licence"), f"sources.{source}.licence")) for source, text in licences)
        blocks.append(Table(_("Sources and their licences"), (_("source"), _("licence")), rows))
    return blocks


def _quality(report: Mapping[str, Any]) -> list[Block]:
    part = report["test_part"]
    values = tuple(
        (Code(name), format_number(v["value"], 3), _interval(v["low"], v["high"]))
        for name, v in part["metrics"].items()
        if v["value"] is not None
    )
    families = tuple(
        (f"{f['family']} ({_('chosen')})" if f["chosen"] else f["family"], _params(f["params"]), _three(f["mean"]))
        for f in report["families"]
    )
    classes = tuple(
        (mask_text(str(row["label"])), *(_three(row[key]) for key in ("precision", "recall", "f1")), row["support"])
        for row in part["classes"][:MOST_CLASSES]
    )
    compared = _("Families compared on the same {count} folds, by {metric}").format(
        count=report["folds"], metric=report["metric"]
    )
    blocks: list[Block] = [
        Paragraph(_("On the test part, which chose nothing; intervals are 95 % bootstrap intervals.")),
        Table(
            _("Metrics on the test part"), (_("metric"), _("value"), _("interval")), values, numeric=frozenset({1, 2})
        ),
        Table(compared, (_("family"), _("parameters"), _("mean")), families, numeric=frozenset({2})),
        Table(
            _("Quality by class"),
            (_("class"), _("precision"), _("recall"), "F1", _("rows")),
            classes,
            numeric=frozenset({1, 2, 3}),
        ),
    ]
    left = len(part["classes"]) - MOST_CLASSES
    if left > 0:
        blocks.append(Note(_("Classes that are not in this table: {count}.").format(count=left)))
    return blocks


def _figures(
    report: Mapping[str, Any], evaluated: Artifact, artifacts: ArtifactStore, language: Language
) -> list[Block]:
    """Charts as the evaluation drew them: their files have just been compared with their digests."""
    titles = {"confusion": _("Confusion matrix"), "roc": _("ROC curve"), "confidence": _("Confidence on the test part")}
    files = {segment.name for segment in evaluated.segments}
    blocks: list[Block] = []
    for name, title in titles.items():
        described = report["charts"].get(name, {}).get(language)
        file = f"{name}.svg" if language == "fr" else f"{name}.{language}.svg"
        if described is None:
            continue
        svg = artifacts.path(evaluated, file).read_text(encoding="utf-8") if file in files else None
        rows: tuple[tuple[Cell, ...], ...] = tuple(tuple(row) for row in described["rows"])
        table = Table(title, tuple(described["headers"]), rows)
        blocks += [Heading(title, 3), Figure(title, described["sentence"], svg=svg, table=table)]
    return blocks


def _limits(package: Mapping[str, Any], report: Mapping[str, Any]) -> list[Block]:
    part = report["test_part"]
    worst = part["worst_confusions"][:MOST_CONFUSIONS]
    blocks: list[Block] = [Heading(_("Limits"))]
    if worst:
        rows = tuple((mask_text(str(w["true"])), mask_text(str(w["predicted"])), w["rows"]) for w in worst)
        caption = _("The most frequent confusions on the test part")
        blocks.append(Table(caption, (_("true"), _("predicted"), _("rows")), rows))
    said = _("Confidence is off by {error} on average (expected calibration error).")
    blocks.append(Paragraph(said.format(error=_three(part["reliability"]["expected_calibration_error"]))))
    if package["task"] == "text-classification":
        said = _("Case and accents are ignored. An answer is always one of the classes, also for other subjects.")
        blocks.append(Paragraph(said))
    return blocks


def _indicators(
    name: str, run: Run, recorded: Mapping[str, Any], package: Mapping[str, Any], ledger: Ledger
) -> list[Block]:
    """What the need promised of this model, against what its own runs found."""
    learned = words.maker(ledger, f"train/{name}", f"evaluation/{name}", package["from"]["evaluation"])
    runs = {run.stage: run, **({learned.stage: learned} if learned else {})}
    need = (_card(recorded).get("solution") or {}).get("need") or {}
    asked = [Indicator(**entry) for entry in need.get("indicators") or ()]
    judged = [judge(entry, runs[entry.of].fact(entry.fact)) for entry in asked if entry.of in runs]
    if not judged:
        return [Heading(_("Indicators")), Gap(_("indicators of this model"), "need.indicators")]
    headers = (_("indicator"), _("threshold"), _("found"), _("verdict"))
    rows = tuple(_judged(entry, runs) for entry in judged)
    return [Heading(_("Indicators")), Table(_("Indicators of the need"), headers, rows)]


def _judged(judgement: Judgement, runs: Mapping[str, Run]) -> tuple[Cell, ...]:
    indicator = judgement.indicator
    bounds = [f"≥ {indicator.at_least}"] if indicator.at_least is not None else []
    bounds += [f"≤ {indicator.at_most}"] if indicator.at_most is not None else []
    fact = runs[indicator.of].fact(indicator.fact)
    verdict = {"met": _("met"), "missed": _("missed")}.get(judgement.verdict, _("not known"))
    return (
        meaning(indicator.fact),
        ", ".join(bounds) or None,
        value_text(fact.value, fact.unit) if fact else None,
        verdict,
    )


def _ethics(recorded: Mapping[str, Any], language: Language) -> list[Block]:
    purpose = pick((_card(recorded).get("purpose") or {}).get("purpose"), language)
    stated = Gap(_("to be stated by the people responsible"))
    return [
        Heading(_("Ethical considerations")),
        List(
            (
                words.fill(
                    _("Purpose of the processing: {text}"),
                    text=purpose or Gap(_("the purpose of the processing"), "privacy.purpose"),
                ),
                words.fill(_("Groups on which quality may differ: {gap}"), gap=stated),
                words.fill(_("Harm that a wrong answer may do: {gap}"), gap=stated),
            )
        ),
    ]


def _card(recorded: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = recorded.get("card") or {}
    return found


def _params(params: Mapping[str, Any]) -> str | None:
    return ", ".join(f"{key}={value}" for key, value in params.items()) or None


def _interval(low: float | None, high: float | None) -> str | None:
    return None if low is None or high is None else f"{_three(low)} – {_three(high)}"


def _three(value: float) -> str:
    return format_number(value, 3)
