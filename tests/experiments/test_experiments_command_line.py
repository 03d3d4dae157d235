"""The command line: list, run, table; several processes; bad input in one sentence."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace

import pytest
from _small_experiment import SMALL, Broken
from test_running import HERE, ROOT, outcome, small_run

from kdlab.experiments import NAMES, commands, cost, find_experiment, processes, results
from kdlab.experiments import __main__ as program
from kdlab.experiments.bar import Bar
from kdlab.experiments.units import Recipe, Unit

#: Those of networks; the others are trials, see test_trials.
NETWORKS = [name for name in NAMES if find_experiment(name).units[0].kind == "networks"]


@pytest.fixture
def small(monkeypatch):
    """Let the command line know the small experiment alone."""
    monkeypatch.setattr(commands, "NAMES", ("small",))
    monkeypatch.setattr(commands, "find_experiment", lambda name: SMALL)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    runs = tmp_path_factory.mktemp("whole")
    small_run(runs)
    return runs


def places(tmp_path) -> list[str]:
    return ["--runs", str(tmp_path / "runs"), "--results", str(tmp_path / "results")]


def test_run_trains_and_writes_what_table_prints(small, whole, tmp_path, capsys):
    assert program.main(["run", "small", "--processes", "1", *places(tmp_path)]) == 0
    assert outcome(tmp_path / "runs") == outcome(whole)
    shown = capsys.readouterr()
    assert "100%" in shown.err and "permuted, seed 1, epoch 6 of 6" in shown.err
    found = results.load("small", tmp_path / "results")
    assert found == results.collect(SMALL, tmp_path / "runs", range(2))
    for option in ([], ["small"], ["small", "--markdown"]):
        assert program.main(["table", *option, "--results", str(tmp_path / "results")]) == 0
        assert "panel with a bias" in capsys.readouterr().out
    assert program.main(["list", "--results", str(tmp_path / "results")]) == 0
    assert "Measured: Means of 2 seeds, " in capsys.readouterr().out


def test_several_processes_do_the_same_and_tell_of_it(small, whole, tmp_path, capsys):
    assert program.main(["run", "small", "--processes", "2", *places(tmp_path)]) == 0
    assert outcome(tmp_path / "runs") == outcome(whole)
    assert "100%" in capsys.readouterr().err


def test_seeds_can_be_fewer_and_then_more(small, whole, tmp_path, capsys):
    alone = ["run", "small", "--processes", "1", *places(tmp_path)]
    assert program.main([*alone, "--seeds", "1"]) == 0
    assert results.load("small", tmp_path / "results")["seeds"] == [0]
    capsys.readouterr()
    assert program.main(alone) == 0
    assert "seed 0" not in capsys.readouterr().err
    assert results.load("small", tmp_path / "results")["seeds"] == [0, 1]
    assert outcome(tmp_path / "runs") == outcome(whole)


def test_seeds_are_added_to_results_without_their_networks(small, whole, tmp_path, capsys):
    alone = ["run", "small", "--processes", "1", "--results", str(tmp_path / "results")]
    assert program.main([*alone, "--seeds", "1", "--runs", str(tmp_path / "here")]) == 0
    capsys.readouterr()
    assert program.main([*alone, "--more", "1", "--runs", str(tmp_path / "there")]) == 0
    assert "seed 0" not in capsys.readouterr().err
    joined, expected = (
        results.load("small", tmp_path / "results"),
        results.collect(SMALL, whole, range(2)),
    )
    assert joined["seeds"] == [0, 1] and joined["rows"] == expected["rows"]


def test_seeds_are_not_added_to_results_of_other_settings(small, tmp_path, monkeypatch, capsys):
    alone = ["run", "small", "--processes", "1", *places(tmp_path)]
    assert program.main([*alone, "--seeds", "1"]) == 0
    other = replace(SMALL, rows=SMALL.rows[:1])
    monkeypatch.setattr(commands, "find_experiment", lambda name: other)
    assert program.main([*alone, "--more", "1"]) == 1
    assert "has small by other settings" in capsys.readouterr().err


def test_quick_tries_everything_and_keeps_no_results(small, tmp_path, capsys):
    line = ["run", "small", "--quick", "--processes", "1", *places(tmp_path)]
    assert program.main(line) == 0
    assert "these numbers say nothing" in capsys.readouterr().out
    assert not (tmp_path / "results").exists()


def test_quick_is_one_epoch_on_digits():
    for name in NETWORKS:
        experiment = find_experiment(name)
        short = commands.quick(experiment)
        assert short.datasets == ("digits",) and len(short.units) == len(experiment.units)
        # What stays untrained there stays so here.
        epochs = [min(unit.recipe.epochs, 1) for unit in experiment.units]
        assert [unit.recipe.epochs for unit in short.units] == epochs
        assert all((unit.examples or 1) <= 1000 for unit in short.units)
        # Of other data.
        assert all(row.published is None for row in short.rows)


def test_list_tells_of_every_experiment(capsys):
    assert program.main(["list"]) == 0
    shown = capsys.readouterr().out
    parts = dict(zip(NAMES, re.split(r"\n\n", shown.strip()), strict=True))
    for name in NAMES:
        experiment = find_experiment(name)
        assert name in shown and experiment.measures in shown and experiment.paper in shown
        count = experiment.seeds * len(experiment.units)
        assert f"{count} {experiment.units[0].kind}: about " in parts[name]
    assert shown.count("CPU cores") == len(NAMES) == shown.count("on a GPU")
    # Those that have networks in common with one before them.
    sharing = {"controls-mnist", "low-data", "temperature-lambda", "early-stopping", "generations"}
    assert {name for name, part in parts.items() if "after those above" in part} == sharing


def test_broken_results_do_not_hide_the_others(tmp_path, capsys):
    (tmp_path / "low-data.json").write_text("{")
    assert program.main(["list", "--results", str(tmp_path)]) == 0
    assert "low-data.json holds no JSON" in capsys.readouterr().out
    shutil.copy(ROOT / "assets" / "results" / "temperature-lambda.json", tmp_path)
    assert program.main(["table", "--results", str(tmp_path)]) == 1
    shown = capsys.readouterr()
    assert "low-data.json holds no JSON" in shown.err
    assert shown.out.startswith("temperature-lambda\n") and "2 x 30, T = 20" in shown.out


def test_a_file_where_a_folder_should_be_is_named(tmp_path, capsys):
    (tmp_path / "file").write_text("somebody's")
    for name in ("results", "runs"):
        line = ["run", "low-data", "--seeds", "1", f"--{name}", str(tmp_path / "file")]
        assert program.main(line) == 1
        said = f"--{name} must be a folder, got the file {tmp_path / 'file'}"
        assert said in capsys.readouterr().err
    assert (tmp_path / "file").read_text() == "somebody's"
    assert program.main(["run", str(tmp_path / "mine.py")]) == 1
    assert f"{tmp_path / 'mine.py'} is not there" in capsys.readouterr().err


@pytest.mark.parametrize(
    "line, message",
    [
        (["run", "small", "--seeds", "0"], "seeds must be a whole number >= 1, got 0"),
        (["run", "small", "--more", "0"], "more must be a whole number >= 1, got 0"),
        (["run", "small", "--more", "1"], "`python -m kdlab.experiments run small` makes it"),
        (["run", "small", "--more", "1", "--quick"], "--quick keeps none: leave one out"),
        (["run", "small", "--processes", "0"], "processes must be a whole number >= 1, got 0"),
        (
            ["run", "small", "--processes", "3", "--scheduler", "tcp://127.0.0.1:1"],
            "processes must be 1 with --scheduler, got 3",
        ),
        (
            ["run", "small", "--device", "nonsense"],
            "device must be one that torch has, got 'nonsense'",
        ),
        (["table", "small"], "`python -m kdlab.experiments run small` makes it"),
        (["table"], "holds no results; `run NAME` makes them"),
    ],
)
def test_bad_input_is_one_sentence(small, tmp_path, capsys, line, message):
    where = places(tmp_path) if line[0] == "run" else ["--results", str(tmp_path / "results")]
    assert program.main([*line, *where]) == 1
    shown = capsys.readouterr().err
    assert shown.strip().splitlines()[-1].startswith("kdlab.experiments: ") and message in shown
    assert "Traceback" not in shown


def test_an_unknown_experiment_is_named_with_those_there_are(capsys):
    for verb in ("run", "table"):
        assert program.main([verb, "nonsense"]) == 1
        assert "'hinton-mnist', " in capsys.readouterr().err


def test_an_experiment_of_ones_own_is_run_and_tabled(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sys, "path", list(sys.path))
    source = (HERE / "_small_experiment.py").read_text().replace('"small"', '"mine"')
    path = tmp_path / "mine_alone.py"
    path.write_text(f"{source}\n\nEXPERIMENT = SMALL\n")
    line = ["run", str(path), "--seeds", "1", "--processes", "2", *places(tmp_path)]
    assert program.main(line) == 0
    assert program.main(["table", str(path), "--results", str(tmp_path / "results")]) == 0
    assert "panel with a bias" in capsys.readouterr().out


def test_a_folder_of_results_that_cannot_be_made_is_refused_at_once(small, tmp_path, capsys):
    (tmp_path / "results").write_text("")
    assert program.main(["run", "small", *places(tmp_path)]) == 1
    assert "--results must be a folder, got the file " in capsys.readouterr().err
    assert not (tmp_path / "runs").exists()


def test_a_terminated_run_ends_as_an_interrupted_one(tmp_path):
    line = [sys.executable, "-m", "kdlab.experiments", "run", "low-data", "--quick"]
    child = subprocess.Popen(
        [*line, "--processes", "1"], cwd=ROOT, stderr=subprocess.PIPE, text=True
    )
    # The bar's first sign tells that training is under way.
    told = ""
    while "epoch" not in told:
        told += (came := child.stderr.read(50))
        assert came, told
    child.terminate()
    assert "the same command goes on" in child.communicate(timeout=60)[1]
    assert child.returncode == 130


def test_a_failure_in_a_process_is_told(small, tmp_path, monkeypatch, capsys):
    unit = replace(SMALL.by_name["teacher"], measure=Broken())
    bad = replace(SMALL, units=(unit,), rows=())
    with pytest.raises(RuntimeError, match="^RuntimeError: teacher, seed 0: nothing to read$"):
        processes.run_in_processes(bad, tmp_path, range(1), 2, lambda *_: None)


_PARENT = """
import sys
from pathlib import Path
from _small_experiment import SMALL
from kdlab.experiments.processes import run_in_processes
if __name__ == "__main__":
    tell = lambda unit, *_: print(unit.name, flush=True)
    run_in_processes(SMALL, Path(sys.argv[1]), range(200), 2, tell)
