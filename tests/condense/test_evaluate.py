"""Evaluation: the usual training loop as the oracle, equal terms, real digits."""

from statistics import mean, stdev

import pytest
import torch
import torch.nn.functional as F
from _refusals import check_refused
from _sets import CLASSES, build, real_set, synthetic_set
from torch.testing import assert_close

from kdlab import condense, data, metrics, models
from kdlab.condense import Augmentation, Evaluation, evaluate_set, learn_from
from kdlab.condense.running import draw_seed, round_generator

TEST = real_set(60, torch.float32)


def evaluate(synthetic=None, **rest):
    synthetic = synthetic_set(2, torch.float32) if synthetic is None else synthetic
    return evaluate_set(synthetic, *TEST, **{"build": build, "networks": 2, "steps": 5} | rest)


def test_it_is_the_usual_loop():
    """SGD with momentum and weight decay, three steps at the rate and two at a tenth of it."""
    synthetic = synthetic_set(2, torch.float32)
    expected = []
    for number in range(2):
        generator = round_generator(4, number)
        network = build(draw_seed(generator))
        draw_seed(generator)
        optimizer = torch.optim.SGD(network.parameters(), 0.1, momentum=0.8, weight_decay=5.0)
        for steps, rate in ((3, 0.1), (2, 0.01)):
            optimizer.param_groups[0]["lr"] = rate
            for _ in range(steps):
                # Full batches: the order matters for the last bits alone.
                order = torch.randperm(6, generator=generator)
                optimizer.zero_grad()
                F.cross_entropy(
                    network(synthetic.images[order]), synthetic.targets[order]
                ).backward()
                optimizer.step()
        expected.append(metrics.accuracy(network(TEST[0]), TEST[1]))
    found = evaluate(synthetic, rate=0.1, momentum=0.8, weight_decay=5.0, seed=4)
    assert found.accuracies == tuple(expected) and len(set(expected)) == 2
    assert evaluate(synthetic, rate=0.1, momentum=0.8, weight_decay=0.0, seed=4) != found
    assert found.mean == mean(expected) and found.spread == stdev(expected)
    assert Evaluation((0.5,)).spread == 0


def test_a_large_set_is_split_and_shuffled():
    seen = []

    class Noting(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.net = build(0)

        def forward(self, images):
            seen.append(images.clone())
            return self.net(images)

    synthetic, network = synthetic_set(3, torch.float32), Noting()
    optimizer = torch.optim.SGD(network.parameters(), lr=0.0)
    learn_from(network, synthetic, optimizer, steps=6, batch_size=4, generator=torch.Generator())
    # Nine images: batches of 1, 4 and 4 in any order are an epoch, and each image comes once.
    assert sorted(len(batch) for batch in seen[:3]) == [1, 4, 4]
    for epoch in (seen[:3], seen[3:]):
        rows = {tuple(row.flatten().tolist()) for batch in epoch for row in batch}
        assert rows == {tuple(row.flatten().tolist()) for row in synthetic.images}
    assert not torch.equal(torch.cat(seen[:3]), torch.cat(seen[3:]))


def test_soft_labels_are_learned_from():
    given = synthetic_set(2, torch.float32)
    soft = condense.label_softly(given, build(8), temperature=4.0)
    network, twin = build(0), build(0)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.5)
    learn_from(network, soft, optimizer, steps=1, generator=torch.Generator())
    log_q = twin(soft.images).log_softmax(dim=1)
    (-(soft.labels * log_q).sum(dim=1).mean()).backward()
    for p, q in zip(network.parameters(), twin.parameters(), strict=True):
        assert_close(p, q - 0.5 * q.grad)


def test_every_image_is_changed_by_its_own_draw():
    same = synthetic_set(1, torch.float32)
    same.images[:] = same.images[:1]
    seen = []
    network = build(0)
    network.register_forward_pre_hook(lambda module, given: seen.append(given[0].clone()))
    changes = Augmentation(one_at_a_time=False)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
    learn_from(network, same, optimizer, steps=2, augmentation=changes, generator=torch.Generator())
    every = torch.cat(seen)
    assert all((every[i] - every[j]).abs().max() > 0.01 for i in range(6) for j in range(i))


def test_a_seed_fixes_everything_and_methods_meet_the_same_networks():
    seeds = []

    def noted(seed):
        seeds.append(seed)
        return models.mlp((64, 8, CLASSES), dropout=0.5, seed=seed)

    changes = Augmentation()
    before = torch.get_rng_state()
    first = evaluate(build=noted, steps=20, rate=0.1, augmentation=changes)
    torch.rand(3)
    again = evaluate(build=noted, steps=20, rate=0.1, augmentation=changes)
    assert first == again
    evaluate(synthetic_set(1, torch.float32), build=noted)
    assert seeds[:2] == seeds[2:4] == seeds[4:] and len(set(seeds)) == 2
    evaluate(build=noted, seed=1)
    assert not set(seeds[6:]) & set(seeds[:2])
    torch.set_rng_state(before)
    evaluate(build=noted)
    assert torch.equal(torch.get_rng_state(), before)


def test_the_set_is_left_as_it_is_and_progress_is_told():
    synthetic, told = synthetic_set(2, torch.float32), []
    found = evaluate(synthetic, progress=lambda *call: told.append(call))
    assert torch.equal(synthetic.images, synthetic_set(2, torch.float32).images)
    assert synthetic.images.grad is None and not synthetic.images.requires_grad
    notes = [f"accuracy {accuracy:.1%}" for accuracy in found.accuracies]
    assert told == [(1, 2, notes[0]), (2, 2, notes[1])]


@pytest.mark.usefixtures("unchecked_shapes")
@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ({"networks": 0}, "networks must be a whole number >= 1, got 0"),
        ({"steps": 0}, "steps must be a whole number >= 1, got 0"),
        ({"batch_size": 0}, "batch_size must be a whole number >= 1, got 0"),
        ({"seed": -1}, "seed must be a whole number >= 0, got -1"),
        ({"rate": 0}, "rate must be > 0, got 0"),
        ({"momentum": -1}, "momentum must be >= 0, got -1"),
    ],
)
def test_bad_input_is_refused(argument, message):
    check_refused(lambda: evaluate(**argument), message)


def test_ten_learned_digits_beat_ten_real_ones():
    """Real digits, the whole way: a start, forty steps, two fresh networks for each set."""
    digits = data.load("digits")
    test = digits.test_images, digits.test_targets

    def small(seed):
        return models.embedding_net((8, 8, 8), seed=seed)

    picked = condense.pick_random(digits.train_targets, per_class=1)
    synthetic = condense.take_real(digits.train_images, digits.train_targets, picked)
    settings = {"build": small, "networks": 2, "steps": 60, "rate": 0.03}
    before = evaluate_set(synthetic, *test, **settings)
    condense.match_distributions(
        synthetic,
        digits.train_images,
        digits.train_targets,
        torch.optim.SGD([synthetic.images], lr=0.5, momentum=0.5),
        build=small,
        rounds=40,
        per_class=32,
    )
    after = evaluate_set(synthetic, *test, **settings)
    assert after.mean > before.mean + 0.1
