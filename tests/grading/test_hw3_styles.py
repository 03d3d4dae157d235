"""Right answers to homework 3 in several styles, handed in and graded apart, get everything."""

import sys

import pytest
from _styles import grade_styles, lost_points

from kdlab.grading import find_homework

HOMEWORK = find_homework("hw3")
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the sandbox is Linux's")

LOOPS = {
    "hw3-q1": """
def cost_of_paths(paths, costs):
    seen = []
    total = 0
    for row in paths:
        beginning = []
        for size in row:
            if size == 0:
                break
            beginning = beginning + [int(size)]
            if beginning not in seen:
                seen.append(beginning)
                total = total + costs[size]
    return len(seen), total
""",
    "hw3-q2": """
def softmax(z):
    e = [math.exp(v - max(z)) for v in z]
    return [v / sum(e) for v in e]
def one_step(own, other, x, y, T, lam, rate):
    new = [list(row) for row in own]
    for row, target in zip(x, y):
        z = [sum(w * v for w, v in zip(weights, row)) for weights in own]
        u = [sum(w * v for w, v in zip(weights, row)) for weights in other]
        hard, q, p = softmax(z), softmax([v / T for v in z]), softmax([v / T for v in u])
        for c in range(len(z)):
            g = (1 - lam) * (hard[c] - (c == target)) + lam * T * (q[c] - p[c])
            for f in range(len(row)):
                new[c][f] -= rate * g * row[f] / len(x)
    return new
def mutual_step(first, second, inputs, targets, *, temperature, lambda_, learning_rate):
    rest = inputs.tolist(), targets.tolist(), temperature, lambda_, learning_rate
    a = one_step(first.tolist(), second.tolist(), *rest)
    return a, one_step(second.tolist(), a, *rest)
""",
    "hw3-q3": """
def born_again_targets(logits, targets, *, lambda_, ensemble):
    rows = []
    for b in range(len(targets)):
        p = torch.zeros(logits.shape[2])
        numbers = range(1, len(logits)) if ensemble else [len(logits) - 1]
        for g in numbers:
            p = p + torch.softmax(logits[g][b], dim=0) / len(numbers)
        row = lambda_ * p
        row[targets[b]] += 1 - lambda_
        rows.append(row)
    return torch.stack(rows)
""",
    "hw3-q4": """
def snapshot_rates(*, epochs, cycles, steps, rate):
    rates = []
    for cycle in range(cycles):
        N = (epochs // cycles) * steps
        for n in range(N):
            rates.append(rate * (1 + math.cos(math.pi * n / N)) / 2)
    return rates
""",
    "hw3-q5": """
def teacher_weights(training_losses, held_out_errors, *, patience, lambda_):
    weights = []
    best = None
    waiting = 0
    stopped = False
    for e in held_out_errors:
        if stopped:
            weights.append(0)
            continue
        weights.append(lambda_)
        if best is None or e < best:
            best = e
            waiting = 0
        else:
            waiting += 1
        if waiting == patience:
            stopped = True
    return weights
""",
}
# torch's own optimizer and scheduler, in the sandbox.
OPTIMIZER = {
    "hw3-q1": """
def cost_of_paths(paths, costs):
    networks = {tuple(p[:n]) for p in paths.tolist() for n in range(1, len(p) + 1) if p[n - 1]}
    return torch.tensor([len(networks), sum(costs[n[-1]] for n in networks)])
""",
    "hw3-q2": """
def mutual_step(first, second, inputs, targets, *, temperature, lambda_, learning_rate):
    W = [torch.nn.Parameter(first.clone()), torch.nn.Parameter(second.clone())]
    opt = [torch.optim.SGD([w], lr=learning_rate) for w in W]
    for me, peer in [(0, 1), (1, 0)]:
        mine = inputs @ W[me].T
        peers = (inputs @ W[peer].T).detach()
        kl = F.kl_div(F.log_softmax(mine / temperature, 1), F.softmax(peers / temperature, 1),
                      reduction="batchmean")
        loss = (1 - lambda_) * F.cross_entropy(mine, targets) + lambda_ * temperature ** 2 * kl
        opt[me].zero_grad()
        loss.backward()
        opt[me].step()
    return W[0], W[1]
""",
    "hw3-q4": """
def snapshot_rates(*, epochs, cycles, steps, rate):
    opt = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=rate)
    N = epochs // cycles * steps
    sched = torch.optim.lr_scheduler.CosineAnnealingWarmRestarts(opt, N)
    rates = []
    for _ in range(epochs * steps):
        rates.append(opt.param_groups[0]["lr"])
        opt.step()
        sched.step()
    return rates
""",
}
EINSUM = {
    "hw3-q2": """
def mutual_step(first, second, inputs, targets, *, temperature, lambda_, learning_rate):
    def new(own, other):
        z = torch.einsum("bf,cf->bc", inputs, own)
        v = torch.einsum("bf,cf->bc", inputs, other)
        g = (1 - lambda_) * (z.softmax(1) - torch.eye(z.shape[1])[targets])
        T = temperature
        g = g + lambda_ * T * ((z / T).softmax(1) - (v / T).softmax(1))
        return own - learning_rate / len(inputs) * torch.einsum("bc,bf->cf", g, inputs)
    first = new(first, second)
    return torch.stack([first, new(second, first)])
""",
    "hw3-q3": """
def born_again_targets(logits, targets, *, lambda_, ensemble):
    p = F.softmax(logits, dim=2)
    G = len(p) - 1
    weight = torch.zeros(G + 1)
    weight[1:] = 1 / G
    if not ensemble:
        weight = torch.eye(G + 1)[G]
    taught = torch.einsum("g,gbc->bc", weight, p)
    return (1 - lambda_) * torch.eye(p.shape[2])[targets] + lambda_ * taught
""",
    "hw3-q4": """
def snapshot_rates(*, epochs, cycles, steps, rate):
    n = torch.arange(epochs * steps).remainder(epochs // cycles * steps)
    return rate * torch.cos(torch.pi * n / (2 * (epochs // cycles * steps))).square()
""",
    "hw3-q5": """
def teacher_weights(training_losses, held_out_errors, *, patience, lambda_):
    best = held_out_errors.cummin(0)[0]
    stalled = torch.zeros(len(best), dtype=torch.bool)
    stalled[patience:] = best[patience:] == best[:-patience]
    dropped = stalled.long().cumsum(0) - stalled.long()
    return lambda_ * (dropped == 0)
""",
}
NUMPY = {
    "hw3-q1": """
def cost_of_paths(paths, costs):
    p, c = paths.numpy(), costs.numpy()
    number, cost = 0, 0.0
    for n in range(1, p.shape[1] + 1):
        rows = np.unique(p[p[:, n - 1] != 0][:, :n], axis=0)
        number += len(rows)
        cost += c[rows[:, -1]].sum()
    return np.array([number, cost])
""",
    "hw3-q2": """
def sm(z):
    z = np.exp(z - z.max(1, keepdims=True))
    return z / z.sum(1, keepdims=True)
def mutual_step(first, second, inputs, targets, *, temperature, lambda_, learning_rate):
    x, y, T = inputs.numpy(), np.eye(len(first))[targets.numpy()], temperature
    def new(a, b):
        za, zb = x @ a.T, x @ b.T
        d = (1 - lambda_) * (sm(za) - y) + lambda_ * T * (sm(za / T) - sm(zb / T))
        return a - learning_rate * d.T @ x / len(x)
    first, second = first.numpy(), second.numpy()
    first = new(first, second)
    return first, new(second, first)
""",
    "hw3-q3": """
def born_again_targets(logits, targets, *, lambda_, ensemble):
    z = logits.numpy()
    p = np.exp(z - z.max(axis=2, keepdims=True))
    p = p / p.sum(axis=2, keepdims=True)
    p = np.mean(p[1:], axis=0) if ensemble else p[-1]
    y = np.zeros_like(p)
    y[np.arange(len(y)), targets.numpy()] = 1
    return (1 - lambda_) * y + lambda_ * p
""",
    "hw3-q4": """
def snapshot_rates(*, epochs, cycles, steps, rate):
    N = epochs * steps // cycles
    t = np.linspace(0, np.pi, N + 1)[:-1]
    return np.concatenate([rate * (np.cos(t) + 1) / 2] * cycles)
""",
    "hw3-q5": """
def teacher_weights(training_losses, held_out_errors, *, patience, lambda_):
    e = held_out_errors.numpy()
    w = np.full(len(e), lambda_)
    for i in range(len(e)):
        if i - np.argmin(e[: i + 1]) >= patience:
            w[i + 1:] = 0
            break
    return w
""",
}
# Ends shared in question 1, at once in question 2, and logits averaged in question 3.
SLIP = {
    "hw3-q1": """
def cost_of_paths(paths, costs):
    rows = [[s for s in row if s] for row in paths.tolist()]
    networks = {tuple(row[n:]) for row in rows for n in range(len(row))}
    return len(networks), sum(float(costs[n[0]]) for n in networks)
""",
    "hw3-q2": """
def mutual_step(first, second, inputs, targets, *, temperature, lambda_, learning_rate):
    W = [w.clone().requires_grad_() for w in (first, second)]
    z = [inputs @ w.T for w in W]
    new = []
    for k in (0, 1):
        q = F.log_softmax(z[k] / temperature, 1)
        p = F.softmax(z[1 - k].detach() / temperature, 1)
        kl = F.kl_div(q, p, reduction="batchmean") * temperature ** 2
        loss = (1 - lambda_) * F.cross_entropy(z[k], targets) + lambda_ * kl
        new.append(W[k] - learning_rate * torch.autograd.grad(loss, W[k])[0])
    return tuple(new)
""",
    "hw3-q3": """
def born_again_targets(logits, targets, *, lambda_, ensemble):
    z = logits[1:].mean(0) if ensemble else logits[-1]
    return (1 - lambda_) * F.one_hot(targets, z.shape[1]) + lambda_ * z.softmax(1)
""",
}
STYLES = {"torch": {}, "loops": LOOPS, "optimizer": OPTIMIZER, "einsum": EINSUM, "numpy": NUMPY}


@pytest.fixture(scope="module")
def results():
    return grade_styles(HOMEWORK, STYLES | {"slip": SLIP})


@pytest.mark.parametrize("style", STYLES)
def test_a_right_answer_gets_everything_in_this_style(results, style):
    assert lost_points(results[style]) == {}
    assert results[style]["status"] == "graded"


def test_a_slip_costs_its_own_points_only(results):
    """Half of question 3 is left: the next generation's targets are right."""
    lost = lost_points(results["slip"])
    assert {id: (row["points"], row["mistake"]) for id, row in lost.items()} == {
        "hw3-q1": (0, "ends shared instead of beginnings"),
        "hw3-q2": (0, "at once instead of in turn"),
        "hw3-q3": (2, "logits averaged"),
    }
