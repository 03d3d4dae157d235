"""Co-distillation over real processes: equal to one process, bytes, deaths, going on."""

import json
import os
import shutil
import subprocess
import sys
import time
from copy import deepcopy
from pathlib import Path

import pytest
import torch
from _probes import small_batches, small_net
from _refusals import check_refused
from _workers import SETTINGS, abort_at_last, fail, learn, leave, net, optimizer, share, tell

from kdlab.losses import mutual_loss
from kdlab.schemes import WorkerEnded, WorkerLost, codistill, joined, run_workers
from kdlab.schemes.exchange import _told_if_lost, grouped


def simulated(workers=2, kind="equal", shift=0, every=2, epochs=3):
    """All workers in one process, one after the other, with copies where others are stale."""
    nets = [net(rank, kind) for rank in range(workers)]
    makers = [optimizer(model) for model in nets]
    shares = [share(rank, workers, shift) for rank in range(workers)]
    for epoch in range(epochs):
        groups = [list(grouped(batches, every)) for batches in shares]
        for number in range(len(groups[0])):
            stale = [deepcopy(model).eval() for model in nets]
            for rank, (model, maker) in enumerate(zip(nets, makers, strict=True)):
                for images, targets, _ in groups[rank][number]:
                    others = [stale[j] for j in range(workers) if j != rank]
                    told = epoch >= SETTINGS["burn_in"]
                    heard = [other(images) for other in others] if told else []
                    weights = [SETTINGS["lambda_"] / len(others)] * len(heard)
                    model.train()
                    loss = mutual_loss(
                        model(images), heard, targets, temperature=2.0, weights=weights
                    )
                    maker.zero_grad()
                    loss.backward()
                    maker.step()
    return [[value.tolist() for value in model.state_dict().values()] for model in nets]


def close(found, expected):
    for one, other in zip(found, expected, strict=True):
        for values, wanted in zip(one, other, strict=True):
            torch.testing.assert_close(torch.tensor(values), torch.tensor(wanted))


@pytest.mark.parametrize(
    ("workers", "what", "kind", "shift", "every"),
    [
        (2, "weights", "equal", 0, 2),
        (2, "predictions", "unequal", 1, 2),
        (3, "predictions", "equal", 0, 1),
        (3, "weights", "equal", 1, 50),
    ],
)
def test_processes_learn_what_one_process_learns(workers, what, kind, shift, every):
    options = {"what": what, "kind": kind, "shift": shift, "every": every}
    found = run_workers(learn, workers, options)
    close([weights for weights, *_ in found], simulated(workers, kind, shift, every))
    assert all(len(losses) == len(errors) == 3 for _, losses, errors, _ in found)


