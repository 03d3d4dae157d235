"""Units that are several networks: the plainest call of their scheme, stops, what is refused."""

from dataclasses import replace

import pytest
import torch
from _refusals import check_refused
from _small_experiment import SMALL
from test_running import quiet, small_run
from torch.optim.lr_scheduler import CosineAnnealingLR

from kdlab import data, metrics, schemes
from kdlab.data import Batches
from kdlab.experiments import cost
from kdlab.experiments.running import Work, load_all
from kdlab.experiments.spec import Row
from kdlab.experiments.store import Store
from kdlab.experiments.teams import Each, Mean, Mutual, Spread, Team
from kdlab.experiments.training import chosen, train_unit
from kdlab.experiments.units import Recipe, Unit
from kdlab.schemes import Checkpoint

DIGITS = data.load("digits")
RECIPE = Recipe((784, 6, 10), 3, batch_size=64, temperature=2.0, lambda_=0.6)
WIDER = (784, 9, 10)
PAIR = Unit("pair", RECIPE, examples=200, imitate=Mutual((WIDER,)), measure=Each())
ALONE = [Unit(f"alone-{n}", RECIPE, examples=200, member=n) for n in range(2)]
MEAN = Unit("mean", RECIPE, ("alone-0", "alone-1"), examples=200, imitate=Mean(2))
EXPERIMENT = replace(
    SMALL,
    name="together",
    units=(PAIR, *ALONE, MEAN),
    rows=(Row("pair", "pair", "a pair"), Row("mean", "mean", "their mean")),
)


@pytest.mark.parametrize("order", ["in turn", "at once"])
def test_a_pair_learns_by_the_plainest_call_of_its_scheme(order):
    unit = replace(PAIR, imitate=Mutual((WIDER,), order))
    team, numbers, _ = train_unit(unit, 5, DIGITS)
    learners = [RECIPE.build(5), replace(RECIPE, widths=WIDER).build(10_000_005)]
    indices = chosen(unit, 5, DIGITS)
    batches = Batches(
        DIGITS.train_images[indices], DIGITS.train_targets[indices], batch_size=64, seed=5
    )
    every = [weight for one in learners for weight in one.parameters()]
    optimizer = torch.optim.Adam(every, lr=1e-3, fused=True)
    schemes.learn_mutually(
        learners,
        batches,
        optimizer,
        epochs=3,
        temperature=2.0,
        lambda_=0.6,
        order=order,
        scheduler=CosineAnnealingLR(optimizer, 3 * len(batches)),
        seed=5,
    )
    for mine, expected in zip(team.learners, learners, strict=True):
        pairs = zip(mine.parameters(), expected.parameters(), strict=True)
        assert all(torch.equal(*pair) for pair in pairs)
    test = DIGITS.test_images, DIGITS.test_targets
    assert numbers["errors"] == schemes.evaluate(learners[0], *test)
    assert numbers["errors_second"] == schemes.evaluate(learners[1], *test)


class Says(torch.nn.Module):
    """A network with a fixed answer for each image of the test set."""

    def __init__(self, logits):
        super().__init__()
        self.logits, self.at = logits, 0

    def forward(self, images):
        part = self.logits[self.at : self.at + len(images)]
        self.at = (self.at + len(images)) % len(self.logits)
        return part


def test_the_numbers_of_a_pair_are_what_they_are_called():
    generator = torch.Generator().manual_seed(0)
    targets = DIGITS.test_targets
    first, second = 3 * torch.randn(2, len(targets), 10, generator=generator)
    numbers = Each()(Team([Says(first), Says(second)]), DIGITS)
    assert set(numbers) == set(Each.numbers)
    assert numbers["errors_second"] == metrics.errors(second, targets)
    mean = (first.softmax(dim=1) + second.softmax(dim=1)) / 2
    assert numbers["errors_mean"] == int((mean.argmax(dim=1) != targets).sum())
    same = sum(int(a.argmax() == b.argmax()) for a, b in zip(first, second, strict=True))
    assert numbers["agreement"] == pytest.approx(same / len(targets))
    entropy, wrong = 0.0, 0.0
    for row, target in zip(first.double(), targets.tolist(), strict=True):
        p = row.softmax(dim=0)
        entropy -= float((p * p.log()).sum()) / len(targets)
        rest = torch.cat([p[:target], p[target + 1 :]])
        rest = rest / rest.sum()
        wrong -= float((rest * rest.log()).sum()) / len(targets)
    assert numbers["entropy"] == pytest.approx(entropy, rel=1e-5)
    assert numbers["entropy_wrong"] == pytest.approx(wrong, rel=1e-5)
    assert Spread()(Says(first), DIGITS) == {
        name: numbers[name] for name in ("entropy", "entropy_wrong")
    }


