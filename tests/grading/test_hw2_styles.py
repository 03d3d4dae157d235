# ruff: noqa: E501 - answers are written as students write them
"""Right answers to homework 2 in several styles, handed in and graded apart, get everything."""

import sys

import pytest
from _styles import grade_styles, lost_points

from kdlab.grading import find_homework

HOMEWORK = find_homework("hw2")
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the sandbox is Linux's")

LOOPS = {
    "hw2-q1": """
def attention_map(features, power):
    maps = []
    for example in features:
        energy = 0
        for channel in example:
            energy = energy + channel.abs() ** power
        norm = (energy ** 2).sum() ** 0.5
        maps.append(energy / norm if norm > 0 else energy)
    return torch.stack(maps)
""",
    "hw2-q2": """
def attention_transfer_loss(student_features, teacher_features, *, power):
    total = 0.0
    for s, t in zip(attention_map(student_features, power), attention_map(teacher_features.detach(), power)):
        for i in range(s.shape[0]):
            for j in range(s.shape[1]):
                total = total + (s[i, j] - t[i, j]) ** 2
    return total / len(student_features)
""",
    "hw2-q3": """
def h(x):
    return x ** 2 / 2 if abs(x) < 1 else abs(x) - 0.5
def rkd_distance_loss(student_features, teacher_features):
    B = len(student_features)
    tables = []
    for f in (student_features, teacher_features.detach()):
        d = [[torch.norm(f[i] - f[j]) for j in range(B)] for i in range(B)]
        apart = [x for row in d for x in row if x > 0]
        mu = sum(apart) / len(apart)
        tables.append([[x / mu for x in row] for row in d])
    return sum(h(tables[0][i][j] - tables[1][i][j]) for i in range(B) for j in range(B)) / B ** 2
""",
    "hw2-q4": """
def rkd_angle_loss(student_features, teacher_features):
    B, t, total = len(student_features), teacher_features.detach(), 0.0
    def cos(f, i, j, k):
        a, b = f[j] - f[i], f[k] - f[i]
        if not a.any() or not b.any():
            return torch.zeros(())
        return (a * b).sum() / (a.norm() * b.norm())
    for i in range(B):
        for j in range(B):
            for k in range(B):
                total = total + h(cos(student_features, i, j, k) - cos(t, i, j, k))
    return total / B ** 3
""",
    "hw2-q5": """
def similarity_preserving_loss(student_features, teacher_features):
    B, total = len(student_features), 0.0
    for i in range(B):
        s = torch.stack([student_features[i] @ x for x in student_features])
        t = torch.stack([teacher_features[i] @ x for x in teacher_features]).detach()
        s = s / s.norm()
        t = t / t.norm() if t.any() else t
        total = total + sum((a - b) ** 2 for a, b in zip(s, t))
    return total / B ** 2
""",
}
EINSUM = {
    "hw2-q1": """
def attention_map(features, power):
    e = torch.einsum("bchw->bhw", features.abs() ** power)
    return e / torch.einsum("bhw,bhw->b", e, e).sqrt().clamp_min(1e-12)[:, None, None]
""",
    "hw2-q2": """
def attention_transfer_loss(student_features, teacher_features, *, power):
    with torch.no_grad():
        wanted = attention_map(teacher_features, power)
    gap = attention_map(student_features, power) - wanted
    return torch.einsum("bhw,bhw->", gap, gap) / gap.shape[0]
""",
    "hw2-q3": """
def rkd_distance_loss(student_features, teacher_features):
    def scaled(f):
        d = torch.linalg.vector_norm(f[:, None] - f[None, :], dim=-1)
        return d / (d.sum() / torch.count_nonzero(d))
    return F.huber_loss(scaled(student_features), scaled(teacher_features).detach())
""",
    "hw2-q4": """
def rkd_angle_loss(student_features, teacher_features):
    def cos(f):
        e = F.normalize(f.unsqueeze(1) - f.unsqueeze(0), dim=-1)
        return torch.einsum("ijd,ikd->ijk", e, e)
    return F.smooth_l1_loss(cos(student_features), cos(teacher_features).detach())
""",
    "hw2-q5": """
def similarity_preserving_loss(student_features, teacher_features):
    g = [torch.einsum("id,jd->ij", f, f) for f in (student_features, teacher_features.detach())]
    g = [x / torch.einsum("ij,ij->i", x, x).sqrt().clamp_min(1e-12)[:, None] for x in g]
    return torch.einsum("ij,ij->", g[0] - g[1], g[0] - g[1]) / g[0].numel()
""",
}
FLOAT32 = {
    "hw2-q1": """
def attention_map(features, power):
    e = features.to(torch.float32).abs().pow(power).sum(1)
    norm = e.flatten(1).norm(dim=1).view(-1, 1, 1)
    return torch.where(norm > 0, e / norm.clamp(min=1e-8), 0.0)
""",
    "hw2-q2": """
def attention_transfer_loss(student_features, teacher_features, *, power):
    s, t = (attention_map(f.float(), power).flatten(1) for f in (student_features, teacher_features.detach()))
    return F.mse_loss(s, t) * s.shape[1]
""",
    "hw2-q3": """
def rkd_distance_loss(student_features, teacher_features):
    s, t = (torch.cdist(f.float(), f.float()) for f in (student_features, teacher_features.detach()))
    return F.smooth_l1_loss(s / s[s > 0].mean(), t / t[t > 0].mean())
""",
    "hw2-q4": """
def rkd_angle_loss(student_features, teacher_features):
    s, t = (F.normalize(f[None] - f[:, None], p=2, dim=2) for f in (student_features, teacher_features.detach()))
    return F.smooth_l1_loss(torch.bmm(s, s.transpose(1, 2)).view(-1), torch.bmm(t, t.transpose(1, 2)).view(-1))
""",
    "hw2-q5": """
def similarity_preserving_loss(student_features, teacher_features):
    s, t = (F.normalize(torch.mm(f, f.t())) for f in (student_features.float(), teacher_features.detach().float()))
    return torch.norm(s - t) ** 2 / len(s) ** 2
""",
}
NUMPY = {
    "hw2-q1": """
def attention_map(features, power):
    e = (np.abs(features.detach().numpy()) ** power).sum(axis=1)
    return e / np.maximum(np.linalg.norm(e, axis=(1, 2), keepdims=True), 1e-12)
""",
    "hw2-q2": """
def attention_transfer_loss(student_features, teacher_features, *, power):
    wanted = torch.as_tensor(attention_map(teacher_features, power))
    e = (student_features.abs() ** power).sum(1)
    mine = e / e.square().sum((1, 2), keepdim=True).sqrt()
    return (mine - wanted).square().sum((1, 2)).mean()
""",
    "hw2-q3": """
def rkd_distance_loss(student_features, teacher_features):
    t = teacher_features.detach().numpy()
    d = np.sqrt(((t[:, None] - t[None]) ** 2).sum(-1))
    d = torch.from_numpy(d / d[d > 0].mean())
    s = (student_features[:, None] - student_features[None]).norm(dim=2)
    x = (s / s[s > 0].mean() - d).abs()
    return torch.where(x < 1, x * x / 2, x - 0.5).sum() / len(s) ** 2
""",
    "hw2-q4": """
def rkd_angle_loss(student_features, teacher_features):
    t = teacher_features.detach().numpy()
    e = t[None] - t[:, None]
    n = np.linalg.norm(e, axis=2, keepdims=True)
    e = np.divide(e, n, out=np.zeros_like(e), where=n > 0)
    wanted = torch.from_numpy(e @ e.transpose(0, 2, 1))
    s = F.normalize(student_features[None] - student_features[:, None], dim=2)
    return F.smooth_l1_loss(s @ s.transpose(1, 2), wanted)
""",
    "hw2-q5": """
def similarity_preserving_loss(student_features, teacher_features):
    t = teacher_features.detach().numpy()
    g = t @ t.T
    n = np.linalg.norm(g, axis=1, keepdims=True)
    wanted = torch.from_numpy(np.where(n > 0, g / np.where(n > 0, n, 1), 0))
    return F.mse_loss(F.normalize(student_features @ student_features.T, dim=1), wanted)
""",
}
# Question 1 with maps of sum 1, and question 4 with the default axis of F.normalize.
SLIP = {
    "hw2-q1": """
def attention_map(features, power):
    e = features.abs().pow(power).sum(1)
    return e / e.sum((1, 2), keepdim=True).clamp_min(1e-12)
""",
    "hw2-q4": """
def rkd_angle_loss(student_features, teacher_features):
    s, t = (F.normalize(f[None] - f[:, None]) for f in (student_features, teacher_features.detach()))
    return F.smooth_l1_loss(torch.bmm(s, s.transpose(1, 2)), torch.bmm(t, t.transpose(1, 2)))
""",
}
STYLES = {"torch": {}, "loops": LOOPS, "einsum": EINSUM, "float32": FLOAT32, "numpy": NUMPY}


@pytest.fixture(scope="module")
def results():
    return grade_styles(HOMEWORK, STYLES | {"slip": SLIP})


@pytest.mark.parametrize("style", STYLES)
def test_a_right_answer_gets_everything_in_this_style(results, style):
    assert lost_points(results[style]) == {}
    assert results[style]["status"] == "graded"


def test_a_slip_costs_its_own_points_only(results):
    """The loss of question 2 is differentiated through question 1's map, asked from the judge."""
    lost = lost_points(results["slip"])
    named = {id: (row["points"], row["mistake"]) for id, row in lost.items()}
    assert named == {
        "hw2-q1": (0, "divided by the sum"),
        "hw2-q4": (0, "unit length along the wrong axis"),
    }
    [second] = [row for row in results["slip"]["questions"] if row["id"] == "hw2-q2"]
    assert second["uses"]["hw2-q1"] == "reference"
