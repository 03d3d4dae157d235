"""Homework 4: its questions, and other right answers.

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
from torch import tensor
from torch.testing import assert_close

from kdlab import privileged
from kdlab.grading import check, find_homework, find_question
from kdlab.grading.observe import observe
from kdlab.grading.places import source_path
from kdlab.grading.questions._common import some_known

HOMEWORK = find_homework("hw4")
MISTAKES = mistakes_of(HOMEWORK.questions)
each_question = pytest.mark.parametrize("question", HOMEWORK.questions, ids=lambda q: q.id)
WEIGHTS, RESPONSES, STUDENT, TWO, THREE, TARGETS = (q.reference for q in HOMEWORK.questions)


# ---- fairness ---------------------------------------------------------------------------------

# Right in ordinary cases, wrong in extreme ones; all other mistakes get nothing.
PARTIAL = {
    ("hw4-q1", "divided by 1 - lambda"): 0.75,
    ("hw4-q2", "0 times NaN"): 0.75,
    ("hw4-q3", "rounded away in float32"): 0.75,
    ("hw4-q4", "0 divided by 0"): 0.6,
    ("hw4-q4", "not 1 / g where both are equal"): 0.6,
    ("hw4-q4", "taken for equal too soon"): 0.8,
    ("hw4-q4", "digits lost where they nearly agree"): 0.8,
    ("hw4-q5", "0 divided by 0"): 0.6,
    ("hw4-q5", "two equal ones forgotten"): 0.6,
    ("hw4-q5", "moved apart too little"): 0.6,
    ("hw4-q5", "digits lost where they nearly agree"): 0.8,
    ("hw4-q6", "0 times NaN"): 0.8,
    ("hw4-q6", "exp overflows"): 0.8,
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
    assert [question.id for question in HOMEWORK.questions] == [f"hw4-q{n}" for n in range(1, 7)]
    assert HOMEWORK.points == 20 and min(q.points for q in HOMEWORK.questions) > 0
    assert (HOMEWORK.id, HOMEWORK.name) == ("hw4", "hw4_privileged")


def test_each_question_stands_for_itself():
    assert not any(question.uses for question in HOMEWORK.questions)
    assert len({question.name for question in HOMEWORK.questions}) == len(HOMEWORK.questions)


@each_question
def test_reference_is_right_on_fresh_cases_by_position_and_by_name(question):
    for seed in range(20):
        for case in question.fresh_cases(seed):
            by_name = question.reference(**case.inputs)
            assert_close(question.reference(*case.inputs.values()), by_name)
            assert np.isfinite(observe(question.reference, case).value).all()


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


def test_something_is_known_and_something_is_not():
    for seed in range(20):
        for count in (2, 5, 8):
            known = some_known(torch.Generator().manual_seed(seed), count)
            assert known.dtype == torch.bool and known.shape == (count,)
            assert 0 < known.sum() < count


def test_inputs_of_the_fit_are_well_apart():
    """Else float32 would cost more than the tolerance, in a right answer as well."""
    for seed in range(100):
        for case in find_question("hw4-q3").fresh_cases(seed)[:2]:
            rows = case.inputs["weights"].sqrt()[:, None] * case.inputs["inputs"]
            assert torch.linalg.cond(rows) < 20


@pytest.mark.parametrize("id", ["hw4-q4", "hw4-q5"])
def test_probabilities_are_as_the_text_says(id):
    for seed in range(50):
        for case in (*find_question(id).cases, *find_question(id).fresh_cases(seed)):
            g = case.inputs["probabilities"]
            assert g.dtype == torch.float64 and g.min() >= 0.001 and g.max() < 1
            if id == "hw4-q5":
                assert_close(g.sum(dim=1), torch.ones(len(g)).double(), rtol=0, atol=1e-12)


# ---- right answers in other styles ----------------------------------------------------------


def weights_by_loop(known, *, sigma, teacher_sigma, lambda_):
    labels, answers = [], []
    for heard in known:
        labels.append((1 - lambda_ if heard else 1) / sigma**2)
        answers.append(lambda_ / teacher_sigma**2 if heard else 0)
    return labels, answers


def weights_in_numpy(known, *, sigma, teacher_sigma, lambda_):
    on = known.numpy().astype(np.float64)
    return np.stack([1 - lambda_ * on, lambda_ * on]) / np.array([[sigma], [teacher_sigma]]) ** 2


def weights_in_place(known, *, sigma, teacher_sigma, lambda_):
    both = torch.zeros(len(known), 2)
    both[:, 0] = sigma**-2
    both[known, 0] *= 1 - lambda_
    both[known, 1] += lambda_ / teacher_sigma / teacher_sigma
    return both.T


def weights_by_a_second_derivative(known, *, sigma, teacher_sigma, lambda_):
    """The objective itself, with torch's normal densities, bent twice."""
    f = torch.zeros(len(known), dtype=torch.float64, requires_grad=True)
    label = torch.distributions.Normal(f, sigma).log_prob(torch.ones_like(f))
    answer = torch.distributions.Normal(f, teacher_sigma).log_prob(torch.ones_like(f))
    heard = known.double()
    found = []
    for part in (-(1 - lambda_ * heard) * label, -lambda_ * heard * answer):
        [slope] = torch.autograd.grad(part.sum(), f, create_graph=True)
        found.append(torch.autograd.grad(slope.sum(), f)[0])
    return tuple(found)


