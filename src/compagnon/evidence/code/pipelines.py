"""Pieces of the training scripts: what is the same for all, the views, and each family in plain scikit-learn."""

from __future__ import annotations

HEAD = '''"""Étape 3 : entraîner {name} (famille retenue : {family}). Mêmes partage, plis et graine que l'exécution."""

import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(variable, "1")  # les sommes se font toujours dans le même ordre

import warnings
from pathlib import Path

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq
import scipy.sparse as sp
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import accuracy_score, balanced_accuracy_score, f1_score, roc_auc_score

from helpers import split, temperature
from helpers.inputs import Input, feeds_of_table

warnings.simplefilter("ignore", ConvergenceWarning)  # assez près : les plis jugent le résultat

HERE = Path(__file__).resolve().parent
TABLE = {table}
TEST_TABLE = {test_table}  # une table à part...
TEST_SHARE = {test_share}  # ...ou une part des lignes
INPUTS = {inputs}
TARGET = {target}
GROUP = {group}  # les lignes d'un même groupe restent du même côté
FOLDS, SEED = {folds}, {seed}
FAMILY, PARAMS = {family!r}, {params}
METRIC = {metric}
RUN = {facts}  # ce que l'exécution a mesuré

inputs = [Input(name, kind) for name, kind in INPUTS.items()]


def read(table):
    """Les lignes utiles d'une table (une cible, au moins une entrée), dans l'ordre de row_id."""
    rows = pq.read_table(HERE / "tables" / (table + ".parquet")).sort_by("row_id")
    labels = rows.column(TARGET).to_pylist()
    labels = [str(v).lower() if isinstance(v, bool) else None if v in (None, "") else str(v) for v in labels]
    usable = np.zeros(rows.num_rows, dtype=bool)
    for name, kind in INPUTS.items():
        present = pc.is_valid(rows.column(name)).to_numpy(zero_copy_only=False)
        if kind == "text":
            trimmed = pc.utf8_trim_whitespace(pc.fill_null(pc.cast(rows.column(name), "string"), ""))
            present = present & pc.not_equal(trimmed, "").to_numpy(zero_copy_only=False)
        usable |= present
    usable &= np.array([label is not None for label in labels])
    groups = rows.column(GROUP).to_pylist() if GROUP and GROUP in rows.column_names else None
    kept = np.flatnonzero(usable)
    return rows.take(kept), [labels[i] for i in kept], [groups[i] for i in kept] if groups else None


# --- Le partage : une partie de test qui ne choisit rien, et des plis pour choisir

rows, labels, groups = read(TABLE)
classes = sorted(set(labels))
codes = np.array([classes.index(label) for label in labels])
groups = split.group_codes(groups) if groups is not None else None
if TEST_TABLE:
    test_rows, test_labels, _ = read(TEST_TABLE)
    every = [*classes, *sorted(set(test_labels) - set(classes))]
    test_codes = np.array([every.index(label) for label in test_labels])
else:
    held = split.test_part(codes, groups, TEST_SHARE, SEED)
    kept = np.setdiff1d(np.arange(len(codes)), held)
    test_rows, test_codes = rows.take(held), codes[held]
    rows, codes, groups = rows.take(kept), codes[kept], groups[kept] if groups is not None else None
folds, _rare = split.folds(codes, groups, FOLDS, SEED)
# Ce que voit le modèle : le texte sans casse ni accents, les nombres en float32 (helpers/inputs.py).
seen, test_seen = feeds_of_table(inputs, rows), feeds_of_table(inputs, test_rows)
'''

TEXT_VIEW = """
# --- Les caractéristiques : TF-IDF des mots, et des suites de lettres dans les mots (une faute en garde la plupart)

from sklearn.feature_extraction.text import TfidfVectorizer


class View:
    def __init__(self, feeds):
        self.column = next(iter(INPUTS))
        shared = {"lowercase": False, "sublinear_tf": True}
        blocks = []
        if words := WORDS:
            blocks.append(
                TfidfVectorizer(analyzer="word", ngram_range=words, min_df=WORDS_FROM, token_pattern=r"[^ ]+", **shared)
            )
        if chars := CHARS:
            blocks.append(TfidfVectorizer(analyzer="char_wb", ngram_range=chars, min_df=CHARS_FROM, **shared))
        self.blocks = []
        for block in blocks:
            try:
                self.blocks.append(block.fit(feeds[self.column]))
            except ValueError:  # tous les termes sont trop rares : l'autre bloc peut servir
                continue

    def transform(self, feeds):
        return sp.hstack([block.transform(feeds[self.column]) for block in self.blocks], format="csr")
"""

