"""A condensed set and coresets as large: what fresh networks learn from each."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import ClassVar, TypeVar

import torch

from kdlab import condense, models
from kdlab.condense import Augmentation, Synthetic, take_real
from kdlab.condense.evaluate import accuracy_on
from kdlab.data import Batches, Dataset, to_float
from kdlab.experiments.spec import Row
from kdlab.experiments.trials import Trial, finished
from kdlab.experiments.units import CLASSES, SIDE
from kdlab.schemes import train
from kdlab.schemes.history import Progress

#: What every condensed set stands beside.
CORESETS = {"random": "random real images", "herding": "herding", "k-center": "k-center"}

#: Sets with soft labels; see `Taught`.
SOFT = {
    "matched-smoothed": "condensed by DM, smoothed labels",
    "matched-taught": "condensed by DM, a teacher's labels",
    "random-taught": "random real images, a teacher's labels",
}

_Any = TypeVar("_Any")
#: What makes each set, by its name.
_Sets = dict[str, Callable[[], Synthetic]]
_Extend = Callable[[_Sets], _Sets]

#: A network's training takes about as long as so many rounds.
_AS_LONG = 100


@dataclass(frozen=True)
class Condense:
    """Distribution matching from random real images, by a recipe counted in rounds.

    A seed's random coreset is where its condensed set started. Herding and k-center go by pixels:
    with every seed they take the same images, and their networks alone differ.

    Attributes:
        per_class: Images of each class in every set.
        rounds: Of `condense.match_distributions`, as all up to `condensed_by`.
        rate: The images' learning rate at first, an image a class; it grows with `per_class`, as
            an image's share of the mean falls. It falls to 0 along a half cosine.
        momentum: Of the images' SGD.
        real: Real images of each class in a round.
        condensed_by: What may be changed while condensing.
        judged_by: What may be changed while a network learns from a set.
        width: Channels of all networks.
        networks: How many learn from each set.
        steps: Of each of them.
        network_rate: Their learning rate at first.
    """

    per_class: int
    rounds: int
    rate: float = 0.2
    momentum: float = 0.5
    real: int = 64
    condensed_by: Augmentation = Augmentation()
    judged_by: Augmentation = Augmentation()
    width: int = 32
    networks: int = 5
    steps: int = 1000
    network_rate: float = 0.01

    numbers: ClassVar[tuple[str, ...]] = ("matched", *CORESETS, "core-minutes")
    curves: ClassVar[tuple[str, ...]] = tuple(f"each-{name}" for name in ("matched", *CORESETS))

    def __call__(self, seed: int, dataset: Dataset, progress: Progress) -> dict:
        """Return mean test accuracies, those of each network, and what condensing took."""
        return self._found(seed, dataset, progress, dict)

    def _found(self, seed: int, dataset: Dataset, progress: Progress, extend: _Extend) -> dict:
        """Return the numbers of all sets; `extend` adds to those that are there by themselves."""
        whole = self.rounds + _AS_LONG * self.networks * len(self.curves)
        told = partial(_later, progress, 0, whole, 1)
        matched, minutes = _timed(lambda: self._condensed(seed, dataset, told))
        sets = {"matched": lambda: matched} | _coresets(dataset, self.per_class, seed)
        found = {}
        for number, (name, take) in enumerate(extend(sets).items()):
            before = self.rounds + _AS_LONG * self.networks * number
            tell = partial(_later, progress, before, whole, _AS_LONG)
            found[name] = self._judged(take(), seed, dataset, tell)
        each = {f"each-{name}": list(one.accuracies) for name, one in found.items()}
        return {name: one.mean for name, one in found.items()} | each | {"core-minutes": minutes}

    def small(self) -> "Condense":
        """Return one of three rounds, with two small networks of two steps."""
        few = {"real": 4, "width": 4, "networks": 2, "steps": 2}
        return replace(self, rounds=3, per_class=min(self.per_class, 2), **few)

    def _condensed(self, seed: int, dataset: Dataset, progress: Progress) -> Synthetic:
        real = dataset.train_images, dataset.train_targets
        synthetic = _coresets(dataset, self.per_class, seed)["random"]()
        given = {"lr": self.rate * self.per_class, "momentum": self.momentum}
        optimizer = torch.optim.SGD([synthetic.images], **given)
        falling = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, self.rounds)
        rest = {"rounds": self.rounds, "per_class": self.real, "augmentation": self.condensed_by}
        rest |= {"build": self._build, "seed": seed, "progress": progress, "scheduler": falling}
        finished(condense.match_distributions(synthetic, *real, optimizer, **rest))
        return synthetic

    def _judged(
        self, synthetic: Synthetic, seed: int, dataset: Dataset, progress: Progress
    ) -> condense.Evaluation:
        return condense.evaluate_set(
            synthetic,
            dataset.test_images,
            dataset.test_targets,
            build=self._build,
            networks=self.networks,
            steps=self.steps,
            rate=self.network_rate,
            augmentation=self.judged_by,
            seed=seed,
            progress=progress,
        )

    def _build(self, seed: int) -> models.FeatureNet:
        return models.embedding_net((self.width,) * 3, side=SIDE, classes=CLASSES, seed=seed)


@dataclass(frozen=True)
class Taught(Condense):
    """As `Condense`, and some sets once more with soft labels.

    A teacher of the same architecture passes once over the real images and labels the condensed
    and the random set. Smoothed labels, which know nothing of the images, are the control.

    Attributes:
        temperature: Of the teacher's predictions.
        smoothing: Share of a smoothed label that goes to all classes alike.
        teacher_rate: Of Adam at first, in batches of 64; it falls to 0 along a half cosine.
    """

    temperature: float = 4.0
    smoothing: float = 0.1
    teacher_rate: float = 0.002

    numbers: ClassVar[tuple[str, ...]] = (*Condense.numbers, *SOFT, "teacher", "teacher-minutes")
    curves: ClassVar[tuple[str, ...]] = (*Condense.curves, *(f"each-{name}" for name in SOFT))

    def __call__(self, seed: int, dataset: Dataset, progress: Progress) -> dict:
        """Return what `Condense` does, and the teacher's accuracy and core minutes."""
        teacher, minutes = _timed(lambda: self._teacher(seed, dataset))
        right = accuracy_on(teacher, dataset.test_images, dataset.test_targets)
        found = self._found(seed, dataset, progress, partial(self._softened, teacher))
        return found | {"teacher": right, "teacher-minutes": minutes}

    def _teacher(self, seed: int, dataset: Dataset) -> models.FeatureNet:
        teacher = self._build(seed)
        images, targets = dataset.train_images, dataset.train_targets
        batches = Batches(images, targets, batch_size=64, seed=seed)
        optimizer = torch.optim.Adam(teacher.parameters(), lr=self.teacher_rate)
        falling = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, len(batches))
        finished(train(teacher, batches, optimizer, epochs=1, seed=seed, scheduler=falling))
        return teacher

    def _softened(self, teacher: models.FeatureNet, sets: _Sets) -> _Sets:
        softly = partial(condense.label_softly, teacher=teacher, temperature=self.temperature)
        more = {
            "matched-smoothed": lambda: _smoothed(sets["matched"](), self.smoothing),
            "matched-taught": lambda: softly(sets["matched"]()),
            "random-taught": lambda: softly(sets["random"]()),
        }
        return sets | more


