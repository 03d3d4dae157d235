"""What watch_condensation and watch_activations share: buttons, messages, no lost state."""

import json
import re
import xml.etree.ElementTree as ElementTree

import pytest
import torch
from _live_views import listen, make_dataset, press, threads, until
from _memory import memory_kept

from kdlab import models
from kdlab.data import Dataset
from kdlab.widgets import watch_activations, watch_condensation, watch_learners, watch_training


def small(seed):
    return models.embedding_net((4, 4), side=4, classes=3, seed=seed)


def condensation(data=None, **more):
    settings = {"network_steps": 4, "real_per_class": 5} | more
    if data is None:
        settings["network"] = small
    return watch_condensation(data or make_dataset(), **settings)


def activations(data=None, **more):
    return watch_activations(data or make_dataset(), **{"batch_size": 20} | more)


KINDS = {"condensation": condensation, "activations": activations}


@pytest.fixture(params=KINDS)
def make(request):
    """Return a maker of views of either kind; all are closed after the test."""
    views = []

    def make(*args, **more):
        views.append(KINDS[request.param](*args, **more))
        return views[-1]

    yield make
    for view in views:
        view.close()


def points(view):
    return len(view.curves["steps"])


def learned(view):
    """Return all that is learned, in one row."""
    trainee = view._live.trainee
    if hasattr(trainee, "synthetic"):
        return trainee.synthetic.images.detach().flatten()
    tensors = [t for network in trainee.networks for t in network.state_dict().values()]
    return torch.cat([tensor.double().flatten() for tensor in tensors])


def weights(view):
    """Return what gradient descent moves, in double precision."""
    trainee = view._live.trainee
    parts = [trainee.synthetic.images] if hasattr(trainee, "synthetic") else []
    parts = parts or [p for network in trainee.networks for p in network.parameters()]
    return torch.cat([part.detach().flatten().double() for part in parts])


def test_nothing_trains_before_start_is_pressed(make):
    view = make()
    assert view.state == "ready" and view.curves["steps"] == [] and threads() == 0


@pytest.mark.parametrize("by", ["python", "button"])
def test_start_pause_stop_reset(make, by):
    view = make()
    first, frame = learned(view).clone(), view._live.trainee.frame

    def do(name):
        press(view, name) if by == "button" else getattr(view, name)()

    do("start")
    until(lambda: points(view) > 2)
    assert view.state == "running" and threads() == 1
    do("pause")
    assert view.state == "paused" and threads() == 0
    drawn, paused = view.curves, learned(view).clone()
    do("start")
    until(lambda: points(view) > len(drawn["steps"]))
    do("stop")
    assert view.state == "stopped" and threads() == 0
    assert view.curves["steps"][: len(drawn["steps"])] == drawn["steps"]
    assert not torch.equal(learned(view), paused)
    do("reset")
    assert view.state == "ready" and view.curves["steps"] == []
    assert torch.equal(learned(view), first) and view._live.trainee.frame == frame


def test_pausing_and_looking_change_no_number(make):
    runs = []
    for pauses in (0, 3):
        view = make(seed=3)
        for stop in range(1, pauses + 1):
            view.start()
            until(lambda view=view, stop=stop: points(view) > stop)
            view.pause()
            press(view, "look")
            view.still()
        view.start()
        until(lambda view=view: points(view) > 5)
        view.pause()
        steps = view._live.trainee.steps
        while view._live.trainee.steps < 70:
            view._live._step()
        names = view._live.trainee.names
        runs.append((learned(view), {name: view.curves[name][:6] for name in names}))
        assert steps < 70
    assert torch.equal(runs[0][0], runs[1][0]) and runs[0][1] == runs[1][1]


def test_the_same_seed_gives_the_same_run_and_another_one_another(make):
    runs = []
    for seed in (1, 1, 2):
        view = make(seed=seed)
        for _ in range(10):
            view._live._step()
        runs.append((learned(view), view.curves))
    assert torch.equal(runs[0][0], runs[1][0]) and runs[0][1] == runs[1][1]
    assert not torch.equal(runs[0][0], runs[2][0])


def test_a_moved_rate_reaches_the_next_step_and_is_marked(make):
    view = make()
    view.start()
    until(lambda: points(view) > 1)
    view.set_state({"learning_rate": 0.25})
    until(lambda: view.curves["marks"])
    view.pause()
    [mark] = view.curves["marks"]
    assert (mark["name"], mark["value"]) == ("learning_rate", 0.25) and mark["step"] > 0
    assert tuple(view._live._used) == (0.25,)


