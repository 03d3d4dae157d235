"""Checkpoints and schedules: a run that was ended and goes on gives the same bits."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from _probes import Probe, same, sgd, small_batches, small_net, small_set, weights
from _refusals import check_refused
from torch.optim.lr_scheduler import CosineAnnealingLR

from kdlab.schemes import Checkpoint, distill, load_weights, train

TEST = small_set(examples=10, seed=5)
EPOCHS = 5
OPTIMIZERS = {
    "momentum": sgd,
    "plain": lambda model: torch.optim.SGD(model.parameters(), lr=0.1),
    "adam": lambda model: torch.optim.Adam(model.parameters(), lr=0.01),
    "fused adam": lambda model: torch.optim.Adam(model.parameters(), lr=0.01, fused=True),
}


class Stopped(Exception):
    """What ends a run in the middle."""


def stop_at(step: int):
    def progress(done, steps, note):
        if done == step:
            raise Stopped

    return progress


def learn(path, optimizer=sgd, *, progress=None, every=1, teach=False):
    """Train one network with everything that has a state; return it and its history."""
    student, batches = Probe(seed=2), small_batches(shift=1)
    made = optimizer(student)
    rest = {
        "epochs": EPOCHS,
        "test": TEST,
        "progress": progress,
        "scheduler": CosineAnnealingLR(made, EPOCHS * len(batches)),
        "checkpoint": path and Checkpoint(path, every=every),
    }
    if teach:
        teacher = small_net(seed=7)
        history = distill(student, teacher, batches, made, temperature=2.0, lambda_=0.5, **rest)
    else:
        history = train(student, batches, made, **rest)
    return student, history


def numbers(history):
    return history.losses, history.test_errors


@pytest.mark.parametrize("teach", [False, True], ids=["train", "distill"])
@pytest.mark.parametrize("optimizer", OPTIMIZERS.values(), ids=OPTIMIZERS)
def test_a_stopped_run_goes_on_bit_for_bit(tmp_path, optimizer, teach):
    whole, expected = learn(None, optimizer, teach=teach)
    path = tmp_path / "run.safetensors"
    # Three batches an epoch: in the middle of the third one, and then of the fourth.
    for step in (8, 11):
        with pytest.raises(Stopped):
            learn(path, optimizer, teach=teach, progress=stop_at(step))
    student, history = learn(path, optimizer, teach=teach)
    assert same(weights(student), weights(whole))
    assert numbers(history) == numbers(expected)


def test_what_was_done_is_not_done_again(tmp_path):
    path = tmp_path / "run.safetensors"
    with pytest.raises(Stopped):
        learn(path, progress=stop_at(8))
    student, _ = learn(path)
    assert len(student.learning()) == 3 * (EPOCHS - 2)


def test_a_run_that_had_ended_only_returns_its_history(tmp_path):
    path = tmp_path / "run.safetensors"
    # Its seconds are those of all parts together.
    first, expected = learn(path, progress=lambda done, *_: time.sleep(0.3 * (done == 1)))
    again, history = learn(path)
    assert again.learning() == []
    assert same(weights(again), weights(first)) and numbers(history) == numbers(expected)
    assert history.seconds > 0.3


def test_it_is_written_every_so_many_epochs(tmp_path):
    path = tmp_path / "run.safetensors"
    with pytest.raises(Stopped):
        learn(path, every=2, progress=stop_at(5))
    assert not path.exists()
    with pytest.raises(Stopped):
        learn(path, every=2, progress=stop_at(11))
    student, _ = learn(path, every=2)
    assert len(student.learning()) == 3 * (EPOCHS - 2)


def test_the_file_alone_is_left(tmp_path):
    learn(tmp_path / "deep" / "run.safetensors")
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["run.safetensors"]


def test_the_global_generator_is_as_it_was(tmp_path):
    path = tmp_path / "run.safetensors"
    with pytest.raises(Stopped):
        learn(path, progress=stop_at(8))
    before = torch.get_rng_state()
    learn(path)
    assert torch.equal(torch.get_rng_state(), before)


_CHILD = """
import sys, torch
from test_checkpoint import learn
# Sums of two threads differ in their last bit from those of one.
torch.set_num_threads(int(sys.argv[2]))
slow = lambda done, steps, note: (print(done, flush=True), __import__("time").sleep(0.05))
learn(sys.argv[1], progress=slow)
"""


def test_a_killed_run_goes_on_bit_for_bit(tmp_path):
    path = tmp_path / "run.safetensors"
    places = os.pathsep.join([str(Path(__file__).parent), str(Path(__file__).parents[1])])
    child = subprocess.Popen(
        [sys.executable, "-c", _CHILD, str(path), str(torch.get_num_threads())],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": places},
    )
    with child:
        for line in child.stdout:
            if int(line) == 8:
                child.send_signal(signal.SIGKILL if os.name == "posix" else signal.SIGTERM)
    whole, expected = learn(None)
    student, history = learn(path)
    assert 0 < len(student.learning()) < 3 * EPOCHS
    assert same(weights(student), weights(whole)) and numbers(history) == numbers(expected)


# ---- a checkpoint of something else ----------------------------------------------------------


def ended(path, **other):
    """Leave a checkpoint of a run of two epochs."""
    model = other.pop("model", None) or small_net()
    made = sgd(model)
    settings = {"epochs": 2, "checkpoint": Checkpoint(path)} | other
    train(model, settings.pop("batches", None) or small_batches(), made, **settings)


@pytest.mark.parametrize(
    "other",
    [
        {"model": Probe()},
        {"epochs": 1},
        {"batches": small_batches(batch_size=10)},
    ],
    ids=["model", "epochs", "batches"],
)
def test_another_runs_checkpoint_is_refused(tmp_path, other):
    path = tmp_path / "run.safetensors"
    ended(path)
    kept = path.read_bytes()
    with pytest.raises(ValueError, match=r"run\.safetensors is no checkpoint of this run: "):
        ended(path, **other)
    assert path.read_bytes() == kept


@pytest.mark.parametrize("damage", [lambda data: data[:100], lambda data: b"", lambda data: b"no"])
def test_a_damaged_file_is_refused(tmp_path, damage):
    path = tmp_path / "run.safetensors"
    ended(path)
    path.write_bytes(damage(path.read_bytes()))
    state = torch.get_rng_state()
    with pytest.raises(ValueError, match="is no checkpoint of this run"):
        ended(path)
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.usefixtures("unchecked_shapes")
@pytest.mark.parametrize("every", [0, -1, 1.5, True, "2"])
def test_every_must_be_a_count(every):
    with pytest.raises(ValueError, match="every must be"):
        Checkpoint("run.safetensors", every=every)


@pytest.mark.usefixtures("unchecked_shapes")
def test_a_path_is_no_checkpoint(tmp_path):
    with pytest.raises(ValueError, match="checkpoint must be kdlab's Checkpoint, got str"):
        ended(tmp_path, checkpoint="run.safetensors")


# ---- schedules -------------------------------------------------------------------------------


def test_the_schedule_makes_one_step_a_batch():
    model, batches = small_net(), small_batches()
    made, rates = sgd(model), []
    scheduler = CosineAnnealingLR(made, 6)
    note = lambda done, steps, _: rates.append(made.param_groups[0]["lr"])  # noqa: E731
    train(model, batches, made, epochs=2, scheduler=scheduler, progress=note)
    expected = [0.1 * (1 + torch.tensor(torch.pi * n / 6).cos().item()) / 2 for n in range(1, 7)]
    assert rates == pytest.approx(expected, abs=1e-8)


def test_the_first_step_has_the_first_rate():
    model, twin = small_net(), small_net()
    only = small_batches(batch_size=40)
    made = sgd(model)
    train(model, only, made, epochs=1, scheduler=CosineAnnealingLR(made, 1))
    train(twin, small_batches(batch_size=40), sgd(twin), epochs=1)
    assert same(weights(model), weights(twin))


def test_another_optimizers_schedule_is_refused():
    model = small_net()
    other = CosineAnnealingLR(sgd(model), 6)
    with pytest.raises(ValueError, match="scheduler must be of the optimizer that is given"):
        train(model, small_batches(), sgd(model), epochs=1, scheduler=other)


@pytest.mark.usefixtures("unchecked_shapes")
def test_a_number_is_no_schedule():
    model = small_net()
    with pytest.raises(ValueError, match="scheduler must be torch's LRScheduler, got float"):
        train(model, small_batches(), sgd(model), epochs=1, scheduler=0.1)


def test_earlier_epochs_are_kept_under_their_number(tmp_path):
    path = tmp_path / "run.safetensors"
    student = small_net(2)
    states = []

    def note(done, steps, told):
        # An epoch's last step is told after its checkpoint.
        if done % 3 == 0:
            states.append(weights(student))

    checkpoint = Checkpoint(path, keep=None)
    train(student, small_batches(), sgd(student), epochs=4, checkpoint=checkpoint, progress=note)
    assert checkpoint.kept() == [1, 2, 3, 4] and checkpoint.at(3) == tmp_path / "run-3.safetensors"
    for epoch, state in enumerate(states, start=1):
        early = load_weights(small_net(5).train(), checkpoint.at(epoch))
        assert same(weights(early), state) and not early.training
    assert path.read_bytes() == checkpoint.at(4).read_bytes()


def test_only_the_last_few_are_kept_and_other_files_are_left(tmp_path):
    student, checkpoint = small_net(2), Checkpoint(tmp_path / "run.safetensors", every=2, keep=2)
    (tmp_path / "run-1.safetensors").write_text("somebody's")
    (tmp_path / "run-old.safetensors").write_text("somebody's")
    train(student, small_batches(), sgd(student), epochs=8, checkpoint=checkpoint)
    assert checkpoint.kept() == [1, 6, 8]
    names = {found.stem for found in tmp_path.iterdir()}
    assert names == {"run", "run-1", "run-6", "run-8", "run-old"}


def test_a_run_goes_on_after_an_epoch_that_was_kept(tmp_path):
    path = tmp_path / "run.safetensors"

    def again(checkpoint):
        student = Probe(seed=2)
        batches = small_batches(shift=1)
        history = train(student, batches, sgd(student), epochs=4, checkpoint=checkpoint)
        return student, history

    kept = Checkpoint(path, keep=3)
    whole, expected = again(kept)
    student, history = again(kept.going_on_after(2))
    assert len(student.learning()) == 2 * 3
    assert same(weights(student), weights(whole)) and history.losses == expected.losses
    student, _ = again(kept.going_on_after(0))
    assert len(student.learning()) == 4 * 3 and same(weights(student), weights(whole))


def test_bad_epochs_and_foreign_weights_are_refused(tmp_path):
    checkpoint = Checkpoint(tmp_path / "run.safetensors", keep=None)
    student = small_net(2)
    train(student, small_batches(), sgd(student), epochs=2, checkpoint=checkpoint)
    check_refused(lambda: checkpoint.going_on_after(3), "epoch must be one of [1, 2] or 0, got 3")
    check_refused(lambda: Checkpoint("x", keep=0), "keep must be a whole number >= 1, got 0")
    other = Probe()
    before = weights(other)
    with pytest.raises(ValueError, match="run-1.safetensors is no checkpoint of this network: "):
        load_weights(other, checkpoint.at(1))
    assert same(weights(other), before)
    (tmp_path / "bad.safetensors").write_bytes(b"no weights")
    with pytest.raises(ValueError, match="bad.safetensors is no checkpoint of this network"):
        load_weights(small_net(), tmp_path / "bad.safetensors")
    with pytest.raises(FileNotFoundError, match="run-9.safetensors is not there"):
        load_weights(small_net(), checkpoint.at(9))
