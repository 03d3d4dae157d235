"""The logit losses against their definitions, written as loops in float64."""

import math

import pytest
import torch
from _refusals import check_refused
from hypothesis import given
from hypothesis import strategies as st
from torch.testing import assert_close

from kdlab import losses

SCORES = st.floats(-1e4, 1e4, allow_nan=False)
ROW = st.lists(SCORES, min_size=2, max_size=6)
PAIR = st.integers(2, 6).flatmap(
    lambda n: st.tuples(*[st.lists(st.floats(-20, 20), min_size=n, max_size=n)] * 2)
)
TEMPERATURES = [0.1, 1.0, 4.0, 20.0]


def draw(batch=5, classes=4, seed=0, dtype=torch.double):
    """Return student logits, teacher logits and targets."""
    generator = torch.Generator().manual_seed(seed)
    z, v = 3 * torch.randn(2, batch, classes, generator=generator, dtype=dtype)
    return z, v, torch.randint(classes, (batch,), generator=generator)


def softmax_by_hand(scores, temperature):
    """Equation 1 of Hinton et al., one row of numbers."""
    top = max(scores)
    raised = [math.exp((score - top) / temperature) for score in scores]
    return [value / math.fsum(raised) for value in raised]


def log_softmax_by_hand(scores, temperature):
    """The logarithm of the same, safe where a probability underflows."""
    top = max(scores)
    total = math.fsum(math.exp((score - top) / temperature) for score in scores)
    return [(score - top) / temperature - math.log(total) for score in scores]


def soft_target_by_hand(student, teacher, temperature):
    """T^2 times the mean of sum_i p_i (ln p_i - ln q_i)."""
    divergences = []
    for z, v in zip(student.tolist(), teacher.tolist(), strict=True):
        log_q, log_p = log_softmax_by_hand(z, temperature), log_softmax_by_hand(v, temperature)
        both = zip(log_p, log_q, strict=True)
        divergences.append(math.fsum(math.exp(lp) * (lp - lq) for lp, lq in both))
    return temperature**2 * math.fsum(divergences) / len(divergences)


def cross_entropy_by_hand(student, targets, smoothing=0.0):
    """Mean of -sum_i p_i ln q_i, p the smoothed one-hot target."""
    terms = []
    for z, y in zip(student.tolist(), targets.tolist(), strict=True):
        log_q = log_softmax_by_hand(z, 1.0)
        for i, value in enumerate(log_q):
            terms.append(-((1 - smoothing) * (i == y) + smoothing / len(z)) * value)
    return math.fsum(terms) / len(targets)


def gradient(loss, z):
    """Return the gradient of loss(z) on z by autograd."""
    z = z.detach().clone().requires_grad_()
    loss(z).backward()
    return z.grad


# --- soften


@pytest.mark.parametrize("temperature", TEMPERATURES)
def test_soften_is_equation_1(temperature):
    z, _, _ = draw()
    expected = [softmax_by_hand(row, temperature) for row in z.tolist()]
    assert_close(losses.soften(z, temperature=temperature), torch.tensor(expected).double())


def test_soften_keeps_leading_dimensions():
    z = torch.randn(2, 3, 5, generator=torch.Generator().manual_seed(0))
    assert_close(losses.soften(z, temperature=2.0)[1, 2], losses.soften(z[1, 2], temperature=2.0))


@given(row=ROW, temperature=st.floats(1e-2, 1e3))
def test_soften_gives_probabilities_for_any_scores(row, temperature):
    q = losses.soften(torch.tensor(row), temperature=temperature)
    assert bool((q >= 0).all())
    assert_close(q.sum(), torch.tensor(1.0))


@given(row=ROW, shift=st.integers(-1000, 1000), temperature=st.floats(0.1, 100))
def test_soften_ignores_a_shift_of_all_scores(row, shift, temperature):
    z = torch.tensor(row, dtype=torch.double)
    softened = losses.soften(z, temperature=temperature)
    assert_close(losses.soften(z + shift, temperature=temperature), softened, atol=1e-9, rtol=0)


