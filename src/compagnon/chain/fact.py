"""A fact: one named, typed, unit-bearing value of a run; and the list of all facts there are."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["computed", "measured"]
Value = int | float | str | bool | None


@dataclass(frozen=True)
class Definition:
    """What a fact means; ``computed`` facts are reproducible and compared, ``measured`` ones (time, energy) are not.

    ``fr_one`` and ``en_one`` are the words of a count for one: "1 row prepared".
    """

    name: str
    unit: str
    kind: Kind
    fr: str
    en: str
    fr_one: str = ""
    en_one: str = ""


@dataclass(frozen=True)
class Fact:
    """A value found by a run. Units are in English, singular ("row", "second"), "1" for a ratio."""

    name: str
    value: Value
    unit: str
    kind: Kind

    def as_dict(self) -> dict[str, Any]:
        return {"value": self.value, "unit": self.unit, "kind": self.kind}


def _define(*definitions: Definition) -> dict[str, Definition]:
    return {definition.name: definition for definition in definitions}


FACTS = _define(
    # collect
    Definition(
        "rows_collected", "row", "computed", "lignes collectées", "rows collected", "ligne collectée", "row collected"
    ),
    Definition(
        "segments",
        "segment",
        "computed",
        "fichiers ou lots collectés",
        "files or batches collected",
        "fichier ou lot collecté",
        "file or batch collected",
    ),
    Definition(
        "rows_unreadable",
        "row",
        "computed",
        "lignes illisibles, mises en quarantaine",
        "unreadable rows, quarantined",
        "ligne illisible, mise en quarantaine",
        "unreadable row, quarantined",
    ),
    Definition("instead_used", "", "measured", "solution de repli employée", "fall-back that was used"),
    # prepare
    Definition(
        "rows_read",
        "row",
        "computed",
        "lignes lues dans les sources",
        "rows read from the sources",
        "ligne lue dans les sources",
        "row read from the sources",
    ),
    Definition(
        "rows_prepared", "row", "computed", "lignes préparées", "rows prepared", "ligne préparée", "row prepared"
    ),
    Definition(
        "rows_rejected",
        "row",
        "computed",
        "lignes mises en quarantaine",
        "rows put in quarantine",
        "ligne mise en quarantaine",
        "row put in quarantine",
    ),
    Definition(
        "rows_duplicate",
        "row",
        "computed",
        "doublons écartés",
        "duplicates set aside",
        "doublon écarté",
        "duplicate set aside",
    ),
    Definition(
        "rows_restored",
        "row",
        "computed",
        "lignes remises depuis la quarantaine",
        "rows put back",
        "ligne remise depuis la quarantaine",
        "row put back",
    ),
    Definition(
        "values_masked", "value", "computed", "valeurs masquées", "values masked", "valeur masquée", "value masked"
    ),
    # store
    Definition(
        "tables_stored", "table", "computed", "tables publiées", "tables published", "table publiée", "table published"
    ),
    Definition("rows_stored", "row", "computed", "lignes publiées", "rows published", "ligne publiée", "row published"),
    # train
    Definition(
        "rows_train",
        "row",
        "computed",
        "lignes d'apprentissage",
        "rows to learn from",
        "ligne d'apprentissage",
        "row to learn from",
    ),
    Definition(
        "rows_test",
        "row",
        "computed",
        "lignes de test",
        "rows of the test part",
        "ligne de test",
        "row of the test part",
    ),
    Definition(
        "classes",
        "class",
        "computed",
        "classes à prédire",
        "classes to predict",
        "classe à prédire",
        "class to predict",
    ),
    Definition("chosen", "", "computed", "famille choisie", "family chosen"),
    Definition("macro_f1", "1", "computed", "macro-F1 sur la partie de test", "macro-F1 on the test part"),
    Definition(
        "macro_f1_low",
        "1",
        "computed",
        "macro-F1, bas de l'intervalle à 95 %",
        "macro-F1, low end of the 95 % interval",
    ),
    Definition(
        "macro_f1_high",
        "1",
        "computed",
        "macro-F1, haut de l'intervalle à 95 %",
        "macro-F1, high end of the 95 % interval",
    ),
    Definition("macro_f1_cv", "1", "computed", "macro-F1 moyen sur les plis", "mean macro-F1 on the folds"),
    Definition("macro_f1_dummy", "1", "computed", "macro-F1 du modèle témoin", "macro-F1 of the dummy baseline"),
    Definition("accuracy", "1", "computed", "exactitude sur la partie de test", "accuracy on the test part"),
    Definition(
        "balanced_accuracy",
        "1",
        "computed",
        "exactitude équilibrée sur la partie de test",
        "balanced accuracy on the test part",
    ),
    Definition("roc_auc", "1", "computed", "aire sous la courbe ROC", "area under the ROC curve"),
    Definition("families_refused", "", "measured", "familles refusées par le budget", "families refused by the budget"),
    # package
    Definition("package_size", "byte", "computed", "taille du paquet", "size of the package"),
    Definition(
        "package_difference",
        "1",
        "computed",
        "plus grand écart de probabilité entre paquet et modèle",
        "largest difference of probability between package and model",
    ),
    Definition("latency_p50", "ms", "measured", "latence médiane d'une prédiction", "median latency of a prediction"),
    Definition("latency_p95", "ms", "measured", "latence, 95e centile", "latency, 95th percentile"),
    # query (compagnon query explain)
    Definition(
        "query_rows",
        "row",
        "computed",
        "lignes rendues par la requête",
        "rows that the query gives",
        "ligne rendue par la requête",
        "row that the query gives",
    ),
    Definition("query_time", "second", "measured", "durée médiane de la requête", "median time of the query"),
    Definition(
        "query_rows_before",
        "row",
        "computed",
        "lignes rendues avant l'optimisation",
        "rows given before the optimization",
        "ligne rendue avant l'optimisation",
        "row given before the optimization",
    ),
    Definition(
        "query_time_before",
        "second",
        "measured",
        "durée médiane avant l'optimisation",
        "median time before the optimization",
    ),
    # every stage
    Definition("duration", "second", "measured", "durée", "duration"),
)


def fact(name: str, value: Value) -> Fact:
    """A fact by its listed name; raises KeyError for a name that is not listed."""
    definition = FACTS[name]
    return Fact(name, value, definition.unit, definition.kind)


def computed(facts: Iterable[Fact]) -> dict[str, Value]:
    """The reproducible part: what two runs with the same inputs must agree on."""
    return {f.name: f.value for f in facts if f.kind == "computed"}
