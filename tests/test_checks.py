"""Every check: what passes, and the exact sentence for what does not."""

import math

import numpy as np
import pytest
import torch

from kdlab import _checks as checks

pytestmark = pytest.mark.usefixtures("unchecked_shapes")

Z = torch.zeros(2, 3)
Y = torch.tensor([0, 2])


@pytest.mark.parametrize("value", [1, 1e-30, 0.5, np.float32(2), torch.tensor(3.0)])
def test_positive_numbers_pass(value):
    checks.check_positive(temperature=value)


@pytest.mark.parametrize("value", [0, 0.0, 1.5, np.int64(3)])
def test_numbers_from_zero_pass(value):
    checks.check_not_negative(weight=value)


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
    checks.check_same_shape(student_logits=Z, teacher_logits=Z)
    checks.check_targets(3, targets=Y)
    checks.check_targets(3, targets=Y[:0])
    checks.check_same_length(logits=Z, targets=Y)
    checks.check_choice(("a", "b"), name="a")


BAD = [
    (checks.check_positive, -1.0, "x must be > 0, got -1.0"),
    (checks.check_positive, 0, "x must be > 0, got 0"),
    (checks.check_positive, math.nan, "x must be > 0, got nan"),
    (checks.check_positive, math.inf, "x must be finite, got inf"),
    (checks.check_positive, "4", "x must be > 0, got '4'"),
    (checks.check_positive, None, "x must be > 0, got None"),
    (checks.check_positive, True, "x must be > 0, got True"),
    (checks.check_positive, torch.ones(2), "x must be > 0, got tensor([1., 1.])"),
    (checks.check_not_negative, -0.1, "x must be >= 0, got -0.1"),
    (checks.check_not_negative, math.nan, "x must be >= 0, got nan"),
    (checks.check_not_negative, math.inf, "x must be finite, got inf"),
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
    (checks.check_logits, [[1.0]], "x must be a tensor, got list"),
    (checks.check_logits, np.zeros((2, 3)), "x must be a tensor, got ndarray"),
    (checks.check_same_length, torch.tensor(1), "x must have at least one dimension, got a scalar"),
    (checks.check_same_length, None, "x must be a tensor, got NoneType"),
    (checks.check_same_shape, 3, "x must be a tensor, got int"),
]


@pytest.mark.parametrize(("check", "value", "message"), BAD)
def test_bad_value(check, value, message):
    with pytest.raises(ValueError) as caught:
        check(x=value)
    assert str(caught.value) == message


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
    with pytest.raises(ValueError) as caught:
        checks.check_targets(3, targets=targets)
    assert str(caught.value) == message


def test_messages_that_name_two_arguments():
    with pytest.raises(ValueError, match=r"^shapes must be equal, got a \[2, 3\] and b \[2\]$"):
        checks.check_same_shape(a=Z, b=Y)
    with pytest.raises(ValueError, match=r"^lengths must be equal, got a 2 and b 1$"):
        checks.check_same_length(a=Z, b=Y[:1])


def test_the_message_names_the_one_argument_that_is_wrong():
    with pytest.raises(ValueError, match=r"^b must be > 0, got 0$"):
        checks.check_positive(a=1, b=0)


def test_choices_are_listed():
    with pytest.raises(ValueError, match=r"^name must be one of 'a', 'b', got 'c'$"):
        checks.check_choice(("a", "b"), name="c")
