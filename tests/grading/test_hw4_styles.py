"""Right answers to homework 4 in several styles, handed in and graded apart, get everything."""

import sys

import pytest
from _styles import grade_styles, lost_points

from kdlab.grading import find_homework

HOMEWORK = find_homework("hw4")
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the sandbox is Linux's")

LOOPS = {
    "hw4-q1": """
def precision_weights(known, *, sigma, teacher_sigma, lambda_):
    a = []
    b = []
    for k in known:
        if k:
            a.append((1 - lambda_) / sigma ** 2)
            b.append(lambda_ / teacher_sigma ** 2)
        else:
            a.append(1 / sigma ** 2)
            b.append(0.0)
    return a, b
""",
    "hw4-q2": """
def pseudo_responses(targets, teacher, label_weights, teacher_weights):
    y2, c = [], []
    for i in range(len(targets)):
        a, b = label_weights[i].item(), teacher_weights[i].item()
        if b == 0:
            y2.append(targets[i].item())
        else:
            y2.append((a * targets[i].item() + b * teacher[i].item()) / (a + b))
        c.append(a + b)
    return y2, c
""",
    "hw4-q3": """
def fit_student(inputs, responses, weights):
    n = inputs.shape[1]
    A = torch.zeros(n, n, dtype=torch.float64)
    r = torch.zeros(n, dtype=torch.float64)
    for x, y, c in zip(inputs.double(), responses.double(), weights.double()):
        A = A + c * torch.outer(x, x)
        r = r + c * y * x
    return torch.linalg.solve(A, r)
""",
    "hw4-q4": """
def constant_of_two(probabilities):
    result = []
    for g1, g2 in probabilities.tolist():
        if abs(g1 - g2) < 1e-8:
            result.append(1 / g1)
        else:
            result.append(math.log(g1 / g2) / (g1 - g2))
    return result
""",
    "hw4-q5": """
def constant_of_three(probabilities):
    result = []
    n = 150
    for g in probabilities.tolist():
        total = 0
        for i in range(n):
            s = (i + 0.5) / n
            for j in range(n):
                t = (1 - s) * (j + 0.5) / n
                total += (1 - s) * g[0] ** s * g[1] ** t * g[2] ** (1 - s - t)
        result.append(n * n / total)
    return result
""",
    "hw4-q6": """
def generalized_targets(teacher_logits, targets, known, *, lambda_, temperature):
    q = []
    for v, y, k in zip(teacher_logits.tolist(), targets.tolist(), known.tolist()):
        row = [0.0] * len(v)
        row[y] = 1.0
        if k:
            e = [math.exp((each - max(v)) / temperature) for each in v]
            row = [(1 - lambda_) * r + lambda_ * each / sum(e) for r, each in zip(row, e)]
        q.append(row)
    return q
""",
}
NUMPY = {
    "hw4-q1": """
def precision_weights(known, *, sigma, teacher_sigma, lambda_):
    k = known.numpy()
    return np.where(k, 1 - lambda_, 1) / sigma**2, np.where(k, lambda_, 0) / teacher_sigma**2
""",
    "hw4-q2": """
def pseudo_responses(targets, teacher, label_weights, teacher_weights):
    y, s, a, b = [t.numpy() for t in (targets, teacher, label_weights, teacher_weights)]
    s = np.where(b > 0, s, 0)
    return np.array([(a * y + b * s) / (a + b), a + b])
""",
    "hw4-q3": """
def fit_student(inputs, responses, weights):
    x, y = inputs.numpy().astype(float), responses.numpy().astype(float)
    root = np.sqrt(weights.numpy().astype(float))
    return np.linalg.pinv(root[:, None] * x) @ (root * y)
""",
    "hw4-q4": """
def constant_of_two(probabilities):
    g = probabilities.numpy()
    x, w = np.polynomial.legendre.leggauss(16)
    s = (x + 1) / 2
    return 1 / (g[:, :1] ** s * g[:, 1:] ** (1 - s) @ (w / 2))
""",
    "hw4-q5": """
def constant_of_three(probabilities):
    x, w = np.polynomial.legendre.leggauss(16)
    u, w = (x + 1) / 2, w / 2
    s, v = np.meshgrid(u, u, indexing="ij")
    t = (1 - s) * v
    area = np.outer(w, w) * (1 - s)
    return np.array([1 / np.sum(area * a**s * b**t * c ** (1 - s - t))
                     for a, b, c in probabilities.numpy()])
""",
    "hw4-q6": """
def generalized_targets(teacher_logits, targets, known, *, lambda_, temperature):
    k = known.numpy()
    q = np.eye(teacher_logits.shape[1])[targets.numpy()]
    v = teacher_logits.numpy()[k] / temperature
    p = np.exp(v - v.max(1, keepdims=True))
    q[k] = (1 - lambda_) * q[k] + lambda_ * p / p.sum(1, keepdims=True)
    return q
""",
}
TORCH = {
    "hw4-q1": """
def precision_weights(known, *, sigma, teacher_sigma, lambda_):
    heard = lambda_ * known.float()
    return torch.stack([(1 - heard) / sigma**2, heard / teacher_sigma**2])
""",
    "hw4-q2": """
def pseudo_responses(targets, teacher, label_weights, teacher_weights):
    weights = label_weights + teacher_weights
    share = teacher_weights / weights
    return torch.where(share > 0, torch.lerp(targets, teacher, share), targets), weights
""",
    "hw4-q3": """
def fit_student(inputs, responses, weights):
    w = torch.zeros(inputs.shape[1], dtype=torch.float64, requires_grad=True)
    loss = (weights.double() * (responses - inputs.double() @ w) ** 2).sum()
    slope, = torch.autograd.grad(loss, w, create_graph=True)
    bend = torch.stack([torch.autograd.grad(each, w, retain_graph=True)[0] for each in slope])
    return -torch.linalg.solve(bend, slope).detach()
""",
    "hw4-q4": """
def constant_of_two(probabilities):
    table = torch.diag_embed(probabilities.log())
    table[:, 0, 1] = 1
    return 1 / torch.matrix_exp(table)[:, 0, 1]
""",
    "hw4-q5": """
def constant_of_three(probabilities):
    table = torch.diag_embed(probabilities.log())
    table[:, [0, 1], [1, 2]] = 1
    return 1 / torch.matrix_exp(table)[:, 0, 2]
""",
    "hw4-q6": """
def generalized_targets(teacher_logits, targets, known, *, lambda_, temperature):
    hard = F.one_hot(targets, teacher_logits.shape[1]).float()
    soft = F.softmax(teacher_logits / temperature, dim=1)
    return torch.where(known.unsqueeze(1), (1 - lambda_) * hard + lambda_ * soft, hard)
""",
}
# float32 where nothing forbids it.
SINGLE = {
    "hw4-q4": """
def constant_of_two(probabilities):
    s = torch.linspace(0, 1, 501)
    g = probabilities.float()
    return 1 / torch.trapezoid(g[:, :1] ** s * g[:, 1:] ** (1 - s), s)
""",
    "hw4-q5": """
def constant_of_three(probabilities):
    u = (torch.arange(300) + 0.5) / 300
    s, t = u[:, None].expand(300, 300), (1 - u[:, None]) * u
    shares = torch.stack([s, t, 1 - s - t], -1)
    powers = torch.exp(shares @ probabilities.float().log().T) * (1 - s)[..., None]
    return 1 / powers.mean((0, 1))
""",
}
# The slide's weights, the weights squared, and a limit forgotten.
SLIP = {
    "hw4-q1": """
def precision_weights(known, *, sigma, teacher_sigma, lambda_):
    k = known.float()
    return (1 - lambda_ * k) * sigma**2, lambda_ * k * teacher_sigma**2
""",
    "hw4-q3": """
def fit_student(inputs, responses, weights):
    X = weights[:, None].double() * inputs
    return torch.linalg.lstsq(X, (weights.double() * responses)[:, None]).solution.squeeze()
""",
    "hw4-q4": """
def constant_of_two(probabilities):
    a, b = probabilities[:, 0], probabilities[:, 1]
    return torch.log(a / b) / (a - b)
""",
}
STYLES = {"solution": {}, "loops": LOOPS, "numpy": NUMPY, "torch": TORCH, "single": SINGLE}


@pytest.fixture(scope="module")
def results():
    return grade_styles(HOMEWORK, STYLES | {"slip": SLIP})


@pytest.mark.parametrize("style", STYLES)
def test_a_right_answer_gets_everything_in_this_style(results, style):
    assert lost_points(results[style]) == {}
    assert results[style]["status"] == "graded"


def test_a_slip_costs_its_own_points_only(results):
    """Three fifths of question 4 are left: no two are equal there, or nearly so."""
    lost = lost_points(results["slip"])
    assert {id: (row["points"], row["mistake"]) for id, row in lost.items()} == {
        "hw4-q1": (0, "variances instead of precisions"),
        "hw4-q3": (0, "the weights squared"),
        "hw4-q4": (1.8, "0 divided by 0"),
    }
