"""Gradients through a whole training: against torch's SGD and against finite differences."""

import copy
from functools import partial

import pytest
import torch
import torch.nn.functional as F
from _refusals import check_refused
from _sets import CLASSES, Stopped, build, real_set, sgd, stop_at, synthetic_set
from torch.func import functional_call
from torch.testing import assert_close

from kdlab import condense
from kdlab.condense import follow, learn_unrolled, unroll
from kdlab.condense.unrolled import _keep_in_range
from kdlab.data import Batches
from kdlab.schemes import Checkpoint, distill

STEPS = torch.tensor([0.3, 0.1, 0.2], dtype=torch.float64)


def test_unrolled_training_is_sgd():
    synthetic, network = synthetic_set(2), build(0).double()
    trained = copy.deepcopy(network)
    for size in STEPS.tolist():
        optimizer = torch.optim.SGD(trained.parameters(), lr=size)
        optimizer.zero_grad()
        F.cross_entropy(trained(synthetic.images), synthetic.labels).backward()
        optimizer.step()
    weights = unroll(network, synthetic.images, synthetic.labels, STEPS)
    followed = follow(copy.deepcopy(network), synthetic, STEPS)
    first = build(0).double().state_dict()
    for name, expected in trained.state_dict().items():
        assert_close(weights[name].detach(), expected)
        assert_close(followed.state_dict()[name], expected)
        assert torch.equal(network.state_dict()[name], first[name])


def outer_loss(way, images, labels, step_sizes):
    """Return the real images' loss after training on synthetic ones."""
    network = build(3).double()
    real_images, targets = real_set()
    weights = way(network, images, labels, step_sizes)
    return F.cross_entropy(functional_call(network, weights, (real_images,)), targets)


def check_slopes(way):
    synthetic = synthetic_set(1)
    labels = 0.8 * synthetic.labels + 0.2 / CLASSES
    given = [t.clone().requires_grad_() for t in (synthetic.images, labels, STEPS)]
    slopes = torch.autograd.grad(outer_loss(way, *given), given)
    for which, slope in enumerate(slopes):
        generator = torch.Generator().manual_seed(which)
        for _ in range(3):
            direction = torch.randn(slope.shape, generator=generator).double()
            ends = []
            for sign in (1, -1):
                moved = [t.detach().clone() for t in given]
                moved[which] += sign * 1e-6 * direction
                ends.append(outer_loss(way, *moved).item())
            expected = (ends[0] - ends[1]) / 2e-6
            assert (slope * direction).sum().item() == pytest.approx(expected, rel=1e-3, abs=1e-7)


def test_gradients_are_slopes():
    check_slopes(unroll)


def planted(network, images, labels, step_sizes, *, keep=True, momentum=0.0, last=False):
    """Unroll with a bug: slopes as constants, or what is tracked in the last step alone."""
    weights = dict(network.named_parameters())
    for k, size in enumerate(step_sizes):
        seen = images.detach() if last and k + 1 < len(step_sizes) else images
        loss = F.cross_entropy(functional_call(network, weights, (seen,)), labels)
        slopes = torch.autograd.grad(loss, tuple(weights.values()), create_graph=True)
        slopes = [slope if keep else slope.detach() for slope in slopes]
        weights = {
            name: weight - size * slope
            for (name, weight), slope in zip(weights.items(), slopes, strict=True)
        }
    return weights


@pytest.mark.parametrize("bug", [{"keep": False}, {"last": True}])
def test_a_planted_gradient_is_caught(bug):
    check_slopes(planted)
    with pytest.raises((AssertionError, RuntimeError)):
        check_slopes(partial(planted, **bug))


def learn(synthetic, *learned, rounds=12, lr=0.05, step_sizes=None, **rest):
    sizes = STEPS.clone() if step_sizes is None else step_sizes
    return learn_unrolled(
        synthetic,
        *real_set(),
        sgd(*learned, lr=lr),
        build=build,
        step_sizes=sizes,
        rounds=rounds,
        per_class=5,
        **rest,
    )


@pytest.mark.parametrize("start", [None, 4])
def test_the_loss_falls(start):
    synthetic = synthetic_set()
    ones = torch.ones(3, dtype=torch.float64)
    rest = {"start": start, "step_sizes": ones, "networks": 3}
    found = learn(synthetic, synthetic.images, rounds=30, lr=5.0, **rest)
    assert sum(found.losses[-8:]) < 0.9 * sum(found.losses[:8])
    assert synthetic.recipe[-1]["start"] == start and synthetic.recipe[-1]["rounds"] == 30


