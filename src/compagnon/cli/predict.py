"""``compagnon predict``."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

from compagnon.cli.command import Argument, Option, json_option, opened
from compagnon.cli.command import command as make
from compagnon.cli.output import cell, print_json, table
from compagnon.errors import Location, Problem, UserError, UserErrors
from compagnon.i18n import N_, _, format_number

if TYPE_CHECKING:
    from compagnon.solution import Solution
    from compagnon.stages.package.load import LoadedPackage

BATCH = 1000
"""Rows that are predicted at once."""


@make(
    "predict",
    Argument(["model"], help=N_("Name of the model.")),
    Argument(["texts"], metavar="[TEXT]...", nargs=-1, help=N_("Texts, for a model that reads one text.")),
    Option(
        ["--file", "-f"],
        type=click.Path(path_type=Path, allow_dash=True),
        help=N_("Rows in a CSV or JSON Lines file; - is standard input (JSON Lines, or a text a line)."),
    ),
    Option(["--explain"], is_flag=True, help=N_("Say which terms weighed most.")),
    json_option(),
    help=N_(
        "Predict with the packaged model, here and without a server: the same package, the same checks and the same "
        "answers as the API gives. Below the declared confidence, a person decides."
    ),
    examples=[
        ('compagnon predict topic "C\'est quoi un CNN ?"', N_("one text")),
        ('compagnon predict topic "C\'est quoi un CNN ?" --explain', N_("with reasons")),
        ("compagnon predict topic --file questions.jsonl --json", N_("many rows, for a program")),
    ],
)
def command(model: str, texts: tuple[str, ...], file: Path | None, explain: bool, as_json: bool) -> None:
    if texts and file is not None:
        raise click.UsageError(_("Give texts or a file, not both."))
    with opened() as solution:
        package, version = load(solution, model)
        rows = rows_of(package, texts, file)
        answers = predict(package, rows, explain=explain)
        if as_json:
            print_json({"model": model, "version": version, "predictions": answers})
            return
        _show(rows, answers)


def load(solution: Solution, model: str) -> tuple[LoadedPackage, str]:
    """The current package of a model, every byte checked, and its version (the beginning of its digest)."""
    from compagnon.stages.package.load import load_package

    if model not in solution.spec.models:
        raise UserError(
            "predict.unknown-model",
            _("There is no model {name} in this solution.").format(name=model),
            next=_("Models: {names}.").format(names=", ".join(solution.spec.models) or "∅"),
        )
    artifact = solution.artifact(f"package/{model}", f"package/{model}")
    if artifact is None:
        raise UserError(
            "predict.no-package",
            _("The model {name} is not packaged yet.").format(name=model),
            next=_("Run: compagnon run --to package/{name}").format(name=model),
        )
    digests = {segment.name: segment.digest for segment in artifact.segments}
    package = load_package(lambda name: solution.artifacts.path(artifact, name), digests)
    return package, artifact.digest[:12]


def predict(package: LoadedPackage, rows: Sequence[Mapping[str, Any]], *, explain: bool) -> list[dict[str, Any]]:
    """Answers as the API gives them; raises UserErrors with each fault of ``rows``."""
    faults = package.validate(rows)
    if faults:
        problems = []
        for fault in faults:
            place = _("row {number}").format(number=fault.row + 1) + (f", {fault.field}" if fault.field else "")
            problems.append(
                Problem(
                    "predict.bad-row", _("This row cannot be predicted: {why}").format(why=fault.what), Location(place)
                )
            )
        raise UserErrors(problems)
    answers: list[dict[str, Any]] = []
    for start in range(0, len(rows), BATCH):
        for prediction in package.predict(rows[start : start + BATCH]):
            answers.append(
                {"label": prediction.label, "confidence": prediction.confidence, "decide": prediction.decide}
            )
    if explain:
        for answer, row in zip(answers, rows, strict=True):
            answer["because"] = package.explain(row)
    return answers


def rows_of(package: LoadedPackage, texts: Sequence[str], file: Path | None) -> list[dict[str, Any]]:
    """Rows from the arguments, a file, or standard input."""
    one_text = package.inputs[0].name if package.task == "text-classification" else None
    if texts:
        if one_text is None:
            names = ", ".join(field.name for field in package.inputs)
            raise UserError(
                "predict.needs-rows",
                _("This model reads several columns: {names}.").format(names=names),
                next=_("Give rows in a file: --file rows.csv or rows.jsonl."),
            )
        return [{one_text: text} for text in texts]
    if file is None or str(file) == "-":
        if file is None and sys.stdin.isatty():
            raise click.UsageError(_("Give texts, a --file, or rows on standard input."))
        return _lines(sys.stdin, _("standard input"), one_text)
    try:
        with file.open(encoding="utf-8-sig", newline="") as stream:
            if file.suffix.lower() == ".csv":
                return _typed(list(csv.DictReader(stream)), package)
            return _lines(
                stream, str(file), None if file.suffix.lower() in (".jsonl", ".ndjson", ".json") else one_text
            )
    except OSError as error:
        raise UserError(
            "predict.no-file", _("{path} cannot be read: {reason}").format(path=file, reason=error.strerror)
        ) from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise UserError(
            "predict.bad-file", _("{path} is not a text in UTF-8 with such rows.").format(path=file)
        ) from error


def _lines(stream: IO[str], name: str, one_text: str | None) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for number, line in enumerate(stream, 1):
        if not line.strip():
            continue
        if one_text is not None and not line.lstrip().startswith("{"):
            rows.append({one_text: line.rstrip("\n")})
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            row = None
        if not isinstance(row, dict):
            raise UserError(
                "predict.bad-line",
                _("This line is not a JSON object."),
                where=Location(name, number),
                next=_("Write one row a line, such as {example}").format(example='{"text": "..."}'),
            )
        rows.append(row)
    return rows


def _typed(rows: list[dict[str, Any]], package: LoadedPackage) -> list[dict[str, Any]]:
    """Cells of a CSV file as the model's fields take them; what cannot be read stays text, and is refused as such."""
    kinds = {field.name: field.type for field in package.inputs}
    read = {"integer": int, "decimal": float, "float": float, "boolean": _truth}
    result = []
    for row in rows:
        typed: dict[str, Any] = {}
        for name, text in row.items():
            if name not in kinds:
                continue
            convert: Any = read.get(kinds[name], str)
            try:
                typed[name] = None if text is None or (text == "" and convert is not str) else convert(text)
            except ValueError:
                typed[name] = text
        result.append(typed)
    return result


def _truth(text: str) -> bool:
    word = text.strip().lower()
    if word in ("true", "1", "oui", "vrai", "yes"):
        return True
    if word in ("false", "0", "non", "faux", "no"):
        return False
    raise ValueError(text)


def _show(rows: Sequence[Mapping[str, Any]], answers: Sequence[Mapping[str, Any]]) -> None:
    who = {"model": _("model"), "person": _("a person")}
    table(
        [_("Input"), _("Prediction"), _("Confidence"), _("Who decides")],
        [
            [
                cell(next(iter(row.values()), "") if len(row) == 1 else json.dumps(row, ensure_ascii=False), 50),
                str(answer["label"]),
                format_number(answer["confidence"], 3),
                who[answer["decide"]],
            ]
            for row, answer in zip(rows, answers, strict=True)
        ],
        right=frozenset({2}),
    )
    for answer in answers:
        if answer.get("because"):
            terms = ", ".join(f"{b['term']} ({format_number(b['effect'], 3)})" for b in answer["because"])
            click.echo(_("{label} because of: {terms}").format(label=answer["label"], terms=terms))
