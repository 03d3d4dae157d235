"""FashionMNIST by a linear student of 7,850 numbers: what a teacher gives it in 100 passes.

Teacher, student, Adam, batches of 64 and 100 passes are those of the authors' released code; only
the teacher learns for 5 passes and not 20. Their loss isn't distillation's: the teacher's term is
averaged over the ten classes, so it weighs a fortieth and not a quarter, and beside it stands the
term of the theorem's constant, log g + log log 1/g, which needs no teacher. Hence four students,
trained side by side on the same batches:

alone     labels
taught    (1 - lambda) CE + lambda T^2 KL, lambda = 1/4 and T = 2
released  the authors' loss
constant  the authors' loss without its teacher
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import ClassVar

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int64
from torch import Tensor, nn

from kdlab import schemes
from kdlab.data import Batches, Dataset, to_float
from kdlab.experiments.spec import Experiment, Row
from kdlab.experiments.trials import Trial, finished
from kdlab.experiments.units import CLASSES, SIDE
from kdlab.losses import soften
from kdlab.metrics import accuracy
from kdlab.models.parts import seeded
from kdlab.schemes.history import Progress

PAPER = "Grabovoy and Strijov 2022, doi:10.1134/S000511792201009X"
T, LAMBDA = 2.0, 0.25

#: Weights of the label's term, the teacher's and the constant's.
STUDENTS = {
    "alone": (1.0, 0.0, 0.0),
    "taught": (1 - LAMBDA, LAMBDA * T**2, 0.0),
    "released": (1 - LAMBDA, LAMBDA / CLASSES, LAMBDA / CLASSES),
    "constant": (1 - LAMBDA, 0.0, LAMBDA / CLASSES),
}
TEXTS = {
    "teacher": "the teacher",
    "alone": "without teacher",
    "taught": "with teacher",
    "released": "with teacher, the released loss",
    "constant": "the released loss without its teacher",
}
MEASURES = ("cross-entropy", "accuracy")
PUBLISHED = {"alone": (0.461, 0.841), "taught": (0.453, 0.842)}


@dataclass(frozen=True)
class SideBySide:
    """Linear students of one convolutional teacher, and their cross-entropies after each pass.

    Attributes:
        passes: Over the training images.
        teacher_passes: Of the teacher.
        examples: Training images, drawn by the seed; None is all.
    """

    passes: int = 100
    teacher_passes: int = 5
    examples: int | None = None

    numbers: ClassVar[tuple[str, ...]] = tuple(
        f"{who}-{what}" for who in TEXTS for what in MEASURES
    )
    curves: ClassVar[tuple[str, ...]] = tuple(
        f"{who}-{part}" for who in STUDENTS for part in ("train", "test")
    )

    def __call__(self, seed: int, dataset: Dataset, progress: Progress) -> dict:
        """Return test cross-entropies and accuracies, and the cross-entropies by pass."""
        dataset = dataset.take(train=self.examples, seed=seed)
        teacher = _teach(dataset, self.teacher_passes, seed)
        answers = schemes.predict(teacher, dataset.test_images)
        students, passed = _together(seed).to(dataset.device), []
        heard = soften(schemes.predict(teacher, dataset.train_images), temperature=T)
        for measured in _learn(students, dataset, heard, self.passes, seed):
            passed.append(measured)
            progress(len(passed), self.passes, "")
        judged = [answers, *_each(schemes.predict(students, dataset.test_images)).unbind(dim=1)]
        found = [_judge(logits, dataset.test_targets) for logits in judged]
        numbers = dict(zip(self.numbers, sum(found, ()), strict=True))
        return numbers | dict(zip(self.curves, zip(*passed, strict=True), strict=True))

    def small(self) -> "SideBySide":
        """Return one of a pass."""
        return replace(self, passes=1, teacher_passes=1)


def _teach(dataset: Dataset, passes: int, seed: int) -> nn.Module:
    teacher = teacher_net(seed).to(dataset.device)
    batches = Batches(dataset.train_images, dataset.train_targets, batch_size=64, seed=seed)
    optimizer = torch.optim.Adam(teacher.parameters(), fused=True)
    finished(schemes.train(teacher, batches, optimizer, epochs=passes, seed=seed))
    return teacher


def teacher_net(seed: int) -> nn.Module:
    """Build the authors' convolutional network of 29,176 numbers."""
    with seeded(seed):
        maps = [nn.Conv2d(1, 3, 5), nn.ReLU(), nn.MaxPool2d(2)]
        maps += [nn.Conv2d(3, 9, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()]
        widths = [nn.Linear(144, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU()]
        return nn.Sequential(*maps, *widths, nn.Linear(84, CLASSES))


def _together(seed: int) -> nn.Sequential:
    """Return all students as one network, alike at first, their logits side by side."""
    with seeded(seed):
        first = nn.Linear(SIDE**2, CLASSES)
    count = len(STUDENTS)
    every = nn.Linear(SIDE**2, count * CLASSES)
    every.load_state_dict(
        {"weight": first.weight.repeat(count, 1), "bias": first.bias.repeat(count)}
    )
    return nn.Sequential(nn.Flatten(), every)


def _each(logits: Tensor) -> Tensor:
    """Return what the students say, [examples, students, classes]."""
    return logits.unflatten(1, (len(STUDENTS), CLASSES))


@torch.no_grad()
def _learn(
    students: nn.Sequential, dataset: Dataset, heard: Tensor, passes: int, seed: int
) -> Iterator[list[float]]:
    """Train; after each pass yield the cross-entropies, training and test of each in turn."""
    images, tests = (
        to_float(part).flatten(1) for part in (dataset.train_images, dataset.test_images)
    )
    batches = Batches(images, dataset.train_targets, batch_size=64, seed=seed)
    # What Adam does to a number depends on this number's gradients alone.
    optimizer = torch.optim.Adam(students.parameters(), fused=True)
    for _ in range(passes):
        for batch, targets, indices in batches:
            logits = _each(students(batch))
            _step(students[1], batch, released_gradients(logits, heard[indices], targets))
            optimizer.step()
        parts = ((images, dataset.train_targets), (tests, dataset.test_targets))
        crossed = [_crossed(_each(schemes.predict(students, x)), y) for x, y in parts]
        yield torch.stack(crossed, dim=1).flatten().tolist()


def _step(layer: nn.Linear, images: Tensor, gradients: Tensor) -> None:
    """Set a layer's gradients from those of its outputs; by hand it takes a third of the time."""
    mean = gradients.flatten(1) / len(images)
    layer.weight.grad, layer.bias.grad = mean.T @ images, mean.sum(dim=0)


def released_gradients(
    logits: Float[Tensor, "batch students classes"],
    heard: Float[Tensor, "batch classes"],
    targets: Int64[Tensor, "batch"],
) -> Float[Tensor, "batch students classes"]:
    r"""Return the gradient of each student's loss on each example in its logits.

    The loss is the sum of three terms with the weights of `STUDENTS`; $p$ are the teacher's
    probabilities at T and $q$ the student's: the cross-entropy of the label at T = 1, $-\sum_k
    p_k \log q_k$, and $-\sum_k (\log q_k + \log\log(1/q_k))$.

    Args:
        logits: In the order of `STUDENTS`.
        heard: p.
        targets: Classes.
    """
    log_q = (logits / T).log_softmax(dim=2)
    # Where a student is certain, log q rounds to 0.
    slope = 1 + 1 / log_q.clamp_max(-torch.finfo(log_q.dtype).eps)
    q = log_q.exp()
    label = logits.softmax(dim=2) - F.one_hot(targets, logits.shape[2])[:, None]
    taught = (q - heard[:, None]) / T
    constant = (q * slope.sum(dim=2, keepdim=True) - slope) / T
    weights = logits.new_tensor(list(STUDENTS.values())).T[:, :, None]
    return weights[0] * label + weights[1] * taught + weights[2] * constant


def _crossed(logits: Tensor, targets: Tensor) -> Tensor:
    """Return the cross-entropy of each student."""
    return torch.stack([F.cross_entropy(one, targets) for one in logits.unbind(dim=1)])


def _judge(logits: Tensor, targets: Tensor) -> tuple[float, float]:
    return F.cross_entropy(logits, targets).item(), accuracy(logits, targets)


def _rows() -> tuple[Row, ...]:
    rows = []
    for who, text in TEXTS.items():
        for what, value in zip(MEASURES, PUBLISHED.get(who, (None, None)), strict=True):
            said = {"published": value, "source": f"{PAPER}, the table" if value else ""}
            number = f"{who}-{what}"
            rows.append(Row(number, "students", f"{text}: {what}", number, **said))
    return tuple(rows)


EXPERIMENT = Experiment(
    name="grabovoy-fashion",
    measures="Does a teacher keep a linear student of FashionMNIST from overfitting?",
    paper=PAPER,
    dataset=None,
    units=(Trial("students", SideBySide(), "fashion-mnist", seconds=120.0),),
    rows=_rows(),
    counted="cross-entropies in nats and accuracies as shares, on 10,000 test images",
    digits=3,
)
