"""Homework 5: its questions, and other right answers.

What holds for every question, such as that each mistake is recognised, stands in test_questions.
"""

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
from torch.func import functional_call
from torch.testing import assert_close

from kdlab import condense
from kdlab.condense.distances import class_embedding_distance, mean_embedding_distance
from kdlab.condense.unrolled import unroll
from kdlab.grading import check, find_homework, find_question
from kdlab.grading.places import source_path

HOMEWORK = find_homework("hw5")
MISTAKES = mistakes_of(HOMEWORK.questions)
each_question = pytest.mark.parametrize("question", HOMEWORK.questions, ids=lambda q: q.id)
MEANS, CLASSES, HERDING, ALIKE, UNROLLED = (q.reference for q in HOMEWORK.questions)


# ---- fairness ---------------------------------------------------------------------------------

# Right in ordinary cases, wrong in extreme ones; all other mistakes get nothing.
PARTIAL = {
    ("hw5-q1", "rounded away in float32"): 0.75,
    ("hw5-q2", "the mean of no example"): 0.75,
    ("hw5-q3", "the mean of nothing"): 0.75,
    ("hw5-q4", "a move of 0"): 0.75,
    ("hw5-q5", "the logarithm of 0"): 0.75,
}


@pytest.mark.parametrize(("question", "mistake", "variant"), MISTAKES)
def test_a_mistake_gets_the_same_whatever_inputs_are_drawn(question, mistake, variant):
    expected = PARTIAL.get((question.id, mistake.name), 0.0)
    for seed in range(20):
        assert share_of_points(question, variant, seed) == expected, f"seed {seed}"


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
    assert [question.id for question in HOMEWORK.questions] == [f"hw5-q{n}" for n in range(1, 6)]
    assert HOMEWORK.points == 20 and min(q.points for q in HOMEWORK.questions) > 0
    assert (HOMEWORK.id, HOMEWORK.name) == ("hw5", "hw5_condensation")


def test_each_question_stands_for_itself():
    assert not any(question.uses for question in HOMEWORK.questions)
    assert len({question.name for question in HOMEWORK.questions}) == len(HOMEWORK.questions)


@each_question
def test_fresh_cases_are_weighted_and_some_are_extreme(question):
    cases = question.fresh_cases(0)
    assert len({case.weight for case in cases}) > 1 and all(case.weight > 0 for case in cases)
    assert [case.extreme for case in cases[:2]] == [False, False]
    assert len(cases) > 2 and all(case.extreme for case in cases[2:])
    # What is extreme is shown before it is graded.
    assert {case.name for case in cases if case.extreme} <= {case.name for case in question.cases}
    assert len(question.cases) == len(cases)


# ---- the inputs -------------------------------------------------------------------------------


def in_doubles(case):
    return {
        name: value.double() if torch.is_tensor(value) and value.is_floating_point() else value
        for name, value in case.inputs.items()
    }


@each_question
def test_float32_is_enough(question):
    """The reference in float32 and in float64 agree, and half of the tolerance is left."""
    for seed in range(300):
        for case in question.fresh_cases(seed):
            single, double = (
                question.reference(*given)
                for given in (case.inputs.values(), in_doubles(case).values())
            )
            for mine, theirs in zip(flat(single), flat(double), strict=True):
                assert np.allclose(mine, theirs, rtol=5e-5, atol=5e-6)


def flat(answer):
    return [np.asarray(one) for one in (answer if isinstance(answer, tuple) else (answer,))]


def test_herding_has_one_clear_winner():
    for seed in range(50):
        for case in find_question("hw5-q3").fresh_cases(seed)[:2]:
            x, chosen = case.inputs.values()
            at, far = HERDING(x, chosen)
            assert at not in chosen
            others = [i for i in range(len(x)) if i not in chosen and i != at]
            means = (x[chosen].sum(0) + x[others]) / (len(chosen) + 1)
            assert (x.mean(0) - means).norm(dim=1).min() > far + 0.04


def test_synthetic_targets_are_never_in_order():
    for id in ("hw5-q2", "hw5-q4"):
        for seed in range(20):
            for case in find_question(id).fresh_cases(seed)[:2]:
                assert (case.inputs["synthetic_targets"].diff() < 0).any()


def test_moves_go_both_ways_and_stay_within_the_width():
    for case in find_question("hw5-q4").fresh_cases(3):
        moves, width = case.inputs["moves"], case.inputs["real"].shape[2]
        assert moves.abs().max() <= width
        assert case.extreme == (0 in moves)


