"""What may be kept of a row: texts masked, columns that must not leave the raw zone left out."""

from __future__ import annotations

from compagnon.operate.monitor.masking import mask_row
from compagnon.solution import kinds
from compagnon.spec.model import Spec

SPEC = {
    "version": 1,
    "name": "x",
    "sources": {"s": {"kind": "file", "path": "a.csv"}},
    "tables": {
        "t": {
            "from": {"s": {"text": "T", "who": "W", "mail": "M", "age": "A", "y": "Y"}},
            "columns": {
                "text": {"type": "text"},
                "who": {"type": "text", "personal": "name"},
                "mail": {"type": "text", "personal": "email"},
                "age": {"type": "integer"},
                "y": {"type": "category"},
            },
        }
    },
    "models": {
        "m": {
            "task": "tabular-classification",
            "table": "t",
            "input": ["text", "who", "mail", "age"],
            "target": "y",
            "estimators": [{"kind": "dummy"}],
        }
    },
}


def spec() -> Spec:
    return kinds().model_validate(SPEC)


def test_texts_are_masked_and_names_left_out() -> None:
    row = {"text": "écrire à a.b@example.org", "who": "Jeanne", "mail": "a.b@example.org", "age": 3}
    assert mask_row(spec(), "m", row) == {"text": "écrire à [courriel]", "age": 3}


def test_a_model_that_is_gone_still_masks() -> None:
    assert mask_row(spec(), "gone", {"text": "06 12 34 56 78", "on": True, "none": None}) == {
        "text": "[téléphone]",
        "on": True,
        "none": None,
    }