def test_a_fixed_start_is_one_network_and_fresh_ones_are_many():
    for start, networks, expected in ((4, 1, {4}), (None, 2, None)):
        seeds = []

        def noted(seed, seeds=seeds):
            seeds.append(seed)
            return build(seed)

        synthetic = synthetic_set()
        learn_unrolled(
            synthetic,
            *real_set(),
            sgd(synthetic.images),
            build=noted,
            step_sizes=STEPS,
            rounds=3,
            start=start,
            networks=networks,
        )
        assert set(seeds) == expected if expected else len(set(seeds)) == 6


def test_a_step_is_averaged_over_networks():
    found = []
    for networks in (1, 3):
        synthetic = synthetic_set()
        given = {"build": build, "step_sizes": STEPS, "start": 3, "per_class": 10}
        optimizer = sgd(synthetic.images)
        rest = {"rounds": 2, "networks": networks}
        found.append(learn_unrolled(synthetic, *real_set(), optimizer, **given, **rest))
    # One start and all real images: three of the same.
    assert found[0].losses == pytest.approx(found[1].losses)


def test_one_round_is_the_definition():
    """One step of SGD down the real loss of a network that was trained, all real images in it."""
    synthetic, expected = synthetic_set(), synthetic_set()
    # There are ten of each class: all.
    optimizer = torch.optim.SGD([synthetic.images], lr=0.5)
    learn_unrolled(
        synthetic,
        *real_set(),
        optimizer,
        build=build,
        step_sizes=STEPS,
        rounds=1,
        start=3,
        per_class=10,
    )
    images = expected.images.requires_grad_()
    (slope,) = torch.autograd.grad(outer_loss(unroll, images, expected.labels, STEPS), images)
    assert_close(synthetic.images, images.detach() - 0.5 * slope)


def test_only_what_the_optimizer_holds_is_learned():
    synthetic, first, sizes = synthetic_set(2), synthetic_set(2), STEPS.clone()
    learn(synthetic, synthetic.labels, sizes, step_sizes=sizes, lr=2.0)
    assert torch.equal(synthetic.images, first.images)
    assert not torch.equal(sizes, STEPS) and (sizes >= 0).all()
    assert not torch.equal(synthetic.labels, first.labels)
    assert (synthetic.labels >= 0).all()
    assert_close(synthetic.labels.sum(dim=1), torch.ones(6).double())
    assert not synthetic.labels.requires_grad and synthetic.recipe[-1]["learned"] == [
        "labels",
        "step_sizes",
    ]


def test_a_stopped_run_goes_on_bit_for_bit(tmp_path):
    def run(checkpoint=None, progress=None):
        synthetic, sizes = synthetic_set(), STEPS.clone()
        learned = (synthetic.images, synthetic.labels, sizes)
        rest = {"checkpoint": checkpoint, "progress": progress, "step_sizes": sizes}
        losses = learn(synthetic, *learned, rounds=4, **rest).losses
        return [*learned, torch.tensor(losses)]

    checkpoint = Checkpoint(tmp_path / "run.safetensors")
    with pytest.raises(Stopped):
        run(checkpoint, stop_at(2))
    assert all(map(torch.equal, run(checkpoint), run()))


def test_a_label_that_lost_everything_is_uniform():
    labels = torch.tensor([[-1.0, -2.0], [3.0, -1.0]])
    _keep_in_range({"labels": labels})
    assert labels.tolist() == [[0.5, 0.5], [1.0, 0.0]]


@pytest.mark.usefixtures("unchecked_shapes")
@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ({"networks": 0}, "networks must be a whole number >= 1, got 0"),
        ({"start": -1}, "start must be a whole number >= 0, got -1"),
        ({"step_sizes": STEPS[:0]}, "step_sizes must not be empty, got shape [0]"),
        ({"rounds": 0}, "rounds must be a whole number >= 1, got 0"),
    ],
)
def test_bad_input_is_refused(argument, message):
    synthetic = synthetic_set()
    check_refused(lambda: learn(synthetic, synthetic.images, **argument), message)
    assert torch.equal(synthetic.images, synthetic_set().images) and synthetic.recipe == ()


def test_learned_labels_teach_a_student():
    """What is condensed is a teacher's logits, too: both halves of the course in one call."""
    synthetic = condense.label_softly(synthetic_set(2, torch.float32), build(9), temperature=2.0)
    student, twin = build(1), build(1)
    batches = Batches(synthetic.images, synthetic.targets, batch_size=6)
    optimizer = torch.optim.SGD(student.parameters(), lr=0.1)
    distill(student, synthetic.logits, batches, optimizer, epochs=1, temperature=1.0, lambda_=1.0)
    optimizer = torch.optim.SGD(twin.parameters(), lr=0.1)
    F.cross_entropy(twin(synthetic.images), synthetic.labels).backward()
    optimizer.step()
    for one, two in zip(student.parameters(), twin.parameters(), strict=True):
        assert_close(one, two)