def test_what_is_sent_says_the_same_and_its_bytes_are_counted():
    by_weights = run_workers(learn, 2, {"what": "weights"})
    by_predictions = run_workers(learn, 2, {"what": "predictions"})
    close([one[0] for one in by_weights], [one[0] for one in by_predictions])
    # Two epochs after the burn-in, two exchanges each: 16 x 8 + 8 + 8 x 3 + 3 weights of the
    # layers, 4 x 3 values of the batch norm, four bytes each.
    numbers = (16 * 8 + 8) + (8 * 3 + 3) + 4 * 3
    assert [one[3] for one in by_weights] == [4 * 4 * numbers] * 2
    # 40 images of 16 bytes an epoch, and three logits back for each of the other's 40.
    assert [one[3] for one in by_predictions] == [2 * 40 * (16 + 3 * 4)] * 2


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Return the folder of a run that was not stopped, and what its workers returned."""
    folder = tmp_path_factory.mktemp("whole")
    return folder, run_workers(learn, 2, {"folder": str(folder)})


def test_a_worker_that_dies_is_told_in_seconds_and_all_go_on_bit_for_bit(tmp_path, whole):
    _, expected = whole
    options = {"folder": str(tmp_path)}
    start = time.monotonic()
    with pytest.raises(WorkerEnded, match="^worker 1 was ended: SIGKILL$"):
        # In the third epoch: two are kept by each.
        run_workers(learn, 2, options | {"ends": (1, 8)})
    assert time.monotonic() - start < 25, "noticed by the time-out alone"
    again = run_workers(learn, 2, options)
    assert [one[:3] for one in again] == [one[:3] for one in expected]
    # Only the last epoch's exchanges were made.
    assert again[0][3] == expected[0][3] // 2


def test_a_worker_that_is_ahead_goes_back_to_what_all_have(tmp_path, whole):
    folder, expected = whole
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    # As if worker 1 had been ended before it wrote its last epoch.
    (tmp_path / "worker1-3.safetensors").unlink()
    again = run_workers(learn, 2, {"folder": str(tmp_path)})
    assert [one[:3] for one in again] == [one[:3] for one in expected]
    assert again[0][3] == expected[0][3] // 2


def test_files_that_are_gone_are_not_overwritten(tmp_path):
    for name in ("worker0", "worker0-2", "worker0-3"):
        (tmp_path / f"{name}.safetensors").write_text(name)
    message = r"checkpoint must have an epoch that all workers kept, got \[2, 3\] and \[\]"
    with pytest.raises(RuntimeError, match=message):
        run_workers(learn, 2, {"folder": str(tmp_path)})
    assert sorted(path.read_text() for path in tmp_path.iterdir()) == [
        "worker0",
        "worker0-2",
        "worker0-3",
    ]


def test_workers_that_differ_are_told():
    message = "ValueError: epochs must be the same for all workers, got 2 and 3"
    with pytest.raises(RuntimeError, match=message):
        run_workers(learn, 2, {"epochs_of": [2, 3]})
    with pytest.raises(RuntimeError, match="model must be the same for all workers"):
        run_workers(learn, 2, {"kind": "unequal", "what": "weights"})


def test_torchrun_starts_them_too():
    here = Path(__file__).parent
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    command += ["--nproc-per-node", "2", str(here / "_workers.py"), json.dumps({"epochs": 2})]
    path = os.pathsep.join([str(here), str(here.parent), os.environ.get("PYTHONPATH", "")])
    out = subprocess.run(
        command,
        capture_output=True,
        text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": path},
        timeout=120,
    )
    told = sorted(json.loads(line) for line in out.stdout.splitlines() if line.startswith("["))
    expected = run_workers(learn, 2, {"epochs": 2})
    assert [one[1] for one in told] == [one[1] for one in expected], out.stderr


def test_a_worker_that_fails_is_named():
    with pytest.raises(RuntimeError, match="^worker 1 failed: ValueError: nothing to do for 1$"):
        run_workers(fail, 2, 1)


def test_the_worker_that_was_first_to_fail_is_named():
    with pytest.raises(RuntimeError, match="^worker 1 failed: ValueError: damaged$"):
        run_workers(leave, 2, 1)


def test_a_worker_that_has_returned_is_done_however_its_process_ends():
    assert run_workers(abort_at_last, 2) == [0, 1]


def test_a_worker_tells_whom_it_may_have_lost():
    how = "started again as before, all go on from their checkpoints, if they keep any"
    for others, who in (([1], "worker 1"), ([1, 2], "one of worker 1, worker 2")):
        message = f"^worker 0 has lost {who}; {how} \\(closed\\)$"
        with pytest.raises(WorkerLost, match=message), _told_if_lost(0, others):
            raise RuntimeError("closed\nby a peer")


def test_workers_share_the_threads_and_return_in_order():
    threads = max(1, torch.get_num_threads() // 3)
    assert run_workers(tell, 3) == [(rank, 3, threads) for rank in range(3)]


@pytest.mark.usefixtures("unchecked_shapes")
def test_grouped_takes_so_many_at_a_time():
    assert list(grouped(range(7), 3)) == [[0, 1, 2], [3, 4, 5], [6]]
    assert list(grouped(range(4), 2)) == [[0, 1], [2, 3]]
    assert list(grouped([], 2)) == []


def elsewhere():
    """Stand for a function of a notebook."""


@pytest.mark.usefixtures("unchecked_shapes")
def test_bad_input_is_refused(monkeypatch):
    def call(**changed):
        model = small_net()
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        return codistill(model, small_batches(), optimizer, **{"epochs": 1} | changed)

    check_refused(call, "workers must have been joined, see `joined`, got none")
    check_refused(
        lambda: call(what="both"), "what must be one of 'weights', 'predictions', got 'both'"
    )
    check_refused(lambda: call(every=0), "every must be a whole number >= 1, got 0")
    check_refused(lambda: call(burn_in=-1), "burn_in must be a whole number >= 0, got -1")
    check_refused(lambda: call(lambda_=2), "lambda_ must be in [0, 1], got 2")
    monkeypatch.delenv("RANK", raising=False)
    check_refused(
        lambda: joined().__enter__(), "joined must be called in a worker of torchrun, got no RANK"
    )
    check_refused(lambda: run_workers(tell, 0), "workers must be a whole number >= 1, got 0")
    monkeypatch.setattr(elsewhere, "__module__", "__main__")
    check_refused(
        lambda: run_workers(elsewhere, 2),
        "work must be importable, got elsewhere of this session",
    )
