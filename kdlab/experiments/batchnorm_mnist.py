"""The figure of Ioffe and Szegedy, with seeds: three layers of 100 sigmoid units on MNIST.

Batches of 60, plain gradient descent, Gaussian weights. The paper's 50,000 steps are 12,000 here,
12 passes; its learning rate and the width of its start, which it doesn't tell, are three rates
and, at one of them, a second width. A seed begins with the same weights and sees the same batches
with and without normalization.

Each network is measured after 1, 2, 3 ... steps, later six times while their number doubles, on
test images, on 1,000 training images and, before it learns from it, on the next batch.
"""

import copy
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import ClassVar

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from kdlab import schemes
from kdlab.batchnorm import BatchNorm
from kdlab.data import Batch, Batches, Dataset, to_float
from kdlab.experiments.landscape import along_gradient, layer_shift
from kdlab.experiments.spec import Experiment, Row
from kdlab.experiments.trials import Trial
from kdlab.experiments.units import CLASSES, SIDE
from kdlab.metrics import accuracy
from kdlab.models.parts import seeded
from kdlab.schemes.history import Progress

PAPER = "Ioffe and Szegedy 2015, arXiv:1502.03167"
WIDTHS = (SIDE**2, 100, 100, 100)
STEPS, BATCH, WATCHED = 12_000, 60, 1_000
GOAL, EARLY = 0.95, 100
RATES, STD, SMALL = (0.1, 0.5, 10.0), 0.1, 0.01

#: Curves, one value for each of `measured(steps)`; the last five are explained in `landscape`.
CURVES = {
    "step": "steps done",
    "accuracy": "on the test images, by running statistics",
    "low": "15th percentile of what the last hidden layer's first unit hands to its sigmoid",
    "median": "its 50th",
    "high": "its 85th",
    "drift": "how far the units' medians moved since the last time, the mean over this layer",
    "width": "15th to 85th percentile, the mean over this layer",
    "rise": "loss range along the gradient",
    "turn": "change of the gradient along it",
    "smoothness": "the same for each unit of way",
    "shift": "change of the last hidden layer's gradient by the step of the layers below",
    "cosine": "cosine of the angle between these two gradients",
}
NUMBERS = {
    "arrived": f"reaches {GOAL:.0%}, share of seeds",
    "steps": f"steps to {GOAL:.0%}, all of them where it never arrives",
    "early": f"accuracy after {EARLY} steps",
    "end": "accuracy at the end",
    "path": "the way of a median, the sum of its drift",
    "path-in-widths": "the same over the mean width",
    **{f"mean-{name}": CURVES[name] for name in list(CURVES)[-5:]},
    "early-rise": f"loss range along the gradient in the first {EARLY} steps",
}


@dataclass(frozen=True)
class Sigmoids:
    """One network of sigmoid units, watched while it learns.

    Attributes:
        rate: The learning rate.
        normalized: Whether what the sigmoids are handed is normalized.
        std: Standard deviation of the first weights.
        steps: Of gradient descent.
    """

    rate: float
    normalized: bool
    std: float = STD
    steps: int = STEPS

    numbers: ClassVar[tuple[str, ...]] = tuple(NUMBERS)
    curves: ClassVar[tuple[str, ...]] = tuple(f"each-{name}" for name in CURVES)

    def __call__(self, seed: int, dataset: Dataset, progress: Progress) -> dict:
        """Return the numbers, and the curves over the measured steps."""
        model = sigmoid_net(seed, normalized=self.normalized, std=self.std).to(dataset.device)
        images = to_float(dataset.train_images).flatten(1)
        batches = Batches(images, dataset.train_targets, batch_size=BATCH, seed=seed)
        watch = _Watch(images[:WATCHED], dataset, self.rate)
        for step, batch in _descent(model, batches, self.rate, self.steps):
            watch.look(model, step, batch)
            progress(step, self.steps, "")
        return summary(watch.found) | {f"each-{name}": row for name, row in watch.found.items()}

    def small(self) -> "Sigmoids":
        """Return one of a few steps."""
        return replace(self, steps=20)


def sigmoid_net(seed: int, *, normalized: bool, std: float = STD) -> nn.Sequential:
    """Build the network: its layers are linear1, norm1, sigmoid1, ... linear3, ..., logits.

    A normalized layer has no bias, as beta stands for it.
    """
    with seeded(seed):
        model = nn.Sequential(OrderedDict(_parts(normalized)))
    # Drawn once more: torch's own draws differ in number, as biases do.
    with seeded(seed):
        for part in model:
            if isinstance(part, nn.Linear):
                nn.init.normal_(part.weight, std=std)
                if part.bias is not None:
                    nn.init.zeros_(part.bias)
    return model


def _parts(normalized: bool) -> Iterator[tuple[str, nn.Module]]:
    for number, (fan_in, fan_out) in enumerate(pairwise(WIDTHS), start=1):
        yield f"linear{number}", nn.Linear(fan_in, fan_out, bias=not normalized)
        if normalized:
            yield f"norm{number}", BatchNorm(fan_out)
        yield f"sigmoid{number}", nn.Sigmoid()
    yield "logits", nn.Linear(WIDTHS[-1], CLASSES)


