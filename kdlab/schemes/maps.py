"""What happens inside a network: maps taken by name, through hooks that are always removed."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from kdlab._checks import check_count, check_same_length, check_tensor
from kdlab.data import Batches, to_float
from kdlab.schemes.evaluation import evaluating

#: The name under which a recording holds the network's own output.
LOGITS = "logits"

#: A network's maps of every example, by layer, and its logits: what `record` returns.
Recording = Mapping[str, Tensor]


@contextmanager
def tapped(model: nn.Module, layers: Sequence[str]) -> Iterator[dict[str, Tensor]]:
    """Catch what layers return while a model runs.

    Args:
        model: Any module.
        layers: Names as in ``model.named_modules()``; of a `FeatureNet` a block's own name
            will do.

    Yields:
        A dict that each call of the model fills anew, by the names given. Whatever happens
        inside the ``with``, the hooks are gone afterwards.

    Raises:
        ValueError: The model has no layer of a name.
    """
    caught: dict[str, Tensor] = {}
    hooks = []
    try:
        for name, module in find_layers(model, layers).items():
            hooks.append(module.register_forward_hook(_keeper(caught, name)))
        yield caught
    finally:
        for hook in hooks:
            hook.remove()


@torch.no_grad()
def record(
    model: nn.Module, images: Tensor, layers: Sequence[str], *, batch_size: int = 1000
) -> dict[str, Tensor]:
    """Ask a model in eval mode for its maps and its logits of all images, once.

    Args:
        model: Any module from images to logits; each of its parts keeps its mode.
        images: uint8 or float, [examples, channels, height, width].
        layers: As in `tapped`.
        batch_size: How many images go through at once.

    Returns:
        One tensor a layer, [examples, ...], and "logits". It can stand for the teacher in
        `distill_features` and `learn_hints` where images are not moved.

    Raises:
        ValueError: There is no such layer, images is no tensor or holds none, or batch_size is
            no positive whole number.
    """
    check_tensor(images=images)
    check_count(batch_size=batch_size)
    if not len(images):
        raise ValueError("images must hold at least one image, got 0")
    parts = []
    with evaluating(model), tapped(model, layers) as caught:
        for part in images.split(batch_size):
            logits = model(to_float(part))
            parts.append(dict(caught) | {LOGITS: logits})
    return {name: torch.cat([part[name] for part in parts]) for name in (*layers, LOGITS)}


def find_layers(model: nn.Module, layers: Sequence[str]) -> dict[str, nn.Module]:
    """Return a model's layers by the names given.

    Raises:
        ValueError: layers is a text and no list, or the model has no layer of a name.
    """
    if isinstance(layers, str):
        raise ValueError(f"layers must be a list of names, got {layers!r}")
    modules = dict(model.named_modules())
    found = {name: modules.get(name, modules.get(f"blocks.{name}")) for name in layers}
    for name, module in found.items():
        if not name or module is None:
            known = ", ".join(key.removeprefix("blocks.") for key in modules if key)
            raise ValueError(f"layers must be of {known}, got {name!r}")
    return found


class Listened:
    """A teacher's maps, batch by batch: asked each time, or looked up where it was recorded.

    Args:
        teacher: A module, or a `Recording` of it over all examples of the batches.
        batches: What the student learns from; where its images are not moved, a module is
            asked once for all of them.
        layers: Which maps are needed.

    Raises:
        ValueError: The teacher lacks a layer, is of another number of images, or is recorded
            where images are moved.
    """

    def __init__(self, teacher: nn.Module | Recording, batches: Batches, layers: Sequence[str]):
        self.teacher, self.layers, self.recording = teacher, layers, None
        if isinstance(teacher, nn.Module):
            find_layers(teacher, layers)
        else:
            self.recording = _checked(teacher, batches, layers)
        self._batches = batches

    def __enter__(self) -> "Listened":
        if self.recording is None and self._batches.fixed:
            self.recording = record(self.teacher, self._batches.images, self.layers)
        return self

    def __exit__(self, *_: object) -> None:
        pass

    @torch.no_grad()
    def hear(self, images: Tensor, indices: Tensor) -> dict[str, Tensor]:
        """Return the teacher's maps and logits of one batch."""
        if self.recording is not None:
            return {name: maps[indices] for name, maps in self.recording.items()}
        with evaluating(self.teacher), tapped(self.teacher, self.layers) as caught:
            logits = self.teacher(images)
        return caught | {LOGITS: logits}


def _checked(teacher: Recording, batches: Batches, layers: Sequence[str]) -> dict[str, Tensor]:
    if not isinstance(teacher, Mapping):
        raise ValueError(
            f"teacher must be a module or what record returns, got {type(teacher).__name__}"
        )
    if not batches.fixed:
        raise ValueError("teacher must be a module where images are moved, got a recording")
    if missing := [name for name in (*layers, LOGITS) if name not in teacher]:
        raise ValueError(f"teacher must have recorded {missing[0]!r}, got {', '.join(teacher)}")
    kept = {name: teacher[name] for name in (*layers, LOGITS)}
    for name, maps in kept.items():
        check_same_length(**{f"teacher {name}": maps, "targets": batches.targets})
    return {name: maps.detach().to(batches.targets.device) for name, maps in kept.items()}


def _keeper(caught: dict[str, Tensor], name: str):
    def keep(module: nn.Module, given: tuple, made: Tensor) -> None:
        caught[name] = made

    return keep
