"""`check` says what came, whatever a student's function does, and never raises for it."""

import dataclasses
import signal
import threading

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from kdlab import losses
from kdlab.grading import check, find_question
from kdlab.grading.checking import call_text
from kdlab.grading.compare import show
from kdlab.grading.plain import to_plain
from kdlab.grading.spec import Case


def soften(logits, temperature):
    return losses.soften(logits, temperature=temperature)


def says(id, fn):
    """Check an answer, and that a second look says the same."""
    first, second = check(id, fn), check(id, fn)
    assert first == second
    assert repr(first) == repr(second)
    assert "0x" not in repr(first)
    return first


def ellipsis(logits, temperature): ...


def empty(logits, temperature):
    """Only a docstring."""


def raising(logits, temperature):
    raise NotImplementedError


def raising_with_text(logits, temperature):
    raise NotImplementedError("your answer")


@pytest.mark.parametrize("fn", [ellipsis, empty, raising, raising_with_text, lambda z, t: ...])
def test_stub_is_not_answered(fn):
    result = says("KD01-E1", fn)
    assert (result.status, result.cause) == ("not answered", "")
    assert repr(result) == "KD01-E1: not answered yet"


def forgets(logits, temperature):
    softened = soften(logits, temperature)  # noqa: F841


def forgets_without_a_name(logits, temperature):
    logits / temperature


@pytest.mark.parametrize("fn", [forgets, forgets_without_a_name, lambda z, t: None])
def test_lost_return_is_named(fn):
    result = says("KD01-E1", fn)
    assert result.status == "not answered"
    assert "`return` missing" in result.cause


def test_a_stub_that_is_called_is_named():
    def soft_target_loss(student_logits, teacher_logits, temperature):
        raise NotImplementedError

    def distillation_loss(z, v, y, t, w):
        return (1 - w) * F.cross_entropy(z, y) + w * soft_target_loss(z, v, t)

    result = says("KD02-E4", distillation_loss)
    assert result.headline == (
        "KD02-E4: error: soft_target_loss, which you call, is not answered yet"
    )


def test_a_library_that_is_not_implemented_is_an_error():
    result = says("KD01-E1", lambda logits, temperature: torch.nn.Module()(logits))
    assert result.status == "error"
    assert result.message.startswith("raised NotImplementedError: Module [Module] is missing")


def test_torchs_words_on_swapped_arguments_are_explained():
    result = says("KD02-E4", lambda z, v, y, t, w: (1 - w) * F.cross_entropy(y, z))
    assert "not implemented for 'Long'" in result.message
    assert result.cause.startswith("cross_entropy's arguments swapped:")


def test_nothing_in_a_later_case_is_wrong():
    def only_large(logits, temperature):
        return soften(logits, temperature) if temperature > 1 else None

    result = says("KD01-E1", only_large)
    assert result.status == "wrong"
    assert result.message == "returned nothing here, expected a Tensor of shape [3, 2]"
    assert result.case.startswith(
        "T = 0.5: soften(logits=[[1, 0], [0, 2], [1, 1]], temperature=0.5)"
    )


def test_not_implemented_in_torch_is_an_error():
    result = says("KD01-E1", lambda logits, temperature: logits.long().softmax(1))
    assert result.status == "error"
    assert "not implemented for 'Long'" in result.message


def test_right():
    result = says("KD01-E1", soften)
    assert repr(result) == "KD01-E1: right in all 3 cases"
    assert result.status == "right"


def test_wrong_shows_expected_got_and_cause():
    result = says("KD02-E3", lambda z, v, t: losses.soft_target_loss(z, v, temperature=t) / t**2)
    assert repr(result).splitlines() == [
        "KD02-E3: wrong: the value differs",
        "  case          three examples, T = 2.5: soft_target_loss(student_logits=[[2, 0, 1, 0], "
        "[0, 1, 0, 3], [1, 1, 2, 0]], teacher_logits=[[3, 1, 0, 0], [0, 4, 2, 1], [0, 2, 5, 1]], "
        "temperature=2.5)",
        "  expected      1.1",
        "  got           0.176",
        "  likely cause  T^2 missing: Softening by T shrinks the gradient by T^2; the factor T^2 "
        "keeps it comparable.",
    ]


def test_a_long_call_still_shows_its_numbers():
    question = find_question("hw1-q5")
    for case in question.fresh_cases(0):
        text = call_text(question, case)
        assert f"temperature={case.inputs['temperature']:.4g}"[:14] in text
        assert "lambda_=0." in text and "targets=[" in text and text.endswith(")")
        first = show(to_plain(case.inputs["student_logits"])).partition("\n")[0]
        assert f"student_logits={first}" in text and "..., teacher_logits=[[" in text
        assert len(text) < 310


