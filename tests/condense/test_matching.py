"""Matching loops: one round by the published structure, one omega for both sides, no waste."""

from functools import partial

import pytest
import torch
import torch.nn.functional as F
from _refusals import check_refused
from _sets import CLASSES, Stopped, build, real_set, sgd, stop_at, synthetic_set
from torch.optim.lr_scheduler import CosineAnnealingLR
from torch.testing import assert_close

from kdlab import condense
from kdlab.condense import Augmentation, gradients, match_distributions, match_gradients, matching
from kdlab.condense.running import draw_seed, round_generator

CHANGES = Augmentation(one_at_a_time=False)
METHODS = {"distributions": match_distributions, "gradients": match_gradients}


def match(method, synthetic, rounds=3, lr=0.05, **rest):
    settings = {"build": build, "per_class": 5, "augmentation": CHANGES} | rest
    optimizer = settings.pop("optimizer", None) or sgd(synthetic.images, lr=lr)
    if settings.pop("falling", False):
        settings["scheduler"] = CosineAnnealingLR(optimizer, 10)
    return method(synthetic, *real_set(), optimizer, rounds=rounds, **settings)


@pytest.fixture(params=METHODS.values(), ids=METHODS)
def method(request):
    """Return one of the two."""
    return request.param


# ---- one round by hand -----------------------------------------------------------------------


def published_round(synthetic, number, seed, rate):
    """One step as the published code has it: separate batches, one class after the other."""
    generator = round_generator(seed, number)
    network = build(draw_seed(generator)).double()
    omega = condense.draw_omega(CLASSES, CHANGES, generator)
    real, targets = real_set()
    images = synthetic.images.clone().requires_grad_()
    loss = 0.0
    for label in range(CLASSES):
        members = (targets == label).nonzero().flatten()
        drawn = members[torch.randperm(len(members), generator=generator)[:5]]
        rows = [torch.full((n,), label) for n in (5, int((synthetic.targets == label).sum()))]
        own = images[synthetic.targets == label]
        wanted = network.features(condense.augment(real[drawn], rows[0], omega))["embedding"]
        found = network.features(condense.augment(own, rows[1], omega))["embedding"]
        loss = loss + (wanted.detach().mean(0) - found.mean(0)).square().sum()
    (slope,) = torch.autograd.grad(loss, images)
    return loss.item(), (images - rate * slope).detach()


def test_a_round_is_the_published_step():
    synthetic = synthetic_set(2)
    loss, expected = published_round(synthetic, 0, seed=6, rate=0.05)
    found = match(match_distributions, synthetic, rounds=1, seed=6)
    assert found.losses == (pytest.approx(loss),) and not found.interrupted
    assert_close(synthetic.images, expected)


def test_a_round_of_gradients_is_the_published_loop():
    """One network; after each update but the last it learns from the synthetic images."""
    synthetic, rate = synthetic_set(2), 0.05
    expected = synthetic.images.clone()
    generator = round_generator(1, 0)
    network = build(draw_seed(generator)).double()
    inner = torch.optim.SGD(network.parameters(), lr=0.2)
    real, targets = real_set()
    speed, losses = torch.zeros_like(expected), []
    for update in range(3):
        by_class = [(targets == label).nonzero().flatten() for label in range(CLASSES)]
        drawn = torch.cat([m[torch.randperm(10, generator=generator)[:5]] for m in by_class])
        here = condense.Synthetic(expected.clone().requires_grad_(), synthetic.labels)
        loss = condense.class_gradient_distance(network, real[drawn], targets[drawn], here)
        losses.append(loss.item())
        (slope,) = torch.autograd.grad(loss, here.images)
        speed = slope if update == 0 else 0.5 * speed + slope
        expected = expected - rate * speed
        for _ in range(2 if update < 2 else 0):
            order = torch.randperm(6, generator=generator)
            inner.zero_grad()
            F.cross_entropy(network(expected[order]), synthetic.labels[order]).backward()
            inner.step()
    settings = {"updates": 3, "network_steps": 2, "network_rate": 0.2, "seed": 1}
    found = match(match_gradients, synthetic, rounds=1, augmentation=None, **settings)
    assert found.losses == (pytest.approx(sum(losses) / 3),)
    assert_close(synthetic.images, expected)


# ---- the same omega on both sides ------------------------------------------------------------


def check_siamese(method):
    """A set that holds all real images is at 0 distance, if both sides are changed alike."""
    images, targets = real_set()
    order = torch.argsort(targets, stable=True)
    synthetic = condense.take_real(images, targets, order, classes=CLASSES)
    optimizer = torch.optim.SGD([synthetic.images], lr=0.0)
    found = match(method, synthetic, per_class=10, optimizer=optimizer)
    other = condense.take_real(images, targets, order, classes=CLASSES)
    other.images += 0.3 * torch.rand(other.images.shape, generator=torch.Generator()).double()
    optimizer = torch.optim.SGD([other.images], lr=0.0)
    apart = match(method, other, per_class=10, optimizer=optimizer)
    assert max(found.losses) < 0.02 * min(apart.losses)


