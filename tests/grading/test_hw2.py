"""Homework 2: its questions, and other right answers.

What holds for every question, such as that each mistake is recognised, stands in test_questions.
"""

import nbformat
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from _homeworks import (
    assert_cells_are_the_specs,
    assert_code_is_short,
    assert_explanations_are_for_instructors,
    assert_minutes_and_points_are_told,
    assert_solutions_are_right,
    look_alike,
    share_of_points,
    told,
)
from _judged import faults, mistakes_of

from kdlab.grading import check, find_homework, find_question
from kdlab.grading.places import source_path
from kdlab.grading.questions.hw2_features.pairs import far_away, rows, silenced, with_twins

HOMEWORK = find_homework("hw2")
MISTAKES = mistakes_of(HOMEWORK.questions)
LOSSES = [question.id for question in HOMEWORK.questions[1:]]
each_question = pytest.mark.parametrize("question", HOMEWORK.questions, ids=lambda q: q.id)


# ---- fairness ---------------------------------------------------------------------------------

# Right in ordinary cases, wrong in extreme ones; all other mistakes get nothing.
PARTIAL = {
    ("hw2-q1", "NaN for a silent example"): 0.75,
    ("hw2-q2", "NaN for a silent example"): 0.75,
    ("hw2-q3", "the mean over all pairs of different examples"): 0.8,
    ("hw2-q3", "distances by a matrix product"): 0.6,
    ("hw2-q4", "NaN where two examples coincide"): 0.8,
    ("hw2-q4", "differences of inner products"): 0.8,
    ("hw2-q5", "NaN for a silent example"): 0.75,
}


@pytest.mark.parametrize(("question", "mistake", "variant"), MISTAKES)
def test_a_mistake_gets_the_same_whatever_inputs_are_drawn(question, mistake, variant):
    expected = PARTIAL.get((question.id, mistake.name), 0.0)
    for seed in range(8):
        assert share_of_points(question, variant, seed) == expected, f"seed {seed}"


def test_mistakes_that_get_a_part_exist():
    assert PARTIAL.keys() <= {
        (q.id, mistake.name) for q in HOMEWORK.questions for mistake in q.mistakes
    }


@each_question
def test_the_first_visible_case_tells_two_mistakes_apart(question):
    assert look_alike(question) == []


# ---- the set as a whole ---------------------------------------------------------------------


def test_ids_are_in_order_and_points_sum_to_20():
    assert [question.id for question in HOMEWORK.questions] == [f"hw2-q{n}" for n in range(1, 6)]
    assert HOMEWORK.points == 20 and min(q.points for q in HOMEWORK.questions) > 0
    assert (HOMEWORK.id, HOMEWORK.name) == ("hw2", "hw2_features")


def test_uses_name_earlier_questions():
    assert {q.id: q.uses for q in HOMEWORK.questions if q.uses} == {"hw2-q2": ("hw2-q1",)}


def test_names_differ():
    names = [question.name for question in HOMEWORK.questions]
    assert len(set(names)) == len(names)


@each_question
def test_reference_is_right_on_fresh_cases_by_position_and_by_name(question):
    for seed in range(20):
        for case in question.fresh_cases(seed):
            by_name = question.reference(**case.inputs)
            torch.testing.assert_close(question.reference(*case.inputs.values()), by_name)
            assert torch.isfinite(by_name).all()


@each_question
def test_fresh_cases_are_weighted_and_some_are_extreme(question):
    cases = question.fresh_cases(0)
    assert len({case.weight for case in cases}) > 1 and all(case.weight > 0 for case in cases)
    assert [case.extreme for case in cases[:2]] == [False, False]
    assert len(cases) > 2 and all(case.extreme for case in cases[2:])
    # What is extreme is shown before it is graded.
    assert {case.name for case in cases if case.extreme} <= {case.name for case in question.cases}


@pytest.mark.parametrize("id", LOSSES)
def test_widths_differ_and_the_gradient_is_the_students_alone(id):
    question = find_question(id)
    assert question.comparison.gradient_of == ("student_features", "teacher_features")
    for case in (*question.cases, *question.fresh_cases(1)):
        student, teacher = (
            case.inputs[name].clone().requires_grad_() for name in list(case.inputs)[:2]
        )
        assert student.shape[1] != teacher.shape[1]
        rest = list(case.inputs.values())[2:]
        found = torch.autograd.grad(
            question.reference(student, teacher, *rest), (student, teacher), allow_unused=True
        )
        assert found[0].abs().sum() > 1e-3 and found[1] is None


# ---- the inputs -------------------------------------------------------------------------------


def test_examples_are_drawn_apart():
    for seed in range(50):
        for features in rows(torch.Generator().manual_seed(seed), 6, 2, 5):
            assert torch.pdist(features).min() > 0.3