def test_a_short_call_is_shown_whole():
    question = find_question("hw1-q4")
    text = call_text(question, question.cases[0])
    assert "[1, 1, 2, 0]], teacher_logits=[[3, 1, 0, 0], " in text and "..." not in text
    # One long value, as long as all have room.
    wide = torch.full((5, 5), 1.234)
    text = call_text(question, Case("wide", {"student_logits": wide, "temperature": 2.0, "n": 1}))
    assert len(text) > 200 and "..." not in text


def test_unknown_factor_is_told():
    result = says("KD02-E3", lambda z, v, t: losses.soft_target_loss(z, v, temperature=t) * 7)
    assert result.cause == "Each value is 7 times the expected one."


@pytest.mark.parametrize("id", ["KD01-E3", "KD02-E1", "KD02-E3", "KD02-E4"])
def test_a_constant_is_no_multiple(id):
    result = says(id, lambda *inputs: torch.tensor(0.3))
    assert (result.status, result.cause) == ("wrong", "")


def test_a_factor_of_the_first_case_only_is_no_cause():
    fn = lambda z, v, t: losses.soft_target_loss(z, v, temperature=t) * (7 if t == 2.5 else 6)  # noqa: E731
    assert says("KD02-E3", fn).cause == ""


def test_one_number_may_agree_with_a_mistake_by_chance():
    # 0.2 is what "returns alpha itself" gives in the first case.
    assert says("KD02-E1", lambda alpha: 0.2).cause == ""
    # Three indices are those of "T ignored", the fourth is not.
    wrong = iter([1, 4, 1, 0] * 2)
    assert check("KD01-E4", lambda *inputs: next(wrong)).cause == ""


def test_numbers_of_two_cases_name_a_mistake_beside_a_second_one():
    def plain_and_without_t_squared(z, v, t):
        q, p = (z / t).softmax(1), (v.detach() / t).softmax(1)
        return (p * (p / q).log()).sum(1).mean()

    result = says("KD02-E3", plain_and_without_t_squared)
    assert result.cause.startswith("T^2 missing:")


def test_nan_everywhere_is_not_taken_for_a_forgotten_log_target():
    assert says("KD02-E3", lambda z, v, t: (z - 1e6).log().sum()).cause == ""


def test_an_exception_is_known_by_its_text():
    result = says("KD02-E7", lambda teacher_logits, indices: teacher_logits.T[indices].T)
    assert result.message.startswith("raised IndexError: index 3 is out of bounds")
    assert result.cause.startswith("columns instead of rows:")
    assert says("KD02-E7", lambda cache, indices: cache[:, 5]).cause == ""


def test_what_is_no_function_is_an_error_that_stops_nothing(unchecked_shapes):
    result = says("KD01-E1", 0.5)
    assert repr(result).splitlines() == [
        "KD01-E1: error: got a float instead of a function",
        "  likely cause  Pass soften, not soften(...).",
    ]


def test_unknown_mistake_has_no_cause():
    assert says("KD01-E1", lambda z, t: soften(z, t) + z**2 / 7).cause == ""


def test_mistake_is_named_beside_a_second_one_in_the_extreme_case():
    def unstable_over_dim_0(logits, temperature):
        powers = (logits / temperature).exp()
        return powers / powers.sum(0)

    assert says("KD01-E1", unstable_over_dim_0).cause.startswith("softmax over dim 0:")


def test_value_comes_before_the_teacher_that_is_not_detached():
    def neither(z, v, t):
        log_q, log_p = (z / t).log_softmax(1), (v / t).log_softmax(1)
        return (log_p.exp() * (log_p - log_q)).sum(1).mean()

    assert says("KD02-E3", neither).cause.startswith("T^2 missing:")
    attached = says("KD02-E3", lambda z, v, t: t**2 * neither(z, v, t))
    assert attached.cause.startswith("teacher not detached:")
    assert "with respect to teacher_logits is not zero" in attached.message


@pytest.mark.parametrize("cut", [torch.Tensor.item, torch.Tensor.detach])
def test_loss_without_gradient(cut):
    result = says("KD02-E3", lambda z, v, t: cut(losses.soft_target_loss(z, v, temperature=t)))
    assert result.status == "wrong"
    assert "with respect to student_logits is zero" in result.message
    assert result.cause.startswith("no gradient:")


