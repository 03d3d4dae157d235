"""A run that is killed goes on bit for bit; several share the work; nothing is done twice."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from _small_experiment import SMALL
from safetensors.torch import load_file

from kdlab.experiments import running
from kdlab.experiments.running import Work, load_all, run
from kdlab.experiments.store import Store

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
SEEDS = range(2)


def quiet(*_) -> None:
    pass


def small_run(runs: Path, *, experiment=SMALL, seeds=SEEDS, watch=quiet) -> None:
    run(Work(experiment, runs, load_all(experiment, "cpu"), watch), seeds)


def stores(runs: Path, experiment=SMALL, seeds=SEEDS) -> list[Store]:
    return [Store(runs, experiment, unit, seed) for seed in seeds for unit in experiment.units]


def outcome(runs: Path, **rest) -> dict:
    """Return every unit's numbers and the bytes of every kept network."""
    return {
        (store.unit.name, store.seed): (
            store.result()["numbers"],
            (store.folder / "model.safetensors").read_bytes() if store.keeps else None,
        )
        for store in stores(runs, **rest)
    }


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    """Return the folder of a run that nothing disturbed."""
    runs = tmp_path_factory.mktemp("whole")
    small_run(runs)
    return runs


def test_every_unit_of_every_seed_ends_with_its_circumstances(whole):
    for store in stores(whole):
        said = store.result()
        assert (said["unit"], said["seed"]) == (store.unit.name, store.seed)
        assert said["versions"]["torch"] == torch.__version__.partition("+")[0]
        assert said["hardware"].endswith(" a network")
        assert store.keeps == (store.unit.name in ("teacher", "conv"))
        left = {path.name for path in store.folder.iterdir()}
        assert left <= {"unit.json", "lock", "model.safetensors", "answers-1.safetensors"}


def test_a_network_is_asked_once_for_all_its_students(whole, tmp_path):
    shutil.copytree(whole, tmp_path / "runs")
    store = Store(tmp_path / "runs", SMALL, SMALL.by_name["teacher"], 0)
    asked = []

    def ask(network):
        asked.append(network)
        return torch.full((3, 10), float(len(asked)))

    # The students of the run have asked already, about images moved by up to one pixel.
    store.answers(1, ask)
    assert asked == []
    assert store.answers(0, ask).unique().tolist() == [1.0]
    assert store.answers(0, ask).unique().tolist() == [1.0]
    assert len(asked) == 1


def test_students_hear_the_mean_of_their_teachers(whole):
    work = Work(SMALL, whole, load_all(SMALL, "cpu"), quiet)
    heard = work.teaching(SMALL.by_name["panel"], 1)
    both = [
        load_file(Store(whole, SMALL, SMALL.by_name[name], 1).folder / "answers-1.safetensors")
        for name in ("teacher", "conv")
    ]
    torch.testing.assert_close(heard, (both[0]["answers"] + both[1]["answers"]) / 2)
    assert work.teaching(SMALL.by_name["teacher"], 0) is None


def test_nothing_is_trained_twice(whole, tmp_path):
    told = []
    small_run(whole, watch=lambda unit, seed, done, steps: told.append((done, steps)))
    # Told as ended, each once, and nothing else.
    assert told == [(1, 1)] * len(stores(whole))
    # A unit of the same settings under another name, in another experiment.
    units = (replace(SMALL.by_name["labels"], name="other"),)
    other = replace(SMALL, name="other", units=units, rows=())
    told.clear()
    small_run(whole, experiment=other, watch=lambda *rest: told.append(rest[2:]))
    assert told == [(1, 1)] * len(SEEDS)


def test_a_network_that_a_later_experiment_needs_is_trained_again_to_the_same_bits(whole, tmp_path):
    alone = replace(SMALL, units=SMALL.units[:1], rows=SMALL.rows[:1])
    small_run(tmp_path, experiment=alone)
    store = Store(tmp_path, SMALL, SMALL.by_name["teacher"], 0)
    assert store.result()["numbers"] and not store.ended()
    small_run(tmp_path)
    assert outcome(tmp_path) == outcome(whole)


_RUN = """
import sys, time, torch
from pathlib import Path
from test_running import small_run
torch.set_num_threads(1)
def tell(unit, seed, done, steps):
    # One of one is a unit that has ended, none of one a unit that another process is at.
    if steps > 1:
        print(unit.name, seed, done, flush=True)
        time.sleep(float(sys.argv[2]))
small_run(Path(sys.argv[1]), watch=tell)
"""


def start(runs: Path, pause: float = 0.0) -> subprocess.Popen:
    """Run the small experiment in another process, a line a step."""
    places = os.pathsep.join([str(HERE), str(HERE.parent), str(ROOT)])
    return subprocess.Popen(
        [sys.executable, "-c", _RUN, str(runs), str(pause)],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": places, "OMP_NUM_THREADS": "1"},
    )


def kill_at(runs: Path, *line: str) -> None:
    """Kill a run, without a last word, where it tells this."""
    with start(runs, pause=0.02) as child:
        for told in child.stdout:
            if tuple(told.split()) == line:
                child.send_signal(signal.SIGKILL if os.name == "posix" else signal.SIGTERM)
                break


def steps_of_a_run(runs: Path) -> list[tuple[str, int, int]]:
    """Run the small experiment; return unit, seed and number of every step."""
    told = []
    small_run(runs, watch=lambda unit, *rest: told.append((unit.name, *rest)))
    return [(name, seed, done) for name, seed, done, steps in told if steps > 1]


