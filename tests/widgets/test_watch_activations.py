"""watch_activations without a browser: twins, what their sigmoids show, moved settings."""

import copy
import xml.etree.ElementTree as ElementTree

import pytest
import torch
from _live_views import listen, make_dataset, press, until
from torch import nn

from kdlab import schemes
from kdlab.data import Batches, to_float
from kdlab.widgets import watch_activations
from kdlab.widgets._activations import Activations, look_into, sigmoid_net

SVG = "{http://www.w3.org/2000/svg}"
WIDTHS = (16, 100, 100, 100, 3)


@pytest.fixture
def make():
    """Return a maker of views; all are closed after the test."""
    views = []

    def make(**more):
        views.append(watch_activations(make_dataset(), **{"batch_size": 32} | more))
        return views[-1]

    yield make
    for view in views:
        view.close()


def run(view, steps):
    for _ in range(steps):
        view._live._step()
    return view


def rows(network):
    return {name: tensor.clone() for name, tensor in network.state_dict().items()}


def same(one, other):
    pairs = zip(one.values(), other.values(), strict=True)
    return all(torch.equal(*pair) for pair in pairs)


@pytest.mark.parametrize("normalized", [False, True])
def test_each_network_learns_exactly_what_train_teaches(make, normalized):
    view, data = run(make(seed=3, learning_rate=0.2, init_scale=0.3), 9), make_dataset()
    own = sigmoid_net(WIDTHS, normalized=normalized, init_scale=0.3, seed=3)
    batches = Batches(data.train_images, data.train_targets, batch_size=32, seed=3)
    optimizer = torch.optim.SGD(own.parameters(), lr=0.2)
    schemes.train(own, batches, optimizer, epochs=3)
    trainee = view._live.trainee
    watched = trainee.normalized if normalized else trainee.plain
    assert same(rows(watched), rows(own))
    position = ("plain", "normalized")[normalized]
    trainee.steps = 10
    view._live._measure()
    wrong = schemes.evaluate(own, *trainee.test_set)
    assert view.curves[position][-1] == round(1 - wrong / 30, 4)


def test_both_begin_with_the_same_weights_of_the_wanted_width():
    one, other = (
        sigmoid_net((400, 300, 10), normalized=on, init_scale=0.02, seed=5) for on in (False, True)
    )
    linear = [[m for m in net.modules() if isinstance(m, nn.Linear)] for net in (one, other)]
    for a, b in zip(*linear, strict=True):
        assert torch.equal(a.weight, b.weight) and not a.bias.any() and not b.bias.any()
    assert linear[0][0].weight.std().item() == pytest.approx(0.02, rel=0.02)
    assert abs(linear[0][0].weight.mean().item()) < 1e-3
    assert [*one.features(torch.rand(2, 400))] == ["images", "inputs1", "outputs1", "logits"]


def test_the_normalized_one_hands_its_sigmoids_zero_mean_and_unit_variance():
    data = make_dataset()
    images = to_float(data.train_images)
    for on in (False, True):
        net = sigmoid_net(WIDTHS, normalized=on, init_scale=0.4, seed=5)
        handed = net.features(images)["inputs2"]
        means, variances = handed.mean(dim=0), handed.var(dim=0, correction=0)
        fits = means.abs().max() < 1e-4 and (variances - 1).abs().max() < 0.01
        assert bool(fits) == on


def test_looking_leaves_no_trace(make):
    trainee = make()._live.trainee
    before = [copy.deepcopy(rows(network)) for network in trainee.networks]
    modes = [network.training for network in trainee.networks]
    trainee.show()
    assert all(same(rows(n), b) for n, b in zip(trainee.networks, before, strict=True))
    assert [network.training for network in trainee.networks] == modes


def test_histograms_are_shares_of_the_activations_of_training(make):
    view = run(make(init_scale=2.0), 10)
    trainee = view._live.trainee
    images = to_float(trainee.test.test_images)
    for name, network in zip(trainee.names, trainee.networks, strict=True):
        maps = copy.deepcopy(network).train().features(images)
        told = view.activations[name]
        for layer in range(3):
            handed, given = maps[f"inputs{layer + 1}"], maps[f"outputs{layer + 1}"]
            assert torch.equal(given, handed.sigmoid())
            for kind, values, low, width in (
                ("inputs", handed.clamp(-8, 8), -8, 0.4),
                ("outputs", given, 0, 0.025),
            ):
                bins = ((values - low) / width).long().clamp(0, 39).flatten()
                shares = torch.bincount(bins, minlength=40) / bins.numel()
                assert told[kind][layer] == pytest.approx(shares.tolist(), abs=2e-3)
                assert sum(told[kind][layer]) == pytest.approx(1, abs=3e-3)
            near = ((given < 0.05) | (given > 0.95)).float().mean().item()
            assert told["saturated"][layer] == pytest.approx(near, abs=1e-3)
            spread = given.detach().std(dim=0).mean().item()
            assert told["spread"][layer] == pytest.approx(spread, abs=1e-4)
    # Wide first weights saturate the plain one's sigmoids; normalized ones don't care.
    plain, normalized = (view.activations[name]["saturated"][2] for name in trainee.names)
    assert plain > 0.5 > 0.2 > normalized


