"""`distill_paths` and `all_paths`: who teaches whom, what is shared, and what it costs."""

import pytest
import torch
from _probes import same, sgd, small_batches, small_set, weights
from _refusals import check_refused

from kdlab import models
from kdlab.schemes import Learnt, all_paths, distill, distill_paths, evaluate, train
from kdlab.schemes.paths import prefixes

TEST = small_set(examples=10, seed=5)
HINTON = {"temperature": 4.0, "lambda_": 0.7}


def build(size, seed):
    return models.mlp((16, size, 3), seed=seed)


def learn(paths, *, seed=3, **rest):
    return distill_paths(
        paths,
        build,
        lambda drawn: small_batches(seed=drawn),
        sgd,
        **{"epochs": 2, "test": TEST, "seed": seed} | HINTON | rest,
    )


def test_all_paths_of_four_sizes_are_the_four_of_the_paper():
    assert all_paths((2, 10, 4, 6)) == ((10, 2), (10, 6, 2), (10, 4, 2), (10, 6, 4, 2))


def test_all_paths_may_end_earlier():
    assert all_paths((2, 4, 6, 10), end=4) == ((10, 4), (10, 6, 4))


@pytest.mark.parametrize("count", range(2, 8))
def test_n_sizes_have_2_to_the_n_minus_2_ways_and_need_twice_as_many_networks(count):
    paths = all_paths(tuple(range(1, count + 1)))
    assert len(set(paths)) == len(paths) == 2 ** (count - 2)
    assert len(prefixes(paths)) == 2 ** (count - 1)


def test_prefixes_come_after_what_they_begin_with():
    found = prefixes([(5, 3, 1), (5, 1)])
    assert set(found) == {(5,), (5, 3), (5, 1), (5, 3, 1)}
    for number, path in enumerate(found):
        assert len(path) == 1 or path[:-1] in found[:number]


def test_a_path_is_train_and_then_distill_again_and_again():
    learnt = learn([(8, 4, 2)])
    assert set(learnt) == {(8,), (8, 4), (8, 4, 2)}
    teacher = None
    for size, path in ((8, (8,)), (4, (8, 4)), (2, (8, 4, 2))):
        model, batches = build(size, 3), small_batches(seed=3)
        rest = {"epochs": 2, "seed": 3, "test": TEST}
        if teacher is None:
            history = train(model, batches, sgd(model), **rest)
        else:
            history = distill(model, teacher, batches, sgd(model), **HINTON, **rest)
        assert same(weights(learnt[path].model), weights(model))
        assert learnt[path].history.losses == history.losses
        assert learnt[path].history.test_errors[-1] == evaluate(model, *TEST)
        teacher = model


def test_a_path_is_the_same_whatever_else_is_learnt():
    alone, among = learn([(8, 4, 2)]), learn(all_paths((8, 6, 4, 2)))
    for path, found in alone.items():
        assert same(weights(found.model), weights(among[path].model))
    others = [weights(among[path].model) for path in ((8, 2), (8, 6, 2), (8, 6, 4, 2))]
    assert not any(same(other, weights(alone[(8, 4, 2)].model)) for other in others)


def test_each_network_has_a_schedule_of_its_own():
    cosine = torch.optim.lr_scheduler.CosineAnnealingLR
    learnt = learn([(8, 4)], make_scheduler=cosine)
    teacher, batches = build(8, 3), small_batches(seed=3)
    optimizer = sgd(teacher)
    rest = {"epochs": 2, "seed": 3, "test": TEST}
    train(teacher, batches, optimizer, scheduler=cosine(optimizer, 6), **rest)
    assert same(weights(learnt[(8,)].model), weights(teacher))
    student, batches = build(4, 3), small_batches(seed=3)
    optimizer = sgd(student)
    rest |= {"scheduler": cosine(optimizer, 6)}
    distill(student, teacher, batches, optimizer, **HINTON, **rest)
    assert same(weights(learnt[(8, 4)].model), weights(student))


def test_what_paths_share_is_trained_once():
    built = []

    def counted(size, seed):
        built.append(size)
        return build(size, seed)

    distill_paths(
        all_paths((8, 6, 4, 2)), counted, lambda s: small_batches(), sgd, epochs=1, **HINTON
    )
    assert sorted(built) == [2, 2, 2, 2, 4, 4, 6, 8]


def test_the_teacher_may_be_smaller_than_its_student():
    assert set(learn([(2, 8)])) == {(2,), (2, 8)}


def test_progress_counts_the_steps_of_all_networks():
    told = []
    learn([(8, 2), (8, 4, 2)], progress=lambda *now: told.append(now))
    assert [done for done, _, _ in told] == list(range(1, 25))
    assert {steps for _, steps, _ in told} == {24}
    assert told[-1][2].startswith("8-4-2: ") and told[0][2] == "8"


class Stopped(Exception):
    """What ends a run in the middle."""


def test_a_stopped_run_goes_on_and_trains_nothing_twice(tmp_path):
    def stop(done, steps, note):
        if done == 17:
            raise Stopped

    paths = [(8, 4, 2)]
    with pytest.raises(Stopped):
        learn(paths, folder=tmp_path, progress=stop)
    # Six steps a network: the third was stopped in its second epoch.
    names = sorted(path.stem for path in tmp_path.iterdir())
    assert names == ["8", "8-4", "8-4-2"]
    steps = []
    again = learn(paths, folder=tmp_path, progress=lambda done, *_: steps.append(done))
    whole = learn(paths)
    assert len(steps) == 3
    for path, found in whole.items():
        assert same(weights(found.model), weights(again[path].model))


def test_an_interrupt_returns_what_there_is():
    def stop(done, steps, note):
        if done == 8:
            raise KeyboardInterrupt

    learnt = learn([(8, 4, 2)], progress=stop)
    assert list(learnt) == [(8,), (8, 4)]
    assert isinstance(learnt[(8, 4)], Learnt) and learnt[(8, 4)].history.interrupted


@pytest.mark.usefixtures("unchecked_shapes")
@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: all_paths((3,)), "sizes must have length >= 2, got [3]"),
        (lambda: all_paths((3, 3)), "sizes must be different, got (3, 3)"),
        (lambda: all_paths((3, 0)), "sizes[1] must be a whole number >= 1, got 0"),
        (lambda: all_paths(7), "sizes must be a tuple, got 7"),
        (lambda: all_paths((8, 4, 2), end=8), "end must be one of [4, 2], got 8"),
        (lambda: learn([]), "paths must have length >= 1, got []"),
        (lambda: learn([8, 2]), "paths[0] must be a tuple of sizes, got 8"),
        (lambda: learn([(8, 2), ()]), "paths[1] must be a tuple of sizes, got ()"),
        (lambda: learn([(8, 2.5)]), "paths[0][1] must be a whole number >= 1, got 2.5"),
        (lambda: learn(5), "paths must be tuples of sizes, got 5"),
        (lambda: learn([(8, 2)], lambda_=2.0), "lambda_ must be in [0, 1], got 2.0"),
        (lambda: learn([(8, 2)], epochs=0), "epochs must be a whole number >= 1, got 0"),
    ],
)
def test_bad_input_is_refused(call, message):
    check_refused(call, message)


def test_the_same_teacher_of_another_seed_is_another():
    first, second = learn([(8, 2)], seed=3), learn([(8, 2)], seed=4)
    assert not torch.equal(weights(first[(8,)].model)[0], weights(second[(8,)].model)[0])
