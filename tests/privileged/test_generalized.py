"""Generalized distillation against plain loops, scikit-learn, closed forms and SciPy."""

import math
from functools import partial

import numpy as np
import pytest
import torch
from _refusals import check_refused
from scipy.optimize import minimize
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.preprocessing import StandardScaler
from torch import nn

from kdlab.data import Batches
from kdlab.losses import distillation_loss
from kdlab.models import mlp
from kdlab.privileged import (
    Triplets,
    compare_linear,
    distill_generalized,
    fit,
    generalized_loss,
    standardize,
)
from kdlab.schemes import distill

EXAMPLES, FEATURES, EXPLANATIONS, CLASSES = 60, 4, 3, 3


def normal(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.double)


def classes(seed=1, count=EXAMPLES):
    return torch.randint(CLASSES, (count,), generator=torch.Generator().manual_seed(seed))


def some(seed=2, count=EXAMPLES):
    return normal(count, seed=seed) > 0


def linear(outputs=CLASSES, inputs=FEATURES):
    return mlp((inputs, outputs)).double()


def spread(rows):
    """Softmax of a plain list."""
    powers = [math.exp(value - max(rows)) for value in rows]
    return [power / sum(powers) for power in powers]


def looped(z, v, y, lambda_, temperature, known):
    """The loss for classes, one number after the other."""
    total = 0.0
    for student, teacher, label, seen in zip(z, v, y, known, strict=True):
        labelled = -math.log(spread(student)[label])
        p = spread([value / temperature for value in teacher]) if seen else []
        q = spread([value / temperature for value in student])
        taught = sum(a * math.log(a / b) for a, b in zip(p, q, strict=False))
        weight = lambda_ if seen else 0.0
        total += (1 - weight) * labelled + weight * temperature**2 * taught
    return total / len(z)


