"""The losses on features against their definitions, written as loops in float64."""

import math
from functools import partial

import pytest
import torch
import torch.nn.functional as F
from _refusals import check_refused
from torch.testing import assert_close

from kdlab import losses

ONE_BLOCK = [losses.hint_loss, lambda s, t: losses.block_loss([s], [t])]
MAPS = [*ONE_BLOCK, losses.attention_transfer_loss]
MAPS += [partial(losses.attention_transfer_loss, power=p) for p in (1.0, 3.0)]


def draw(*shape, seed=0, dtype=torch.double):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def map_by_hand(example, power):
    """One example [channels, height, width] -> its places, as a list of length 1."""
    channels, height, width = example.shape
    energies = []
    for y in range(height):
        for x in range(width):
            energies.append(
                math.fsum(abs(float(example[c, y, x])) ** power for c in range(channels))
            )
    length = math.sqrt(math.fsum(e * e for e in energies))
    return [e / length for e in energies]


def attention_by_hand(student, teacher, power):
    distances = []
    for s, t in zip(student, teacher, strict=True):
        both = zip(map_by_hand(s, power), map_by_hand(t, power), strict=True)
        distances.append(math.fsum((a - b) ** 2 for a, b in both))
    return math.fsum(distances) / len(distances)


def test_a_hint_is_half_the_squared_distance():
    s, t = draw(4, 3, 2, 2), draw(4, 3, 2, 2, seed=1)
    by_hand = [
        math.fsum((float(a) - float(b)) ** 2 for a, b in zip(x.ravel(), y.ravel(), strict=True)) / 2
        for x, y in zip(s, t, strict=True)
    ]
    assert_close(losses.hint_loss(s, t).item(), math.fsum(by_hand) / 4)
    # Common code's mean over all values.
    assert_close(F.mse_loss(s, t), losses.hint_loss(s, t) * 2 / 12)


def test_a_hint_of_a_tiny_layer_by_hand():
    s, t = torch.tensor([[1.0, 2.0], [0.0, 0.0]]), torch.tensor([[0.0, 4.0], [3.0, 0.0]])
    assert losses.hint_loss(s, t).item() == (5 / 2 + 9 / 2) / 2


@pytest.mark.parametrize("power", [0.5, 1.0, 2.0, 3.0])
def test_attention_maps_and_their_distance_are_the_definition(power):
    s, t = draw(3, 4, 2, 5), draw(3, 6, 2, 5, seed=1)
    maps = losses.attention_map(s, power=power)
    assert maps.shape == (3, 2, 5)
    expected = torch.tensor([map_by_hand(one, power) for one in s], dtype=torch.double)
    assert_close(maps.flatten(1), expected)
    loss = losses.attention_transfer_loss(s, t, power=power)
    assert_close(loss.item(), attention_by_hand(s, t, power))
    # Common code: the mean over batch and places.
    other = losses.attention_map(t, power=power)
    assert_close(loss, 10 * F.mse_loss(maps, other))


def test_attention_of_a_tiny_map_by_hand():
    # Energies 1 + 4 = 5 and 0; the other one 0 and 9.
    s = torch.tensor([[[[1.0, 0.0]], [[-2.0, 0.0]]]])
    t = torch.tensor([[[[0.0, 3.0]]]])
    assert losses.attention_map(s).tolist() == [[[1.0, 0.0]]]
    assert losses.attention_transfer_loss(s, t).item() == 2.0


def test_attention_ignores_the_order_of_channels_and_the_scale():
    s, t = draw(3, 4, 3, 3), draw(3, 6, 3, 3, seed=1)
    expected = losses.attention_transfer_loss(s, t)
    assert_close(losses.attention_transfer_loss(7 * s[:, [2, 0, 3, 1]], t), expected)
    assert_close(losses.attention_transfer_loss(-s, 0.1 * t.flip(1)), expected)
    # But not the places: these are what it compares.
    assert abs(losses.attention_transfer_loss(s.flip(2), t) - expected) > 1e-3


def test_the_larger_map_is_averaged_down():
    small, large = draw(2, 3, 2, 2), draw(2, 5, 4, 4, seed=1)
    down = large.unflatten(3, (2, 2)).unflatten(2, (2, 2)).mean(dim=(3, 5))
    expected = losses.attention_transfer_loss(small, down)
    assert_close(losses.attention_transfer_loss(small, large), expected)
    assert_close(losses.attention_transfer_loss(large, small), expected)


