"""The model card: what the model is for, what it learned from, how good it is, where it fails.

Source: Mitchell et al. 2019, Model Cards for Model Reporting; the header is metadata of the Hugging Face hub.
What nobody stated is marked as a gap; nothing is invented.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from compagnon.i18n import _, format_number, use
from compagnon.spec.model import Model, Spec, text_of

MOST_CLASSES = 40
MOST_CONFUSIONS = 10


def write(spec: Spec, model: Model, package: Mapping[str, Any], evaluation: Mapping[str, Any], language: str) -> str:
    """The card in Markdown, in ``language``."""
    with use(language):
        sections = (
            _header(spec, model, package, evaluation, language),
            f"# {text_of(model.title, language) or package['name']}",
            _details(spec, model, package, language),
            _intended_use(spec, language),
            _data(spec, model, evaluation, language),
            _quality(evaluation),
            _limits(model, evaluation),
            _ethics(spec, language),
        )
        return "\n\n".join(section for section in sections if section) + "\n"


def _header(spec: Spec, model: Model, package: Mapping[str, Any], evaluation: Mapping[str, Any], language: str) -> str:
    values = evaluation["test_part"]["metrics"]
    results = [{"type": name, "value": v["value"]} for name, v in values.items() if v["value"] is not None]
    dataset = {"name": model.table, "type": model.table}
    document = {
        "language": language,
        "library_name": "onnx",
        "pipeline_tag": model.task,
        "tags": ["compagnon", package["family"]],
        "model-index": [
            {
                "name": f"{spec.name}/{package['name']}",
                "results": [{"task": {"type": model.task}, "dataset": dataset, "metrics": results}],
            }
        ],
    }
    return "---\n" + yaml.safe_dump(document, allow_unicode=True, sort_keys=False) + "---"


def _details(spec: Spec, model: Model, package: Mapping[str, Any], language: str) -> str:
    lines = [
        "## " + _("Model"),
        _("- Solution: {name}").format(name=_text(text_of(spec.title, language) or spec.name)),
        _("- Task: {task}; predicts `{target}` from {inputs}").format(
            task=model.task, target=model.target, inputs=", ".join(f"`{i['name']}`" for i in package["input"]["fields"])
        ),
        _("- Family: {family} ({params})").format(
            family=package["family"], params=", ".join(f"{k}={v}" for k, v in package["params"].items()) or "-"
        ),
        _("- Classes: {count}").format(count=format_number(len(package["labels"]))),
        _("- Format: ONNX; SHA-256 of the graph `{digest}`").format(digest=package["digests"]["model.onnx"]),
    ]
    if model.decide.person_below:
        lines.append(
            _("- Below a confidence of {threshold} a person decides.").format(
                threshold=format_number(model.decide.person_below, 2)
            )
        )
    return "\n".join([lines[0], "", *lines[1:]])


def _intended_use(spec: Spec, language: str) -> str:
    need = spec.need
    parts = ["## " + _("Intended use"), ""]
    problem = text_of(need.problem, language) if need else ""
    parts.append(_text(problem) if problem else _gap("need.problem"))
    parts.append("")
    users = [_text(text_of(user, language)) for user in need.users] if need else []
    parts.append(_("Users: {users}.").format(users=", ".join(users)) if users else _gap("need.users"))
    parts += ["", _("Uses out of scope: {gap}").format(gap=_gap(_("to be stated by the people responsible")))]
    return "\n".join(parts)


def _data(spec: Spec, model: Model, evaluation: Mapping[str, Any], language: str) -> str:
    table = spec.tables[model.table]
    meaning = text_of(table.meaning, language)
    lines = ["## " + _("Data"), ""]
    lines.append(
        _("Learned from {count} rows of the table `{table}`; tested on {test} rows.").format(
            count=format_number(evaluation["rows_train"]),
            table=model.table,
            test=format_number(evaluation["test_part"]["rows"]),
        )
    )
    lines += ["", _text(meaning) if meaning else _gap(f"tables.{model.table}.meaning"), ""]
    for name in table.from_:
        source = spec.sources.get(name)
        licence = source.licence if source and source.licence else _gap(f"sources.{name}.licence")
        lines.append(_("- Source `{name}`, licence: {licence}").format(name=name, licence=licence))
    return "\n".join(lines)


def _quality(evaluation: Mapping[str, Any]) -> str:
    values = evaluation["test_part"]["metrics"]
    lines = ["## " + _("Quality"), ""]
    lines.append(_("On the test part, which chose nothing; intervals are 95 % bootstrap intervals."))
    head: tuple[str, ...] = (_("metric"), _("value"), _("interval"))
    lines += ["", f"| {' | '.join(head)} |", "|---|---|---|"]
    for name, v in values.items():
        if v["value"] is not None:
            between = "-" if v["low"] is None else f"{format_number(v['low'], 3)} – {format_number(v['high'], 3)}"
            lines.append(f"| {name} | {format_number(v['value'], 3)} | {between} |")
    lines += ["", _("Families compared on the same folds ({metric}):").format(metric=evaluation["metric"]), ""]
    head = (_("family"), _("mean"))
    lines += [f"| {' | '.join(head)} |", "|---|---|"]
    for family in evaluation["families"]:
        mark = " (" + _("chosen") + ")" if family["chosen"] else ""
        lines.append(f"| {family['family']}{mark} | {format_number(family['mean'], 3)} |")
    head = (_("class"), _("precision"), _("recall"), "F1", _("rows"))
    lines += ["", f"| {' | '.join(head)} |", "|---|---|---|---|---|"]
    for row in evaluation["test_part"]["classes"][:MOST_CLASSES]:
        scores = " | ".join(format_number(row[name], 3) for name in ("precision", "recall", "f1"))
        lines.append(f"| {_text(row['label'])} | {scores} | {row['support']} |")
    return "\n".join(lines)


def _limits(model: Model, evaluation: Mapping[str, Any]) -> str:
    part = evaluation["test_part"]
    lines = ["## " + _("Limits"), ""]
    worst = part["worst_confusions"][:MOST_CONFUSIONS]
    if worst:
        lines += [_("The most frequent confusions on the test part:"), ""]
        lines += [
            _("- {true} taken for {predicted}: {count} rows").format(
                true=_text(row["true"]), predicted=_text(row["predicted"]), count=row["rows"]
            )
            for row in worst
        ]
        lines.append("")
    lines.append(
        _("Confidence is off by {error} on average (expected calibration error).").format(
            error=format_number(part["reliability"]["expected_calibration_error"], 3)
        )
    )
    if model.task == "text-classification":
        lines += [
            "",
            _("Case and accents are ignored. An answer is always one of the classes, also for other subjects."),
        ]
    return "\n".join(lines)


def _ethics(spec: Spec, language: str) -> str:
    lines = ["## " + _("Ethical considerations"), ""]
    privacy = spec.privacy
    purpose = text_of(privacy.purpose, language) if privacy else ""
    lines.append(
        _("- Purpose of the processing: {text}").format(text=_text(purpose) if purpose else _gap("privacy.purpose"))
    )
    stated = _gap(_("to be stated by the people responsible"))
    lines.append(_("- Groups on which quality may differ: {gap}").format(gap=stated))
    lines.append(_("- Harm that a wrong answer may do: {gap}").format(gap=stated))
    return "\n".join(lines)


def _gap(what: str) -> str:
    return _("**[gap: {what}]**").format(what=what)


def _text(value: str) -> str:
    """A user's text on one line, without Markdown or HTML of its own."""
    plain = " ".join(value.split())
    for character in "\\`*_[]<>|#":
        plain = plain.replace(character, "\\" + character)
    return plain