@pytest.mark.parametrize("temperature", [1.0, 5.0])
@pytest.mark.parametrize("lambda_", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("known", [None, some(), some() & False, some() | True])
def test_the_loss_for_classes_is_the_plain_loop(temperature, lambda_, known):
    z, v, y = normal(EXAMPLES, CLASSES), normal(EXAMPLES, CLASSES, seed=3), classes()
    seen = [True] * EXAMPLES if known is None else known.tolist()
    expected = looped(z.tolist(), v.tolist(), y.tolist(), lambda_, temperature, seen)
    settings = {"lambda_": lambda_, "temperature": temperature, "known": known}
    assert generalized_loss(z, v, y, **settings).item() == pytest.approx(expected, abs=1e-12)
    loss = partial(generalized_loss, teacher_outputs=v, targets=y, **settings)
    assert torch.autograd.gradcheck(loss, z.requires_grad_())


@pytest.mark.parametrize("lambda_", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("known", [None, some()])
def test_the_loss_for_numbers_is_the_plain_loop(lambda_, known):
    g, s, y = (normal(EXAMPLES, 2, seed=seed) for seed in (0, 3, 4))
    expected = 0.0
    for i in range(EXAMPLES):
        weight = lambda_ if known is None or known[i] else 0.0
        for k in range(2):
            labelled, taught = float(y[i, k] - g[i, k]) ** 2, float(s[i, k] - g[i, k]) ** 2
            expected += ((1 - weight) * labelled + weight * taught) / (2 * EXAMPLES)
    loss = partial(generalized_loss, teacher_outputs=s, targets=y, lambda_=lambda_, known=known)
    assert float(loss(g)) == pytest.approx(expected, abs=1e-12)
    assert torch.autograd.gradcheck(loss, g.requires_grad_())


@pytest.mark.parametrize("targets", [classes(), normal(EXAMPLES, CLASSES, seed=5)])
def test_the_teacher_is_a_constant(targets):
    z, v = normal(EXAMPLES, CLASSES).requires_grad_(), normal(EXAMPLES, CLASSES, seed=3)
    generalized_loss(z, v.requires_grad_(), targets, lambda_=0.5).backward()
    assert v.grad is None and z.grad.abs().sum() > 0


def test_rows_that_are_not_known_are_not_read():
    z, v, y, known = normal(EXAMPLES, CLASSES), normal(EXAMPLES, CLASSES, seed=3), classes(), some()
    whole = generalized_loss(z, v, y, lambda_=0.5, known=known)
    v[~known] = torch.nan
    assert torch.equal(generalized_loss(z, v, y, lambda_=0.5, known=known), whole)


def test_hinton_s_distillation_is_the_case_where_the_teacher_sees_the_same():
    z, v, y = normal(EXAMPLES, CLASSES), normal(EXAMPLES, CLASSES, seed=3), classes()
    settings = {"temperature": 4.0, "lambda_": 0.7}
    assert torch.equal(
        generalized_loss(z, v, y, **settings), distillation_loss(z, v, y, **settings)
    )


def test_equation_4_of_the_paper_is_softened_logits_at_temperature_1():
    z, v, y = normal(EXAMPLES, CLASSES), normal(EXAMPLES, CLASSES, seed=3), classes()
    z.requires_grad_()
    [ours] = torch.autograd.grad(generalized_loss(z, v / 20, y, lambda_=0.4), z)
    soft, log_q = (v / 20).softmax(dim=1), z.log_softmax(dim=1)
    published = -(0.6 * log_q[range(EXAMPLES), y] + 0.4 * (soft * log_q).sum(dim=1)).mean()
    torch.testing.assert_close(ours, torch.autograd.grad(published, z)[0])


@pytest.mark.parametrize("count, factor", [(3, 1), (2, 2)])
def test_fit_finds_scikit_learn_s_minimum(count, factor):
    x, y = normal(EXAMPLES, FEATURES), classes() % count
    model = linear(count)
    value = fit(model, x, y, decay=factor / (EXAMPLES * 0.7), steps=500)
    theirs = LogisticRegression(C=0.7, tol=1e-10, max_iter=5000).fit(x, y)
    with torch.no_grad():
        ours = model(x).softmax(dim=1)
    np.testing.assert_allclose(ours, theirs.predict_proba(x), atol=1e-5)
    weights = model.blocks["logits"].weight.detach()
    penalty = factor / (EXAMPLES * 0.7) / 2 * float(weights.square().sum())
    labelled = -float(ours.log()[range(EXAMPLES), y].mean())
    assert value == pytest.approx(labelled + penalty, abs=1e-12)


def test_soft_labels_are_weighted_copies_for_scikit_learn():
    x, y, v = normal(EXAMPLES, FEATURES), classes() % 2, normal(EXAMPLES, 2, seed=3)
    student = linear(2)
    distill_generalized(student, x, v, y, lambda_=0.6, decay=2 / EXAMPLES, steps=500)
    weights = 0.4 * torch.eye(2).double()[y] + 0.6 * v.softmax(dim=1)
    labels = [0] * EXAMPLES + [1] * EXAMPLES
    theirs = LogisticRegression(C=1.0, tol=1e-10, max_iter=5000)
    theirs.fit(torch.cat([x, x]), labels, sample_weight=weights.T.flatten())
    with torch.no_grad():
        ours = student(x).softmax(dim=1)
    np.testing.assert_allclose(ours, theirs.predict_proba(x), atol=1e-5)


def test_with_temperature_scipy_finds_the_same_minimum():
    x, v, known = normal(EXAMPLES, FEATURES), normal(EXAMPLES, CLASSES, seed=3), some()
    y = classes()
    lists = v.tolist(), y.tolist()

    def objective(flat):
        weights, bias = flat[:-CLASSES].reshape(CLASSES, FEATURES), flat[-CLASSES:]
        scores = (x.numpy() @ weights.T + bias).tolist()
        return looped(scores, *lists, 0.7, 3.0, known.tolist()) + 0.05 * (weights**2).sum()

    theirs = minimize(objective, np.zeros(CLASSES * (FEATURES + 1)), method="L-BFGS-B")
    student, settings = linear(), {"lambda_": 0.7, "temperature": 3.0, "known": known}
    value = distill_generalized(student, x, v, y, decay=0.1, steps=500, **settings)
    assert value == pytest.approx(theirs.fun, abs=1e-7)
    weights = student.blocks["logits"].weight.detach().flatten()
    np.testing.assert_allclose(weights, theirs.x[:-CLASSES], atol=1e-3)


@pytest.mark.parametrize("decay", [0.0, 0.1])
def test_numbers_have_ridge_regression_s_closed_form(decay):
    x, s, y = (normal(EXAMPLES, size, seed=size) for size in (FEATURES, 1, 1))
    student = linear(1)
    distill_generalized(student, x, s, y, lambda_=0.3, decay=decay, steps=500)
    # Where all weights are alike the corrected answers are the weighted mean of y and s.
    theirs = Ridge(alpha=decay * EXAMPLES / 2).fit(x, 0.7 * y + 0.3 * s)
    with torch.no_grad():
        np.testing.assert_allclose(student(x), theirs.predict(x).reshape(-1, 1), atol=1e-6)


def test_where_few_answers_are_known_the_regression_is_a_weighted_one():
    x, s, y, known = *(normal(EXAMPLES, size, seed=size) for size in (FEATURES, 1, 1)), some()
    s = s + 1
    student = linear(1)
    distill_generalized(student, x, s, y, lambda_=0.3, known=known, steps=500)
    corrected = torch.where(known[:, None], 0.7 * y + 0.3 * s, y)
    # (1 - lambda) + lambda is 1: the rows keep one weight, and only the answers change.
    design = torch.cat([x, torch.ones(EXAMPLES, 1).double()], dim=1)
    expected = design @ torch.linalg.lstsq(design, corrected).solution
    torch.testing.assert_close(student(x).detach(), expected, atol=1e-6, rtol=0)


def test_a_small_network_learns_from_what_it_does_not_see():
    x = normal(40, FEATURES)
    hidden = (x[:, 0] * x[:, 1])[:, None]
    y = (hidden[:, 0] > 0).long()
    teacher, student = linear(2, inputs=1), mlp((FEATURES, 16, 2)).double()
    fit(teacher, hidden, y, decay=0.01)
    said = teacher(hidden)
    settings = {"lambda_": 1.0, "temperature": 2.0, "decay": 1e-4}
    before = generalized_loss(student(x).detach(), said, y, lambda_=1.0, temperature=2.0)
    after = distill_generalized(student, x, said, y, **settings)
    assert after < 0.05 * float(before)
    again = mlp((FEATURES, 16, 2)).double()
    assert distill_generalized(again, x, said, y, **settings) == after


def test_a_model_is_left_in_eval_mode_without_gradients_and_frozen_parts_as_they_were():
    student = mlp((FEATURES, 5, CLASSES)).double().train()
    first = student.blocks["hidden1"].requires_grad_(False)
    before = first[0].weight.clone()
    moved = student.blocks["logits"].weight.clone()
    fit(student, normal(EXAMPLES, FEATURES), classes(), decay=0.1)
    assert not any(part.training for part in student.modules())
    assert all(p.grad is None for p in student.parameters())
    assert torch.equal(first[0].weight, before)
    assert not torch.equal(student.blocks["logits"].weight, moved)


def test_steps_end_the_fit():
    x, y = normal(EXAMPLES, FEATURES), classes()
    values = [fit(linear(), x, y, steps=steps) for steps in (1, 3, 100, 1000)]
    assert values[0] > values[1] > values[2] == pytest.approx(values[3], abs=1e-9)


def test_the_house_s_loop_takes_privileged_answers_step_by_step():
    x, y, said = normal(EXAMPLES, FEATURES), classes(), normal(EXAMPLES, CLASSES, seed=3)
    house, ours = linear(), linear()
    settings = {"temperature": 2.0, "lambda_": 0.6}
    optimizer = torch.optim.SGD(house.parameters(), lr=0.5)
    distill(house, said, Batches(x, y, batch_size=EXAMPLES), optimizer, epochs=1, **settings)
    generalized_loss(ours(x), said, y, **settings).backward()
    for one, other in zip(house.parameters(), ours.parameters(), strict=True):
        torch.testing.assert_close(one, other - 0.5 * other.grad)


# --- triplets


def triplets(count=EXAMPLES, seed=0):
    """x* decides the class, and three columns of x are a noisy copy of it."""
    seen = normal(count, EXPLANATIONS, seed=seed + 9)
    x = normal(count, FEATURES, seed=seed)
    x[:, :EXPLANATIONS] = 3 * (x[:, :EXPLANATIONS] + seen) + 1
    return Triplets(x, seen, seen.argmax(dim=1))


def test_standardize_is_scikit_learn_s_scaler_of_the_training_part():
    train, test = triplets(), triplets(20, seed=5)
    for before, after in zip((train, test), standardize(train, test), strict=True):
        for name in ("inputs", "privileged"):
            scaler = StandardScaler().fit(getattr(train, name))
            expected = scaler.transform(getattr(before, name))
            np.testing.assert_allclose(getattr(after, name), expected, atol=1e-12)
        assert torch.equal(after.targets, before.targets)
    assert len(train) == EXAMPLES


def test_a_column_that_does_not_vary_is_moved_only():
    train, test = triplets(), triplets(20, seed=5)
    train.inputs[:, 1], test.inputs[:, 1] = 2.0, 5.0
    ours, theirs = standardize(train, test)
    assert ours.inputs[:, 1].unique().tolist() == [0.0]
    assert theirs.inputs[:, 1].unique().tolist() == [3.0]


def test_compare_linear_fits_the_three_classifiers_that_scikit_learn_fits():
    train, test = triplets(), triplets(500, seed=5)
    both = {"teacher_decay": 0.1, "student_decay": 0.05, "steps": 500}
    found = compare_linear(train, test, lambda_=1.0, **both)
    (train, test), settings = standardize(train, test), {"tol": 1e-10, "max_iter": 5000}
    teacher = LogisticRegression(C=1 / (0.1 * EXAMPLES), **settings)
    alone, taught = (LogisticRegression(C=1 / (0.05 * EXAMPLES), **settings) for _ in range(2))
    teacher.fit(train.privileged, train.targets)
    alone.fit(train.inputs, train.targets)
    weights = teacher.predict_proba(train.privileged).T.reshape(-1)
    labels = np.repeat(range(CLASSES), EXAMPLES)
    taught.fit(train.inputs.repeat(CLASSES, 1), labels, sample_weight=weights)
    assert found.privileged == teacher.score(test.privileged, test.targets)
    assert found.regular == alone.score(test.inputs, test.targets)
    assert found.distilled == taught.score(test.inputs, test.targets)
    assert found.privileged > 0.9 and len({found.privileged, found.regular, found.distilled}) == 3


# --- refusals

Z, Y = torch.zeros(4, 3), torch.tensor([0, 1, 2, 0])
KNOWN = torch.tensor([True, False, True, True])
REFUSED = [
    ((Z, Z, Y), {"lambda_": 1.5}, "lambda_ must be in [0, 1], got 1.5"),
    ((Z, Z, Y), {"lambda_": 1, "temperature": 0}, "temperature must be > 0, got 0"),
    (
        (Z, Z, Z),
        {"lambda_": 1, "temperature": 2},
        "temperature must be 1 for numbers, got 2",
    ),
    (
        (Z, Z[:3], Y),
        {"lambda_": 1},
        "lengths must be equal, got outputs 4 and teacher_outputs 3 and targets 4",
    ),
    (
        (Z, Z, Y),
        {"lambda_": 1, "known": KNOWN[:2]},
        "lengths must be equal, got outputs 4 and known 2",
    ),
    (
        (Z, Z, Y),
        {"lambda_": 1, "known": KNOWN.long()},
        "known must be boolean, [examples], got torch.int64 of shape [4]",
    ),
    (
        (Z, Z, Z[:, :1]),
        {"lambda_": 1},
        "shapes must be equal, got outputs [4, 3] and targets [4, 1]",
    ),
    ((Z[:0], Z[:0], Y[:0]), {"lambda_": 1}, "outputs must not be empty, got shape [0, 3]"),
]


@pytest.mark.parametrize("tensors, settings, message", REFUSED)
def test_the_loss_refuses(unchecked_shapes, tensors, settings, message):
    check_refused(lambda: generalized_loss(*tensors, **settings), message)


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"decay": -0.1}, "decay must be >= 0, got -0.1"),
        ({"decay": math.inf}, "decay must be finite, got inf"),
        ({"steps": 0}, "steps must be a whole number >= 1, got 0"),
    ],
)
def test_fit_refuses(settings, message):
    check_refused(lambda: fit(nn.Linear(3, 3), Z, Y, **settings), message)


def test_unequal_lengths_are_refused(unchecked_shapes):
    few = "lengths must be equal, got inputs 4 and targets 3"
    check_refused(lambda: fit(nn.Linear(3, 3), Z, Y[:3]), few)
    many = "lengths must be equal, got inputs 4 and teacher_outputs 3 and targets 4"
    student = nn.Linear(3, 3)
    check_refused(lambda: distill_generalized(student, Z, Z[:3], Y, lambda_=1), many)
    three = "lengths must be equal, got inputs 4 and privileged 3 and targets 4"
    check_refused(lambda: Triplets(Z, Z[:3], Y), three)


def test_standardize_refuses():
    one = Triplets(Z[:1], Z[:1], Y[:1])
    check_refused(lambda: standardize(one, one), "train must hold at least two examples, got 1")
    train, test = Triplets(Z, Z, Y), Triplets(Z, Z[:, :2], Y)
    message = "privileged of train and test must have equally many columns, got 3 and 2"
    check_refused(lambda: standardize(train, test), message)
