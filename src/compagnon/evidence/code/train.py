"""``3_train_MODEL.py``: the family that a run chose, in plain scikit-learn, on the same split and the same folds."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from compagnon.chain import plugins
from compagnon.errors import UserError
from compagnon.evidence.code.pipelines import HEAD, LEARN, MEASURE, NOTHING, TABLE_VIEW, TEXT_VIEW
from compagnon.i18n import _
from compagnon.spec.model import Model, Spec, TestTable


def script(name: str, spec: Spec, chosen: Mapping[str, Any], facts: Mapping[str, Any]) -> str:
    """The script of one model; ``chosen`` is model.json of the run, ``facts`` its facts by name.

    Raises UserError ``export.family`` for a family that has no plain form.
    """
    model = spec.models[name]
    family, text = chosen["family"], model.task == "text-classification"
    learn = LEARN.get((family, text))
    adapter = plugins.load("estimators").get(family)
    # A family of another package, or two declarations of which the run does not say which one won.
    views = _views(model, chosen, adapter) if learn is not None and adapter is not None else []
    if learn is None or len(views) != 1 or adapter.__module__.partition(".")[0] != "compagnon":
        raise UserError(
            "export.family",
            _("The family {family}, chosen for {model}, is not written as code.").format(family=family, model=name),
            next=_("These are: {names}. For the steps before it: --stage prepare.").format(
                names=", ".join(sorted({known for known, _text in LEARN}))
            ),
            path=f"models.{name}.estimators",
        )
    view = TEXT_VIEW if text else TABLE_VIEW
    parts = [HEAD.format(**_values(name, spec, model, chosen, facts)), view if family != "dummy" else ""]
    if family == "dummy":
        parts[1] = NOTHING
    elif text:
        seen = {key: getattr(views[0], key) for key in ("words", "chars", "words_from", "chars_from")}
        parts[1] = (
            view.replace("WORDS_FROM", repr(seen["words_from"]))
            .replace("CHARS_FROM", repr(seen["chars_from"]))
            .replace("WORDS", repr(seen["words"]))
            .replace("CHARS", repr(seen["chars"]))
        )
    return "\n\n".join(part.strip("\n") for part in (*parts, learn, MEASURE)) + "\n"


def _views(model: Model, chosen: Mapping[str, Any], adapter: Any) -> list[Any]:
    """The views that the chosen parameters may have learned from, without repetition."""
    declared = [o for o in model.estimators if o.kind == chosen["family"]] or [adapter.Options()]
    found: list[Any] = []
    for options in declared:
        complete = options if isinstance(options, adapter.Options) else adapter.Options(**options.model_dump())
        for candidate in adapter().candidates(complete, model.task):
            if dict(candidate.params) == dict(chosen["params"]) and candidate.view not in found:
                found.append(candidate.view)
    return found


def _values(name: str, spec: Spec, model: Model, chosen: Mapping[str, Any], facts: Mapping[str, Any]) -> dict[str, Any]:
    test = model.split.test
    types = {column: spec.tables[model.table].columns[column].type for column in model.input}
    wanted = {key: facts[key] for key in ("macro_f1", "accuracy", "macro_f1_cv", "roc_auc") if key in facts}
    return {
        "name": name,
        "family": chosen["family"],
        "table": repr(model.table),
        "test_table": repr(test.table if isinstance(test, TestTable) else None),
        "test_share": repr(None if isinstance(test, TestTable) else test),
        "inputs": json.dumps(types, ensure_ascii=False),
        "target": repr(model.target),
        "group": repr(model.split.group),
        "folds": model.split.folds,
        "seed": model.split.seed,
        "params": repr(dict(chosen["params"])),
        "metric": repr(model.metric),
        "facts": repr(wanted),
    }
