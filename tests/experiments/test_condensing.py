"""`condense-minutes` and `condense-table`: a task against its parts, what the rows show."""

from dataclasses import replace

import pytest
import torch

from kdlab import condense, data, models
from kdlab.condense import Augmentation
from kdlab.experiments import condense_minutes, condense_table, find_experiment
from kdlab.experiments.condensing import Condense, Taught
from kdlab.experiments.trials import finished

DIGITS = data.load("digits")
TASK = Condense(2, 3, real=4, width=4, networks=2, steps=4, judged_by=Augmentation(("shift",)))


def quiet(*_) -> None:
    pass


#: Its networks learn enough for labels to matter.
TAUGHT = Taught(**vars(replace(TASK, steps=40, network_rate=0.1)), teacher_rate=0.03)


def judged(synthetic, seed, steps=4, rate=0.01):
    return condense.evaluate_set(
        synthetic,
        DIGITS.test_images,
        DIGITS.test_targets,
        build=lambda seed: models.embedding_net((4,) * 3, seed=seed),
        networks=2,
        steps=steps,
        rate=rate,
        augmentation=Augmentation(("shift",)),
        seed=seed,
    )


@pytest.fixture(scope="module")
def found():
    """Return a task's numbers and what it told."""
    told = []
    return TASK(3, DIGITS, lambda *rest: told.append(rest[:2])), told


@pytest.mark.parametrize("name", ["random", "herding", "k-center"])
def test_a_coreset_is_judged_as_the_condensed_set_is(found, name):
    images, targets = DIGITS.train_images, DIGITS.train_targets
    pixels = images.flatten(1) / 255
    picked = {
        "random": lambda: condense.pick_random(targets, per_class=2, seed=3),
        "herding": lambda: condense.pick_herding(pixels, targets, per_class=2),
        "k-center": lambda: condense.pick_k_center(pixels, targets, per_class=2),
    }[name]()
    expected = judged(condense.take_real(images, targets, picked), 3)
    assert found[0][f"each-{name}"] == list(expected.accuracies)
    assert found[0][name] == expected.mean


def test_the_matched_set_starts_at_the_random_one_and_follows_the_recipe(found):
    images, targets = DIGITS.train_images, DIGITS.train_targets
    start = condense.pick_random(targets, per_class=2, seed=3)
    synthetic = condense.take_real(images, targets, start)
    optimizer = torch.optim.SGD([synthetic.images], lr=0.4, momentum=0.5)
    for number in range(3):
        # A half cosine from 2 x 0.2 to 0.
        rate = 0.2 * (1 + torch.tensor(number * torch.pi / 3).cos())
        assert optimizer.param_groups[0]["lr"] == pytest.approx(float(rate) if number else 0.4)
        once_more(synthetic, optimizer, number)
        rate = 0.2 * (1 + torch.tensor((number + 1) * torch.pi / 3).cos())
        optimizer.param_groups[0]["lr"] = float(rate)
    matched = TASK._condensed(3, DIGITS, quiet)
    torch.testing.assert_close(matched.images, synthetic.images, atol=1e-5, rtol=1e-4)
    assert found[0]["each-matched"] == list(judged(matched, 3).accuracies)
    assert not torch.equal(TASK._condensed(4, DIGITS, quiet).images, matched.images)


def once_more(synthetic, optimizer, number):
    """Make one round by the parts of `condense`, all classes apart."""
    generator = condense.running.round_generator(3, number)
    seed = condense.running.draw_seed(generator)
    network = models.embedding_net((4,) * 3, seed=seed)
    omega = condense.draw_omega(10, Augmentation(), generator)
    real = condense.real.RealImages(
        DIGITS.train_images, DIGITS.train_targets, classes=10, per_class=4
    ).draw(generator)
    own, loss = synthetic.images.requires_grad_(), 0.0
    for label in range(10):
        means = []
        for images, targets in (real, (own, synthetic.targets)):
            chosen = images[targets == label]
            rows = torch.full((len(chosen),), label)
            changed = condense.augment(chosen, rows, omega)
            means.append(network.features(changed)["embedding"].mean(dim=0))
        loss = loss + (means[0] - means[1]).square().sum()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    synthetic.images.requires_grad_(False)


@pytest.fixture(scope="module")
def teacher():
    """Return what passes once over the images, by a loop of its own."""
    net = models.embedding_net((4,) * 3, seed=3)
    optimizer = torch.optim.Adam(net.parameters(), lr=0.03)
    batches = data.Batches(DIGITS.train_images, DIGITS.train_targets, batch_size=64, seed=3)
    for number, (images, targets, _) in enumerate(batches):
        turn = torch.tensor(torch.pi * number / len(batches))
        optimizer.param_groups[0]["lr"] = float(0.015 * (1 + turn.cos()))
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(net(images), targets).backward()
        optimizer.step()
    return net.eval()


