"""A layer that normalizes over the batch, as torch's does, with our own backward pass."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from kdlab._checks import check_count, check_fraction, check_not_negative
from kdlab.batchnorm import _closed
from kdlab.batchnorm._axes import check_inputs, check_more_than_one, values_per_feature, widened
from kdlab.batchnorm.formulas import Statistics, batch_norm_forward


class _ByBatch(torch.autograd.Function):
    """Normalization by the batch's own statistics, its gradient in closed form.

    Nothing of the inputs' size is kept but the inputs themselves; autograd on the formula keeps
    three such tensors.
    """

    @staticmethod
    def forward(inputs: Tensor, gamma: Tensor, beta: Tensor, eps: float) -> tuple[Tensor, ...]:
        mean, variance = _closed.statistics(inputs)
        inverse = torch.rsqrt(variance + eps)
        normalized = _closed.standardize(inputs, mean, inverse)
        return _closed.scale_and_shift(normalized, gamma, beta), mean, variance, inverse

    @staticmethod
    def setup_context(context, inputs: tuple, output: tuple) -> None:
        values, gamma, _, context.eps = inputs
        _, mean, variance, inverse = output
        context.mark_non_differentiable(mean, variance, inverse)
        context.save_for_backward(values, gamma, mean, inverse)

    @staticmethod
    def backward(context, upstream: Tensor, *_: Tensor) -> tuple[Tensor | None, ...]:
        inputs, gamma, mean, inverse = context.saved_tensors
        if torch.is_grad_enabled():
            # For a second derivative the statistics must hang on the inputs; saved ones don't.
            mean, variance = _closed.statistics(inputs)
            inverse = torch.rsqrt(variance + context.eps)
        normalized = _closed.standardize(inputs, mean, inverse)
        return *_closed.carry_back(upstream, normalized, gamma, inverse), None


class BatchNorm(nn.Module):
    r"""Batch normalization of features or of channels, with the closed-form gradient.

    In training: $y = \gamma\,(x - \mu)/\sqrt{\sigma^2 + \epsilon} + \beta$ by the batch's mean
    and biased variance. Running statistics follow:
    $r \leftarrow (1 - \text{momentum})\,r + \text{momentum} \cdot \text{new}$, where the new
    variance is the unbiased one, $\frac{m}{m-1}\sigma^2$. In evaluation $y$ is computed by the
    running statistics.

    It behaves as `nn.BatchNorm1d` on [batch, features] and as `nn.BatchNorm2d` on [batch,
    channels, height, width], and reads and writes their state. Two things differ: a batch that
    is refused isn't counted, and eps may be 0. Half precision is computed in float32.

    Args:
        num_features: Features, or channels.
        eps: Added to the variance inside the root, >= 0.
        momentum: Weight of a new batch in the running statistics, in [0, 1]; None is the plain
            mean over all batches.
        affine: Whether gamma (`weight`) and beta (`bias`) are there to be learned.
        track_running_stats: If False, evaluation normalizes by the batch, too.

    Raises:
        ValueError: num_features is no positive whole number, eps is negative or not finite, or
            momentum is outside [0, 1].

    References:
        Ioffe and Szegedy 2015, arXiv:1502.03167, whose evaluation takes the mean over batches
        instead of a running one: that is momentum None, or `recalibrate`.
    """

    # What torch writes into a state since num_batches_tracked is part of it.
    _version = 2

    def __init__(
        self,
        num_features: int,
        *,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
    ) -> None:
        super().__init__()
        check_count(num_features=num_features)
        check_not_negative(eps=eps)
        check_fraction(momentum=0.0 if momentum is None else momentum)
        self.num_features, self.eps, self.momentum = num_features, eps, momentum
        self.affine, self.track_running_stats = affine, track_running_stats
        self._make_state()

    def _make_state(self) -> None:
        ones, zeros = torch.ones(self.num_features), torch.zeros(self.num_features)
        learned, tracked = self.affine, self.track_running_stats
        self.register_parameter("weight", nn.Parameter(ones.clone()) if learned else None)
        self.register_parameter("bias", nn.Parameter(zeros.clone()) if learned else None)
        self.register_buffer("running_mean", zeros if tracked else None)
        self.register_buffer("running_var", ones if tracked else None)
        self.register_buffer("num_batches_tracked", torch.tensor(0) if tracked else None)

    def reset_running_stats(self) -> None:
        """Forget all batches: mean 0, variance 1, none counted."""
        if self.running_mean is not None:
            self.running_mean.zero_()
            self.running_var.fill_(1)
            self.num_batches_tracked.zero_()

    def forward(
        self, inputs: Float[Tensor, "batch features *places"]
    ) -> Float[Tensor, "batch features *places"]:
        """Normalize a batch; in training, learn its statistics.

        Raises:
            ValueError: The inputs have another shape or number format, or a batch that is
                normalized by itself has a single value a feature.
        """
        self._check(inputs)
        wide = widened(inputs)
        gamma, beta = self._scale(wide)
        if not self.training and self.running_mean is not None:
            running = Statistics(widened(self.running_mean), widened(self.running_var))
            outputs = batch_norm_forward(wide, gamma, beta, statistics=running, eps=self.eps)
            return outputs.to(inputs.dtype)
        check_more_than_one(inputs)
        outputs, mean, variance, _ = _ByBatch.apply(wide, gamma, beta, self.eps)
        if self.training and self.track_running_stats and self.running_mean is not None:
            self._track(mean, variance, values_per_feature(inputs))
        return outputs.to(inputs.dtype)

    def extra_repr(self) -> str:
        """Name the settings, as torch does."""
        settings = ("eps", "momentum", "affine", "track_running_stats")
        told = (f"{name}={getattr(self, name)}" for name in settings)
        return ", ".join((str(self.num_features), *told))

    def _scale(self, wide: Tensor) -> tuple[Tensor, Tensor]:
        if self.weight is None:
            return wide.new_ones(self.num_features), wide.new_zeros(self.num_features)
        return self.weight.to(wide.dtype), self.bias.to(wide.dtype)

    def _track(self, mean: Tensor, variance: Tensor, count: int) -> None:
        self.num_batches_tracked.add_(1)
        # An empty batch is counted and says nothing, as in torch.
        if not count:
            return
        share = 1 / float(self.num_batches_tracked) if self.momentum is None else self.momentum
        unbiased = variance * (count / (count - 1))
        for running, new in ((self.running_mean, mean), (self.running_var, unbiased)):
            running.copy_(torch.lerp(widened(running), new, share))

    def _check(self, inputs: Tensor) -> None:
        check_inputs(inputs=inputs)
        if inputs.shape[1] != self.num_features:
            came = f"got {list(inputs.shape)}"
            raise ValueError(f"inputs must have {self.num_features} features, {came}")
        held = self.weight if self.running_mean is None else self.running_mean
        mine = inputs.dtype if held is None else held.dtype
        # torch's rule: one number format, or half precision under float32.
        halves = (torch.bfloat16, torch.float16) if mine == torch.float32 else ()
        if inputs.dtype not in (mine, *halves):
            raise ValueError(f"inputs must be {mine}, as the layer is, got {inputs.dtype}")
