"""The cockpit's engine, without a widget: twins, curves, and the thread that trains."""

import threading
import time

import pytest
import torch
from torch import nn

from kdlab import models, schemes
from kdlab.data import Batches, Dataset
from kdlab.widgets import _curves, _live
from kdlab.widgets._curves import Curves
from kdlab.widgets._live import LiveTraining, one_thread
from kdlab.widgets._twins import Settings, Twins

SETTINGS = Settings(temperature=4.0, lambda_=0.5, learning_rate=0.05)
WAIT = 20.0


def make_dataset(*, train: int = 96, test: int = 40) -> Dataset:
    """Return images of 4 x 4 in three classes, which a small net can learn."""
    generator = torch.Generator().manual_seed(0)

    def draw(count):
        targets = torch.arange(count) % 3
        images = torch.randint(0, 60, (count, 1, 4, 4), generator=generator)
        images[torch.arange(count), 0, targets] += 150
        return images.to(torch.uint8), targets

    names = ("a", "b", "c")
    return Dataset("stripes", "made here", *draw(train), *draw(test), names)


def make_student(seed: int) -> nn.Module:
    """Return a small student."""
    return models.mlp((16, 8, 3), seed=seed)


@pytest.fixture
def twins() -> Twins:
    """Return twins with a random teacher."""
    teacher = models.mlp((16, 12, 3), seed=9)
    return Twins(make_dataset(), teacher, student=make_student, batch_size=32, seed=1)


@pytest.fixture
def live(twins):
    """Return an engine that is stopped after the test."""
    live = LiveTraining(twins, SETTINGS)
    yield live
    live.stop()


