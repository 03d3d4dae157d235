"""watch_learners without a browser: its traits, buttons, messages and threads."""

import json
import math
import re
import time
import xml.etree.ElementTree as ElementTree

import pytest
import torch
from _live_views import listen, make_dataset, press, threads, until
from _memory import memory_kept

from kdlab import models
from kdlab.widgets import watch_learners, watch_training
from kdlab.widgets._curves import POINTS

SVG = "{http://www.w3.org/2000/svg}"
TABLE = [[0.0, 0.3, 0.4], [0.2, 0.0, 0.1]]


def make_teacher():
    return models.mlp((16, 12, 3), seed=9)


@pytest.fixture
def make():
    """Return a maker of views; all are closed after the test."""
    views = []

    def make(learners=2, **more):
        views.append(watch_learners(make_dataset(), learners, **more))
        return views[-1]

    yield make
    for view in views:
        view.close()


def test_nothing_trains_before_start_is_pressed(make):
    view = make()
    assert view.state == "ready" and view.curves["steps"] == [] and threads() == 0
    assert [*view.curves] == [
        "steps", "A", "B", "entropy_A", "entropy_B", "agreement", "marks", "teacher", "examples"
    ]  # fmt: skip


def test_the_first_weights_are_shared_evenly(make):
    assert make().weights == ((0.0, 0.5), (0.5, 0.0))
    view = make(3, teacher=make_teacher(), weights=0.6)
    assert view.heard == ("A", "B", "C", "teacher")
    assert view.weights[1] == pytest.approx((0.2, 0, 0.2, 0.2))


@pytest.mark.parametrize("by", ["python", "button"])
def test_start_pause_stop_reset(make, by):
    view = make(teacher=make_teacher())

    def do(name):
        press(view, name) if by == "button" else getattr(view, name)()

    do("start")
    until(lambda: len(view.curves["steps"]) > 2)
    assert view.state == "running" and threads() == 1
    do("pause")
    assert view.state == "paused" and threads() == 0
    drawn = view.curves
    do("start")
    until(lambda: len(view.curves["steps"]) > len(drawn["steps"]))
    do("stop")
    assert view.state == "stopped" and threads() == 0
    assert view.curves["A"][: len(drawn["A"])] == drawn["A"]
    do("reset")
    assert view.state == "ready" and view.curves["steps"] == []


def test_moved_values_reach_the_next_step_and_are_marked(make):
    view = make(weights=0.5)
    view.start()
    until(lambda: view.curves["steps"])
    for share in range(50):
        view.hear("A", "B", share / 100)
    view.temperature, view.order, view.learning_rate = 4, "at once", 0.1
    until(lambda: len(view.curves["marks"]) >= 4)
    view.pause()
    last = {mark["name"]: mark["value"] for mark in view.curves["marks"]}
    table = ((0.0, 0.49), (0.5, 0.0))
    wanted = {"weights": table, "temperature": 4.0, "order": "at once", "learning_rate": 0.1}
    assert last == wanted
    assert tuple(view._live._used) == (4.0, 0.1, "at once", table)


def test_what_is_moved_while_paused_counts_when_it_goes_on(make):
    view = make()
    view.start()
    until(lambda: len(view.curves["steps"]) > 1)
    view.pause()
    steps = view.curves["steps"]
    view.hear("B", "A", 0.9)
    assert view.curves["steps"] == steps and view.curves["marks"] == []
    view.start()
    until(lambda: view.curves["marks"])
    view.pause()
    [mark] = view.curves["marks"]
    assert mark["value"] == ((0.0, 0.5), (0.9, 0.0)) and mark["step"] >= steps[-1]
    assert view.curves["steps"][: len(steps)] == steps


def test_pausing_and_looking_change_no_number(make):
    runs = []
    for pauses in (0, 4):
        view = make(seed=3)
        for stop in range(1, pauses + 1):
            view.start()
            until(lambda view=view, stop=stop: len(view.curves["steps"]) > stop)
            view.pause()
        view.start()
        until(lambda view=view: len(view.curves["steps"]) > 8)
        view.pause()
        runs.append({name: view.curves[name][:8] for name in ("steps", "A", "B", "entropy_A")})
    assert runs[0] == runs[1]


def test_hear_lets_the_others_of_the_row_give_way(make):
    view = make(teacher=make_teacher(), weights=TABLE)
    view.hear("A", "teacher", 0.85)
    assert view.weights == ((0.0, pytest.approx(0.15), 0.85), (0.2, 0.0, 0.1))
    assert sum(view.weights[0]) <= 1
    view.hear("B", "A", 0.9)
    assert view.weights[1] == (0.9, 0.0, 0.1)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (("C", "A", 0.5), "learner must be one of 'A', 'B', got 'C'"),
        (("teacher", "A", 0.5), "learner must be one of 'A', 'B', got 'teacher'"),
        (("A", "A", 0.5), "other must be one of 'B', 'teacher', got 'A'"),
        (("A", "B", 1.5), r"weight must be in \[0, 1\], got 1.5"),
    ],
)
def test_hear_says_what_is_wrong(make, call, message):
    view = make(teacher=make_teacher())
    before = view.weights
    with pytest.raises(ValueError, match=message):
        view.hear(*call)
    assert view.weights == before


