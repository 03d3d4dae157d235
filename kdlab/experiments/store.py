"""Where trained units lie, so that a killed run goes on and several runs share the work.

RUNS/FINGERPRINT/unit.json              numbers and circumstances of a unit that has ended
RUNS/FINGERPRINT/model.safetensors      its network, if another unit needs it
RUNS/FINGERPRINT/checkpoint.safetensors where it goes on, while it has not
RUNS/FINGERPRINT/lock                   held by the process that trains it
"""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from safetensors.torch import load_file, save_file
from torch import nn

from kdlab._files import read_json, write_json
from kdlab.experiments.spec import Experiment, Unit

if os.name == "posix":
    import fcntl


class Store:
    """The folder of one unit and seed.

    Args:
        runs: The folder of all runs.
        experiment: Whose unit it is; units that are the same in two experiments share a folder.
        unit: Which one.
        seed: Its seed.
    """

    def __init__(self, runs: Path, experiment: Experiment, unit: Unit, seed: int) -> None:
        self.folder = runs / experiment.fingerprint(unit, seed)
        self.keeps = experiment.keeps(unit)
        self.checkpoint = self.folder / "checkpoint.safetensors"
        self._result, self._model = self.folder / "unit.json", self.folder / "model.safetensors"

    def ended(self) -> bool:
        """Tell whether all that is needed of this unit is there."""
        return self._result.exists() and (self._model.exists() or not self.keeps)

    def result(self) -> dict:
        """Return what `save` was given.

        Raises:
            ValueError: The file is damaged.
        """
        return read_json(self._result)

    def save(self, result: dict, model: nn.Module) -> None:
        """Keep a unit that has ended; its result is written last, and stands for the whole."""
        if self.keeps:
            partial = self._model.with_suffix(".part")
            tensors = {name: value.cpu().clone() for name, value in model.state_dict().items()}
            save_file(tensors, partial)
            os.replace(partial, self._model)
        write_json(self._result, result)
        self.checkpoint.unlink(missing_ok=True)

    def load(self, model: nn.Module) -> nn.Module:
        """Put the stored weights into a network and return it, in eval mode."""
        model.load_state_dict(load_file(self._model))
        return model.eval().requires_grad_(False)

    @contextlib.contextmanager
    def claim(self) -> Iterator[bool]:
        """Keep other processes away while a unit is trained; False where one is at it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with open(self.folder / "lock", "w") as file:
            try:
                if os.name == "posix":
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                yield False
                return
            yield True
