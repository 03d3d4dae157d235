"""A small batch of numbers, normalized: by itself in training, by running statistics after."""

import math

import torch
import traitlets
from jaxtyping import Float, Float64
from torch import Tensor

from kdlab._checks import check_scores
from kdlab.batchnorm import BatchNorm, Statistics, batch_statistics, standardize, undo
from kdlab.widgets import _normalization_still
from kdlab.widgets import _stills as stills
from kdlab.widgets._draws import normals
from kdlab.widgets._traits import FARTHEST, Index, Number, Numbers
from kdlab.widgets._view import STATIC
from kdlab.widgets.page import PageView

#: Each is drawn with a number of its own.
FEWEST, MOST = 2, 16
LARGEST_SCALE = 1000.0
LEAST_EPS, MOST_EPS = 1e-8, 10.0
#: The unbiased variance of -100 and 100 is 20,000.
MOST_VARIANCE = 2 * FARTHEST**2
#: Mean and standard deviation of what is drawn.
SOURCE = (3.0, 1.5)


class NormalizationView(
    PageView, module="explore_normalization", uses=("points", "tables", "draws", "norms", "dots")
):
    """What `explore_normalization` returns: one feature of a batch, and its normalizer.

    Attributes:
        numbers: All numbers; the batch are the first of them.
        batch_size: How many of them are the batch.
        gamma: Scale, -1000 to 1000.
        beta: Shift, the same.
        eps: Added to the variance inside the root, 1e-8 to 10.
        momentum: Weight of a new batch in the running statistics, 0 to 1.
        training: True normalizes by the batch, False by the running statistics.
        running_mean, running_var: The running statistics.
    """

    title = "Batch normalization of a few numbers"
    shown = ("batch_size", "gamma", "beta", "eps", "momentum", "training")
    _css = PageView._css + (STATIC / "explore_normalization.css").read_text("utf-8")

    numbers = Numbers(lambda view: view.count).tag(sync=True)
    batch_size = Index(lambda view: view.count + 1).tag(sync=True)
    gamma = Number(-LARGEST_SCALE, LARGEST_SCALE, 1.0).tag(sync=True)
    beta = Number(-LARGEST_SCALE, LARGEST_SCALE, 0.0).tag(sync=True)
    eps = Number(LEAST_EPS, MOST_EPS, 1e-5).tag(sync=True)
    momentum = Number(0.0, 1.0, 0.1).tag(sync=True)
    training = traitlets.Bool(True).tag(sync=True)
    running_mean = Number(-FARTHEST, FARTHEST, 0.0).tag(sync=True)
    running_var = Number(0.0, MOST_VARIANCE, 1.0).tag(sync=True)
    _source = traitlets.List().tag(sync=True)

    def __init__(self, numbers: Tensor, **traits) -> None:
        self.count = len(numbers)
        source = [numbers.mean().item(), numbers.std(correction=0).item()]
        super().__init__(numbers=numbers.tolist(), _source=source, **traits)

    @traitlets.validate("batch_size")
    def _some(self, proposal) -> int:
        if proposal.value < 1:
            raise ValueError(f"batch_size must be >= 1, got {proposal.value}")
        return proposal.value

    @property
    def batch(self) -> Float64[Tensor, "batch 1"]:
        """The numbers that are normalized, one feature."""
        return torch.tensor(self.numbers[: self.batch_size], dtype=torch.double)[:, None]

    @property
    def statistics(self) -> Statistics:
        """Mean and biased variance of the batch."""
        return batch_statistics(self.batch)

    @property
    def unbiased(self) -> float:
        """Variance of the batch divided by one less; NaN for a single number."""
        count = self.batch_size
        return math.nan if count == 1 else self.statistics.variance.item() * count / (count - 1)

    @property
    def used(self) -> Statistics:
        """What the batch is normalized by: its own statistics, or the running ones."""
        if self.training:
            return self.statistics
        running = torch.tensor([[self.running_mean], [self.running_var]], dtype=torch.double)
        return Statistics(*running)

    @property
    def refused(self) -> bool:
        """Whether a layer refuses the batch: a single number in training has no spread."""
        return self.training and self.batch_size == 1

    @property
    def normalized(self) -> Float64[Tensor, "batch"]:
        """Each number less the mean, over the root; empty where the batch is refused."""
        if self.refused:
            return self.batch.new_empty(0)
        return standardize(self.batch, self.used, eps=self.eps).flatten()

    @property
    def outputs(self) -> Float64[Tensor, "batch"]:
        """What the layer gives; empty where the batch is refused."""
        if self.refused:
            return self.batch.new_empty(0)
        with torch.no_grad():
            return self.layer().train(self.training)(self.batch).flatten()

    @property
    def undone(self) -> dict[str, float]:
        """Gamma and beta with which the layer changes nothing, by the statistics it uses now."""
        mean, variance = (value.item() for value in self.used)
        return {"gamma": math.sqrt(variance + self.eps), "beta": mean}

    def layer(self) -> BatchNorm:
        """Make the layer: this eps, momentum, gamma, beta and these running statistics."""
        layer = BatchNorm(1, eps=self.eps, momentum=self.momentum).double()
        state = {
            "weight": self.gamma,
            "bias": self.beta,
            "running_mean": self.running_mean,
            "running_var": self.running_var,
        }
        full = {name: torch.tensor([value], dtype=torch.double) for name, value in state.items()}
        layer.load_state_dict({**full, "num_batches_tracked": torch.tensor(0)})
        return layer

    def step(self) -> None:
        """Show the batch to the layer in training: the running statistics follow.

        Raises:
            ValueError: The batch is a single number.
        """
        layer = self.layer().train()
        with torch.no_grad():
            layer(self.batch)
        self._remember(layer)

    def undo(self) -> None:
        """Set gamma, beta and running statistics so that the batch stays as it is.

        Raises:
            ValueError: The batch is a single number.
        """
        layer = self.layer()
        undo(layer, self.batch)
        self.gamma, self.beta = layer.weight.item(), layer.bias.item()
        self._remember(layer)

    def _remember(self, layer: BatchNorm) -> None:
        self.running_mean = layer.running_mean.item()
        self.running_var = layer.running_var.item()

    def summary(self) -> str:
        """Say what the batch's and the running statistics are, and what comes out."""
        mean, variance = (value.item() for value in self.statistics)
        mode = "training, by the batch" if self.training else "evaluation, by the running ones"
        told = (
            f"Batch of {self.batch_size} in {mode}: mean {mean:.4g}, biased variance "
            f"{variance:.4g}, running {self.running_mean:.4g} and {self.running_var:.4g}; "
        )
        if self.refused:
            return told + "a single number has no spread, training refuses it"
        # What rounding alone leaves of a mean of 0 may be negative.
        out = round(self.outputs.mean().item(), 4) + 0.0
        return told + (
            f"outputs of mean {out:.4f} and variance {self.outputs.var(correction=0):.4f}; "
            f"undone by gamma {self.undone['gamma']:.4g}, beta {self.undone['beta']:.4g}"
        )

    def still(self) -> str:
        """Draw the batch before, normalized, and after."""
        # Too long for one line.
        told = self.summary().replace(": ", "; ").split("; ")
        body = "".join(stills.words(10, 20 + 16 * i, part) for i, part in enumerate(told))
        rows = (self.batch.flatten(), self.normalized, self.outputs)
        body += _normalization_still.draw([row.tolist() for row in rows])
        size = {"width": _normalization_still.WIDTH, "height": _normalization_still.HEIGHT}
        return stills.picture(body, **size, title=self.title, description=self.summary())


