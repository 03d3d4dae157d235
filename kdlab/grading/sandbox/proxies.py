"""Earlier answers that the child doesn't hold: each call is answered by the judge, by value.

A later question may be graded with the reference of an earlier one. The reference itself must
not come near a student's code, so that only numbers cross: arguments there, values back, and
the gradient with respect to the arguments where autograd asks for it.
"""

from collections.abc import Callable

from kdlab.grading.plain import is_tensor

# name, arguments, names of the last ones, gradient of the result or None -> what comes back
Ask = Callable[[str, tuple, tuple[str, ...], object], object]


def make_proxy(name: str, ask: Ask) -> Callable:
    """Return a function that looks like the earlier answer and asks the judge."""

    def proxy(*positional, **named):
        values, names = (*positional, *named.values()), tuple(named)
        if not any(is_tensor(value) and value.requires_grad for value in values):
            return ask(name, values, names, None)
        return _differentiable(name, ask, names).apply(*values)

    proxy.__name__ = name
    return proxy


def _differentiable(name: str, ask: Ask, names: tuple[str, ...]) -> type:
    import torch

    class Earlier(torch.autograd.Function):
        @staticmethod
        def forward(context, *values):
            context.values = values
            return ask(name, values, names, None)

        @staticmethod
        def backward(context, gradient):
            return tuple(ask(name, context.values, names, gradient))

    return Earlier
