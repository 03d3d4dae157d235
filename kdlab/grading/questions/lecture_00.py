"""Questions of lecture 00: welcome."""

from torch import tensor

from kdlab import metrics
from kdlab.grading.questions._common import EXACT, classes, normal
from kdlab.grading.spec import Case, Mistake, Question


def _count_correct(logits, targets):
    return len(targets) - metrics.errors(logits, targets)


def _draw(generator):
    def case(name, batch, count):
        logits = normal(generator, batch, count)
        targets = classes(generator, batch, of=count)
        # Half of the targets are made right, so that right and wrong differ in number.
        targets[: batch // 2] = logits.argmax(dim=1)[: batch // 2]
        return Case(name, {"logits": logits, "targets": targets})

    return (case("square", 5, 5), case("many", 41, 10))


QUESTIONS = (
    Question(
        id="KD00-E1",
        title="Count the correct answers",
        minutes=5,
        signature=(
            'count_correct(logits: Float[Tensor, "batch classes"], '
            'targets: Int64[Tensor, "batch"]) -> int'
        ),
        statement="Return how many examples have their largest logit at their target, as an int.",
        reference=_count_correct,
        cases=(
            Case(
                "three examples, three classes",
                {
                    "logits": tensor([[3.0, 1.0, 0.0], [5.0, 2.0, 6.0], [1.0, 0.0, 2.0]]),
                    "targets": tensor([0, 1, 2]),
                },
            ),
            Case(
                "four examples, two classes",
                {
                    "logits": tensor([[1.0, 2.0], [2.0, 1.0], [0.0, 3.0], [5.0, 4.0]]),
                    "targets": tensor([1, 0, 1, 1]),
                },
            ),
            Case(
                "large negative logits",
                {
                    "logits": tensor([[-1e4, -2e4, -3e4], [-3e4, -1e4, -2e4], [0.0, -1e4, 1e4]]),
                    "targets": tensor([0, 0, 0]),
                },
            ),
        ),
        draw=_draw,
        comparison=EXACT,
        mistakes=(
            Mistake(
                "argmax over the wrong dimension",
                "dim=0 runs over the examples. Each row is one example: take the argmax over "
                "dim=1, the classes.",
                (lambda logits, targets: int((logits.argmax(dim=0) == targets).sum()),),
            ),
            Mistake(
                "counts errors",
                "This counts the examples whose prediction is not the target.",
                (lambda logits, targets: int((logits.argmax(dim=1) != targets).sum()),),
            ),
            Mistake(
                "returns the accuracy",
                "This is the share of correct answers; the question asks for their number.",
                (lambda logits, targets: (logits.argmax(dim=1) == targets).double().mean().item(),),
            ),
            Mistake(
                "returns which are correct",
                "This is one True or False an example; sum them up.",
                (lambda logits, targets: logits.argmax(dim=1) == targets,),
            ),
        ),
    ),
)
