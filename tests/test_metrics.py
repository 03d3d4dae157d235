"""Metrics against their definitions, counted by hand."""

import math

import pytest
import torch
from _refusals import check_refused
from hypothesis import given
from hypothesis import strategies as st

from kdlab import metrics

Z = torch.tensor([[2.0, 1.0, 0.0], [0.0, 3.0, 1.0], [0.0, 1.0, 4.0], [5.0, 1.0, 2.0]])
Y = torch.tensor([0, 1, 1, 2])


def draw(batch=200, classes=5, seed=0, scale=2.0):
    generator = torch.Generator().manual_seed(seed)
    z = scale * torch.randn(batch, classes, generator=generator)
    return z, torch.randint(classes, (batch,), generator=generator)


def softmax_by_hand(scores, temperature):
    top = max(scores)
    raised = [math.exp((score - top) / temperature) for score in scores]
    return [value / math.fsum(raised) for value in raised]


def test_errors_and_accuracy_of_four_examples():
    assert metrics.errors(Z, Y) == 2
    assert metrics.accuracy(Z, Y) == 0.5


def test_errors_and_accuracy_by_hand():
    z, y = draw()
    rows = zip(z.tolist(), y.tolist(), strict=True)
    wrong = sum(row.index(max(row)) != target for row, target in rows)
    assert metrics.errors(z, y) == wrong
    assert metrics.accuracy(z, y) == (200 - wrong) / 200


@pytest.mark.parametrize("temperature", [0.1, 1.0, 20.0])
def test_entropy_by_hand(temperature):
    z, _ = draw(batch=20)
    for row, got in zip(z.tolist(), metrics.entropy(z, temperature=temperature), strict=True):
        q = softmax_by_hand(row, temperature)
        expected = -math.fsum(p * math.log(p) for p in q if p > 0)
        assert got.item() == pytest.approx(expected, rel=1e-5, abs=1e-6)


def test_entropy_from_certain_to_uniform():
    z = torch.tensor([[1e4, -1e4, 0.0], [3.0, 3.0, 3.0]])
    certain, uniform = metrics.entropy(z).tolist()
    assert f"{certain:.3f}" == "0.000"  # and not -0.000
    assert uniform == pytest.approx(math.log(3), rel=1e-6)
    assert metrics.entropy(Z, temperature=1e6).tolist() == pytest.approx([math.log(3)] * 4)
    assert metrics.entropy(z[None]).shape == (1, 2)


@given(
    row=st.lists(st.floats(-100, 100), min_size=2, max_size=6),
    low=st.floats(0.1, 100),
    factor=st.floats(1, 100),
)
def test_entropy_never_falls_as_temperature_rises(row, low, factor):
    z = torch.tensor(row, dtype=torch.double)
    colder = metrics.entropy(z, temperature=low).item()
    warmer = metrics.entropy(z, temperature=low * factor).item()
    assert 0 <= colder <= warmer + 1e-12
    assert warmer <= math.log(len(row)) + 1e-12


def test_agreement_counts_equal_answers_exactly():
    other = Z.clone()
    other[0] = torch.tensor([0.0, 1.0, 0.0])
    assert metrics.agreement(Z, other) == 0.75
    assert metrics.agreement(Z[:3], other[:3]) == 2 / 3
    assert metrics.agreement(Z, 100 * Z - 7) == 1


def calibration_by_hand(z, y, temperature, bins):
    """Guo et al., equation 3, bin by bin."""
    rows = [softmax_by_hand(row, temperature) for row in z.tolist()]
    sure = [max(row) for row in rows]
    right = [row.index(max(row)) == t for row, t in zip(rows, y.tolist(), strict=True)]
    total = 0.0
    for b in range(bins):
        inside = [i for i, s in enumerate(sure) if b / bins < s <= (b + 1) / bins]
        if inside:
            accuracy = sum(right[i] for i in inside) / len(inside)
            confidence = sum(sure[i] for i in inside) / len(inside)
            total += len(inside) / len(sure) * abs(accuracy - confidence)
    return total


@pytest.mark.parametrize("temperature", [0.3, 1.0, 5.0])
@pytest.mark.parametrize("bins", [1, 10, 15])
def test_calibration_error_by_hand(temperature, bins):
    z, y = draw()
    got = metrics.calibration_error(z, y, temperature=temperature, bins=bins)
    assert got == pytest.approx(calibration_by_hand(z, y, temperature, bins), abs=1e-6)


def test_calibration_error_of_the_sure_and_of_the_undecided():
    sure = torch.tensor([[1e4, 0.0], [1e4, 0.0]])
    assert metrics.calibration_error(sure, torch.tensor([0, 0])) == 0
    assert metrics.calibration_error(sure, torch.tensor([1, 1])) == 1
    undecided = torch.zeros(2, 2)
    assert metrics.calibration_error(undecided, torch.tensor([0, 1])) == pytest.approx(0)


