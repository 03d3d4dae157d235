"""Over a cluster: the same bits as here, and what goes wrong there is told here."""

import sys
from dataclasses import replace

import pytest
from _small_experiment import SMALL
from _small_trials import EXPERIMENT as TRIALS
from test_imitations import TABLE, UNITS
from test_running import outcome, quiet, small_run

from kdlab.experiments import cluster as cluster_module
from kdlab.experiments import commands
from kdlab.experiments.cluster import run_on_cluster
from kdlab.experiments.running import Work, load_all, run
from kdlab.experiments.store import Store
from kdlab.experiments.units import Recipe, Unit

distributed = pytest.importorskip("distributed")


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cluster")
    options = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": None}
    with distributed.LocalCluster(**options, local_directory=str(folder)) as started:
        yield started.scheduler_address


def work(runs, experiment=SMALL, watch=quiet) -> Work:
    return Work(experiment, runs, load_all(experiment, "cpu"), watch)


def test_a_cluster_trains_the_same_networks(address, tmp_path):
    told = []
    run_on_cluster(
        work(
            tmp_path / "far", watch=lambda unit, seed, done, steps: told.append((unit.name, seed))
        ),
        [0],
        address,
    )
    small_run(tmp_path / "near", seeds=[0])
    assert outcome(tmp_path / "far", seeds=[0]) == outcome(tmp_path / "near", seeds=[0])
    assert sorted(told) == sorted((unit.name, 0) for unit in SMALL.units)
    # All is there: nothing is sent off again.
    run_on_cluster(work(tmp_path / "far", watch=lambda *_: told.append("again")), [0], address)
    assert "again" not in told


def test_a_network_whose_layers_are_imitated_goes_along(address, tmp_path):
    units = TABLE.units[0], UNITS["hints"], UNITS["flow"]
    experiment = replace(TABLE, units=units, rows=())
    run_on_cluster(work(tmp_path / "far", experiment), [0], address)
    small_run(tmp_path / "near", experiment=experiment, seeds=[0])
    far, near = (
        outcome(tmp_path / where, experiment=experiment, seeds=[0]) for where in ("far", "near")
    )
    assert far == near


def test_a_failure_there_is_told_and_what_was_done_is_kept(address, tmp_path):
    # It takes three values an image, and images have 784.
    broken = Unit("broken", replace(SMALL.by_name["labels"].recipe, widths=(3, 10)))
    experiment = replace(SMALL, units=(SMALL.by_name["labels"], broken), rows=())
    with pytest.raises(RuntimeError, match=r"^broken, seed 0: "):
        run_on_cluster(work(tmp_path, experiment), [0], address)
    for unit in experiment.units:
        lock = Store(tmp_path, experiment, unit, 0).claim()
        assert lock is not None
        lock.release()


def test_a_unit_that_another_run_trains_is_waited_for(address, tmp_path, monkeypatch):
    experiment = replace(SMALL, units=(Unit("u", Recipe((784, 4, 10), 1)),), rows=())
    lock = Store(tmp_path, experiment, experiment.units[0], 0).claim()
    waited = []

    def let_go(_seconds):
        waited.append(1)
        lock.release()

    monkeypatch.setattr(cluster_module.time, "sleep", let_go)
    run_on_cluster(work(tmp_path, experiment), [0], address)
    assert waited and Store(tmp_path, experiment, experiment.units[0], 0).ended()


def test_the_command_line_takes_an_address(address, tmp_path, monkeypatch, capsys):
    from kdlab.experiments import __main__ as program

    monkeypatch.setattr(commands, "find_experiment", lambda name: SMALL)
    where = ["--runs", str(tmp_path / "runs"), "--results", str(tmp_path / "results")]
    line = ["run", "small", "--quick", "--seeds", "1", "--scheduler", address]
    assert program.main([*line, *where]) == 0
    assert "panel with a bias" in capsys.readouterr().out


def test_no_scheduler_is_told(tmp_path):
    with pytest.raises(OSError, match="^no scheduler answers at tcp://127.0.0.1:9"):
        run_on_cluster(work(tmp_path), [0], "tcp://127.0.0.1:9")


def test_without_distributed_it_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ValueError, match="^scheduler needs dask's distributed"):
        run_on_cluster(work(tmp_path), [0], "tcp://127.0.0.1:9")


def test_a_trial_is_done_there_as_here(address, tmp_path):
    run_on_cluster(work(tmp_path / "there", TRIALS), [0], address)
    run(work(tmp_path / "here", TRIALS), [0])
    for unit in TRIALS.units:
        numbers = [
            Store(tmp_path / where, TRIALS, unit, 0).result()["numbers"]
            for where in ("there", "here")
        ]
        assert numbers[0] == numbers[1]
