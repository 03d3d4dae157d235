"""Bugs that really shipped elsewhere (course/losses.md), planted here one by one.

A check takes an implementation and fails with AssertionError where it is wrong. Each check
passes on ours, and each planted bug is caught by the check that is named for it.
"""

import time
from contextlib import contextmanager, nullcontext
from types import SimpleNamespace

import pytest
import torch
import torch.nn.functional as F
from _probes import Probe, same, sgd, small_batches, small_net, small_set, weights

from kdlab import losses, schemes
from kdlab.schemes import history, offline, predict

HINTON = {"temperature": 4.0, "lambda_": 0.7}


def logits(batch=6, classes=10, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return 3 * torch.randn(2, batch, classes, generator=generator, dtype=torch.double)


# --- checks of a loss(student_logits, teacher_logits, *, temperature)


def check_definition(loss):
    """T^2 times the batch mean of sum p ln(p / q), p the teacher's, at T = 1."""
    z, v = logits()
    p, q = v.softmax(dim=1), z.softmax(dim=1)
    expected = (p * (p / q).log()).sum() / len(z)
    assert torch.allclose(loss(z, v, temperature=1.0), expected)


def check_scale_over_temperature(loss):
    """The gradient tends to (z~ - v~) / (N batch) as T grows, so it neither fades nor blows up."""
    z, v = logits()
    centred = (z - z.mean(dim=1, keepdim=True)) - (v - v.mean(dim=1, keepdim=True))
    z.requires_grad_()
    loss(z, v, temperature=1e5).backward()
    assert torch.allclose(z.grad, centred / 60, atol=1e-4)


def check_gradient_at_t_4(loss):
    """T (q - p) / batch."""
    z, v = logits()
    expected = 4 * ((z / 4).softmax(dim=1) - (v / 4).softmax(dim=1)) / 6
    z.requires_grad_()
    loss(z, v, temperature=4.0).backward()
    assert torch.allclose(z.grad, expected)


def check_unlike_is_not_zero(loss):
    """Two different predictions have a positive loss that pulls at the student."""
    z, v = logits()
    z.requires_grad_()
    value = loss(z, v, temperature=4.0)
    assert value > 0.1 and value.requires_grad


def check_teacher_gets_no_gradient(loss):
    z, v = (x.requires_grad_() for x in logits())
    loss(z, v, temperature=4.0).backward()
    assert v.grad is None


def check_extremes(loss):
    """Logits of +-1e4 give a finite loss and a gradient that moves the student."""
    z = torch.tensor([[1e4, -1e4, 0.0]], requires_grad=True)
    v = torch.tensor([[-1e4, 1e4, 0.0]])
    value = loss(z, v, temperature=1.0)
    value.backward()
    assert value == 2e4 and z.grad.tolist() == [[1, -1, 0]]


LOSS_CHECKS = [
    check_definition,
    check_scale_over_temperature,
    check_gradient_at_t_4,
    check_unlike_is_not_zero,
    check_teacher_gets_no_gradient,
    check_extremes,
]


@pytest.mark.parametrize("check", LOSS_CHECKS)
def test_our_loss_passes(check):
    check(losses.soft_target_loss)


def both(z, v, temperature):
    """Return log-probabilities of student and teacher, as the planted losses use them."""
    return F.log_softmax(z / temperature, dim=1), F.log_softmax(v.detach() / temperature, dim=1)


def swapped(z, v, *, temperature):
    q, p = both(z, v, temperature)
    return temperature**2 * F.kl_div(p, q, reduction="batchmean", log_target=True)


def teacher_with_itself(z, v, *, temperature):
    return losses.soft_target_loss(v, v, temperature=temperature)


def not_detached(z, v, *, temperature):
    q, p = F.log_softmax(z / temperature, dim=1), F.log_softmax(v / temperature, dim=1)
    return temperature**2 * F.kl_div(q, p, reduction="batchmean", log_target=True)


def reduction_mean(z, v, *, temperature):
    q, p = both(z, v, temperature)
    return temperature**2 * F.kl_div(q, p, reduction="none", log_target=True).mean()


def missing_t_squared(z, v, *, temperature):
    return F.kl_div(*both(z, v, temperature), reduction="batchmean", log_target=True)


def log_softmax_twice_with_t_between(z, v, *, temperature):
    # Twice at one temperature would be harmless: log_softmax does not change its own output.
    return losses.soft_target_loss(
        F.log_softmax(z / temperature, dim=1), v / temperature, temperature=temperature
    )


def log_softmax_of_softmax(z, v, *, temperature):
    q = F.log_softmax(F.softmax(z / temperature, dim=1), dim=1)
    _, p = both(z, v, temperature)
    return temperature**2 * F.kl_div(q, p, reduction="batchmean", log_target=True)


def log_probabilities_taken_for_probabilities(z, v, *, temperature):
    q, p = both(z, v, temperature)
    return temperature**2 * F.kl_div(q, p, reduction="batchmean", log_target=False)


def softmax_then_log(z, v, *, temperature):
    q = F.softmax(z / temperature, dim=1).log()
    p = F.softmax(v.detach() / temperature, dim=1)
    return temperature**2 * (p * (p.log() - q)).sum(dim=1).mean()


@pytest.mark.filterwarnings("ignore:reduction")
@pytest.mark.parametrize(
    ("bug", "check"),
    [
        (swapped, check_definition),
        (swapped, check_gradient_at_t_4),
        (teacher_with_itself, check_unlike_is_not_zero),
        (not_detached, check_teacher_gets_no_gradient),
        (reduction_mean, check_definition),
        (reduction_mean, check_scale_over_temperature),
        (missing_t_squared, check_scale_over_temperature),
        (missing_t_squared, check_gradient_at_t_4),
        (log_softmax_twice_with_t_between, check_gradient_at_t_4),
        (log_softmax_of_softmax, check_definition),
        (log_probabilities_taken_for_probabilities, check_definition),
        (softmax_then_log, check_extremes),
    ],
)
def test_a_planted_loss_is_caught(bug, check):
    with pytest.raises(AssertionError):
        check(bug)


def test_log_softmax_twice_at_one_temperature_is_harmless():
    z, v = logits()
    once = losses.soft_target_loss(z, v, temperature=4.0)
    twice = losses.soft_target_loss(F.log_softmax(z, dim=1), v, temperature=4.0)
    assert torch.allclose(once, twice)


# --- checks of a scheme distill(student, teacher, batches, optimizer, *, epochs, ...)


def check_logits_belong_to_their_images(distill):
    """Fixed images: the student learns what it would if the teacher were asked every time."""
    student, expected = small_net(), small_net()
    teacher = small_net(7).eval()
    distill(student, teacher, small_batches(), sgd(student), epochs=2, **HINTON)
    optimizer, batches = sgd(expected), small_batches()
    for _ in range(2):
        for images, targets, _ in batches:
            loss = losses.distillation_loss(expected(images), teacher(images), targets, **HINTON)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    for ours, theirs in zip(weights(student), weights(expected), strict=True):
        assert torch.allclose(ours, theirs, atol=1e-6)


def check_student_stays_in_train_mode(distill):
    """Every learning step of three evaluated epochs sees dropout and batch norm switched on."""
    student, test = Probe(), small_set(10)
    batches = small_batches()
    distill(student, small_net(7), batches, sgd(student), epochs=3, test=test, **HINTON)
    assert [call["parts"] for call in student.learning()] == [{True}] * 9


def check_teacher_is_another_model(distill):
    student = small_net()
    try:
        distill(student, student, small_batches(), sgd(student), epochs=1, **HINTON)
    except ValueError as error:
        assert "one object as both" in str(error)
    else:
        raise AssertionError("one object as teacher and student was accepted")


def check_teacher_is_frozen(distill):
    """Asked in eval mode without autograd, on fixed and shifted images; nothing in it moves."""
    for shift in (0, 1):
        teacher, student = Probe(7).train(), small_net()
        before = weights(teacher)
        batches = small_batches(shift=shift)
        distill(student, teacher, batches, sgd(student), epochs=1, **HINTON)
        assert teacher.calls and all(call["parts"] == {False} for call in teacher.calls)
        assert not any(call["grad"] for call in teacher.calls)
        assert same(weights(teacher), before)


def check_seed_holds(distill):
    """Dropout is the same for the same seed, whatever was drawn before."""

    def run():
        torch.rand(3)
        student = Probe()
        distill(student, small_net(7), small_batches(), sgd(student), epochs=1, seed=3, **HINTON)
        return weights(student)

    assert same(run(), run())


def check_global_generator_is_left(distill):
    before, student = torch.get_rng_state(), Probe()
    distill(student, small_net(7), small_batches(), sgd(student), epochs=1, **HINTON)
    assert torch.equal(torch.get_rng_state(), before)


SCHEME_CHECKS = [
    check_logits_belong_to_their_images,
    check_student_stays_in_train_mode,
    check_teacher_is_another_model,
    check_teacher_is_frozen,
    check_seed_holds,
    check_global_generator_is_left,
]


@pytest.mark.parametrize("check", SCHEME_CHECKS)
def test_our_scheme_passes(check):
    check(schemes.distill)


@contextmanager
def in_train_mode(model):
    """Stand in for `evaluating` where the teacher's mode is forgotten."""
    yield model.train()


def train_mode_once(run):
    """Stand in for `Run.epochs` where train mode is set once, before the first epoch."""
    run.model.train()
    for epoch in range(run._epochs):
        run._summed, run._seen = 0.0, 0
        yield epoch
        run.model.eval()


def cached_in_shuffled_order(student, teacher, batches, optimizer, **arguments):
    cached = torch.cat([predict(teacher, batch.images) for batch in small_batches(seed=1)])
    return schemes.distill(student, cached, batches, optimizer, **arguments)


def seeded_from_the_clock(student, teacher, batches, optimizer, **arguments):
    arguments["seed"] = time.time_ns()
    return schemes.distill(student, teacher, batches, optimizer, **arguments)


@contextmanager
def seeded_without_putting_back(seed, device):
    torch.manual_seed(seed)
    yield


@contextmanager
def seeded_never(seed, device):
    yield


@pytest.mark.parametrize(
    ("bug", "check"),
    [
        (cached_in_shuffled_order, check_logits_belong_to_their_images),
        (seeded_from_the_clock, check_seed_holds),
    ],
)
def test_a_planted_scheme_is_caught(bug, check):
    with pytest.raises(AssertionError):
        check(bug)


@pytest.mark.parametrize(
    ("place", "name", "bug", "check"),
    [
        (history.Run, "epochs", train_mode_once, check_student_stays_in_train_mode),
        (offline, "_check_teacher", lambda *_: None, check_teacher_is_another_model),
        (offline, "evaluating", in_train_mode, check_teacher_is_frozen),
        (offline, "predict", lambda model, x: model(x / 255).detach(), check_teacher_is_frozen),
        (offline, "torch", SimpleNamespace(no_grad=nullcontext), check_teacher_is_frozen),
        (history, "seeded", seeded_without_putting_back, check_global_generator_is_left),
        (history, "seeded", seeded_never, check_seed_holds),
        (history, "seeded", seeded_never, check_global_generator_is_left),
    ],
)
def test_a_bug_planted_in_our_scheme_is_caught(monkeypatch, place, name, bug, check):
    monkeypatch.setattr(place, name, bug)
    with torch.random.fork_rng(devices=()), pytest.raises(AssertionError):
        check(schemes.distill)
