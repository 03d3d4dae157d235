"""Lecture 10's questions: right answers in several styles, and the library as their oracle."""

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from _homeworks import look_alike
from _judged import assert_right
from torch import tensor
from torch.testing import assert_close

from kdlab import privileged
from kdlab.grading import check, find_question

IDS = tuple(f"KD10-E{n}" for n in range(1, 6))
AS_NOISE, COMBINED, LOG_CONSTANT, FREE_STUDENT, FLOOR = map(find_question, IDS)


def noise_by_precisions(sigma, teacher_sigma, lambda_):
    a, b = (1 - lambda_) * sigma**-2, lambda_ * teacher_sigma**-2
    return torch.tensor([a, b]).rsqrt()


def noise_in_numpy(sigma, teacher_sigma, lambda_):
    return np.array([sigma, teacher_sigma]) * np.power([1 - lambda_, lambda_], -0.5)


def combined_by_regression(target, teacher, label_sigma, teacher_sigma):
    """As one example of I: sigmas at which lambda = 1/2 leaves these precisions."""
    half = {"sigma": label_sigma / math.sqrt(2), "teacher_sigma": teacher_sigma / math.sqrt(2)}
    y, s, known = tensor([target]).double(), tensor([teacher]).double(), tensor([True])
    response, precision = privileged.pseudo_responses(y, s, known, lambda_=0.5, **half)
    return response[0], precision[0].rsqrt()


def combined_by_the_gain(target, teacher, label_sigma, teacher_sigma):
    """A filter's way: move from the label towards the answer."""
    gain = label_sigma**2 / (label_sigma**2 + teacher_sigma**2)
    return [target + gain * (teacher - target), label_sigma * math.sqrt(1 - gain)]


def combined_in_numpy(target, teacher, label_sigma, teacher_sigma):
    x, deviations = np.ones((2, 1)), np.array([label_sigma, teacher_sigma])
    precision = (x.T / deviations**2) @ x
    number = np.linalg.solve(precision, (x.T / deviations**2) @ [target, teacher])
    return np.float32(number[0]), np.float32(precision[0, 0] ** -0.5)


def constant_by_loop(probabilities, lowest):
    return [
        sum(math.log(-math.log(g)) - lowest * math.log(g) for g in row)
        for row in probabilities.tolist()
    ]


def constant_by_product(probabilities, lowest):
    g = probabilities.double()
    return torch.log(torch.prod(torch.log(1 / g) * g**-lowest, dim=1))


def constant_by_quadrature(probabilities, lowest):
    """Integrate each class numerically, up to where nothing is left."""
    rates = -np.log(probabilities.double().numpy())
    steps = (np.arange(200_000) + 0.5) / 200_000 * 40
    integrals = np.exp(-rates[..., None] * (lowest + steps / rates[..., None])).sum(-1)
    return -np.log(integrals * 40 / 200_000 / rates).sum(-1)


def student_by_loop(answers, lowest):
    columns = zip(*answers.tolist(), strict=True)
    return [math.exp(-len(answers) / sum(s - lowest for s in column)) for column in columns]


def student_in_numpy(answers, lowest):
    return np.exp(-1 / (answers.numpy().astype(np.float64).mean(0) - lowest))


