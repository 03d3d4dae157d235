"""Homework 1: its questions, other right answers, and the data of question 6.

What holds for every question, such as that each mistake is recognised, stands in test_questions.
"""

import subprocess
import sys
from pathlib import Path

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
    graded_cells,
    look_alike,
    share_of_points,
    told,
)
from _judged import assert_right, faults, mistakes_of

from kdlab.grading import check, find_homework, find_question
from kdlab.grading.questions.hw1_temperature import digits, training

HOMEWORK = find_homework("hw1")
COMPARED, TRAINED = HOMEWORK.questions[:5], HOMEWORK.questions[5]
SOURCE = Path(__file__).parents[2] / "notebooks" / "homework" / "hw1_temperature.ipynb"
MISTAKES = mistakes_of(COMPARED)
each_compared = pytest.mark.parametrize("question", COMPARED, ids=lambda question: question.id)


# ---- fairness ---------------------------------------------------------------------------------

# Right in ordinary cases, wrong in extreme ones; all other mistakes get nothing.
PARTIAL = {
    ("hw1-q1", "unstable exp"): 0.5,
    ("hw1-q1", "one maximum for the whole batch"): 0.5,
    ("hw1-q1", "maximum not divided by T"): 0.5,
    ("hw1-q1", "digits lost to a large number"): 0.75,
    ("hw1-q1", "NaN replaced"): 0.5,
    ("hw1-q1", "minimum instead of maximum subtracted"): 0.75,
    ("hw1-q2", "NaN at zeros"): 0.5,
    ("hw1-q2", "NaN replaced in the whole row"): 0.5,
    ("hw1-q3", "the logarithm of a softmax"): 0.75,
    ("hw1-q3", "a small number inside the logarithm"): 0.5,
    ("hw1-q4", "unstable exp"): 0.75,
    ("hw1-q5", "the logarithm of a softmax"): 0.75,
    ("hw1-q5", "a small number inside the logarithm"): 0.5,
    ("hw1-q5", "the logarithm of a softmax in the label term"): 0.75,
}


@pytest.mark.parametrize(("question", "mistake", "variant"), MISTAKES)
def test_a_mistake_gets_the_same_whatever_inputs_are_drawn(question, mistake, variant):
    expected = PARTIAL.get((question.id, mistake.name), 0.0)
    for seed in range(8):
        assert share_of_points(question, variant, seed) == expected, f"seed {seed}"


@each_compared
def test_the_first_visible_case_tells_two_mistakes_apart(question):
    assert look_alike(question) == []


# ---- the set as a whole ---------------------------------------------------------------------


def test_ids_are_in_order_and_points_sum_to_20():
    assert [question.id for question in HOMEWORK.questions] == [f"hw1-q{n}" for n in range(1, 7)]
    assert HOMEWORK.points == 20 and min(q.points for q in HOMEWORK.questions) > 0
    assert (HOMEWORK.id, HOMEWORK.name) == ("hw1", "hw1_temperature")


def test_uses_name_earlier_questions():
    earlier = []
    for question in HOMEWORK.questions:
        assert set(question.uses) <= set(earlier)
        earlier.append(question.id)
    assert find_question("hw1-q6").uses


def test_names_differ():
    names = [question.name for question in HOMEWORK.questions]
    assert len(set(names)) == len(names)