# ---- right answers in other styles ----------------------------------------------------------


def means_by_loop(real, synthetic):
    total = 0
    for v in range(real.shape[1]):
        mine = sum(row[v] for row in real) / len(real)
        theirs = sum(row[v] for row in synthetic) / len(synthetic)
        total = total + (mine - theirs) ** 2
    return total


def means_by_einsum(real, synthetic):
    gap = torch.einsum("nv->v", real.double()) / real.shape[0]
    gap = gap - torch.einsum("mv->v", synthetic.double()) / synthetic.shape[0]
    return torch.einsum("v,v->", gap, gap)


def means_by_norm(real, synthetic):
    return torch.linalg.vector_norm(real.mean(0) - synthetic.mean(0)) ** 2


def means_by_the_kernel_in_doubles(real, synthetic):
    x, s = real.double(), synthetic.double()
    return (x @ x.T).mean() - 2 * (x @ s.T).mean() + (s @ s.T).mean()


def means_by_mse(real, synthetic):
    gap = F.mse_loss(synthetic.mean(0), real.detach().mean(0), reduction="sum")
    return gap.reshape(1)[0]


def classes_by_loop(real, real_targets, synthetic, synthetic_targets, *, classes):
    total = torch.zeros(())
    for c in range(classes):
        if c in real_targets:
            gap = real[real_targets == c].mean(0) - synthetic[synthetic_targets == c].mean(0)
            total = total + (gap**2).sum()
    return total


def classes_by_index_add(real, real_targets, synthetic, synthetic_targets, *, classes):
    def means(rows, targets):
        sums = torch.zeros(classes, rows.shape[1]).index_add(0, targets, rows)
        return sums / torch.bincount(targets, minlength=classes).clamp(min=1).unsqueeze(1)

    return F.mse_loss(means(synthetic, synthetic_targets), means(real, real_targets)) * (
        classes * real.shape[1]
    )


def classes_by_einsum(real, real_targets, synthetic, synthetic_targets, classes):
    there = real_targets.unique()
    mine = (real_targets == there[:, None]).double()
    theirs = (synthetic_targets == there[:, None]).double()
    mean = torch.einsum("cn,nv->cv", mine / mine.sum(1, keepdim=True), real.double())
    own = torch.einsum("cm,mv->cv", theirs / theirs.sum(1, keepdim=True), synthetic.double())
    return ((mean - own) ** 2).sum()


def classes_by_scatter(real, real_targets, synthetic, synthetic_targets, *, classes):
    def means(rows, targets):
        index = targets[:, None].expand_as(rows)
        zeros = torch.zeros(classes, rows.shape[1])
        return zeros.scatter_reduce(0, index, rows, "mean", include_self=False)

    gap = means(real, real_targets) - means(synthetic, synthetic_targets)
    return gap.flatten() @ gap.flatten()


def herding_by_loop(embeddings, chosen):
    best, best_far = -1, float("inf")
    taken = chosen.tolist()
    for i in range(len(embeddings)):
        if i not in taken:
            mean = sum(embeddings[j] for j in [*taken, i]) / (len(taken) + 1)
            far = (embeddings.mean(dim=0) - mean).norm().item()
            if far < best_far:
                best, best_far = i, far
    return best, best_far


def herding_in_numpy(embeddings, chosen):
    x, taken = embeddings.numpy().astype(np.float64), chosen.numpy()
    rest = np.setdiff1d(np.arange(len(x)), taken)
    far = np.linalg.norm(x.mean(0) - (x[taken].sum(0) + x[rest]) / (len(taken) + 1), axis=1)
    return [rest[far.argmin()], far.min()]


def herding_by_min(embeddings, chosen):
    k = chosen.numel() + 1
    target = k * embeddings.mean(0) - embeddings[chosen].sum(0)
    far = torch.cdist(embeddings, target[None])[:, 0] / k
    least, at = far.index_fill(0, chosen, 1e9).min(dim=0)
    return at, least


def alike_by_loop(real, real_targets, synthetic, synthetic_targets, moves, factors):
    def change(image, c):
        out = torch.zeros_like(image)
        width = image.shape[1]
        for j in range(width):
            k = j - int(moves[c])
            if 0 <= k < width:
                out[:, j] = image[:, k]
        return out.mean() + factors[c] * (out - out.mean())

    return (
        torch.stack([change(one, c) for one, c in zip(real, real_targets, strict=True)]),
        torch.stack([change(one, c) for one, c in zip(synthetic, synthetic_targets, strict=True)]),
    )