def test_both_sides_are_changed_alike(method):
    check_siamese(method)


def test_a_planted_second_omega_is_caught(method, monkeypatch):
    def for_each_side(images, rows, omega):
        own = torch.Generator().manual_seed(int(images.requires_grad))
        return condense.augment(images, rows, condense.draw_omega(CLASSES, CHANGES, own))

    for module in (matching, gradients):
        monkeypatch.setattr(module, "augment", for_each_side)
    with pytest.raises(AssertionError):
        check_siamese(method)


# ---- what is drawn and what is computed ------------------------------------------------------


def test_a_fresh_network_a_round_which_is_never_trained(method):
    networks = []

    def noted(seed):
        networks.append((seed, build(seed)))
        return networks[-1][1].double()

    match(method, synthetic_set(), rounds=4, build=noted)
    assert len({seed for seed, _ in networks}) == 4
    for seed, network in networks:
        first = build(seed).double().state_dict()
        assert all(map(torch.equal, network.state_dict().values(), first.values()))
        assert all(p.grad is None for p in network.parameters())


def test_real_images_are_embedded_without_gradient_in_one_batch(monkeypatch):
    calls = []

    def noted(network, images):
        calls.append((len(images), torch.is_grad_enabled(), images.requires_grad))
        assert not any(p.requires_grad for p in network.parameters())
        return condense.embed(network, images)

    monkeypatch.setattr(matching, "embed", noted)
    match(match_distributions, synthetic_set(2), rounds=1)
    assert calls == [(5 * CLASSES, False, False), (2 * CLASSES, True, True)]


def test_the_distance_falls_and_labels_stay(method):
    synthetic, labels = synthetic_set(), synthetic_set().labels
    synthetic.images.copy_(condense.draw_noise(1, (1, 8, 8), classes=CLASSES).images)
    found = match(method, synthetic, rounds=25, augmentation=None, lr=0.1)
    assert sum(found.losses[-5:]) < 0.8 * sum(found.losses[:5])
    assert torch.equal(synthetic.labels, labels)


def test_swapped_classes_are_found_by_the_loop():
    """Blind to classes, the loop would leave a set whose labels are swapped as it is."""
    images, targets = real_set()
    order = torch.argsort(targets, stable=True)
    synthetic = condense.take_real(images, (targets + 1) % CLASSES, order, classes=CLASSES)
    found = match(match_distributions, synthetic, per_class=10, augmentation=None)
    assert min(found.losses) > 0.1


def test_fewer_real_images_than_asked_are_all_taken():
    synthetic = synthetic_set()
    found = match(match_distributions, synthetic, rounds=1, per_class=1000)
    again = match(match_distributions, synthetic_set(), rounds=1, per_class=10)
    assert found.losses == pytest.approx(again.losses)


# ---- seeds, stops, checkpoints ---------------------------------------------------------------


def whole_and(method, path=None, progress=None, **rest):
    synthetic = synthetic_set(2)
    checkpoint = path and matching.Checkpoint(path)
    settings = {"updates": 2} if method is match_gradients else {}
    settings["falling"] = True
    found = match(method, synthetic, 5, progress=progress, checkpoint=checkpoint, **settings | rest)
    return synthetic, found


def test_a_seed_fixes_every_bit_and_leaves_the_global_generator(method):
    first, losses = whole_and(method, seed=3)
    torch.rand(5)
    before = torch.get_rng_state()
    again, same_losses = whole_and(method, seed=3)
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(first.images, again.images) and losses == same_losses
    assert not torch.equal(first.images, whole_and(method, seed=4)[0].images)


def test_a_stopped_run_goes_on_bit_for_bit(method, tmp_path):
    path = tmp_path / "run.safetensors"
    whole, expected = whole_and(method)
    for stop in (2, 4):
        with pytest.raises(Stopped):
            whole_and(method, path, stop_at(stop))
    rounds = []
    synthetic, found = whole_and(method, path, lambda done, *_: rounds.append(done))
    assert torch.equal(synthetic.images, whole.images) and found == expected
    assert rounds == [5] and synthetic.recipe == whole.recipe
    again, found = whole_and(method, path)
    assert torch.equal(again.images, whole.images) and found == expected


def test_an_interrupt_returns_what_there_is(method):
    synthetic, found = whole_and(method, progress=stop_at(2, KeyboardInterrupt))
    whole, expected = whole_and(method)
    assert found.interrupted and found.losses == expected.losses[:2]
    assert synthetic.recipe[-1]["rounds"] == 2 and whole.recipe[-1]["rounds"] == 5
    assert not synthetic.images.requires_grad and synthetic.images.grad is None


