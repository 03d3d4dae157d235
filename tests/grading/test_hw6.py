"""Homework 6: its questions, and other right answers.

What holds for every question, such as that each mistake is recognised, stands in test_questions.
"""

import math

import nbformat
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from _homeworks import (
    assert_cells_are_the_specs,
    assert_code_is_short,
    assert_explanations_are_for_instructors,
    assert_minutes_and_points_are_told,
    assert_recognised_on_fresh_inputs,
    assert_solutions_are_right,
    look_alike,
    share_of_points,
    told,
)
from _judged import faults, mistakes_of
from torch import nn, tensor
from torch.nn.utils.fusion import fuse_conv_bn_weights as fuse
from torch.testing import assert_close

from kdlab import batchnorm
from kdlab.grading import check, find_homework, find_question
from kdlab.grading.places import source_path

HOMEWORK = find_homework("hw6")
MISTAKES = mistakes_of(HOMEWORK.questions)
each_question = pytest.mark.parametrize("question", HOMEWORK.questions, ids=lambda q: q.id)
FORWARD, BACKWARD, RUNNING, UNDO, FOLD = (q.reference for q in HOMEWORK.questions)


# ---- fairness ---------------------------------------------------------------------------------

# Right in some of the cases; all other mistakes get nothing.
THIRD, HALF = 1 / 3, 1 / 2
PARTIAL = {
    # Evaluation is right, or features, which are tables as well as images.
    ("hw6-q1", "the unbiased variance"): THIRD,
    ("hw6-q1", "each example by itself"): THIRD,
    ("hw6-q1", "one mean for all features"): THIRD,
    ("hw6-q1", "training ignored"): THIRD,
    ("hw6-q1", "evaluation ignored"): HALF,
    ("hw6-q1", "each place of an image by itself"): HALF,
    ("hw6-q1", "each image by itself"): HALF,
    ("hw6-q1", "images taken for features"): 1 / 6,
    ("hw6-q1", "the statistics along the width"): 1 / 6,
    ("hw6-q1", "gamma and beta along the width"): 1 / 6,
    ("hw6-q1", "rounded away in float32"): 5 / 6,
    ("hw6-q2", "divided by the batch alone"): 0.25,
    ("hw6-q2", "each place of an image by itself"): 0.25,
    ("hw6-q2", "rounded away in float32"): 0.75,
    ("hw6-q3", "the batch's size alone counted"): 0.25,
    ("hw6-q3", "each place of an image by itself"): 0.25,
    ("hw6-q3", "each image's variance by itself"): 0.25,
    ("hw6-q3", "rounded away in float32"): 0.75,
    ("hw6-q4", "each place of an image by itself"): 0.25,
    ("hw6-q4", "rounded away in float32"): 0.75,
    ("hw6-q5", "a convolution's inputs scaled"): 0.25,
    ("hw6-q5", "the sign of gamma lost"): 0.75,
}


@pytest.mark.parametrize(("question", "mistake", "variant"), MISTAKES)
def test_a_mistake_gets_the_same_whatever_inputs_are_drawn(question, mistake, variant):
    expected = PARTIAL.get((question.id, mistake.name), 0.0)
    for seed in range(20):
        assert share_of_points(question, variant, seed) == pytest.approx(expected), f"seed {seed}"


def test_mistakes_that_get_a_part_exist():
    assert PARTIAL.keys() <= {
        (q.id, mistake.name) for q in HOMEWORK.questions for mistake in q.mistakes
    }


@pytest.mark.parametrize(("question", "mistake", "variant"), MISTAKES)
def test_a_mistake_is_recognised_on_fresh_inputs_too(question, mistake, variant):
    assert_recognised_on_fresh_inputs(question, mistake, variant, seeds=3)


@each_question
def test_the_first_visible_case_tells_two_mistakes_apart(question):
    assert look_alike(question) == []


# ---- the set as a whole ---------------------------------------------------------------------


def test_ids_are_in_order_and_points_sum_to_20():
    assert [question.id for question in HOMEWORK.questions] == [f"hw6-q{n}" for n in range(1, 6)]
    assert HOMEWORK.points == 20 and min(q.points for q in HOMEWORK.questions) > 0
    assert (HOMEWORK.id, HOMEWORK.name) == ("hw6", "hw6_normalization")


