"""Trials: units without a network are run, kept, told and shown as networks are."""

import re
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import ClassVar

import pytest
import torch
from _small_experiment import SMALL
from _small_trials import EXPERIMENT, Draws

from kdlab.experiments import NAMES, commands, cost, find_experiment, results, tables, trials
from kdlab.experiments import __main__ as program
from kdlab.experiments.bar import Bar
from kdlab.experiments.forms import FIELDS, check
from kdlab.experiments.running import Work, load_all, run
from kdlab.experiments.spec import Row
from kdlab.experiments.store import Store
from kdlab.experiments.trials import Trial, finished
from kdlab.experiments.units import Unit
from kdlab.schemes import History

PLAIN, SEEN = EXPERIMENT.units


@dataclass(frozen=True)
class Other(Draws):
    """Says more than it names."""

    numbers: ClassVar[tuple[str, ...]] = ("mean",)


@dataclass(frozen=True)
class More(Draws):
    """Names more than it says."""

    numbers: ClassVar[tuple[str, ...]] = ("mean", "images", "median")


@dataclass(frozen=True)
class Bare:
    """Names nothing."""

    def __call__(self, seed, dataset, progress):
        return {"mean": 0.0}


@dataclass(frozen=True)
class Long(Bare):
    """Has no task that is done in seconds."""

    numbers: ClassVar[tuple[str, ...]] = ("mean",)
    curves: ClassVar[tuple[str, ...]] = ()


def drawn(seed: int, count: int = 4) -> list[float]:
    return torch.rand(count, generator=torch.Generator().manual_seed(seed)).tolist()


def small_run(runs, *, experiment=EXPERIMENT, seeds=range(2), watch=lambda *_: None) -> None:
    run(Work(experiment, runs, load_all(experiment, "cpu"), watch), seeds)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    runs = tmp_path_factory.mktemp("whole")
    small_run(runs)
    return runs


def test_a_trial_gives_its_numbers_with_its_circumstances(whole):
    for seed in range(2):
        said = Store(whole, EXPERIMENT, PLAIN, seed).result()
        assert (said["unit"], said["seed"]) == ("plain", seed)
        assert said["numbers"]["each"] == drawn(seed)
        assert said["numbers"]["mean"] == sum(drawn(seed)) / 4
        assert said["hardware"].endswith(" a network") and said["seconds"] >= 0
        seen = Store(whole, EXPERIMENT, SEEN, seed).result()
        assert seen["numbers"]["images"] == 1297 and said["numbers"]["images"] == 0
    assert load_all(EXPERIMENT, "cpu").keys() == {"digits"}
    files = {path.name for folder in whole.iterdir() for path in folder.iterdir()}
    assert files == {"unit.json", "lock"}


def test_it_is_done_once_and_a_stopped_one_anew(whole, tmp_path):
    told = []
    small_run(whole, watch=lambda unit, seed, done, steps: told.append((done, steps)))
    assert told == [(1, 1)] * 4

    def stop(unit, seed, done, steps):
        if (unit.name, seed, done) == ("seen", 0, 2):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        small_run(tmp_path, watch=stop)
    assert Store(tmp_path, EXPERIMENT, PLAIN, 0).ended()
    assert not Store(tmp_path, EXPERIMENT, SEEN, 0).ended()
    steps = []
    small_run(tmp_path, watch=lambda unit, seed, *rest: steps.append((unit.name, seed, *rest)))
    assert steps[:2] == [("plain", 0, 1, 1), ("seen", 0, 1, 3)]
    numbers = [
        [Store(runs, EXPERIMENT, SEEN, seed).result()["numbers"] for seed in range(2)]
        for runs in (whole, tmp_path)
    ]
    assert numbers[0] == numbers[1]


def test_what_decides_its_numbers_decides_its_name():
    def named(trial, seed=0):
        return EXPERIMENT.fingerprint(trial, seed)

    others = [
        named(PLAIN, 1),
        named(replace(PLAIN, task=Draws(5))),
        named(replace(PLAIN, task=Other())),
        named(replace(PLAIN, dataset="digits")),
        named(replace(PLAIN, dataset="mnist")),
    ]
    assert len({named(PLAIN), *others}) == 6
    assert named(replace(PLAIN, name="other", seconds=9.0)) == named(PLAIN)
    assert PLAIN.settings()["task"]["is"] == "Draws" and PLAIN.settings()["task"]["count"] == 4


def test_results_hold_curves_beside_the_rows(whole):
    found = results.collect(EXPERIMENT, whole, range(2))
    assert tuple(found) == (*FIELDS, "curves")
    assert results.curves(found) == {
        "plain-each": [drawn(0), drawn(1)],
        "seen-each": [drawn(0, 3), drawn(1, 3)],
    }
    gaps = [sum(drawn(seed)) / 4 - sum(drawn(seed, 3)) / 3 for seed in range(2)]
    assert results.values(found)["gap"] == pytest.approx(gaps)
    assert found["settings"]["digits"] == 3 and found["settings"]["counts"] == "nothing"
    assert "digits" not in results.settings(SMALL) and results.settings(SMALL)["counts"]


def test_seeds_of_two_runs_are_joined_with_their_curves(whole):
    apart = [results.collect(EXPERIMENT, whole, [seed]) for seed in range(2)]
    both, joined = results.collect(EXPERIMENT, whole, range(2)), results.join(*apart)
    assert joined["curves"] == both["curves"] and joined["rows"] == both["rows"]


