"""Right answers to homework 6 in several styles, handed in and graded apart, get everything."""

import sys

import pytest
from _styles import grade_styles, lost_points

from kdlab.grading import find_homework

HOMEWORK = find_homework("hw6")
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the sandbox is Linux's")

LOOPS = {
    "hw6-q1": """
def batch_norm(inputs, gamma, beta, running_mean, running_var, *, training, eps):
    out = torch.zeros_like(inputs)
    for c in range(inputs.shape[1]):
        x = inputs[:, c]
        mu = x.mean() if training else running_mean[c]
        var = ((x - mu) ** 2).mean() if training else running_var[c]
        out[:, c] = gamma[c] * (x - mu) / torch.sqrt(var + eps) + beta[c]
    return out
""",
    "hw6-q2": """
def batch_norm_backward(upstream, inputs, gamma, *, eps):
    dx = torch.zeros_like(inputs)
    dgamma, dbeta = [], []
    for c in range(inputs.shape[1]):
        x, u = inputs[:, c], upstream[:, c]
        m = x.numel()
        s = torch.sqrt(((x - x.mean()) ** 2).sum() / m + eps)
        z = (x - x.mean()) / s
        dbeta.append(u.sum())
        dgamma.append((u * z).sum())
        dx[:, c] = gamma[c] / s * (u - dbeta[-1] / m - z * dgamma[-1] / m)
    return dx, torch.stack(dgamma), torch.stack(dbeta)
""",
    "hw6-q3": """
def update_running(running_mean, running_var, inputs, *, momentum):
    new = torch.zeros(2, inputs.shape[1])
    for c in range(inputs.shape[1]):
        x = inputs[:, c].detach()
        new[0, c] = (1 - momentum) * running_mean[c] + momentum * x.mean()
        new[1, c] = (1 - momentum) * running_var[c] + momentum * x.var()
    return new
""",
    "hw6-q4": """
def undo(batch, *, eps):
    g, b, m, v = [], [], [], []
    for c in range(batch.shape[1]):
        x = batch[:, c].flatten()
        mu = x.sum() / len(x)
        var = ((x - mu) ** 2).sum() / len(x)
        g.append(torch.sqrt(var + eps).item())
        b.append(mu.item())
        m.append(mu.item())
        v.append(var.item())
    return g, b, m, v
""",
    "hw6-q5": """
def fold(weight, bias, gamma, beta, running_mean, running_var, *, eps):
    w, b = weight.clone(), bias.clone()
    for i in range(len(bias)):
        s = gamma[i] / math.sqrt(running_var[i].item() + eps)
        w[i] = s * weight[i]
        b[i] = s * (bias[i] - running_mean[i]) + beta[i]
    return w, b
""",
}
NUMPY = {
    "hw6-q1": """
def batch_norm(inputs, gamma, beta, running_mean, running_var, *, training, eps):
    x = inputs.numpy()
    axes = (0,) if x.ndim == 2 else (0, 2, 3)
    shape = (1, -1) if x.ndim == 2 else (1, -1, 1, 1)
    mu = x.mean(axes) if training else running_mean.numpy()
    var = x.var(axes) if training else running_var.numpy()
    z = (x - mu.reshape(shape)) / np.sqrt(var + eps).reshape(shape)
    return gamma.numpy().reshape(shape) * z + beta.numpy().reshape(shape)
""",
    "hw6-q2": """
def batch_norm_backward(upstream, inputs, gamma, *, eps):
    u, x = upstream.numpy(), inputs.numpy()
    axes = (0,) if x.ndim == 2 else (0, 2, 3)
    shape = (1, -1) if x.ndim == 2 else (1, -1, 1, 1)
    s = np.sqrt(x.var(axes, keepdims=True) + eps)
    z = (x - x.mean(axes, keepdims=True)) / s
    uz = (u * z).mean(axes, keepdims=True)
    dx = gamma.numpy().reshape(shape) / s * (u - u.mean(axes, keepdims=True) - z * uz)
    return dx, (u * z).sum(axes), u.sum(axes)
""",
    "hw6-q3": """
def update_running(running_mean, running_var, inputs, *, momentum):
    x = np.moveaxis(inputs.detach().numpy(), 1, 0).reshape(inputs.shape[1], -1)
    return np.array([
        (1 - momentum) * running_mean.numpy() + momentum * x.mean(1),
        (1 - momentum) * running_var.numpy() + momentum * x.var(1, ddof=1),
    ])
""",
    "hw6-q4": """
def undo(batch, *, eps):
    x = np.moveaxis(batch.numpy(), 1, 0).reshape(batch.shape[1], -1)
    return np.sqrt(x.var(1) + eps), x.mean(1), x.mean(1), x.var(1)
""",
}
TORCH = {
    "hw6-q1": """
def batch_norm(inputs, gamma, beta, running_mean, running_var, *, training, eps):
    mean, var = running_mean.clone(), running_var.clone()
    return F.batch_norm(inputs, mean, var, gamma, beta, training, eps=eps)
""",
    "hw6-q2": """
def batch_norm_backward(upstream, inputs, gamma, *, eps):
    x, g = inputs.clone().requires_grad_(), gamma.clone().requires_grad_()
    b = torch.zeros_like(gamma).requires_grad_()
    F.batch_norm(x, None, None, g, b, True, eps=eps).backward(upstream)
    return x.grad, g.grad, b.grad
""",
    "hw6-q3": """
def update_running(running_mean, running_var, inputs, *, momentum):
    kind = torch.nn.BatchNorm1d if inputs.ndim == 2 else torch.nn.BatchNorm2d
    layer = kind(inputs.shape[1], momentum=momentum)
    layer.running_mean.copy_(running_mean)
    layer.running_var.copy_(running_var)
    layer(inputs)
    return torch.stack([layer.running_mean, layer.running_var])
""",
    "hw6-q4": """
def undo(batch, *, eps):
    var, mean = torch.var_mean(batch.transpose(0, 1).flatten(1), dim=1, correction=0)
    return torch.stack([(var + eps).sqrt(), mean, mean, var])
""",
    "hw6-q5": """
def fold(weight, bias, gamma, beta, running_mean, running_var, *, eps):
    from torch.nn.utils.fusion import fuse_conv_bn_weights
    return fuse_conv_bn_weights(weight, bias, running_mean, running_var, eps, gamma, beta)
""",
}
DOUBLE = {
    "hw6-q1": """
def batch_norm(inputs, gamma, beta, running_mean, running_var, *, training, eps):
    x = torch.einsum("bf...->f...b", inputs.double()).flatten(1)
    m = x.mean(1) if training else running_mean
    v = (x ** 2).mean(1) - m ** 2 if training else running_var
    shape = [-1] + [1] * (inputs.ndim - 2)
    z = (inputs - m.view(shape)) / (v + eps).view(shape) ** 0.5
    return z * gamma.view(shape) + beta.view(shape)
""",
    "hw6-q5": """
def fold(weight, bias, gamma, beta, running_mean, running_var, *, eps):
    s = gamma.double() * (running_var + eps).rsqrt()
    return torch.einsum("o...,o->o...", weight.double(), s), s * bias + (beta - s * running_mean)
""",
}
# Evaluation forgotten, the statistics taken for constants, a graph kept, eps, and a wrong axis.
SLIP = {
    "hw6-q1": """
def batch_norm(inputs, gamma, beta, running_mean, running_var, *, training, eps):
    return F.batch_norm(inputs, None, None, gamma, beta, True, eps=eps)
""",
    "hw6-q2": """
def batch_norm_backward(upstream, inputs, gamma, *, eps):
    axes = [0] if inputs.ndim == 2 else [0, 2, 3]
    m, v = inputs.mean(axes, keepdim=True), inputs.var(axes, keepdim=True, unbiased=False)
    z = (inputs - m) / torch.sqrt(v + eps)
    dx = upstream * gamma.view_as(m[0]) / torch.sqrt(v + eps)
    return dx, (upstream * z).sum(axes), upstream.sum(axes)
""",
    "hw6-q3": """
def update_running(running_mean, running_var, inputs, *, momentum):
    axes = [0] if inputs.ndim == 2 else [0, 2, 3]
    mean = (1 - momentum) * running_mean + momentum * inputs.mean(axes)
    var = (1 - momentum) * running_var + momentum * inputs.var(axes)
    return torch.stack([mean, var])
""",
    "hw6-q4": """
def undo(batch, *, eps):
    axes = [0] if batch.ndim == 2 else [0, 2, 3]
    m, v = batch.mean(axes), batch.var(axes, unbiased=False)
    return v.sqrt(), m, m, v
""",
    "hw6-q5": """
def fold(weight, bias, gamma, beta, running_mean, running_var, *, eps):
    s = gamma / torch.sqrt(running_var + eps)
    return weight * s, s * (bias - running_mean) + beta
""",
}
STYLES = {"solution": {}, "loops": LOOPS, "numpy": NUMPY, "torch": TORCH, "double": DOUBLE}


@pytest.fixture(scope="module")
def results():
    return grade_styles(HOMEWORK, STYLES | {"slip": SLIP})


@pytest.mark.parametrize("style", STYLES)
def test_a_right_answer_gets_everything_in_this_style(results, style):
    assert lost_points(results[style]) == {}
    assert results[style]["status"] == "graded"


def test_a_slip_costs_its_own_points_only(results):
    """Half of question 1 is left: in training, `evaluation ignored` is right."""
    lost = lost_points(results["slip"])
    assert {id: (row["points"], row["mistake"]) for id, row in lost.items()} == {
        "hw6-q1": (2, "evaluation ignored"),
        "hw6-q2": (0, "the statistics taken for constants"),
        "hw6-q3": (0, "statistics in the graph"),
        "hw6-q4": (0, "eps not used"),
        "hw6-q5": (0, "the inputs scaled instead of the outputs"),
    }
