"""What watch_learners trains, without a widget: learners, and the table of their weights."""

import copy
import random

import pytest
import torch
from torch import nn

from kdlab import metrics, models, schemes
from kdlab.data import Batches, Dataset
from kdlab.widgets._learners import Learners, LearnerSettings
from kdlab.widgets._weights import check_table, even, give_way

TABLES = {
    "no teacher": ((0.0, 0.3, 0.5), (0.1, 0.0, 0.6), (0.0, 0.4, 0.0)),
    "teacher": ((0.0, 0.3, 0.5, 0.1), (0.1, 0.0, 0.6, 0.3), (0.0, 0.4, 0.0, 0.2)),
}
SIZES = (8, 8, 5)
ONE = models.mlp((16, 3))


def make_dataset(*, train: int = 96, test: int = 40) -> Dataset:
    """Return images of 4 x 4 in three classes, which a small net can learn."""
    generator = torch.Generator().manual_seed(0)

    def draw(count):
        targets = torch.arange(count) % 3
        images = torch.randint(0, 60, (count, 1, 4, 4), generator=generator)
        images[torch.arange(count), 0, targets] += 150
        return images.to(torch.uint8), targets

    return Dataset("stripes", "made here", *draw(train), *draw(test), ("a", "b", "c"))


def makers(sizes=SIZES, **more):
    """Return what makes networks of these hidden sizes from a seed."""
    return [lambda seed, size=size: models.mlp((16, size, 3), seed=seed, **more) for size in sizes]


def make(kind: str = "no teacher", sizes=SIZES, **more) -> Learners:
    teacher = models.mlp((16, 12, 3), seed=9) if kind == "teacher" else None
    return Learners(make_dataset(), makers(sizes), teacher=teacher, batch_size=32, seed=4, **more)


def settings(kind: str = "no teacher", **more) -> LearnerSettings:
    start = LearnerSettings(2.0, 0.05, "in turn", TABLES[kind])
    return start._replace(**more)


def train(learners: Learners, steps: int, how: LearnerSettings) -> torch.Tensor:
    """Return all weights after so many batches."""
    for _ in learners.prepare():
        pass
    for _ in range(steps):
        learners.step(how)
    return weights(learners.learners)


def weights(networks) -> torch.Tensor:
    return torch.cat([p.detach().flatten() for one in networks for p in one.parameters()])


@pytest.mark.parametrize("kind", TABLES)
@pytest.mark.parametrize("order", ["in turn", "at once"])
def test_they_learn_exactly_what_the_scheme_learns(kind, order):
    learners = make(kind)
    data, teacher = learners.dataset, learners.teacher
    expected = [maker(4 + k) for k, maker in enumerate(makers())]
    parameters = nn.ModuleList(expected).parameters()
    schemes.learn_mutually(
        expected,
        Batches(data.train_images, data.train_targets, batch_size=32, seed=4),
        torch.optim.SGD(parameters, lr=0.05, momentum=0.9),
        epochs=3,
        temperature=2.0,
        lambda_=torch.tensor(TABLES[kind], dtype=torch.double),
        order=order,
        teachers=[teacher] if teacher else [],
    )
    assert torch.equal(train(learners, 9, settings(kind, order=order)), weights(expected))


def test_measured_is_what_the_metrics_say():
    learners = make()
    train(learners, 6, settings())
    images, targets = learners.test.test_images, learners.test.test_targets
    logits = [schemes.predict(one, images) for one in learners.learners]
    found = dict(zip(learners.names, learners.measure(), strict=True))
    assert [found[letter] for letter in "ABC"] == [metrics.errors(z, targets) for z in logits]
    pairs = [metrics.agreement(logits[j], logits[k]) for j, k in ((0, 1), (0, 2), (1, 2))]
    assert found["agreement"] == pytest.approx(sum(pairs) / 3, abs=1e-4)
    for letter, scores in zip("ABC", logits, strict=True):
        assert found[f"entropy_{letter}"] == pytest.approx(
            metrics.entropy(scores).mean().item(), abs=1e-4
        )
    assert learners.teacher_errors is None and list(learners.prepare()) == []


def test_measuring_changes_no_number():
    plain = train(make(), 6, settings())
    watched = make()
    for _ in range(6):
        watched.measure()
        train(watched, 1, settings())
    assert torch.equal(weights(watched.learners), plain)


def test_the_step_after_an_evaluation_is_in_train_mode():
    learners = make()
    for learner in learners.learners:
        learner.eval()
    train(learners, 1, settings())
    assert all(learner.training for learner in learners.learners)


def test_reset_gives_the_same_run_again_and_seeds_differ():
    learners = make(sizes=(8, 8))
    how = settings(weights=((0.0, 0.5), (0.5, 0.0)))
    first = train(learners, 4, how)
    learners.reset()
    assert learners.steps == 0 and torch.equal(train(learners, 4, how), first)
    # The second learner has the next seed.
    learners.reset()
    assert torch.equal(weights(learners.learners[1:]), weights([makers()[0](5)]))


def test_who_hears_nobody_learns_from_labels_alone():
    alone = make()
    silent = settings(weights=((0.0,) * 3,) * 3)
    train(alone, 6, silent)
    heard = make()
    train(heard, 6, settings(weights=((0.0, 0.0, 0.0), (0.9, 0.0, 0.0), (0.5, 0.5, 0.0))))
    assert torch.equal(weights(alone.learners[:1]), weights(heard.learners[:1]))
    assert not torch.allclose(weights(alone.learners[1:2]), weights(heard.learners[1:2]))