@given(row=ROW, low=st.floats(0.1, 100), factor=st.floats(1, 100))
def test_a_higher_temperature_never_makes_the_top_class_surer(row, low, factor):
    z = torch.tensor(row, dtype=torch.double)
    surer = losses.soften(z, temperature=low).max()
    assert losses.soften(z, temperature=low * factor).max() <= surer + 1e-12


def test_soften_at_temperature_to_zero_picks_the_largest():
    z = torch.tensor([[1.0, 3.0, 2.0], [5.0, 5.0, 0.0]])
    expected = torch.tensor([[0.0, 1.0, 0.0], [0.5, 0.5, 0.0]])
    assert_close(losses.soften(z, temperature=1e-4), expected, atol=0, rtol=0)


def test_soften_at_temperature_to_infinity_is_uniform_with_a_gap_of_order_one_over_t():
    z = torch.tensor([[1.0, 3.0, 2.0]], dtype=torch.double)
    gaps = [(losses.soften(z, temperature=t) - 1 / 3).abs().max().item() for t in (1e3, 1e4)]
    assert gaps[0] < 1e-3
    assert gaps[0] / gaps[1] == pytest.approx(10, rel=1e-3)


# --- soft_target_loss


@pytest.mark.parametrize("temperature", TEMPERATURES)
def test_soft_target_loss_is_its_definition(temperature):
    z, v, _ = draw()
    got = losses.soft_target_loss(z, v, temperature=temperature).item()
    assert got == pytest.approx(soft_target_by_hand(z, v, temperature), rel=1e-10)


@given(pair=PAIR, temperature=st.floats(0.1, 100))
def test_soft_target_loss_is_its_definition_for_any_scores(pair, temperature):
    z, v = (torch.tensor([row], dtype=torch.double) for row in pair)
    got = losses.soft_target_loss(z, v, temperature=temperature).item()
    expected = soft_target_by_hand(z, v, temperature)
    assert got == pytest.approx(expected, rel=1e-8, abs=1e-14 * temperature**2)


def test_soft_target_loss_is_zero_exactly_at_equality_and_only_there():
    z, v, _ = draw()
    assert losses.soft_target_loss(z, z.clone(), temperature=4.0) == 0
    assert losses.soft_target_loss(z, v, temperature=4.0) > 0.1


@pytest.mark.parametrize("temperature", [1.0, 8.0])
def test_soft_target_loss_ignores_a_shift_of_either_side(temperature):
    z, v, _ = draw()
    each = torch.arange(5.0, dtype=torch.double)[:, None] * 10
    loss = losses.soft_target_loss(z, v, temperature=temperature)
    assert_close(losses.soft_target_loss(z + each, v - 7, temperature=temperature), loss)


def test_soft_target_loss_is_a_mean_over_the_batch_and_a_sum_over_classes():
    z, v, _ = draw()
    loss = losses.soft_target_loss(z, v, temperature=4.0)
    doubled = losses.soft_target_loss(torch.cat([z, z]), torch.cat([v, v]), temperature=4.0)
    assert_close(doubled, loss)
    # Classes that nobody believes in must not dilute the mean.
    never = torch.full((5, 6), -1e4, dtype=torch.double)
    padded = [torch.cat([x, never], dim=1) for x in (z, v)]
    assert_close(losses.soft_target_loss(*padded, temperature=4.0), loss)


