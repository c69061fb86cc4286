"""Writing a solution.yaml by hand would be long: this writes it with a comment for each guess, in both languages."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from compagnon.i18n import LANGUAGES, N_, _, use
from compagnon.privacy.classes import DEFAULT_KEEP
from compagnon.privacy.patterns import mask_text
from compagnon.scaffold.personal import is_sensitive
from compagnon.scaffold.survey import Shape, SourceDraft, describe_file
from compagnon.stages.prepare.infer import Because, Guess

LISTED_IN_PLACE = 30
"""A category with more values lists them in a file of its own."""
_PLAIN = re.compile(r"[A-Za-zÀ-ÿ_][A-Za-zÀ-ÿ0-9_ /.+-]*[A-Za-zÀ-ÿ0-9_]|[A-Za-zÀ-ÿ]")
_RESERVED = {"true", "false", "yes", "no", "on", "off", "null", "y", "n", "nan", "inf", "none"}
EXAMPLES = 3


def write(folder: Path, name: str, shapes: Sequence[Shape]) -> None:
    """Write ``solution.yaml`` and the files of values that it names into ``folder``."""
    lines = Lines()
    lines.say(
        0,
        Because(
            N_(
                "Drafted from data by `compagnon new --from-data`. Each guess says why; correct it where it is "
                "wrong, then run `compagnon check`."
            )
        ),
    )
    lines.add(0, "version: 1")
    lines.add(0, f"name: {name}")
    dated = any(guess.type == "timestamp" for shape in shapes for guess in shape.guesses)
    if dated:
        lines.say(0, Because(N_("Time zone of the dates that do not state theirs: check.")))
        lines.add(0, "timezone: Europe/Paris")
    lines.say(
        0, Because(N_("The need comes first: say what problem is solved, for whom, and how success is measured."))
    )
    lines.add(0, "# need:", '#   problem: "..."', "#   users: [...]")
    model = next((shape for shape in shapes if shape.goal), None)
    if model:
        lines.add(
            0,
            "#   indicators:",
            f"#     - {{fact: macro_f1, of: train/{model_name(model)}, at_least: 0.8, review: 3 months}}",
        )
    lines.blank()
    _sources(lines, [source for shape in shapes for group in shape.tables.values() for source in group])
    _tables(lines, folder, shapes)
    if any(shape.personal for shape in shapes):
        lines.say(
            0,
            Because(
                N_(
                    "Columns seem to hold personal data: say who is responsible, what for and on which basis "
                    "(GDPR, article 30)."
                )
            ),
        )
        lines.add(0, "# privacy: {controller: ..., purpose: ..., basis: ..., keep: {raw: 30 days}}")
        lines.blank()
    if model:
        _model(lines, model)
    else:
        lines.say(0, Because(N_("No column looks like something to predict, so there is no model yet.")))
    (folder / "solution.yaml").write_text(lines.text(), encoding="utf-8")


class Lines:
    """Lines of YAML under construction."""

    def __init__(self) -> None:
        self._lines: list[str] = []

    def add(self, depth: int, *texts: str) -> None:
        self._lines += [("  " * depth + text) for text in texts]

    def blank(self) -> None:
        self._lines.append("")

    def say(self, depth: int, *because: Because, about: str = "") -> None:
        """A comment in French, then in English; once where both are the same."""
        told = dict.fromkeys(_told(language, because) for language in LANGUAGES)
        prefix = f"{about}: " if about else ""
        for text in told:
            self.add(depth, f"# {prefix}{text}")

    def text(self) -> str:
        return "\n".join(self._lines).rstrip() + "\n"


def _told(language: str, because: Iterable[Because]) -> str:
    with use(language):
        return _("; ").join(_one_line(_(reason.message).format(**reason.values)) for reason in because)


def _one_line(text: str) -> str:
    return "".join(c if c.isprintable() else " " for c in text)


def _sources(lines: Lines, sources: Sequence[SourceDraft]) -> None:
    lines.add(0, "sources:")
    for source in sources:
        lines.say(1, *describe_file(source.look))
        lines.add(1, f"{source.name}:")
        lines.add(2, *(f"{key}: {scalar(value)}" for key, value in source.options.items()))
        lines.say(2, Because(N_("to complete: licence, who answers for the data, how one gets at it")))
        lines.add(2, "# licence: CC-BY-4.0", '# contact: "..."', '# access: "..."')
    lines.blank()


def _tables(lines: Lines, folder: Path, shapes: Sequence[Shape]) -> None:
    lines.add(0, "tables:")
    for shape in shapes:
        for table, sources in shape.tables.items():
            rows = sum(source.look.table.num_rows for source in sources)
            if table == shape.test:
                lines.say(
                    1,
                    Because(
                        N_("same columns as {table}, and its name says that it is for the test"), {"table": shape.main}
                    ),
                )
            lines.add(1, f"{table}:")
            if shape.key:
                lines.say(2, shape.key[1], about="key")
                lines.add(2, f"key: {shape.names[shape.key[0]]}")
            lines.add(2, "from:")
            for source in sources:
                lines.add(3, f"{source.name}:")
                lines.add(4, *(f"{shape.names[g.source]}: {scalar(g.source)}" for g in shape.guesses))
            lines.add(2, "columns:")
            for guess in shape.guesses:
                _column(lines, folder, shape, guess, rows)
    lines.blank()


def _column(lines: Lines, folder: Path, shape: Shape, guess: Guess, rows: int) -> None:
    name = shape.names[guess.source]
    because = list(guess.because)
    if guess.filled < guess.rows:
        because.append(Because(N_("{count} rows have no value"), {"count": guess.rows - guess.filled}))
    lines.say(3, *because, about=guess.type)
    settings: list[str] = [f"type: {guess.type}"]
    if guess.formats:
        settings.append(f"formats: [{', '.join(scalar(form) for form in guess.formats)}]")
    if guess.type == "category":
        if len(guess.values) > LISTED_IN_PLACE:
            settings.append(f"values: {_values_file(folder, name, guess)}")
        else:
            settings.append(f"values: [{', '.join(scalar(value) for value in guess.values)}]")
    if guess.type == "text" and guess.words >= 3:
        settings.append("clean: [nfc, spaces]")
    if shape.goal and guess.source == shape.goal.target:
        settings.append("required: true")
    if guess.source in shape.personal:
        found = shape.personal[guess.source]
        used = shape.goal is not None and guess.source in (*shape.goal.inputs, shape.goal.group)
        keep = DEFAULT_KEEP[found.kind]
        lines.say(3, found.because, about=f"personal {found.kind}, keep {keep}")
        settings.append(f"personal: {found.kind}")
        if used and keep == "drop":
            settings.append("keep: pseudonym")
    elif is_sensitive(guess.source):
        lines.say(3, Because(N_("may lead to treating people unequally: decide whether the model may use it")))
    lines.add(3, f"{name}: {{{', '.join(settings)}}}")


def _values_file(folder: Path, name: str, guess: Guess) -> str:
    path = folder / "values" / f"{name}.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text("".join(f"- {scalar(value)}\n" for value in sorted(guess.values)), encoding="utf-8")
    return f"values/{name}.yaml"


def model_name(shape: Shape) -> str:
    assert shape.goal is not None
    return shape.names[shape.goal.target]


def _model(lines: Lines, shape: Shape) -> None:
    goal = shape.goal
    assert goal is not None
    lines.add(0, "models:")
    lines.say(1, *goal.why_target, about=f"target {shape.names[goal.target]}")
    lines.add(1, f"{model_name(shape)}:")
    lines.say(2, goal.why_task)
    lines.add(2, f"task: {goal.task}", f"table: {shape.main}")
    for source, reason in goal.left_out.items():
        lines.say(2, Because(N_("left out of the inputs")), reason, about=shape.names[source])
    lines.add(2, f"input: [{', '.join(shape.names[source] for source in goal.inputs)}]")
    lines.add(2, f"target: {shape.names[goal.target]}")
    group = f", group: {shape.names[goal.group]}" if goal.group else ""
    if goal.group:
        lines.say(2, Because(N_("rows of one person stay on one side")), about="group")
    if shape.test:
        lines.say(2, Because(N_("the test part is never used to choose")))
        lines.add(2, f"split: {{test: {{table: {shape.test}}}, folds: 5, seed: 1{group}}}")
    else:
        lines.say(2, Because(N_("no file is for the test: a fifth of the rows is set apart")))
        lines.add(2, f"split: {{test: 0.2, folds: 5, seed: 1{group}}}")
    lines.say(2, Because(N_("macro-F1 counts each class alike, rare ones too")))
    lines.add(2, "metric: macro_f1")
    text = goal.task == "text-classification"
    lines.say(2, Because(N_("families from the simplest on; the dummy shows what guessing gives")))
    lines.add(2, f"estimators: [{'dummy, naive_bayes, svm, blend, linear' if text else 'dummy, linear, boosting'}]")
    lines.add(2, "budget: 5 min")
    lines.say(2, Because(N_("below this confidence a person decides; to be chosen from the evaluation")))
    lines.add(2, "decide: {person_below: 0.5}")
    examples = _examples(shape)
    if examples:
        lines.add(2, "serve:")
        lines.add(3, "examples:", *(f"  - {example}" for example in examples))


def _examples(shape: Shape) -> list[str]:
    """Rows that show what the model takes; none where the texts may be of a person."""
    goal = shape.goal
    assert goal is not None
    if any(source in shape.personal for source in goal.inputs):
        return []
    table = shape.tables[shape.main][0].look.table
    if goal.task == "text-classification":
        texts = [str(v) for v in table.column(goal.inputs[0]).slice(0, 200).to_pylist() if v]
        short = [t for t in dict.fromkeys(texts) if 10 <= len(t) <= 120 and mask_text(t) == t and t.isprintable()]
        return [scalar(t) for t in short[:EXAMPLES]]
    kinds = {guess.source: guess.type for guess in shape.guesses}
    row = table.slice(0, 1).to_pylist()[0]
    pairs = []
    for source in goal.inputs:
        value = row[source]
        if value is not None and str(value).strip():
            pairs.append(f"{shape.names[source]}: {_typed(str(value).strip(), kinds[source], value)}")
    formatted = any(guess.formats for guess in shape.guesses if guess.source in goal.inputs)
    return [] if formatted else [f"{{{', '.join(pairs)}}}"]


def _typed(text: str, kind: str, value: Any) -> str:
    if kind == "boolean":
        return "true" if str(value).lower() in ("true", "1", "oui", "vrai", "yes") else "false"
    return text if kind in ("integer", "float", "decimal") else scalar(text)


def scalar(value: Any) -> str:
    """A value as YAML on one line; text is quoted wherever it could be read as something else."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, list | tuple):
        return f"[{', '.join(scalar(item) for item in value)}]"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {scalar(item)}" for key, item in value.items()) + "}"
    text = str(value)
    if _PLAIN.fullmatch(text) and text.lower() not in _RESERVED:
        return text
    quoted = json.dumps(text, ensure_ascii=False)
    quoted = "".join(
        c if c.isprintable() else f"\\u{ord(c):04x}" if ord(c) < 0x10000 else f"\\U{ord(c):08x}" for c in quoted
    )
    return quoted if quoted.startswith('"${secret:') else quoted.replace("${", "$${")
