"""`learn_mutually`: one step by hand, both orders, weights, teachers, checkpoints, refusals."""

import pytest
import torch
from _probes import Probe, same, sgd, small_batches, small_net, small_set, weights
from _refusals import check_refused
from torch import nn
from torch.testing import assert_close

from kdlab import models
from kdlab.data import Batches
from kdlab.losses import distillation_loss
from kdlab.schemes import Checkpoint, distill, evaluate, learn_mutually, predict, train

TEST = small_set(examples=10, seed=5)


def linear(seed):
    return models.mlp((16, 3), seed=seed)


def all_of(*learners, lr=0.1, momentum=0.9):
    together = [weight for one in learners for weight in one.parameters()]
    return torch.optim.SGD(together, lr=lr, momentum=momentum)


def softmax(scores):
    powers = (scores - scores.max(dim=1, keepdim=True).values).exp()
    return powers / powers.sum(dim=1, keepdim=True)


def step_by_hand(weight, bias, images, targets, other, lr):
    """One step of a linear model on (CE + KL(other || own)) / 2: the gradient is written out."""
    inputs = images.flatten(1)
    q = softmax(inputs @ weight.T + bias)
    one_hot = torch.eye(3)[targets]
    slope = (0.5 * (q - one_hot) + 0.5 * (q - other)) / len(targets)
    return weight - lr * slope.T @ inputs, bias - lr * slope.sum(dim=0)


@pytest.mark.parametrize("order", ["in turn", "at once"])
def test_one_step_of_two_linear_models_is_that_by_hand(order):
    first, second = linear(1), linear(2)
    batches = small_batches(batch_size=40)
    [(images, targets, _)] = list(small_batches(batch_size=40))
    params = [[p.detach().clone() for p in one.parameters()] for one in (first, second)]
    answers = [softmax(images.flatten(1) @ w.T + b) for w, b in params]
    new_first = step_by_hand(*params[0], images, targets, answers[1], 0.1)
    heard = answers[0]
    if order == "in turn":
        heard = softmax(images.flatten(1) @ new_first[0].T + new_first[1])
    new_second = step_by_hand(*params[1], images, targets, heard, 0.1)
    optimizer = all_of(first, second, momentum=0.0)
    learn_mutually([first, second], batches, optimizer, epochs=1, order=order)
    for model, expected in ((first, new_first), (second, new_second)):
        assert_close(list(model.parameters()), list(expected), atol=1e-6, rtol=1e-5)


def three(order, kinds=(linear, small_net, linear), momentum=0.9, epochs=2):
    learners = [kind(seed) for seed, kind in enumerate(kinds, start=1)]
    histories = learn_mutually(
        learners,
        small_batches(),
        all_of(*learners, momentum=momentum),
        epochs=epochs,
        order=order,
        test=TEST,
        temperature=2.0,
        lambda_=0.6,
    )
    return learners, histories


def plainly(order, learners, epochs=2):
    """The same with one optimizer a learner and the losses written out."""
    optimizers = [torch.optim.SGD(one.parameters(), lr=0.1, momentum=0.9) for one in learners]
    batches = small_batches()
    for _ in range(epochs):
        for images, targets, _ in batches:
            if order == "at once":
                answers = [one(images).detach() for one in learners]
            for k, (one, optimizer) in enumerate(zip(learners, optimizers, strict=True)):
                if order == "in turn":
                    answers = [other(images).detach() for other in learners]
                heard = [answers[j] for j in range(len(learners)) if j != k]
                each = [
                    distillation_loss(one(images), p, targets, temperature=2.0, lambda_=0.6)
                    for p in heard
                ]
                optimizer.zero_grad()
                torch.stack(each).mean().backward()
                optimizer.step()


@pytest.mark.parametrize("order", ["in turn", "at once"])
def test_three_unequal_learners_take_the_steps_of_the_plainest_loop(order):
    learners, histories = three(order)
    expected = [linear(1), small_net(2), linear(3)]
    plainly(order, expected)
    for one, other in zip(learners, expected, strict=True):
        assert_close(weights(one), weights(other))
    assert len(histories) == 3
    for one, history in zip(learners, histories, strict=True):
        assert history.test_errors[-1] == evaluate(one, *TEST)
        assert len(history.losses) == len(history.test_errors) == 2
    assert len({history.losses for history in histories}) == 3


