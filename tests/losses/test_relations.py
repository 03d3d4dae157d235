"""The losses on relations against their definitions, written as loops in float64."""

import itertools
import math

import pytest
import torch
import torch.nn.functional as F
from _refusals import check_refused
from torch.testing import assert_close

from kdlab import losses


def flow_of(s, t):
    """The flow between a map and its square, as a loss of one pair."""
    return losses.flow_loss((s, s.square()), (t, t.square()))


def graph_of(s, t):
    return losses.instance_graph_loss([s, s.square()], [t, t.square()], change_weight=0.5)


ROWS = [
    losses.rkd_distance_loss,
    losses.rkd_angle_loss,
    losses.similarity_preserving_loss,
    losses.cosine_table_loss,
    graph_of,
]
EVERY = [*ROWS, flow_of]


def draw(*shape, seed=0, dtype=torch.double):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def huber(x):
    return x * x / 2 if abs(x) < 1 else abs(x) - 1 / 2


def distances_by_hand(points):
    rows = points.flatten(1).tolist()
    table = [[math.dist(a, b) for b in rows] for a in rows]
    apart = [d for line in table for d in line if d > 0]
    mean = math.fsum(apart) / len(apart) if apart else 1.0
    return [[d / mean for d in line] for line in table]


def distance_by_hand(student, teacher):
    s, t = distances_by_hand(student), distances_by_hand(teacher)
    pairs = list(itertools.product(range(len(s)), repeat=2))
    return math.fsum(huber(s[i][j] - t[i][j]) for i, j in pairs) / len(pairs)


def cosine_by_hand(rows, i, j, k):
    a, b = ([x - y for x, y in zip(rows[n], rows[i], strict=True)] for n in (j, k))
    lengths = math.hypot(*a) * math.hypot(*b)
    return math.fsum(x * y for x, y in zip(a, b, strict=True)) / lengths if lengths else 0.0


def angle_by_hand(student, teacher):
    s, t = student.flatten(1).tolist(), teacher.flatten(1).tolist()
    triples = list(itertools.product(range(len(s)), repeat=3))
    gaps = [cosine_by_hand(s, *ijk) - cosine_by_hand(t, *ijk) for ijk in triples]
    return math.fsum(map(huber, gaps)) / len(triples)


def similarity_by_hand(points):
    rows = points.flatten(1).tolist()
    gram = [[math.fsum(x * y for x, y in zip(a, b, strict=True)) for b in rows] for a in rows]
    return [[g / math.hypot(*line) for g in line] for line in gram]


def cosines_by_hand(points):
    rows = points.flatten(1).tolist()
    return [
        [
            math.fsum(x * y for x, y in zip(a, b, strict=True)) / (math.hypot(*a) * math.hypot(*b))
            for b in rows
        ]
        for a in rows
    ]


def tables_by_hand(student, teacher, table):
    s, t = table(student), table(teacher)
    pairs = list(itertools.product(range(len(s)), repeat=2))
    return math.fsum((s[i][j] - t[i][j]) ** 2 for i, j in pairs) / len(pairs)


def test_distances_are_the_definition():
    s, t = draw(6, 3), draw(6, 2, 2, seed=1)
    assert_close(losses.rkd_distance_loss(s, t).item(), distance_by_hand(s, t))


def test_angles_are_the_definition():
    s, t = draw(6, 3), draw(6, 2, 2, seed=1)
    assert_close(losses.rkd_angle_loss(s, t).item(), angle_by_hand(s, t))


def test_similarities_and_cosines_are_the_definition():
    s, t = draw(6, 3), draw(6, 2, 2, seed=1)
    found = losses.similarity_preserving_loss(s, t).item()
    assert_close(found, tables_by_hand(s, t, similarity_by_hand))
    assert_close(losses.cosine_table(s), torch.tensor(cosines_by_hand(s), dtype=torch.double))
    found = losses.cosine_table_loss(s, t).item()
    assert_close(found, tables_by_hand(s, t, cosines_by_hand))