def measured(steps: int) -> list[int]:
    """Return after how many steps of so many is measured: all at first, then six a doubling."""
    geometric = {round(2 ** (sixth / 6)) for sixth in range(6 * steps.bit_length())}
    return sorted(step for step in geometric | {EARLY, steps} if step <= steps)


def summary(found: dict[str, list[float]]) -> dict[str, float]:
    """Read the numbers off the curves."""
    rightly, done = found["accuracy"], found["step"]
    arrived = [step for step, share in zip(done, rightly, strict=True) if share >= GOAL]
    early = [number for number, step in enumerate(done) if step <= EARLY]
    path, width = sum(found["drift"]), _mean(found["width"])
    numbers = {
        "arrived": float(bool(arrived)),
        "steps": arrived[0] if arrived else done[-1],
        "early": rightly[early[-1]],
        "end": rightly[-1],
        "path": path,
        "path-in-widths": path / width,
    }
    means = {name: _mean(found[name.removeprefix("mean-")]) for name in NUMBERS if "mean-" in name}
    return numbers | means | {"early-rise": _mean([found["rise"][number] for number in early])}


class _Watch:
    """Curves that grow with every look at a network."""

    def __init__(self, images: Float[Tensor, "images pixels"], dataset: Dataset, rate: float):
        self.images, self.rate = images, rate
        self.tests = to_float(dataset.test_images).flatten(1), dataset.test_targets
        self.medians: Tensor | None = None
        self.found: dict[str, list[float]] = {name: [] for name in CURVES}

    def look(self, model: nn.Sequential, step: int, batch: Batch) -> None:
        rightly = accuracy(schemes.predict(model, self.tests[0]), self.tests[1])
        pair = batch.images, batch.targets
        along = along_gradient(model, *pair, rate=self.rate)
        shift = layer_shift(model, *pair, layer=f"linear{len(WIDTHS) - 1}", rate=self.rate)
        values = (step, rightly, *self._handed(model), *along, *shift)
        for curve, value in zip(self.found.values(), values, strict=True):
            curve.append(value if value == round(value) else float(f"{value:.4g}"))

    def _handed(self, model: nn.Sequential) -> tuple[float, ...]:
        """Return percentiles, drift and width."""
        rows = percentiles(model, self.images)
        earlier = rows[1] if self.medians is None else self.medians
        self.medians = rows[1]
        drift, width = (rows[1] - earlier).abs().mean(), (rows[2] - rows[0]).mean()
        return *rows[:, 0].tolist(), drift.item(), width.item()


@torch.no_grad()
def percentiles(
    model: nn.Sequential, images: Float[Tensor, "images pixels"]
) -> Float[Tensor, "3 units"]:
    """Return the 15th, 50th and 85th percentile of what the last sigmoid of each unit is handed.

    The images are normalized by their own statistics, as in training; the model stays as it is.
    """
    handed = copy.deepcopy(model[:-2]).train()(images)
    return handed.quantile(handed.new_tensor([0.15, 0.5, 0.85]), dim=0)


def _descent(
    model: nn.Module, batches: Batches, rate: float, steps: int
) -> Iterator[tuple[int, Batch]]:
    """Train; yield where it is measured, with the batch that comes next."""
    optimizer = torch.optim.SGD(model.parameters(), lr=rate, fused=True)
    looks, endless = set(measured(steps)), (batch for _ in iter(int, 1) for batch in batches)
    for step, batch in enumerate(endless):
        if step in looks:
            yield step, batch
        if step == steps:
            return
        optimizer.zero_grad()
        F.cross_entropy(model(batch.images), batch.targets).backward()
        optimizer.step()


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)


def _trials() -> tuple[list[Trial], list[Row]]:
    setups = [(f"{rate:g}", f"rate {rate:g}", {"rate": rate}) for rate in RATES]
    small = {"rate": RATES[1], "std": SMALL}
    setups.append(("small", f"rate {RATES[1]:g}, start of {SMALL:g}", small))
    trials, rows = [], []
    for name, text, given in setups:
        for who, normalized in (("plain", False), ("normalized", True)):
            task = Sigmoids(normalized=normalized, **given)
            trials.append(Trial(f"{who}-{name}", task, "mnist", seconds=25.0))
            rows += [
                Row(f"{who}-{name}-{number}", f"{who}-{name}", f"{text}, {who}: {what}", number)
                for number, what in NUMBERS.items()
            ]
    return trials, rows


_TRIALS, _ROWS = _trials()

EXPERIMENT = Experiment(
    name="batchnorm-mnist",
    measures="What does batch normalization change while a network of sigmoid units learns?",
    paper=PAPER,
    dataset=None,
    units=tuple(_TRIALS),
    rows=tuple(_ROWS),
    counted="accuracies as shares of 10,000 test images, losses in nats, means over measured steps",
    digits=3,
)
