"""Every shipped question: its reference, its cases, its mistakes, and other right answers."""

import inspect
import re
import warnings

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from _judged import faults, is_finite, mistakes_of

from kdlab import losses
from kdlab.grading import check, find_homework, find_question, known_homeworks, known_ids
from kdlab.grading.observe import Observation, observe

QUESTIONS = [find_question(id) for id in known_ids()]
MISTAKES = mistakes_of(QUESTIONS)
each_question = pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.id)


def test_the_notebooks_find_their_questions():
    expected = (
        ["KD00-E1"] + [f"KD01-E{n}" for n in range(1, 5)] + [f"KD02-E{n}" for n in range(1, 8)]
    )
    expected += [f"KD0{lecture}-E{n}" for lecture in (3, 4, 5, 6, 7) for n in range(1, 4)]
    expected += [f"KD10-E{n}" for n in range(1, 6)]
    expected += [f"KD11-E{n}" for n in range(1, 5)]
    expected += [f"KD12-E{n}" for n in range(1, 5)]
    for homework in map(find_homework, known_homeworks()):
        count = len(homework.questions)
        expected += [f"{homework.id}-q{n}" for n in range(1, count + 1)]
    assert list(known_ids()) == expected


@each_question
def test_reference_is_right(question):
    result = check(question.id, question.reference)
    assert (result.status, result.cause) == ("right", "")


@pytest.mark.parametrize(("question", "mistake", "variant"), MISTAKES)
def test_mistake_is_wrong_and_recognised_by_name(question, mistake, variant):
    result = check(question.id, variant)
    # An index taken from the wrong dimension may be out of range.
    assert result.status in ("wrong", "error")
    assert result.cause == f"{mistake.name}: {mistake.because}"


@pytest.mark.parametrize(("question", "mistake", "variant"), MISTAKES)
def test_mistake_is_wrong_on_fresh_cases(question, mistake, variant):
    for seed in range(5):
        assert any(faults(question, variant, question.fresh_cases(seed)))


@pytest.mark.parametrize(("question", "mistake", "variant"), MISTAKES)
def test_mistake_is_tried_without_a_word(question, mistake, variant):
    # `check` tries them in a student's notebook, where a warning would be read as the student's.
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        for case in question.cases:
            observe(variant, case, gradient_of=question.comparison.gradient_of)
    assert not heard


@each_question
def test_reference_is_right_on_fresh_cases(question):
    for seed in range(5):
        for case in question.fresh_cases(seed):
            seen = observe(question.reference, case, gradient_of=question.comparison.gradient_of)
            assert isinstance(seen, Observation)
            assert seen.changed == ()
            assert is_finite(seen)


@each_question
def test_fresh_cases_follow_the_seed(question):
    def flat(seed):
        inputs = [value for case in question.fresh_cases(seed) for value in case.inputs.values()]
        # What isn't known may be NaN, which equals nothing.
        return torch.cat(
            [torch.as_tensor(value).double().nan_to_num(9e9).ravel() for value in inputs]
        )

    assert torch.equal(flat(3), flat(3))
    assert not torch.equal(flat(3), flat(4))


@each_question
def test_signature_names_the_inputs(question):
    named = re.findall(r"(\w+): ", question.signature.partition("(")[2])
    for case in (*question.cases, *question.fresh_cases(0)):
        assert list(case.inputs) == named
    assert question.name == re.match(r"\w+", question.signature)[0]


@each_question
def test_texts_are_there(question):
    assert question.title and question.statement and question.minutes in (5, 10, 15, 30)
    assert question.comparison.reason
    for mistake in question.mistakes:
        assert mistake.because.endswith(".") and not mistake.name.endswith(".")
    names = [mistake.name for mistake in question.mistakes]
    assert len(set(names)) == len(names)


def soften_by_loop(logits, temperature):
    rows = []
    for row in logits.tolist():
        powers = [np.exp((score - max(row)) / temperature) for score in row]
        rows.append([power / sum(powers) for power in powers])
    return rows


def entropy_in_numpy(probabilities):
    p = probabilities.numpy().astype(np.float64)
    return -np.where(p > 0, p * np.log(np.where(p > 0, p, 1)), 0).sum(axis=1)


def temperature_by_arithmetic_bisection(logits, probability):
    low, high = 0.01, 100.0
    while high - low > 1e-4 * low:
        middle = (low + high) / 2
        if (logits / middle).softmax(-1).max() > probability:
            low = middle
        else:
            high = middle
    return torch.tensor(high)


def looks_by_loop(logits, targets, wanted, temperature):
    best, best_index = -1.0, -1
    for index, (row, target) in enumerate(zip(logits, targets, strict=True)):
        score = float((row / temperature).softmax(0)[wanted])
        if target != wanted and score > best:
            best, best_index = score, index
    return best_index