def test_flows_are_the_definition():
    student, teacher = (
        (draw(2, 3, 2, 2), draw(2, 4, 2, 2, seed=1)),
        (
            draw(2, 3, 2, 2, seed=2),
            draw(2, 4, 2, 2, seed=3),
        ),
    )
    total = []
    for b, c, d in itertools.product(range(2), range(3), range(4)):
        mine, wanted = (
            math.fsum(float(one[b, c, y, x] * two[b, d, y, x]) for y in (0, 1) for x in (0, 1)) / 4
            for one, two in (student, teacher)
        )
        total.append((mine - wanted) ** 2)
    loss = losses.flow_loss(student, teacher)
    assert_close(loss.item(), math.fsum(total) / 2)
    # Common code's mean over the matrix.
    flows = [torch.einsum("bchw,bdhw->bcd", *maps) / 4 for maps in (student, teacher)]
    assert_close(loss, 12 * F.mse_loss(*flows))


def test_a_flow_averages_the_larger_layer_down():
    early, late = draw(2, 3, 4, 4), draw(2, 5, 2, 2, seed=1)
    down = early.unflatten(3, (2, 2)).unflatten(2, (2, 2)).mean(dim=(3, 5))
    other = (draw(2, 3, 2, 2, seed=2), draw(2, 5, 2, 2, seed=3))
    assert_close(losses.flow_loss((early, late), other), losses.flow_loss((down, late), other))


def test_a_graph_is_its_edges_and_their_change():
    student, teacher = [draw(5, 3), draw(5, 2, seed=1)], [draw(5, 4, seed=2), draw(5, 6, seed=3)]
    edges = [[distances_by_hand(layer) for layer in layers] for layers in (student, teacher)]
    pairs = list(itertools.product(range(5), repeat=2))
    gaps = [
        [mine[i][j] - wanted[i][j] for i, j in pairs] for mine, wanted in zip(*edges, strict=True)
    ]
    kept = math.fsum(g * g for layer in gaps for g in layer) / 50
    changed = math.fsum((b - a) ** 2 for a, b in zip(*gaps, strict=True)) / 25
    found = losses.instance_graph_loss(student, teacher, change_weight=0.3)
    assert_close(found.item(), kept + 0.3 * changed)
    alone = losses.instance_graph_loss(student[:1], teacher[:1])
    assert_close(alone.item(), math.fsum(g * g for g in gaps[0]) / 25)


def test_tiny_inputs_by_hand():
    # A right angle at the first point against a line: distances 3, 4, 5 and 1, 1, 2.
    s, t = torch.tensor([[0.0, 0.0], [3.0, 0.0], [0.0, 4.0]]), torch.tensor([[0.0], [1.0], [-1.0]])
    gaps = [3 / 4 - 3 / 4, 4 / 4 - 3 / 4, 5 / 4 - 6 / 4]
    expected = 2 * sum(g * g / 2 for g in gaps) / 9
    assert_close(losses.rkd_distance_loss(s, t).item(), expected)
    # Cosines 0, 3/5, 4/5 against -1, 1, 1, each twice.
    gaps = [0 - -1, 3 / 5 - 1, 4 / 5 - 1]
    expected = 2 * (0.5 + 0.4**2 / 2 + 0.2**2 / 2) / 27
    assert_close(losses.rkd_angle_loss(s, t).item(), expected)
    # Gram matrices [[1, 0], [0, 4]] and [[1, 1], [1, 1]].
    s, t = torch.tensor([[1.0, 0.0], [0.0, 2.0]]), torch.tensor([[1.0], [1.0]])
    root = math.sqrt(0.5)
    expected = (2 * (1 - root) ** 2 + 2 * root**2) / 4
    assert_close(losses.similarity_preserving_loss(s, t).item(), expected)
    assert losses.cosine_table_loss(s, t).item() == 0.5
    # Flows 1 * 2 and 3 * 2 over one place.
    one = torch.ones(1, 1, 1, 1)
    assert losses.flow_loss((one, 2 * one), (3 * one, 2 * one)).item() == 16.0
    # One edge, of weight 1, which the student loses in its second layer: 2 of 4 numbers differ
    # there, so 1/2 over two layers, and 1/2 for the change.
    assert losses.instance_graph_loss([s, t], [s + 1, s * 3]).item() == 0.25 + 0.5


def rotated(points):
    q, _ = torch.linalg.qr(draw(points.shape[1], points.shape[1], seed=9))
    return points @ q


@pytest.mark.parametrize("loss", [losses.rkd_distance_loss, losses.rkd_angle_loss])
def test_rkd_ignores_rotation_shift_and_scale(loss):
    s, t = draw(6, 4), draw(6, 3, seed=1)
    expected = loss(s, t)
    assert_close(loss(rotated(s), t), expected)
    assert_close(loss(5 * s + 100, t), expected)
    assert_close(loss(s, 0.01 * rotated(t) - 7), expected)
    # Each side by its own scale: with a common one this would be far from equal.
    assert loss(s, 3 * rotated(s) + 1).item() < 1e-12