def test_another_runs_checkpoint_is_refused(method, tmp_path):
    path = tmp_path / "run.safetensors"
    whole_and(method, path)
    kept = path.read_bytes()
    for other in ({"seed": 1}, {"per_class": 4}, {"augmentation": None}, {"lr": 0.1}):
        with pytest.raises(ValueError, match=r"run\.safetensors is no checkpoint of this run: it"):
            whole_and(method, path, **other)
    with pytest.raises(ValueError, match="is no checkpoint of this run: it has {'images'"):
        match(
            method,
            synthetic_set(1),
            5,
            checkpoint=matching.Checkpoint(path),
            falling=True,
            **({"updates": 2} if method is match_gradients else {}),
        )
    assert path.read_bytes() == kept


def test_the_schedule_makes_one_step_with_the_images():
    optimizer = sgd((synthetic := synthetic_set()).images, lr=1.0)
    scheduler, rates = CosineAnnealingLR(optimizer, 4), []

    def note(*told):
        rates.append(optimizer.param_groups[0]["lr"])

    settings = {"optimizer": optimizer, "scheduler": scheduler, "progress": note}
    match(match_gradients, synthetic, 2, updates=2, **settings)
    assert rates == pytest.approx([0.5, 0.0])
    other = CosineAnnealingLR(sgd(synthetic.images), 4)
    with pytest.raises(ValueError, match="scheduler must be of the optimizer that is given"):
        match(match_distributions, synthetic, optimizer=optimizer, scheduler=other)


def test_progress_tells_every_round_and_sees_the_images(method):
    synthetic, seen = synthetic_set(), []

    def note(done, rounds, told):
        seen.append((done, rounds, told, synthetic.images.detach().clone()))

    found = match(method, synthetic, rounds=3, progress=note)
    assert [s[:2] for s in seen] == [(1, 3), (2, 3), (3, 3)]
    assert [s[2] for s in seen] == [f"loss {loss:.4g}" for loss in found.losses]
    assert not torch.equal(seen[0][3], seen[1][3]) and torch.equal(seen[2][3], synthetic.images)


def test_the_clock_is_read_for_a_budget_alone(method, monkeypatch):
    ticks = iter(range(100))
    monkeypatch.setattr("time.perf_counter", lambda: next(ticks))
    found = match(method, synthetic_set(), rounds=50, seconds=3)
    # Read once at the start and once before each round: 1, 2 and 3 seconds are within it.
    assert len(found.losses) == 3 and found.interrupted and next(ticks) == 5

    def broken():
        raise RuntimeError("the clock was read")

    monkeypatch.setattr("time.perf_counter", broken)
    assert len(match(method, synthetic_set(), rounds=2).losses) == 2


# ---- bad input -------------------------------------------------------------------------------


@pytest.mark.usefixtures("unchecked_shapes")
@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ({"rounds": 0}, "rounds must be a whole number >= 1, got 0"),
        ({"per_class": 0}, "per_class must be a whole number >= 1, got 0"),
        ({"seed": -1}, "seed must be a whole number >= 0, got -1"),
        ({"seconds": 0}, "seconds must be > 0, got 0"),
        ({"checkpoint": "x"}, "checkpoint must be kdlab's Checkpoint, got str"),
        ({"optimizer": 0.1}, "optimizer must be torch's Optimizer, got float"),
        (
            {"optimizer": sgd(torch.zeros(2))},
            "optimizer must hold images and nothing else, got 0 of them among 1",
        ),
    ],
)
def test_bad_input_is_told_before_any_round(method, argument, message):
    synthetic = synthetic_set()
    check_refused(lambda: match(method, synthetic, **argument), message)
    assert torch.equal(synthetic.images, synthetic_set().images) and synthetic.recipe == ()


@pytest.mark.usefixtures("unchecked_shapes")
@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ({"updates": 0}, "updates must be a whole number >= 1, got 0"),
        ({"network_steps": 0}, "network_steps must be a whole number >= 1, got 0"),
        ({"network_rate": 0}, "network_rate must be > 0, got 0"),
    ],
)
def test_bad_settings_of_the_network_are_refused(argument, message):
    check_refused(lambda: match(match_gradients, synthetic_set(), **argument), message)


def test_what_a_method_cannot_learn_is_refused(method):
    synthetic = synthetic_set()
    message = "optimizer must hold images and nothing else, got 1 of them among 2"
    for other in (synthetic.labels, torch.zeros(2)):
        optimizer = sgd(synthetic.images, other)
        check_refused(partial(match, method, synthetic, optimizer=optimizer), message)


def test_classes_must_be_on_both_sides(method):
    images, targets = real_set()
    synthetic = synthetic_set()
    call = partial(method, build=build, rounds=1)
    there = targets > 0
    with pytest.raises(ValueError, match=r"^targets must have every class, got none of \[0\]$"):
        call(synthetic, images[there], targets[there], sgd(synthetic.images))
    fewer = condense.Synthetic(synthetic.images[:2], synthetic.labels[:2])
    with pytest.raises(
        ValueError, match=r"^synthetic must have an image of every class, got none of \[2\]$"
    ):
        call(fewer, images, targets, sgd(fewer.images))