def test_the_order_and_the_temperature_count():
    runs = [
        train(make(), 3, settings(**moved))
        for moved in ({}, {"order": "at once"}, {"temperature": 5.0}, {"learning_rate": 0.2})
    ]
    for i, one in enumerate(runs):
        assert not any(torch.equal(one, other) for other in runs[:i])


def test_the_teacher_is_a_frozen_copy():
    teacher = models.mlp((16, 12, 3), dropout=0.9).train()
    before = copy.deepcopy(teacher)
    learners = Learners(make_dataset(), makers((8, 8)), teacher=teacher)
    assert learners.heard == ("A", "B", "teacher") and not learners.teacher.training
    train(learners, 3, settings(weights=((0.0, 0.2, 0.5), (0.2, 0.0, 0.5))))
    assert torch.equal(weights([teacher]), weights([before])) and teacher.training
    assert torch.equal(weights([learners.teacher]), weights([before]))
    expected = schemes.evaluate(teacher, *learners.test_set)
    assert learners.teacher_errors == expected


@pytest.mark.parametrize(
    ("made", "message"),
    [
        ([lambda seed: None], r"learners\[0\] must make a module from a seed, got NoneType"),
        (
            [makers()[0], lambda seed: models.mlp((16, 4))],
            r"learners\[1\] must map images \[1, 1, 4, 4\] to scores \[1, 3\], got scores \[1, 4\]",
        ),
        (
            [lambda seed: models.mlp((16, 3))] * 2,
            "learners must start from different weights, got the same in 0 and 1",
        ),
        (
            [lambda seed: ONE] * 2,
            "learners must not share weights, got shared ones in 0 and 1",
        ),
    ],
)
def test_learners_that_do_not_fit_are_named(made, message, unchecked_shapes):
    with pytest.raises(ValueError, match=message):
        Learners(make_dataset(), made)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"temperature": 0.0}, "temperature must be > 0, got 0.0"),
        ({"learning_rate": -1.0}, "learning_rate must be > 0, got -1.0"),
        ({"order": "never"}, "order must be one of 'in turn', 'at once', got 'never'"),
    ],
)
def test_settings_out_of_range(change, message):
    with pytest.raises(ValueError, match=message):
        settings(**change).checked()


# The table of weights


def test_a_weight_is_shared_evenly():
    assert even(0.6, 2, 3) == ((0.0, 0.3, 0.3), (0.3, 0.0, 0.3))
    assert even(0.5, 2, 2) == ((0.0, 0.5), (0.5, 0.0))


def test_others_give_way_in_proportion_and_only_where_they_must():
    assert give_way((0.0, 0.2, 0.4), 1, 0.5) == (0.0, 0.5, 0.4)
    assert give_way((0.0, 0.2, 0.4), 1, 0.6) == (0.0, 0.6, 0.4)
    assert give_way((0.0, 0.2, 0.4), 1, 0.8) == pytest.approx((0.0, 0.8, 0.2), abs=2e-6)
    assert give_way((0.1, 0.3, 0.0, 0.2), 2, 0.7) == pytest.approx((0.05, 0.15, 0.7, 0.1), abs=2e-6)
    assert give_way((0.0, 0.2, 0.4), 1, 1.0) == (0.0, 1.0, 0.0)
    assert give_way((0.0, 0.9, 0.1), 1, 0.0) == (0.0, 0.0, 0.1)


def test_what_gave_way_is_always_a_row_that_is_allowed():
    draw = random.Random(0)
    for _ in range(300):
        row = [0.0, *(draw.random() for _ in range(3))]
        row = [weight / max(1.0, sum(row)) for weight in row]
        index, value = draw.randint(1, 3), draw.random()
        after = give_way(row, index, value)
        assert after[index] == value and sum(after) <= 1 + 1e-12
        check_table("weights", [after, [0.0] * 4], 2, 4)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (None, "weights must be 2 rows of 3 numbers, a row for each learner, got None"),
        ([[0, 0, 0]], "weights must be 2 rows of 3 numbers, a row for each learner, got"),
        ([[0, "1", 0], [0, 0, 0]], "weights must be 2 rows of 3 numbers"),
        ([[0, 0.5], [0, 0, 0]], r"weights\[0\] must be 3, one for each other, got 2"),
        ([[0, 0.5, 0.6], [0, 0, 0]], r"weights\[0\] must sum to at most 1, got 1.1"),
        ([[0, 0, 0], [-0.1, 0, 0]], r"weights\[1\]\[0\] must be in \[0, 1\], got -0.1"),
        ([[0.1, 0, 0], [0, 0, 0]], r"weights\[0\]\[0\] must be 0: no one teaches itself, got 0.1"),
        ([[0, float("nan"), 0], [0, 0, 0]], r"weights\[0\]\[1\] must be in \[0, 1\], got nan"),
    ],
)
def test_a_wrong_table_says_what_is_wrong(value, message):
    with pytest.raises(ValueError, match=message):
        check_table("weights", value, 2, 3)


def test_a_tensor_is_a_table_too():
    table = torch.tensor([[0.0, 0.25], [0.5, 0.0]])
    assert check_table("weights", table, 2, 2) == ((0.0, 0.25), (0.5, 0.0))
