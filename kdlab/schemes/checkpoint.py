"""Save a run between two epochs, and go on from there bit for bit."""

import json
import os
from glob import escape
from pathlib import Path
from typing import Protocol, runtime_checkable

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from kdlab._checks import check_count
from kdlab.data import Batches

#: What reading a damaged file, or one of something else, raises.
UNREADABLE = (SafetensorError, RuntimeError, ValueError, KeyError)


@runtime_checkable
class Resumable(Protocol):
    """What a checkpoint writes and puts back: a scheme's `Run`, or another loop's."""

    losses: list[float]
    optimizer: torch.optim.Optimizer
    scheduler: torch.optim.lr_scheduler.LRScheduler | None

    def tensors(self) -> dict[str, Tensor]:
        """Return what is kept beside the optimizer's state, no name starting "optimizer."."""

    def state(self) -> dict:
        """Return the book-keeping, as JSON has it."""

    def restore(self, state: dict, tensors: dict[str, Tensor]) -> None:
        """Go on from what both returned; ValueError if they are another run's."""


class Checkpoint:
    """A file that a scheme writes while it trains, and from which it goes on.

    It holds the weights, those of what is trained beside the model, the optimizer, the
    schedule, every generator and the history, so that a run that was killed and goes on ends
    with the same bits as one that was not (on the same machine, with the same number of
    threads). It stays when the run has ended.

    Args:
        path: Where it lies, in safetensors form; it changes as a whole or not at all.
        every: Epochs from one write to the next.
        keep: How many to keep, the newest included; None is all. If it isn't 1, each also lies
            under its epoch, run-3.safetensors beside run.safetensors, for example to let a
            teacher teach as it was then: see `at` and `load_weights`.

    Raises:
        ValueError: every or keep is no positive whole number.
    """

    def __init__(self, path: str | os.PathLike, *, every: int = 1, keep: int | None = 1) -> None:
        check_count(every=every, keep=1 if keep is None else keep)
        self.path, self.every, self.keep = Path(path), every, keep
        self._epoch: int | None = None

    def going_on_after(self, epoch: int) -> "Checkpoint":
        """Return the same checkpoint, but for a run that goes on after so many epochs.

        What was kept later is overwritten when its turn comes; 0 is a run from the beginning.

        Raises:
            ValueError: Nothing is kept of this epoch.
        """
        if epoch and epoch not in self.kept():
            raise ValueError(f"epoch must be one of {self.kept()} or 0, got {epoch!r}")
        other = Checkpoint(self.path, every=self.every, keep=self.keep)
        other._epoch = epoch
        return other

    def at(self, epoch: int) -> Path:
        """Return where the state after so many epochs lies, if it was kept."""
        check_count(epoch=epoch)
        return self.path.with_stem(f"{self.path.stem}-{epoch}")

    def kept(self) -> list[int]:
        """Return the epochs whose state lies under `at`, first to last."""
        found = self.path.parent.glob(f"{escape(self.path.stem)}-*{self.path.suffix}")
        ends = [path.stem.removeprefix(f"{self.path.stem}-") for path in found]
        return sorted(int(end) for end in ends if end.isdecimal())

    def save(self, run: Resumable) -> None:
        """Write the state of a run, if this epoch's turn has come."""
        done = len(run.losses)
        if done % self.every:
            return
        tensors, rest = _optimizer_state(run.optimizer)
        tensors |= run.tensors()
        said = {"optimizer": rest, "run": run.state()}
        if run.scheduler is not None:
            said["scheduler"] = run.scheduler.state_dict()
        # The numbered one first: what lies under path is there under its number, too.
        for path in (self.path,) if self.keep == 1 else (self.at(done), self.path):
            write_tensors(path, tensors, said)
        if self.keep not in (None, 1) and (old := done - self.keep * self.every) > 0:
            self.at(old).unlink(missing_ok=True)

    def load(self, run: Resumable) -> None:
        """Put a run into the state of the file; leave it alone where there is none.

        Raises:
            ValueError: The file is damaged, or is of a run with another model, optimizer,
                schedule or number of batches.
        """
        path = self.at(self._epoch) if self._epoch else self.path
        if self._epoch == 0 or not path.exists():
            return
        try:
            tensors, said = read_tensors(path)
            run.restore(said["run"], tensors)
            run.optimizer.load_state_dict(_optimizer_dict(tensors, said["optimizer"]))
            if run.scheduler is not None:
                run.scheduler.load_state_dict(said["scheduler"])
        except UNREADABLE as error:
            told = str(error).strip().splitlines()[0]
            raise ValueError(f"{path} is no checkpoint of this run: {told}") from None


def load_weights(model: nn.Module, path: str | os.PathLike) -> nn.Module:
    """Give a model the weights that a checkpoint of its run holds; return it in eval mode.

    Args:
        model: A network of the same kind as the one that was trained; changed in place.
        path: For example `Checkpoint.at(epoch)`.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is damaged, or of another kind of network.
    """
    if not Path(path).exists():
        raise FileNotFoundError(f"{path} is not there")
    try:
        tensors, _ = read_tensors(Path(path))
        model.load_state_dict(under("model.", tensors))
    except UNREADABLE as error:
        told = str(error).strip().splitlines()[0]
        raise ValueError(f"{path} is no checkpoint of this network: {told}") from None
    return model.eval()


def write_tensors(path: Path, tensors: dict[str, Tensor], said: dict) -> None:
    """Write tensors and what JSON can say of them; the file is whole or not there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        # Copies: two names of one piece of memory would be refused.
        copies = {name: tensor.detach().cpu().clone() for name, tensor in tensors.items()}
        save_file(copies, partial, metadata={"kdlab": json.dumps(said)})
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def read_tensors(path: Path) -> tuple[dict[str, Tensor], dict]:
    """Return what `write_tensors` wrote; one of UNREADABLE if it is damaged."""
    with safe_open(path, "pt") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}
        return tensors, json.loads(file.metadata()["kdlab"])


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
    for place, tensor in under("optimizer.", tensors).items():
        number, _, name = place.partition(".")
        state[int(number)][name] = tensor
    return {"param_groups": rest["param_groups"], "state": state}


def network_tensors(modules: dict[str, nn.Module | None], batches: Batches) -> dict[str, Tensor]:
    """Return the modules' weights and the states of all that draws."""
    states = {"batches": batches.generator.get_state(), "cpu": torch.get_rng_state()}
    device = batches.targets.device
    if device.type != "cpu":
        states["device"] = torch.get_device_module(device).get_rng_state(device)
    tensors = {f"random.{name}": state for name, state in states.items()}
    for kind, module in modules.items():
        held = module.state_dict() if module is not None else {}
        tensors |= {f"{kind}.{name}": tensor for name, tensor in held.items()}
    return tensors


def set_network_tensors(
    modules: dict[str, nn.Module | None], batches: Batches, tensors: dict[str, Tensor]
) -> None:
    """Put weights and random states back, as `network_tensors` returned them."""
    for kind, module in modules.items():
        if module is not None:
            module.load_state_dict(under(f"{kind}.", tensors))
    batches.generator.set_state(tensors["random.batches"])
    torch.set_rng_state(tensors["random.cpu"])
    device = batches.targets.device
    if device.type != "cpu":
        torch.get_device_module(device).set_rng_state(tensors["random.device"], device)


def under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return the tensors whose name begins so, under the rest of their name."""
    return {
        name.removeprefix(prefix): tensor
        for name, tensor in tensors.items()
        if name.startswith(prefix)
    }
