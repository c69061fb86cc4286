"""What learners asked is told of five or more of them only."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from compagnon.services.tutor.asked import SMALLEST, groups


@given(st.dictionaries(st.text(max_size=5), st.lists(st.sampled_from("abcdefgh"), max_size=30), max_size=10))
def test_no_group_of_fewer_learners(found: dict[str, list[str]]) -> None:
    told = {group.name: group for group in groups(found.items())}
    for name, owners in found.items():
        assert (name in told) == (len(set(owners)) >= SMALLEST)
    assert all(group.questions >= group.learners >= SMALLEST for group in told.values())


def test_one_learner_who_asks_often_is_no_group() -> None:
    assert groups([("cnn", ["one"] * 50)]) == ()