@pytest.mark.parametrize("temperature", TEMPERATURES)
def test_soft_target_gradient_is_autograds_and_by_hand(temperature):
    z, v, _ = draw()
    by_autograd = gradient(lambda s: losses.soft_target_loss(s, v, temperature=temperature), z)
    rows = zip(z.tolist(), v.tolist(), strict=True)
    pairs = [(softmax_by_hand(a, temperature), softmax_by_hand(b, temperature)) for a, b in rows]
    by_hand = temperature * torch.tensor([*pairs], dtype=torch.double)
    by_hand = by_hand[:, 0] - by_hand[:, 1]
    closed = losses.soft_target_gradient(z, v, temperature=temperature)
    assert_close(closed, by_hand)
    assert_close(by_autograd, by_hand / 5)


def test_losses_pass_gradcheck():
    z, v, y = draw(batch=2)
    z.requires_grad_()
    for loss in (
        lambda s: losses.soft_target_loss(s, v, temperature=3.0),
        lambda s: losses.distillation_loss(s, v, y, temperature=3.0, lambda_=0.3),
        lambda s: losses.label_smoothing_loss(s, y, smoothing=0.1),
        lambda s: losses.soften(s, temperature=3.0),
    ):
        assert torch.autograd.gradcheck(loss, (z,))


def test_no_gradient_reaches_the_teacher():
    z, v, y = draw()
    z.requires_grad_()
    v.requires_grad_()
    losses.distillation_loss(z, v, y, temperature=4.0, lambda_=0.5).backward()
    assert v.grad is None and z.grad.abs().sum() > 0
    assert not losses.soft_target_gradient(z, v, temperature=4.0).requires_grad


def test_cross_entropy_and_kl_against_a_fixed_teacher_have_one_gradient():
    z, v, _ = draw()
    p = losses.soften(v, temperature=4.0)

    def cross_entropy(s):
        return 16 * -(p * torch.log_softmax(s / 4, dim=-1)).sum(dim=-1).mean()

    kl_gradient = gradient(lambda s: losses.soft_target_loss(s, v, temperature=4.0), z)
    assert_close(gradient(cross_entropy, z), kl_gradient)
    # The values differ by the teacher's entropy.
    gap = cross_entropy(z) - losses.soft_target_loss(z, v, temperature=4.0)
    assert_close(gap, 16 * -(p * p.log()).sum(dim=-1).mean())


def test_gradient_falls_as_t_to_the_minus_2_without_the_factor_and_is_flat_with_it():
    z, v, _ = draw(batch=100, classes=10)

    def norms(power):
        pairs = ((t, losses.soft_target_gradient(z, v, temperature=t)) for t in (50.0, 500.0))
        return [(g * t**power).norm().log10().item() for t, g in pairs]

    without, held = norms(-2), norms(0)
    assert without[1] - without[0] == pytest.approx(-2, abs=0.02)
    assert held[1] - held[0] == pytest.approx(0, abs=0.02)


def test_high_temperature_is_logit_matching():
    z, v, _ = draw()
    gap = (z - z.mean(dim=1, keepdim=True)) - (v - v.mean(dim=1, keepdim=True))
    got = losses.soft_target_gradient(z, v, temperature=1e5)
    assert_close(got, gap / 4, rtol=1e-3, atol=1e-4)
    loss = losses.soft_target_loss(z, v, temperature=1e5)
    assert loss.item() == pytest.approx((gap.square().sum() / 5 / (2 * 4)).item(), rel=1e-3)


def test_the_numbers_of_the_corrections():
    """S0.12: N = 10, logit sigma 3; each number lies in the spread of 20 draws of 2,000."""
    size = {1: 0.163, 4: 0.300, 8: 0.316, 20: 0.320}
    error = {1: 0.72, 8: 0.23, 20: 0.093, 100: 0.019}
    drawn = {t: [] for t in size}, {t: [] for t in error}
    for seed in range(20):
        z, v, _ = draw(batch=2000, classes=10, seed=seed)
        limit = ((z - z.mean(dim=1, keepdim=True)) - (v - v.mean(dim=1, keepdim=True))) / 10
        for t in (1, 4, 8, 20, 100):
            g = losses.soft_target_gradient(z, v, temperature=t)
            if t in size:
                drawn[0][t].append(g.abs().mean().item())
            if t in error:
                drawn[1][t].append(((g - limit).norm() / limit.norm()).item())
    for published, ours in zip((size, error), drawn, strict=True):
        for t, value in published.items():
            assert min(ours[t]) - 5e-4 <= value <= max(ours[t]) + 5e-4, (t, value, ours[t])
            assert max(ours[t]) - min(ours[t]) < 0.1 * value


