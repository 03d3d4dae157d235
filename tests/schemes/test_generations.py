"""Born-again networks and label refinery: fresh weights, the right teacher, when to stop."""

import pytest
import torch
from _probes import same, sgd, small_batches, small_net, small_set, weights
from _refusals import check_refused
from torch.testing import assert_close

from kdlab.models import Ensemble
from kdlab.schemes import (
    Generations,
    History,
    distill,
    evaluate,
    grow_generations,
    predict,
    refine_labels,
    train,
)

TEST = small_set(examples=10, seed=5)
HELD_OUT = small_set(examples=30, seed=6)


def grow(*, shift=0, build=small_net, **rest):
    return grow_generations(
        build,
        lambda seed: small_batches(seed=seed, shift=shift),
        sgd,
        **{"generations": 2, "epochs": 2, "seed": 3} | rest,
    )


def refine(*, shift=0, lr=0.1, **rest):
    return refine_labels(
        small_net,
        lambda seed: small_batches(seed=seed, shift=shift),
        lambda model: sgd(model, lr),
        **{"held_out": HELD_OUT, "epochs": 2, "seed": 3} | rest,
    )


@pytest.mark.parametrize("shift", [0, 1])
def test_generations_are_train_and_then_distill_from_the_one_before(shift):
    grown = grow(shift=shift, lambda_=0.4, temperature=2.0, test=TEST)
    model = None
    for number in range(3):
        teacher, model = model, small_net(3 + number)
        batches, rest = small_batches(seed=3 + number, shift=shift), {"epochs": 2, "test": TEST}
        if teacher is None:
            history = train(model, batches, sgd(model), **rest)
        else:
            weighed = {"temperature": 2.0, "lambda_": 0.4}
            history = distill(model, teacher, batches, sgd(model), **weighed, **rest)
        assert same(weights(grown.models[number]), weights(model))
        assert grown.histories[number].losses == history.losses
        assert grown.histories[number].test_errors == history.test_errors


def test_each_has_a_schedule_of_its_own():
    made = []

    def halve(optimizer, steps):
        made.append(steps)
        return torch.optim.lr_scheduler.StepLR(optimizer, 3, gamma=0.5)

    grown = grow(make_scheduler=halve, generations=1)
    assert made == [6, 6]
    teacher, batches = small_net(3), small_batches(seed=3)
    optimizer = sgd(teacher)
    train(teacher, batches, optimizer, epochs=2, scheduler=halve(optimizer, 6))
    assert same(weights(grown.models[0]), weights(teacher))
    assert not same(weights(grown.models[1]), weights(grow(generations=1).models[1]))


def test_each_starts_from_fresh_weights_and_is_an_object_of_its_own():
    """A generation that went on with its teacher's weights would be longer training."""
    started = []

    def build(seed):
        model = small_net(seed)
        started.append(weights(model))
        return model

    grown = grow(build=build)
    assert len({id(model) for model in grown.models}) == len(started) == 3
    for number, first in enumerate(started):
        assert same(first, weights(small_net(3 + number)))
        assert not any(same(first, weights(model)) for model in grown.models)


def test_a_teacher_is_left_as_it_was():
    alone, followed = grow(generations=1), grow(generations=2)
    assert same(weights(alone.models[1]), weights(followed.models[1]))
    assert not any(part.training for model in followed.models for part in model.modules())


def test_the_ensemble_is_the_mean_of_probabilities():
    grown = grow()
    images, _ = TEST
    for since, members in ((0, grown.models), (1, grown.models[1:])):
        expected = torch.stack([predict(one, images).softmax(dim=1) for one in members]).mean(0)
        assert_close(predict(grown.ensemble(since=since), images).softmax(dim=1), expected)
    assert_close(grown.ensemble()(images.float() / 255), grown.ensemble(since=1)(images / 255))


def test_an_ensemble_of_one_answers_as_it_does():
    model = small_net()
    images, _ = TEST
    assert_close(
        predict(Ensemble([model]), images).softmax(dim=1), predict(model, images).softmax(dim=1)
    )