def weights_by_position(known, sigma, teacher_sigma, lambda_):
    return (
        torch.where(known, (1 - lambda_) * sigma**-2, sigma**-2),
        known * lambda_ * teacher_sigma**-2,
    )


def responses_by_loop(targets, teacher, label_weights, teacher_weights):
    rows = zip(targets, teacher, label_weights, teacher_weights, strict=True)
    found = [(float((a * y + b * s) / (a + b)) if b else float(y), a + b) for y, s, a, b in rows]
    return [y for y, _ in found], [float(weight) for _, weight in found]


def responses_in_numpy(targets, teacher, label_weights, teacher_weights):
    y, s, a, b = (t.numpy() for t in (targets, teacher, label_weights, teacher_weights))
    s = np.nan_to_num(s)
    return np.average([y, s], axis=0, weights=[a, b]), a + b


def responses_by_the_gain(targets, teacher, label_weights, teacher_weights):
    weights = label_weights + teacher_weights
    moved = torch.nan_to_num(teacher_weights / weights * (teacher - targets))
    return torch.stack([targets + moved, weights])


def responses_where_known(targets, teacher, label_weights, teacher_weights):
    on = teacher_weights > 0
    responses, weights = targets.clone().double(), (label_weights + teacher_weights).double()
    pulled = label_weights[on] * targets[on] + teacher_weights[on] * teacher[on]
    responses[on] = pulled.double() / weights[on]
    return responses, weights


def responses_by_nanmean(targets, teacher, label_weights, teacher_weights):
    both = torch.stack([label_weights * targets, teacher_weights * teacher])
    total = label_weights + teacher_weights
    return both.nansum(dim=0) / total, total


def student_by_normal_equations(inputs, responses, weights):
    x, r, c = inputs.double(), responses.double(), torch.diag(weights.double())
    return torch.linalg.solve(x.T @ c @ x, x.T @ c @ r)


def student_in_numpy(inputs, responses, weights):
    roots = np.sqrt(weights.numpy().astype(np.float64))
    x, r = inputs.numpy().astype(np.float64), responses.numpy().astype(np.float64)
    return np.linalg.lstsq(x * roots[:, None], r * roots, rcond=None)[0]


def student_by_qr(inputs, responses, weights):
    roots = weights.double().sqrt().unsqueeze(1)
    q, r = torch.linalg.qr(roots * inputs)
    right = q.T @ (roots * responses.unsqueeze(1))
    return torch.linalg.solve_triangular(r, right, upper=True).squeeze(1)


def student_by_updates(inputs, responses, weights):
    """One example after another, from a prior that says all but nothing."""
    w = torch.zeros(inputs.shape[1], dtype=torch.float64)
    covariance = 1e9 * torch.eye(len(w), dtype=torch.float64)
    order = weights.argsort()
    rows = zip(*(each[order].double() for each in (inputs, responses, weights)), strict=True)
    for x, y, c in rows:
        gain = covariance @ x / (x @ covariance @ x + 1 / c)
        w = w + gain * (y - w @ x)
        covariance = covariance - torch.outer(gain, x @ covariance)
    return w


def student_by_newton(inputs, responses, weights):
    w = torch.zeros(inputs.shape[1], dtype=torch.float64)

    def loss(w):
        return (weights.double() * (responses - inputs.double() @ w).square()).sum()

    for _ in range(2):
        slope = torch.autograd.functional.jacobian(loss, w)
        w = w - torch.linalg.solve(torch.autograd.functional.hessian(loss, w), slope)
    return w