# --- distillation_loss, label_smoothing_loss


@pytest.mark.parametrize("lambda_", [0.0, 0.3, 1.0])
def test_distillation_loss_is_its_definition(lambda_):
    z, v, y = draw()
    got = losses.distillation_loss(z, v, y, temperature=4.0, lambda_=lambda_).item()
    labelled, taught = cross_entropy_by_hand(z, y), soft_target_by_hand(z, v, 4.0)
    assert got == pytest.approx((1 - lambda_) * labelled + lambda_ * taught, rel=1e-10)


@pytest.mark.parametrize("lambda_", [0.0, 0.3, 1.0])
def test_distillation_gradient_is_autograds(lambda_):
    z, v, y = draw()

    def loss(s):
        return losses.distillation_loss(s, v, y, temperature=4.0, lambda_=lambda_)

    closed = losses.distillation_gradient(z, v, y, temperature=4.0, lambda_=lambda_)
    assert_close(gradient(loss, z), closed / 5)
    # A shift of all scores changes nothing, so a row's gradient sums to 0.
    assert_close(closed.sum(dim=1), torch.zeros(5, dtype=torch.double))


def test_the_label_term_is_not_softened():
    z, v, y = draw()
    at = [losses.distillation_loss(z, v, y, temperature=t, lambda_=0.0) for t in (1.0, 20.0)]
    assert at[0] == at[1]


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 1.0])
def test_label_smoothing_loss_is_its_definition(smoothing):
    z, _, y = draw()
    got = losses.label_smoothing_loss(z, y, smoothing=smoothing).item()
    assert got == pytest.approx(cross_entropy_by_hand(z, y, smoothing), rel=1e-10)


# --- extremes


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("temperature", [0.1, 1.0, 4.0, 100.0])
def test_extreme_scores_give_the_right_loss_and_finite_gradients(dtype, temperature):
    z = torch.tensor([[1e4, -1e4, 0.0], [-1e4, 1e4, 1e4]], dtype=dtype)
    v = torch.tensor([[-1e4, 1e4, 0.0], [1e4, -1e4, 5e3]], dtype=dtype)
    loss = losses.soft_target_loss(z, v, temperature=temperature)
    expected = soft_target_by_hand(z.double(), v.double(), temperature)
    assert loss.item() == pytest.approx(expected, rel=1e-5)
    y = torch.tensor([1, 0])
    z.requires_grad_()
    losses.distillation_loss(z, v, y, temperature=temperature, lambda_=0.5).backward()
    assert z.grad.dtype == dtype and bool(z.grad.isfinite().all()) and z.grad.abs().sum() > 0


@pytest.mark.parametrize("temperature", [20.0, 100.0])
def test_half_precision_keeps_the_small_differences_of_a_high_temperature(temperature):
    z, v, _ = (x.bfloat16() if x.is_floating_point() else x for x in draw(batch=50, classes=10))
    closed = losses.soft_target_gradient(z, v, temperature=temperature)
    exact = losses.soft_target_gradient(z.double(), v.double(), temperature=temperature)
    assert_close(closed.double(), exact, rtol=0, atol=1e-4)
    loss = losses.soft_target_loss(z, v, temperature=temperature).item()
    expected = soft_target_by_hand(z.double(), v.double(), temperature)
    assert loss == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize("temperature", [1e-9, 1e9])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