TABLE_VIEW = """
# --- Les caractéristiques : nombres centrés et réduits, une colonne par catégorie fréquente (helpers/columns.py)

from helpers.columns import TableView


class View:
    def __init__(self, feeds):
        self.fitted = TableView(scaled=True).fit(inputs, feeds)

    def transform(self, feeds):
        return self.fitted.transform(feeds)
"""

NOTHING = '''
class View:
    """Le témoin ne regarde rien."""

    def __init__(self, feeds):
        self.column = next(iter(INPUTS))

    def transform(self, feeds):
        return np.zeros((len(feeds[self.column]), 0))
'''

_LEARN = """
# --- Le modèle : learn rend une fonction qui donne un score par classe, le plus grand l'emporte

"""

_DECISION = '''
def both(scores):
    """Un score par classe ; avec deux classes, scikit-learn n'en donne qu'un, celui de la seconde."""
    return np.stack([np.zeros_like(scores), scores], axis=1) if scores.ndim == 1 else scores
'''

_DUMMY = (
    _LEARN
    + """
def learn(features, codes):
    shares = np.log(np.bincount(codes) / len(codes))
    return lambda rows: np.tile(shares, (rows.shape[0], 1))
"""
)

_NAIVE_BAYES_TEXT = (
    _LEARN
    + """
from sklearn.naive_bayes import ComplementNB


def learn(features, codes):
    weights = ComplementNB(alpha=PARAMS["alpha"]).fit(features, codes).feature_log_prob_
    weights = np.ascontiguousarray((weights - weights.mean(axis=0)).T)
    return lambda rows: np.asarray(rows @ weights)
"""
)

_NAIVE_BAYES_TABLE = (
    _LEARN
    + """
from sklearn.naive_bayes import GaussianNB


def learn(features, codes):
    model = GaussianNB(var_smoothing=1e-2).fit(features.astype(np.float64), codes)
    return lambda rows: model.predict_joint_log_proba(rows.astype(np.float64))
"""
)

_LINEAR_TEXT = (
    _LEARN
    + """
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier

"""
    + _DECISION
    + """

def learn(features, codes):
    weight = "balanced" if PARAMS["balanced"] else None
    one = LogisticRegression(C=PARAMS["C"], class_weight=weight, solver="liblinear", random_state=SEED)
    if codes.max() == 1:
        model = one.fit(features, codes)
        return lambda rows: both(model.decision_function(rows))
    models = OneVsRestClassifier(one).fit(features, codes).estimators_
    return lambda rows: np.stack([model.decision_function(rows) for model in models], axis=1)
"""
)

_LINEAR_TABLE = (
    _LEARN
    + """
from sklearn.linear_model import LogisticRegression

"""
    + _DECISION
    + """

def learn(features, codes):
    weight = "balanced" if PARAMS["balanced"] else None
    model = LogisticRegression(C=PARAMS["C"], class_weight=weight, max_iter=300)
    model.fit(features.astype(np.float64), codes)
    return lambda rows: both(model.decision_function(rows.astype(np.float64)))
"""
)

_SVM = (
    _LEARN
    + """
from sklearn.svm import LinearSVC

"""
    + _DECISION
    + """

def learn(features, codes):
    weight = "balanced" if PARAMS["balanced"] else None
    model = LinearSVC(C=PARAMS["C"], class_weight=weight, dual=PARAMS["dual"], random_state=SEED)
    model.fit(features, codes)
    return lambda rows: both(model.decision_function(rows))
"""
)

