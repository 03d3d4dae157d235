"""An experiment of trials that takes no time: draws with a mean, and digits that are counted."""

from dataclasses import dataclass, replace
from typing import ClassVar

import torch

from kdlab.experiments.spec import Experiment, Row
from kdlab.experiments.trials import Trial


@dataclass(frozen=True)
class Draws:
    """Some numbers by the seed; with a data set, of its training images."""

    count: int = 4

    numbers: ClassVar[tuple[str, ...]] = ("mean", "images")
    curves: ClassVar[tuple[str, ...]] = ("each",)

    def __call__(self, seed, dataset, progress):
        drawn = torch.rand(self.count, generator=torch.Generator().manual_seed(seed)).tolist()
        for done in range(1, self.count + 1):
            progress(done, self.count, "")
        images = 0 if dataset is None else len(dataset.train_targets)
        return {"mean": sum(drawn) / self.count, "images": images, "each": drawn}

    def small(self):
        return replace(self, count=1)


EXPERIMENT = Experiment(
    name="small-trials",
    measures="Nothing.",
    paper="None.",
    dataset=None,
    units=(Trial("plain", Draws()), Trial("seen", Draws(3), "digits", seconds=2.0)),
    rows=(
        Row("mean", "plain", "mean", "mean", published=0.52, source="a paper"),
        Row("images", "seen", "images", "images"),
        Row("gap", "plain", "gap", "mean", minus="seen"),
    ),
    seeds=2,
    counted="nothing",
    digits=3,
)
