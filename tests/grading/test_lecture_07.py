"""Lecture 07's questions: right answers in several styles, and what the drawn cases keep apart."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from _judged import assert_right

from kdlab import losses
from kdlab.grading import find_question
from kdlab.schemes.exits import DEEPEST


def permute_by_loop(probabilities, orders):
    rows = []
    for row, order in zip(probabilities.tolist(), orders.tolist(), strict=True):
        top = row.index(max(row))
        others = [p for c, p in enumerate(row) if c != top]
        dealt = [others[j] for j in order]
        rows.append([*dealt[:top], row[top], *dealt[top:]])
    return rows


def permute_in_numpy(probabilities, orders):
    p, order = probabilities.numpy().astype(np.float64), orders.numpy()
    mask = np.ones_like(p, dtype=bool)
    mask[np.arange(len(p)), p.argmax(axis=1)] = False
    others = p[mask].reshape(len(p), -1)
    changed = p.copy()
    changed[mask] = np.take_along_axis(others, order, axis=1).ravel()
    return changed


def permute_of_the_notebook(probabilities, orders):
    batch, classes = probabilities.shape
    top = probabilities.argmax(dim=1, keepdim=True)
    columns = torch.arange(classes).expand(batch, classes)
    others = columns[columns != top].view(batch, classes - 1)
    dealt = probabilities.gather(1, others).gather(1, orders)
    return probabilities.scatter(1, others, dealt)


def kept_by_repetition(eigenvalues, ridge, generation):
    factors = torch.ones_like(eigenvalues)
    for _ in range(generation + 1):
        factors = factors * eigenvalues / (eigenvalues + ridge)
    return factors


def kept_by_solving(eigenvalues, ridge, generation):
    kernel = torch.diag(eigenvalues.double())
    fit = kernel @ torch.linalg.inv(kernel + ridge * torch.eye(len(eigenvalues)))
    return torch.linalg.matrix_power(fit, generation + 1).diagonal()


def kept_in_numpy(eigenvalues, ridge, generation):
    return np.power(1 / (1 + ridge / np.maximum(eigenvalues.numpy(), 1e-30)), generation + 1)


def exits_of_the_notebook(logits, targets, temperature, lambda_):
    weights = {"temperature": temperature, "lambda_": lambda_}
    loss = F.cross_entropy(logits[-1], targets)
    for own in logits[:-1]:
        loss = loss + losses.distillation_loss(own, logits[-1], targets, **weights)
    return loss


def exits_at_once(logits, targets, temperature, lambda_):
    """All exits in one cross-entropy; the teacher's entropy is taken off by hand."""
    labelled = torch.stack([F.cross_entropy(z, targets) for z in logits])
    p = (logits[-1].detach() / temperature).softmax(dim=1)
    log_q = (logits[:-1] / temperature).log_softmax(dim=2)
    taught = (torch.special.entr(p).sum(1).neg() - (p * log_q).sum(2)).mean(1)
    early = (1 - lambda_) * labelled[:-1] + lambda_ * temperature**2 * taught
    return early.sum() + labelled[-1]


@pytest.mark.parametrize(
    ("id", "fn"),
    [
        ("KD07-E1", permute_by_loop),
        ("KD07-E1", permute_in_numpy),
        ("KD07-E1", permute_of_the_notebook),
        ("KD07-E2", kept_by_repetition),
        ("KD07-E2", kept_by_solving),
        ("KD07-E2", kept_in_numpy),
        ("KD07-E3", exits_of_the_notebook),
        ("KD07-E3", exits_at_once),
    ],
)
def test_other_right_answers_are_right(id, fn):
    assert_right(id, fn)


def test_permuting_keeps_each_row_as_a_set():
    for case in find_question("KD07-E1").fresh_cases(0):
        p = case.inputs["probabilities"]
        changed = find_question("KD07-E1").reference(**case.inputs)
        assert torch.equal(changed.sort(dim=1).values, p.sort(dim=1).values)
        assert torch.equal(changed.argmax(dim=1), p.argmax(dim=1))
        assert not torch.equal(changed, p)


def test_exits_loss_is_a_sum_of_the_losses_of_the_library():
    case = find_question("KD07-E3").cases[0].inputs
    named = {"block1": case["logits"][0], "block2": case["logits"][1], DEEPEST: case["logits"][2]}
    weights = {"temperature": case["temperature"], "lambda_": case["lambda_"]}
    expected = sum(
        F.cross_entropy(z, case["targets"])
        if name == DEEPEST
        else losses.distillation_loss(z, named[DEEPEST], case["targets"], **weights)
        for name, z in named.items()
    )
    torch.testing.assert_close(find_question("KD07-E3").reference(**case), expected)