def student_by_a_search(answers, lowest):
    """Climb the log density itself, in a = log(1/g)."""
    a = torch.ones(answers.shape[1], dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([a], max_iter=200, tolerance_grad=1e-12, tolerance_change=0)

    def closure():
        optimizer.zero_grad()
        density = (a.abs().log() + lowest * a.abs() - answers * a.abs()).sum()
        (-density).backward()
        return -density

    optimizer.step(closure)
    return (-a.abs()).exp().detach()


def floor_by_losses(student_logits, truth_logits):
    truth = truth_logits.softmax(dim=1)
    return F.cross_entropy(student_logits, truth), F.cross_entropy(truth_logits, truth)


def floor_by_loop(student_logits, truth_logits):
    sums = [0.0, 0.0]
    for z, v in zip(student_logits.tolist(), truth_logits.tolist(), strict=True):
        total = sum(map(math.exp, v))
        for place, scores in enumerate((z, v)):
            log_total = math.log(sum(map(math.exp, scores)))
            sums[place] += sum(
                math.exp(b) / total * (log_total - a) for a, b in zip(scores, v, strict=True)
            )
    return [each / len(student_logits) for each in sums]


def floor_in_double(student_logits, truth_logits):
    p, log_q = truth_logits.double().softmax(1), student_logits.double().log_softmax(1)
    return -torch.einsum("bc,bc->", p, log_q) / len(p), torch.special.entr(p).sum(1).mean()


STYLES = {
    "KD10-E1": (noise_by_precisions, noise_in_numpy),
    "KD10-E2": (combined_by_regression, combined_by_the_gain, combined_in_numpy),
    "KD10-E3": (constant_by_loop, constant_by_product, constant_by_quadrature),
    "KD10-E4": (student_by_loop, student_in_numpy, student_by_a_search),
    "KD10-E5": (floor_by_losses, floor_by_loop, floor_in_double),
}


@pytest.mark.parametrize(("id", "style"), [(id, fn) for id, fns in STYLES.items() for fn in fns])
def test_other_right_answers_are_right(id, style):
    assert_right(id, style)


@pytest.mark.parametrize("id", IDS)
def test_the_first_visible_case_tells_two_mistakes_apart(id):
    assert look_alike(find_question(id)) == []


def test_lambda_read_as_noise_leaves_the_student_where_it_was():
    """Without lambda, an answer is one more row."""
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(12, 3, dtype=torch.float64, generator=generator)
    y, s = torch.randn(2, 12, dtype=torch.float64, generator=generator)
    known = torch.ones(12, dtype=torch.bool)
    sigma, teacher_sigma = AS_NOISE.reference(0.7, 0.2, 0.3)
    weighed = privileged.fit_student(x, y, s, known, sigma=0.7, teacher_sigma=0.2, lambda_=0.3)
    plain = torch.cat([x / sigma, x / teacher_sigma])
    plain = torch.linalg.lstsq(plain, torch.cat([y / sigma, s / teacher_sigma])[:, None])
    assert_close(weighed, plain.solution[:, 0], rtol=0, atol=1e-12)


@pytest.mark.parametrize(("lowest", "support"), [(0.0, "orthant"), (-1.0, "shifted orthant")])
def test_the_constant_is_the_library_s(lowest, support):
    for seed in range(5):
        g = LOG_CONSTANT.fresh_cases(seed)[0].inputs["probabilities"].double()
        ours = LOG_CONSTANT.reference(g, lowest)
        assert_close(ours, privileged.log_constant(g, support=support), rtol=1e-12, atol=1e-12)


def test_the_printed_constant_is_right_above_minus_1_for_one_and_two_classes():
    for classes in (1, 2, 3):
        g = torch.linspace(0.2, 0.6, classes, dtype=torch.float64)[None]
        gap = LOG_CONSTANT.reference(g, -1.0) - privileged.published_log_constant(g)
        assert (gap.abs().item() < 1e-12) == (classes < 3)


def test_under_the_likeliest_student_the_mean_is_the_mean_answer():
    for case in FREE_STUDENT.fresh_cases(0):
        g = FREE_STUDENT.reference(**case.inputs)
        # The library's corners are 0 and -1: from any other one, 0 is a shift away.
        mean = case.inputs["lowest"] + privileged.mean_answer(g, support="orthant")
        assert_close(mean.to(g), case.inputs["answers"].mean(dim=0), rtol=1e-4, atol=1e-5)


def test_the_numbers_of_the_exercises():
    assert_close(
        tensor(COMBINED.reference(1.0, 2.0, 2.0, 0.4)), tensor([1.9615, 0.3922]), rtol=0, atol=5e-5
    )
    assert_close(AS_NOISE.reference(1.0, 1.0, 0.25)[1], 2.0)
    likeliest = FREE_STUDENT.reference(tensor([[0.9, 0.09, 0.01]]), -1.0)
    assert_close(likeliest, tensor([0.591, 0.400, 0.372]), rtol=0, atol=5e-4)


def test_the_floor_is_the_library_s():
    truth = privileged.draw_linear_truth(seed=0)
    logits = truth.logits(truth.test_inputs)
    expected, floor = FLOOR.reference(logits / 10, logits)
    assert_close(float(floor), truth.floor(truth.test_inputs))
    assert expected > floor


def printed_by_hand(g, lowest):
    k = g.shape[1]
    return torch.log((-1) ** k * k ** (k / 2) * 2 ** (-k * (k - 1) / 2) * (g * g.log()).prod(1))


def weighed_by_the_slide(target, teacher, label_sigma, teacher_sigma):
    weights = np.array([label_sigma, teacher_sigma]) ** 2
    return np.average([target, teacher], weights=weights), np.sum(1 / weights) ** -0.5


@pytest.mark.parametrize(
    ("id", "fn", "name"),
    [
        ("KD10-E2", weighed_by_the_slide, "variances as weights"),
        ("KD10-E3", printed_by_hand, "the printed constant"),
        ("KD10-E4", lambda s, lowest: s.sum(0) / len(s), "what cross-entropy likes best"),
    ],
)
def test_a_mistake_written_otherwise_is_recognised(id, fn, name):
    assert check(id, fn).cause.startswith(f"{name}: ")
