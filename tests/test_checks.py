"""Every check: what passes, and the exact sentence for what does not."""

import math
from functools import partial

import numpy as np
import pytest
import torch
from _refusals import check_refused

from kdlab import _checks as checks

pytestmark = pytest.mark.usefixtures("unchecked_shapes")

Z = torch.zeros(2, 3)
Y = torch.tensor([0, 2])
PICTURES = torch.zeros(2, 3, 4, 4, dtype=torch.long)
MAPS = "[batch, channels, height, width]"
SHAPE = "[examples, 1 or 3 channels, height, width]"


@pytest.mark.parametrize("value", [1, 1e-30, 0.5, np.float32(2), torch.tensor(3.0)])
def test_positive_numbers_pass(value):
    checks.check_positive(temperature=value)


@pytest.mark.parametrize("value", [1, 1e-9, 1e9, np.float32(2), torch.tensor(3.0)])
def test_temperatures_pass(value):
    checks.check_temperature(temperature=value)


@pytest.mark.parametrize("value", [0, 0.0, 1e-30, 7, np.float32(2), torch.tensor(3.0)])
def test_numbers_that_are_not_negative_pass(value):
    checks.check_not_negative(decay=value)


@pytest.mark.parametrize("value", [0, 1, 0.5, np.float64(1)])
def test_fractions_pass(value):
    checks.check_fraction(lambda_=value)


@pytest.mark.parametrize("value", [1, 7, np.int64(7), torch.tensor(7)])
def test_counts_pass(value):
    checks.check_count(epochs=value)


def test_zero_is_a_count_where_the_minimum_is_zero():
    checks.check_count(0, shift=0)


def test_well_formed_tensors_pass():
    checks.check_logits(student_logits=Z, teacher_logits=Z.bfloat16())
    checks.check_features(student_features=Z, maps=Z[None].half())
    checks.check_features(4, maps=Z[None, None])
    checks.check_scores(logits=Z[0], more=Z[None].half())
    checks.check_tensor(images=Y)
    checks.check_images(bytes=PICTURES.byte(), array=PICTURES.numpy(), floats=PICTURES - 0.5)
    checks.check_same_shape(student_logits=Z, teacher_logits=Z)
    checks.check_targets(3, targets=Y)
    checks.check_targets(3, targets=Y[:0])
    checks.check_same_length(logits=Z, targets=Y)
    checks.check_choice(("a", "b"), name="a")
    checks.check_length(2, widths=(1, 2), titles="abc")