"""


@pytest.mark.skipif(os.name != "posix", reason="elsewhere children don't see their parent end")
def test_processes_end_with_a_killed_parent(tmp_path):
    script = tmp_path / "parent.py"
    script.write_text(_PARENT)
    path = os.pathsep.join([str(HERE), str(HERE.parent), str(ROOT)])
    line = [sys.executable, str(script), str(tmp_path / "runs")]
    parent = subprocess.Popen(
        line, stdout=subprocess.PIPE, text=True, env=os.environ | {"PYTHONPATH": path}
    )
    with parent:
        parent.stdout.readline()
        parent.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 60
    while changing(tmp_path / "runs"):
        assert time.monotonic() < deadline, "children go on without their parent"


def changing(folder) -> bool:
    """Tell whether anything is written under a folder within some seconds."""
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    time.sleep(4)
    return before != {path: path.stat().st_mtime_ns for path in folder.rglob("*")}


# --- time


def test_work_is_images_times_operations():
    unit = Unit("u", Recipe((784, 30, 10), 2, batch_size=100))
    # A multiplication and an addition for each weight.
    assert cost.operations(unit.recipe) == 2 * (784 * 30 + 30 * 10)
    experiment = replace(SMALL, dataset="mnist", units=(unit,), rows=())
    found = cost.seconds(experiment, unit, (1e9, 0.5))
    assert found == pytest.approx(3 * 2 * 60_000 * 2 * 23_820 / 1e9 + 2 * 600 * 0.5)
    assert cost.whole(experiment, 3, (1e9, 0.5)) == pytest.approx(3 * found)
    few = replace(unit, examples=1000, without=(1, 2))
    assert cost.seconds(experiment, few, (1e9, 0)) == pytest.approx(found_of(800))


def test_what_is_done_with_the_maps_of_a_convolution_is_work_too():
    recipe = Recipe((3,), 1, convolutional=True)
    flops = 2 * (28 * 28 * 9 * 3 + 3 * 10)
    assert cost.operations(recipe) == flops + 230 * 3 * 28 * 28


def found_of(images: int) -> float:
    return 3 * 2 * images * 2 * 23_820 / 1e9


def test_the_bar_counts_what_others_end_and_not_what_had_ended(whole, tmp_path, capsys):
    labels = SMALL.by_name["labels"]
    with Bar(SMALL, whole, [0], file=sys.stderr) as bar:
        bar.watch(labels, 0, 1, 1)
    assert "labels" not in capsys.readouterr().err
    with Bar(SMALL, tmp_path, [0], file=sys.stderr) as bar:
        for unit in SMALL.units:
            bar.watch(unit, 0, 1, 1)
    assert "100%" in capsys.readouterr().err


def test_the_bar_ends_at_100_percent_in_whatever_order_units_end(tmp_path, capsys, monkeypatch):
    # Added in the other order they are larger than their sum by a last bit.
    shares = dict(zip(SMALL.units, (0.3, 0.2, 0.1), strict=False))
    monkeypatch.setattr(cost, "seconds", lambda experiment, unit: shares.get(unit, 0.0))
    assert sum(shares.values()) < sum(reversed(shares.values()))
    with Bar(SMALL, tmp_path, [0], file=sys.stderr) as bar:
        for unit in reversed(SMALL.units):
            bar.watch(unit, 0, 1, 1)
    assert "100%" in capsys.readouterr().err


def test_the_bar_counts_what_is_left(whole, tmp_path, capsys):
    with Bar(SMALL, tmp_path, [0], file=sys.stderr) as bar:
        for unit in SMALL.units:
            bar.watch(unit, 0, 1, 2)
            bar.watch(unit, 0, 2, 2)
    assert "100%" in capsys.readouterr().err
    with Bar(SMALL, whole, [0, 1], file=sys.stderr):
        pass
    assert "  0%" in capsys.readouterr().err