def test_twins_are_equal_and_others_are_not():
    (features,) = rows(torch.Generator().manual_seed(1), 5, 3)
    distances = torch.cdist(with_twins(features), with_twins(features))
    assert (distances == 0).sum() == 5 + 2 and distances[3, 4] == 0


def test_far_away_loses_no_digit():
    (features,) = rows(torch.Generator().manual_seed(1), 5, 3)
    far = far_away(features)
    assert far.mean() > 4000
    torch.testing.assert_close(far - 4096, features, rtol=0, atol=2.0**-11)
    assert torch.equal((far[0] - far[1]).double(), far[0].double() - far[1].double())


def test_one_example_is_silent():
    for features in (torch.ones(3, 4), torch.ones(3, 2, 2, 2)):
        assert [bool(row.any()) for row in silenced(features)] == [True, False, True]


# ---- right answers in other styles ----------------------------------------------------------


def map_by_loop(features, power):
    maps = []
    for example in features.tolist():
        height, width = len(example[0]), len(example[0][0])
        energy = [
            [sum(abs(channel[i][j]) ** power for channel in example) for j in range(width)]
            for i in range(height)
        ]
        norm = sum(value**2 for row in energy for value in row) ** 0.5
        maps.append([[value / (norm or 1) for value in row] for row in energy])
    return maps


def map_by_einsum(features, power):
    energy = torch.einsum("bchw->bhw", features.abs() ** power)
    norm = torch.einsum("bhw,bhw->b", energy, energy).sqrt()
    return torch.einsum("bhw,b->bhw", energy, 1 / norm.clamp_min(1e-12))


def map_in_numpy(features, power):
    energy = (np.abs(features.numpy().astype(np.float64)) ** power).sum(axis=1)
    norm = np.linalg.norm(energy, axis=(1, 2), keepdims=True)
    return np.divide(energy, norm, out=np.zeros_like(energy), where=norm > 0)


def map_in_float32(features, power):
    energy = (np.abs(features.numpy()) ** np.float32(power)).sum(axis=1)
    return energy / (np.sqrt((energy**2).sum(axis=(1, 2), keepdims=True)) + np.float32(1e-8))


def map_by_vector_norm(features, power):
    energy = torch.linalg.vector_norm(features, ord=power, dim=1) ** power
    norm = torch.linalg.vector_norm(energy, dim=(1, 2), keepdim=True)
    return torch.where(norm > 0, energy / torch.where(norm > 0, norm, 1), 0)


def transfer_by_loop(student_features, teacher_features, *, power):
    total = 0.0
    for mine, theirs in zip(student_features, teacher_features.detach(), strict=True):
        s, t = mine.abs().pow(power).sum(0), theirs.abs().pow(power).sum(0)
        total = total + ((s / s.norm() - t / t.norm().clamp_min(1e-12)) ** 2).sum()
    return total / len(student_features)


def transfer_by(attention):
    def fn(student_features, teacher_features, *, power):
        with torch.no_grad():
            wanted = torch.as_tensor(attention(teacher_features, power))
        gap = map_by_einsum(student_features, power) - wanted
        return torch.einsum("bhw,bhw->", gap, gap) / len(gap)

    return fn


def transfer_by_cosines(student_features, teacher_features, *, power):
    s = map_by_einsum(student_features.double(), power).flatten(1)
    t = map_by_einsum(teacher_features.detach().double(), power).flatten(1)
    return (s.square().sum(1) + t.square().sum(1) - 2 * (s * t).sum(1)).mean()


def transfer_by_mse(student_features, teacher_features, *, power):
    maps = [
        F.normalize(x.float().abs().pow(power).sum(1).flatten(1))
        for x in (student_features, teacher_features.detach())
    ]
    return F.mse_loss(*maps, reduction="sum") / len(student_features)


def smooth(x):
    return torch.where(x.abs() < 1, x.square() / 2, x.abs() - 0.5)


def distance_by_loop(student_features, teacher_features):
    def table(x):
        return [[(a - b).norm() for b in x] for a in x]

    def mean(d):
        kept = [value for row in d for value in row if value > 0]
        return sum(kept) / len(kept)

    d, e = table(student_features), table(teacher_features.detach())
    m, n = mean(d), mean(e)
    b = len(d)
    return sum(smooth(d[i][j] / m - e[i][j] / n) for i in range(b) for j in range(b)) / b**2


def distance_by(distances, compare=F.smooth_l1_loss):
    def fn(student_features, teacher_features):
        scaled = []
        for x in (student_features, teacher_features.detach()):
            d = distances(x)
            scaled.append(d / d[d > 0].mean())
        return compare(*scaled)

    return fn