def soft_by_kl_div(student_logits, teacher_logits, temperature):
    log_q = F.log_softmax(student_logits / temperature, 1)
    p = F.softmax(teacher_logits / temperature, 1).detach()
    return F.kl_div(log_q, p, reduction="batchmean") * temperature**2


def soft_by_cross_entropy(student_logits, teacher_logits, temperature):
    p = F.softmax(teacher_logits.detach().double() / temperature, 1)
    gap = (
        F.cross_entropy(student_logits.double() / temperature, p)
        - torch.special.entr(p).sum(1).mean()
    )
    return temperature**2 * gap


def whole_by_keywords(student_logits, teacher_logits, targets, *, temperature, lambda_):
    taught = soft_by_cross_entropy(student_logits, teacher_logits, temperature)
    rows = torch.arange(len(targets))
    labelled = -student_logits.log_softmax(1)[rows, targets].mean()
    return lambda_ * taught + (1 - lambda_) * labelled


def limit_by_einsum(z, v):
    classes = z.shape[1]
    centre = torch.eye(classes) - 1 / classes
    return torch.einsum("bc,cd->bd", z - v, centre) / classes


def limit_in_numpy(z, v):
    gap = z.numpy() - v.numpy()
    return (gap - gap.mean(axis=1, keepdims=True)) / gap.shape[1]


def bias_by_one_hot(logits, missing_class, bias):
    return logits + bias * F.one_hot(torch.tensor(missing_class), logits.shape[1])


def cohort_by_mutual_loss(logits, targets, learner, lambda_):
    others = [*logits[:learner], *logits[learner + 1 :]]
    weights = [lambda_ / len(others)] * len(others)
    return losses.mutual_loss(logits[learner], others, targets, temperature=1.0, weights=weights)


def cohort_by_probabilities(logits, targets, learner, lambda_):
    p, own = logits.detach().softmax(2), logits[learner].log_softmax(1)
    kept = [j for j in range(len(logits)) if j != learner]
    gaps = (p[kept] * (p[kept].log() - own)).sum(2).mean()
    return (1 - lambda_) * F.nll_loss(own, targets) + lambda_ * gaps


def rise_by_a_batched_product(weights, inputs, targets, noise, sigma):
    logits = torch.einsum("bf,dcf->dbc", inputs, weights + sigma * noise)
    noisy = F.cross_entropy(logits.flatten(0, 1), targets.repeat(len(noise)))
    return noisy - F.cross_entropy(inputs @ weights.T, targets)


def rise_in_place(weights, inputs, targets, noise, sigma):
    still = F.cross_entropy(inputs @ weights.T, targets)
    moved, found = weights.clone(), []
    for drawn in noise:
        moved += sigma * drawn
        found.append(F.cross_entropy(inputs @ moved.T, targets))
    return sum(found) / len(found) - still


def cohort_with_self(logits, targets, learner, lambda_):
    own = logits[learner].log_softmax(1)
    p = logits.detach().softmax(2)
    gaps = (p * (p.log() - own)).sum(2).mean()
    return (1 - lambda_) * F.nll_loss(own, targets) + lambda_ * gaps


@pytest.mark.parametrize(
    ("id", "fn"),
    [
        ("KD00-E1", lambda logits, targets: (logits.argmax(1) == targets).sum()),
        ("KD00-E1", lambda z, y: sum(int(row.argmax()) == int(t) for row, t in zip(z, y))),  # noqa: B905
        ("KD00-E1", lambda z, y: (z.numpy().argmax(axis=1) == y.numpy()).sum()),
        ("KD01-E1", soften_by_loop),
        ("KD01-E1", lambda z, t: (z.double() / t).softmax(-1)),
        ("KD01-E2", entropy_in_numpy),
        ("KD01-E2", lambda p: [float(-(r[r > 0] * r[r > 0].log()).sum()) for r in p]),
        ("KD01-E3", temperature_by_arithmetic_bisection),
        ("KD01-E4", looks_by_loop),
        ("KD02-E1", lambda alpha: 1 - int(alpha) if alpha == int(alpha) else 1 - alpha),
        ("KD02-E2", lambda w, lr: [1 - 1 / (w + 1), lr + w * lr]),
        ("KD02-E2", lambda w, lr: torch.tensor([w / (w + 1), lr + w * lr])),
        ("KD02-E3", soft_by_kl_div),
        ("KD02-E3", soft_by_cross_entropy),
        ("KD02-E4", whole_by_keywords),
        ("KD02-E5", limit_by_einsum),
        (
            "KD02-E5",
            lambda z, v: (
                (z.numpy() - v.numpy()) @ (np.eye(z.shape[1]) - 1 / z.shape[1]) / z.shape[1]
            ),
        ),
        ("KD02-E6", bias_by_one_hot),
        ("KD02-E7", lambda teacher_logits, indices: [teacher_logits[i] for i in indices]),
        ("KD06-E1", cohort_by_mutual_loss),
        ("KD06-E1", cohort_by_probabilities),
        ("KD06-E2", rise_by_a_batched_product),
        ("KD06-E3", lambda p, d, c, n, k: [4 * p * (k - 1), (k - 1) * (n * d + 4 * n * c)]),
        ("KD06-E3", lambda p, d, c, n, k: np.array([4 * p, n * (d + 4 * c)]) * (k - 1)),
    ],
)
def test_other_right_answers_are_right(id, fn):
    result = check(id, fn)
    assert result.status == "right", result