def _smoothed(synthetic: Synthetic, smoothing: float) -> Synthetic:
    labels = (1 - smoothing) * synthetic.labels + smoothing / synthetic.classes
    return replace(synthetic.copy(), labels=labels)


def _coresets(dataset: Dataset, per_class: int, seed: int) -> _Sets:
    """Return what makes each coreset, by its name."""
    images, targets = dataset.train_images, dataset.train_targets

    def taken(pick: Callable, *given: object, **rest: int) -> Synthetic:
        return take_real(images, targets, pick(*given, targets, per_class=per_class, **rest))

    def by_pixels(pick: Callable) -> Synthetic:
        return taken(pick, to_float(images).flatten(1))

    return {
        "random": lambda: taken(condense.pick_random, seed=seed),
        "herding": lambda: by_pixels(condense.pick_herding),
        "k-center": lambda: by_pixels(condense.pick_k_center),
    }


def _later(progress: Progress, before: int, whole: int, times: int, done: int, *_: object) -> None:
    progress(before + times * done, whole, "")


def _timed(task: Callable[[], _Any]) -> tuple[_Any, float]:
    """Return what a task gives, and its core minutes."""
    began = time.process_time()
    return task(), (time.process_time() - began) / 60


def rows(trial: Trial, title: str, published: dict[str, tuple[float, str]]) -> list[Row]:
    """Return a trial's rows.

    Args:
        trial: Of a `Condense`.
        title: What it is about.
        published: By method a published accuracy and its source. Our own distribution matching,
            "DM", stands beside each of them, in a row each.
    """
    every = []
    for method, (value, source) in published.items():
        name, text = f"{trial.name}-matched", f"{title}: condensed by DM"
        if method != "DM":
            name, text = f"{name}-beside-{method}", f"{text}, beside {method}"
        said = {"published": value, "source": source}
        every.append(Row(name, trial.name, text, "matched", **said))
    texts = CORESETS | {"core-minutes": "core minutes of condensing"} | SOFT
    texts |= {"teacher": "the teacher", "teacher-minutes": "core minutes of the teacher"}
    for number in trial.numbers[1:]:
        text = texts[number]
        every.append(Row(f"{trial.name}-{number}", trial.name, f"{title}: {text}", number))
    return every