def test_similarities_ignore_rotation_and_a_common_scale_but_not_a_shift():
    s, t = draw(6, 4), draw(6, 3, seed=1)
    expected = losses.similarity_preserving_loss(s, t)
    assert_close(losses.similarity_preserving_loss(3 * rotated(s), t), expected)
    assert abs(losses.similarity_preserving_loss(s + 1, t) - expected) > 1e-3
    # A scale for each example: the cosines do not see it, the similarities do.
    own = s * torch.arange(1, 7)[:, None]
    assert abs(losses.similarity_preserving_loss(own, t) - expected) > 1e-3
    assert_close(losses.cosine_table_loss(own, t), losses.cosine_table_loss(s, t))


@pytest.mark.parametrize("loss", EVERY)
def test_gradients_are_finite_differences_and_the_students_alone(loss):
    s, t = draw(5, 2, 2, 2).requires_grad_(), draw(5, 2, 2, 2, seed=1).requires_grad_()
    assert torch.autograd.gradcheck(lambda x: loss(x, t), (s,))
    loss(s, t).backward()
    assert t.grad is None and s.grad.abs().max() > 0


@pytest.mark.parametrize("loss", EVERY)
def test_zero_at_equality_and_order_of_the_batch_does_not_matter(loss):
    s, t = draw(5, 2, 3, 3), draw(5, 2, 3, 3, seed=1)
    assert loss(s, s).item() == 0
    order = [3, 0, 4, 2, 1]
    assert_close(loss(s[order], t[order]), loss(s, t))
    assert abs(loss(s[order], t) - loss(s, t)) > 1e-4


@pytest.mark.parametrize("loss", ROWS)
@pytest.mark.parametrize("batch", [1, 2])
def test_small_batches(loss, batch):
    s, t = draw(batch, 3).requires_grad_(), draw(batch, 5, seed=1)
    value = loss(s, t)
    value.backward()
    assert s.grad.isfinite().all()
    # One example has no relation but to itself, and two have one distance: 1 by its mean.
    if batch == 1 or loss in (losses.rkd_distance_loss, losses.rkd_angle_loss):
        assert value.item() < 1e-20


@pytest.mark.parametrize("loss", ROWS)
def test_equal_points_and_large_means(loss):
    s, t = draw(6, 3), draw(6, 4, seed=1)
    s[2], s[4] = s[1], s[1]
    s.requires_grad_()
    loss(s, t).backward()
    assert s.grad.isfinite().all() and s.grad.abs().max() < 10
    same = torch.zeros(4, 3, requires_grad=True)
    loss(same, t[:4]).backward()
    assert same.grad.isfinite().all() and same.grad.abs().max() == 0


def test_equal_points_have_no_angle():
    s, t = draw(5, 3), draw(5, 3, seed=1)
    s[3] = s[0]
    t[2] = t[4]
    assert_close(losses.rkd_angle_loss(s, t).item(), angle_by_hand(s, t))
    assert_close(losses.rkd_distance_loss(s, t).item(), distance_by_hand(s, t))


def test_triples_without_an_angle_have_no_slope():
    s, t = draw(5, 3), draw(5, 3, seed=1)
    s[3] = s[0]
    ours, by_hand = s.clone().requires_grad_(), s.clone().requires_grad_()
    losses.rkd_angle_loss(ours, t).backward()
    total = torch.zeros((), dtype=torch.double)
    for i, j, k in itertools.product(range(5), repeat=3):
        if (s[i] - s[j]).any() and (s[i] - s[k]).any():
            cosine = F.cosine_similarity(by_hand[j] - by_hand[i], by_hand[k] - by_hand[i], dim=0)
            total = total + F.smooth_l1_loss(
                cosine, torch.tensor(cosine_by_hand(t.tolist(), i, j, k)).double()
            )
    (total / 125).backward()
    assert_close(ours.grad, by_hand.grad)


@pytest.mark.parametrize("loss", [losses.similarity_preserving_loss, losses.cosine_table_loss])
def test_an_example_that_is_all_zeros_gets_no_gradient(loss):
    s, t = draw(5, 3), draw(5, 4, seed=1)
    s[2] = 0
    s.requires_grad_()
    loss(s, t).backward()
    assert s.grad.isfinite().all() and s.grad.abs().max() < 10
    assert s.grad[2].abs().max() < 1 and s.grad[0].abs().max() > 0