def test_a_curve_too_short_is_damage(whole):
    found = results.collect(EXPERIMENT, whole, range(2))
    found["curves"]["plain-each"].pop()
    with pytest.raises(ValueError, match="^curve plain-each must have 2 rows, one a seed$"):
        check(found)


def test_the_table_has_as_many_decimals_as_its_experiment(whole):
    table = tables.Table(results.collect(EXPERIMENT, whole, range(2)))
    mean = sum(sum(drawn(seed)) / 4 for seed in range(2)) / 2
    assert table.lines[0][:3] == ("mean", "0.52", f"{mean:.3f}")
    low, high = table.lines[0][3].split(" to ")
    assert len(low.rpartition(".")[2]) == len(high.rpartition(".")[2]) == 3
    assert "Means of 2 seeds, nothing; " in table.caption


@pytest.mark.parametrize("options", [["--processes", "2"], ["--processes", "1", "--quick"]])
def test_the_command_runs_them(options, tmp_path, capsys):
    path = str(Path(__file__).with_name("_small_trials.py"))
    where = ["--runs", str(tmp_path / "runs"), "--results", str(tmp_path / "results")]
    assert program.main(["run", path, *options, *where]) == 0
    shown = capsys.readouterr()
    assert "0.52" in shown.out or "--quick" in options
    # Two processes end in any order: the last one told may be of either seed.
    last = shown.err.splitlines()[-1]
    assert last.startswith("100%") and re.search(r"(plain|seen), seed [01], 100 %", last)
    kept = (tmp_path / "results" / "small-trials.json").exists()
    assert kept == ("--quick" not in options)


def test_quick_takes_each_task_s_small_one_on_digits():
    short = commands.quick(replace(EXPERIMENT, units=(PLAIN, replace(SEEN, dataset="mnist"))))
    assert [unit.task.count for unit in short.units] == [1, 1]
    assert [unit.dataset for unit in short.units] == [None, "digits"] and short.dataset is None
    names = [name for name in NAMES if find_experiment(name).units[0].kind == "trials"]
    assert len(names) == 7
    for name in names:
        experiment = find_experiment(name)
        assert set(commands.quick(experiment).datasets) <= {"digits"}
        # A task's numbers go by what it is, not by how long it takes.
        for unit in experiment.units:
            assert unit.quick().numbers == unit.numbers


def test_their_time_is_what_they_say(tmp_path):
    assert cost.whole(EXPERIMENT, 2) == 2 * (1.0 + 2.0)
    with (tmp_path / "bar").open("w") as file, Bar(EXPERIMENT, tmp_path, [0], file=file) as bar:
        bar.watch(SEEN, 0, 1, 2)
    assert PLAIN.stage(1, 3) == "33 %"


def test_the_seconds_of_a_task_are_kept(tmp_path, monkeypatch):
    clock = iter([10.0, 12.5])
    monkeypatch.setattr(trials, "time", SimpleNamespace(perf_counter=lambda: next(clock)))
    small_run(tmp_path, experiment=replace(EXPERIMENT, units=(PLAIN,), rows=()), seeds=[0])
    assert Store(tmp_path, EXPERIMENT, PLAIN, 0).result()["seconds"] == 2.5


def test_a_training_that_was_stopped_stops_the_trial():
    assert finished(History((1.0,))) == History((1.0,))
    with pytest.raises(KeyboardInterrupt):
        finished(History((1.0,), interrupted=True))


@pytest.mark.usefixtures("unchecked_shapes")
@pytest.mark.parametrize(
    "change, message",
    [
        ({"dataset": "cifar10"}, "dataset must be one of .*, got 'cifar10'"),
        ({"seconds": 0.0}, "seconds must be > 0, got 0.0"),
        ({"task": len}, "task must be an instance of a dataclass with __call__, got .*"),
        ({"task": Unit.__dataclass_fields__["name"]}, "task must be an instance of .*"),
        ({"task": SMALL.by_name["panel"].measure}, "task must have `curves`, got WithBias.*"),
        ({"task": Bare()}, "task must have `numbers`, got Bare.*"),
        ({"task": Long()}, "task must have `small`, got Long.*"),
    ],
)
def test_what_is_no_trial_is_refused(change, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        replace(PLAIN, **change)


@pytest.mark.parametrize("task, named", [(Other(), "mean"), (More(), "mean, images, median")])
def test_numbers_that_are_not_those_it_names_are_refused(task, named):
    message = f"^task must return {named}, each, got mean, images, each$"
    with pytest.raises(ValueError, match=message):
        Trial("other", task).run(0, None, None)


@pytest.mark.parametrize(
    "change, message",
    [
        ({"counted": ""}, "counted must say what is counted where dataset is None"),
        ({"digits": -1}, "digits must be a whole number >= 0, got -1"),
        (
            {"units": (PLAIN, SMALL.by_name["labels"]), "rows": ()},
            "dataset must not be None: labels is a network",
        ),
        ({"rows": (Row("a", "plain", ""),)}, "number of a must be of mean, images, got 'errors'"),
        ({"rows": (Row("a", "plain", "", "each"),)}, "number of a must be of .*, got 'each'"),
    ],
)
def test_an_experiment_of_trials_must_hold_together(change, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        replace(EXPERIMENT, **change)
