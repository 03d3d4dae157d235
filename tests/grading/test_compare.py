"""Values: what counts as equal, and how they are shown."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from kdlab.grading.compare import constant_factor, difference, show, show_both
from kdlab.grading.plain import Refusal, to_plain
from kdlab.grading.spec import Comparison

CLOSE = Comparison(rtol=1e-4, atol=1e-6, reason="a test")
numbers = st.floats(-1e6, 1e6, width=32)
values = arrays(np.float64, array_shapes(max_dims=3, max_side=4), elements=numbers)


@given(values)
def test_equal_in_every_form(array):
    for form in (array, array.tolist(), torch.from_numpy(array), tuple(array.tolist())):
        assert difference(array, to_plain(form), CLOSE) is None


@given(values, st.data())
def test_one_wrong_value_is_found_where_it_is(array, data):
    place = data.draw(st.integers(0, array.size - 1))
    other = array.copy()
    other.flat[place] += 1 + abs(other.flat[place])
    said = difference(array, other, CLOSE)
    index = [int(i) for i in np.unravel_index(place, array.shape)]
    assert said == (
        "the value differs"
        if array.size == 1
        else f"1 of {array.size} values differs, most at {index}"
    )


@given(values)
def test_another_shape_is_never_equal(array):
    assert "the shape is" in difference(array, array[None], CLOSE)


@pytest.mark.parametrize(("scale", "equal"), [(1 + 0.9e-4, True), (1 + 1.1e-4, False)])
def test_relative_tolerance(scale, equal):
    assert (difference(np.array([1e3]), np.array([1e3 * scale]), CLOSE) is None) == equal


@pytest.mark.parametrize(("value", "equal"), [(0.9e-6, True), (1.1e-6, False)])
def test_absolute_tolerance(value, equal):
    assert (difference(np.array([0.0]), np.array([value]), CLOSE) is None) == equal


def test_nan_equals_nan_only_where_it_is_expected():
    nan = np.array([np.nan, 1.0])
    assert difference(nan, nan, CLOSE) is None
    assert difference(np.ones(2), nan, CLOSE) == "1 of 2 values is NaN (not a number)"
    assert difference(nan, np.ones(2), CLOSE) == "1 of 2 values differs, most at [0]"


def test_infinities_differ_by_sign():
    up = np.array([np.inf, 1.0])
    assert difference(up, up, CLOSE) is None
    assert difference(up, -up, CLOSE).startswith("2 of 2 values differ")


def test_infinities_that_agree_leave_the_largest_difference_to_others():
    expected, got = np.array([np.inf, 1.0, 2.0]), np.array([np.inf, 1.0, 3.0])
    assert difference(expected, got, CLOSE) == "1 of 3 values differs, most at [2]"


def test_texts_containers_and_their_places():
    value = {"a": ("yes", np.zeros(2)), "b": np.array(1)}
    assert difference(value, value, CLOSE) is None
    assert difference("yes", "no", CLOSE) == "the text differs"
    changed = {"a": ("yes", np.ones(2)), "b": np.array(1)}
    assert difference(value, changed, CLOSE).startswith("in ['a']: in [1]: 2 of 2 values differ")
    assert difference(value, {"a": 1}, CLOSE) == "returned a dict of 1, expected a dict of 2"
    assert difference(("yes", "no"), "yes", CLOSE) == "returned a str, expected a tuple of 2"
    assert difference(value, {"a": value["a"], "c": value["b"]}, CLOSE) is not None


@given(values, st.floats(0.1, 10).filter(lambda c: abs(c - 1) > 0.01))
def test_constant_factor(array, factor):
    if (np.abs(array) > 1).sum() > 1:
        assert constant_factor([array], [array * factor], CLOSE) == pytest.approx(factor)


def test_constant_factor_of_single_numbers():
    def factor(expected, got):
        return constant_factor(*([np.array(x) for x in xs] for xs in (expected, got)), CLOSE)

    assert factor([1.0, 2.0], [3.0, 6.0]) == pytest.approx(3)
    # The same answer to everything, another factor each time, and one number alone.
    assert factor([1.0, 2.0], [3.0, 3.0]) is None
    assert factor([1.0, 2.0], [3.0, 8.0]) is None
    assert factor([1.0], [3.0]) is None
    assert factor([1.0, 0.0], [3.0, 0.0]) is None


@pytest.mark.parametrize(
    ("expected", "got"),
    [
        (np.ones(3), np.array([2.0, 2.0, 3.0])),
        (np.ones(3), np.zeros(3)),
        (np.zeros(3), np.ones(3)),
        (np.ones(3), np.ones(2)),
        (np.ones(3), np.full(3, np.nan)),
        (np.ones(3, int), np.full(3, 2)),
        (np.ones(3), "2"),
    ],
)
def test_no_constant_factor(expected, got):
    assert constant_factor([expected], [got], CLOSE) is None


def test_values_are_shown_with_the_digits_it_takes():
    assert show(np.array([[0.5, 1 / 3]])) == "[[0.5, 0.3333]]"
    assert show_both(np.array(1.0), np.array(1.00001)) == ("1", "1.00001")
    assert show_both(np.array(1.0), np.array(2.0)) == ("1", "2")
    assert show({"a": ("x", np.array(True))}) == "{'a': ('x', True)}"


def test_long_values_are_shortened():
    assert len(show(np.zeros(10_000))) < 100
    assert len(show("x" * 10_000)) < 300


@given(st.recursive(st.one_of(st.integers(), st.floats(), st.text(), st.booleans()), st.lists))
def test_any_nest_of_numbers_and_texts_is_read_or_refused(value):
    try:
        plain = to_plain(value)
    except Refusal:
        return
    assert difference(plain, plain, CLOSE) is None
    assert show(plain) == show(plain)
