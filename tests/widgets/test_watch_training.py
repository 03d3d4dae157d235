"""watch_training without a browser: its traits, buttons, messages and threads."""

import json
import subprocess
import sys
import textwrap
import threading
import time
import xml.etree.ElementTree as ElementTree

import nbformat
import pytest
from _live_views import listen, make_dataset, press, threads, until
from _memory import memory_kept
from nbclient import NotebookClient

from kdlab import models
from kdlab.widgets import _error_still, watch_training
from kdlab.widgets._curves import MARKS, POINTS
from kdlab.widgets.watch_training import LINES

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def make():
    """Return a maker of views; all are closed after the test."""
    views = []

    def make(teacher=None, **more):
        teacher = models.mlp((16, 12, 3), seed=9) if teacher is None else teacher
        views.append(watch_training(make_dataset(), teacher, **more))
        return views[-1]

    yield make
    for view in views:
        view.close()


def test_nothing_trains_before_start_is_pressed(make):
    before = threading.active_count()
    view = make()
    assert view.state == "ready" and view.curves["steps"] == []
    assert threading.active_count() == before


@pytest.mark.parametrize("by", ["python", "button"])
def test_start_pause_stop_reset(make, by):
    view = make()

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
    begin = time.monotonic()
    do("stop")
    assert time.monotonic() - begin < 1
    assert view.state == "stopped" and threads() == 0
    do("reset")
    assert view.state == "ready" and view.curves["steps"] == [] and view.curves["examples"] == 30


def test_moved_values_reach_the_next_step_and_are_marked(make):
    view = make(temperature=2.0, lambda_=0.25, learning_rate=0.01)
    assert tuple(view._live.settings) == (2.0, 0.25, 0.01)
    view.start()
    until(lambda: view.curves["steps"])
    for value in range(10, 60):
        view.temperature = value
    view.lambda_ = 1
    view.learning_rate = 0.5
    until(lambda: len(view.curves["marks"]) >= 3)
    view.pause()
    last = {mark["name"]: mark["value"] for mark in view.curves["marks"]}
    assert last == {"temperature": 59.0, "lambda_": 1.0, "learning_rate": 0.5}
    assert tuple(view._live._used) == (59.0, 1.0, 0.5)


def test_a_second_view_stops_the_first(make):
    first = make()
    first.start()
    second = make()
    assert first.state == "stopped" and threads() == 0
    second.start()
    first.start()
    assert (first.state, second.state) == ("running", "stopped") and threads() == 1


def test_closing_ends_the_thread(make):
    view = make()
    view.start()
    view.close()
    assert view.state == "stopped" and threads() == 0


def test_the_browser_is_told_all_it_draws(make):
    view = make()
    told = listen(view)
    press(view, "look")
    assert told[-1]["kind"] == "curves" and told[-1]["state"] == "ready"
    view.start()
    until(lambda: len(told) > 3)
    view.pause()
    assert {message["state"] for message in told} == {"ready", "running", "paused"}
    assert told[-1]["curves"] == view.curves
    json.dumps(told)


def test_a_message_of_full_curves_is_small(make):
    view = make()
    for step in range(0, 100_000, 10):
        view._live._curves.add(step, 1000, 1000)
    for step in range(0, 100_000, 1000):
        view._live._curves.mark(step, "learning_rate", 0.0125)
    told = listen(view)
    press(view, "look")
    assert len(told[0]["curves"]["steps"]) <= POINTS and len(told[0]["curves"]["marks"]) == MARKS
    assert len(json.dumps(told[0])) < 10_000


def test_an_error_while_training_is_a_sentence_in_the_view(make):
    class Breaks(models.FeatureNet):
        """Answers, but cannot be trained."""

        def train(self, mode=True):
            if mode:
                raise RuntimeError("no training today")
            return super().train(mode)

    def student(seed):
        net = models.mlp((16, 3), seed=seed).eval()
        net.__class__ = Breaks
        return net

    view = make(student=student)
    told = listen(view)
    view.start()
    until(lambda: threads() == 0)
    assert view.state == "failed" and isinstance(view.error, Exception)
    assert view.message.startswith("Training ended with ")
    assert told[-1]["state"] == "failed" and told[-1]["message"] == view.message


def test_an_error_behind_a_button_is_a_sentence_in_the_view(make):
    works = [True]

    def student(seed):
        if works:
            works.clear()
            return models.mlp((16, 3), seed=seed)
        raise RuntimeError("no more students")

    view = make(student=student)
    press(view, "reset")
    assert view.state == "failed"
    assert view.message == "Training ended with RuntimeError: no more students"


def test_unknown_messages_change_nothing(make):
    view = make()
    for content in ({"press": "close"}, {"press": None}, {}, None, "start"):
        view._handle_custom_msg(content, [])
    assert view.state == "ready" and threads() == 0
    # "close" is a method too, but no button.
    assert view.comm is not None


def test_the_default_student_fits_the_data(make):
    twins = make()._live.trainee
    assert [p.shape[0] for p in twins.distilled.parameters()] == [100, 100, 3, 3]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"temperature": 0}, r"temperature must be in \[0.1, 100\], got 0"),
        ({"lambda_": 1.5}, r"lambda_ must be in \[0, 1\], got 1.5"),
        ({"learning_rate": 2}, r"learning_rate must be in \[0.001, 1\], got 2"),
        ({"batch_size": 0}, "batch_size must be a whole number >= 1, got 0"),
        ({"seed": 1.5}, "seed must be a whole number >= 0, got 1.5"),
    ],
)
def test_wrong_arguments_say_which(make, change, message, unchecked_shapes):
    with pytest.raises(ValueError, match=message):
        make(**change)
    assert threads() == 0