def test_extreme_logits_leave_an_ensemble_finite():
    class Sure(torch.nn.Module):
        def __init__(self, sign):
            super().__init__()
            self.sign = sign

        def forward(self, images):
            return torch.tensor([[1e4 * self.sign, -1e4 * self.sign, 0.0]])

    scores = Ensemble([Sure(1), Sure(-1)])(torch.zeros(1, 1))
    assert_close(scores.softmax(dim=1), torch.tensor([[0.5, 0.5, 0.0]]))
    assert scores.isfinite().all()


@pytest.mark.parametrize("shift", [0, 1])
def test_a_refinery_s_students_hear_only_the_one_before(shift):
    refined = refine(shift=shift, most=2)
    teacher = small_net(3)
    train(teacher, small_batches(seed=3, shift=shift), sgd(teacher), epochs=2)
    student, batches = small_net(4), small_batches(seed=4, shift=shift)
    distill(student, teacher, batches, sgd(student), epochs=2, temperature=1.0, lambda_=1.0)
    assert same(weights(refined.models[0]), weights(teacher))
    assert same(weights(refined.models[1]), weights(student))
    expected = [evaluate(model, *HELD_OUT) for model in (teacher, student)]
    assert list(refined.held_out_errors) == expected


def said(monkeypatch, errors, **rest):
    """Refine where the held-out errors are given."""
    left = iter(errors)
    monkeypatch.setattr("kdlab.schemes.generations.evaluate", lambda *_: next(left))
    return refine(epochs=1, **rest)


@pytest.mark.parametrize(
    ("errors", "count", "best"),
    [
        ([9, 7, 7, 1], 3, 1),
        ([9, 7, 6, 8, 1], 4, 2),
        ([5, 5, 1], 2, 0),
        ([5, 6, 1], 2, 0),
        ([9, 8, 7, 6, 5, 4], 5, 4),
    ],
)
def test_it_stops_when_errors_fall_no_more(monkeypatch, errors, count, best):
    refined = said(monkeypatch, errors, most=5)
    assert refined.held_out_errors == tuple(errors[:count])
    assert refined.best is refined.models[best]


def test_a_stopped_run_goes_on_bit_for_bit(tmp_path):
    class Stopped(Exception):
        pass

    def stop(done, steps, note):
        if done == 11:
            raise Stopped

    with pytest.raises(Stopped):
        grow(folder=tmp_path, progress=stop)
    steps = []
    again = grow(folder=tmp_path, progress=lambda done, *_: steps.append(done))
    whole = grow()
    assert len(steps) == 18 - 9
    assert same(weights(again.models[-1]), weights(whole.models[-1]))


def test_an_interrupt_returns_what_there_is():
    def stop(done, steps, note):
        if done == 8:
            raise KeyboardInterrupt

    assert len(grow(progress=stop).models) == 2
    refined = refine(progress=stop)
    assert len(refined.models) == len(refined.held_out_errors) == 2


@pytest.mark.usefixtures("unchecked_shapes")
@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: grow(generations=0), "generations must be a whole number >= 1, got 0"),
        (lambda: grow(lambda_=-1), "lambda_ must be in [0, 1], got -1"),
        (lambda: grow(temperature=0.0), "temperature must be > 0, got 0.0"),
        (lambda: refine(most=0), "most must be a whole number >= 1, got 0"),
        (
            lambda: refine(held_out=None),
            "held_out must be a pair of images and targets, got NoneType",
        ),
    ],
)
def test_bad_input_is_refused(call, message):
    check_refused(call, message)


def test_an_ensemble_needs_members_and_best_something_held_out():
    made = Generations((small_net(),), (History((1.0,)),))
    check_refused(lambda: made.ensemble(), "since must be < 1, got 1")
    check_refused(lambda: made.best, "best needs held_out errors, got none")
    check_refused(lambda: Ensemble([]), "models must have length >= 1, got []")
