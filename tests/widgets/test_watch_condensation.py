"""watch_condensation without a browser: the library's numbers, its control, its images."""

import base64
import xml.etree.ElementTree as ElementTree

import pytest
import torch
from _live_views import listen, make_dataset, press, until

from kdlab import models
from kdlab.condense import Augmentation, draw_noise, evaluate_set, match_distributions
from kdlab.widgets import _condensation, watch_condensation
from kdlab.widgets._condensation import CONTROLS, as_bytes
from kdlab.widgets.watch_condensation import CHANGES

SVG = "{http://www.w3.org/2000/svg}"


def small(seed):
    return models.embedding_net((4, 4), side=4, classes=3, seed=seed)


@pytest.fixture
def make():
    """Return a maker of views; all are closed after the test."""
    views = []

    def make(**more):
        settings = {"network": small, "network_steps": 4, "real_per_class": 5} | more
        views.append(watch_condensation(make_dataset(), **settings))
        return views[-1]

    yield make
    for view in views:
        view.close()


def run(view, rounds):
    for _ in range(rounds):
        view._live._step()
    return view


def decoded(frame):
    """Return a frame's images, uint8."""
    pixels = bytearray(base64.b64decode(frame["images"]))
    return torch.frombuffer(pixels, dtype=torch.uint8).view(frame["shape"])


@pytest.mark.parametrize("start", ["noise", "real"])
@pytest.mark.parametrize("augmentation", [CHANGES, None])
def test_rounds_are_those_of_match_distributions(make, start, augmentation):
    data, changes = make_dataset(), {"augmentation": augmentation}
    view = make(start=start, seed=2, learning_rate=0.3, **changes)
    own = view._live.trainee.random_real(0) if start == "real" else None
    own = own or draw_noise(1, (1, 4, 4), classes=3, seed=2)
    assert torch.equal(view.images, own.images)
    optimizer = torch.optim.SGD([own.images], lr=0.3, momentum=0.5)
    given = {"build": small, "rounds": 23, "per_class": 5, "seed": 2}
    match_distributions(own, data.train_images, data.train_targets, optimizer, **given, **changes)
    assert torch.equal(run(view, 23).images, own.images)


def test_the_default_network_is_an_embedding_net_for_the_data(make):
    view = make(network=None)
    found = view._live.trainee.build(7)
    wanted = models.embedding_net((16, 16, 16), side=4, classes=3, seed=7)
    pairs = zip(found.parameters(), wanted.parameters(), strict=True)
    assert all(torch.equal(*pair) for pair in pairs)


def worth(view, synthetic, seed):
    images, targets = view._live.trainee.test_set
    settings = {"build": small, "networks": 1, "steps": 4, "rate": 0.03, "seed": seed}
    return evaluate_set(synthetic, images, targets, augmentation=CHANGES, **settings).mean


def test_the_curve_is_what_evaluate_set_says_of_the_images(make):
    view = run(make(seed=4), 10)
    now = view.curves
    assert now["steps"] == [10] and now["examples"] == 30
    trainee = view._live.trainee
    assert now["learned"] == [round(worth(view, trainee.synthetic, 4), 4)]
    # Ten test images a class: the mean of the shares is the accuracy.
    assert sum(trainee.frame["shares"]) / 3 == pytest.approx(now["learned"][0], abs=1e-4)


def test_what_is_evaluated_are_the_images_of_now_and_the_controls(make, monkeypatch):
    view, given = make(), []
    real = _condensation.evaluate_set

    def noted(synthetic, *args, **more):
        given.append(synthetic.images.detach().clone())
        return real(synthetic, *args, **more)

    monkeypatch.setattr(_condensation, "evaluate_set", noted)
    trainee = view._live.trainee
    for number in range(CONTROLS):
        run(view, 10)
        assert torch.equal(given[-2], trainee.random_real(number).images)
        assert torch.equal(given[-1], view.images)
    run(view, 10)
    assert torch.equal(given[-1], view.images) and len(given) == 2 * CONTROLS + 1


def test_evaluation_changes_no_image_and_needs_no_order(make):
    one, other = run(make(seed=4), 9), run(make(seed=4), 9)
    for _ in range(3):
        found = other._live.trainee.measure()
    assert torch.equal(one.images, other.images)
    assert one._live.trainee.measure() == found
    assert torch.equal(run(one, 8).images, run(other, 8).images)


def test_the_control_is_random_real_images_by_the_same_network(make):
    view = run(make(seed=4), 10 * CONTROLS + 20)
    trainee, data = view._live.trainee, make_dataset()
    sets = [trainee.random_real(number) for number in range(CONTROLS)]
    assert view.curves["random"] == [round(worth(view, one, 4), 4) for one in sets]
    for one in sets:
        for image, target in zip(one.images, one.targets, strict=True):
            of_class = data.train_images[data.train_targets == target] / 255
            assert any(torch.allclose(image, real, atol=1e-6) for real in of_class)
    assert not torch.equal(sets[0].images, sets[1].images)


def test_the_control_survives_a_reset_and_is_not_drawn_twice(make):
    view = run(make(), 10)
    first = view.curves["random"]
    view.reset()
    assert view.curves["random"] == first and len(first) == 1
    assert run(view, 20).curves["random"][:1] == first and len(view.curves["random"]) == 3


