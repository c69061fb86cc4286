"""What every embedder keeps: a row of length 1 for each text, the same each time, under a name for its model."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from asking import CANARY

from compagnon.chain import plugins
from compagnon.chain.secrets import Secrets
from compagnon.chain.workspace import Workspace
from compagnon.errors import UserError
from compagnon.providers.embedder import Embedder, open_embedder
from compagnon.sandbox.mistral import Emulator

NAMES = sorted(plugins.available("embedders"))
TEXTS = ["réseau convolutif", "descente de gradient", "réseau convolutif", ""]


def model_folder(folder: Path) -> dict[str, str]:
    """Write a tiny model that gives each word a direction of its own; returns the digests of its files."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper
    from tokenizers import Tokenizer, models, pre_tokenizers

    folder.mkdir(parents=True)
    known = {"[PAD]": 0, "[UNK]": 1, "réseau": 2, "convolutif": 3, "descente": 4, "de": 5, "gradient": 6}
    tokenizer = Tokenizer(models.WordLevel(known, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.save(str(folder / "tokenizer.json"))
    table = numpy_helper.from_array(np.eye(8, dtype=np.float32), "table")
    ids = [helper.make_tensor_value_info(n, TensorProto.INT64, ["b", "t"]) for n in ("input_ids", "attention_mask")]
    out = helper.make_tensor_value_info("states", TensorProto.FLOAT, ["b", "t", 8])
    graph = helper.make_graph(
        [helper.make_node("Gather", ["table", "input_ids"], ["states"])], "g", ids, [out], [table]
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(made, str(folder / "model.onnx"))
    return {
        f"{name.partition('.')[0]}_sha256": hashlib.sha256((folder / name).read_bytes()).hexdigest()
        for name in ("model.onnx", "tokenizer.json")
    }


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    with Emulator(script="echo") as running:
        yield running


@pytest.fixture(params=NAMES)
def options(request: pytest.FixtureRequest, tmp_path: Path, emulator: Emulator) -> Any:
    own: dict[str, Any] = {
        "light": dict,
        "folder": lambda: {"path": "model", **model_folder(tmp_path / "model")},
        "mistral": lambda: {"url": emulator.url},
    }[request.param]()
    return plugins.load("embedders")[request.param].Options(kind=request.param, **own)


def opened(options: Any, root: Path) -> Embedder:
    return open_embedder(options, root, Secrets(Workspace(root), {"MISTRAL_API_KEY": CANARY}))


def test_vectors_have_length_one_and_are_the_same_each_time(options: Any, tmp_path: Path) -> None:
    embedder = opened(options, tmp_path)
    rows = embedder.passages(TEXTS)
    assert rows.dtype == np.float32
    assert rows.shape[0] == len(TEXTS)
    np.testing.assert_allclose(np.linalg.norm(rows[:3], axis=1), 1, atol=1e-4)
    np.testing.assert_allclose(rows[0], rows[2], atol=1e-6)
    assert np.isfinite(rows).all()
    assert abs(float(rows[0] @ rows[1])) < 0.99
    question = embedder.questions(["réseau convolutif"])
    assert question.shape == (1, rows.shape[1])
    assert float(question[0] @ rows[0]) > float(question[0] @ rows[1])


def test_no_text_gives_no_row(options: Any, tmp_path: Path) -> None:
    assert len(opened(options, tmp_path).passages([])) == 0


def test_the_identity_is_a_name_for_a_file(options: Any, tmp_path: Path) -> None:
    identity = opened(options, tmp_path).identity
    assert identity == opened(options, tmp_path).identity
    assert all(character.isalnum() or character in "-." for character in identity)


def test_an_altered_file_is_refused(tmp_path: Path) -> None:
    own = model_folder(tmp_path / "model")
    (tmp_path / "model" / "model.onnx").write_bytes(b"x")
    made = plugins.load("embedders")["folder"].Options(kind="folder", path="model", **own)
    with pytest.raises(UserError) as caught:
        opened(made, tmp_path).passages(["x"])
    assert caught.value.code == "embedder.altered"
    (tmp_path / "model" / "model.onnx").unlink()
    with pytest.raises(UserError) as caught:
        opened(made, tmp_path).passages(["x"])
    assert caught.value.code == "embedder.no-file"


def test_the_light_model_is_pinned(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from compagnon.providers import embed_light

    monkeypatch.setitem(embed_light.FILES, "sp.model", "0" * 64)
    with pytest.raises(UserError) as caught:
        opened(embed_light.LightOptions(kind="light"), tmp_path).questions(["x"])
    assert caught.value.code == "embedder.altered"


def test_a_declared_file_that_is_no_model_is_refused(tmp_path: Path) -> None:
    model_folder(tmp_path / "model")
    for name in ("model.onnx", "tokenizer.json"):
        (tmp_path / "model" / name).write_text(json.dumps({"no": "model"}), encoding="utf-8")
    digest = hashlib.sha256(b'{"no": "model"}').hexdigest()
    made = plugins.load("embedders")["folder"].Options(
        kind="folder", path="model", model_sha256=digest, tokenizer_sha256=digest
    )
    with pytest.raises(UserError) as caught:
        opened(made, tmp_path).passages(["x"])
    assert caught.value.code == "embedder.unfit"
    made = plugins.load("embedders")["folder"].Options(
        kind="folder", path="../model", model_sha256=digest, tokenizer_sha256=digest
    )
    with pytest.raises(UserError) as caught:
        opened(made, tmp_path / "inner")
    assert caught.value.code == "embedder.outside"


@pytest.mark.parametrize("fault", ["unauthorized", "failed", "overloaded"])
def test_a_service_that_fails_is_named_without_its_key(tmp_path: Path, fault: str) -> None:
    with Emulator(script="echo") as failing:
        made = plugins.load("embedders")["mistral"].Options(kind="mistral", url=failing.url, wait="5 s")
        embedder = opened(made, tmp_path)
        failing.faults.append(fault)
        with pytest.raises(UserError) as caught:
            embedder.questions(["bonjour"])
    assert caught.value.code == "embedder.down"
    assert CANARY not in str(caught.value)


def test_a_missing_key_says_what_to_do(tmp_path: Path) -> None:
    made = plugins.load("embedders")["mistral"].Options(kind="mistral")
    with pytest.raises(UserError, match="MISTRAL_API_KEY") as caught:
        open_embedder(made, tmp_path, Secrets(Workspace(tmp_path), {}))
    assert caught.value.code == "embedder.no-key"