def explore_normalization(
    *,
    numbers: Float[Tensor, "numbers"] | None = None,
    batch_size: int = 8,
    gamma: float = 1.0,
    beta: float = 0.0,
    eps: float = 1e-5,
    momentum: float = 0.1,
    training: bool = True,
) -> NormalizationView:
    r"""Drag the numbers of a small batch; see $\hat x$ and $y = \gamma\hat x + \beta$ follow.

    In training the batch is normalized by its own mean and biased variance, in evaluation by
    the running statistics, which a step moves by the momentum towards mean and unbiased
    variance of the batch. A button sets gamma and beta so that nothing is changed; another
    draws a new batch. Everything is computed in the browser.

    Args:
        numbers: 2 to 16 numbers, each at most 100 away from 0; None draws 16 around 3. New
            batches are drawn with their mean and standard deviation.
        batch_size: How many of them are the batch at the start, the first ones.
        gamma: Scale at the start, -1000 to 1000.
        beta: Shift at the start, the same.
        eps: Added to the variance inside the root, 1e-8 to 10.
        momentum: Weight of a new batch in the running statistics, 0 to 1.
        training: False starts in evaluation, by running statistics of mean 0 and variance 1.

    Returns:
        The view. `save_html(path)` writes it as a page that works without Python.

    Raises:
        ValueError: An argument is of another type, shape or range.

    References:
        Ioffe and Szegedy 2015, arXiv:1502.03167, algorithm 1.
    """
    if numbers is None:
        mean, spread = SOURCE
        numbers = mean + spread * torch.tensor(normals(0, MOST), dtype=torch.double)
    check_scores(numbers=numbers)
    shape = list(numbers.shape)
    if len(shape) != 1 or not FEWEST <= shape[0] <= MOST:
        raise ValueError(f"numbers must have shape [{FEWEST} to {MOST} numbers], got {shape}")
    settings = {"gamma": gamma, "beta": beta, "eps": eps, "momentum": momentum}
    values = numbers.detach().double().cpu()
    return NormalizationView(values, batch_size=batch_size, training=training, **settings)