def clamped_root(x):
    squares = (x[:, None] - x[None]).square().sum(-1)
    return torch.where(squares > 0, squares.clamp_min(1e-12).sqrt(), 0)


def distance_by_pairs(student_features, teacher_features):
    """Half of the table, whose other half is the same."""

    def over_mean(x):
        d = F.pdist(x)
        return d * (d > 0).sum() / d.sum()

    gap = over_mean(student_features.double()) - over_mean(teacher_features.detach().double())
    return 2 * smooth(gap).sum() / len(student_features) ** 2


def distance_with_a_teacher_in_numpy(student_features, teacher_features):
    t = teacher_features.detach().numpy().astype(np.float64)
    wanted = np.linalg.norm(t[:, None] - t[None], axis=-1)
    wanted = torch.from_numpy(wanted / wanted[wanted > 0].mean())
    mine = torch.cdist(student_features, student_features)
    return F.huber_loss(mine / mine[mine > 0].mean(), wanted.float())


def angle_by_loop(student_features, teacher_features):
    def cosine(x, i, j, k):
        a, b = x[j] - x[i], x[k] - x[i]
        lengths = a.norm() * b.norm()
        return a @ b / lengths if lengths > 0 else torch.tensor(0.0)

    t, b, total = teacher_features.detach(), len(student_features), 0.0
    for i in range(b):
        for j in range(b):
            for k in range(b):
                total = total + smooth(cosine(student_features, i, j, k) - cosine(t, i, j, k))
    return total / b**3


def unit_by_normalize(x):
    return F.normalize(x.unsqueeze(0) - x.unsqueeze(1), p=2, dim=2)


def cosines_by_bmm(x):
    e = unit_by_normalize(x)
    return torch.bmm(e, e.transpose(1, 2))


def cosines_from_the_other_end(x):
    gaps = x[:, None] - x[None]
    e = gaps / (gaps.norm(dim=-1, keepdim=True) + 1e-10)
    return (e[:, :, None] * e[:, None]).sum(-1)


def cosines_of_distances(x):
    """The law of cosines."""
    d = torch.cdist(x, x)
    twice = d[:, :, None] ** 2 + d[:, None] ** 2 - d[None] ** 2
    both = 2 * d[:, :, None] * d[:, None]
    return torch.where(both > 0, twice / torch.where(both > 0, both, 1), 0)


def cosines_after_centring(x):
    """The Gram matrix, of which a common mean is taken first."""
    x = x.double() - x.double().mean(0)
    g, off = x @ x.T, 1 - torch.eye(len(x))
    squares = g.diagonal()
    inner = g[None] - g[:, :, None] - g[:, None] + squares[:, None, None]
    lengths = inner.diagonal(dim1=1, dim2=2).clamp_min(1e-12).sqrt()
    return inner * (off / lengths)[:, :, None] * (off / lengths)[:, None]


def angle_by(cosines, compare=F.smooth_l1_loss):
    return lambda s, t: compare(cosines(s), cosines(t.detach()))


def similarity_by_loop(student_features, teacher_features):
    def table(x):
        g = [torch.stack([a @ b for b in x]) for a in x]
        return [row / row.norm() if row.any() else row for row in g]

    pairs = zip(table(student_features), table(teacher_features.detach()), strict=True)
    return sum(((a - b) ** 2).sum() for a, b in pairs) / len(student_features) ** 2


def similarity_by_einsum(student_features, teacher_features):
    tables = []
    for x in (student_features, teacher_features.detach()):
        g = torch.einsum("id,jd->ij", x, x)
        lengths = torch.einsum("ij,ij->i", g, g).sqrt()
        tables.append(torch.einsum("ij,i->ij", g, 1 / lengths.clamp_min(1e-12)))
    gap = tables[0] - tables[1]
    return torch.einsum("ij,ij->", gap, gap) / gap.numel()


def similarity_by_columns(student_features, teacher_features):
    """Columns: the table is symmetric, so this one is transposed and the loss the same."""
    mine, wanted = (
        F.normalize(x @ x.T, dim=0) for x in (student_features, teacher_features.detach())
    )
    return F.mse_loss(mine, wanted)


def similarity_by_frobenius(student_features, teacher_features):
    with torch.no_grad():
        wanted = F.normalize(teacher_features.double() @ teacher_features.double().T)
    mine = F.normalize(student_features.double() @ student_features.double().T)
    return torch.linalg.matrix_norm(mine - wanted) ** 2 / len(mine) ** 2


def similarity_with_a_teacher_in_numpy(student_features, teacher_features):
    t = teacher_features.detach().numpy()
    g = t @ t.T
    wanted = torch.from_numpy(g / np.maximum(np.linalg.norm(g, axis=1, keepdims=True), 1e-12))
    mine = student_features @ student_features.T
    return (mine / mine.norm(dim=1, keepdim=True) - wanted).pow(2).mean()


