"""Texts as terms: what the graph looks up and multiplies densely, taken apart for sparse arithmetic.

A graph of texts counts n-grams, weighs each block of them to length 1 and multiplies it with one matrix, of which a
text needs some hundred lines among tens of thousands. What follows the product stays a graph, unless it is no more than
an intercept, a temperature and a softmax.
"""

from __future__ import annotations

from typing import Any

from compagnon.stages.package.shortcut.reading import Reading, Unlike

PRODUCT = "/product"


def apart(reading: Reading) -> dict[str, Any]:
    """Column, blocks of terms, weights of shape (terms, columns of the product) and what follows; raises Unlike."""
    from onnx import TensorProto

    if len(reading.inputs) != 1:
        raise Unlike("not one text")
    normalized = [node.output[0] for node in reading.model.graph.node if node.op_type == "Normalizer"]
    blocks = [_block(reading, tensor) for tensor in normalized]
    if not blocks or {block.pop("column") for block in blocks} != set(reading.inputs):
        raise Unlike("blocks")
    features = normalized[0]
    if len(normalized) > 1:
        (joined,) = reading.takers(features)
        if joined.op_type != "Concat" or list(joined.input) != normalized:
            raise Unlike("blocks joined")
        features = joined.output[0]
    takers = reading.takers(features)
    if len(takers) != 1 or takers[0].op_type != "MatMul":
        raise Unlike("more than a product")
    product = takers[0].output[0]
    weights = reading.constant(takers[0].input[1])
    if weights.shape[0] != sum(len(block["idf"]) for block in blocks):
        raise Unlike("weights")
    found: dict[str, Any] = {"column": next(iter(reading.inputs)), "blocks": blocks, "weights": weights}
    try:
        found.update(_end(reading, product))
    except Unlike:
        found["graph"] = _after(reading, product, [(PRODUCT, TensorProto.FLOAT, ["rows", weights.shape[1]])])
    return found


def _block(reading: Reading, tensor: str) -> dict[str, Any]:
    (weighted,) = reading.made_by(tensor, "Normalizer")
    if reading.attributes(tensor).get("norm") != "L2":
        raise Unlike("norm")
    frequency, idf = reading.made_by(weighted, "Mul")
    logarithm, least = reading.made_by(frequency, "Add")
    (most,) = reading.made_by(logarithm, "Log")
    counts, one = reading.made_by(most, "Max")
    if reading.made_by(least, "Min")[0] != counts or reading.number(one) != 1.0:
        raise Unlike("frequency")
    (tokens,) = reading.made_by(counts, "TfIdfVectorizer")
    (column,) = reading.made_by(tokens, "Tokenizer")
    terms, sizes = reading.attributes(counts), reading.attributes(tokens)
    separators = sizes.get("separators")
    if terms.get("mode") != "TF" or terms.get("max_skip_count") != 0 or separators not in ([" "], [""]):
        raise Unlike("terms")
    by_words = separators == [" "]
    return {
        "column": column,
        "words": by_words,
        "low": int(terms["min_gram_length"]),
        "high": int(terms["max_gram_length"]),
        "terms": _terms(terms, " " if by_words else ""),
        "idf": reading.constant(idf).ravel(),
    }


def _terms(attributes: dict[str, Any], glue: str) -> list[str]:
    """Terms in the order of their features."""
    pool, starts = attributes["pool_strings"], list(attributes["ngram_counts"])
    found = []
    for size, start in enumerate(starts, 1):
        end = starts[size] if size < len(starts) else len(pool)
        found += [glue.join(pool[place : place + size]) for place in range(start, end, size)]
    ordered = [""] * len(found)
    for term, index in zip(found, attributes["ngram_indexes"], strict=True):
        ordered[index] = term
    if "" in ordered or any("\n" in term for term in ordered):
        raise Unlike("terms")
    if not glue and any(" " in term[1:-1] for term in ordered):
        raise Unlike("terms across words")
    return ordered


def _end(reading: Reading, product: str) -> dict[str, Any]:
    """Intercept and temperature, where nothing else follows."""
    output = reading.model.graph.output[0].name
    (softmax,) = reading.made_by(output, "Identity")
    (divided,) = reading.made_by(softmax, "Softmax")
    scores, heat = reading.made_by(divided, "Div")
    before, intercept = reading.made_by(scores, "Add")
    if before != product or reading.attributes(softmax).get("axis") != 1:
        raise Unlike("end")
    return {"intercept": reading.constant(intercept).ravel(), "temperature": reading.number(heat)}


def _after(reading: Reading, product: str, start: list[Any]) -> bytes:
    from onnx import helper

    return reading.rest(start, [helper.make_node("Identity", [PRODUCT], [product], name="/shortcut_product")], [])
