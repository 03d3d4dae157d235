"""What the workers of the tests do; a module of its own, since new processes import it."""

import atexit
import json
import os
import signal
import sys
import time

import torch
from _probes import small_set

from kdlab import models
from kdlab.data import Batches
from kdlab.schemes import Checkpoint, codistill, joined
from kdlab.schemes.exchange import Exchange

SETTINGS = {"epochs": 3, "temperature": 2.0, "lambda_": 0.6, "every": 2, "burn_in": 1}


def net(rank: int, kind: str = "equal"):
    """Return a worker's network; "unequal" ones have widths of their own."""
    width = 8 + rank if kind == "unequal" else 8
    blocks = models.mlp((16, width, 3), seed=10 + rank)
    # Running statistics are a part of what answers.
    return torch.nn.Sequential(blocks, torch.nn.BatchNorm1d(3))


def share(rank: int, workers: int, shift: int = 0) -> Batches:
    """Return every so many-th image: 40 for two workers, in three batches, the last smaller."""
    images, targets = small_set(40 * workers)
    return Batches(
        images[rank::workers], targets[rank::workers], batch_size=16, seed=rank, shift=shift
    )


def optimizer(model):
    """Return an optimizer with a state."""
    return torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)


def learn(options: dict) -> tuple:
    """Train one worker; return its weights, losses, errors, and the bytes that it sent.

    Options beside the settings: kind and shift as above; folder of checkpoints; ends, the
    worker that is killed, and at which step; epochs_of, epochs by worker.
    """
    with joined(timeout_seconds=30) as (rank, workers):
        model = net(rank, options.get("kind", "equal"))
        rest = SETTINGS | {k: v for k, v in options.items() if k in ("what", "epochs", "every")}
        if "epochs_of" in options:
            rest["epochs"] = options["epochs_of"][rank]
        if folder := options.get("folder"):
            rest["checkpoint"] = Checkpoint(f"{folder}/worker{rank}.safetensors", keep=2)

        def progress(done, steps, note):
            if options.get("ends") == (rank, done):
                os.kill(os.getpid(), signal.SIGKILL)

        test = small_set(examples=10, seed=5)
        given = (model, share(rank, workers, options.get("shift", 0)), optimizer(model))
        history, sent = codistill(*given, test=test, progress=progress, seed=rank, **rest)
        values = [value.tolist() for value in model.state_dict().values()]
        return values, list(history.losses), list(history.test_errors), sent


def fail(rank_that_fails: int) -> int:
    """Raise in one worker and return in the other."""
    rank = int(os.environ["RANK"])
    if rank == rank_that_fails:
        raise ValueError(f"nothing to do for {rank}")
    return rank


def leave(rank_that_leaves: int) -> None:
    """Let one worker leave, and fail only when the other one must have noticed."""
    with joined(timeout_seconds=30) as (rank, _):
        exchange = Exchange(net(rank), "weights")
        if rank != rank_that_leaves:
            exchange.meet()
            raise AssertionError("met nobody")
    time.sleep(1)
    raise ValueError("damaged")


def abort_at_last() -> int:
    """Return, and abort while the process ends, as a thread of torch's can make it do."""
    atexit.register(os.abort)
    return int(os.environ["RANK"])


def tell() -> tuple[int, int, int]:
    """Return what a worker is told."""
    return int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"]), torch.get_num_threads()


if __name__ == "__main__":
    told = json.dumps([os.environ["RANK"], *learn(json.loads(sys.argv[1]))[1:]])
    # One write: unbuffered, `print` makes two, and the other worker's may come between.
    os.write(sys.stdout.fileno(), f"{told}\n".encode())
