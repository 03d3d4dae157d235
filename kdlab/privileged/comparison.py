"""Three linear classifiers side by side: the teacher, the student alone, the student taught."""

from dataclasses import dataclass

from torch import Tensor, nn

from kdlab.metrics import accuracy
from kdlab.models import mlp
from kdlab.privileged.generalized import distill_generalized, fit
from kdlab.privileged.triplets import Triplets, standardize


@dataclass(frozen=True)
class Comparison:
    """Test accuracies in [0, 1]: the teacher on x*, the student alone and taught on x."""

    privileged: float
    regular: float
    distilled: float


def compare_linear(
    train: Triplets,
    test: Triplets,
    *,
    lambda_: float = 1.0,
    temperature: float = 1.0,
    teacher_decay: float = 0.005,
    student_decay: float = 0.0,
    steps: int = 200,
) -> Comparison:
    """Compare three linear classifiers, as in the synthetic experiments of the paper.

    x and x* are standardized first. The authors stop all three after 1,000 epochs of RMSprop;
    we fit them to the end, and a little decay keeps the teacher's answers soft.

    Args:
        train: x, x* and classes to learn from.
        test: x, x* and classes of new examples.
        lambda_: Weight of the teacher's answers, in [0, 1].
        temperature: T > 0 of the teacher's term.
        teacher_decay, student_decay: `decay` of the teacher, and of both students.
        steps: As in `fit`.

    Raises:
        ValueError: As in `standardize`, `fit` and `distill_generalized`.

    References:
        Lopez-Paz et al. 2016, arXiv:1511.03643, section 5.
    """
    train, test = standardize(train, test)
    classes = int(max(train.targets.max(), test.targets.max())) + 1
    teacher = _linear(train.privileged, classes)
    alone, taught = (_linear(train.inputs, classes) for _ in range(2))
    fit(teacher, train.privileged, train.targets, decay=teacher_decay, steps=steps)
    student = {"decay": student_decay, "steps": steps}
    fit(alone, train.inputs, train.targets, **student)
    said = teacher(train.privileged)
    weights = {"lambda_": lambda_, "temperature": temperature}
    distill_generalized(taught, train.inputs, said, train.targets, **weights, **student)
    seen = ((teacher, test.privileged), (alone, test.inputs), (taught, test.inputs))
    return Comparison(*(accuracy(model(inputs), test.targets) for model, inputs in seen))


def _linear(inputs: Tensor, classes: int) -> nn.Module:
    model = mlp((inputs.shape[1], classes)).to(inputs)
    # At zero no class is preferred, and the fit needs no seed.
    for weights in model.parameters():
        nn.init.zeros_(weights)
    return model