_BLEND = (
    _LEARN
    + '''
from sklearn.naive_bayes import ComplementNB
from sklearn.svm import LinearSVC


def standardized(weights, intercept, features):
    """Scores de moyenne 0 par ligne et d'écart type 1 sur les lignes apprises."""
    weights, intercept = weights - weights.mean(axis=1, keepdims=True), intercept - intercept.mean()
    deviation = np.asarray(features @ weights + intercept).std() or 1.0
    return weights / deviation, intercept / deviation


def learn(features, codes):
    counts = ComplementNB(alpha=PARAMS["alpha"]).fit(features, codes).feature_log_prob_
    counts = np.ascontiguousarray((counts - counts.mean(axis=0)).T)
    machine = LinearSVC(C=PARAMS["C"], dual=True, random_state=SEED).fit(features, codes)
    coefficients, intercept = machine.coef_, machine.intercept_
    if len(coefficients) == 1:  # deux classes : scikit-learn ne garde que la seconde
        coefficients = np.concatenate([np.zeros_like(coefficients), coefficients])
        intercept = np.concatenate([np.zeros_like(intercept), intercept])
    first = standardized(counts, np.zeros(counts.shape[1]), features)
    second = standardized(np.ascontiguousarray(coefficients.T), intercept, features)
    share = PARAMS["share"]
    weights, intercept = (share * one + (1 - share) * other for one, other in zip(first, second))
    return lambda rows: np.asarray(rows @ weights + intercept)
'''
)

LEARN: dict[tuple[str, bool], str] = {
    ("dummy", True): _DUMMY,
    ("dummy", False): _DUMMY,
    ("naive_bayes", True): _NAIVE_BAYES_TEXT,
    ("naive_bayes", False): _NAIVE_BAYES_TABLE,
    ("linear", True): _LINEAR_TEXT,
    ("linear", False): _LINEAR_TABLE,
    ("svm", True): _SVM,
    ("svm", False): _SVM,
    ("blend", True): _BLEND,
}
"""Code of each family, on text or on columns."""


MEASURE = '''
def scores_of(features, codes, others):
    """Apprend, puis note d'autres lignes ; une classe absente de ce pli passe après toutes les autres."""
    present = np.unique(codes)
    if len(present) == len(classes):
        return learn(features, codes)(others)
    if len(present) == 1:
        found = np.zeros((others.shape[0], 1))
    else:
        found = learn(features, np.searchsorted(present, codes))(others)
    scores = np.full((others.shape[0], len(classes)), found.min(initial=0.0) - 10.0)
    scores[:, present] = found
    return scores


def measures(true, probabilities):
    guess = probabilities.argmax(axis=1)
    inside = true < probabilities.shape[1]
    areas = [
        roc_auc_score(true[inside] == code, probabilities[inside, code])
        for code in ([1] if len(classes) == 2 else range(len(classes)))
        if 0 < (true[inside] == code).sum() < inside.sum()
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # une classe devinée qui n'est pas dans les vraies
        balanced = balanced_accuracy_score(true, guess)
    return {
        "macro_f1": f1_score(true, guess, average="macro", zero_division=0),
        "accuracy": accuracy_score(true, guess),
        "balanced_accuracy": balanced,
        "roc_auc": sum(areas) / len(areas) if areas else None,
    }


# --- Les plis : chaque ligne est notée par un modèle qui ne l'a pas vue

on_folds = []
for train, validate in folds:
    one, other = ({name: values[part] for name, values in seen.items()} for part in (train, validate))
    view = View(one)
    on_folds.append((codes[validate], scores_of(view.transform(one), codes[train], view.transform(other))))
# La température rend les probabilités justes : elle est ajustée sur les plis, et ne change aucune réponse.
heat = 1.0
if FAMILY != "dummy":
    heat = temperature.fit(np.concatenate([s for _, s in on_folds]), np.concatenate([t for t, _ in on_folds]))
found = {
    "macro_f1_cv": float(np.mean([measures(t, temperature.softmax(s, heat))["macro_f1"] for t, s in on_folds]))
}

# --- Le modèle appris sur toutes les lignes, et la partie de test

view = View(seen)
model = learn(view.transform(seen), codes)
probabilities = temperature.softmax(model(view.transform(test_seen)), heat)
found |= measures(test_codes, probabilities)
print(len(codes), "lignes apprises,", len(test_codes), "lignes de test,", len(classes), "classes, température", heat)
for name, value in found.items():
    if value is not None:
        again = f"  (exécution : {RUN[name]:.6f})" if name in RUN else ""
        print(f"{name} = {value:.6f}{again}")
'''