def alike_in_numpy(real, real_targets, synthetic, synthetic_targets, moves, factors):
    def change(images, targets):
        images, found = images.numpy().astype(np.float64), []
        for image, c in zip(images, targets.tolist(), strict=True):
            by, width = int(moves[c]), image.shape[1]
            moved = np.zeros_like(image)
            moved[:, max(by, 0) : width + min(by, 0)] = image[:, max(-by, 0) : width - max(by, 0)]
            found.append(moved.mean() + float(factors[c]) * (moved - moved.mean()))
        return np.stack(found)

    return change(real, real_targets), change(synthetic, synthetic_targets)


def alike_by_matrices(real, real_targets, synthetic, synthetic_targets, moves, factors):
    """A move is a product with a matrix of ones beside the diagonal."""
    width = real.shape[2]
    shifts = torch.stack(
        [
            torch.eye(width).roll(int(by), 1).tril()
            if by < 0
            else torch.eye(width).roll(int(by), 1).triu()
            for by in moves
        ]
    )
    shifts[moves.abs() == width] = 0

    def change(images, targets):
        moved = torch.einsum("nhw,nwv->nhv", images, shifts[targets])
        mean = moved.mean(dim=(1, 2), keepdim=True)
        return mean + factors[targets].view(-1, 1, 1) * (moved - mean)

    return change(real, real_targets), change(synthetic, synthetic_targets)


def alike_by_padding(real, real_targets, synthetic, synthetic_targets, moves, factors):
    """Both sides as one batch, padded far enough, and cut out again."""
    images, rows = torch.cat([real, synthetic]), torch.cat([real_targets, synthetic_targets])
    width = images.shape[2]
    padded = F.pad(images, (width, width))
    moved = torch.stack(
        [one[:, width - by : 2 * width - by] for one, by in zip(padded, moves[rows], strict=True)]
    )
    flat = moved.flatten(1)
    changed = torch.lerp(flat.mean(1, keepdim=True), flat, factors[rows][:, None])
    return changed.view_as(images).split([len(real), len(synthetic)])


def unrolled_by_functional(images, labels, weights, step_size, real, targets):
    def loss(s, size):
        logp = (s @ weights).log_softmax(1)
        slope = s.T @ (logp.exp() - labels) / len(s)
        return F.cross_entropy(real @ (weights - size * slope), targets)

    return torch.autograd.functional.jacobian(loss, (images, torch.tensor(step_size)))


def unrolled_by_backward(images, labels, weights, step_size, real, targets):
    s = images.double().requires_grad_()
    w = weights.double().requires_grad_()
    size = torch.tensor(step_size, dtype=torch.float64, requires_grad=True)
    inner = -(labels * F.log_softmax(s @ w, dim=1)).sum() / len(s)
    (g,) = torch.autograd.grad(inner, [w], create_graph=True)
    F.cross_entropy(real.double() @ (w - size * g), targets).backward(inputs=[s, size])
    return s.grad, size.grad


def unrolled_by_differences(images, labels, weights, step_size, real, targets):
    """Central differences in numpy, no gradient at all."""
    s, y, w, x = (t.numpy().astype(np.float64) for t in (images, labels, weights, real))

    def log_p(z):
        z = z - z.max(1, keepdims=True)
        return z - np.log(np.exp(z).sum(1, keepdims=True))

    def loss(s, size):
        slope = s.T @ (np.exp(log_p(s @ w)) - y) / len(s)
        return -log_p(x @ (w - size * slope))[np.arange(len(x)), targets.numpy()].mean()

    h, found = 1e-5, np.zeros_like(s)
    for place in np.ndindex(s.shape):
        step = np.zeros_like(s)
        step[place] = h
        found[place] = (loss(s + step, step_size) - loss(s - step, step_size)) / (2 * h)
    size = (loss(s, step_size + h) - loss(s, step_size - h)) / (2 * h)
    return found, size