def test_each_question_stands_for_itself():
    assert not any(question.uses for question in HOMEWORK.questions)
    assert len({question.name for question in HOMEWORK.questions}) == len(HOMEWORK.questions)


@each_question
def test_fresh_cases_are_weighted_and_some_are_extreme(question):
    cases = question.fresh_cases(0)
    assert len({case.weight for case in cases}) > 1 and all(case.weight > 0 for case in cases)
    assert [case.extreme for case in cases[:2]] == [False, False]
    assert [case.extreme for case in cases[2:]] in ([True], [False, True])
    # What is extreme is shown before it is graded.
    assert {case.name for case in cases if case.extreme} <= {case.name for case in question.cases}
    assert len(question.cases) == len(cases)


# ---- the inputs -------------------------------------------------------------------------------


def in_doubles(case):
    return {
        name: value.double() if torch.is_tensor(value) else value
        for name, value in case.inputs.items()
    }


@each_question
def test_float32_is_enough(question):
    """The reference in float32 and in float64 agree, and half of the tolerance is left."""
    for seed in range(100):
        for case in (*question.cases, *question.fresh_cases(seed)):
            single = question.reference(*case.inputs.values())
            double = question.reference(*in_doubles(case).values())
            pairs = zip(flat(single), flat(double), strict=True)
            assert all(np.allclose(*pair, rtol=5e-5, atol=5e-6) for pair in pairs)


def flat(answer):
    return [np.asarray(one) for one in (answer if isinstance(answer, tuple) else (answer,))]


def test_features_and_images_are_drawn_everywhere():
    for question in HOMEWORK.questions:
        for cases in (question.cases, question.fresh_cases(0)):
            largest = [max(map(np.ndim, case.inputs.values())) for case in cases]
            assert set(largest) == {2, 4}


def test_a_vector_along_the_wrong_axis_is_not_refused():
    """Else an error would tell what the value shall tell."""
    for seed in range(5):
        images = find_question("hw6-q1").fresh_cases(seed)[0].inputs
        assert len(images["gamma"]) == images["inputs"].shape[3]
        kernels = find_question("hw6-q5").fresh_cases(seed)[0].inputs
        assert len(kernels["bias"]) == kernels["weight"].shape[3]


# ---- right answers in other styles ----------------------------------------------------------


def as_rows(x):
    """Return the values of each feature as a row: [features, values]."""
    return x.transpose(0, 1).flatten(1)


def forward_by_torch(inputs, gamma, beta, running_mean, running_var, *, training, eps):
    return F.batch_norm(
        inputs, running_mean.clone(), running_var.clone(), gamma, beta, training=training, eps=eps
    )


def forward_by_loop(inputs, gamma, beta, running_mean, running_var, *, training, eps):
    found = torch.empty_like(inputs)
    for c in range(inputs.shape[1]):
        x = inputs[:, c]
        mean, var = running_mean[c], running_var[c]
        if training:
            mean = sum(x.flatten().tolist()) / x.numel()
            var = sum((v - mean) ** 2 for v in x.flatten().tolist()) / x.numel()
        found[:, c] = gamma[c] * (x - mean) / (var + eps) ** 0.5 + beta[c]
    return found


def forward_in_numpy(inputs, gamma, beta, running_mean, running_var, training, eps):
    x = np.moveaxis(inputs.numpy().astype(np.float64), 1, -1)
    mean, var = running_mean.numpy(), running_var.numpy()
    if training:
        over = tuple(range(x.ndim - 1))
        mean, var = x.mean(over), x.var(over)
    y = gamma.numpy() * (x - mean) / np.sqrt(var + eps) + beta.numpy()
    return np.moveaxis(y, -1, 1)