def until(condition, *, seconds: float = WAIT) -> None:
    """Wait until the condition holds; fail if it never does."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never came to be"
        time.sleep(0.002)


def threads() -> list[threading.Thread]:
    """Return the training threads that are alive."""
    return [t for t in threading.enumerate() if t.name == "kdlab-watch-training"]


def weights(model: nn.Module) -> torch.Tensor:
    """Return all weights of a model in one row."""
    return torch.cat([p.detach().flatten() for p in model.parameters()])


# Twins


def prepared(twins: Twins) -> Twins:
    """Ask the teacher to the end."""
    for _ in twins.prepare():
        pass
    return twins


@pytest.mark.parametrize("scheme", ["train", "distill"])
def test_each_twin_learns_exactly_what_its_scheme_learns(twins, scheme):
    data = twins.dataset
    student = make_student(1)
    optimizer = torch.optim.SGD(student.parameters(), lr=0.05, momentum=0.9)
    batches = Batches(data.train_images, data.train_targets, batch_size=32, seed=1)
    if scheme == "train":
        schemes.train(student, batches, optimizer, epochs=3)
    else:
        taught = {"temperature": 4.0, "lambda_": 0.5}
        schemes.distill(student, twins.teacher, batches, optimizer, epochs=3, **taught)
    for _ in range(9):
        prepared(twins).step(SETTINGS)
    twin = twins.labels_only if scheme == "train" else twins.distilled
    assert torch.equal(weights(twin), weights(student))
    position = ("train", "distill").index(scheme)
    assert twins.measure()[position] == schemes.evaluate(
        student, twins.test.test_images, twins.test.test_targets
    )


def test_twins_start_equal_and_lambda_0_keeps_them_equal(twins):
    prepared(twins)
    for _ in range(5):
        twins.step(SETTINGS._replace(lambda_=0.0))
    torch.testing.assert_close(weights(twins.labels_only), weights(twins.distilled))
    twins.step(SETTINGS)
    assert not torch.allclose(weights(twins.labels_only), weights(twins.distilled), atol=1e-5)


def test_reset_gives_the_same_run_again(twins):
    runs = []
    for _ in range(2):
        for _ in range(4):
            prepared(twins).step(SETTINGS)
        runs.append(weights(twins.distilled))
        twins.reset()
    assert torch.equal(*runs)


def test_a_new_learning_rate_counts_from_the_next_step(twins):
    before = weights(prepared(twins).distilled)
    twins.step(SETTINGS._replace(learning_rate=1e-12))
    torch.testing.assert_close(weights(twins.distilled), before)
    twins.step(SETTINGS)
    assert not torch.allclose(weights(twins.distilled), before)


def test_the_teacher_is_a_frozen_copy_in_eval_mode():
    teacher = models.mlp((16, 12, 3), dropout=0.9).train()
    twins = prepared(Twins(make_dataset(), teacher, student=make_student))
    assert teacher.training and not twins.teacher.training
    expected = schemes.predict(teacher, twins.dataset.train_images)
    assert torch.equal(twins.teacher_logits, expected)
    images, targets = twins.dataset.test_images, twins.dataset.test_targets
    assert twins.teacher_errors == schemes.evaluate(teacher, images, targets)
    nn.init.zeros_(teacher.blocks["logits"].weight)
    assert twins.teacher.blocks["logits"].weight.abs().sum() > 0


def test_errors_are_counted_on_at_most_1000_test_images():
    twins = Twins(make_dataset(test=1500), make_student(0), student=make_student)
    assert twins.examples == len(twins.test.test_targets) == 1000


def test_the_step_after_an_evaluation_is_in_train_mode(twins):
    twins.distilled.eval()
    twins.labels_only.eval()
    prepared(twins).step(SETTINGS)
    assert twins.distilled.training and twins.labels_only.training


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"temperature": 0.0}, "temperature must be > 0, got 0.0"),
        ({"learning_rate": -1.0}, "learning_rate must be > 0, got -1.0"),
        ({"lambda_": 1.5}, r"lambda_ must be in \[0, 1\], got 1.5"),
    ],
)
def test_settings_out_of_range(change, message):
    with pytest.raises(ValueError, match=message):
        SETTINGS._replace(**change).checked()


# Curves


def test_curves_stay_short_evenly_spaced_and_keep_the_newest():
    curves = Curves(("labels_only", "distilled"), every=10)
    for step in range(0, 30_010, 10):
        curves.add(step, step, -step)
        shown = curves.as_dict()
        assert len(shown["steps"]) <= _curves.POINTS
        assert shown["steps"][-1] == step
    assert shown["labels_only"] == shown["steps"]
    assert shown["distilled"] == [-step for step in shown["steps"]]
    gaps = {b - a for a, b in zip(shown["steps"][:-2], shown["steps"][1:-1], strict=True)}
    assert len(gaps) == 1 and shown["steps"][0] == 0


def test_a_drag_is_one_mark_and_marks_are_bounded():
    curves = Curves(("labels_only", "distilled"), every=10)
    for step in range(5):
        curves.mark(step, "temperature", 1.0 + step)
    curves.mark(5, "lambda_", 0.1)
    curves.mark(40, "lambda_", 0.2)
    marks = [tuple(mark.values()) for mark in curves.as_dict()["marks"]]
    assert marks == [(4, "temperature", 5.0), (5, "lambda_", 0.1), (40, "lambda_", 0.2)]
    for step in range(100, 10_000, 100):
        curves.mark(step, "lambda_", step / 10_000)
    assert [m["step"] for m in curves.as_dict()["marks"]] == list(range(6000, 10_000, 100))


# The thread


def test_nothing_runs_before_start_and_nothing_after_stop(live):
    assert live.state == "ready" and threads() == []
    live.start()
    assert live.state == "running" and len(threads()) == 1 and threads()[0].daemon
    until(lambda: live.trainee.steps > 20)
    begin = time.monotonic()
    live.stop()
    assert time.monotonic() - begin < 1
    assert live.state == "stopped" and threads() == []
    steps = live.trainee.steps
    time.sleep(0.05)
    assert live.trainee.steps == steps
    assert live.curves["steps"][:3] == [0, 10, 20]


def test_a_pause_idles_and_start_goes_on_from_there(live):
    live.start()
    until(lambda: live.trainee.steps > 15)
    live.pause()
    steps, drawn = live.trainee.steps, live.curves["steps"]
    assert live.state == "paused" and threads() == []
    live.start()
    until(lambda: live.trainee.steps > steps + 15)
    live.pause()
    assert live.curves["steps"][: len(drawn)] == drawn


def test_pausing_changes_no_number(twins):
    live = LiveTraining(twins, SETTINGS)
    for _ in range(6):
        live.start()
        before = twins.steps
        until(lambda before=before: twins.steps > before)
        live.pause()
    paused, steps = weights(twins.distilled), twins.steps
    live.reset()
    for _ in range(steps):
        twins.step(SETTINGS)
    assert torch.equal(weights(twins.distilled), paused)


def test_start_after_stop_begins_again(live):
    live.start()
    until(lambda: live.trainee.steps > 15)
    live.stop()
    stopped_at = live.trainee.steps
    live.start()
    assert live.trainee.steps < stopped_at
    until(lambda: live.curves["steps"])
    assert live.curves["steps"][0] == 0


def test_reset_keeps_settings_and_forgets_the_rest(live):
    live.start()
    live.settings = SETTINGS._replace(temperature=9.0)
    until(lambda: live.curves["marks"])
    live.reset()
    assert live.state == "ready" and threads() == []
    assert live.trainee.steps == 0 and live.curves["steps"] == live.curves["marks"] == []
    assert live.settings.temperature == 9.0


def test_the_latest_settings_count_at_the_next_step(live, monkeypatch):
    used, step = [], live.trainee.step
    monkeypatch.setattr(
        live.trainee, "step", lambda settings: (used.append(settings), step(settings))
    )
    live.start()
    until(lambda: len(used) > 5)
    for value in range(1, 101):
        live.settings = SETTINGS._replace(temperature=float(value))
    seen = len(used)
    until(lambda: len(used) > seen + 3)
    live.pause()
    # At most one more step was under way with an older value.
    assert {s.temperature for s in used[seen + 1 :]} == {100.0}
    assert live.curves["marks"][-1] | {"step": 0} == {
        "step": 0,
        "name": "temperature",
        "value": 100.0,
    }
    assert used[0] == SETTINGS


def test_an_error_in_the_thread_is_told_and_ends_it(live, monkeypatch):
    told = []
    live._report = lambda: told.append((live.state, live.message))

    def broken(settings):
        raise RuntimeError("sizes do not fit")

    monkeypatch.setattr(live.trainee, "step", broken)
    live.start()
    until(lambda: threads() == [])
    assert live.state == "failed" and isinstance(live.error, RuntimeError)
    assert told[-1] == ("failed", "Training ended with RuntimeError: sizes do not fit")
    monkeypatch.undo()
    live.start()
    until(lambda: live.trainee.steps > 3)
    assert live.error is None


def test_stop_comes_through_while_the_teacher_is_asked(live, monkeypatch):
    asked = []

    def slow():
        for done in range(1000):
            asked.append(done)
            time.sleep(0.01)
            yield done

    monkeypatch.setattr(live.trainee, "prepare", slow)
    live.start()
    until(lambda: live.message.startswith("The teacher has looked at"))
    begin = time.monotonic()
    live.stop()
    assert time.monotonic() - begin < 1
    assert len(asked) < 1000 and live.trainee.steps == 0 and live.curves["steps"] == []


def test_it_pauses_by_itself(live, monkeypatch):
    monkeypatch.setattr(_live, "GO", 12)
    live.start()
    until(lambda: live.state == "paused")
    assert live.trainee.steps == 12 and live.message == "Paused after 12 steps; start goes on."
    live.start()
    until(lambda: live.trainee.steps == 24)


def test_reports_are_rare(live):
    told = []
    live._report = lambda: told.append(time.monotonic())
    live.start()
    until(lambda: live.trainee.steps >= 60)
    live.pause()
    # The first report, of the start, and the last, of the pause, come at once.
    gaps = [b - a for a, b in zip(told[1:-2], told[2:-1], strict=True)]
    assert gaps and min(gaps) >= _live.REPORT - 0.001


def test_steps_have_a_pace(live, monkeypatch):
    monkeypatch.setattr(_live, "PACE", 20)
    begin = time.monotonic()
    live.start()
    until(lambda: live.trainee.steps >= 20)
    live.pause()
    assert live.trainee.steps <= (time.monotonic() - begin) * 20 + 2


def test_a_hundred_starts_and_pauses_leave_no_thread(live):
    for _ in range(100):
        live.start()
        live.start()
        live.pause()
        live.pause()
    assert threads() == []


def test_torchs_generator_and_threads_stay_as_they_were(live):
    torch.manual_seed(3)
    expected = torch.get_rng_state()
    live.start()
    until(lambda: live.trainee.steps > 10)
    live.stop()
    assert torch.equal(torch.get_rng_state(), expected)


def test_one_thread_is_put_back():
    torch.set_num_threads(2)
    try:
        with pytest.raises(KeyError), one_thread():
            assert torch.get_num_threads() == 1
            raise KeyError
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(1)