WRONG_MODELS = [
    (
        {"teacher": models.mlp((16, 2))},
        r"^teacher must map images \[1, 1, 4, 4\] to scores \[1, 3\], got scores \[1, 2\]$",
    ),
    (
        {"teacher": models.mlp((9, 3))},
        r"^teacher must map images \[1, 1, 4, 4\] to scores \[1, 3\], got RuntimeError: ",
    ),
    ({"teacher": "resnet"}, "^teacher must be a module, got str$"),
    ({"student": lambda seed: None}, "^student must make a module from a seed, got NoneType$"),
    (
        {"student": lambda seed: models.mlp((16, 4))},
        r"^student must map images \[1, 1, 4, 4\] to scores \[1, 3\], got scores \[1, 4\]$",
    ),
]


@pytest.mark.parametrize(("change", "message"), WRONG_MODELS)
def test_a_model_that_does_not_fit_is_named_when_the_view_is_made(
    make, change, message, unchecked_shapes
):
    with pytest.raises(ValueError, match=message):
        make(**change)
    assert threads() == 0


def test_text_and_still_show_the_curves(make):
    view = make()
    assert view.summary() == "Two students, one with a teacher: press start to train them"
    assert "Nothing is trained yet" in view.still() and 'height="50"' in view.still()
    assert repr(view) == (
        "watch_training(temperature=4.0, lambda_=0.5, learning_rate=0.05, state='ready')"
    )
    view.start()
    until(lambda: len(view.curves["steps"]) > 2)
    view.temperature = 9
    until(lambda: view.curves["marks"])
    view.pause()
    now = view.curves
    assert view.summary() == (
        f"After {now['steps'][-1]} steps, of 30 test images: {now['labels_only'][-1]} errors with "
        f"labels only, {now['distilled'][-1]} distilled, {now['teacher']} of the teacher"
    )
    root = ElementTree.fromstring(view.still())
    lines = [line.get("points").split() for line in root.iter(f"{SVG}polyline")]
    assert [len(line) for line in lines] == [len(now["steps"])] * 2
    assert "T 9" in [text.text for text in root.iter(f"{SVG}text")]


def test_the_still_places_points_on_its_axes():
    curves = {
        "steps": [0, 250, 500],
        "labels_only": [900, 100, 0],
        "distilled": [900, 30, 20],
        "teacher": 20,
        "examples": 1000,
        "marks": [],
    }
    svg = ElementTree.fromstring(f"<svg>{_error_still.draw(curves, LINES)}</svg>")
    labels, _ = (line.get("points").split() for line in svg.iter("polyline"))
    places = [tuple(map(float, point.split(","))) for point in labels]
    left, width = _error_still.LEFT, _error_still.WIDTH
    assert [x for x, _ in places] == [left, left + width / 2, left + width]
    # Zero errors lie on the axis' lower end, and 100 of 1 to 1,000 two thirds up.
    assert places[2][1] == _error_still.TOP + _error_still.HEIGHT
    assert places[1][1] == pytest.approx(_error_still.TOP + _error_still.HEIGHT / 3, abs=0.1)


@pytest.mark.parametrize(("steps", "end"), [(0, 500), (500, 500), (501, 1000), (2001, 5000)])
def test_the_axis_of_steps_ends_at_a_round_number(steps, end):
    assert _error_still.top_of(steps) == end


@pytest.mark.parametrize(
    ("errors", "examples", "start"), [(300, 1000, 20), (20, 1000, 10), (0, 1000, 1), (1, 30, 1)]
)
def test_the_axis_of_errors_starts_at_a_round_number(errors, examples, start):
    assert _error_still.bottom_of(errors, examples) == start


def test_a_thousand_slider_updates_keep_little_memory(make):
    view = make()

    def move(count):
        for step in range(count):
            view.temperature = 1 + step % 50

    assert memory_kept(move, warm=50, times=1000) < 1_000_000


def test_python_ends_while_it_trains():
    code = """
    import torch
    from kdlab import models
    from kdlab.data import load
    from kdlab.widgets import watch_training
    view = watch_training(load("digits"), models.mlp((784, 10)))
    view.start()
    while view.state == "running" and not view.curves["steps"]:
        pass
    print(view.state, view.error)
    """
    asked = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, timeout=60
    )
    assert (asked.returncode, asked.stdout, asked.stderr) == (0, "running None\n", "")


def test_a_notebook_runs_from_top_to_bottom_while_it_trains():
    sources = (
        "from kdlab import models\nfrom kdlab.data import load\n"
        "from kdlab.widgets import watch_training\n"
        "view = watch_training(load('digits'), models.mlp((784, 10)))\nview.start()\nview",
        "import time\nend = time.monotonic() + 60\n"
        "while len(view.curves['steps']) < 3 and time.monotonic() < end: pass\nview.state",
        "view = watch_training(load('digits'), models.mlp((784, 10)))\n"
        "import threading\n[t.name for t in threading.enumerate() if 'kdlab' in t.name]",
        "view.curves['steps']",
    )
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(s) for s in sources])
    NotebookClient(notebook, timeout=90, store_widget_state=False).execute()
    shown = [cell.outputs[-1]["data"] for cell in notebook.cells]
    assert {"image/svg+xml", "application/vnd.jupyter.widget-view+json"} < shown[0].keys()
    assert [data["text/plain"] for data in shown[1:]] == ["'running'", "[]", "[]"]