def test_blocks_are_a_mean_over_blocks_of_means():
    s, t = [draw(2, 3), draw(2, 4, 2)], [draw(2, 3, seed=1), draw(2, 4, 2, seed=2)]
    means = [float((a - b).square().sum()) / a.numel() for a, b in zip(s, t, strict=True)]
    assert_close(losses.block_loss(s, t).item(), math.fsum(means) / 2)
    assert losses.block_loss([torch.ones(1, 2)], [torch.tensor([[2.0, 4.0]])]).item() == 5.0


@pytest.mark.parametrize("loss", MAPS)
def test_gradients_are_finite_differences_and_the_students_alone(loss):
    s, t = draw(3, 2, 2, 3).requires_grad_(), draw(3, 2, 2, 3, seed=1).requires_grad_()
    assert torch.autograd.gradcheck(lambda x: loss(x, t), (s,))
    loss(s, t).backward()
    assert t.grad is None and s.grad.abs().max() > 0


@pytest.mark.parametrize("loss", MAPS)
def test_zero_at_equality_and_for_one_example(loss):
    s, t = draw(4, 2, 3, 3), draw(4, 2, 3, 3, seed=1)
    assert loss(s, s).item() == 0
    ones = [loss(s[i : i + 1], t[i : i + 1]) for i in range(4)]
    assert_close(loss(s, t), torch.stack(ones).mean())


@pytest.mark.parametrize("loss", MAPS)
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_computed_in_float32(loss, dtype):
    s, t = 100 * draw(3, 2, 4, 4).to(dtype), 100 * draw(3, 2, 4, 4, seed=1).to(dtype)
    s.requires_grad_()
    value = loss(s, t)
    assert value.dtype == torch.float32
    assert_close(value, loss(s.float(), t.float()))
    value.backward()
    assert s.grad.dtype == dtype and s.grad.isfinite().all()


def test_a_silent_layer_gets_no_gradient_and_no_nan():
    s, t = draw(3, 2, 2, 2), draw(3, 2, 2, 2, seed=1)
    s[1] = 0
    s.requires_grad_()
    losses.attention_transfer_loss(s, t).backward()
    assert s.grad.isfinite().all() and s.grad.abs().max() < 10
    assert s.grad[1].abs().max() == 0 and s.grad[0].abs().max() > 0
    assert losses.attention_map(s.detach())[1].abs().max() == 0


@pytest.mark.parametrize(
    "name",
    [
        "attention_transfer_loss",
        "similarity_preserving_loss",
        "cosine_table_loss",
        "rkd_distance_loss",
        "rkd_angle_loss",
    ],
)
@pytest.mark.parametrize("examples", [slice(0, 1), slice(None)])
def test_a_student_that_diverged_is_seen(name, examples):
    s, t = draw(3, 2, 2, 2), draw(3, 2, 2, 2, seed=1)
    s[examples] = math.nan
    assert getattr(losses, name)(s, t).isnan()


@pytest.mark.usefixtures("unchecked_shapes")
@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: losses.hint_loss(torch.ones(2, 3), torch.ones(2, 4)),
            "shapes must be equal, got student_features [2, 3] and teacher_features [2, 4]",
        ),
        (
            lambda: losses.hint_loss(torch.ones(3), torch.ones(3)),
            "student_features must have shape [batch, ...], got [3]",
        ),
        (
            lambda: losses.hint_loss(torch.ones(0, 3), torch.ones(0, 3)),
            "student_features must not be empty, got shape [0, 3]",
        ),
        (
            lambda: losses.attention_map(torch.ones(2, 3, 4)),
            "features must have shape [batch, channels, height, width], got [2, 3, 4]",
        ),
        (
            lambda: losses.attention_map(torch.ones(1, 1, 2, 2), power=0.0),
            "power must be > 0, got 0.0",
        ),
        (
            lambda: losses.attention_transfer_loss(torch.ones(2, 1, 2, 2), torch.ones(3, 1, 2, 2)),
            "lengths must be equal, got student_features 2 and teacher_features 3",
        ),
        (
            lambda: losses.attention_map(torch.ones(1, 1, 2, 2).long()),
            "features must be floating point, got torch.int64",
        ),
        (
            lambda: losses.block_loss([], []),
            "student_outputs and teacher_outputs must be equally many, got 0 and 0",
        ),
        (
            lambda: losses.block_loss([torch.ones(1, 2)], []),
            "student_outputs and teacher_outputs must be equally many, got 1 and 0",
        ),
        (
            lambda: losses.block_loss([torch.ones(1, 2)] * 2, [torch.ones(1, 2), torch.ones(1, 3)]),
            "shapes must be equal, got student_outputs[1] [1, 2] and teacher_outputs[1] [1, 3]",
        ),
    ],
)
def test_bad_input(call, message):
    check_refused(call, message)
