# ruff: noqa: E501 - answers are written as students write them
"""The other way too: right answers in five styles, handed in and graded apart, get everything."""

import sys

import pytest
from _styles import grade_styles, lost_points

from kdlab.grading import find_homework

HOMEWORK = find_homework("hw1")
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the sandbox is Linux's")

LOOPS = {
    "hw1-q1": """
import math
def tempered_softmax(logits, temperature):
    rows = []
    for row in logits.tolist():
        top = max(row)
        powers = [math.exp((z - top) / temperature) for z in row]
        rows.append([power / sum(powers) for power in powers])
    return torch.tensor(rows)
""",
    "hw1-q2": """
def entropy(probabilities):
    found = []
    for row in probabilities.tolist():
        found.append(sum(-p * math.log(p) for p in row if p > 0))
    return found
""",
    "hw1-q3": """
def soft_target_loss(student_logits, teacher_logits, *, temperature):
    total = 0.0
    for z, v in zip(student_logits, teacher_logits.detach()):
        log_q = z / temperature - torch.logsumexp(z / temperature, 0)
        log_p = v / temperature - torch.logsumexp(v / temperature, 0)
        for a, b in zip(log_p, log_q):
            total = total + a.exp() * (a - b)
    return temperature * temperature * total / len(student_logits)
""",
    "hw1-q4": """
def soft_target_gradient(student_logits, teacher_logits, *, temperature):
    q, p = tempered_softmax(student_logits, temperature), tempered_softmax(teacher_logits, temperature)
    B = len(q)
    return [[temperature * (q[b][i] - p[b][i]).item() / B for i in range(len(q[b]))] for b in range(B)]
""",
    "hw1-q5": """
def distillation_loss(student_logits, teacher_logits, targets, *, temperature, lambda_):
    hard = 0.0
    for z, y in zip(student_logits, targets):
        hard = hard + torch.logsumexp(z, 0) - z[y]
    soft = soft_target_loss(student_logits, teacher_logits, temperature=temperature)
    return (1 - lambda_) * hard / len(targets) + lambda_ * soft
""",
}
EINSUM = {
    "hw1-q1": """
def tempered_softmax(logits, temperature):
    e = torch.exp((logits - logits.max(dim=1, keepdim=True).values) / temperature)
    return torch.einsum("bi,b->bi", e, 1 / torch.einsum("bi->b", e))
""",
    "hw1-q2": """
def entropy(probabilities):
    return torch.einsum("bi,bi->b", probabilities, -probabilities.clamp_min(1e-38).log())
""",
    "hw1-q3": """
def soft_target_loss(student_logits, teacher_logits, *, temperature):
    with torch.no_grad():
        log_p = (teacher_logits / temperature).log_softmax(1)
    gap = log_p - (student_logits / temperature).log_softmax(1)
    return temperature**2 * torch.einsum("bi,bi->", log_p.exp(), gap) / gap.shape[0]
""",
    "hw1-q4": """
def soft_target_gradient(student_logits, teacher_logits, *, temperature):
    both = torch.stack([student_logits, teacher_logits]) / temperature
    return torch.einsum("s,sbi->bi", torch.tensor([1.0, -1.0]), both.softmax(-1)) * temperature / both.shape[1]
""",
    "hw1-q5": """
def distillation_loss(student_logits, teacher_logits, targets, *, temperature, lambda_):
    hot = torch.nn.functional.one_hot(targets, student_logits.shape[1]).float()
    hard = -torch.einsum("bi,bi->", hot, student_logits.log_softmax(1)) / len(hot)
    soft = soft_target_loss(student_logits, teacher_logits, temperature=temperature)
    return torch.einsum("i,i->", torch.tensor([1 - lambda_, lambda_]), torch.stack([hard, soft]))
""",
}
FLOAT32 = {
    "hw1-q1": """
def tempered_softmax(logits, temperature):
    return torch.softmax(logits.float() / torch.tensor(temperature, dtype=torch.float32), dim=-1)
""",
    "hw1-q2": """
def entropy(probabilities):
    p = probabilities.to(torch.float32)
    return torch.where(p > 0, -p * torch.log(torch.where(p > 0, p, torch.ones_like(p))), 0.0).sum(-1)
""",
    "hw1-q3": """
import torch.nn.functional as F
def soft_target_loss(student_logits, teacher_logits, *, temperature):
    z, v = student_logits.float() / temperature, teacher_logits.float().detach() / temperature
    return F.kl_div(F.log_softmax(z, -1), F.log_softmax(v, -1), log_target=True, reduction="batchmean") * temperature**2
""",
    "hw1-q4": """
def soft_target_gradient(student_logits, teacher_logits, *, temperature):
    q, p = (F.softmax(x.float() / temperature, 1) for x in (student_logits, teacher_logits))
    return (q - p) * (temperature / student_logits.size(0))
""",
    "hw1-q5": """
def distillation_loss(student_logits, teacher_logits, targets, *, temperature, lambda_):
    hard = F.nll_loss(F.log_softmax(student_logits.float(), 1), targets)
    return hard + lambda_ * (soft_target_loss(student_logits, teacher_logits, temperature=temperature) - hard)
""",
}
NUMPY = {
    "hw1-q1": """
def tempered_softmax(logits, temperature):
    z = np.asarray(logits.detach(), dtype=np.float64) / temperature
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)
""",
    "hw1-q2": """
def entropy(probabilities):
    p = probabilities.numpy()
    return -np.sum(p * np.log(p, where=p > 0, out=np.zeros_like(p)), axis=1)
""",
    "hw1-q3": """
def soft_target_loss(student_logits, teacher_logits, *, temperature):
    p = torch.from_numpy(tempered_softmax(teacher_logits, temperature)).to(student_logits.dtype)
    log_q = torch.log_softmax(student_logits / temperature, dim=1)
    cross = -(p * log_q).sum(1)
    own = np.array([-sum(x * np.log(x) for x in row if x > 0) for row in p.double().numpy()])
    return temperature**2 * (cross - torch.from_numpy(own)).mean()
""",
    "hw1-q4": """
def soft_target_gradient(student_logits, teacher_logits, *, temperature):
    gap = tempered_softmax(student_logits, temperature) - tempered_softmax(teacher_logits, temperature)
    return temperature * gap / len(gap)
""",
    "hw1-q5": """
def distillation_loss(student_logits, teacher_logits, targets, *, temperature, lambda_):
    rows = np.arange(len(targets))
    hard = -torch.log_softmax(student_logits, 1)[rows, targets.numpy()].mean()
    return (1 - lambda_) * hard + lambda_ * soft_target_loss(student_logits, teacher_logits, temperature=temperature)
""",
}
# Question 3 without its T^2, and its gradient reaches the teacher.
SLIP = {
    "hw1-q3": """
def soft_target_loss(student_logits, teacher_logits, *, temperature):
    log_q, log_p = (torch.log_softmax(x / temperature, 1) for x in (student_logits, teacher_logits))
    return (log_p.exp() * (log_p - log_q)).sum(1).mean()
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
    """The loss of question 5 is differentiated through question 3's, asked from the judge."""
    rows = {row["id"]: row for row in results["slip"]["questions"]}
    assert rows["hw1-q3"]["points"] == 0 and rows["hw1-q3"]["mistake"] == "T^2 missing"
    assert rows["hw1-q5"]["status"] == "right"
    assert rows["hw1-q5"]["uses"]["hw1-q3"] == "reference"
    assert rows["hw1-q6"]["status"] == "right"