def test_softened_confidence_is_the_given_one():
    question = find_question("KD01-E3")
    for case in (*question.cases, *question.fresh_cases(1)):
        temperature = question.reference(**case.inputs)
        softened = losses.soften(case.inputs["logits"].double(), temperature=temperature)
        assert softened.max().item() == pytest.approx(case.inputs["probability"], rel=1e-6)
        assert 0.011 < temperature < 99


def soft_with_a_small_number(z, v, t):
    q, p = (z / t).softmax(1), (v.detach() / t).softmax(1)
    return t**2 * F.kl_div((q + 1e-8).log(), p, reduction="batchmean")


@pytest.mark.parametrize(
    ("id", "fn", "name"),
    [
        ("KD02-E1", lambda alpha: 1 / alpha - 1, "the ratio of the two weights"),
        ("KD02-E2", lambda w, rate: [w / (w + 1), w * rate], "learning rate times the weight"),
        ("KD02-E3", soft_with_a_small_number, "a small number inside the logarithm"),
        ("KD02-E3", lambda v, z, t: soft_by_kl_div(z, v, t), "KL swapped"),
        (
            "KD02-E3",
            lambda z, v, t: F.kl_div((z / t).log_softmax(1), (v.detach() / t).softmax(1)),
            "reduction='mean' and T^2 missing",
        ),
        (
            "KD02-E4",
            lambda z, v, y, t, w: (
                (1 - w) * F.cross_entropy(z, y) + w * soft_with_a_small_number(z, v, t)
            ),
            "a small number inside the logarithm",
        ),
        (
            "KD02-E5",
            lambda z, v: (z - z.mean() - v + v.mean()) / z.shape[1],
            "one mean for all rows",
        ),
        ("KD02-E5", lambda z, v: limit_by_einsum(z, v) * z.shape[1] / 10, "N = 10 written in"),
        ("KD02-E7", lambda cache, indices: cache[indices + 1], "off by one"),
        ("KD02-E7", lambda indices, cache: cache[indices], "arguments swapped"),
        ("KD06-E1", cohort_with_self, "divided by all learners"),
        ("KD06-E2", rise_in_place, "noise on top of noise"),
        ("KD06-E3", lambda p, d, c, n, k: [4 * p, n * (d + 4 * c)], "to one other only"),
    ],
)
@pytest.mark.filterwarnings("ignore:reduction:UserWarning")
def test_mistakes_written_otherwise_are_recognised(id, fn, name):
    assert check(id, fn).cause.startswith(f"{name}: ")


def test_converted_weights_give_the_same_step():
    z, v = torch.randn(2, 4, 5, dtype=torch.double)
    y = torch.tensor([0, 1, 2, 3])
    lambda_, learning_rate = find_question("KD02-E2").reference(3.0, 0.1)

    def step(loss, rate):
        student = z.clone().requires_grad_()
        return rate * torch.autograd.grad(loss(student), student)[0]

    unweighted = step(
        lambda s: F.cross_entropy(s, y) + 3 * losses.soft_target_loss(s, v, temperature=2.0), 0.1
    )
    convex = step(
        lambda s: losses.distillation_loss(s, v, y, temperature=2.0, lambda_=lambda_), learning_rate
    )
    torch.testing.assert_close(convex, unweighted)


def test_alpha_and_lambda_give_one_gradient():
    z, v = torch.randn(2, 4, 5)
    z.requires_grad_()
    y = torch.tensor([0, 1, 2, 3])
    lambda_ = find_question("KD02-E1").reference(0.25)
    crossed = F.cross_entropy(z / 2.0, losses.soften(v, temperature=2.0))
    theirs = 0.25 * F.cross_entropy(z, y) + 0.75 * 2.0**2 * crossed
    ours = losses.distillation_loss(z, v, y, temperature=2.0, lambda_=lambda_)
    # The losses differ by the teacher's entropy.
    assert theirs > ours
    torch.testing.assert_close(*(torch.autograd.grad(loss, z)[0] for loss in (ours, theirs)))


def test_high_temperature_gradient_is_the_limit():
    z, v = torch.randn(2, 4, 5, dtype=torch.double)
    limit = find_question("KD02-E5").reference(z, v)
    near = losses.soft_target_gradient(z, v, temperature=1e6)
    torch.testing.assert_close(near, limit, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("id", ["KD01-E1", "KD02-E3", "KD02-E4"])
def test_the_library_gives_the_reference(id):
    assert inspect.getmodule(find_question(id).reference).__name__ == "kdlab.losses.logits"