def test_wrong_values_are_refused_and_the_old_ones_stay(make):
    view = make()
    with pytest.raises(ValueError, match=r"^weights\[0\] must sum to at most 1, got 1.2"):
        make(teacher=make_teacher(), weights=[[0, 0.6, 0.6], [0, 0, 0]])
    with pytest.raises(ValueError, match="^weights must be 2 rows of 2 numbers"):
        view.weights = [[0.0, 0.5]]
    with pytest.raises(
        ValueError, match="^order must be one of 'in turn', 'at once', got 'by lot'"
    ):
        view.order = "by lot"
    with pytest.raises(ValueError, match=r"^temperature must be in \[0.1, 100\], got 0"):
        view.temperature = 0
    assert (view.weights[0], view.order, view.temperature) == ((0.0, 0.5), "in turn", 1.0)


def test_a_slider_moved_in_the_browser_sets_the_trait_and_the_training(make):
    view = make()
    view.set_state({"weights": [[0, 0.25], [1, 0]], "order": "at once"})
    assert view.weights == ((0.0, 0.25), (1.0, 0.0))
    assert view._live.settings.weights == view.weights
    assert view._live.settings.order == "at once"


def test_one_view_trains_at_a_time_whichever_kind(make):
    learners = make()
    learners.start()
    cockpit = watch_training(make_dataset(), make_teacher())
    assert learners.state == "stopped" and threads() == 0
    cockpit.start()
    learners.start()
    assert (learners.state, cockpit.state) == ("running", "stopped") and threads() == 1
    cockpit.close()


def test_closing_ends_the_thread(make):
    view = make()
    view.start()
    view.close()
    assert view.state == "stopped" and threads() == 0


def test_the_browser_is_told_all_it_draws_10_to_20_times_a_second(make):
    view = make()
    told = listen(view)
    press(view, "look")
    assert told[-1]["kind"] == "curves" and told[-1]["state"] == "ready"
    view.start()
    begin = time.monotonic()
    until(lambda: time.monotonic() - begin > 1.5)
    view.pause()
    assert {message["state"] for message in told} == {"ready", "running", "paused"}
    assert told[-1]["curves"] == view.curves
    # A busy machine trains more slowly, and has less to tell.
    assert 3 < len(told) <= 1.5 * 20 + 3
    json.dumps(told)


def test_a_message_of_full_curves_is_small(make):
    view = make(4, teacher=make_teacher())
    for step in range(0, 100_000, 10):
        view._live._curves.add(step, *[1000] * 4, *[1.2345] * 4, 0.9876)
    for step in range(0, 100_000, 1000):
        view._live._curves.mark(step, "weights", view.weights)
    told = listen(view)
    press(view, "look")
    assert len(told[0]["curves"]["steps"]) <= POINTS
    assert len(json.dumps(told[0])) < 40_000


def test_an_error_while_training_is_a_sentence_in_the_view(make):
    class Breaks(models.FeatureNet):
        """Answers, but cannot be trained."""

        def train(self, mode=True):
            if mode:
                raise RuntimeError("no training today")
            return super().train(mode)

    def learner(seed):
        net = models.mlp((16, 3), seed=seed).eval()
        net.__class__ = Breaks
        return net

    view = make([learner, learner])
    view.start()
    until(lambda: threads() == 0)
    assert view.state == "failed" and isinstance(view.error, Exception)
    assert view.message.startswith("Training ended with ")