def test_a_killed_run_goes_on_at_the_unit_and_inside_it_bit_for_bit(whole, tmp_path):
    # 11 steps an epoch, a checkpoint every 5 epochs: in the sixth of seven.
    kill_at(tmp_path, "teacher", "0", "60")
    teacher = Store(tmp_path, SMALL, SMALL.by_name["teacher"], 0)
    assert teacher.checkpoint.exists() and not teacher.ended()
    kill_at(tmp_path, "student", "1", "3")
    assert teacher.ended() and not teacher.checkpoint.exists()
    steps = steps_of_a_run(tmp_path)
    assert steps[0] == ("student", 1, 1) and ("teacher", 0) not in {step[:2] for step in steps}
    assert outcome(tmp_path) == outcome(whole)


def test_inside_a_long_training_it_goes_on_from_the_checkpoint(whole, tmp_path):
    kill_at(tmp_path, "teacher", "0", "60")
    steps = steps_of_a_run(tmp_path)
    assert steps[0] == ("teacher", 0, 56)
    assert outcome(tmp_path) == outcome(whole)


def test_runs_at_once_share_the_work(whole, tmp_path):
    children = [start(tmp_path, pause=0.005) for _ in range(3)]
    done = [child.communicate(timeout=120)[0].splitlines() for child in children]
    assert [child.returncode for child in children] == [0, 0, 0]
    trained = [{tuple(line.split()[:2]) for line in lines} for lines in done]
    # Each unit in one process, and more than one process with something to do.
    assert sum(map(len, trained)) == len(set().union(*trained))
    assert sum(map(bool, trained)) > 1
    assert outcome(tmp_path) == outcome(whole)


def test_a_claimed_unit_is_left_alone_until_it_is_let_go(whole, tmp_path, monkeypatch):
    lock = Store(tmp_path, SMALL, SMALL.by_name["labels"], 0).claim()
    told = []

    def let_go(_seconds):
        told.append("waited")
        lock.release()

    monkeypatch.setattr(running.time, "sleep", let_go)
    small_run(tmp_path, seeds=[0], watch=lambda unit, *_: told.append(unit.name))
    assert told.count("waited") == 1
    assert told.index("waited") > max(n for n, name in enumerate(told) if name == "student")
    assert outcome(tmp_path, seeds=[0]) == {
        key: value for key, value in outcome(whole).items() if key[1] == 0
    }


def test_a_unit_that_another_ends_just_before_our_claim_is_not_trained_again(
    whole, tmp_path, monkeypatch
):
    real = Store.claim

    def ended_meanwhile(store):
        lock = real(store)
        shutil.copytree(whole / store.folder.name, store.folder, dirs_exist_ok=True)
        return lock

    monkeypatch.setattr(Store, "claim", ended_meanwhile)
    trained = []
    monkeypatch.setattr(running, "_train", lambda _work, unit, *_: trained.append(unit.name))
    small_run(tmp_path, seeds=[0])
    assert trained == [] and outcome(tmp_path, seeds=[0])


def test_a_damaged_result_is_named(tmp_path):
    store = Store(tmp_path, SMALL, SMALL.by_name["labels"], 0)
    store.folder.mkdir(parents=True)
    (store.folder / "unit.json").write_text("{")
    with pytest.raises(ValueError, match=r"unit\.json holds no JSON"):
        store.result()


def test_a_damaged_network_is_named_with_what_to_delete(whole, tmp_path):
    shutil.copytree(whole, tmp_path / "runs")
    teacher, student = (
        Store(tmp_path / "runs", SMALL, SMALL.by_name[name], 0) for name in ("teacher", "student")
    )
    shutil.rmtree(student.folder)
    for path in teacher.folder.glob("*.safetensors"):
        path.write_bytes(path.read_bytes()[:100])
    named = r"^student, seed 0: .*\.safetensors is damaged \(.*\); delete .* to train it anew$"
    with pytest.raises(RuntimeError, match=named):
        small_run(tmp_path / "runs", seeds=[0])
    shutil.rmtree(teacher.folder)
    small_run(tmp_path / "runs", seeds=[0])
    assert outcome(tmp_path / "runs") == outcome(whole)


def test_a_result_without_numbers_is_named(tmp_path):
    store = Store(tmp_path, SMALL, SMALL.by_name["labels"], 0)
    store.folder.mkdir(parents=True)
    (store.folder / "unit.json").write_text("{}")
    with pytest.raises(ValueError, match=r"unit\.json must have 'numbers'; delete "):
        store.result()


def test_what_is_kept_appears_whole(tmp_path, monkeypatch):
    store = Store(tmp_path, SMALL, SMALL.by_name["teacher"], 0)
    store.folder.mkdir(parents=True)
    model = store.unit.recipe.build(0)

    def fail(*_):
        raise OSError("no space")

    monkeypatch.setattr("kdlab.experiments.store.os.replace", fail)
    with pytest.raises(OSError, match="no space"):
        store.save({"numbers": {}}, model.state_dict())
    assert not store.ended() and list(store.folder.iterdir()) == []


def test_an_interrupt_ends_a_run_and_loses_nothing(whole, tmp_path):
    def stop(unit, seed, done, steps):
        if (unit.name, done) == ("student", 30):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        small_run(tmp_path, watch=stop)
    began = time.time()
    small_run(tmp_path)
    kept = Store(tmp_path, SMALL, SMALL.by_name["teacher"], 0).folder / "unit.json"
    assert kept.stat().st_mtime < began
    assert outcome(tmp_path) == outcome(whole)
    assert json.loads(kept.read_text())["seed"] == 0
