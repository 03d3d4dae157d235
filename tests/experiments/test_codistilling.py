"""Co-distillation as a command and from Python: shares, deaths, damage, going on."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager

import pytest
import torch
from _refusals import check_refused
from safetensors.torch import load_file
from torch.distributed import TCPStore

from kdlab import data
from kdlab.experiments.codistillation import Settings, __main__, start, work, work_each, working
from kdlab.schemes import History, WorkerEnded, run_workers

SMALL = {"dataset": "digits", "train": 403, "test": 100, "hidden": (20,), "every": 3, "epochs": 4}
SMALL["learning_rate"] = 0.01
COMMAND = ["-m", "kdlab.experiments.codistillation", "--dataset", "digits", "--train", "403"]
COMMAND += ["--test", "100", "--hidden", "20", "--every", "3", "--learning-rate", ".01"]
LINE = r"worker {}: 201 images of digits, 4 epochs, {} test errors of 100, "
LINE += r"{:,} bytes sent in this start, \d"
ENV = os.environ | {"OMP_NUM_THREADS": "1"}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Return the folder of a run that nothing disturbed, and what its workers found."""
    folder = tmp_path_factory.mktemp("whole")
    return folder, start(Settings(**SMALL, folder=folder))


@pytest.fixture
def alone(monkeypatch):
    """Let `work` be worker 0 of two, whose training is only noted; return the notes."""
    noted = {"rank": 0, "workers": 2}

    @contextmanager
    def joined(*, device):
        yield noted["rank"], noted["workers"]

    def codistill(model, batches, optimizer, **rest):
        noted.update(rest, batches=batches, rate=optimizer.defaults["lr"])
        return History((0.5,), (7,), 100, 1.0), 12

    monkeypatch.setattr(working, "joined", joined)
    monkeypatch.setattr(working, "codistill", codistill)
    return noted


def test_one_start_does_for_several_runs(whole):
    fresh, other = (Settings(**SMALL, seed=seed) for seed in (0, 1))
    for one, (first, second) in zip(
        whole[1], run_workers(work_each, 2, [fresh, other]), strict=True
    ):
        assert first | {"seconds": one["seconds"]} == one
        assert second["losses"] != one["losses"]


def test_workers_return_small_things_that_fit_together(whole):
    _, found = whole
    for rank, one in enumerate(found):
        assert (one["rank"], one["workers"], one["dataset"]) == (rank, 2, "digits")
        assert one["examples"] == 201 and one["test_examples"] == len(one["answers"]) == 100
        assert len(one["losses"]) == len(one["test_errors"]) == 4
        # Two exchanges of 3 and 2 steps in each of four epochs, four bytes a weight.
        assert one["bytes_sent"] == 4 * 2 * 4 * (784 * 20 + 20 + 20 * 10 + 10)
        targets = data.load("digits").take(test=100).test_targets.tolist()
        wrong = sum(a != b for a, b in zip(one["answers"], targets, strict=True))
        assert wrong == one["test_errors"][-1] < 75
    assert json.loads(json.dumps(found)) == found
    assert found[0]["losses"] != found[1]["losses"]


