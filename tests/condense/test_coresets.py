"""Coresets against their definitions, step by step."""

from functools import partial

import pytest
import torch
from _refusals import check_refused

from kdlab.condense import pick_herding, pick_k_center, pick_random


def clouds(examples=60, values=(2,), seed=0):
    generator = torch.Generator().manual_seed(seed)
    targets = torch.randint(3, (examples,), generator=generator)
    return torch.randn(examples, *values, generator=generator).double() + targets[0], targets


def check_herding(pick):
    """Every step, by trying all that are left."""
    points, targets = clouds()
    expected = []
    for label in range(3):
        members, taken = (targets == label).nonzero().flatten().tolist(), []
        mean = points[members].mean(dim=0)
        for _ in range(4):
            left = [i for i in members if i not in taken]
            far = [(mean - points[[*taken, i]].mean(dim=0)).norm() for i in left]
            taken.append(left[int(torch.stack(far).argmin())])
        expected += taken
    assert pick(points, targets, per_class=4).tolist() == expected


def check_k_center(pick):
    """The nearest to the mean, then always the one with the farthest nearest centre."""
    points, targets = clouds()
    expected = []
    for label in range(3):
        members = (targets == label).nonzero().flatten().tolist()
        mean = points[members].mean(dim=0)
        taken = [min(members, key=lambda i: (points[i] - mean).norm())]
        for _ in range(3):
            taken.append(
                max(members, key=lambda i: min((points[i] - points[j]).norm() for j in taken))
            )
        expected += taken
    assert pick(points, targets, per_class=4).tolist() == expected


def nearest_to_mean(points, targets, *, per_class):
    """What herding would be without the sum of those taken."""
    picked = []
    for label in targets.unique():
        members = (targets == label).nonzero().flatten()
        far = (points[members] - points[members].mean(dim=0)).norm(dim=1)
        picked.append(members[far.argsort()[:per_class]])
    return torch.cat(picked)


def test_herding_by_its_definition():
    check_herding(pick_herding)


def test_k_center_by_its_definition():
    check_k_center(pick_k_center)


@pytest.mark.parametrize("bug", [nearest_to_mean, pick_k_center])
def test_a_planted_herding_is_caught(bug):
    with pytest.raises(AssertionError):
        check_herding(bug)


@pytest.mark.parametrize("bug", [nearest_to_mean, pick_herding])
def test_a_planted_k_center_is_caught(bug):
    with pytest.raises(AssertionError):
        check_k_center(bug)


@pytest.mark.parametrize("pick", [pick_herding, pick_k_center])
def test_maps_are_read_flat_and_equal_points_are_taken_once(pick):
    points, targets = clouds(values=(2, 3))
    flat = pick(points.flatten(1), targets, per_class=3)
    assert torch.equal(pick(points, targets, per_class=3), flat)
    same = pick(torch.zeros(6, 2), torch.zeros(6, dtype=torch.int64), per_class=6)
    assert sorted(same.tolist()) == list(range(6))


def test_random_ones_are_of_their_class_and_follow_the_seed():
    _, targets = clouds()
    before = torch.get_rng_state()
    first, again, other = (pick_random(targets, per_class=5, seed=s) for s in (1, 1, 2))
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(first, again) and not torch.equal(first, other)
    assert targets[first].tolist() == [0] * 5 + [1] * 5 + [2] * 5
    assert len(set(first.tolist())) == 15


def test_random_ones_are_uniform():
    targets = torch.zeros(4, dtype=torch.int64)
    counts = torch.zeros(4)
    for seed in range(400):
        counts[pick_random(targets, per_class=1, seed=seed)] += 1
    assert (counts - 100).abs().max() < 35


@pytest.mark.usefixtures("unchecked_shapes")
@pytest.mark.parametrize("pick", [pick_herding, pick_k_center, None])
def test_bad_input_is_refused(pick):
    points, targets = clouds()
    call = partial(pick, points, targets) if pick else partial(pick_random, targets)
    check_refused(lambda: call(per_class=0), "per_class must be a whole number >= 1, got 0")
    fewest = int(torch.bincount(targets).min())
    label = int(torch.bincount(targets).argmin())
    found = f"got {fewest} examples of class {label}"
    with pytest.raises(
        ValueError, match=rf"^targets must have {fewest + 1} of every class, {found}"
    ):
        call(per_class=fewest + 1)
    if pick:
        message = "lengths must be equal, got embeddings 60 and targets 3"
        check_refused(lambda: pick(points, targets[:3], per_class=1), message)