def test_at_once_the_order_of_the_learners_does_not_matter():
    def learn(seeds):
        learners = [small_net(seed) for seed in seeds]
        optimizer = all_of(*learners)
        learn_mutually(learners, small_batches(), optimizer, epochs=2, order="at once")
        return learners

    there, back = learn((1, 2)), learn((2, 1))
    assert_close(weights(there[0]), weights(back[1]))
    assert_close(weights(there[1]), weights(back[0]))


def test_in_turn_it_does():
    learners = [small_net(seed) for seed in (1, 2)]
    learn_mutually(learners, small_batches(), all_of(*learners), epochs=2)
    other = [small_net(seed) for seed in (2, 1)]
    learn_mutually(other, small_batches(), all_of(*other), epochs=2)
    assert not torch.allclose(weights(learners[0])[0], weights(other[1])[0], atol=1e-4)


@pytest.mark.parametrize("order", ["in turn", "at once"])
def test_lambda_0_is_each_alone(order):
    learners = [small_net(1), small_net(2)]
    rest = {"epochs": 2, "lambda_": 0.0, "order": order}
    learn_mutually(learners, small_batches(), all_of(*learners), **rest)
    for seed, one in enumerate(learners, start=1):
        alone = small_net(seed)
        train(alone, small_batches(), sgd(alone), epochs=2)
        assert_close(weights(one), weights(alone))


def test_a_table_says_who_hears_whom():
    """Learner 1 hears 0; 0 hears no one: it learns as alone, and 1 from a moving teacher."""
    table = torch.tensor([[0.0, 0.0], [0.7, 0.0]])
    learners = [small_net(1), small_net(2)]
    learn_mutually(learners, small_batches(), all_of(*learners), epochs=2, lambda_=table)
    alone = small_net(1)
    train(alone, small_batches(), sgd(alone), epochs=2)
    assert_close(weights(learners[0]), weights(alone))
    unheard = small_net(2)
    train(unheard, small_batches(), sgd(unheard), epochs=2)
    assert not torch.allclose(weights(learners[1])[0], weights(unheard)[0], atol=1e-4)


@pytest.mark.parametrize("shift", [0, 1])
def test_one_learner_and_one_teacher_is_distillation(shift):
    learner, teacher = small_net(1), Probe(7)
    before = weights(teacher)
    batches = small_batches(shift=shift)
    rest = {"epochs": 2, "temperature": 4.0, "lambda_": 0.7}
    [history] = learn_mutually([learner], batches, sgd(learner), teachers=[teacher], **rest)
    assert same(weights(teacher), before) and teacher.training
    assert {frozenset(call["parts"]) for call in teacher.calls} == {frozenset({False})}
    other = small_net(1)
    expected = distill(other, Probe(7), small_batches(shift=shift), sgd(other), **rest)
    assert_close(weights(learner), weights(other))
    assert history.losses == pytest.approx(expected.losses)


def test_dropout_and_batch_statistics_are_those_of_train_mode_and_the_seed_fixes_them():
    def learn(seed):
        learners = [Probe(1), Probe(2)]
        learn_mutually(learners, small_batches(), all_of(*learners), epochs=2, seed=seed)
        return learners

    torch.rand(3)
    before = torch.get_rng_state()
    learners = learn(4)
    assert torch.equal(torch.get_rng_state(), before)
    assert all(call["training"] for one in learners for call in one.calls)
    assert not any(part.training for one in learners for part in one.modules())
    assert same(weights(learners[1]), weights(learn(4)[1]))
    assert not same(weights(learners[1]), weights(learn(5)[1]))


class Stopped(Exception):
    """What ends a run in the middle."""


def interrupted(path, step):
    def progress(done, steps, note):
        if done == step:
            raise Stopped

    learners = [Probe(1), Probe(2)]
    return learners, learn_mutually(
        learners,
        small_batches(shift=1),
        all_of(*learners),
        epochs=4,
        test=TEST,
        progress=progress,
        checkpoint=path and Checkpoint(path),
    )


