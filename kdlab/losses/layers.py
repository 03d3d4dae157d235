"""Losses on how the layers of one network stand to each other, student against teacher.

Student first. Gradients flow to the student only. Half precision is computed and returned in
float32.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from kdlab._checks import check_features, check_length, check_positive, check_same_length
from kdlab.losses._common import both, by_mean, distances, same_size, widened


def flow_loss(
    student_maps: tuple[Float[Tensor, "batch _ _ _"], Float[Tensor, "batch _ _ _"]],
    teacher_maps: tuple[Float[Tensor, "batch _ _ _"], Float[Tensor, "batch _ _ _"]],
) -> Float[Tensor, ""]:
    r"""Imitate how one layer's map goes over into a later one's: the flow of the solution.

    $\frac1B\sum_b \lVert G_b^S - G_b^T \rVert_F^2$ with
    $G_{cd} = \frac1{hw}\sum_x A_c(x)\,B_d(x)$, the Gram matrix between two layers $A$ and $B$
    of *one* network. Where the two differ in size, the larger is averaged down.

    Args:
        student_maps: An earlier and a later layer of the student; gradients flow here.
        teacher_maps: The teacher's two, with as many channels each; treated as constants.

    Returns:
        Batch mean, a scalar.

    Raises:
        ValueError: Batches or channels differ, or one is no set of maps.

    References:
        Yim et al. 2017, CVPR, equations 1 and 2. Common code takes the mean over the matrix:
        (channels of A x channels of B) x that value = this one.
    """
    _check_maps(student_maps=student_maps, teacher_maps=teacher_maps)
    flows = [_flow(student_maps), _flow(teacher_maps)]
    if flows[0].shape != flows[1].shape:
        came = " and ".join(str(list(flow.shape)) for flow in flows)
        raise ValueError(f"flows [batch, channels, channels] must have one shape, got {came}")
    return (flows[0] - flows[1].detach()).square().sum(dim=(1, 2)).mean()


def instance_graph_loss(
    student_layers: Sequence[Float[Tensor, "batch ..."]],
    teacher_layers: Sequence[Float[Tensor, "batch ..."]],
    *,
    change_weight: float = 1.0,
) -> Float[Tensor, ""]:
    r"""Keep the teacher's graph of a batch in several layers, and how it changes between them.

    Examples are vertices; the edge $E_{ij}$ in a layer is their distance there over the mean
    distance of the pairs that are apart. The loss is the mean over layers of
    $\frac1{B^2}\lVert E^S - E^T \rVert_F^2$, plus `change_weight` times the mean over
    neighbouring layers of the same for the differences $E_{\ell+1} - E_\ell$.

    Args:
        student_layers: One tensor a layer, early to late, of any widths; gradients flow here.
        teacher_layers: As many of the teacher's; treated as constants.
        change_weight: Weight > 0 of the change from layer to layer.

    Returns:
        A scalar; 0 for a single example.

    Raises:
        ValueError: There is no layer, their numbers or batches differ, or the weight is not
            positive and finite.

    References:
        After Liu et al. 2019, CVPR, "Knowledge distillation via instance relationship graph".
        Their edges are squared distances over the largest one, and their vertices, which need
        equal widths, are left to the other losses here.
    """
    check_positive(change_weight=change_weight)
    check_length(1, student_layers=student_layers)
    if len(student_layers) != len(teacher_layers):
        came = f"{len(student_layers)} and {len(teacher_layers)}"
        raise ValueError(f"student_layers and teacher_layers must be equally many, got {came}")
    layers = [both(*pair) for pair in zip(student_layers, teacher_layers, strict=True)]
    gaps = torch.stack([_edges(mine) - _edges(wanted) for mine, wanted in layers])
    # The gap of a difference is the difference of gaps.
    changes = gaps.diff(dim=0).square().mean() if len(gaps) > 1 else 0.0
    return gaps.square().mean() + change_weight * changes


def _edges(points: Tensor) -> Tensor:
    return by_mean(distances(points))


def _check_maps(**named: Sequence) -> None:
    for name, maps in named.items():
        if not isinstance(maps, (tuple, list)) or len(maps) != 2:
            came = f"{len(maps)} of them" if isinstance(maps, (tuple, list)) else "a tensor"
            raise ValueError(f"{name} must be an earlier and a later layer, got {came}")
        check_features(4, **{f"{name}[{i}]": one for i, one in enumerate(maps)})
    every = {f"{name}[{i}]": one for name, maps in named.items() for i, one in enumerate(maps)}
    check_same_length(**every)


def _flow(maps: Sequence[Tensor]) -> Tensor:
    first, second = (one.flatten(2) for one in same_size(*map(widened, maps)))
    return first @ second.transpose(1, 2) / first.shape[2]