def test_a_step_is_as_long_as_the_rate_says(make):
    far = []
    for rate in (0.001, 1.0):
        view = make(learning_rate=rate)
        before = weights(view)
        view._live._step()
        far.append((weights(view) - before).norm().item())
    assert far[0] > 0 and far[1] == pytest.approx(1000 * far[0], rel=1e-2)


def test_one_view_trains_at_a_time_whichever_kind(make):
    view = make()
    view.start()
    others = watch_learners(make_dataset(), 2)
    assert view.state == "stopped" and threads() == 0
    others.start()
    view.start()
    assert (others.state, view.state) == ("stopped", "running") and threads() == 1
    others.close()


def test_closing_ends_the_thread(make):
    view = make()
    view.start()
    view.close()
    assert view.state == "stopped" and threads() == 0


def test_the_browser_is_told_all_it_draws(make):
    view = make()
    told = listen(view)
    press(view, "look")
    assert told[0]["state"] == "ready" and told[0]["frame"] == view._live.trainee.frame
    view.start()
    until(lambda: points(view) > 3)
    view.pause()
    assert {message["kind"] for message in told} == {"curves"}
    assert {message["state"] for message in told} == {"ready", "running", "paused"}
    assert told[-1]["curves"] == view.curves and told[-1]["frame"] != told[0]["frame"]
    json.loads(json.dumps(told, allow_nan=False))


def test_no_image_of_a_data_set_is_in_what_a_notebook_keeps_of_a_widget(make):
    view = make()
    for _ in range(3):
        view._live._step()
    own = {name for name in view.keys if name not in ("_esm", "_css")}
    kept = view.get_state(own)
    assert not any(isinstance(value, (bytes, memoryview)) for value in kept.values())
    # Names and numbers: a single image of 28 x 28 has more.
    assert len(json.dumps(kept)) < 1000


def test_an_error_while_training_is_a_sentence_in_the_view(make, monkeypatch):
    view = make()

    def breaks(settings):
        raise RuntimeError("no training today")

    monkeypatch.setattr(view._live.trainee, "step", breaks)
    view.start()
    until(lambda: view.state == "failed")
    assert view.message == "Training ended with RuntimeError: no training today"
    monkeypatch.undo()
    view.start()
    until(lambda: view._live.trainee.steps > 1)


def test_the_still_is_drawn_at_any_time(make):
    view = make()
    assert "Nothing is trained yet: press start." in view.still()
    assert "press start" in view.summary()
    # Measured once and not yet moved, then moved.
    view._live._measure()
    ElementTree.fromstring(view.still())
    for _ in range(10):
        view._live._step()
    root = ElementTree.fromstring(view.still())
    text = "".join(root.itertext())
    assert f"Accuracy on {view.curves['examples']} test images" in text
    data, _ = view._repr_mimebundle_()
    assert data["text/plain"] == view.summary() and view.summary().startswith("After 10 ")
    assert repr(view).startswith(view.module + "(learning_rate=")


def test_the_module_imports_nothing_and_has_one_default_export(make):
    text = make()._esm
    assert re.findall(r"^\s*import\b|\bimport\s*\(|\brequire\s*\(", text, re.M) == []
    assert text.count("export default { render };") == 1


def test_slider_updates_keep_little_memory(make):
    view = make()

    def move(count):
        for step in range(count):
            view.learning_rate = 0.1 + step % 50 / 100

    assert memory_kept(move, warm=50, times=500) < 1_000_000


def test_colours_and_other_names_are_fine(make):
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (40, 3, 4, 4), generator=generator).to(torch.uint8)
    # A class without a test image has no share; one training batch of 20 and one of 1.
    targets = torch.arange(40) % 3
    keep = targets[:20] != 1
    data = Dataset("colours", "made here", images, targets, images[:20][keep],
                   targets[:20][keep], ("<a>", "b & c", "d"))  # fmt: skip
    view = make(data)
    told = listen(view)
    view._live._measure()
    view._live._step()
    press(view, "look")
    json.dumps(told, allow_nan=False)
    ElementTree.fromstring(view.still())


WATCHERS = {
    "activations": watch_activations,
    "condensation": watch_condensation,
    "learners": watch_learners,
    "training": lambda dataset: watch_training(dataset, models.mlp((16, 3))),
}


@pytest.mark.parametrize("watcher", WATCHERS)
@pytest.mark.parametrize("named", ["digits", None])
def test_the_name_of_a_data_set_is_no_data_set(watcher, named, unchecked_shapes):
    with pytest.raises(ValueError, match=r"^dataset must be a Dataset, as data\.load returns"):
        WATCHERS[watcher](named)