STYLES = {
    "hw2-q1": (map_by_loop, map_by_einsum, map_in_numpy, map_in_float32, map_by_vector_norm),
    "hw2-q2": (
        transfer_by_loop,
        transfer_by(map_by_einsum),
        transfer_by(map_in_float32),
        transfer_by_cosines,
        transfer_by_mse,
    ),
    "hw2-q3": (
        distance_by_loop,
        distance_by(lambda x: torch.cdist(x, x)),
        distance_by(lambda x: torch.linalg.norm(x[:, None] - x, dim=-1), F.huber_loss),
        distance_by(clamped_root),
        distance_by_pairs,
        distance_with_a_teacher_in_numpy,
    ),
    "hw2-q4": (
        angle_by_loop,
        angle_by(cosines_by_bmm),
        angle_by(cosines_from_the_other_end, lambda a, b: smooth(a - b).mean()),
        angle_by(cosines_of_distances),
        angle_by(cosines_after_centring, F.huber_loss),
    ),
    "hw2-q5": (
        similarity_by_loop,
        similarity_by_einsum,
        similarity_by_columns,
        similarity_by_frobenius,
        similarity_with_a_teacher_in_numpy,
    ),
}


@pytest.mark.parametrize(
    ("id", "style"), [(id, style) for id in STYLES for style in range(len(STYLES[id]))]
)
def test_five_styles_are_right(id, style):
    fn, question = STYLES[id][style], find_question(id)
    result = check(id, fn)
    assert result.status == "right", result
    for seed in range(20):
        assert not any(faults(question, fn, question.fresh_cases(seed)))


# ---- what the texts claim -------------------------------------------------------------------


def drawn(seed=0, batch=5):
    return rows(torch.Generator().manual_seed(seed), batch, 3, 4)


def test_the_distance_of_two_maps_is_twice_one_minus_their_cosine():
    s, t = torch.randn(4, 2, 3, 3), torch.randn(4, 5, 3, 3)
    cosine = (map_by_einsum(s, 2.0) * map_by_einsum(t, 2.0)).sum((1, 2))
    loss = find_question("hw2-q2").reference(s, t, 2.0)
    torch.testing.assert_close(loss, (2 - 2 * cosine).mean())
    assert 0 <= loss <= 2
    silent = find_question("hw2-q2").reference(s, torch.zeros_like(t), 2.0)
    torch.testing.assert_close(silent, torch.tensor(1.0))


CHANGES = {
    "rotation": lambda x: x @ torch.linalg.qr(torch.randn(3, 3)).Q,
    "factor": lambda x: 3 * x,
    "own factors": lambda x: x * torch.arange(1.0, len(x) + 1)[:, None],
    "shift": lambda x: x + 2,
}
SEEN = {
    "hw2-q3": {"own factors"},
    "hw2-q4": {"own factors"},
    "hw2-q5": {"own factors", "shift"},
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("id", SEEN)
def test_what_a_loss_does_not_see(id, change):
    student, teacher = drawn()
    loss = find_question(id).reference
    before, after = loss(student, teacher), loss(CHANGES[change](student), teacher)
    assert torch.isclose(before, after, rtol=1e-3) == (change not in SEEN[id])


def test_a_detached_mean_leaves_a_part_that_only_scales():
    student, teacher = drawn()

    def along_itself(loss):
        x = student.clone().requires_grad_()
        return (torch.autograd.grad(loss(x, teacher), x)[0] * student).sum().abs()

    [mistake] = [m for m in find_question("hw2-q3").mistakes if "cut off" in m.name]
    assert along_itself(find_question("hw2-q3").reference) < 1e-6
    assert along_itself(mistake.variants[0]) > 1e-3


# ---- the notebook ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def notebook():
    return nbformat.read(source_path(HOMEWORK), as_version=4)


def test_every_question_has_an_answer_and_a_check(notebook):
    assert_cells_are_the_specs(HOMEWORK, notebook)


def test_the_notebooks_minutes_and_points_are_those_of_the_specs(notebook):
    assert_minutes_and_points_are_told(HOMEWORK, notebook)
    assert {q.seconds for q in HOMEWORK.questions} == {5.0}
    assert {q.memory for q in HOMEWORK.questions} == {1024}
    assert "may take 5 seconds of CPU time and 1 GiB of memory" in told(notebook)


def test_solutions_are_right(notebook):
    assert_solutions_are_right(HOMEWORK, notebook)


def test_explanations_are_for_instructors(notebook):
    assert_explanations_are_for_instructors(HOMEWORK, notebook)


def test_cells_are_short(notebook):
    assert_code_is_short(notebook)