def test_no_digit_is_loaded_before_question_6_is_asked_for():
    code = (
        "import sys; from kdlab.grading import check, find_homework\n"
        "check('hw1-q2', lambda p: p); list(find_homework('hw1').questions[5].cases)\n"
        "print('sklearn' in sys.modules)"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "False"


# ---- questions 1 to 5: compared -------------------------------------------------------------


@each_compared
def test_reference_is_right_on_fresh_cases_by_position_and_by_name(question):
    for seed in range(20):
        for case in question.fresh_cases(seed):
            by_name = question.reference(**case.inputs)
            torch.testing.assert_close(question.reference(*case.inputs.values()), by_name)
            assert torch.isfinite(by_name).all()


@each_compared
def test_fresh_cases_are_weighted_and_one_is_extreme(question):
    cases = question.fresh_cases(0)
    assert len(cases) >= 3 and all(case.weight > 0 for case in cases)
    assert len({case.weight for case in cases}) > 1 or question.id == "hw1-q1"
    names = " ".join(case.name for case in cases)
    assert "10,000" in names or "certain" in names


def softmax_by_loop(logits, temperature):
    rows = []
    for row in logits.tolist():
        powers = [np.exp((score - max(row)) / temperature) for score in row]
        rows.append([power / sum(powers) for power in powers])
    return rows


def softmax_by_einsum(logits, temperature):
    powers = ((logits - logits.amax(-1, keepdim=True)) / temperature).exp()
    return torch.einsum("bc,b->bc", powers, 1 / torch.einsum("bc->b", powers))


def softmax_in_numpy(logits, temperature):
    scaled = logits.numpy().astype(np.float64) / temperature
    powers = np.exp(scaled - scaled.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def softmax_in_float32(logits, temperature):
    scaled = logits.numpy() / np.float32(temperature)
    powers = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def entropy_by_loop(probabilities):
    return [-sum(p * np.log(p) for p in row if p > 0) for row in probabilities.tolist()]


def entropy_by_einsum(probabilities):
    return -torch.einsum("bc,bc->b", probabilities, probabilities.clamp_min(1e-30).log())


def entropy_in_numpy(probabilities):
    p = probabilities.numpy()
    return -np.where(p > 0, p * np.log(np.where(p > 0, p, 1)), 0).sum(axis=1)


def entropy_of_categorical(probabilities):
    logs = torch.where(probabilities > 0, probabilities.double().log(), 0)
    return -(probabilities * logs).sum(-1)


def loss_by_loop(student_logits, teacher_logits, *, temperature):
    total = 0.0
    for z, v in zip(student_logits, teacher_logits.tolist(), strict=True):
        powers = [np.exp((score - max(v)) / temperature) for score in v]
        log_q = z / temperature - torch.logsumexp(z / temperature, 0)
        for i, power in enumerate(powers):
            p = power / sum(powers)
            total = total + (p * (np.log(p) - log_q[i]) if p > 0 else 0.0)
    return temperature**2 * total / len(student_logits)


def loss_by_einsum(student_logits, teacher_logits, *, temperature):
    log_q = (student_logits / temperature).log_softmax(-1)
    log_p = (teacher_logits.detach() / temperature).log_softmax(-1)
    kl = torch.einsum("bc,bc->", log_p.exp(), log_p - log_q)
    return temperature**2 * kl / student_logits.shape[0]


def loss_with_a_teacher_in_numpy(student_logits, teacher_logits, *, temperature):
    p = torch.from_numpy(softmax_in_numpy(teacher_logits.detach(), temperature))
    log_q = (student_logits.double() / temperature).log_softmax(1)
    return temperature**2 * (torch.xlogy(p, p) - p * log_q).sum(1).mean()


def loss_in_float64(student_logits, teacher_logits, temperature):
    q, p = student_logits.double() / temperature, teacher_logits.detach().double() / temperature
    gap = F.log_softmax(p, 1) - F.log_softmax(q, 1)
    return (p.softmax(1) * gap).sum(1).mean() * temperature**2


def loss_by_kl_div(student_logits, teacher_logits, *, temperature):
    log_q = F.log_softmax(student_logits / temperature, dim=1)
    p = F.softmax(teacher_logits / temperature, dim=1).detach()
    return F.kl_div(log_q, p, reduction="batchmean") * temperature**2


def gradient_by(softmax):
    def fn(student_logits, teacher_logits, *, temperature):
        q, p = (
            torch.as_tensor(softmax(logits, temperature))
            for logits in (student_logits, teacher_logits)
        )
        return temperature * (q - p) / len(q)

    return fn


def gradient_by_autograd(student_logits, teacher_logits, *, temperature):
    z = student_logits.clone().requires_grad_()
    return torch.autograd.grad(loss_by_kl_div(z, teacher_logits, temperature=temperature), z)[0]


def gradient_by_loop(student_logits, teacher_logits, *, temperature):
    q, p = (softmax_by_loop(logits, temperature) for logits in (student_logits, teacher_logits))
    scale = temperature / len(q)
    return [[scale * (a - b) for a, b in zip(x, y, strict=True)] for x, y in zip(q, p, strict=True)]


def whole_by(soft):
    def fn(student_logits, teacher_logits, targets, *, temperature, lambda_):
        taught = soft(student_logits, teacher_logits, temperature=temperature)
        return (1 - lambda_) * F.cross_entropy(student_logits, targets) + lambda_ * taught

    return fn


def whole_by_loop(student_logits, teacher_logits, targets, *, temperature, lambda_):
    labelled = 0.0
    for z, target in zip(student_logits, targets.tolist(), strict=True):
        labelled = labelled + torch.logsumexp(z, 0) - z[target]
    taught = loss_by_loop(student_logits, teacher_logits, temperature=temperature)
    return (1 - lambda_) * labelled / len(targets) + lambda_ * taught


STYLES = {
    "hw1-q1": (
        softmax_by_loop,
        softmax_by_einsum,
        softmax_in_float32,
        lambda logits, temperature: torch.softmax(logits / temperature, -1),
        softmax_in_numpy,
    ),
    "hw1-q2": (
        entropy_by_loop,
        entropy_by_einsum,
        lambda probabilities: -torch.xlogy(probabilities, probabilities).sum(-1),
        entropy_of_categorical,
        entropy_in_numpy,
    ),
    "hw1-q3": (
        loss_by_loop,
        loss_by_einsum,
        loss_in_float64,
        loss_by_kl_div,
        loss_with_a_teacher_in_numpy,
    ),
    "hw1-q4": (
        gradient_by_loop,
        gradient_by(softmax_by_einsum),
        gradient_by(softmax_in_float32),
        gradient_by_autograd,
        gradient_by(softmax_in_numpy),
    ),
    "hw1-q5": (
        whole_by_loop,
        whole_by(loss_by_einsum),
        whole_by(loss_in_float64),
        whole_by(loss_by_kl_div),
        whole_by(loss_with_a_teacher_in_numpy),
    ),
}


@pytest.mark.parametrize(
    ("id", "style"), [(id, style) for id in STYLES for style in range(len(STYLES[id]))]
)
def test_five_styles_are_right(id, style):
    fn, question = STYLES[id][style], find_question(id)
    result = check(id, fn)
    assert result.status == "right", result
    for seed in range(20):
        assert not any(faults(question, fn, question.fresh_cases(seed)))


def test_gradient_is_that_of_the_loss():
    loss, gradient = find_question("hw1-q3").reference, find_question("hw1-q4").reference
    z, v = torch.randn(2, 4, 5, dtype=torch.double)
    z.requires_grad_()
    found = torch.autograd.grad(loss(z, v, temperature=3.0), z)[0]
    torch.testing.assert_close(gradient(z.detach(), v, temperature=3.0), found)


# ---- question 6: measured -------------------------------------------------------------------


def errors(seed, **changes):
    (case,) = TRAINED.fresh_cases(seed)
    answer = training.train_student(**case.inputs, **changes)
    return TRAINED.comparison.measure(answer.numpy(), case.hidden)


def share(count):
    return next((share for most, share in TRAINED.comparison.levels if count <= most), 0.0)


@pytest.mark.parametrize("seed", range(5))
def test_distillation_reaches_full_marks(seed):
    assert share(errors(seed)) == 1


@pytest.mark.parametrize("seed", range(5))
def test_labels_alone_reach_nothing(seed):
    assert share(errors(seed, lambda_=0.0)) == 0


def test_a_high_temperature_is_what_helps():
    cold, hot = (sum(errors(seed, temperature=t) for seed in range(3)) for t in (1.0, 8.0))
    assert cold > hot + 3 * 20


def test_measured_numbers_hold():
    distilled = [errors(seed) for seed in range(3)]
    assert all(64 <= count <= 109 for count in distilled)
    assert all(46 <= digits.teacher_errors(seed) <= 61 for seed in range(3))


def test_visible_case_is_within_reach():
    (case,) = TRAINED.cases
    answer = training.train_student(**case.inputs)
    assert share(TRAINED.comparison.measure(answer.numpy(), case.hidden)) == 1
    assert share(TRAINED.comparison.measure(answer.softmax(1).numpy(), case.hidden)) == 1


def test_training_leaves_the_global_generator_alone():
    before = torch.get_rng_state()
    errors(0)
    assert torch.equal(torch.get_rng_state(), before)


def test_same_seed_same_case():
    (one,), (same,), (other,) = (TRAINED.fresh_cases(seed) for seed in (3, 3, 4))
    for name, value in one.inputs.items():
        first, second, third = map(torch.as_tensor, (value, same.inputs[name], other.inputs[name]))
        assert torch.equal(first, second) and not torch.equal(first, third)
    assert torch.equal(one.hidden["targets"], same.hidden["targets"])


def test_sets_are_of_the_promised_form():
    for case in (*TRAINED.cases, *TRAINED.fresh_cases(2)):
        inputs = case.inputs
        assert list(inputs) == ["images", "targets", "teacher_logits", "test_images", "seed"]
        assert inputs["images"].shape == (30, 12, 12)
        assert inputs["test_images"].shape == (1000, 12, 12)
        assert inputs["targets"].bincount().tolist() == [3] * 10
        assert inputs["teacher_logits"].shape == (30, 10)
        assert case.hidden["targets"].shape == (1000,)


def test_no_digit_stands_in_two_parts():
    _, targets = digits._digits()
    train, tests = digits._split(targets, torch.Generator().manual_seed(5))
    drawn = torch.cat([train, tests])
    assert len(drawn.unique()) == len(drawn) == 1030
    assert drawn.min() >= digits._TEACHERS


def test_the_camera_turns_and_mirrors():
    image = torch.zeros(1, 1, 28, 28)
    image[..., :14, :14] = 1.0
    upright = digits.photograph(image)[0, 0]
    turned = digits.photograph(image, angle=np.pi / 2)[0, 0]
    torch.testing.assert_close(turned, upright.rot90(1), rtol=0, atol=1e-5)
    mirrored = digits.photograph(image, mirrored=True)[0, 0]
    torch.testing.assert_close(mirrored, upright.flip(1), rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (np.zeros(1000), r"^expected shape \[1000, 10\], ten scores for each test image$"),
        (np.zeros((10, 1000)), r"^expected shape \[1000, 10\]"),
        ((np.zeros(3), "x"), r"^expected shape \[1000, 10\]"),
        ("all of them", r"^expected shape \[1000, 10\]"),
        (np.full((1000, 10), np.nan), r"^the scores of 1000 images are NaN or infinite$"),
    ],
)
def test_answers_of_another_form_are_refused(answer, message):
    hidden = {"targets": torch.zeros(1000, dtype=torch.int64)}
    with pytest.raises(ValueError, match=message):
        TRAINED.comparison.measure(answer, hidden)


def test_errors_are_counted():
    hidden = {"targets": torch.arange(10).repeat(100)}
    scores = np.tile(np.eye(10), (100, 1))
    assert TRAINED.comparison.measure(scores, hidden) == 0
    assert TRAINED.comparison.measure(-scores, hidden) == 1000
    assert TRAINED.comparison.measure(np.roll(scores, 1, axis=1) + 2 * scores, hidden) == 0
    scores[:7] = np.roll(scores[:7], 1, axis=1)
    assert TRAINED.comparison.measure(scores, hidden) == 7


# ---- the notebook ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def notebook():
    return nbformat.read(SOURCE, as_version=4)


def test_every_question_has_an_answer_and_a_check(notebook):
    assert_cells_are_the_specs(HOMEWORK, notebook)


def test_the_notebooks_minutes_and_points_are_those_of_the_specs(notebook):
    assert_minutes_and_points_are_told(HOMEWORK, notebook)
    text = told(notebook)
    (all_at, _), (half_at, _) = TRAINED.comparison.levels
    assert f"at most {all_at} errors" in text and f"at most {half_at}" in text
    assert {q.seconds for q in HOMEWORK.questions[:-1]} == {5.0} and "may take 5 seconds" in text
    assert HOMEWORK.questions[-1].seconds == 20.0 and "question 6 20 seconds" in text
    assert "the limit is 20 seconds" in text
    assert {q.memory for q in HOMEWORK.questions} == {1024} and "1 GiB" in text


def test_solutions_are_right(notebook):
    cells = graded_cells(notebook)
    space: dict = {}
    exec(cells["hw1-imports"].source, space)
    for question in HOMEWORK.questions:
        exec(cells[question.id].source, space)
        if question is not TRAINED:
            assert_right(question.id, space[question.name])
    (case,) = TRAINED.fresh_cases(0)
    with torch.random.fork_rng():
        answer = space["train_student"](**case.inputs)
    assert share(TRAINED.comparison.measure(answer.numpy(), case.hidden)) == 1


def test_explanations_are_for_instructors(notebook):
    assert_explanations_are_for_instructors(HOMEWORK, notebook)


def test_cells_are_short(notebook):
    assert_code_is_short(notebook)