def test_torchrun_goes_on_and_prints_the_same_numbers(tmp_path, whole):
    folder, expected = whole
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    # As if worker 1 had been ended before it wrote its last epoch.
    (tmp_path / "worker1-4.safetensors").unlink()
    run = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    run += [*COMMAND, "--epochs", "4", "--folder", str(tmp_path)]
    out = subprocess.run(run, capture_output=True, text=True, env=ENV, timeout=120)
    shown = re.findall(r"^epoch (\d) of 4: (\d+) test errors$", out.stdout, re.MULTILINE)
    assert shown == [("4", str(expected[0]["test_errors"][-1]))], out.stderr
    for rank, one in enumerate(expected):
        line = LINE.format(rank, one["test_errors"][-1], one["bytes_sent"] // 4)
        assert re.search(f"^{line}", out.stdout, re.MULTILINE), out.stdout
        left, right = (load_file(f / f"worker{rank}.safetensors") for f in (folder, tmp_path))
        assert all(torch.equal(left[name], right[name]) for name in left)


def test_a_killed_worker_is_named_in_seconds_and_leaves_common_checkpoints(tmp_path):
    # What torchrun would tell them; it would also end the other one.
    store = TCPStore("127.0.0.1", 0, is_master=True, wait_for_workers=False)
    told = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(store.port)}
    told |= {"TORCHELASTIC_USE_AGENT_STORE": "True"}
    command = [sys.executable, *COMMAND, "--epochs", "9999", "--folder", str(tmp_path)]
    both = [
        subprocess.Popen(command, env=ENV | told | {"RANK": rank}, stderr=subprocess.PIPE)
        for rank in "01"
    ]
    try:
        limit = time.monotonic() + 100
        while not (tmp_path / "worker1-2.safetensors").exists() and time.monotonic() < limit:
            time.sleep(0.01)
        both[1].kill()
        killed = time.monotonic()
        said = both[0].communicate(timeout=50)[1].decode()
        assert time.monotonic() - killed < 25, "noticed by the time-out alone"
    finally:
        for process in both:
            process.kill()
            process.communicate()
    assert both[0].returncode == 1
    lines = [line for line in said.splitlines() if line.startswith("kdlab")]
    wanted = "kdlab.experiments.codistillation: worker 0 has lost worker 1; started again as "
    wanted += "before, all go on from their checkpoints, if they keep any ("
    assert len(lines) == 1 and lines[0].startswith(wanted), said
    kept = [{p.stem.split("-")[1] for p in tmp_path.glob(f"worker{r}-*.safetensors")} for r in "01"]
    assert kept[0] & kept[1]


def test_a_damaged_checkpoint_is_named(tmp_path, whole):
    shutil.copytree(whole[0], tmp_path, dirs_exist_ok=True)
    damaged = tmp_path / "worker1-4.safetensors"
    damaged.write_bytes(damaged.read_bytes()[:1000])
    message = (
        f"^worker 1 failed: ValueError: {re.escape(str(damaged))} is no checkpoint of this run"
    )
    with pytest.raises(RuntimeError, match=message):
        start(Settings(**SMALL, folder=tmp_path))


def test_who_starts_workers_is_told_how_to_go_on(monkeypatch):
    def run_workers(work, workers, settings):
        raise WorkerEnded("worker 1 was ended: SIGKILL")

    monkeypatch.setattr(working, "run_workers", run_workers)
    message = "^worker 1 was ended: SIGKILL; the same call goes on from the checkpoints in runs$"
    with pytest.raises(WorkerEnded, match=message):
        start(Settings(**SMALL, folder="runs"))
    with pytest.raises(WorkerEnded, match="SIGKILL; without a folder nothing was kept$"):
        start(Settings(**SMALL))


def test_shares_are_equal_parts_or_the_whole():
    dataset = data.load("digits").take(train=403, seed=0)
    parts = [Settings(**SMALL).batches(dataset, rank, 2) for rank in range(2)]
    assert [len(part.targets) for part in parts] == [201, 201]
    joined = torch.stack([part.images for part in parts], dim=1).flatten(0, 1)
    assert torch.equal(joined, dataset.train_images[:402])
    wholes = [Settings(**SMALL, share="whole").batches(dataset, rank, 2) for rank in range(2)]
    assert all(torch.equal(part.images, dataset.train_images) for part in wholes)
    first, second = (next(iter(part)).indices for part in wholes)
    assert not torch.equal(first, second)


def test_each_worker_and_seed_begins_with_a_network_of_its_own():
    begun = [Settings(seed=seed).network(rank) for seed in (0, 1) for rank in (0, 1)]
    numbers = {next(model.parameters())[0, 0].item() for model in begun}
    assert len(numbers) == 4


@pytest.mark.usefixtures("unchecked_shapes")
def test_settings_reach_the_scheme(alone):
    wanted = {"temperature": 3.0, "lambda_": 0.25, "every": 7, "burn_in": 2, "seed": 5}
    wanted |= {"what": "predictions", "epochs": 6}
    rest = {"batch_size": 30, "learning_rate": 0.02, "train": 400, "dataset": "digits"}
    found = work(Settings(**wanted, **rest), progress=print)
    assert {name: alone[name] for name in wanted} == wanted
    assert alone["progress"] is print and alone["checkpoint"] is None and alone["rate"] == 0.02
    assert alone["batches"].batch_size == 30 and len(alone["test"][1]) == 500
    drawn = data.load("digits").take(train=400, seed=5)
    assert torch.equal(alone["batches"].images, drawn.train_images[::2])
    assert found["bytes_sent"] == 12 and found["test_errors"] == [7]