def test_calibration_keeps_its_bins_apart():
    # Overconfident at .9 and underconfident at .6 do not cancel.
    z = torch.tensor([[math.log(9), 0.0], [math.log(1.5), 0.0]])
    got = metrics.calibration_error(z, torch.tensor([1, 0]), bins=10)
    assert got == pytest.approx((0.9 + 0.4) / 2, abs=1e-6)


def test_confusion_matrix_has_truth_in_rows():
    expected = [[1, 0, 0], [0, 1, 1], [1, 0, 0]]
    assert metrics.confusion_matrix(Z, Y).tolist() == expected


def test_confusion_matrix_agrees_with_errors():
    z, y = draw()
    matrix = metrics.confusion_matrix(z, y)
    assert int(matrix.sum()) == 200
    assert int(matrix.sum() - matrix.trace()) == metrics.errors(z, y)
    assert matrix.sum(dim=1).tolist() == y.bincount(minlength=5).tolist()


def test_class_similarity_by_hand():
    z, y = draw(batch=40)
    got = metrics.class_similarity(z, y, temperature=4.0)
    for k in range(5):
        rows = [softmax_by_hand(z[i].tolist(), 4.0) for i in range(40) if y[i] == k]
        expected = [sum(column) / len(rows) for column in zip(*rows, strict=True)]
        assert got[k].tolist() == pytest.approx(expected, rel=1e-5)


def test_class_similarity_of_a_class_without_examples_is_nan():
    got = metrics.class_similarity(Z[:2], Y[:2], temperature=1.0)
    assert bool(got[2].isnan().all())
    assert got[:2].sum(dim=1).tolist() == pytest.approx([1, 1])


def test_half_precision_is_computed_in_float32():
    z, y = draw(batch=1135)
    z = z.bfloat16()
    similarity = metrics.class_similarity(z, y, temperature=4.0).double()
    expected = metrics.class_similarity(z.double(), y, temperature=4.0)
    assert torch.allclose(similarity, expected, rtol=0, atol=1e-6)
    assert torch.allclose(metrics.entropy(z).double(), metrics.entropy(z.double()), atol=1e-6)
    error = metrics.calibration_error(z, y)
    assert error == pytest.approx(metrics.calibration_error(z.double(), y), abs=1e-6)


@given(seed=st.integers(0, 1000), shift=st.floats(-50, 50))
def test_no_metric_minds_a_shift_of_all_scores(seed, shift):
    z, y = draw(batch=20, seed=seed)
    z = z.double()
    moved = z + shift
    assert metrics.errors(moved, y) == metrics.errors(z, y)
    assert metrics.agreement(moved, z) == 1
    assert torch.allclose(metrics.entropy(moved), metrics.entropy(z))
    assert metrics.calibration_error(moved, y, bins=1) == pytest.approx(
        metrics.calibration_error(z, y, bins=1)
    )


BAD = [
    (lambda: metrics.errors(Z, Y[:2]), "lengths must be equal, got logits 4 and targets 2"),
    (lambda: metrics.errors(Z, Y + 1), "targets must be in [0, 3), got 1 to 3"),
    (lambda: metrics.accuracy(Z[:0], Y[:0]), "logits must not be empty, got shape [0, 3]"),
    (lambda: metrics.entropy(Z, temperature=0), "temperature must be > 0, got 0"),
    (lambda: metrics.entropy([1.0, 2.0]), "logits must be a tensor, got list"),
    (lambda: metrics.entropy(Y), "logits must be floating point, got torch.int64"),
    (
        lambda: metrics.entropy(Z, temperature=1e-30),
        "temperature must be in [1e-9, 1e9], got 1e-30",
    ),
    (
        lambda: metrics.class_similarity(Z, Y, temperature=1e30),
        "temperature must be in [1e-9, 1e9], got 1e+30",
    ),
    (
        lambda: metrics.agreement(Z, Z[:2]),
        "shapes must be equal, got student_logits [4, 3] and teacher_logits [2, 3]",
    ),
    (
        lambda: metrics.calibration_error(Z, Y, bins=0),
        "bins must be a whole number >= 1, got 0",
    ),
    (
        lambda: metrics.calibration_error(Z, Y, temperature=-1),
        "temperature must be > 0, got -1",
    ),
    (lambda: metrics.confusion_matrix(Z, Y.float()), "targets must be int64, got torch.float32"),
    (
        lambda: metrics.class_similarity(Z[0], Y, temperature=1.0),
        "logits must have shape [batch, classes], got [3]",
    ),
]


@pytest.mark.usefixtures("unchecked_shapes")
@pytest.mark.parametrize(("call", "message"), BAD)
def test_bad_input(call, message):
    check_refused(call, message)