def test_gradient_that_cannot_be_computed():
    class Broken(torch.autograd.Function):
        @staticmethod
        def forward(ctx, loss):
            return loss.clone()

        @staticmethod
        def backward(ctx, gradient):
            raise ArithmeticError("no way back")

    def fn(z, v, t):
        return Broken.apply(losses.soft_target_loss(z, v, temperature=t))

    result = says("KD02-E3", fn)
    assert (result.status, result.message) == ("error", "raised ArithmeticError: no way back")
    assert "gradient cannot be computed" in result.cause


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_gradient_is_checked_where_grad_is_off(mode):
    def cut(z, v, t):
        return losses.soft_target_loss(z, v, temperature=t).detach()

    with mode():
        assert says("KD02-E3", losses.soft_target_loss).status == "right"
        assert says("KD02-E3", cut).cause.startswith("no gradient:")


def test_exception_names_type_text_and_line():
    def divides(logits, temperature):
        count = 0
        return logits / (1 / count)

    result = says("KD01-E1", divides)
    assert result.status == "error"
    assert result.message == (
        "raised ZeroDivisionError: division by zero, in line 3 of divides: "
        "return logits / (1 / count)"
    )


def test_wrong_number_of_arguments():
    result = says("KD01-E1", lambda logits: logits)
    assert "takes 1 positional argument but 2 were given" in result.message
    assert result.cause == "It is called with (logits, temperature), in this order."


def test_addresses_are_left_out_of_messages():
    def fails(logits, temperature):
        raise KeyError(object())

    assert says("KD01-E1", fails).message.startswith("raised KeyError: <object object>, in line 2")


def test_exception_whose_text_raises():
    class Silent(Exception):
        def __str__(self):
            raise RuntimeError

    def fails(logits, temperature):
        raise Silent

    assert says("KD01-E1", fails).message.startswith("raised Silent, in line 2 of fails")


def test_exit_is_an_error():
    assert says("KD01-E1", lambda z, t: exit()).message.startswith("raised SystemExit")


def test_deep_recursion_is_an_error():
    def deeper(logits, temperature):
        return deeper(logits, temperature)

    assert says("KD01-E1", deeper).message.startswith("raised RecursionError")


def test_keyboard_interrupt_passes_through():
    def interrupted(logits, temperature):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        check("KD01-E1", interrupted)


def test_endless_loop_can_be_interrupted():
    def endless(logits, temperature):
        started.set()
        while True:
            pass

    def interrupt():
        started.wait()
        signal.raise_signal(signal.SIGINT)

    started = threading.Event()
    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        check("KD01-E1", endless)
    thread.join()


class Liar:
    """Everything about it says that it is right, or raises."""

    def __eq__(self, other):
        return True

    __hash__ = None

    def __repr__(self):
        raise RuntimeError("repr was run")

    def __array__(self, *args, **kwargs):
        raise RuntimeError("array was run")

    def __float__(self):
        raise RuntimeError("float was run")

    @property
    def __class__(self):
        return torch.Tensor


class LyingTensor(torch.Tensor):
    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        raise RuntimeError("torch function was run")


class LyingName(type):
    @property
    def __name__(cls):
        raise RuntimeError("metaclass was run")


class Nameless(metaclass=LyingName):
    pass


class LyingFloat(float):
    def __float__(self):
        raise RuntimeError("float was run")


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (lambda: Liar(), "a Liar"),
        (lambda: Nameless(), "a Nameless"),
        (lambda: torch.zeros(2, 3).as_subclass(LyingTensor), "a LyingTensor"),
        (lambda: LyingFloat(1), "a LyingFloat"),
        (lambda: (x for x in [1]), "a generator"),
        (lambda: {1, 2}, "a set"),
        (lambda: object, "a type"),
        (lambda: [[None, 1.0]], "a NoneType"),
        (lambda: np.array([None]), "a numpy array of object"),
        (lambda: 10**400, "a number beyond 64 bits"),
        (lambda: torch.zeros(2, 3, dtype=torch.complex64), "a Tensor of torch.complex64"),
        (lambda: torch.zeros(2, 3).to_sparse(), "a Tensor of torch.float32, torch.sparse_coo"),
        (lambda: torch.zeros(2, 3, device="meta"), "a Tensor of torch.float32, torch.strided"),
        (lambda: torch.zeros(1).expand(10**6, 10**6), "a Tensor of shape [1000000, 1000000]"),
        (lambda: {1: 2.0}, "a dict whose keys are not all str"),
        (lambda: "7" * 10**6, "a str"),
        (lambda: {"value": 1.0}, "a dict of 1"),
    ],
)
def test_strange_returns_are_named_and_not_run(made, said):
    result = says("KD01-E1", lambda logits, temperature: made())
    assert result.status == "wrong"
    assert result.message.startswith(f"returned {said}")
    assert result.message.endswith(", expected a Tensor of shape [2, 3]")
    assert len(result.got) < 300


