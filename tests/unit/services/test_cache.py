"""Answers kept by content: as many as declared, the oldest asked for leaves, nothing asked can be read back."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from compagnon.services.model_api.cache import Cache

value = st.one_of(st.none(), st.booleans(), st.integers(-9, 9), st.floats(-9, 9), st.text(max_size=3))


@given(st.lists(st.lists(st.tuples(value, value), max_size=6), max_size=8), st.integers(1, 4))
def test_answers_are_those_of_the_model_and_memory_is_bounded(
    requests: list[list[tuple[object, object]]], size: int
) -> None:
    cache: Cache[str] = Cache(size)
    asked = 0

    def compute(rows: object) -> list[str]:
        nonlocal asked
        found = [said(row) for row in rows]  # type: ignore[attr-defined]
        asked += len(found)
        return found

    def said(row: object) -> str:
        return repr([float(one) if type(one) is int else one for one in row])  # type: ignore[attr-defined]

    for rows in requests:
        assert cache.answers(rows, rows, compute) == [said(row) for row in rows]
        assert len(cache) <= size
    assert cache.misses == asked
    assert cache.hits + cache.misses <= sum(map(len, requests))


def test_a_truth_value_is_no_number_and_a_whole_number_is_one() -> None:
    cache: Cache[str] = Cache(10)
    rows = [(1,), (1.0,), (True,), ("1",), (None,)]
    cache.answers(rows, rows, lambda new: [str(row) for row in new])
    assert len(cache) == 4


def test_what_was_asked_is_not_in_memory() -> None:
    cache: Cache[str] = Cache(10)
    cache.answers([("jeanne.dupont",)], [("jeanne.dupont",)], lambda rows: ["x"])
    assert "jeanne" not in repr(vars(cache))
