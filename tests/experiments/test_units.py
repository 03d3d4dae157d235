"""One unit's training: which images it gets, what it hears, and that seeds decide."""

from dataclasses import dataclass, replace
from typing import ClassVar

import pytest
import torch
from _small_experiment import SMALL, TEACHER
from torch.testing import assert_close

from kdlab import data, schemes
from kdlab.experiments.training import chosen, learn, lesson, train_unit
from kdlab.experiments.units import Recipe, Unit
from kdlab.schemes import predict_moved

DIGITS = data.load("digits")
COUNT = len(DIGITS.train_targets)
TAUGHT = replace(TEACHER, max_norm=None)


@dataclass(frozen=True)
class Negated:
    """A view that turns every answer round, and notes what it was told."""

    seen: ClassVar[list] = []

    def __call__(self, logits, targets, seed):
        self.seen.append((len(logits), targets, seed))
        return -logits


def same(one, other) -> bool:
    pairs = zip(one.state_dict().values(), other.state_dict().values(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


def test_a_unit_gets_all_images_or_as_many_as_it_says():
    assert torch.equal(chosen(Unit("u", TEACHER), 0, DIGITS), torch.arange(COUNT))
    few, more = (chosen(Unit("u", TEACHER, examples=n), 3, DIGITS) for n in (40, 90))
    assert torch.equal(more[:40], few) and len(set(more.tolist())) == 90
    assert not torch.equal(few, chosen(Unit("u", TEACHER, examples=40), 4, DIGITS))


def test_a_unit_gets_nothing_of_classes_it_is_without():
    numbers = chosen(Unit("u", TEACHER, without=(3, 5)), 0, DIGITS)
    left = DIGITS.train_targets[numbers]
    assert set(left.tolist()) == set(range(10)) - {3, 5}
    gone = torch.isin(DIGITS.train_targets, torch.tensor([3, 5])).sum()
    assert len(numbers) == COUNT - gone


@pytest.mark.parametrize("shift", [0, 1])
def test_each_image_hears_the_answer_to_itself(shift):
    teacher = TEACHER.build(0).eval()
    answers = predict_moved(teacher, DIGITS.train_images, shift=shift)
    recipe = replace(TAUGHT, shift=shift)
    unit = Unit("u", recipe, ("teacher",), without=(3,), examples=100)
    batches, heard = lesson(unit, 0, 0, DIGITS, answers)
    for images, targets, indices in batches:
        assert 3 not in targets
        assert_close(heard[indices], teacher(images).detach())


def test_a_view_changes_what_is_heard_knowing_the_classes_and_the_seed():
    Negated.seen.clear()
    answers = torch.randn(COUNT * 9, 10)
    unit = Unit("u", TAUGHT, ("teacher",), view=Negated(), examples=50)
    _, heard = lesson(unit, 0, 7, DIGITS, answers)
    numbers = chosen(unit, 0, DIGITS)
    assert torch.equal(heard, -answers.view(COUNT, 9, 10)[numbers].flatten(0, 1))
    (length, targets, seed), *more = Negated.seen
    assert not more and seed == 7 and length == 450
    assert torch.equal(targets, DIGITS.train_targets[numbers].repeat_interleave(9))


def test_a_unit_is_its_recipe_and_a_scheme():
    recipe = Recipe((784, 12, 10), 3, dropout=0.2, max_norm=0.5, shift=1, smoothing=0.1)
    model, numbers, seconds = train_unit(Unit("u", recipe), 5, DIGITS)
    expected = recipe.build(5)
    batches = data.Batches(
        DIGITS.train_images, DIGITS.train_targets, batch_size=256, seed=5, shift=1
    )
    optimizer = torch.optim.Adam(expected.parameters(), lr=1e-3, fused=True)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 3 * len(batches))
    rest = {"epochs": 3, "seed": 5, "scheduler": scheduler}
    schemes.train(expected, batches, optimizer, smoothing=0.1, max_norm=0.5, **rest)
    assert same(model, expected) and not model.training and seconds > 0
    errors = schemes.evaluate(expected, DIGITS.test_images, DIGITS.test_targets)
    assert numbers == {"errors": errors}


def test_temperature_and_lambda_reach_the_loss():
    found = []
    for change in ({}, {"temperature": 9.0}, {"lambda_": 0.1}):
        recipe = replace(SMALL.by_name["student"].recipe, epochs=1, shift=0, **change)
        model = recipe.build(0)
        batches = data.Batches(DIGITS.train_images, DIGITS.train_targets, batch_size=64)
        answers = torch.randn(COUNT, 10, generator=torch.Generator().manual_seed(0))
        found.append(learn(recipe, model, batches, answers).losses)
    assert len(set(found)) == 3


def test_the_learning_rate_falls_to_zero(monkeypatch):
    held = []
    real = torch.optim.Adam
    monkeypatch.setattr(torch.optim, "Adam", lambda *a, **k: held.append(real(*a, **k)) or held[-1])
    train_unit(Unit("u", Recipe((784, 4, 10), 2)), 0, DIGITS)
    assert held[0].param_groups[0]["lr"] == pytest.approx(0.0, abs=1e-9)


def test_members_of_one_seed_differ_and_seeds_do():
    unit = Unit("u", Recipe((784, 8, 10), 1))
    one, again, other, member = (
        train_unit(u, seed, DIGITS)[0]
        for u, seed in ((unit, 0), (unit, 0), (unit, 1), (replace(unit, member=1), 0))
    )
    assert same(one, again) and not same(one, other) and not same(one, member)


def test_an_untrained_unit_is_as_it_was_built():
    recipe = Recipe((784, 8, 10), 0)
    model, numbers, seconds = train_unit(Unit("u", recipe), 3, DIGITS)
    assert same(model, recipe.build(3)) and seconds == 0 and numbers["errors"] > 0


def test_a_measure_adds_its_numbers():
    unit = SMALL.by_name["panel"]
    answers = torch.randn(COUNT * 9, 10)
    _, numbers, _ = train_unit(
        replace(unit, recipe=replace(unit.recipe, epochs=1)), 0, DIGITS, answers
    )
    assert {"errors", "bias", "errors_bias", "errors_classes"} <= set(numbers)
    assert numbers["errors_bias_test"] <= numbers["errors_bias"]