def test_the_ends_of_the_temperatures_give_finite_numbers(temperature, dtype):
    z = torch.tensor([[1e4, -1e4, 0.0], [0.0, 0.0, 0.0]], dtype=dtype)
    y = torch.tensor([1, 2])
    weights = {"temperature": temperature, "lambda_": 0.5}
    assert losses.soften(z, temperature=temperature).isfinite().all()
    for fn in (losses.distillation_loss, losses.distillation_gradient):
        assert fn(z, z.flip(0), y, **weights).isfinite().all()


def test_identical_extremes_give_zero():
    z = torch.tensor([[1e4, -1e4, 0.0]])
    assert losses.soft_target_loss(z, z.clone(), temperature=0.1) == 0


# --- bad input

Z = torch.zeros(2, 3)
Y = torch.tensor([0, 1])
BAD = [
    (lambda: losses.soften(Z, temperature=0.0), "temperature must be > 0, got 0.0"),
    (
        lambda: losses.soften(Z, temperature=1e30),
        "temperature must be in [1e-9, 1e9], got 1e+30",
    ),
    (
        lambda: losses.soft_target_loss(Z, Z, temperature=1e-30),
        "temperature must be in [1e-9, 1e9], got 1e-30",
    ),
    (lambda: losses.soften([1.0, 2.0], temperature=1.0), "logits must be a tensor, got list"),
    (
        lambda: losses.soften(Y, temperature=1.0),
        "logits must be floating point, got torch.int64",
    ),
    (
        lambda: losses.soften(torch.tensor(1.0), temperature=1.0),
        "logits must have at least one dimension, got a scalar",
    ),
    (
        lambda: losses.soft_target_loss(Z, Z, temperature=-1.0),
        "temperature must be > 0, got -1.0",
    ),
    (
        lambda: losses.soft_target_loss(Z, Z, temperature=math.inf),
        "temperature must be finite, got inf",
    ),
    (
        lambda: losses.soft_target_loss(Z, Z[:1], temperature=1.0),
        "shapes must be equal, got student_logits [2, 3] and teacher_logits [1, 3]",
    ),
    (
        lambda: losses.soft_target_loss(Z, Y, temperature=1.0),
        "teacher_logits must have shape [batch, classes], got [2]",
    ),
    (
        lambda: losses.soft_target_loss(Z, Z.long(), temperature=1.0),
        "teacher_logits must be floating point, got torch.int64",
    ),
    (
        lambda: losses.soft_target_gradient(Z, Z, temperature=math.nan),
        "temperature must be > 0, got nan",
    ),
    (
        lambda: losses.distillation_loss(Z, Z, Y, temperature=1.0, lambda_=1.5),
        "lambda_ must be in [0, 1], got 1.5",
    ),
    (
        lambda: losses.distillation_loss(Z, Z, Y + 2, temperature=1.0, lambda_=0.5),
        "targets must be in [0, 3), got 2 to 3",
    ),
    (
        lambda: losses.distillation_loss(Z, Z, Y[:1], temperature=1.0, lambda_=0.5),
        "lengths must be equal, got student_logits 2 and targets 1",
    ),
    (
        lambda: losses.distillation_gradient(Z, Z, Y, temperature=0, lambda_=0.5),
        "temperature must be > 0, got 0",
    ),
    (
        lambda: losses.label_smoothing_loss(Z, Y, smoothing=-0.1),
        "smoothing must be in [0, 1], got -0.1",
    ),
    (
        lambda: losses.label_smoothing_loss(Z, Y.float(), smoothing=0.1),
        "targets must be int64, got torch.float32",
    ),
]


@pytest.mark.usefixtures("unchecked_shapes")
@pytest.mark.parametrize(("call", "message"), BAD)
def test_bad_input(call, message):
    check_refused(call, message)


def test_the_shape_checker_is_on_while_tests_run():
    with pytest.raises(Exception, match="student_logits|teacher_logits"):
        losses.soft_target_loss(Z, Z[:1], temperature=1.0)