def test_real_images_begin_as_good_as_the_first_control(make):
    view = make(start="real")
    view._live._measure()
    assert view.curves["learned"] == view.curves["random"]


def test_every_round_is_shown(make, monkeypatch):
    monkeypatch.setattr("kdlab.widgets._live.REPORT", 0)
    view = make()
    told = listen(view)
    for rounds in range(1, 8):
        run(view, 1)
        assert len(told) == rounds
        assert torch.equal(decoded(told[-1]["frame"]), as_bytes(view.images))
    assert not torch.equal(decoded(told[0]["frame"]), decoded(told[-1]["frame"]))


def test_what_leaves_0_to_1_is_shown_black_or_white():
    shown = as_bytes(torch.tensor([-3.0, 0.0, 0.5, 1.0, 7.0]))
    assert shown.tolist() == [0, 0, 128, 255, 255]


def test_images_are_a_copy(make):
    view = make()
    view.images.zero_()
    assert view.images.norm() > 0 and not view.images.requires_grad


def test_summary_and_still_tell_the_accuracies_and_draw_the_images(make):
    view = make()
    assert view.summary() == "3 images that learn to stand for a data set: press start"
    assert 'height="118"' in view.still()
    run(view, 10)
    now = view.curves
    assert view.summary() == (
        f"After 10 rounds a network trained on 3 learned images gets {now['learned'][0]:.1%} of "
        f"30 test images right; on 3 random real ones: {now['random'][0]:.1%}"
    )
    run(view, 90)
    view.learning_rate = 0.5
    run(view, 1)
    root = ElementTree.fromstring(view.still())
    assert len([*root.iter(f"{SVG}image")]) == 3
    [line] = root.iter(f"{SVG}polyline")
    places = [tuple(map(float, pair.split(","))) for pair in line.get("points").split()]
    steps, learned = view.curves["steps"], view.curves["learned"]
    # The axis ends with the last point, at 100; 100 % is 40 pixels down, 0 at 210.
    assert places == [
        (pytest.approx(56 + 420 * step / 100, abs=0.06), pytest.approx(210 - 170 * x, abs=0.06))
        for step, x in zip(steps, learned, strict=True)
    ]
    band = root.find(f".//{SVG}rect[@fill-opacity='0.15']")
    random = view.curves["random"]
    top, height = float(band.get("y")), float(band.get("height"))
    assert top == pytest.approx(210 - 170 * max(random), abs=0.06)
    assert height == pytest.approx(170 * (max(random) - min(random)), abs=0.11)
    texts = {text.text for text in root.iter(f"{SVG}text")}
    assert {"rate 0.5", f"learned: {learned[-1]:.1%}", "100", "rounds"} <= texts
    assert f"random real: {sum(random) / 3:.1%}" in texts


def test_a_full_message_is_small(make):
    view = make()
    for step in range(0, 100_000, 10):
        view._live._curves.add(step, 0.9876)
    told = listen(view)
    press(view, "look")
    assert len(told[0]["curves"]["steps"]) <= 400 and len(str(told[0])) < 10_000


def test_a_button_pressed_while_a_network_is_evaluated_counts_after_it(make):
    view = make(network_steps=200)
    view.start()
    until(lambda: view.curves["steps"])
    press(view, "pause")
    assert view.state == "paused"
    steps = view._live.trainee.steps
    assert view.curves["steps"][-1] == steps // 10 * 10


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"start": "zeros"}, "start must be one of 'noise', 'real', got 'zeros'"),
        ({"learning_rate": 0}, r"learning_rate must be in \[0.001, 10\], got 0"),
        ({"real_per_class": 0}, "^real_per_class must be a whole number >= 1, got 0"),
        ({"network_steps": 0}, "network_steps must be a whole number >= 1, got 0"),
        ({"seed": -1}, "seed must be a whole number >= 0, got -1"),
        ({"network": small(0)}, "network must make a module from a seed, got FeatureNet"),
        ({"network": "net"}, "network must make a module from a seed, got str"),
        ({"network": lambda seed: "net"}, "network must make a module from a seed, got str"),
        (
            {"network": lambda seed: torch.nn.Flatten()},
            "network must make a FeatureNet of at least two blocks, got Flatten",
        ),
        (
            {"network": lambda seed: models.mlp((16, 2), seed=seed)},
            r"network must map images \[1, 1, 4, 4\] to scores \[1, 3\], got scores \[1, 2\]",
        ),
        (
            {"augmentation": "all"},
            "augmentation must be an Augmentation or None, got str",
        ),
    ],
)
def test_wrong_arguments_say_which(make, change, message, unchecked_shapes):
    with pytest.raises(ValueError, match=message):
        make(**change)


def test_a_class_without_an_image_is_refused():
    with pytest.raises(ValueError, match="targets must have every class, got none of .1."):
        watch_condensation(make_dataset().without(1), network=small)


def test_the_changes_are_those_that_leave_digits_what_they_are():
    assert Augmentation(kinds=("shift", "scale", "rotate")) == CHANGES
