"""Save a run between two epochs, and go on from there bit for bit."""

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from kdlab._checks import check_count

if TYPE_CHECKING:
    from kdlab.schemes.history import Run


class Checkpoint:
    """A file that a scheme writes while it trains, and from which it goes on.

    It holds the weights, those of what is trained beside the model, the optimizer, the
    schedule, every generator and the history, so that a run that was killed and goes on ends
    with the same bits as one that was not (on the same machine, with the same number of
    threads). It stays when the run has ended.

    Args:
        path: Where it lies, in safetensors form; it changes as a whole or not at all.
        every: Epochs from one write to the next.

    Raises:
        ValueError: every is no positive whole number.
    """

    def __init__(self, path: str | os.PathLike, *, every: int = 1) -> None:
        check_count(every=every)
        self.path, self.every = Path(path), every

    def save(self, run: "Run") -> None:
        """Write the state of a run, if this epoch's turn has come."""
        done = len(run.losses)
        if done % self.every:
            return
        tensors, rest = _optimizer_state(run.optimizer)
        tensors |= _weights(run)
        tensors |= {f"random.{name}": state for name, state in _random_states(run).items()}
        said = {"optimizer": rest, "run": run.state()}
        if run.scheduler is not None:
            said["scheduler"] = run.scheduler.state_dict()
        self._write(tensors, json.dumps(said))

    def load(self, run: "Run") -> None:
        """Put a run into the state of the file; leave it alone where there is none.

        Raises:
            ValueError: The file is damaged, or is of a run with another model, optimizer,
                schedule or number of batches.
        """
        if not self.path.exists():
            return
        try:
            tensors, said = self._read()
            _set_weights(run, tensors)
            run.optimizer.load_state_dict(_optimizer_dict(tensors, said["optimizer"]))
            if run.scheduler is not None:
                run.scheduler.load_state_dict(said["scheduler"])
            run.restore(said["run"])
            _set_random_states(run, _under("random.", tensors))
        except (SafetensorError, RuntimeError, ValueError, KeyError) as error:
            told = str(error).strip().splitlines()[0]
            raise ValueError(f"{self.path} is no checkpoint of this run: {told}") from None

    def _write(self, tensors: dict[str, Tensor], said: str) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        partial = self.path.with_name(f"{self.path.name}.{os.getpid()}.part")
        try:
            # Copies: two names of one piece of memory would be refused.
            copies = {name: tensor.detach().cpu().clone() for name, tensor in tensors.items()}
            save_file(copies, partial, metadata={"kdlab": said})
            os.replace(partial, self.path)
        finally:
            partial.unlink(missing_ok=True)

    def _read(self) -> tuple[dict[str, Tensor], dict]:
        with safe_open(self.path, "pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}
            return tensors, json.loads(file.metadata()["kdlab"])


def _weights(run: "Run") -> dict[str, Tensor]:
    tensors = {f"model.{name}": tensor for name, tensor in run.model.state_dict().items()}
    if run.beside is not None:
        tensors |= {f"beside.{name}": held for name, held in run.beside.state_dict().items()}
    return tensors


def _set_weights(run: "Run", tensors: dict[str, Tensor]) -> None:
    run.model.load_state_dict(_under("model.", tensors))
    if run.beside is not None:
        run.beside.load_state_dict(_under("beside.", tensors))


def _optimizer_state(optimizer: torch.optim.Optimizer) -> tuple[dict[str, Tensor], dict]:
    """Take the tensors out of an optimizer's state; the rest can be written as JSON."""
    held, tensors = optimizer.state_dict(), {}
    rest = {"param_groups": held["param_groups"], "state": {}}
    for number, state in held["state"].items():
        rest["state"][number] = {}
        for name, value in state.items():
            if isinstance(value, Tensor):
                tensors[f"optimizer.{number}.{name}"] = value
            else:
                rest["state"][number][name] = value
    return tensors, rest


def _optimizer_dict(tensors: dict[str, Tensor], rest: dict) -> dict:
    state = {int(number): dict(values) for number, values in rest["state"].items()}
    for place, tensor in _under("optimizer.", tensors).items():
        number, _, name = place.partition(".")
        state[int(number)][name] = tensor
    return {"param_groups": rest["param_groups"], "state": state}


def _random_states(run: "Run") -> dict[str, Tensor]:
    """Return the states of all that draws: the batches, dropout here, dropout on a device."""
    states = {"batches": run.batches.generator.get_state(), "cpu": torch.get_rng_state()}
    device = run.batches.targets.device
    if device.type != "cpu":
        states["device"] = torch.get_device_module(device).get_rng_state(device)
    return states


def _set_random_states(run: "Run", states: dict[str, Tensor]) -> None:
    run.batches.generator.set_state(states["batches"])
    torch.set_rng_state(states["cpu"])
    device = run.batches.targets.device
    if device.type != "cpu":
        torch.get_device_module(device).set_rng_state(states["device"], device)


def _under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {
        name.removeprefix(prefix): tensor
        for name, tensor in tensors.items()
        if name.startswith(prefix)
    }