def test_a_stopped_run_goes_on_bit_for_bit(tmp_path):
    whole, expected = interrupted(None, -1)
    path = tmp_path / "two.safetensors"
    with pytest.raises(Stopped):
        interrupted(path, 8)
    learners, histories = interrupted(path, -1)
    for one, other in zip(learners, whole, strict=True):
        assert same(weights(one), weights(other))
    assert [h.losses for h in histories] == [h.losses for h in expected]
    assert [h.test_errors for h in histories] == [h.test_errors for h in expected]


def test_an_interrupt_returns_what_there_is():
    def progress(done, steps, note):
        if done == 4:
            raise KeyboardInterrupt

    learners = [small_net(1), small_net(2)]
    histories = learn_mutually(
        learners, small_batches(), all_of(*learners), epochs=4, progress=progress
    )
    assert [len(history.losses) for history in histories] == [1, 1]
    assert all(history.interrupted for history in histories)


def test_progress_names_the_errors_of_each():
    notes = []
    learners = [small_net(1), small_net(2)]
    histories = learn_mutually(
        learners,
        small_batches(),
        all_of(*learners),
        epochs=1,
        test=TEST,
        progress=lambda done, steps, note: notes.append((done, steps, note)),
    )
    first, second = (history.test_errors[-1] for history in histories)
    assert notes[-1] == (3, 3, f"{first}, {second} test errors")


def test_two_learn_more_than_their_first_guess():
    """A teacher that knows the classes is reached by two students who hear it and each other."""
    images, _ = small_set(examples=200)
    teacher = small_net(9)
    targets = predict(teacher, images).argmax(dim=1)
    learners = [small_net(1), small_net(2)]
    histories = learn_mutually(
        learners,
        Batches(images, targets, batch_size=20),
        torch.optim.Adam([w for one in learners for w in one.parameters()], lr=0.01),
        epochs=40,
        teachers=[teacher],
        test=(images, targets),
    )
    assert all(history.test_errors[-1] < 20 for history in histories)


def refused(message, learners=None, optimizer=None, **changed):
    learners = [small_net(1), small_net(2)] if learners is None else learners
    if optimizer is None:
        several = [one for one in learners if isinstance(one, nn.Module)]
        optimizer = all_of(*several)
    rest = {"epochs": 1} | changed
    check_refused(lambda: learn_mutually(learners, small_batches(), optimizer, **rest), message)


@pytest.mark.usefixtures("unchecked_shapes")
def test_bad_learners_are_refused():
    net = small_net(1)
    refused("learners must have length >= 2, got ['FeatureNet']", [net])
    refused("learners must be a list of networks, got one network", net, sgd(net))
    refused("learners[1] must be torch's Module, got str", [net, "two"])
    refused("learners must not share weights, got shared ones in 0 and 1", [net, net], sgd(net))
    refused(
        "learners must start from different weights, got the same in 0 and 1",
        [net, small_net(1)],
    )
    refused(
        "optimizer must hold parameters of the trained model, got none of them",
        [net, small_net(2)],
        sgd(net),
    )
    refused(
        "teacher must be another model than student, got one object as both",
        [net, small_net(2)],
        teachers=[net],
    )


@pytest.mark.usefixtures("unchecked_shapes")
def test_other_bad_arguments_are_refused():
    refused("order must be one of 'in turn', 'at once', got 'together'", order="together")
    refused("lambda_ must be in [0, 1], got 1.5", lambda_=1.5)
    refused("temperature must be > 0, got 0", temperature=0)
    refused("epochs must be a whole number >= 1, got 0", epochs=0)
    refused(
        "lambda_ must have shape [learners, learners and teachers], [2, 2], got [2, 3]",
        lambda_=torch.zeros(2, 3),
    )
    refused("lambda_[0][0] must be 0: no one teaches itself, got 0.5", lambda_=torch.eye(2) / 2)
    refused(
        "lambda_[1] must sum to at most 1, got 1.4",
        learners=[small_net(1), small_net(2), small_net(3)],
        lambda_=torch.tensor([[0, 0, 0], [0.7, 0, 0.7], [0, 0, 0]]),
    )