def unrolled_by_a_module(images, labels, weights, step_size, real, targets):
    model = nn.Linear(*weights.shape, bias=False)
    model.load_state_dict({"weight": weights.T})
    s, size = images.clone().requires_grad_(), torch.tensor(step_size, requires_grad=True)
    loss = F.cross_entropy(model(s), labels)
    [slope] = torch.autograd.grad(loss, model.parameters(), create_graph=True)
    after = functional_call(model, {"weight": model.weight - size * slope}, (real,))
    return torch.autograd.grad(F.cross_entropy(after, targets), [s, size])


STYLES = {
    "hw5-q1": (
        means_by_loop,
        means_by_einsum,
        means_by_norm,
        means_by_the_kernel_in_doubles,
        means_by_mse,
    ),
    "hw5-q2": (classes_by_loop, classes_by_index_add, classes_by_einsum, classes_by_scatter),
    "hw5-q3": (herding_by_loop, herding_in_numpy, herding_by_min),
    "hw5-q4": (alike_by_loop, alike_in_numpy, alike_by_matrices, alike_by_padding),
    "hw5-q5": (
        unrolled_by_functional,
        unrolled_by_backward,
        unrolled_by_differences,
        unrolled_by_a_module,
    ),
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


def two_backward_passes(images, labels, weights, step_size, real, targets):
    s, w = images.clone().requires_grad_(), weights.clone().requires_grad_()
    eta = torch.tensor(step_size, requires_grad=True)
    F.cross_entropy(s @ w, labels).backward(create_graph=True)
    F.cross_entropy(real @ (w - eta * w.grad), targets).backward()
    return s.grad, eta.grad


def farther_along(x, taken):
    missing = (len(taken) + 1) * x.mean(0) - x[taken].sum(0)
    products = [-np.inf if i in taken else float(row @ missing) for i, row in enumerate(x)]
    best = int(np.argmax(products))
    mean = x[[*taken, best]].mean(0)
    return best, float((x.mean(0) - mean).norm())


def step_by_an_optimizer(images, labels, weights, step_size, real, targets):
    """What one writes first: an optimizer's step, which forgets the images."""
    s, w = images.clone().requires_grad_(), weights.clone().requires_grad_()
    F.cross_entropy(s @ w, labels).backward(inputs=[w])
    with torch.no_grad():
        w -= step_size * w.grad
    size = torch.tensor(step_size, requires_grad=True)
    return torch.autograd.grad(F.cross_entropy(real @ w, targets), (s, size))


@pytest.mark.parametrize(
    ("id", "fn", "name"),
    [
        ("hw5-q1", lambda x, s: F.mse_loss(s.mean(0), x.mean(0)), "a mean over the values"),
        (
            "hw5-q1",
            lambda x, s: torch.cdist(x, s).square().mean(),
            "a distance of examples instead of means",
        ),
        (
            "hw5-q2",
            lambda x, y, s, t, classes: (x.mean(0) - s.mean(0)).pow(2).sum(),
            "blind to classes",
        ),
        (
            "hw5-q2",
            lambda x, y, s, t, n: CLASSES(x[y > 0], y[y > 0], s[t > 0], t[t > 0], n),
            "the first class left out",
        ),
        (
            "hw5-q3",
            lambda x, taken: (
                torch.cdist(x, x.mean(0, True))[:, 0].index_fill(0, taken, 99).min(0)[::-1]
            ),
            "those chosen before forgotten",
        ),
        (
            "hw5-q4",
            lambda x, y, s, t, m, f: (ALIKE(x, y, s, t, m, f)[0], s.clone()),
            "the synthetic side left as it is",
        ),
        (
            "hw5-q3",
            lambda x, taken: farther_along(x, taken.tolist()),
            "the largest product with what is missing",
        ),
        (
            "hw5-q4",
            lambda x, y, s, t, m, f: ALIKE(x, y, s, y[: len(s)], m, f),
            "the real classes for both sides",
        ),
        ("hw5-q5", step_by_an_optimizer, "the step isn't part of the graph"),
        ("hw5-q5", two_backward_passes, "both losses' gradients in .grad"),
    ],
)
@pytest.mark.filterwarnings("ignore:Using backward")
def test_mistakes_written_otherwise_are_recognised(id, fn, name):
    result = check(id, fn)
    assert result.status in ("wrong", "error") and result.cause.startswith(f"{name}: "), result


# ---- what the texts claim, and that the library does the same ---------------------------------


def test_the_library_has_the_same_distances():
    for case in find_question("hw5-q1").fresh_cases(2):
        assert_close(MEANS(**case.inputs), mean_embedding_distance(**case.inputs))
    for case in find_question("hw5-q2").fresh_cases(2):
        assert_close(CLASSES(**case.inputs), class_embedding_distance(**case.inputs))


def test_steps_in_a_row_are_the_library_s_herding():
    x = torch.randn(12, 3, generator=torch.Generator().manual_seed(4))
    theirs = condense.pick_herding(x, torch.zeros(12, dtype=torch.int64), per_class=6)
    chosen = tensor([], dtype=torch.int64)
    for _ in range(6):
        at, _ = HERDING(x, chosen)
        chosen = torch.cat([chosen, tensor([at])])
    assert chosen.tolist() == theirs.tolist()


def test_a_factor_is_the_library_s_contrast_and_a_move_its_shift():
    case = find_question("hw5-q4").fresh_cases(0)[0]
    x, y, s, t, _, factors = case.inputs.values()
    x, s = torch.rand(len(y), 8, 8), torch.rand(len(t), 8, 8)
    classes, moves = len(factors), tensor([1, -2, 3])
    none = torch.zeros(classes)
    omega = condense.Omega(
        turn=torch.eye(2).expand(classes, 2, 2),
        # What is read further left has moved to the right.
        shift=torch.stack([-moves / 8, none], dim=1),
        hole=torch.zeros(classes, 2),
        hole_side=none,
        brightness=none,
        saturation=none + 1,
        contrast=factors,
    )
    theirs = [
        condense.augment(images[:, None], rows, omega)[:, 0] for images, rows in ((x, y), (s, t))
    ]
    assert_close(ALIKE(x, y, s, t, moves, factors), tuple(theirs), rtol=1e-4, atol=1e-5)


def test_the_unrolled_gradient_is_the_library_s():
    for case in find_question("hw5-q5").fresh_cases(1)[:2]:
        s, y, w, size, x, t = in_doubles(case).values()
        model = nn.Sequential(nn.Flatten(), nn.Linear(*w.shape, bias=False)).double()
        model.load_state_dict({"1.weight": w.T})
        # An image of one pixel, and a channel for each feature.
        s, x = s[:, :, None, None], x[:, :, None, None]
        s, sizes = s.requires_grad_(), tensor([size]).double().requires_grad_()
        loss = F.cross_entropy(functional_call(model, unroll(model, s, y, sizes), (x,)), t)
        by_images, by_size = torch.autograd.grad(loss, (s, sizes))
        mine = UNROLLED(*in_doubles(case).values())
        assert_close(mine, (by_images.flatten(1), by_size[0]), rtol=1e-6, atol=1e-7)


def test_the_examples_of_the_texts():
    distance = MEANS(tensor([[1.0, 0.0], [3.0, 2.0]]), tensor([[0.0, 1.0]]))
    assert distance.item() == 4
    real, y, synthetic = tensor([[1.0], [2.0], [6.0]]), tensor([0, 0, 1]), tensor([[4.0], [1.0]])
    assert CLASSES(real, y, synthetic, tensor([1, 0]), 2).item() == 4.25
    assert CLASSES(real, y, synthetic, tensor([0, 1]), 2).item() == 31.25
    assert MEANS(real, synthetic).item() == 0.25
    line = tensor([[0.0], [1.0], [2.0], [5.0]])
    assert HERDING(line, tensor([1])) == (2, 0.5)
    assert abs(line.mean() - (line[1] + line[3]) / 2).item() == 1
    row, zero = tensor([[[3.0, 6.0, 9.0]]]), tensor([0])
    moved, _ = ALIKE(row, zero, row, zero, tensor([1]), tensor([2.0]))
    assert moved.tolist() == [[[-3, 3, 9]]]
    one = tensor([[1.0]])
    found = UNROLLED(one, tensor([[1.0, 0.0]]), torch.zeros(1, 2), 2.0, one, tensor([0]))
    assert_close(
        torch.stack([each.flatten()[0] for each in found]),
        tensor([-0.2384, -0.1192]),
        rtol=0,
        atol=5e-5,
    )


def test_pairs_pull_all_synthetic_examples_to_the_mean():
    """What the first question's explanation says of the mean of pairs' distances."""
    x, s = torch.randn(6, 3), torch.randn(4, 3, requires_grad=True)
    [slope] = torch.autograd.grad((x[:, None] - s).square().sum(2).mean(), s)
    assert_close(slope, 2 * (s.detach() - x.mean(0)) / 4)


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