def forward_by_einsum(inputs, gamma, beta, running_mean, running_var, *, training, eps):
    x = inputs.double()
    if training:
        share = 1 / (x.numel() // x.shape[1])
        running_mean = torch.einsum("bf...->f", x) * share
        gap = torch.einsum("bf...->b...f", x) - running_mean
        running_var = torch.einsum("b...f,b...f->f", gap, gap) * share
    z = torch.einsum("bf...->b...f", x) - running_mean
    y = z / (running_var + eps).sqrt() * gamma + beta
    return torch.einsum("b...f->bf...", y)


def backward_by_autograd(upstream, inputs, gamma, *, eps):
    x, g = (one.clone().requires_grad_() for one in (inputs, gamma))
    b = torch.zeros_like(gamma, requires_grad=True)
    y = F.batch_norm(x, None, None, g, b, training=True, eps=eps)
    return torch.autograd.grad(y, (x, g, b), upstream)


def backward_node_by_node(upstream, inputs, gamma, *, eps):
    """The paper's six equations."""
    shape, u, x = inputs.transpose(0, 1).shape, as_rows(upstream), as_rows(inputs)
    m, g = x.shape[1], gamma[:, None]
    gap = x - x.mean(1, keepdim=True)
    var = gap.square().mean(1, keepdim=True)
    on_z = u * g
    on_var = (on_z * gap).sum(1, keepdim=True) * -0.5 * (var + eps) ** -1.5
    on_mean = -(on_z / (var + eps).sqrt()).sum(1, keepdim=True)
    on_mean = on_mean + on_var * (-2 * gap).sum(1, keepdim=True) / m
    on_x = on_z / (var + eps).sqrt() + on_var * 2 * gap / m + on_mean / m
    by_gamma = (u * gap / (var + eps).sqrt()).sum(1)
    return on_x.view(shape).transpose(0, 1), by_gamma, u.sum(1)


def backward_by_a_matrix(upstream, inputs, gamma, *, eps):
    """Each feature's Jacobian, written out."""
    u, x = as_rows(upstream).double(), as_rows(inputs).double()
    m = x.shape[1]
    gap = x - x.mean(1, keepdim=True)
    inverse = (gap.square().mean(1) + eps).rsqrt()
    z = gap * inverse[:, None]
    jacobian = torch.eye(m) - 1 / m - torch.einsum("fi,fj->fij", z, z) / m
    on_x = torch.einsum("f,fij,fj->fi", gamma * inverse, jacobian, u)
    on_x = on_x.view(inputs.transpose(0, 1).shape).transpose(0, 1)
    return on_x, torch.einsum("fi,fi->f", u, z), u.sum(1)


def backward_in_numpy(upstream, inputs, gamma, *, eps):
    u, x = (np.moveaxis(t.numpy().astype(np.float64), 1, -1) for t in (upstream, inputs))
    over = tuple(range(x.ndim - 1))
    sigma = np.sqrt(x.var(over) + eps)
    z = (x - x.mean(over)) / sigma
    on_x = gamma.numpy() / sigma * (u - u.mean(over) - z * (u * z).mean(over))
    return np.moveaxis(on_x, -1, 1), (u * z).sum(over), u.sum(over)


def running_by_torch(running_mean, running_var, inputs, *, momentum):
    mean, var = running_mean.clone(), running_var.clone()
    with torch.no_grad():
        F.batch_norm(inputs, mean, var, training=True, momentum=momentum)
    return torch.stack([mean, var])


def running_by_loop(running_mean, running_var, inputs, *, momentum):
    means, variances = [], []
    for c, values in enumerate(as_rows(inputs).tolist()):
        mean = sum(values) / len(values)
        var = sum((v - mean) ** 2 for v in values) / (len(values) - 1)
        means.append((1 - momentum) * running_mean[c].item() + momentum * mean)
        variances.append((1 - momentum) * running_var[c].item() + momentum * var)
    return means, variances


def running_in_numpy(running_mean, running_var, inputs, momentum):
    x = np.moveaxis(inputs.detach().numpy(), 1, 0).reshape(inputs.shape[1], -1).astype(float)
    old = np.stack([running_mean.numpy(), running_var.numpy()])
    return old + momentum * (np.stack([x.mean(1), x.var(1, ddof=1)]) - old)


def running_by_var_mean(running_mean, running_var, inputs, *, momentum):
    var, mean = torch.var_mean(as_rows(inputs.data), dim=1)
    old = torch.stack((running_mean, running_var)).mul(1 - momentum)
    return old.add(torch.stack((mean, var)), alpha=momentum)


def running_as_a_tuple(running_mean, running_var, inputs, *, momentum):
    x = as_rows(inputs.detach())
    return running_mean.lerp(x.mean(1), momentum), running_var.lerp(x.var(1), momentum)


def undo_by_rows(batch, *, eps):
    x = as_rows(batch.double())
    var, mean = x.var(1, unbiased=False), x.mean(1)
    return (var + eps) ** 0.5, mean, mean, var


def undo_in_numpy(batch, *, eps):
    x = np.moveaxis(batch.numpy().astype(np.float64), 1, -1).reshape(-1, batch.shape[1])
    return [np.sqrt(x.var(0) + eps), x.mean(0), x.mean(0), x.var(0)]


def undo_by_loop(batch, *, eps):
    rows = [[], [], [], []]
    for values in as_rows(batch).tolist():
        mean = sum(values) / len(values)
        var = sum((v - mean) ** 2 for v in values) / len(values)
        for row, value in zip(rows, (math.sqrt(var + eps), mean, mean, var), strict=True):
            row.append(value)
    return rows


def fold_by_loop(weight, bias, gamma, beta, running_mean, running_var, *, eps):
    rows, numbers = [], []
    for o in range(len(bias)):
        factor = gamma[o] / math.sqrt(running_var[o] + eps)
        rows.append(weight[o] * factor)
        numbers.append(beta[o] + factor * (bias[o] - running_mean[o]))
    return torch.stack(rows), torch.stack(numbers)


def fold_by_torch(weight, bias, gamma, beta, running_mean, running_var, *, eps):
    return fuse(weight, bias, running_mean, running_var, eps, gamma, beta)


def fold_by_einsum(weight, bias, gamma, beta, running_mean, running_var, *, eps):
    factor = gamma.double() * (running_var.double() + eps) ** -0.5
    shift = torch.addcmul(beta.double(), factor, bias - running_mean)
    return torch.einsum("oi...,o->oi...", weight.double(), factor), shift


def fold_in_numpy(weight, bias, gamma, beta, running_mean, running_var, eps):
    w, b, g, s, m, v = (t.numpy() for t in (weight, bias, gamma, beta, running_mean, running_var))
    factor = g / np.sqrt(v + eps)
    return (w.T * factor).T, factor * (b - m) + s


STYLES = {
    "hw6-q1": (forward_by_torch, forward_by_loop, forward_in_numpy, forward_by_einsum),
    "hw6-q2": (
        backward_by_autograd,
        backward_node_by_node,
        backward_by_a_matrix,
        backward_in_numpy,
    ),
    "hw6-q3": (
        running_by_torch,
        running_by_loop,
        running_in_numpy,
        running_by_var_mean,
        running_as_a_tuple,
    ),
    "hw6-q4": (undo_by_rows, undo_in_numpy, undo_by_loop),
    "hw6-q5": (fold_by_loop, fold_by_torch, fold_by_einsum, fold_in_numpy),
}


@pytest.mark.parametrize(
    ("id", "style"), [(id, style) for id in STYLES for style in range(len(STYLES[id]))]
)
def test_other_styles_are_right(id, style):
    fn, question = STYLES[id][style], find_question(id)
    result = check(id, fn)
    assert result.status == "right", result
    for seed in range(20):
        assert not any(faults(question, fn, question.fresh_cases(seed)))


def over(x):
    return [axis for axis in range(x.dim()) if axis != 1]


def by_a_loss(loss, *, default=False):
    """Differentiate a loss of outputs and upstream, with torch's own eps if that is wanted."""

    def backward(upstream, inputs, gamma, eps):
        x, g = (one.clone().requires_grad_() for one in (inputs, gamma))
        b = torch.zeros_like(gamma, requires_grad=True)
        y = F.batch_norm(x, None, None, g, b, training=True, **({} if default else {"eps": eps}))
        return torch.autograd.grad(loss(y, upstream), (x, g, b))

    return backward


def by_a_root_that_ends_early(upstream, inputs, gamma, eps):
    x, g = (one.clone().requires_grad_() for one in (inputs, gamma))
    b = torch.zeros_like(gamma, requires_grad=True)
    z = as_rows(x - x.mean(over(x), keepdim=True)).T
    y = g * z / (x.var(over(x), correction=0).sqrt() + eps) + b
    return torch.autograd.grad(y, (x, g, b), as_rows(upstream).T)


@pytest.mark.parametrize(
    ("id", "fn", "name"),
    [
        (
            "hw6-q1",
            lambda x, g, b, m, v, training, eps: forward_by_torch(
                x, g, b, m, v, training=True, eps=eps
            ),
            "evaluation ignored",
        ),
        (
            "hw6-q1",
            lambda x, g, b, m, v, training, eps: (
                F.layer_norm(x, x.shape[1:], eps=eps) * g.view(-1, *[1] * (x.dim() - 2))
                + b.view(-1, *[1] * (x.dim() - 2))
            ),
            "each example by itself",
        ),
        (
            "hw6-q1",
            lambda x, g, b, m, v, training, eps: forward_by_torch(
                x, g, b, m, v, training=training, eps=1e-5
            ),
            "eps not used",
        ),
        (
            "hw6-q1",
            lambda x, g, b, m, v, training, eps: (
                g
                * (x - (x.mean(0) if training else m))
                / ((x.var(0, correction=0) if training else v) + eps) ** 0.5
                + b
            ),
            "images taken for features",
        ),
        ("hw6-q2", by_a_loss(lambda y, u: y.sum()), "upstream ignored"),
        ("hw6-q2", by_a_loss(lambda y, u: (y * u).mean()), "the mean of y times upstream"),
        ("hw6-q2", by_a_loss(lambda y, u: (y * u).sum(), default=True), "eps not used"),
        ("hw6-q2", by_a_root_that_ends_early, "eps outside the root"),
        (
            "hw6-q2",
            lambda u, x, g, eps: (
                BACKWARD(u, x, g, eps)[0],
                (u * x).sum(over(x)),
                u.sum(over(x)),
            ),
            "gamma's gradient by the inputs",
        ),
        ("hw6-q2", lambda u, x, g, eps: BACKWARD(u, x, g**2, eps), "gamma squared"),
        (
            "hw6-q3",
            lambda m, v, x, a: torch.stack(
                [
                    (1 - a) * m + a * x.mean(over(x)).detach(),
                    (1 - a) * v + a * x.var(over(x), unbiased=False).detach(),
                ]
            ),
            "the biased variance",
        ),
        (
            "hw6-q3",
            lambda m, v, x, a: torch.stack(
                [m + a * (x.mean(over(x)) - m), v + a * (x.var(over(x)) - v)]
            ),
            "statistics in the graph",
        ),
        (
            "hw6-q3",
            lambda m, v, x, a: (
                (1 - a) * m + a * x.mean(over(x)),
                (1 - a) * v + a * x.var(over(x)),
            ),
            "statistics in the graph",
        ),
        (
            "hw6-q3",
            lambda m, v, x, a: [
                (1 - a) * m + a * x.detach().mean(over(x)),
                (1 - a) * v + a * x.var(over(x)),
            ],
            "statistics in the graph",
        ),
        (
            "hw6-q4",
            lambda x, eps: torch.stack([x.std(over(x)), *[x.mean(over(x))] * 2, x.var(over(x))]),
            None,
        ),
        (
            "hw6-q5",
            lambda w, b, g, s, m, v, eps: (
                w * (g / (v + eps).sqrt()),
                (b - m) * g / (v + eps).sqrt() + s,
            ),
            "the inputs scaled instead of the outputs",
        ),
        (
            "hw6-q5",
            lambda w, b, g, s, m, v, eps: FOLD(w, b, g, s - m, 0 * m, v, eps),
            "the mean not scaled",
        ),
    ],
)
def test_mistakes_written_otherwise_are_recognised(id, fn, name):
    result = check(id, fn)
    assert result.status == "wrong"
    assert result.cause.startswith(f"{name}: ") if name else not result.cause, result


# ---- what the texts claim, and that the library does the same ---------------------------------


def test_forward_and_backward_are_the_library_s():
    for case in find_question("hw6-q1").fresh_cases(2):
        x, g, b, m, v, training, eps = case.inputs.values()
        known = None if training else batchnorm.Statistics(m, v)
        theirs = batchnorm.batch_norm_forward(x, g, b, statistics=known, eps=eps)
        assert_close(FORWARD(**case.inputs), theirs, rtol=1e-4, atol=1e-5)
    for case in find_question("hw6-q2").fresh_cases(2):
        u, x, g, eps = in_doubles(case).values()
        theirs = batchnorm.batch_norm_backward(u, x, g, eps=eps)
        assert_close(BACKWARD(u, x, g, eps), tuple(theirs))


def test_running_statistics_are_the_layer_s():
    for case in find_question("hw6-q3").fresh_cases(2):
        mean, variance, x, momentum = case.inputs.values()
        layer = batchnorm.BatchNorm(len(mean), momentum=momentum)
        layer.running_mean.copy_(mean)
        layer.running_var.copy_(variance)
        layer(x)
        assert_close(RUNNING(**case.inputs), torch.stack([layer.running_mean, layer.running_var]))


def test_undone_a_batch_comes_back_and_the_library_does_the_same():
    for case in find_question("hw6-q4").fresh_cases(2)[:2]:
        x, eps = case.inputs.values()
        gamma, beta, mean, variance = UNDO(**case.inputs)
        for training in (True, False):
            given = x, gamma, beta, mean, variance
            assert_close(FORWARD(*given, training=training, eps=eps), x, rtol=1e-5, atol=1e-5)
        layer = batchnorm.BatchNorm(x.shape[1], eps=eps)
        batchnorm.undo(layer, x)
        theirs = layer.weight, layer.bias, layer.running_mean, layer.running_var
        assert_close(UNDO(**case.inputs), torch.stack(theirs).detach())


def test_folded_layers_are_the_library_s_and_do_both():
    for case in find_question("hw6-q5").fresh_cases(2):
        w, b, gamma, beta, mean, variance, eps = case.inputs.values()
        kind = nn.Linear if w.dim() == 2 else nn.Conv2d
        layer = kind(w.shape[1], w.shape[0], *([] if w.dim() == 2 else [tuple(w.shape[2:])]))
        layer.load_state_dict({"weight": w, "bias": b})
        norm = batchnorm.BatchNorm(len(b), eps=eps).eval()
        state = {"weight": gamma, "bias": beta, "running_mean": mean, "running_var": variance}
        norm.load_state_dict(state, strict=False)
        merged = batchnorm.fold(layer, norm)
        found = FOLD(**case.inputs)
        assert_close(found, (merged.weight.detach(), merged.bias.detach()))
        x = torch.randn(5, w.shape[1], *([] if w.dim() == 2 else [6, 6]))
        run = F.linear if w.dim() == 2 else F.conv2d
        assert_close(run(x, *found), norm(layer(x)), rtol=1e-4, atol=1e-5)


def test_the_examples_of_the_texts():
    x, one = tensor([[1.0], [5.0]]), torch.ones(1)
    y = FORWARD(x, 3 * one, one, 0 * one, one, training=True, eps=5.0)
    assert_close(y, tensor([[-1.0], [3.0]]))
    u = tensor([[1.0], [0.0]])
    by_inputs, by_gamma, by_beta = BACKWARD(u, x, 3 * one, 5.0)
    assert_close(by_inputs, tensor([[5 / 18], [-5 / 18]]))
    assert_close((by_gamma.item(), by_beta.item()), (-2 / 3, 1.0))
    assert BACKWARD(u, x, 3 * one, 0.0)[0].abs().max() < 1e-6
    assert RUNNING(0 * one, one, x, 0.25).tolist() == [[0.75], [2.75]]
    assert UNDO(x, 5.0).tolist() == [[3], [3], [3], [4]]
    folded = FOLD(tensor([[4.0]]), one, 3 * one, one, 3 * one, 4 * one, 5.0)
    assert [each.item() for each in folded] == [4, -1]


def test_the_biased_variance_is_short_by_a_share_in_the_mean():
    """Half of it for a batch of two, as the third question's explanation says."""
    pairs = torch.randn(4000, 2, generator=torch.Generator().manual_seed(0)).double()
    assert abs(pairs.var(1, unbiased=False).mean() - 0.5) < 0.03
    assert abs(pairs.var(1).mean() - 1) < 0.06


# ---- the notebook ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def notebook():
    return nbformat.read(source_path(HOMEWORK), as_version=4)


def test_every_question_has_an_answer_and_a_check(notebook):
    assert_cells_are_the_specs(HOMEWORK, notebook)


def test_the_notebooks_minutes_and_points_are_those_of_the_specs(notebook):
    assert_minutes_and_points_are_told(HOMEWORK, notebook)
    assert {q.seconds for q in HOMEWORK.questions} == {5.0}
    assert {q.memory for q in HOMEWORK.questions} == {1024}
    assert "may take 5 seconds of CPU time and 1 GiB of memory" in told(notebook)


def test_solutions_are_right(notebook):
    assert_solutions_are_right(HOMEWORK, notebook)


def test_explanations_are_for_instructors(notebook):
    assert_explanations_are_for_instructors(HOMEWORK, notebook)


def test_cells_are_short(notebook):
    assert_code_is_short(notebook)
