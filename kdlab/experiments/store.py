"""Where trained units lie, so that a killed run goes on and several runs share the work.

RUNS/FINGERPRINT/unit.json              numbers and circumstances of a unit that has ended
RUNS/FINGERPRINT/model.safetensors      its network, if another unit needs it
RUNS/FINGERPRINT/answers-N.safetensors  its answers to all training images moved by up to N pixels
RUNS/FINGERPRINT/checkpoint.safetensors where it goes on, while it has not ended; a training in
                                        two stages has one of the first beside it
RUNS/FINGERPRINT/lock                   held by the process that trains it
"""

import os
from collections.abc import Callable
from pathlib import Path

from filelock import FileLock, Timeout
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from kdlab._files import read_json, write_json
from kdlab.experiments.spec import Experiment
from kdlab.experiments.trials import Trial
from kdlab.experiments.units import Unit


class Store:
    """The folder of one unit and seed.

    Args:
        runs: The folder of all runs.
        experiment: Whose unit it is; units that are the same in two experiments share a folder.
        unit: Which one.
        seed: Its seed.
    """

    def __init__(self, runs: Path, experiment: Experiment, unit: Unit | Trial, seed: int) -> None:
        self.unit, self.seed, self.keeps = unit, seed, experiment.keeps(unit)
        self.folder = runs / experiment.fingerprint(unit, seed)
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
        found = read_json(self._result)
        if "numbers" not in found:
            raise ValueError(f"{self._result} must have 'numbers'; delete {self.folder}")
        return found

    def save(self, result: dict, weights: dict[str, Tensor]) -> None:
        """Keep a unit that has ended; its result is written last, and stands for the whole."""
        if self.keeps:
            _write(self._model, weights)
        write_json(self._result, result)
        for path in self.folder.glob("checkpoint*.safetensors"):
            path.unlink()

    def network(self) -> nn.Module:
        """Return the trained network, on the CPU, in eval mode."""
        model = self.unit.build(0)
        model.load_state_dict(self._load(self._model))
        return model.eval().requires_grad_(False)

    def answers(self, shift: int, ask: Callable[[nn.Module], Tensor]) -> Tensor:
        """Return the network's answers to moved training images; it is asked only once."""
        path = self.folder / f"answers-{shift}.safetensors"
        if not path.exists():
            _write(path, {"answers": ask(self.network())})
        return self._load(path)["answers"]

    def _load(self, path: Path) -> dict[str, Tensor]:
        try:
            return load_file(path)
        except SafetensorError as error:
            told = f"{path} is damaged ({error})"
            raise ValueError(f"{told}; delete {self.folder} to train it anew") from None

    def claim(self) -> FileLock | None:
        """Keep other processes away while a unit is trained; None where one is at it.

        The lock is to be released; if its process dies, the system does that.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self.folder / "lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            return None
        return lock


def weights_of(model: nn.Module) -> dict[str, Tensor]:
    """Return a network's tensors on the CPU, each with memory of its own."""
    return {name: tensor.cpu().clone() for name, tensor in model.state_dict().items()}


def _write(path: Path, tensors: dict[str, Tensor]) -> None:
    partial = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        save_file({name: tensor.cpu().contiguous() for name, tensor in tensors.items()}, partial)
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)