def test_a_list_that_holds_itself():
    def endless(logits, temperature):
        cycle = []
        cycle.append(cycle)
        return cycle

    assert "nested too deeply" in says("KD01-E1", endless).message


def test_attributes_on_a_tensor_do_not_lie():
    def shadowed(logits, temperature):
        wrong = logits * 0
        wrong.detach = wrong.numpy = wrong.to = lambda *a, **k: soften(logits, temperature)
        return wrong

    assert says("KD01-E1", shadowed).status == "wrong"


@pytest.mark.parametrize(
    ("id", "fn", "message"),
    [
        ("KD01-E1", lambda z, t: soften(z, t)[0], "the shape is [3], expected [2, 3]"),
        ("KD02-E3", lambda z, v, t: z.sum()[None], "the shape is [1], expected [] (one number)"),
        (
            "KD01-E1",
            lambda z, t: soften(z, t).round().long(),
            "the dtype is wrong: returned whole numbers, expected floating point",
        ),
        (
            "KD00-E1",
            lambda z, y: float((z.argmax(1) == y).sum()),
            "the dtype is wrong: returned floating point, expected whole numbers",
        ),
        (
            "KD00-E1",
            lambda z, y: True,
            "the dtype is wrong: returned True or False, expected whole numbers",
        ),
        ("KD00-E1", lambda z, y: "2", "returned a str, expected an int"),
        (
            "KD02-E2",
            lambda w, rate: ("a", "b"),
            "returned a tuple of 2 whose first value is a str, expected a tuple of 2 numbers",
        ),
        (
            "KD02-E2",
            lambda w, rate: (None, None),
            "returned a tuple whose first value is a NoneType, expected a tuple of 2 numbers",
        ),
        (
            "KD02-E2",
            lambda w, rate: [w / (1 + w), None],
            "returned a list whose second value is a NoneType, expected a tuple of 2 numbers",
        ),
        (
            "KD02-E2",
            lambda w, rate: (torch.zeros(3), rate),
            "returned a tuple of 2 whose first value holds 3 values, expected a tuple of 2 numbers",
        ),
        (
            "hw4-q1",
            lambda known, *rest: (torch.ones(5), 0.5),
            "returned a tuple of 2 whose second value is one number, expected a tuple of 2 "
            "of 5 values each",
        ),
        ("KD01-E1", lambda z, t: z / 0 * 0, "6 of 6 values are NaN (not a number)"),
        ("KD01-E1", lambda z, t: (z + 9) / 0, "6 of 6 values are infinite"),
        ("KD02-E1", lambda alpha: float("nan"), "the value is NaN (not a number)"),
    ],
)
def test_each_kind_of_difference_has_its_sentence(id, fn, message):
    result = says(id, fn)
    assert (result.status, result.message) == ("wrong", message)


def test_change_in_place_is_told():
    def in_place(logits, temperature):
        logits /= temperature
        return logits.softmax(1)

    result = says("KD01-E1", in_place)
    assert result.message == "the value is right, but logits is changed in place"
    assert ".clone()" in result.cause

    def wrong_too(logits, temperature):
        return logits.mul_(temperature).softmax(1)

    result = says("KD01-E1", wrong_too)
    assert result.message.endswith("; logits is changed in place as well")
    assert result.cause.startswith("multiplies by T:")


def test_change_in_place_of_a_differentiated_input_is_told():
    def in_place(student_logits, teacher_logits, temperature):
        loss = losses.soft_target_loss(student_logits, teacher_logits, temperature=temperature)
        teacher_logits.zero_()
        return loss

    result = says("KD02-E3", in_place)
    assert result.message == "the value is right, but teacher_logits is changed in place"


def test_cases_survive_an_answer_that_spoils_its_inputs():
    check("KD01-E1", lambda logits, temperature: logits.zero_())
    assert check("KD01-E1", soften).status == "right"


def test_result_is_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        check("KD01-E1", soften).status = "right"


def test_objects_and_builtins_can_be_checked():
    class Answer:
        def __call__(self, logits, temperature):
            return soften(logits, temperature)

    assert check("KD01-E1", Answer()).status == "right"
    assert check("KD01-E1", max).status == "error"
