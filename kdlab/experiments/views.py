"""What becomes of a teacher's logits before the student hears them: controls of distillation.

Each keeps something of what a teacher says and destroys the rest; what a student still gains
by it, it owes to what was kept.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from kdlab.losses import soften

# exp(-_SURE) is 0 in float32.
_SURE = 1000.0


@dataclass(frozen=True)
class Permuted:
    """In each row the logits of the wrong classes are shuffled; the largest stays where it is.

    Kept: the top class, its probability at every T, the row's numbers. Lost, and replaced by a
    falsehood: which wrong class is likely.
    """

    def __call__(self, logits: Tensor, targets: Tensor, seed: int) -> Tensor:
        examples, classes = logits.shape
        top = logits.argmax(dim=1, keepdim=True)
        columns = torch.arange(classes, device=logits.device).expand(examples, classes)
        others = columns[columns != top].view(examples, classes - 1)
        # Drawn on the CPU: the same shuffle on every device.
        draw = torch.rand(others.shape, generator=torch.Generator().manual_seed(seed))
        order = draw.argsort(dim=1).to(logits.device)
        return logits.scatter(1, others, logits.gather(1, others.gather(1, order)))


@dataclass(frozen=True)
class Flattened:
    """The wrong classes share alike what the top class leaves at a temperature.

    Kept: the top class and its probability at this T. Lost: all that tells the wrong classes
    apart.
    """

    temperature: float

    def __call__(self, logits: Tensor, targets: Tensor, seed: int) -> Tensor:
        shares = soften(logits.double(), temperature=self.temperature)
        top, place = shares.max(dim=1, keepdim=True)
        equal = ((1 - top) / (logits.shape[1] - 1)).expand_as(shares)
        # Where a teacher is certain even in doubles, its logits stay finite.
        log_shares = equal.scatter(1, place, top).clamp_min(1e-300).log()
        return (self.temperature * log_shares).to(logits.dtype)


@dataclass(frozen=True)
class LabelsAlone:
    """The label, and no teacher: the student learns it through its softened predictions.

    The limit of a teacher that is right and sure; the loss becomes T^2 times the cross-entropy
    of the label with the student's prediction at T. Kept: the temperature.
    """

    temperature: float

    def __call__(self, logits: Tensor, targets: Tensor, seed: int) -> Tensor:
        rows = F.one_hot(targets, logits.shape[1]).to(logits.dtype)
        return rows * (_SURE * self.temperature)
