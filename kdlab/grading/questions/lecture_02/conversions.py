"""Questions of lecture 02: the ways of weighing labels against a teacher."""

from kdlab.grading.questions._common import between
from kdlab.grading.spec import Case, Comparison, Mistake, Question

_ARITHMETIC = Comparison(
    rtol=1e-6, atol=1e-9, reason="two or three operations on plain numbers, also in float32"
)


def _draw_lambda(generator):
    return (Case("drawn", {"alpha": between(generator, 0.0, 0.4)}),)


TO_LAMBDA = Question(
    id="KD02-E1",
    title="From alpha to lambda",
    minutes=5,
    signature="to_lambda(alpha: float) -> float",
    statement=(
        "L = alpha CE + (1 - alpha) T^2 H is the first lecture's form, H the cross-entropy of "
        "the softened outputs. Return the lambda with which (1 - lambda) CE + lambda T^2 KL "
        "gives the same gradients."
    ),
    reference=lambda alpha: 1.0 - alpha,
    cases=(
        Case("alpha = 0.2", {"alpha": 0.2}),
        Case("labels only", {"alpha": 1.0}),
        Case("teacher only", {"alpha": 0.0}),
    ),
    draw=_draw_lambda,
    comparison=_ARITHMETIC,
    mistakes=(
        Mistake(
            "returns alpha itself",
            "alpha weighs the labels, lambda weighs the teacher.",
            (lambda alpha: alpha,),
        ),
        Mistake(
            "sign",
            "This is alpha - 1. A weight lies in [0, 1].",
            (lambda alpha: alpha - 1.0,),
        ),
        Mistake(
            "the ratio of the two weights",
            "(1 - alpha) / alpha is how many times louder the teacher is than the labels. lambda "
            "is the teacher's share, and the two shares sum to 1.",
            (lambda alpha: (1 - alpha) / alpha, lambda alpha: alpha / (1 - alpha)),
        ),
        Mistake(
            "converts the unweighted form",
            "The two weights of this form already sum to 1, so nothing is rescaled.",
            (lambda alpha: alpha / (1 + alpha), lambda alpha: 1 / (1 + alpha)),
        ),
    ),
)


def _step_case(name, weight, learning_rate):
    return Case(name, {"weight": weight, "learning_rate": learning_rate})


def _draw_step(generator):
    weight, learning_rate = between(generator, 2.0, 9.0), between(generator, 0.01, 0.1)
    return (_step_case("drawn", weight, learning_rate),)


TO_CONVEX = Question(
    id="KD02-E2",
    title="From the unweighted form to the convex one",
    minutes=10,
    signature=("unweighted_to_convex(weight: float, learning_rate: float) -> tuple[float, float]"),
    statement=(
        "SGD minimizes CE + weight T^2 KL with a learning rate. Return (lambda_, learning_rate) "
        "with which SGD on (1 - lambda) CE + lambda T^2 KL takes exactly the same steps."
    ),
    reference=lambda weight, learning_rate: (weight / (1 + weight), learning_rate * (1 + weight)),
    cases=(
        _step_case("weight 3", 3.0, 0.1),
        _step_case("weight 1", 1.0, 0.02),
        _step_case("no teacher", 0.0, 0.1),
        _step_case("weight 99", 99.0, 0.001),
    ),
    draw=_draw_step,
    comparison=_ARITHMETIC,
    mistakes=(
        Mistake(
            "learning rate kept",
            "Dividing the loss by 1 + weight shrinks every gradient by it: the learning rate "
            "must grow by the same factor.",
            (lambda weight, learning_rate: (weight / (1 + weight), learning_rate),),
        ),
        Mistake(
            "learning rate divided",
            "The convex loss is the smaller one by 1 + weight, so its learning rate is larger.",
            (
                lambda weight, learning_rate: (
                    weight / (1 + weight),
                    learning_rate / (1 + weight),
                ),
            ),
        ),
        Mistake(
            "learning rate times the weight",
            "The loss was divided by the sum of both weights, 1 + weight, so the learning rate "
            "must grow by that sum.",
            (lambda weight, learning_rate: (weight / (1 + weight), learning_rate * weight),),
        ),
        Mistake(
            "lambda is the label's weight",
            "1 / (1 + weight) is 1 - lambda, the weight of the labels.",
            (
                lambda weight, learning_rate: (1 / (1 + weight), learning_rate / (1 + weight)),
                lambda weight, learning_rate: (1 / (1 + weight), learning_rate * (1 + weight)),
                lambda weight, learning_rate: (1 / (1 + weight), learning_rate),
            ),
        ),
        Mistake(
            "lambda is the weight itself",
            "The weights 1 and `weight` must be divided by their sum, so that they add to 1.",
            (
                lambda weight, learning_rate: (weight, learning_rate),
                lambda weight, learning_rate: (weight, learning_rate * (1 + weight)),
            ),
        ),
        Mistake(
            "lambda is 1 - weight",
            "The labels weigh 1 here, not 1 - weight. Divide both weights by their sum, so that "
            "they add to 1.",
            (
                lambda weight, learning_rate: (1 - weight, learning_rate),
                lambda weight, learning_rate: (1 - weight, learning_rate * (1 + weight)),
            ),
        ),
        Mistake(
            "the two in the wrong order",
            "Return lambda first, then the learning rate.",
            (lambda weight, learning_rate: (learning_rate * (1 + weight), weight / (1 + weight)),),
        ),
    ),
)