@pytest.mark.parametrize("loss", [losses.rkd_distance_loss, losses.rkd_angle_loss])
def test_a_large_mean_does_not_drown_the_relations_in_float32(loss):
    # In 64ths, so that the sum with 1,000 is exact in float32.
    s, t = (64 * draw(8, 16)).round() / 64, draw(8, 16, seed=1)
    moved = loss((s + 1000).float(), t.float())
    assert_close(moved.item(), loss(s, t).item(), rtol=1e-5, atol=0)


def usual_angle(student, teacher):
    """The formulation of common code, with its (batch, batch, width) tensors."""

    def cosines(points):
        unit = F.normalize(points.unsqueeze(0) - points.unsqueeze(1), dim=2)
        return torch.bmm(unit, unit.transpose(1, 2))

    return F.smooth_l1_loss(cosines(student), cosines(teacher).detach())


def test_angles_are_those_of_the_usual_formulation():
    s, t = draw(128, 512, dtype=torch.float32), draw(128, 512, seed=1, dtype=torch.float32)
    gradients = []
    for loss in (losses.rkd_angle_loss, usual_angle):
        leaf = s.clone().requires_grad_()
        value = loss(leaf, t)
        value.backward()
        gradients.append((value.detach(), leaf.grad))
    (ours, slope), (theirs, their_slope) = gradients
    assert_close(ours, theirs, rtol=1e-5, atol=0)
    assert_close(slope, their_slope, rtol=1e-4, atol=1e-4 * float(their_slope.abs().max()))


@pytest.mark.parametrize("loss", EVERY)
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_computed_in_float32(loss, dtype):
    s, t = draw(4, 2, 3, 3).to(dtype), draw(4, 2, 3, 3, seed=1).to(dtype)
    s.requires_grad_()
    value = loss(s, t)
    assert value.dtype == torch.float32
    value.backward()
    assert s.grad.dtype == dtype and s.grad.isfinite().all()


@pytest.mark.parametrize("loss", ROWS[:4])
def test_large_half_precision_does_not_overflow(loss):
    s, t = (1e3 * draw(4, 8)).half(), (1e3 * draw(4, 8, seed=1)).half()
    assert_close(loss(s, t), loss(s.float(), t.float()))
    assert loss(s, t).isfinite()


MAP = torch.ones(2, 3, 2, 2)


@pytest.mark.usefixtures("unchecked_shapes")
@pytest.mark.parametrize("loss", ROWS[:4])
def test_bad_batches(loss):
    check_refused(
        lambda: loss(torch.ones(2, 3), torch.ones(3, 3)),
        "lengths must be equal, got student_features 2 and teacher_features 3",
    )
    check_refused(
        lambda: loss(torch.ones(0, 3), torch.ones(0, 3)),
        "student_features must not be empty, got shape [0, 3]",
    )
    check_refused(
        lambda: loss(torch.ones(2, 3), torch.ones(2)),
        "teacher_features must have shape [batch, ...], got [2]",
    )


@pytest.mark.usefixtures("unchecked_shapes")
@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: losses.flow_loss(MAP, (MAP, MAP)),
            "student_maps must be an earlier and a later layer, got a tensor",
        ),
        (
            lambda: losses.flow_loss((MAP, MAP), (MAP,)),
            "teacher_maps must be an earlier and a later layer, got 1 of them",
        ),
        (
            lambda: losses.flow_loss((MAP, MAP[0]), (MAP, MAP)),
            "student_maps[1] must have shape [batch, channels, height, width], got [3, 2, 2]",
        ),
        (
            lambda: losses.flow_loss((MAP, MAP), (MAP, MAP[:, :2])),
            "flows [batch, channels, channels] must have one shape, got [2, 3, 3] and [2, 3, 2]",
        ),
        (
            lambda: losses.instance_graph_loss([], []),
            "student_layers must have length >= 1, got []",
        ),
        (
            lambda: losses.instance_graph_loss([torch.ones(2, 3)], []),
            "student_layers and teacher_layers must be equally many, got 1 and 0",
        ),
        (
            lambda: losses.instance_graph_loss(
                [torch.ones(2, 3)], [torch.ones(2, 3)], change_weight=0.0
            ),
            "change_weight must be > 0, got 0.0",
        ),
    ],
)
def test_bad_input(call, message):
    check_refused(call, message)
