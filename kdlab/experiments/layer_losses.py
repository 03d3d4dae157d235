"""Losses between layers of a student and of a teacher by name, with regressors where needed."""

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor, nn

from kdlab import losses

#: A network's maps of one batch, one a layer.
Maps = Sequence[Tensor]


def _each(loss: Callable[[Tensor, Tensor], Tensor]) -> Callable[[Maps, Maps], Tensor]:
    def mean(mine: Maps, wanted: Maps) -> Tensor:
        return torch.stack([loss(*pair) for pair in zip(mine, wanted, strict=True)]).mean()

    return mean


def _distance_angle(mine: Tensor, wanted: Tensor) -> Tensor:
    # As published: an angle weighs twice as much as a distance.
    return losses.rkd_distance_loss(mine, wanted) + 2 * losses.rkd_angle_loss(mine, wanted)


def _flow(mine: Maps, wanted: Maps) -> Tensor:
    """Return the mean over neighbouring layers, as common code has it: of squares per number."""
    terms = []
    for n in range(len(mine) - 1):
        size = wanted[n].shape[1] * wanted[n + 1].shape[1]
        terms.append(losses.flow_loss(tuple(mine[n : n + 2]), tuple(wanted[n : n + 2])) / size)
    return torch.stack(terms).mean()


#: From the student's and the teacher's maps, layer by layer, to one number: a mean over layers.
LOSSES = {
    "attention": _each(losses.attention_transfer_loss),
    "similarity": _each(losses.similarity_preserving_loss),
    "distance": _each(losses.rkd_distance_loss),
    "distance-angle": _each(_distance_angle),
    "flow": _flow,
}


class LayerLoss(nn.Module):
    """A loss of `LOSSES` on maps by layer, as `distill_features` calls it.

    A module, so that its regressors are found by whoever keeps or changes their weights.

    Args:
        loss: Its name.
        student_layers, teacher_layers: Which maps it gets, each beside its like.
        regressors: One a layer, for the student's maps; none leaves them as they are.
    """

    def __init__(
        self,
        loss: str,
        student_layers: Sequence[str],
        teacher_layers: Sequence[str],
        regressors: Sequence[nn.Module] = (),
    ) -> None:
        super().__init__()
        self.loss, self.student_layers, self.teacher_layers = loss, student_layers, teacher_layers
        self.regressors = nn.ModuleList(regressors)

    def forward(self, student: Mapping[str, Tensor], teacher: Mapping[str, Tensor]) -> Tensor:
        """Return the loss of a batch."""
        mine = [student[name] for name in self.student_layers]
        if self.regressors:
            mine = [bring(maps) for bring, maps in zip(self.regressors, mine, strict=True)]
        return LOSSES[self.loss](mine, [teacher[name] for name in self.teacher_layers])