def test_nothing_is_sent_if_nothing_is_asked_for(alone):
    work(Settings(**SMALL, what="nothing"))
    assert (alone["what"], alone["burn_in"]) == ("weights", SMALL["epochs"])


def test_a_folder_is_of_one_run(alone, tmp_path):
    runs = tmp_path / "new" / "runs"
    work(Settings(**SMALL, folder=runs))
    assert alone["checkpoint"].path == runs / "worker0.safetensors"
    assert alone["checkpoint"].keep == 2
    work(Settings(**SMALL | {"epochs": 5}, folder=str(runs)))
    for name, value, kept in (("every", 4, 3), ("hidden", (20, 20), [20]), ("seed", 1, 0)):
        changed = Settings(**SMALL | {name: value}, folder=runs)
        shown = list(value) if name == "hidden" else value
        told = f"folder must be of this run, {runs} has {name} {kept!r}, here it is {shown!r}"
        check_refused(lambda changed=changed: work(changed), told)
    alone["workers"] = 3
    told = f"folder must be of this run, {runs} has workers 2, here it is 3"
    check_refused(lambda: work(Settings(**SMALL, folder=runs)), told)


@pytest.mark.usefixtures("unchecked_shapes")
def test_bad_input_is_refused(alone):
    def refused(message, **changed):
        check_refused(lambda: Settings(**SMALL | changed), message)

    kinds = "'auto', 'mnist', 'fashion-mnist', 'digits'"
    refused(f"dataset must be one of {kinds}, got 'cifar10'", dataset="cifar10")
    refused("share must be one of 'own', 'whole', got 'half'", share="half")
    given = "'weights', 'predictions', 'nothing'"
    refused(f"what must be one of {given}, got 'both'", what="both")
    for name in ("train", "test", "epochs", "batch_size", "every"):
        refused(f"{name} must be a whole number >= 1, got 0", **{name: 0})
    for name in ("seed", "burn_in"):
        refused(f"{name} must be a whole number >= 0, got -1", **{name: -1})
    refused("learning_rate must be > 0, got 0", learning_rate=0)
    refused("temperature must be > 0, got -1", temperature=-1)
    refused("lambda_ must be in [0, 1], got 2", lambda_=2)
    refused("hidden[1] must be a whole number >= 1, got 0", hidden=(5, 0))
    few = "workers must be a whole number >= 2, got 1"
    check_refused(lambda: start(Settings(**SMALL), workers=1), few)
    alone["workers"] = 1
    check_refused(lambda: work(Settings(**SMALL)), few)
    too_many = "train must be at least 3, one for each worker, got 2"
    check_refused(lambda: start(Settings(**SMALL | {"train": 2}), workers=3), too_many)


def test_the_command_tells_bad_input_in_one_sentence(monkeypatch, capsys):
    def told(*options) -> str:
        assert __main__.main(options) == 1
        shown = capsys.readouterr()
        assert shown.out == "" and shown.err.count("\n") == 1
        return shown.err.removeprefix("kdlab.experiments.codistillation: ").strip()

    for name in ("RANK", "WORLD_SIZE"):
        monkeypatch.delenv(name, raising=False)
    how = "start with torchrun --nproc-per-node 2 -m kdlab.experiments.codistillation"
    assert told() == f"workers must be at least 2, got 0: {how}"
    monkeypatch.setenv("WORLD_SIZE", "1")
    assert told() == f"workers must be at least 2, got 1: {how}"
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert told("--lambda", "3") == "lambda_ must be in [0, 1], got 3.0"
    assert told("--hidden", "0") == "hidden[0] must be a whole number >= 1, got 0"
    monkeypatch.setattr(__main__, "work", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
    assert told() == "disk full"


def test_bad_options_are_told_by_the_first_worker_alone(monkeypatch, capsys):
    waited = []
    monkeypatch.setattr(__main__.time, "sleep", waited.append)
    monkeypatch.setenv("RANK", "1")
    assert __main__.main(["--hidden", "0"]) == 1
    # Torchrun ends the others when one has ended: this one gives the first the time to tell.
    assert capsys.readouterr().err == "" and waited == [5.0]


def test_every_setting_is_an_option(capsys):
    with pytest.raises(SystemExit):
        __main__.main(["--help"])
    shown = capsys.readouterr().out
    for name in Settings.__dataclass_fields__:
        assert f"--{name.strip('_').replace('_', '-')} " in shown