def two_by_loop(probabilities):
    found = []
    for first, second in probabilities.tolist():
        close = abs(first - second) < 1e-6 * first
        found.append(1 / first if close else math.log(first / second) / (first - second))
    return found


def two_by_expm1(probabilities):
    gap = (probabilities[:, 0] / probabilities[:, 1]).log()
    mean = torch.where(gap == 0, 1.0, torch.expm1(gap) / gap)
    return 1 / (probabilities[:, 1] * mean)


def two_in_numpy(probabilities):
    points, widths = np.polynomial.legendre.leggauss(20)
    s = (points + 1) / 2
    first, second = np.log(probabilities.numpy()).T
    return 1 / (np.exp(np.outer(first, s) + np.outer(second, 1 - s)) @ widths / 2)


def two_by_trapezoids(probabilities):
    s = torch.linspace(0, 1, 1001, dtype=torch.float64)
    curve = probabilities[:, :1] ** s * probabilities[:, 1:] ** (1 - s)
    return 1 / torch.trapezoid(curve, s, dim=1)


def two_by_sinh(probabilities):
    half = probabilities.log().diff(dim=1)[:, 0] / 2
    return 1 / (probabilities.prod(dim=1).sqrt() * torch.where(half == 0, 1, half.sinh() / half))


def three_by_a_series(probabilities):
    """Sum of h_n(c) / (n + 2)!, the exponents shifted to 0 and above."""
    found = []
    for row in probabilities.log():
        c = (row - row.min()).tolist()
        total, monomials = 0.0, [1.0, 1.0, 1.0]
        for degree in range(60):
            total += monomials[2] / math.factorial(degree + 2)
            one = c[0] * monomials[0]
            two = one + c[1] * monomials[1]
            monomials = [one, two, two + c[2] * monomials[2]]
        found.append(math.exp(-row.min()) / total)
    return found


def three_in_numpy(probabilities):
    """Midpoints of small squares below the diagonal, the halves on it by their centres."""
    n = 400
    i, j = (index + 0.5 for index in np.meshgrid(np.arange(n), np.arange(n), indexing="ij"))
    inside, edge = i + j < n - 0.5, np.abs(i + j - n) < 0.5
    first = np.concatenate([i[inside], i[edge] - 1 / 6]) / n
    second = np.concatenate([j[inside], j[edge] - 1 / 6]) / n
    areas = np.concatenate([np.ones(inside.sum()), np.full(edge.sum(), 0.5)]) / n**2
    logs = np.log(probabilities.numpy())
    powers = [np.exp(a * first + b * second + c * (1 - first - second)) for a, b, c in logs]
    return 1 / np.array([areas @ power for power in powers])


def three_by_strips(probabilities):
    """The edge's mean on each strip of the triangle, by Hermite and Genocchi."""
    nodes, widths = np.polynomial.legendre.leggauss(30)
    found = []
    for a, b, c in np.log(probabilities.numpy()):
        total = 0.0
        for u, du in zip((nodes + 1) / 2, widths / 2, strict=True):
            edge = np.exp((b + (c - b) * (nodes + 1) / 2) * u) @ widths / 2
            total += du * u * np.exp(a * (1 - u)) * edge
        found.append(1 / total)
    return np.float32(found)


def three_by_steps(probabilities):
    """The inner integral in closed form, the outer one by Simpson's rule."""
    g1, g2, g3 = (column[:, None] for column in probabilities.unbind(dim=1))
    s = torch.linspace(0, 1, 201, dtype=torch.float64)
    rate = torch.log(g2 / g3)
    length = torch.where(rate.abs() < 1e-9, 1 - s, torch.expm1(rate * (1 - s)) / rate)
    curve = g1**s * g3 ** (1 - s) * length
    simpson = torch.ones(201, dtype=torch.float64)
    simpson[1:-1:2], simpson[2:-1:2] = 4, 2
    return 600 / (curve @ simpson)


def three_by_an_exponential(probabilities):
    """A divided difference of exp is a corner of the exponential of a bidiagonal matrix."""
    tables = torch.diag_embed(probabilities.log())
    tables[:, [0, 1], [1, 2]] = 1.0
    return 1 / torch.linalg.matrix_exp(tables)[:, 0, 2]


