"""Parting rows into training, test and folds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from compagnon.stages.train import split

TARGET = np.array([0, 1, 2, 1] * 25)


def test_groups_are_numbered_by_first_appearance_whatever_they_are_called() -> None:
    assert split.group_codes(["x", "y", None, "x", None]).tolist() == [0, 1, 2, 0, 3]
    assert split.group_codes(["q", "b", None, "q", None]).tolist() == [0, 1, 2, 0, 3]


@pytest.mark.parametrize("share", [0.1, 0.2, 0.5])
def test_test_part_takes_its_share_of_each_class(share: float) -> None:
    held = split.test_part(TARGET, None, share, 1)
    for code in range(3):
        assert (TARGET[held] == code).sum() == round(share * int(np.count_nonzero(code == TARGET)))


def test_the_seed_decides() -> None:
    assert split.test_part(TARGET, None, 0.2, 1).tolist() == split.test_part(TARGET, None, 0.2, 1).tolist()
    assert split.test_part(TARGET, None, 0.2, 1).tolist() != split.test_part(TARGET, None, 0.2, 2).tolist()


@given(st.lists(st.integers(0, 30), min_size=60, max_size=120), st.integers(0, 5))
def test_no_group_is_on_both_sides(names: list[int], seed: int) -> None:
    groups = split.group_codes(list(names))
    target = np.arange(len(names)) % 2
    held = split.test_part(target, groups, 0.3, seed)
    assert not set(groups[held]) & set(np.delete(groups, held))


def test_groups_come_near_the_share() -> None:
    groups = np.repeat(np.arange(25), 4)
    held = split.test_part(TARGET, groups, 0.2, 1)
    assert len(held) == 20


def test_folds_hold_each_row_once_and_stratify() -> None:
    found, rare = split.folds(TARGET, None, 5, 1)
    assert not len(rare)
    assert sorted(np.concatenate([held for _train, held in found]).tolist()) == list(range(100))
    for train, held in found:
        assert not set(train) & set(held)
        assert np.bincount(TARGET[held]).tolist() == [5, 10, 5]


def test_a_class_rarer_than_the_folds_is_learned_and_never_validated() -> None:
    target = np.append(TARGET, [3, 3])
    found, rare = split.folds(target, None, 5, 1)
    assert rare.tolist() == [3]
    for train, held in found:
        assert 3 not in target[held]
        assert (target[train] == 3).sum() == 2


def test_grouped_folds_keep_groups_whole() -> None:
    groups = np.repeat(np.arange(25), 4)
    found, _rare = split.folds(TARGET, groups, 5, 1)
    for train, held in found:
        assert not set(groups[train]) & set(groups[held])