def test_a_mean_is_of_the_probabilities_of_its_units_networks(tmp_path):
    small_run(tmp_path, experiment=EXPERIMENT, seeds=[3])
    networks = [train_unit(unit, 3, DIGITS)[0] for unit in ALONE]
    each = [schemes.predict(one, DIGITS.test_images).softmax(dim=1) for one in networks]
    expected = int(((each[0] + each[1]).argmax(dim=1) != DIGITS.test_targets).sum())
    found = Store(tmp_path, EXPERIMENT, MEAN, 3).result()
    assert found["numbers"]["errors"] == expected and found["seconds"] == 0
    single = [metrics.errors(p.log(), DIGITS.test_targets) for p in each]
    assert len({*single, expected}) == 3, "they could be taken for one another"


def test_a_stopped_pair_goes_on_bit_for_bit(tmp_path):
    def stop(done, steps, note):
        if done == 9:
            raise KeyboardInterrupt

    expected, _, _ = train_unit(PAIR, 5, DIGITS)
    kept = Checkpoint(tmp_path / "checkpoint.safetensors")
    with pytest.raises(KeyboardInterrupt):
        train_unit(PAIR, 5, DIGITS, checkpoint=kept, progress=stop)
    team, _, _ = train_unit(PAIR, 5, DIGITS, checkpoint=kept)
    pairs = zip(team.parameters(), expected.parameters(), strict=True)
    assert all(torch.equal(*pair) for pair in pairs)


def test_a_pair_can_teach(tmp_path):
    """Its first learner answers, also when it is read again from its file."""
    taught = Unit("taught", RECIPE, ("pair",), examples=200)
    experiment = replace(
        EXPERIMENT, units=(PAIR, taught), rows=(Row("taught", "taught", "taught by a pair"),)
    )
    work = Work(experiment, tmp_path, load_all(experiment, "cpu"), quiet)
    small_run(tmp_path, experiment=experiment, seeds=[3])
    team, _, _ = train_unit(PAIR, 3, DIGITS)
    logits = schemes.predict(team.learners[0], DIGITS.train_images)
    assert torch.equal(work.teaching(taught, 3), logits)


def test_seeds_and_members_are_others():
    first, second = (PAIR.build(seed) for seed in (1, 2))
    every = [one.blocks["hidden1"][0].weight[0, 0].item() for one in (*first.learners,)]
    every += [one.blocks["hidden1"][0].weight[0, 0].item() for one in (*second.learners,)]
    assert len(set(every)) == 4


def test_they_cost_what_they_train():
    def seconds(unit):
        return cost.seconds(EXPERIMENT, unit)

    alone = seconds(ALONE[0])
    assert seconds(MEAN) == 0
    equal = replace(PAIR, imitate=Mutual((RECIPE.widths,), "at once"))
    assert seconds(equal) == pytest.approx(2 * alone)
    assert seconds(replace(equal, imitate=Mutual((RECIPE.widths,)))) > 2 * alone


@pytest.mark.usefixtures("unchecked_shapes")
@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Mutual(()), "partners must name at least one, got none"),
        (
            lambda: Mutual((WIDER,), "together"),
            "order must be one of 'in turn', 'at once', got 'together'",
        ),
        (lambda: Mean(0), "count must be a whole number >= 1, got 0"),
        (
            lambda: replace(MEAN, teachers=("alone-0",)),
            "teachers must be 2, as imitate needs, got 1",
        ),
        (
            lambda: replace(PAIR, teachers=("alone-0",)),
            "teachers must be 0, as imitate needs, got 1",
        ),
        (
            lambda: replace(PAIR, recipe=replace(RECIPE, stop_soft_at=1)),
            "stop_soft_at is for units with a teacher",
        ),
        (
            lambda: replace(ALONE[0], recipe=replace(RECIPE, stop_soft_at=-1)),
            "stop_soft_at must be a whole number >= 0, got -1",
        ),
        (
            lambda: replace(RECIPE, pool_after=(1,)),
            "pool_after is for convolutional networks",
        ),
    ],
)
def test_what_cannot_learn_is_refused(call, message):
    check_refused(call, message)


def test_a_mean_of_other_networks_is_refused():
    other = replace(ALONE[1], recipe=replace(RECIPE, widths=WIDER))
    with pytest.raises(ValueError, match="^imitate of mean: networks must be of its recipe: "):
        replace(EXPERIMENT, units=(PAIR, ALONE[0], other, MEAN))
