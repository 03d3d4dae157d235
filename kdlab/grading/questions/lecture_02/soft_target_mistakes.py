"""Ways in which the soft-target loss is usually written wrong.

Variants are called with z (student logits), v (teacher logits) and t (temperature).
"""

import torch.nn.functional as F

from kdlab.grading.spec import Mistake


def _log_soft(logits, temperature):
    return (logits / temperature).log_softmax(dim=1)


def _kl(log_p, log_q):
    """One KL(p || q) a row."""
    return (log_p.exp() * (log_p - log_q)).sum(dim=1)


def kl_rows(z, v, student_temperature, teacher_temperature=None):
    """One KL an example, without T^2; the teacher is constant."""
    log_p = _log_soft(v.detach(), teacher_temperature or student_temperature)
    return _kl(log_p, _log_soft(z, student_temperature))


def _swapped(z, v, t):
    return t**2 * _kl(_log_soft(z, t), _log_soft(v.detach(), t)).mean()


def _over_batch(z, v, t):
    log_p, log_q = ((x / t).log_softmax(dim=0) for x in (v.detach(), z))
    return _kl(log_p, log_q).mean()


def _log_target_forgotten(z, v, t):
    return F.kl_div(_log_soft(z, t), _log_soft(v, t), reduction="batchmean")


def _arguments_exchanged(z, v, t):
    return F.kl_div((v / t).softmax(dim=1), _log_soft(z, t), reduction="batchmean")


def _squares(z, v, t):
    return (z / t).softmax(dim=1) - (v.detach() / t).softmax(dim=1)


def _probabilities_in_kl_div(z, v, t):
    q, p = (z / t).softmax(dim=1), (v.detach() / t).softmax(dim=1)
    return (p * (p.log() - q)).sum(dim=1).mean()


def _softmax_twice(z, v, t):
    return t**2 * _kl(_log_soft(v.detach(), t), (z / t).softmax(dim=1).log_softmax(dim=1)).mean()


def _probabilities_as_logits(z, v, t):
    return t**2 * kl_rows(z.softmax(dim=1), v.softmax(dim=1), t).mean()


def _log_of_softmax(z, v, t):
    q, p = (z / t).softmax(dim=1), (v.detach() / t).softmax(dim=1)
    return t**2 * (p * (p.log() - q.log())).sum(dim=1).mean()


def _log_of_softmax_by_kl_div(z, v, t):
    p = (v.detach() / t).softmax(dim=1)
    q = (z / t).softmax(dim=1)
    return t**2 * F.kl_div(q.log(), p, reduction="batchmean")


def _elementwise(z, v, t):
    log_p, log_q = _log_soft(v.detach(), t), _log_soft(z, t)
    return log_p.exp() * (log_p - log_q)


def _with_small_number(small):
    def variant(z, v, t):
        q, p = (z / t).softmax(dim=1), (v.detach() / t).softmax(dim=1)
        return t**2 * (p * ((p + small).log() - (q + small).log())).sum(dim=1).mean()

    return variant