BAD = [
    (checks.check_positive, -1.0, "x must be > 0, got -1.0"),
    (checks.check_positive, 0, "x must be > 0, got 0"),
    (checks.check_positive, math.nan, "x must be > 0, got nan"),
    (checks.check_positive, math.inf, "x must be finite, got inf"),
    (checks.check_positive, "4", "x must be > 0, got '4'"),
    (checks.check_positive, None, "x must be > 0, got None"),
    (checks.check_positive, True, "x must be > 0, got True"),
    (checks.check_positive, torch.ones(2), "x must be > 0, got tensor([1., 1.])"),
    (checks.check_temperature, 0, "x must be > 0, got 0"),
    (checks.check_temperature, math.inf, "x must be finite, got inf"),
    (checks.check_temperature, 9e-10, "x must be in [1e-9, 1e9], got 9e-10"),
    (checks.check_temperature, 1.1e9, "x must be in [1e-9, 1e9], got 1100000000.0"),
    (checks.check_not_negative, -0.1, "x must be >= 0, got -0.1"),
    (checks.check_not_negative, math.nan, "x must be >= 0, got nan"),
    (checks.check_not_negative, math.inf, "x must be finite, got inf"),
    (checks.check_not_negative, "1", "x must be >= 0, got '1'"),
    (checks.check_fraction, 1.1, "x must be in [0, 1], got 1.1"),
    (checks.check_fraction, -0.1, "x must be in [0, 1], got -0.1"),
    (checks.check_fraction, math.nan, "x must be in [0, 1], got nan"),
    (checks.check_fraction, [0.5], "x must be in [0, 1], got [0.5]"),
    (checks.check_drop_rate, 1.0, "x must be in [0, 1), got 1.0"),
    (checks.check_drop_rate, "a", "x must be in [0, 1), got 'a'"),
    (checks.check_count, 0, "x must be a whole number >= 1, got 0"),
    (checks.check_count, 2.0, "x must be a whole number >= 1, got 2.0"),
    (checks.check_count, True, "x must be a whole number >= 1, got True"),
    (checks.check_count, None, "x must be a whole number >= 1, got None"),
    (checks.check_logits, Z[0], "x must have shape [batch, classes], got [3]"),
    (checks.check_logits, Z[:0], "x must not be empty, got shape [0, 3]"),
    (checks.check_logits, Z.long(), "x must be floating point, got torch.int64"),
    (checks.check_features, Y, "x must have shape [batch, ...], got [2]"),
    (checks.check_features, Z[:, :0], "x must not be empty, got shape [2, 0]"),
    (checks.check_features, Z.long(), "x must be floating point, got torch.int64"),
    (partial(checks.check_features, 4), Z, f"x must have shape {MAPS}, got [2, 3]"),
    (
        partial(checks.check_features, 4),
        Z.expand(1, 1, 1, 2, 3),
        f"x must have shape {MAPS}, got [1, 1, 1, 2, 3]",
    ),
    (checks.check_scores, [1.0], "x must be a tensor, got list"),
    (checks.check_scores, Y, "x must be floating point, got torch.int64"),
    (checks.check_scores, Z[0, 0], "x must have at least one dimension, got a scalar"),
    (checks.check_tensor, np.zeros(2), "x must be a tensor, got ndarray"),
    (checks.check_images, PICTURES[0], f"x must have shape {SHAPE}, got [3, 4, 4]"),
    (checks.check_images, PICTURES[:, :2], f"x must have shape {SHAPE}, got [2, 2, 4, 4]"),
    (checks.check_images, "a.png", f"x must have shape {SHAPE}, got []"),
    (checks.check_images, PICTURES[:0], "x must hold at least one image, got 0"),
    (checks.check_images, PICTURES - 1, "x must be in [0, 255], got -1 to -1"),
    (checks.check_images, PICTURES.numpy() + 256, "x must be in [0, 255], got 256 to 256"),
    (checks.check_logits, [[1.0]], "x must be a tensor, got list"),
    (checks.check_logits, np.zeros((2, 3)), "x must be a tensor, got ndarray"),
    (checks.check_same_length, torch.tensor(1), "x must have at least one dimension, got a scalar"),
    (checks.check_same_length, None, "x must be a tensor, got NoneType"),
    (checks.check_same_shape, 3, "x must be a tensor, got int"),
]


@pytest.mark.parametrize(("check", "value", "message"), BAD)
def test_bad_value(check, value, message):
    check_refused(lambda: check(x=value), message)


@pytest.mark.parametrize(
    ("targets", "message"),
    [
        (Y[:, None], "targets must have shape [batch], got [2, 1]"),
        (Y.int(), "targets must be int64, got torch.int32"),
        (Y + 1, "targets must be in [0, 3), got 1 to 3"),
        (Y - 1, "targets must be in [0, 3), got -1 to 1"),
        (np.array([0, 2]), "targets must be a tensor, got ndarray"),
    ],
)
def test_bad_targets(targets, message):
    check_refused(lambda: checks.check_targets(3, targets=targets), message)


def test_labelled_logits():
    checks.check_labelled(student_logits=Z, targets=Y)
    for bad, message in [
        ({"student_logits": Z[0], "targets": Y}, "student_logits must have shape .*, got .3."),
        ({"logits": Z, "targets": Y + 1}, r"targets must be in \[0, 3\), got 1 to 3"),
        ({"logits": Z, "targets": Y[:1]}, "lengths must be equal, got logits 2 and targets 1"),
    ]:
        with pytest.raises(ValueError, match=f"^{message}$"):
            checks.check_labelled(**bad)


def test_messages_that_name_two_arguments():
    with pytest.raises(ValueError, match=r"^shapes must be equal, got a \[2, 3\] and b \[2\]$"):
        checks.check_same_shape(a=Z, b=Y)
    with pytest.raises(ValueError, match=r"^lengths must be equal, got a 2 and b 1$"):
        checks.check_same_length(a=Z, b=Y[:1])


def test_the_message_names_the_one_argument_that_is_wrong():
    with pytest.raises(ValueError, match=r"^b must be > 0, got 0$"):
        checks.check_positive(a=1, b=0)


def test_a_short_sequence_is_shown():
    check_refused(lambda: checks.check_length(2, x=[7]), "x must have length >= 2, got [7]")


def test_choices_are_listed():
    with pytest.raises(ValueError, match=r"^name must be one of 'a', 'b', got 'c'$"):
        checks.check_choice(("a", "b"), name="c")
