"""Lecture 11's questions: right answers in several styles, and the library as their oracle."""

import math

import numpy as np
import pytest
import torch
from _homeworks import look_alike
from _judged import assert_right
from torch import tensor
from torch.testing import assert_close

from kdlab import condense
from kdlab.grading import check, find_question

IDS = tuple(f"KD11-E{n}" for n in range(1, 5))
NEXT_CENTER, MMD, PULL, DISTANCE = map(find_question, IDS)


def center_by_loop(points, taken):
    def gap(i):
        return min(math.dist(points[i].tolist(), points[k].tolist()) for k in taken.tolist())

    return max(range(len(points)), key=gap)


def center_in_numpy(points, taken):
    x = points.numpy()
    squares = ((x[:, None] - x[taken.numpy()][None]) ** 2).sum(-1)
    return squares.min(1).argmax()


def center_as_tensor(points, taken):
    nearest = torch.full((len(points),), torch.inf)
    for k in taken:
        nearest = torch.minimum(nearest, (points - points[k]).norm(dim=1))
    return nearest.argmax()


def mmd_by_weights(real_pairs, synthetic_pairs, mixed_pairs):
    """As one quadratic form, with 1/N for real and -1/M for synthetic points."""
    n, m = mixed_pairs.shape
    whole = torch.cat(
        [torch.cat([real_pairs, mixed_pairs], 1), torch.cat([mixed_pairs.T, synthetic_pairs], 1)]
    ).double()
    weights = torch.cat([torch.full((n,), 1 / n), torch.full((m,), -1 / m)]).double()
    return weights @ whole @ weights


def mmd_by_loop(real_pairs, synthetic_pairs, mixed_pairs):
    def average(table):
        return sum(map(sum, table.tolist())) / table.numel()

    return average(real_pairs) + average(synthetic_pairs) - 2 * average(mixed_pairs)


def pull_by_autograd(weight, real, synthetic):
    s = synthetic.clone().requires_grad_()
    condense.mean_embedding_distance(real @ weight.T, s @ weight.T).backward()
    return s.grad


def pull_in_numpy(weight, real, synthetic):
    w, x, s = (each.numpy().astype(np.float64) for each in (weight, real, synthetic))
    gap = (s @ w.T).mean(0) - (x @ w.T).mean(0)
    return np.tile(2 * gap @ w / len(s), (len(s), 1))


def pull_by_differences(weight, real, synthetic):
    """Central differences are exact for a square."""
    s, slopes = synthetic.double(), []

    def loss(moved):
        return condense.mean_embedding_distance(
            real.double() @ weight.T.double(), moved @ weight.T.double()
        )

    for place in range(s.numel()):
        step = torch.zeros(s.numel(), dtype=s.dtype)
        step[place] = 0.1
        step = step.view_as(s)
        slopes.append((loss(s + step) - loss(s - step)) / 0.2)
    return torch.stack(slopes).view_as(s)


def distance_by_loop(real, synthetic):
    total = 0.0
    for a, b in zip(real.tolist(), synthetic.tolist(), strict=True):
        inner = sum(x * y for x, y in zip(a, b, strict=True))
        total += 1 - inner / math.hypot(*a) / math.hypot(*b)
    return total


def distance_of_directions(real, synthetic):
    """Half the squared distance of unit rows."""
    a, b = (torch.nn.functional.normalize(each.double(), dim=1) for each in (real, synthetic))
    return (a - b).square().sum() / 2


STYLES = {
    "KD11-E1": (center_by_loop, center_in_numpy, center_as_tensor),
    "KD11-E2": (mmd_by_weights, mmd_by_loop),
    "KD11-E3": (pull_by_autograd, pull_in_numpy, pull_by_differences),
    "KD11-E4": (distance_by_loop, distance_of_directions),
}


@pytest.mark.parametrize(("id", "style"), [(id, fn) for id, fns in STYLES.items() for fn in fns])
def test_other_right_answers_are_right(id, style):
    assert_right(id, style)


@pytest.mark.parametrize("id", IDS)
def test_the_first_visible_case_tells_two_mistakes_apart(id):
    assert look_alike(find_question(id)) == []


def test_the_next_center_is_the_library_s():
    for seed in range(5):
        points = NEXT_CENTER.fresh_cases(seed)[0].inputs["points"]
        alone = torch.zeros(len(points), dtype=torch.int64)
        picked = condense.pick_k_center(points, alone, per_class=4)
        for count in (1, 2, 3):
            assert NEXT_CENTER.reference(points, picked[:count]) == picked[count]


def test_the_tables_give_the_library_s_distance():
    generator = torch.Generator().manual_seed(0)
    x, s = (torch.randn(n, 6, dtype=torch.float64, generator=generator) for n in (7, 4))
    found = MMD.reference(x @ x.T, s @ s.T, x @ s.T)
    assert_close(found, condense.mean_embedding_distance(x, s))


def test_the_pull_leaves_differences_between_synthetic_images():
    inputs = PULL.fresh_cases(0)[0].inputs
    slopes = PULL.reference(**inputs)
    assert_close(slopes, slopes[:1].expand_as(slopes), rtol=0, atol=0)


def test_the_angles_are_the_library_s():
    for seed in range(5):
        pair = DISTANCE.fresh_cases(seed)[0].inputs.values()
        found = condense.gradient_distance(*([each] for each in pair))
        assert_close(DISTANCE.reference(*pair), found, rtol=1e-4, atol=1e-5)


def farthest_by_mean(points, taken):
    means = torch.stack([(points - points[k]).norm(dim=1) for k in taken]).mean(0)
    means[taken] = 0
    return means.argmax()


def pull_alone(weight, real, synthetic):
    rows = [2 * weight.T @ (weight @ (s - real.mean(0))) / len(synthetic) for s in synthetic]
    return torch.stack(rows)


def whole_angle(real, synthetic):
    a, b = real.numpy().ravel(), synthetic.numpy().ravel()
    return 1 - a @ b / np.linalg.norm(a) / np.linalg.norm(b)


@pytest.mark.parametrize(
    ("id", "fn", "name"),
    [
        ("KD11-E1", farthest_by_mean, "far from the taken ones on average"),
        ("KD11-E2", lambda a, b, c: a.mean() + b.mean() - c.mean(), "mixed pairs once"),
        ("KD11-E3", pull_alone, "each image pulled by itself"),
        ("KD11-E4", whole_angle, "one angle for the whole layer"),
        ("KD11-E1", lambda points, taken: tensor(int(taken[0])), "a point that was taken"),
    ],
)
def test_a_mistake_written_otherwise_is_recognised(id, fn, name):
    assert check(id, fn).cause.startswith(f"{name}: ")