@pytest.fixture(scope="module")
def softened():
    """Return what a task with soft labels gives."""
    return TAUGHT(3, DIGITS, quiet)


@pytest.fixture(scope="module")
def sides():
    """Return the condensed set, and the random one that it started from."""
    images, targets = DIGITS.train_images, DIGITS.train_targets
    start = condense.pick_random(targets, per_class=2, seed=3)
    random = condense.take_real(images, targets, start)
    return {"matched": TASK._condensed(3, DIGITS, quiet), "random": random}


def test_soft_labels_are_added_to_the_other_sets(softened, sides):
    assert set(softened) == {*Taught.numbers, *Taught.curves}
    for name, synthetic in sides.items():
        assert softened[f"each-{name}"] == list(judged(synthetic, 3, 40, 0.1).accuracies)


@pytest.mark.parametrize("name", ["matched", "random"])
def test_a_teacher_labels_the_same_images(softened, teacher, sides, name):
    with torch.no_grad():
        labels = (teacher(sides[name].images) / 4).softmax(dim=1)
    expected = judged(replace(sides[name], labels=labels), 3, 40, 0.1)
    assert softened[f"each-{name}-taught"] == pytest.approx(expected.accuracies, abs=3e-3)
    assert abs(softened[f"{name}-taught"] - softened[name]) > 0.01


def test_the_teacher_and_its_minutes_are_told(softened, teacher):
    right = teacher(data.to_float(DIGITS.test_images)).argmax(dim=1) == DIGITS.test_targets
    assert softened["teacher"] == pytest.approx(float(right.float().mean()), abs=3e-3)
    assert 0 < softened["teacher-minutes"] < 1


def test_smoothed_labels_know_their_class_alone(softened, sides):
    labels = torch.full((20, 10), 0.01)
    labels[torch.arange(20), sides["matched"].targets] = 0.91
    expected = judged(replace(sides["matched"], labels=labels), 3, 40, 0.1)
    assert softened["each-matched-smoothed"] == pytest.approx(expected.accuracies, abs=3e-3)
    assert softened["matched-smoothed"] != softened["matched"]


def test_progress_goes_from_rounds_to_networks_up_to_the_end(found):
    numbers, told = found
    whole = 3 + 100 * 8
    assert told == [*((n, whole) for n in (1, 2, 3)), *((3 + 100 * n, whole) for n in range(1, 9))]
    assert set(numbers) == {*TASK.numbers, *TASK.curves}
    assert 0 < numbers["core-minutes"] < 1


def test_a_stopped_one_gives_no_number():
    with pytest.raises(KeyboardInterrupt):
        finished(condense.Condensed((1.0,), interrupted=True))
    assert finished(whole := condense.Condensed((1.0,))) is whole

    # Once, while it condenses: the loop ends quietly, and what it left must not be judged.
    def stop(done, steps, note):
        if done == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        TASK(0, DIGITS, stop)


def test_a_small_one_is_done_in_seconds_and_keeps_its_augmentations():
    small = replace(TASK, per_class=50, rounds=4000).small()
    assert (small.per_class, small.rounds, small.steps) == (2, 3, 2)
    assert small.judged_by == TASK.judged_by


def test_the_table_is_three_counts_of_two_sets_beside_three_methods():
    table = find_experiment("condense-table")
    assert [unit.name for unit in table.units] == [
        f"{name}-{count}" for name in ("mnist", "fashion-mnist") for count in (1, 10, 50)
    ]
    assert all(unit.task.per_class == int(unit.name.split("-")[-1]) for unit in table.units)
    assert [unit.dataset for unit in table.units] == ["mnist"] * 3 + ["fashion-mnist"] * 3
    published = {row.name: (row.published, row.number) for row in table.rows}
    assert published["mnist-10-matched"] == (0.975, "matched")
    assert published["fashion-mnist-50-matched-beside-DSA"] == (0.887, "matched")
    assert published["mnist-1-matched-beside-DC"] == (0.917, "matched")
    assert published["mnist-50-random"] == (None, "random")


def test_minutes_stand_beside_the_published_hours():
    minutes = find_experiment("condense-minutes")
    published = {row.name: row.published for row in minutes.rows}
    assert published["1-a-class-matched"] == 0.897 and published["10-a-class-matched"] == 0.975
    for unit, (count, task) in zip(minutes.units, condense_minutes.TASKS.items(), strict=True):
        assert unit.task is task and task.per_class == count and task.networks == 5
    assert condense_table._task("mnist", 50).rounds == condense_table.ROUNDS
    assert condense_table._task("fashion-mnist", 1).condensed_by == Augmentation()