def targets_by_loop(teacher_logits, targets, known, *, lambda_, temperature):
    rows = []
    for logits, target, heard in zip(teacher_logits, targets, known, strict=True):
        row = torch.zeros(len(logits))
        row[target] = 1 - lambda_ if heard else 1
        if heard:
            row += lambda_ * torch.softmax(logits / temperature, dim=0)
        rows.append(row.tolist())
    return rows


def targets_in_numpy(teacher_logits, targets, known, *, lambda_, temperature):
    v = np.nan_to_num(teacher_logits.numpy().astype(np.float64)) / temperature
    p = np.exp(v - v.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    share = lambda_ * known.numpy()[:, None]
    return (1 - share) * np.eye(v.shape[1])[targets.numpy()] + share * p


def targets_by_lerp(teacher_logits, targets, known, *, lambda_, temperature):
    logits = torch.where(known[:, None], teacher_logits, torch.zeros_like(teacher_logits))
    weights = (lambda_ * known.float())[:, None]
    hard = F.one_hot(targets, logits.shape[1]).float()
    return torch.lerp(hard, F.softmax(logits / temperature, dim=-1), weights.expand_as(hard))


def targets_by_scatter(teacher_logits, targets, known, *, lambda_, temperature):
    logits = teacher_logits.double().nan_to_num()
    q = lambda_ * (logits - logits.amax(1, True)).div(temperature).softmax(1)
    q[~known] = 0
    return q.scatter_add(1, targets[:, None], 1 - q.sum(dim=1, keepdim=True))


def targets_by_a_gradient(teacher_logits, targets, known, *, lambda_, temperature):
    """The loss is linear in the student's logarithms: minus its slope is the row."""
    log_q = torch.zeros_like(teacher_logits, requires_grad=True)
    loss = 0
    for row, logits, target, heard in zip(log_q, teacher_logits, targets, known, strict=True):
        taught = -((logits / temperature).softmax(0) * row).sum()
        label = -row[target]
        loss = loss + ((1 - lambda_) * label + lambda_ * taught if heard else label)
    return -torch.autograd.grad(loss, log_q)[0]


STYLES = {
    "hw4-q1": (
        weights_by_loop,
        weights_in_numpy,
        weights_in_place,
        weights_by_a_second_derivative,
        weights_by_position,
    ),
    "hw4-q2": (
        responses_by_loop,
        responses_in_numpy,
        responses_by_the_gain,
        responses_where_known,
        responses_by_nanmean,
    ),
    "hw4-q3": (
        student_by_normal_equations,
        student_in_numpy,
        student_by_qr,
        student_by_updates,
        student_by_newton,
    ),
    "hw4-q4": (two_by_loop, two_by_expm1, two_in_numpy, two_by_trapezoids, two_by_sinh),
    "hw4-q5": (
        three_by_a_series,
        three_in_numpy,
        three_by_strips,
        three_by_steps,
        three_by_an_exponential,
    ),
    "hw4-q6": (
        targets_by_loop,
        targets_in_numpy,
        targets_by_lerp,
        targets_by_scatter,
        targets_by_a_gradient,
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


def slide(known, sigma, teacher_sigma, lambda_):
    """The slide's weights."""
    heard = known.float()
    return (1 - heard + (1 - lambda_) * heard) * sigma**2, lambda_ * heard * teacher_sigma**2


def printed(probabilities):
    """The theorem's constant, as it stands there."""
    k = probabilities.shape[1]
    factor = (-1) ** k * k ** (k / 2) * 2 ** (-k * (k - 1) / 2)
    return factor * (probabilities * probabilities.log()).prod(dim=1)


def quotients(probabilities):
    found = []
    for row in probabilities:
        terms = [
            row[k] / math.prod(torch.log(row[k] / row[k - j]) for j in (1, 2)) for k in (0, 1, 2)
        ]
        found.append(1 / sum(terms))
    return torch.stack(found)


@pytest.mark.parametrize(
    ("id", "fn", "name"),
    [
        ("hw4-q1", slide, "variances instead of precisions"),
        (
            "hw4-q2",
            lambda y, s, a, b: (torch.where(b > 0, y / 2 + s / 2, y), b + a),
            "a plain mean",
        ),
        ("hw4-q3", lambda x, r, c: torch.linalg.pinv(x) @ r, "the weights not used"),
        (
            "hw4-q3",
            lambda x, r, c: torch.linalg.pinv(c[:, None] * x) @ (c * r),
            "the weights squared",
        ),
        ("hw4-q4", printed, "the constant of the shifted orthant"),
        ("hw4-q5", printed, "the printed constant"),
        ("hw4-q5", quotients, "0 divided by 0"),
        (
            "hw4-q6",
            lambda v, y, k, w, t: F.one_hot(y, v.shape[1]) * (1 - w) + F.softmax(v / t, -1) * w,
            "the teacher used where it isn't known",
        ),
        # Each of these has a counterpart, with which its name could be exchanged.
        ("hw4-q1", lambda k, s, t, w: ((1 - w * k.float()) / s**2, k / t**2), "lambda is missing"),
        ("hw4-q6", lambda v, y, k, w, t: TARGETS(v, y, k, 1.0, t), "the teacher alone"),
        ("hw4-q6", lambda v, y, k, w, t: TARGETS(v, y, k, w, 1 / t), "T on the wrong side"),
    ],
)
def test_mistakes_written_otherwise_are_recognised(id, fn, name):
    result = check(id, fn)
    assert result.status == "wrong" and result.cause.startswith(f"{name}: "), result


# ---- what the texts claim, and that the library does the same ---------------------------------


def drawn(seed, examples=12, features=3):
    """Return inputs, labels, answers and for which of them an answer is known."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(examples, features, generator=generator, dtype=torch.float64)
    y, s = torch.randn(2, examples, generator=generator, dtype=torch.float64)
    return x, y, s, some_known(generator, examples)


NOISE = {"sigma": 0.8, "teacher_sigma": 0.3, "lambda_": 0.35}


def test_the_first_three_questions_in_a_row_are_the_library_s_student():
    for seed in range(5):
        x, y, s, known = drawn(seed)
        responses, weights = RESPONSES(
            y, s.masked_fill(~known, torch.nan), *WEIGHTS(known, **NOISE)
        )
        theirs = privileged.pseudo_responses(y, s, known, **NOISE)
        assert_close((responses, weights), theirs, rtol=0, atol=1e-12)
        student = privileged.fit_student(x, y, s, known, **NOISE)
        assert_close(STUDENT(x, responses, weights), student, rtol=0, atol=1e-12)


def test_that_student_has_the_largest_weighted_likelihood():
    x, y, s, known = drawn(7)
    student = STUDENT(x, *RESPONSES(y, s, *WEIGHTS(known, **NOISE))).requires_grad_()
    likelihood = privileged.weighted_log_likelihood(student, x, y, s, known, **NOISE)
    [slope] = torch.autograd.grad(likelihood, student)
    assert slope.abs().max() < 1e-10
    for seed in range(5):
        step = 0.1 * torch.randn(3, generator=torch.Generator().manual_seed(seed)).double()
        moved = privileged.weighted_log_likelihood(student + step, x, y, s, known, **NOISE)
        assert moved < likelihood


def test_the_objective_is_half_the_squares_and_a_constant():
    x, y, s, known = drawn(3)
    a, b = WEIGHTS(known, **NOISE)
    gaps = []
    for w in torch.eye(3, dtype=torch.float64):
        squares = (a * (y - x @ w) ** 2 + b * (s - x @ w) ** 2).sum() / 2
        gaps.append(squares + privileged.weighted_log_likelihood(w, x, y, s, known, **NOISE))
    assert_close(torch.stack(gaps), gaps[0].expand(3), rtol=0, atol=1e-10)


def test_what_the_square_leaves_over_has_no_part_in_f():
    y, s, a, b = tensor([1.0, -2.0]), tensor([3.0, 0.5]), tensor([3.0, 0.7]), tensor([1.0, 2.0])
    response, weight = RESPONSES(y, s, a, b)
    for f in (-1.0, 0.0, 2.5):
        whole = a * (y - f) ** 2 + b * (s - f) ** 2
        rest = a * b / (a + b) * (y - s) ** 2
        assert_close(whole, weight * (response - f) ** 2 + rest)


def test_the_examples_of_the_first_three_questions():
    a, b = WEIGHTS(tensor([True]), sigma=0.5, teacher_sigma=2, lambda_=0.25)
    assert (a.item(), b.item()) == (3, 1 / 16)
    one = [tensor([value]) for value in (1.0, 3.0, 3.0, 1.0)]
    assert [each.item() for each in RESPONSES(*one)] == [1.5, 4]
    x, r = tensor([[1.0], [2.0]]), tensor([1.0, 1.0])
    assert_close(STUDENT(x, r, tensor([3.0, 1.0])), tensor([5 / 7]).double())
    assert_close(STUDENT(x, r, tensor([1.0, 1.0])), tensor([3 / 5]).double())


def test_the_slide_s_weights_favour_the_noisier():
    noise = {"sigma": 1.0, "teacher_sigma": 0.2, "lambda_": 0.5}
    a, b = WEIGHTS(tensor([True]), **noise)
    wrong_a, wrong_b = slide(tensor([True]), *noise.values())
    assert_close((b / a).item(), 25.0)
    assert_close((wrong_b / wrong_a).item(), 1 / 25)


def test_the_examples_of_the_constants():
    assert_close(TWO(tensor([[0.5, 0.25]]))[0].item(), 4 * math.log(2))
    assert_close(THREE(tensor([[0.5, 0.3, 0.2]]).double())[0].item(), 6.3239, rtol=0, atol=5e-5)
    third = torch.full((1, 3), 1 / 3).double()
    assert_close((TWO(third[:, :2]).item(), THREE(third).item()), (3.0, 6.0))


@pytest.mark.parametrize("id", ["hw4-q4", "hw4-q5"])
def test_the_constant_makes_the_density_integrate_to_1(id):
    for case in find_question(id).fresh_cases(1):
        for g in case.inputs["probabilities"]:
            whole = privileged.integrate(
                lambda s, g=g: (s @ g.log()).exp(), support="simplex", classes=len(g)
            )
            c = find_question(id).reference(g[None])
            assert_close(c.item() * whole, 1.0, rtol=1e-12, atol=0)


def test_close_ones_in_the_quotients_have_no_digit_left():
    g = tensor([[1 / 3, 1 / 3 + 1e-9, 1 / 3 - 1e-9]], dtype=torch.float64)
    assert not abs(quotients(g).item() - 6) < 1
    assert_close(THREE(g).item(), 6.0)
    third = torch.full((1, 3), 1 / 3, dtype=torch.float64)
    for apart in (1e-7, 1e-6, 1e-5):
        moved = third * (1 + apart * tensor([0.0, 1.0, -2.0]).double())
        assert abs(quotients(moved).item() / 6 - 1) > 1e-4


def test_the_quotient_of_two_close_ones_is_off_by_up_to_a_tenth():
    first, second = 0.3, 0.3 * (1 + 3e-15)
    naive = math.log(first / second) / (first - second)
    assert 0.01 < abs(naive * first - 1) < 0.12
    assert_close(TWO(tensor([[first, second]], dtype=torch.float64)).item(), 1 / 0.3)


def test_the_example_of_targets():
    logits, label = tensor([[2 * math.log(3), 0.0]]), tensor([1])
    found = TARGETS(logits, label, tensor([True]), lambda_=0.5, temperature=2)
    assert_close(found, tensor([[0.375, 0.625]]))


def test_cross_entropy_towards_the_targets_has_the_gradient_of_the_library_s_loss():
    for case in find_question("hw4-q6").fresh_cases(0)[:2]:
        v, y, known, lambda_, temperature = case.inputs.values()
        student = torch.randn(v.shape, requires_grad=True)
        ours = privileged.generalized_loss(
            student, v / temperature, y, lambda_=lambda_, known=known
        )
        theirs = F.cross_entropy(student, TARGETS(**case.inputs))
        assert_close(*(torch.autograd.grad(loss, student)[0] for loss in (ours, theirs)))


def test_a_softened_student_s_terms_make_no_row_of_the_same_slope():
    """The slope of cross-entropy towards q is softmax(z) - q, with one q for every z."""
    v, y = tensor([[2.0, 0.0, -1.0]]), tensor([0])
    rows = []
    for z in (tensor([[0.0, 0.0, 0.0]]), tensor([[1.0, -1.0, 0.5]])):
        z.requires_grad_()
        loss = privileged.generalized_loss(z, v, y, lambda_=0.5, temperature=2.0)
        rows.append(z.softmax(1).detach() - torch.autograd.grad(loss, z)[0])
    assert (rows[0] - rows[1]).abs().max() > 0.02


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