def test_the_default_learners_fit_the_data_and_differ(make):
    first, second = make()._live.trainee.learners
    assert [p.shape[0] for p in first.parameters()] == [100, 100, 3, 3]
    assert not torch.equal(next(first.parameters()), next(second.parameters()))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"learners": 1}, "learners must be 2 to 4, got 1"),
        ({"learners": 10**9}, "learners must be 2 to 4, got 1000000000"),
        ({"learners": 2.5}, "learners must be a whole number >= 1, got 2.5"),
        ({"learners": [make_teacher] * 5}, "learners must be 2 to 4, got 5"),
        (
            {"learners": [make_teacher(), make_teacher()]},
            r"learners\[0\] must make a module from a seed, got FeatureNet",
        ),
        ({"teacher": "resnet"}, "^teacher must be a module, got str$"),
        ({"teacher": models.mlp((16, 2))}, r"^teacher must map images .* got scores \[1, 2\]$"),
        ({"weights": 1.5}, r"weights must be in \[0, 1\], got 1.5"),
        (
            {"weights": "much"},
            "weights must be 2 rows of 2 numbers, a row for each learner, got 'm",
        ),
        ({"weights": TABLE}, r"weights\[0\] must be 2, one for each other, got 3"),
        ({"order": "by lot"}, "order must be one of 'in turn', 'at once', got 'by lot'"),
        ({"temperature": 0}, r"temperature must be in \[0.1, 100\], got 0"),
        ({"learning_rate": 2}, r"learning_rate must be in \[0.001, 1\], got 2"),
        ({"batch_size": 0}, "batch_size must be a whole number >= 1, got 0"),
        ({"seed": 1.5}, "seed must be a whole number >= 0, got 1.5"),
    ],
)
def test_wrong_arguments_say_which(make, change, message, unchecked_shapes):
    with pytest.raises(ValueError, match=message):
        make(**change)
    assert threads() == 0


def test_text_and_still_show_the_curves_and_the_weights(make):
    view = make(teacher=make_teacher(), weights=TABLE)
    assert view.summary() == "2 learners who teach each other: press start to train them"
    assert "Nothing is trained yet" in view.still() and 'height="270"' in view.still()
    assert repr(view) == (
        "watch_learners(weights=((0.0, 0.3, 0.4), (0.2, 0.0, 0.1)), temperature=1.0, "
        "learning_rate=0.05, order='in turn', state='ready')"
    )
    view.start()
    until(lambda: len(view.curves["steps"]) > 2)
    view.temperature = 9
    until(lambda: view.curves["marks"])
    view.order = "at once"
    until(lambda: len(view.curves["marks"]) > 1)
    view.hear("A", "B", 0.5)
    until(lambda: len(view.curves["marks"]) > 2)
    view.pause()
    now = view.curves
    assert view.summary() == (
        f"After {now['steps'][-1]} steps, errors of 30 test images: {now['A'][-1]} of learner A, "
        f"{now['B'][-1]} of learner B, {now['teacher']} of the teacher; "
        f"pairs agree on {100 * now['agreement'][-1]:.1f} %"
    )
    root = ElementTree.fromstring(view.still())
    lines = [line.get("points").split() for line in root.iter(f"{SVG}polyline")]
    assert [len(line) for line in lines] == [len(now["steps"])] * 2
    texts = [text.text for text in root.iter(f"{SVG}text")]
    assert {"T 9", "at once", "weights", "A", "B", "teacher"} <= set(texts)
    assert "A hears B 0.50, teacher 0.40, labels 0.10" in texts
    data, _ = view._repr_mimebundle_()
    assert data["text/plain"] == view.summary()


def test_an_arrow_in_the_still_is_as_wide_as_its_weight(make):
    view = make(weights=[[0.0, 1.0], [0.0, 0.0]])
    root = ElementTree.fromstring(view.still())
    widths = [float(path.get("stroke-width")) for path in root.iter(f"{SVG}path")]
    # Who is not heard has no arrow.
    assert widths == [8.0]
    view.hear("B", "A", 0.5)
    root = ElementTree.fromstring(view.still())
    assert [float(path.get("stroke-width")) for path in root.iter(f"{SVG}path")] == [8.0, 4.0]


def test_an_arrow_in_the_still_goes_from_who_is_heard_to_who_hears(make):
    view = make(3, weights=[[0, 0, 0.4], [0, 0, 0], [0, 0, 0]])
    root = ElementTree.fromstring(view.still())
    discs = [c for c in root.iter(f"{SVG}circle")]
    a, _, c = ((float(disc.get("cx")), float(disc.get("cy"))) for disc in discs)
    [way] = root.iter(f"{SVG}path")
    numbers = [float(x) for x in re.findall(r"[\d.]+", way.get("d"))]
    assert numbers[:2] == pytest.approx(c, abs=0.1)
    assert math.dist(numbers[-2:], a) == pytest.approx(27, abs=0.2)
    [tip] = root.iter(f"{SVG}polygon")
    point = [float(x) for x in tip.get("points").split()[0].split(",")]
    assert math.dist(point, a) == pytest.approx(19, abs=0.2)


def test_the_module_imports_nothing_and_has_one_default_export(make):
    text = make()._esm
    assert re.findall(r"^\s*import\b|\bimport\s*\(|\brequire\s*\(", text, re.M) == []
    assert text.count("export default { render };") == 1


def test_a_thousand_slider_updates_keep_little_memory(make):
    view = make()

    def move(count):
        for step in range(count):
            view.hear("A", "B", step % 50 / 50)

    assert memory_kept(move, warm=50, times=1000) < 1_000_000