MISTAKES = (
    Mistake(
        "T^2 missing",
        "Softening by T shrinks the gradient by T^2; the factor T^2 keeps it comparable.",
        (lambda z, v, t: kl_rows(z, v, t).mean(),),
    ),
    Mistake(
        "T instead of T^2",
        "The gradient shrinks by T twice: once from z / T, once from the flatter probabilities.",
        (lambda z, v, t: t * kl_rows(z, v, t).mean(),),
    ),
    Mistake(
        "reduction='mean'",
        'This also divides by the number of classes. Use reduction="batchmean", or sum over the '
        "classes before the mean.",
        (lambda z, v, t: t**2 * kl_rows(z, v, t).mean() / z.shape[1],),
    ),
    Mistake(
        "reduction='mean' and T^2 missing",
        "F.kl_div's default also divides by the number of classes: use "
        'reduction="batchmean". And the factor T^2 is not there.',
        (lambda z, v, t: kl_rows(z, v, t).mean() / z.shape[1],),
    ),
    Mistake(
        "sum instead of mean over the batch",
        "The loss would grow with the batch size. Take the mean over the examples.",
        (lambda z, v, t: t**2 * kl_rows(z, v, t).sum(),),
    ),
    Mistake(
        "no mean over the batch",
        "The question asks for one number: the mean over the examples.",
        (lambda z, v, t: t**2 * kl_rows(z, v, t),),
    ),
    Mistake(
        "reduction='none'",
        "This is one value for each example and class. Sum over the classes, then take the mean "
        'over the examples; reduction="batchmean" does both.',
        (lambda z, v, t: t**2 * _elementwise(z, v, t), _elementwise),
    ),
    Mistake(
        "KL swapped",
        "This is KL(student || teacher); or are your two parameters in the wrong order? F.kl_div "
        "takes the student's log-probabilities first.",
        (_swapped,),
    ),
    Mistake(
        "KL swapped and T^2 missing",
        "This is KL(student || teacher), without the factor T^2; or are your two parameters in "
        "the wrong order? F.kl_div takes the student's log-probabilities first.",
        (lambda z, v, t: _swapped(z, v, t) / t**2,),
    ),
    Mistake(
        "T only on the student",
        "Teacher and student are softened by the same T.",
        (lambda z, v, t: t**2 * kl_rows(z, v, t, 1.0).mean(),),
    ),
    Mistake(
        "T only on the teacher",
        "Teacher and student are softened by the same T.",
        (lambda z, v, t: t**2 * kl_rows(z, v, 1.0, t).mean(),),
    ),
    Mistake(
        "T forgotten",
        "Nothing is softened: divide the logits of both by T before the softmax.",
        (
            lambda z, v, t: kl_rows(z, v, 1.0).mean(),
            lambda z, v, t: t**2 * kl_rows(z, v, 1.0).mean(),
        ),
    ),
    Mistake(
        "multiplied by T",
        "Logits are divided by T. Multiplied, they give sharper predictions, not softer ones.",
        (
            lambda z, v, t: t**2 * kl_rows(z, v, 1 / t).mean(),
            lambda z, v, t: kl_rows(z, v, 1 / t).mean(),
        ),
    ),
    Mistake(
        "cross-entropy instead of KL",
        "The teacher's own entropy is not subtracted. The gradient is the same, but the loss is "
        "not 0 where both agree.",
        (
            lambda z, v, t: (
                -(t**2) * ((v.detach() / t).softmax(dim=1) * _log_soft(z, t)).sum(dim=1).mean()
            ),
        ),
    ),
    Mistake(
        "squared error of the softmaxes",
        "This compares probabilities by their squared difference, which is not KL.",
        (
            lambda z, v, t: _squares(z, v, t).square().mean(),
            lambda z, v, t: t**2 * _squares(z, v, t).square().mean(),
            lambda z, v, t: _squares(z, v, t).square().sum(dim=1).mean(),
            lambda z, v, t: t**2 * _squares(z, v, t).square().sum(dim=1).mean(),
        ),
    ),
    Mistake(
        "softmax twice",
        "Probabilities are softened as if they were logits. Logits go in, and one softmax or "
        "log_softmax is taken.",
        (_softmax_twice, _probabilities_as_logits),
    ),
    Mistake(
        "probabilities where F.kl_div wants logarithms",
        "The first argument of F.kl_div is the student's log_softmax, not its softmax.",
        (
            _probabilities_in_kl_div,
            lambda z, v, t: t**2 * _probabilities_in_kl_div(z, v, t),
        ),
    ),
    Mistake(
        "log_target forgotten",
        "F.kl_div takes the teacher's logarithms for probabilities and takes the logarithm of "
        "those: NaN. Pass log_target=True, or the teacher's softmax.",
        (
            lambda z, v, t: t**2 * _log_target_forgotten(z, v.detach(), t),
            lambda z, v, t: _log_target_forgotten(z, v.detach(), t),
            lambda z, v, t: t**2 * _log_target_forgotten(z, v, t),
        ),
    ),
    Mistake(
        "F.kl_div's arguments exchanged",
        "The student's log_softmax comes first, the teacher's softmax second. The other way "
        "round F.kl_div takes the logarithm of logarithms: NaN.",
        (
            lambda z, v, t: t**2 * _arguments_exchanged(z, v.detach(), t),
            lambda z, v, t: _arguments_exchanged(z, v.detach(), t),
            lambda z, v, t: t**2 * _arguments_exchanged(z, v, t),
            lambda z, v, t: _arguments_exchanged(z, v, t),
        ),
    ),
    Mistake(
        "softmax over dim 0",
        "dim=0 runs over the batch. Each row is one example's prediction: use dim=1.",
        (lambda z, v, t: t**2 * _over_batch(z, v, t), _over_batch),
    ),
    Mistake(
        "the logarithm of a softmax",
        "For large logits the softmax underflows to 0, whose logarithm is -inf. log_softmax is "
        "stable.",
        (_log_of_softmax, _log_of_softmax_by_kl_div),
    ),
    Mistake(
        "a small number inside the logarithm",
        "It hides the infinite logarithm but bounds the loss, so that a badly wrong student is "
        "hardly corrected. log_softmax needs no such number.",
        tuple(_with_small_number(10.0**-digits) for digits in (8, 10, 12, 6, 7, 9)),
    ),
    Mistake(
        "teacher not detached",
        "The gradient reaches the teacher, which would learn to please the student. Use "
        "teacher_logits.detach().",
        (lambda z, v, t: t**2 * _kl(_log_soft(v, t), _log_soft(z, t)).mean(),),
    ),
    Mistake(
        "no gradient",
        "item(), detach(), numpy() and no_grad() cut the student off: nothing can be learned. "
        "Return the tensor itself.",
        (lambda z, v, t: t**2 * kl_rows(z, v, t).mean().item(),),
    ),
)
