"""Images being condensed: rounds of distribution matching, and what the images are worth by now.

Pure computing, with no thread and no widget: `_live` runs it, `watch_condensation` shows it.
"""

import base64
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor, nn

from kdlab._checks import check_choice, check_positive
from kdlab.condense import Augmentation, Synthetic, draw_noise, evaluate_set, pick_random, take_real
from kdlab.condense.matching import draw_distance
from kdlab.condense.real import RealImages
from kdlab.condense.running import round_generator
from kdlab.data import Dataset
from kdlab.models import FeatureNet
from kdlab.schemes import predict
from kdlab.widgets._trainee import Trainee, check_module, descend

STARTS = ("noise", "real")
#: Sets of random real images that are evaluated beside, as the control.
CONTROLS = 3
#: Of the images' gradient descent, as in the paper.
MOMENTUM = 0.5
#: Step size of the networks that are trained on ten images.
NETWORK_RATE = 0.03


class CondensationSettings(NamedTuple):
    """What can be moved while images are condensed.

    Attributes:
        learning_rate: Step size of the images, > 0.
    """

    learning_rate: float

    def checked(self) -> "CondensationSettings":
        """Return itself, or raise ValueError for a value that is out of range."""
        check_positive(learning_rate=self.learning_rate)
        return self


class Condensation(Trainee):
    """One learned image a class; a step is a round of `match_distributions`.

    Attributes:
        synthetic: The images by now.
        controls: Test accuracies of random real images, one for each set, in [0, 1].
    """

    names = ("learned",)
    every_step = True

    def __init__(
        self,
        dataset: Dataset,
        *,
        build: Callable[[int], FeatureNet],
        start: str = "noise",
        real_per_class: int = 32,
        augmentation: Augmentation | None = None,
        network_steps: int = 100,
        seed: int = 0,
    ) -> None:
        """Draw the first images.

        Args:
            dataset: Real images.
            build: From a seed to a fresh network: to match by, and to evaluate with.
            start: "noise", or "real" for random real images.
            real_per_class: Real images of each class in a round.
            augmentation: One change a class and round; evaluated networks see them too.
            network_steps: How long a fresh network learns from the images.
            seed: Fixes everything.

        Raises:
            ValueError: An argument is out of range, a class has no training image, or what
                `build` makes has no two maps or other than one score a class.
        """
        check_choice(STARTS, start=start)
        if not isinstance(augmentation, Augmentation | None):
            came = type(augmentation).__name__
            raise ValueError(f"augmentation must be an Augmentation or None, got {came}")
        super().__init__(dataset, None, batch_size=1, seed=seed)
        self.build, self.start, self.augmentation = build, start, augmentation
        self.network_steps, self.controls = network_steps, []
        given = {"classes": self.classes, "per_class": real_per_class}
        self.real = RealImages(dataset.train_images, dataset.train_targets, **given)
        self._ask(build)
        self.reset()

    @property
    def classes(self) -> int:
        """How many classes, and so images, there are."""
        return len(self.dataset.class_names)

    def reset(self) -> None:
        """Go back to the first images."""
        super().reset()
        self.synthetic = self._noise() if self.start == "noise" else self.random_real(0)
        images = self.synthetic.images.requires_grad_()
        self.optimizer = torch.optim.SGD([images], lr=1.0, momentum=MOMENTUM)
        self._shares: list[float | None] = []
        self._show()

    def random_real(self, number: int) -> Synthetic:
        """Draw one of the controls: a random real image of each class."""
        targets = self.dataset.train_targets
        drawn = pick_random(targets, per_class=1, seed=self.seed + number)
        return take_real(self.dataset.train_images, targets, drawn, classes=self.classes)

    def known(self) -> dict:
        """Return what the curve is seen beside: the controls' accuracies, how many images."""
        return super().known() | {"random": [*self.controls]}

    def step(self, settings: CondensationSettings) -> None:
        """Make one round: one step of all images."""
        generator = round_generator(self.seed, self.steps)
        given = (self.synthetic, self.real, generator, self.build, self.augmentation)
        descend(self.optimizer, draw_distance(*given), settings.learning_rate)
        self.steps += 1
        self._show()

    def measure(self) -> tuple[float]:
        """Return the test accuracy of a fresh network that learns from the images alone.

        The first times a control is evaluated, too: all at once nothing would move for long.
        """
        if len(self.controls) < CONTROLS:
            accuracy, _ = self.worth(self.random_real(len(self.controls)))
            self.controls.append(accuracy)
        accuracy, self._shares = self.worth(self.synthetic)
        self._show()
        return (accuracy,)

    def worth(self, synthetic: Synthetic) -> tuple[float, list[float | None]]:
        """Return a fresh network's test accuracy, and the share of each class it gets right.

        It is `evaluate_set` with one network, the same for every set. The share of a class
        without a test image is None.
        """
        made = []

        def build(seed: int) -> FeatureNet:
            made.append(self.build(seed))
            return made[-1]

        settings = {"networks": 1, "steps": self.network_steps, "rate": NETWORK_RATE}
        changes = {"augmentation": self.augmentation, "seed": self.seed}
        images, targets = self.test_set
        found = evaluate_set(synthetic, images, targets, build=build, **settings, **changes)
        right = predict(made[0], images).argmax(dim=1) == targets
        shares = [right[targets == label].float().mean() for label in range(self.classes)]
        # A class may have no test image; JSON knows no NaN.
        told = [None if share.isnan() else round(share.item(), 4) for share in shares]
        return round(found.mean, 4), told

    def _ask(self, build: Callable[[int], FeatureNet]) -> None:
        # A module is callable, too, but makes none.
        usable = callable(build) and not isinstance(build, nn.Module)
        if not usable:
            raise ValueError(f"network must make a module from a seed, got {type(build).__name__}")
        made = build(self.seed)
        check_module(network=made)
        if not isinstance(made, FeatureNet) or len(made.blocks) < 2:
            came = type(made).__name__
            raise ValueError(f"network must make a FeatureNet of at least two blocks, got {came}")
        self.ask_once(network=made.to(self.dataset.device))

    def _noise(self) -> Synthetic:
        shape = tuple(self.dataset.train_images.shape[1:])
        drawn = draw_noise(1, shape, classes=self.classes, seed=self.seed)
        return drawn.to(self.dataset.device)

    def _show(self) -> None:
        pixels = as_bytes(self.synthetic.images)
        text = base64.b64encode(pixels.numpy().tobytes()).decode()
        self.frame = {"images": text, "shape": [*pixels.shape], "shares": self._shares}


def as_bytes(images: Tensor) -> Tensor:
    """Return images as uint8 on the CPU; what left [0, 1] is black or white."""
    return images.detach().clamp(0, 1).mul(255).round().to("cpu", torch.uint8)
