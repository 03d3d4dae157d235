"""Losses on what a network knows in the middle: one example at a time, layer against layer.

Student first. Gradients flow to the student only. Every loss is the batch mean of a squared
distance per example (`block_loss` divides by values and blocks, too); half precision is computed
and returned in float32.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from kdlab._checks import (
    check_features,
    check_positive,
    check_same_length,
    check_same_shape,
)
from kdlab.losses._common import rows, same_size, unit_rows, widened


def hint_loss(
    student_features: Float[Tensor, "batch *shape"],
    teacher_features: Float[Tensor, "batch *shape"],
) -> Float[Tensor, ""]:
    r"""Imitate the teacher's hidden layer, value by value: FitNets' hint.

    $\frac1B\sum_b \frac12 \lVert s_b - t_b \rVert^2$, summed over all values of a layer. Where
    the layers differ in width, `models.regressor` brings the student's to the teacher's.

    Args:
        student_features: Of the guided layer, behind the regressor; gradients flow here.
        teacher_features: Of the hint layer, of the same shape; treated as constants.

    Returns:
        Batch mean, a scalar.

    Raises:
        ValueError: Shapes differ, or a batch is empty.

    References:
        Romero et al. 2015, arXiv:1412.6550, equation 3. Common code takes the mean over values
        and no half: it is 2 / values times this.
    """
    check_features(student_features=student_features, teacher_features=teacher_features)
    check_same_shape(student_features=student_features, teacher_features=teacher_features)
    gap = rows(student_features) - rows(teacher_features.detach())
    return gap.square().sum(dim=1).mean() / 2


def attention_map(
    features: Float[Tensor, "batch channels height width"],
    *,
    power: float = 2.0,
) -> Float[Tensor, "batch height width"]:
    r"""Where a layer looks: its activations, summed over channels, as a map of length 1.

    $Q = \operatorname{vec}\bigl(\sum_c |A_c|^p\bigr)$, divided by its own Euclidean norm.

    Args:
        features: Activations of one layer, not its weights.
        power: $p > 0$; larger puts the weight on the strongest places.

    Returns:
        One map an example, its values >= 0 and of Euclidean norm 1; all 0 for an example for
        which the layer is silent.

    Raises:
        ValueError: features are no maps, or power is not positive and finite.

    References:
        Zagoruyko and Komodakis 2017, arXiv:1612.03928, section 3.1.
    """
    check_features(4, features=features)
    check_positive(power=power)
    return unit_rows(_energies(features, power).flatten(1)).unflatten(1, features.shape[2:])


def attention_transfer_loss(
    student_features: Float[Tensor, "batch student_channels student_height student_width"],
    teacher_features: Float[Tensor, "batch teacher_channels teacher_height teacher_width"],
    *,
    power: float = 2.0,
) -> Float[Tensor, ""]:
    r"""Look where the teacher looks.

    $\frac1B\sum_b \lVert Q_b^S - Q_b^T \rVert^2$ over `attention_map`s, each map by its own
    norm; between 0 and 2. Channels may differ in number. Where the maps differ in size, the
    larger one's activations are averaged down to the smaller one's size.

    Args:
        student_features: Activations of one layer; gradients flow here.
        teacher_features: Those of the teacher's layer; treated as constants.
        power: $p > 0$ of the maps.

    Returns:
        Batch mean, a scalar.

    Raises:
        ValueError: Batches differ, features are no maps, or power is not positive and finite.

    References:
        Zagoruyko and Komodakis 2017, arXiv:1612.03928, equation 2, which has the distance and
        not its square. The authors' code, and all that followed, takes the mean of squares
        over batch and places: places x that value = this one. Their beta of 1,000 belongs to
        the mean; with maps of 8 x 8 it is a weight of 1,000 / 64 here.
    """
    check_features(4, student_features=student_features, teacher_features=teacher_features)
    check_same_length(student_features=student_features, teacher_features=teacher_features)
    student, teacher = same_size(widened(student_features), widened(teacher_features.detach()))
    student_map = attention_map(student, power=power).flatten(1)
    teacher_map = attention_map(teacher, power=power).flatten(1)
    return (student_map - teacher_map).square().sum(dim=1).mean()


def block_loss(
    student_outputs: Sequence[Float[Tensor, "batch ..."]],
    teacher_outputs: Sequence[Float[Tensor, "batch ..."]],
) -> Float[Tensor, ""]:
    r"""Imitate the teacher block by block: the intermediate term of LIT.

    $\frac1K\sum_k \frac1B\sum_b \frac1{n_k}\lVert s_{kb} - t_{kb} \rVert^2$ over $K$ blocks of
    $n_k$ values each. In LIT each student block is fed the *teacher's* output of the block
    before, so that no block pays for an earlier one's error; `schemes.distill_blocks` does that.

    Args:
        student_outputs: What each of the student's blocks makes; gradients flow here.
        teacher_outputs: What the teacher's blocks make, each of the same shape; constants.

    Returns:
        Mean over blocks, batch and values.

    Raises:
        ValueError: There is no block, their numbers or shapes differ, or one is empty.

    References:
        Koratana et al. 2018, arXiv:1810.01937, section 3: equal widths, fewer layers, and no
        regressor.
    """
    if not student_outputs or len(student_outputs) != len(teacher_outputs):
        came = f"{len(student_outputs)} and {len(teacher_outputs)}"
        raise ValueError(f"student_outputs and teacher_outputs must be equally many, got {came}")
    terms = []
    for number, (mine, wanted) in enumerate(zip(student_outputs, teacher_outputs, strict=True)):
        named = {f"student_outputs[{number}]": mine, f"teacher_outputs[{number}]": wanted}
        check_features(**named)
        check_same_shape(**named)
        terms.append((widened(mine) - widened(wanted.detach())).square().mean())
    return torch.stack(terms).mean()


def _energies(features: Tensor, power: float) -> Tensor:
    return widened(features).abs().pow(power).sum(dim=1)
