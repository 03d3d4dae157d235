"""What every view shares: its module, its traits' text, its still picture.

A view is an `anywidget.AnyWidget`. The browser gets one import-free ES module: the shared
files of ``static/``, then the view's own.
"""

from pathlib import Path
from typing import ClassVar

import anywidget
import torch
from torch import Tensor

from kdlab import _checks as checks

STATIC = Path(__file__).parent / "static"
SHARED = ("maths", "common", "images", "bars")


class View(anywidget.AnyWidget):
    """A widget that reads well without its widget: as text, and as a still picture.

    A subclass names its file and what stands in its text::

        class Temperature(View, module="explore_temperature"):
            title = "Softmax at a temperature"
            shown = ("temperature", "example")

    and gives `summary` and `still`.
    """

    title: ClassVar[str] = ""
    shown: ClassVar[tuple[str, ...]] = ()
    _css = (STATIC / "common.css").read_text("utf-8")

    def __init_subclass__(
        cls, module: str | None = None, uses: tuple[str, ...] = (), **kwargs
    ) -> None:
        # anywidget makes a subclass of each instance's class too, without a module.
        if module:
            cls.module = module
            cls._esm = module_text(*uses, module)
        super().__init_subclass__(**kwargs)

    def summary(self) -> str:
        """Say in a line or two what the view shows now."""
        raise NotImplementedError

    def still(self) -> str:
        """Draw what the view shows now as an SVG text."""
        raise NotImplementedError

    def __repr__(self) -> str:
        values = ", ".join(f"{name}={getattr(self, name)!r}" for name in self.shown)
        return f"{self.module}({values})"

    def _repr_mimebundle_(self, **kwargs):
        data, metadata = super()._repr_mimebundle_(**kwargs)
        return {**data, "text/plain": self.summary(), "image/svg+xml": self.still()}, metadata


def module_text(*names: str) -> str:
    """Build one import-free ES module: the shared files, then these, the view's own last."""
    files = (STATIC / f"{name}.js" for name in (*SHARED, *names))
    return "\n".join(file.read_text("utf-8") for file in files)


def check_scores(**named: Tensor) -> dict[str, Tensor]:
    """Return each as float32 on the CPU, without its gradient, as the browser gets it.

    Raises:
        ValueError: One is no [batch, classes] of finite floating point numbers.
    """
    checks.check_logits(**named)
    sent = {name: logits.detach().float().cpu().contiguous() for name, logits in named.items()}
    for name, logits in sent.items():
        if logits.shape[1] < 2:
            raise ValueError(f"{name} must have at least 2 classes, got {logits.shape[1]}")
        if not torch.isfinite(logits).all():
            raise ValueError(f"{name} must be finite, got {_first_bad(logits)}")
    return sent


def check_names(class_names, classes: int) -> tuple[str, ...]:
    """Return one name a class: the given ones, or the numbers 0, 1, ...

    Raises:
        ValueError: There are not as many as classes.
    """
    names = tuple(str(name) for name in (range(classes) if class_names is None else class_names))
    if len(names) != classes:
        raise ValueError(f"class_names must hold {classes} names, got {len(names)}")
    return names


def check_images(images: Tensor | None, logits: Tensor) -> Tensor | None:
    """Return images as uint8 [examples, channels, height, width] on the CPU; None stays.

    Floats are taken as 0 to 1; [examples, height, width] has one channel.

    Raises:
        ValueError: Another shape, not as many images as rows of logits, or whole numbers
            beyond 0 to 255.
    """
    if images is None:
        return None
    checks.check_same_length(images=images, logits=logits)
    if images.ndim == 3:
        images = images[:, None]
    checks.check_images(images=images)
    if images.is_floating_point():
        images = images.detach().mul(255).round().clamp(0, 255)
    return images.to(device="cpu", dtype=torch.uint8).contiguous()


def to_bytes(tensor: Tensor) -> bytes:
    """Return a tensor's numbers as they lie in memory."""
    return tensor.numpy().tobytes()


def _first_bad(tensor: Tensor) -> float:
    return tensor[~torch.isfinite(tensor)][0].item()
