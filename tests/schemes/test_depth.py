"""Exits and `distill_exits`: what an exit is, what it hears, and what it costs."""

import pytest
import torch
from _probes import same, sgd, small_batches, small_net, small_set, weights
from _refusals import check_refused
from torch.testing import assert_close

from kdlab import models
from kdlab.data import to_float
from kdlab.losses import distillation_loss
from kdlab.models import count_parameters
from kdlab.schemes import Checkpoint, add_exits, distill_exits, evaluate, predict

TEST = small_set(examples=10, seed=5)
IMAGES = to_float(TEST[0])
HINTON = {"temperature": 3.0, "lambda_": 0.6}
DEEP = (16, 8, 7, 6, 3)


def deep(seed=1):
    return add_exits(models.mlp(DEEP, seed=seed), ["hidden1", "hidden2"], IMAGES, seed=seed)


def convolutional(seed=1):
    net = models.conv_net((4, 6), classes=3, seed=seed)
    return add_exits(net, ["block1"], torch.zeros(2, 1, 28, 28), seed=seed)


def test_exits_are_found_in_one_pass_and_alone():
    model = deep().eval()
    every = model.exits(IMAGES)
    assert model.names == tuple(every) == ("hidden1", "hidden2", "logits")
    for name, scores in every.items():
        assert_close(model.exit(name).eval()(IMAGES), scores)
    assert_close(model(IMAGES), every["logits"])


def test_an_exit_has_none_of_what_lies_behind_it_and_shares_its_weights():
    model = deep()
    first = model.exit("hidden1")
    assert count_parameters(first) == (16 * 8 + 8) + (8 * 3 + 3)
    assert count_parameters(model.exit("logits")) == count_parameters(models.mlp(DEEP))
    with torch.no_grad():
        model.net.blocks["hidden1"][0].weight.zero_()
    assert first[1][0].weight.abs().sum() == 0


def test_maps_with_places_are_averaged_to_four_by_four():
    model = convolutional()
    images = torch.rand(5, 1, 28, 28)
    model.eval()
    maps = model.net.features(images)["block1"]
    assert maps.shape[2:] == (14, 14)
    pooled = torch.nn.functional.adaptive_avg_pool2d(maps, 4).flatten(1)
    linear = model.heads["block1"][2]
    assert linear.in_features == 4 * 16
    assert_close(model.exits(images)["block1"], linear(pooled))


def test_small_maps_keep_their_places():
    net = models.conv_net((4, 6), classes=3)
    model = add_exits(net, ["block1", "block2"], torch.zeros(2, 1, 4, 4))
    assert [head[2].in_features for head in model.heads.values()] == [4 * 4, 6]


def test_adding_exits_leaves_the_network_and_the_generator():
    net = models.conv_net((4, 6), classes=3).train()
    images = torch.rand(4, 1, 28, 28)
    before, state = weights(net), torch.get_rng_state()
    first = add_exits(net, ["block1"], images, seed=2)
    assert same(weights(net), before) and net.training and first.net is net
    assert torch.equal(torch.get_rng_state(), state)
    again = add_exits(net, ["block1"], images, seed=2)
    other = add_exits(net, ["block1"], images, seed=3)
    assert same(weights(first.heads), weights(again.heads))
    assert not same(weights(first.heads), weights(other.heads))


def learn(model, **rest):
    arguments = {"epochs": 2, "test": TEST} | HINTON | rest
    return distill_exits(model, small_batches(), sgd(model), **arguments)


def test_it_takes_the_steps_of_the_plainest_loop():
    model, expected = deep(), deep()
    histories = learn(model)
    optimizer = sgd(expected)
    for _ in range(1):
        batches = small_batches()
        for _ in range(2):
            for images, targets, _ in batches:
                every = expected.exits(images)
                last = every["logits"]
                loss = torch.nn.functional.cross_entropy(last, targets)
                for name in ("hidden1", "hidden2"):
                    heard = last.detach()
                    loss = loss + distillation_loss(every[name], heard, targets, **HINTON)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    assert_close(weights(model), weights(expected))
    assert list(histories) == ["hidden1", "hidden2", "logits"]
    for name, history in histories.items():
        assert history.test_errors[-1] == evaluate(model.exit(name), *TEST)
        assert len(history.losses) == 2
    assert evaluate(model, *TEST) == histories["logits"].test_errors[-1]


def test_errors_are_those_of_each_exit():
    model, known = deep(), small_set()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    rest = {"epochs": 10, "test": known} | HINTON
    histories = distill_exits(model, small_batches(), optimizer, **rest)
    errors = {name: evaluate(model.exit(name), *known) for name in model.names}
    assert {name: history.test_errors[-1] for name, history in histories.items()} == errors
    # Otherwise they could be taken for one another.
    assert errors["hidden1"] != errors["logits"]


def test_the_deepest_exit_gets_no_gradient_from_the_others_terms():
    model = deep()
    images, targets, _ = next(iter(small_batches(batch_size=40)))
    every = model.exits(images)
    taught = distillation_loss(every["hidden1"], every["logits"], targets, **HINTON)
    taught.backward()
    assert model.net.blocks["logits"].weight.grad is None
    assert model.net.blocks["hidden1"][0].weight.grad is not None


def test_predictions_of_an_exit_are_those_of_an_ordinary_network():
    model = convolutional()
    images = torch.randint(256, (7, 1, 28, 28), dtype=torch.uint8)
    assert predict(model.exit("block1"), images).shape == (7, 3)


class Stopped(Exception):
    """What ends a run in the middle."""


def test_a_stopped_run_goes_on_bit_for_bit(tmp_path):
    def stop(done, steps, note):
        if done == 5:
            raise Stopped

    whole, checkpoint = deep(), Checkpoint(tmp_path / "run.safetensors")
    expected = learn(whole, epochs=3)
    with pytest.raises(Stopped):
        learn(deep(), epochs=3, checkpoint=checkpoint, progress=stop)
    model = deep()
    histories = learn(model, epochs=3, checkpoint=checkpoint)
    assert same(weights(model), weights(whole))
    assert [h.losses for h in histories.values()] == [h.losses for h in expected.values()]


@pytest.mark.usefixtures("unchecked_shapes")
@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: learn(small_net()),
            "model must be kdlab's ExitNet, got FeatureNet",
        ),
        (lambda: learn(deep(), lambda_=-1), "lambda_ must be in [0, 1], got -1"),
        (lambda: learn(deep(), temperature=0), "temperature must be > 0, got 0"),
        (
            lambda: deep().exit("hidden3"),
            "name must be one of 'hidden1', 'hidden2', 'logits', got 'hidden3'",
        ),
        (
            lambda: add_exits(small_net(), ["logits"], IMAGES),
            "layers[0] must be one of 'inputs', 'hidden1', got 'logits'",
        ),
        (
            lambda: add_exits(models.mlp(DEEP), ["hidden2", "hidden1"], IMAGES),
            "layers must be different, in the order of ['inputs', 'hidden1', 'hidden2', "
            "'hidden3'], got ['hidden2', 'hidden1']",
        ),
        (lambda: add_exits(small_net(), [], IMAGES), "layers must have length >= 1, got []"),
        (
            lambda: add_exits(torch.nn.Linear(3, 3), ["a"], IMAGES),
            "net must be kdlab's FeatureNet, got Linear",
        ),
    ],
)
def test_bad_input_is_refused(call, message):
    check_refused(call, message)
