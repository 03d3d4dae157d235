"""What networks are made of besides torch's layers, and what is done to their weights."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from jaxtyping import Float
from torch import Tensor, nn

from kdlab._checks import check_count, check_features, check_positive

# Live widgets build networks in a thread of their own, while a cell may build others.
_ONE_AT_A_TIME = threading.RLock()


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Draw from a seed inside, and leave torch's global generator as it was.

    Threads wait for each other here.
    """
    # The CPU's generator alone: torch.manual_seed would also reset every accelerator's.
    with _ONE_AT_A_TIME, torch.random.fork_rng(devices=()):
        torch.default_generator.manual_seed(seed)
        yield


class Dropout(nn.Dropout):
    """Dropout as in `nn.Dropout`, several times as fast on a CPU.

    There torch draws one number for each value, one after the other: a quarter of a large
    network's training time. Each 64 random bits decide on four values here. A value is dropped
    with the probability `p`, rounded to a multiple of 1/65,536.
    """

    def forward(self, inputs: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
        if not self.training or not self.p or inputs.device.type != "cpu":
            return super().forward(inputs)
        dropped = min(round(self.p * 2**16), 2**16 - 1)
        words = torch.empty(-(-inputs.numel() // 4), dtype=torch.int64).random_(-(2**63), None)
        draws = words.view(torch.int16)[: inputs.numel()].view(inputs.shape)
        kept = (draws >= dropped - 2**15).to(inputs.dtype)
        # Scaled here, so that nothing changes in evaluation.
        return inputs * kept.mul_(2**16 / (2**16 - dropped))


class AveragePool(nn.AvgPool2d):
    """The mean of each 2 x 2 places, as `nn.AvgPool2d(2)`, several times as fast on a CPU.

    There torch's takes longer than the convolution before it. An odd last row or column is left
    out, as torch does it.
    """

    def __init__(self) -> None:
        super().__init__(2)

    def forward(
        self, maps: Float[Tensor, "batch channels height width"]
    ) -> Float[Tensor, "batch channels lower narrower"]:
        height, width = maps.shape[2:]
        if maps.device.type != "cpu" or height % 2 or width % 2:
            return super().forward(maps)
        pairs = maps.unflatten(2, (height // 2, 2))
        rows = pairs[:, :, :, 0] + pairs[:, :, :, 1]
        return (rows[..., ::2] + rows[..., 1::2]) * 0.25


def regressor(
    student_map: Float[Tensor, "batch *student"],
    teacher_map: Float[Tensor, "batch *teacher"],
    *,
    seed: int = 0,
) -> nn.Module:
    """Build what brings a student's map to the shape of a teacher's, for `hint_loss`.

    One linear layer where maps are flat; a convolution of 1 x 1 where they have places.

    Args:
        student_map: The guided layer's map of any batch; only its shape counts.
        teacher_map: The hint layer's.
        seed: Fixes the initial weights, and leaves torch's global generator as it was.

    Raises:
        ValueError: The maps are not both [batch, values] or both
            [batch, channels, height, width] with the same places.

    References:
        Romero et al. 2015, arXiv:1412.6550, section 2.2.
    """
    check_features(student_map=student_map, teacher_map=teacher_map)
    check_count(0, seed=seed)
    mine, wanted = student_map.shape[1:], teacher_map.shape[1:]
    if len(mine) not in (1, 3) or mine[1:] != wanted[1:] or len(mine) != len(wanted):
        came = f"{list(student_map.shape)} and {list(teacher_map.shape)}"
        raise ValueError(f"student_map and teacher_map must have the same places, got {came}")
    with seeded(seed):
        if len(mine) == 1:
            return nn.Linear(mine[0], wanted[0]).to(student_map.device)
        return nn.Conv2d(mine[0], wanted[0], 1).to(student_map.device)


def count_parameters(model: nn.Module) -> int:
    """Count the trainable numbers of a model."""
    return sum(p.numel() for p in model.parameters() if p.requires_grad)


@torch.no_grad()
def constrain_max_norm(model: nn.Module, *, limit: float) -> None:
    """Scale down, in place, the incoming weights of every linear unit longer than limit.

    Call it after each optimizer step. Units within the limit are left as they are; biases
    and convolutions are not touched.

    Args:
        model: Any module.
        limit: Largest Euclidean norm of a unit's incoming weights.

    Raises:
        ValueError: limit is not positive and finite.

    References:
        Srivastava et al. 2014, JMLR 15, section 5.1; "weight-constraints" in Hinton et al.
        2014, arXiv:1503.02531, section 3.
    """
    check_positive(limit=limit)
    for layer in model.modules():
        if isinstance(layer, nn.Linear):
            norms = torch.linalg.vector_norm(layer.weight, dim=1, keepdim=True)
            # A norm of 0 gives infinity, which is no limit.
            layer.weight.mul_((limit / norms).clamp_(max=1))
