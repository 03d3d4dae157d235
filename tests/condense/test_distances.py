"""Distances of sets: MMD by its definition, what class-blind matching misses, gradients."""

import pytest
import torch
import torch.nn.functional as F
from _refusals import check_refused
from _sets import CLASSES, SIDE, build, real_set, synthetic_set
from torch import nn
from torch.testing import assert_close

from kdlab import condense, models
from kdlab.condense.distances import class_means


def points(count, seed=0, values=(5,)):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(count, *values, generator=generator, dtype=torch.float64)


def by_kernel(x, y):
    """MMD^2 with k(a, b) = a . b, as Gretton et al. write it: three means over pairs."""

    def mean_kernel(first, second):
        return torch.stack([a @ b for a in first for b in second]).mean()

    x, y = x.flatten(1), y.flatten(1)
    return mean_kernel(x, x) + mean_kernel(y, y) - 2 * mean_kernel(x, y)


def check_mmd(distance):
    for values in ((5,), (2, 3)):
        x, y = points(7, 1, values), points(4, 2, values) + 1
        assert_close(distance(x, y), by_kernel(x, y))


def check_labels_are_seen(distance):
    """The same images with swapped labels: 0 to who is blind to classes."""
    x, targets = points(12), torch.arange(12) % CLASSES
    swapped = (targets + 1) % CLASSES
    assert_close(condense.mean_embedding_distance(x, x.flip(0)), torch.tensor(0.0).double())
    assert distance(x, targets, x, targets, classes=CLASSES) == 0
    assert distance(x, targets, x, swapped, classes=CLASSES) > 1


def check_sum_over_classes(distance):
    """Classes of unequal sizes, each counts alike; and every gradient is the definition's."""
    x, y = points(10), points(5, 3).requires_grad_()
    mine, theirs = torch.tensor([0] * 6 + [1] * 3 + [2]), torch.tensor([2, 1, 0, 0, 1])
    pairs = [(x[mine == c], y[theirs == c]) for c in range(CLASSES)]
    expected = torch.stack([by_kernel(*pair) for pair in pairs]).sum()
    found = distance(x, mine, y, theirs, classes=CLASSES)
    assert_close(found, expected)
    assert_close(torch.autograd.grad(found, y), torch.autograd.grad(expected, y))


@pytest.mark.parametrize("check", [check_labels_are_seen, check_sum_over_classes])
def test_class_embedding_distance(check):
    check(condense.class_embedding_distance)


def test_mean_embedding_distance_is_mmd():
    check_mmd(condense.mean_embedding_distance)


def blind(real, real_targets, synthetic, synthetic_targets, *, classes):
    return condense.mean_embedding_distance(real, synthetic)


def weighed(real, real_targets, synthetic, synthetic_targets, *, classes):
    """Sums over classes, but of means over the whole batch."""
    wanted = (
        class_means(real, real_targets, classes=classes) * torch.bincount(real_targets)[:, None]
    )
    own = class_means(synthetic, synthetic_targets, classes=classes)
    own = own * torch.bincount(synthetic_targets)[:, None]
    return (wanted / len(real) - own / len(synthetic)).square().sum()


@pytest.mark.parametrize(
    ("bug", "check"),
    [
        (lambda x, y: (x.mean(0) - y.mean(0)).norm(), check_mmd),
        (lambda x, y: (x.mean(0) - y.mean(0)).square().mean(), check_mmd),
        (lambda x, y: (x.sum(0) - y.sum(0)).square().sum(), check_mmd),
        (blind, check_labels_are_seen),
        (blind, check_sum_over_classes),
        (weighed, check_sum_over_classes),
    ],
)
def test_a_planted_distance_is_caught(bug, check):
    with pytest.raises(AssertionError):
        check(bug)


def test_a_class_that_neither_has_counts_nothing():
    x, y, first = points(4), points(2, 1), torch.zeros(4, dtype=torch.int64)
    found = condense.class_embedding_distance(x, first, y, first[:2], classes=5)
    assert_close(found, condense.mean_embedding_distance(x, y))


# ---- one batch instead of ten ----------------------------------------------------------------


def big_batch(count=2560):
    return torch.rand(count, 1, 28, 28, generator=torch.Generator().manual_seed(0))


def check_batches_dont_matter(network):
    images = big_batch()
    with torch.no_grad():
        whole = condense.embed(network, images, batch_size=2560)
        ten = torch.cat([condense.embed(network, part) for part in images.split(256)])
        assert_close(whole, ten, rtol=1e-4, atol=1e-5)
        assert_close(
            condense.embed(network, images[:7], batch_size=1), whole[:7], rtol=1e-4, atol=1e-5
        )


def test_one_batch_of_2560_equals_ten_of_256():
    check_batches_dont_matter(models.embedding_net((4, 4, 4)).train())


def test_under_batch_norm_it_would_not():
    with pytest.raises(AssertionError):
        check_batches_dont_matter(models.conv_net((4, 4)).train())


