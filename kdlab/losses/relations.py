"""Losses on how the examples of a batch stand to each other.

Student first. Gradients flow to the student only; the two may differ in width, since only
relations are compared. Features of any shape are taken as one row an example. Half precision
is computed and returned in float32.
"""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from kdlab._checks import check_features
from kdlab.losses._common import both, by_mean, distances, rows, unit_rows


def rkd_distance_loss(
    student_features: Float[Tensor, "batch *student"],
    teacher_features: Float[Tensor, "batch *teacher"],
) -> Float[Tensor, ""]:
    r"""Keep the teacher's distances between examples, up to one scale.

    $\frac1{B^2}\sum_{i,j} h\bigl(d^S_{ij}/\mu^S - d^T_{ij}/\mu^T\bigr)$ with Euclidean
    distances $d$, their means $\mu$ over the pairs that are apart, each side by its own, and
    $h(x) = x^2/2$ where $|x| < 1$, else $|x| - 1/2$. Rotation, shift and scale of either side
    change nothing.

    Args:
        student_features: One row an example, of any width; gradients flow here.
        teacher_features: The same examples, of any other width; treated as constants.

    Returns:
        Mean over all pairs, the $B$ zeros of the diagonal among them; 0 for a single example.

    Raises:
        ValueError: Batches differ or are empty.

    References:
        Park et al. 2019, arXiv:1904.05068, equations 3 to 5. Lecture S2 calls $h$ Huber's
        norm; it is no norm. The published weight, 25, belongs to this mean.
    """
    mine, wanted = both(student_features, teacher_features)
    return F.smooth_l1_loss(by_mean(distances(mine)), by_mean(distances(wanted)))


def rkd_angle_loss(
    student_features: Float[Tensor, "batch *student"],
    teacher_features: Float[Tensor, "batch *teacher"],
) -> Float[Tensor, ""]:
    r"""Keep the teacher's angles in every triangle of examples.

    $\frac1{B^3}\sum_{i,j,k} h\bigl(\cos^S_{jik} - \cos^T_{jik}\bigr)$, where $\cos_{jik}$ is the
    cosine of the angle at example $i$ between $j$ and $k$, and $h$ is that of
    `rkd_distance_loss`. Where two of the examples coincide there is no angle, and the cosine
    counts as 0. Rotation, shift and scale of either side change nothing.

    Args:
        student_features: One row an example, of any width; gradients flow here.
        teacher_features: The same examples, of any other width; treated as constants.

    Returns:
        Mean over all triples, those without an angle among them; 0 for a single example.

    Raises:
        ValueError: Batches differ or are empty.

    References:
        Park et al. 2019, arXiv:1904.05068, equations 6 and 7. Common code makes all
        differences of pairs, a (B, B, width) tensor, several times; the law of cosines needs
        distances alone, $2\langle a, b\rangle = |a|^2 + |b|^2 - |a - b|^2$. The published
        weight, 50, belongs to this mean.
    """
    mine, wanted = both(student_features, teacher_features)
    # In place, and then alone: of three (B, B, B) tensors one is kept.
    gaps = _cosines(distances(mine)).sub_(_cosines(distances(wanted)))
    return F.smooth_l1_loss(gaps, gaps.new_zeros(()).expand_as(gaps))


def similarity_preserving_loss(
    student_features: Float[Tensor, "batch *student"],
    teacher_features: Float[Tensor, "batch *teacher"],
) -> Float[Tensor, ""]:
    r"""Let examples that are alike for the teacher be alike for the student.

    $\frac1{B^2}\lVert \hat G^S - \hat G^T \rVert_F^2$, where $G = F F^\top$ for one row of
    features an example, and $\hat G$ has each *row* of $G$ divided by its Euclidean length.
    Rotation and a common scale of either side change nothing; a shift does.

    Args:
        student_features: One row an example, of any width; gradients flow here.
        teacher_features: The same examples, of any other width; treated as constants.

    Returns:
        Mean over all pairs of examples.

    Raises:
        ValueError: Batches differ or are empty.

    References:
        Tung and Mori 2019, arXiv:1907.09682, equations 2 to 4. Dividing by the sum of
        absolute values, as one library did by accident, gives a smaller loss, the more so the
        larger the batch.
    """
    mine, wanted = both(student_features, teacher_features)
    return (_similarities(mine) - _similarities(wanted)).square().mean()


def cosine_table(features: Float[Tensor, "batch *shape"]) -> Float[Tensor, "batch batch"]:
    r"""Cosine of the angle between every two examples, seen from the origin.

    Args:
        features: One row an example.

    Returns:
        A symmetric table with ones on its diagonal; an example whose features are all 0 has
        zeros there.

    Raises:
        ValueError: features is no floating point tensor of a batch, or is empty.
    """
    check_features(features=features)
    unit = unit_rows(rows(features))
    return unit @ unit.T


def cosine_table_loss(
    student_features: Float[Tensor, "batch *student"],
    teacher_features: Float[Tensor, "batch *teacher"],
) -> Float[Tensor, ""]:
    r"""Keep the teacher's table of cosines between examples.

    $\frac1{B^2}\lVert C^S - C^T \rVert_F^2$ over `cosine_table`s. Every example may have a
    scale of its own, which `similarity_preserving_loss` does not allow: the two are different
    losses.

    Args:
        student_features: One row an example, of any width; gradients flow here.
        teacher_features: The same examples, of any other width; treated as constants.

    Returns:
        Mean over all pairs of examples.

    Raises:
        ValueError: Batches differ or are empty.

    References:
        Peng et al. 2019, arXiv:1904.01802, with the linear kernel on unit rows. Under the name
        "correlation congruence" at least three different losses are in use.
    """
    mine, wanted = both(student_features, teacher_features)
    return (cosine_table(mine) - cosine_table(wanted)).square().mean()


def _cosines(sides: Tensor) -> Tensor:
    """Return the cosine at i between j and k, as [i, j, k]; 0 where i is j or k."""
    apart = sides > 0
    inverse = torch.where(apart, 1 / sides.where(apart, torch.ones_like(sides)), 0.0)
    squares = sides.square()
    twice = squares.unsqueeze(2) + squares.unsqueeze(1) - squares.unsqueeze(0)
    return twice * (inverse.unsqueeze(2) / 2) * inverse.unsqueeze(1)


def _similarities(points: Tensor) -> Tensor:
    return unit_rows(points @ points.T)