def test_what_is_no_number_is_shown_as_0():
    net = sigmoid_net(WIDTHS, normalized=False, init_scale=0.1, seed=0)
    nn.init.constant_(net.blocks["inputs1"][0].bias, torch.nan)
    told = look_into(net, torch.rand(5, 16))
    assert sum(told["inputs"][0]) == pytest.approx(1)


def test_first_weights_count_from_the_next_reset_on(make):
    view = run(make(), 10)
    view.start()
    view.pause()
    before, frame = rows(view._live.trainee.plain), view.activations
    view.set_state({"init_scale": 1.5})
    assert same(rows(view._live.trainee.plain), before) and view.activations is frame
    assert view.state == "paused" and view.curves["steps"] and view.curves["marks"] == []
    view.reset()
    wanted = sigmoid_net(WIDTHS, normalized=False, init_scale=1.5, seed=0)
    assert same(rows(view._live.trainee.plain), rows(wanted))


def test_first_weights_are_seen_at_once_where_nothing_is_trained(make):
    view = make()
    told = listen(view)
    saturated = view.activations["plain"]["saturated"][1]
    view.init_scale = 3.0
    assert view.state == "ready" and view.activations["plain"]["saturated"][1] > saturated
    assert told[-1]["frame"] is view.activations


def test_what_is_shown_is_no_setting_of_the_training(make):
    view = make()
    view.start()
    until(lambda: len(view.curves["steps"]) > 1)
    view.kind = "inputs"
    more = len(view.curves["steps"]) + 1
    until(lambda: len(view.curves["steps"]) > more)
    view.pause()
    assert view.curves["marks"] == [] and tuple(view._live._used) == (0.5,)


def test_a_last_batch_of_one_is_left_out():
    data = make_dataset()
    trainee = Activations(data, batch_size=19)
    # 96 images: five batches of 19, and one image.
    view = [trainee._batch_of_several() for _ in range(10)]
    assert [len(targets) for _, targets in view] == [19] * 10


def test_summary_and_still_show_both_networks(make):
    view = make()
    ElementTree.fromstring(view.still())
    run(view, 20)
    now = view.curves
    ends = [view.activations[name]["saturated"][2] for name in ("plain", "normalized")]
    assert view.summary() == (
        f"After 20 steps, of 30 test images right: plain {now['plain'][-1]:.1%}, "
        f"{ends[0]:.0%} of its last layer saturated; normalized {now['normalized'][-1]:.1%}, "
        f"{ends[1]:.0%} of its last layer saturated"
    )
    for kind, words in (("outputs", "What the sigmoids give"), ("inputs", "handed")):
        view.kind = kind
        root = ElementTree.fromstring(view.still())
        assert words in "".join(root.itertext())
        groups = root.findall(f"{SVG}g[@fill]")
        assert len(groups) == 6
        tall = [float(bar.get("height")) for bar in groups[4]]
        shares = view.activations["normalized"][kind][1]
        assert tall == pytest.approx([56 * min(1, 10 * share) for share in shares], abs=0.06)
    colours = [line.get("stroke") for line in root.iter(f"{SVG}polyline")]
    assert colours == [groups[0].get("fill"), groups[3].get("fill")]


def test_a_full_message_is_small(make):
    view = make(init_scale=1.0)
    for step in range(0, 100_000, 10):
        view._live._curves.add(step, 0.9876, 0.1234)
    told = listen(view)
    press(view, "look")
    assert len(str(told[0])) < 16_000


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"learning_rate": 20}, r"learning_rate must be in \[0.001, 10\], got 20"),
        ({"init_scale": 0}, "init_scale must be > 0"),
        ({"init_scale": 11}, r"init_scale must be in \[0.001, 10\], got 11"),
        ({"batch_size": 1}, "batch_size must be a whole number >= 2, got 1"),
        ({"seed": 1.5}, "seed must be a whole number >= 0, got 1.5"),
    ],
)
def test_wrong_arguments_say_which(make, change, message, unchecked_shapes):
    with pytest.raises(ValueError, match=message):
        make(**change)


def test_wrong_values_are_refused_and_the_old_ones_stay(make):
    view = make()
    with pytest.raises(ValueError, match="^kind must be one of 'outputs', 'inputs', got 'bars'"):
        view.kind = "bars"
    with pytest.raises(ValueError, match="^init_scale must be in"):
        view.init_scale = 0
    assert (view.kind, view.init_scale, view._live.trainee.init_scale) == ("outputs", 0.1, 0.1)