def test_embed_is_the_map_before_the_logits():
    images, _ = real_set(dtype=torch.float32)
    network = build(0)
    found = condense.embed(network, images)
    assert found.shape == (30, 4 * 2 * 2)
    assert_close(network.blocks["logits"](found), network(images))
    flat = condense.embed(models.mlp((SIDE**2, 6, CLASSES)), images)
    assert flat.shape == (30, 6)


# ---- gradients -------------------------------------------------------------------------------


def test_gradient_distance_by_hand():
    weight = torch.tensor([[3.0, 4.0], [1.0, 0.0]])
    other = torch.tensor([[6.0, 8.0], [0.0, 2.0]])
    # Equal directions, then a right angle; the bias doesn't count.
    found = condense.gradient_distance([weight, weight[0]], [other, -other[0]])
    assert_close(found, torch.tensor(1.0))
    assert_close(condense.gradient_distance([weight], [-weight]), torch.tensor(4.0))
    kernels = weight.view(2, 2, 1, 1), other.view(2, 2, 1, 1)
    assert_close(condense.gradient_distance(*([k] for k in kernels)), torch.tensor(1.0))


def slow_gradient_distance(network, images, targets, synthetic):
    """The definition: a loop over classes, parameters and output units."""
    total = 0.0
    for label in range(CLASSES):
        mine = synthetic.targets == label
        sides = [
            (images[targets == label], targets[targets == label]),
            (synthetic.images[mine], synthetic.targets[mine]),
        ]
        slopes = []
        for side, labels in sides:
            network.zero_grad()
            F.cross_entropy(network(side), labels).backward()
            slopes.append([p.grad.clone() for p in network.parameters()])
        for real, own in zip(*slopes, strict=True):
            for unit in range(len(real)) if real.ndim > 1 else ():
                a, b = real[unit].flatten(), own[unit].flatten()
                total += float(1 - a @ b / (a.norm() * b.norm() + 1e-6))
    return total


def test_class_gradient_distance_is_the_loop_and_its_gradient_is_the_slope():
    network, synthetic = build(0).double(), synthetic_set(2)
    images, targets = real_set()
    synthetic.images.requires_grad_()
    found = condense.class_gradient_distance(network, images, targets, synthetic)
    assert found.item() == pytest.approx(
        slow_gradient_distance(network, images, targets, synthetic)
    )
    (slope,) = torch.autograd.grad(found, synthetic.images)
    assert all(p.grad is None or p.requires_grad for p in network.parameters())
    direction = torch.randn(slope.shape, generator=torch.Generator().manual_seed(0)).double()
    ends = []
    for sign in (1, -1):
        moved = synthetic.copy()
        moved.images += sign * 1e-6 * direction
        ends.append(slow_gradient_distance(network, images, targets, moved))
    assert (slope * direction).sum().item() == pytest.approx((ends[0] - ends[1]) / 2e-6, rel=1e-4)


def test_equal_sets_pull_alike():
    images, targets = real_set()
    same = condense.take_real(images, targets, torch.arange(30), classes=CLASSES)
    found = condense.class_gradient_distance(build(0).double(), images, targets, same)
    # 1e-6 beside each norm is what is left.
    assert 0 <= found < 1e-2


@pytest.mark.usefixtures("unchecked_shapes")
@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: condense.mean_embedding_distance(points(3), points(3, values=(4,))),
            "synthetic must have 5 values an example, got 4",
        ),
        (
            lambda: condense.mean_embedding_distance(points(0), points(3)),
            "real must not be empty, got shape [0, 5]",
        ),
        (
            lambda: condense.class_embedding_distance(
                points(3), torch.tensor([0, 1, 2]), points(2), torch.tensor([0, 1]), classes=3
            ),
            "synthetic_targets must have the real ones' classes, [0, 1, 2], got [0, 1]",
        ),
        (
            lambda: condense.class_embedding_distance(
                points(2), torch.tensor([0, 3]), points(2), torch.tensor([0, 1]), classes=3
            ),
            "real_targets must be in [0, 3), got 0 to 3",
        ),
        (
            lambda: condense.class_embedding_distance(
                points(3), torch.tensor([0, 1]), points(2), torch.tensor([0, 1]), classes=3
            ),
            "lengths must be equal, got real 3 and real_targets 2",
        ),
        (
            lambda: condense.embed(build(0), big_batch(1), batch_size=0),
            "batch_size must be a whole number >= 1, got 0",
        ),
        (
            lambda: condense.gradient_distance([points(3)[0]], [points(3)[0]]),
            "real must have length >= 1, got []",
        ),
        (
            lambda: condense.gradient_distance([points(3)], []),
            "synthetic must have 1 gradients, got 0",
        ),
    ],
)
def test_bad_input_is_refused(call, message):
    check_refused(call, message)


def test_a_network_of_one_map_has_no_embedding():
    single = models.FeatureNet(logits=nn.Sequential(nn.Flatten(), nn.Linear(64, 3)))
    with pytest.raises(ValueError, match="maps must have length >= 2"):
        condense.embed(single, real_set(dtype=torch.float32)[0])
