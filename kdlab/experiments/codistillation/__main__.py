"""The command: ``torchrun --nproc-per-node 2 -m kdlab.experiments.codistillation``."""

import argparse
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import fields

from kdlab.experiments.codistillation import Settings, work
from kdlab.schemes.history import Progress
from kdlab.schemes.workers import leave

_NAME = "kdlab.experiments.codistillation"
_START = f"torchrun --nproc-per-node 2 -m {_NAME}"
_LAG_SECONDS = 5.0
_KINDS = {"train": int, "test": int, "hidden": int, "folder": str}
_HELP = {
    "dataset": "auto, mnist, fashion-mnist or digits",
    "train": "training images of all workers together; default: all",
    "test": "test images; default: all",
    "share": "own: each worker has a part of the images; whole: each has all",
    "hidden": "units of each hidden layer",
    "epochs": "passes over a worker's images",
    "batch_size": "images a step",
    "learning_rate": "Adam's",
    "what": "weights, predictions or nothing: what workers send each other",
    "every": "steps from one exchange to the next",
    "burn_in": "epochs before the first exchange",
    "temperature": "T of the others' predictions",
    "lambda_": "weight of the others' predictions, 0 to 1",
    "seed": "of images, weights and batches",
    "device": "cpu, or an accelerator that torch has",
    "folder": "of checkpoints, from which a run that was ended goes on; default: none are kept",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Train this worker and print what it found; return the exit status, 1 for an error."""
    options = vars(_parser().parse_args(arguments))
    rank = int(os.environ.get("RANK", 0))
    try:
        settings = _settings(options)
    except ValueError as error:
        # It is the same for all. Torchrun ends all as soon as one has ended: the first is to tell.
        time.sleep(_LAG_SECONDS) if rank else _say(f"{_NAME}: {error}", sys.stderr)
        return 1
    try:
        _tell(work(settings, None if rank else _progress(settings.epochs)))
    except (ValueError, OSError, RuntimeError) as error:
        _say(f"{_NAME}: {error}", sys.stderr)
        return 1
    return 0


def _settings(options: dict) -> Settings:
    settings = Settings(**options | {"hidden": tuple(options["hidden"])})
    if (workers := int(os.environ.get("WORLD_SIZE", 0))) < 2:
        raise ValueError(f"workers must be at least 2, got {workers}: start with {_START}")
    return settings


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=_START, description="Workers with data of their own that teach each other."
    )
    for field in fields(Settings):
        name = f"--{field.name.strip('_').replace('_', '-')}"
        kind = _KINDS.get(field.name, type(field.default))
        many = {"nargs": "*"} if field.name == "hidden" else {}
        given = {"dest": field.name, "type": kind, "default": field.default} | many
        told = "" if field.default is None else f"; default: {_shown(field.default)}"
        parser.add_argument(name, help=_HELP[field.name] + told, **given)
    return parser


def _shown(default: object) -> str:
    return " ".join(map(str, default)) if isinstance(default, tuple) else str(default)


def _progress(epochs: int) -> Progress:
    """Print worker 0's test errors after each epoch."""

    def tell(done: int, steps: int, note: str) -> None:
        if done * epochs % steps == 0:
            _say(f"epoch {done * epochs // steps} of {epochs}: {note}")

    return tell


def _tell(found: dict) -> None:
    errors, count = found["test_errors"][-1], found["test_examples"]
    learnt = f"{found['examples']:,} images of {found['dataset']}, {len(found['losses'])} epochs"
    # An earlier start's bytes are not known, its seconds are kept in the checkpoint.
    sent = f"{found['bytes_sent']:,} bytes sent in this start, {found['seconds']:.1f} s in all"
    _say(f"worker {found['rank']}: {learnt}, {errors} test errors of {count:,}, {sent}")


def _say(text: str, file=None) -> None:
    # One write, so that workers' lines don't mix.
    print(f"{text}\n", end="", flush=True, file=file)


if __name__ == "__main__":
    leave(main())
