"""`distill`: what the teacher is asked, what it keeps, and that the student learns."""

import pytest
import torch
from _probes import Probe, same, sgd, small_batches, small_net, small_set, weights
from _refusals import check_refused
from torch.testing import assert_close

from kdlab import data, models
from kdlab.data import Batches
from kdlab.losses import distillation_loss
from kdlab.schemes import distill, evaluate, predict, predict_moved, train

TEST = small_set(examples=10, seed=5)
HINTON = {"temperature": 4.0, "lambda_": 0.7}


def recomputed(teacher, epochs=2, shift=0):
    """Distil with the plainest loop: the teacher is asked for every batch."""
    student = small_net()
    optimizer, teacher = sgd(student), teacher.eval()
    batches = small_batches(shift=shift)
    for _ in range(epochs):
        for images, targets, _ in batches:
            loss = distillation_loss(student(images), teacher(images), targets, **HINTON)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return weights(student)


@pytest.mark.parametrize("shift", [0, 1])
def test_distill_takes_the_steps_of_the_plainest_loop(shift):
    student = small_net()
    distill(student, small_net(7), small_batches(shift=shift), sgd(student), epochs=2, **HINTON)
    expected = recomputed(small_net(7), shift=shift)
    torch.testing.assert_close(weights(student), expected)


def test_stored_logits_are_read_by_index_under_shuffling():
    batches = small_batches()
    assert batches.fixed
    logits = predict(small_net(7), batches.images)
    student = small_net()
    distill(student, logits, batches, sgd(student), epochs=2, **HINTON)
    torch.testing.assert_close(weights(student), recomputed(small_net(7)))


def test_a_fixed_set_is_shown_to_the_teacher_once():
    teacher, student = Probe(7), small_net()
    distill(student, teacher, small_batches(), sgd(student), epochs=5, **HINTON)
    assert [len(call["images"]) for call in teacher.calls] == [40]


def test_the_teacher_sees_the_very_images_that_the_student_sees_when_they_are_shifted():
    teacher, student = Probe(7), Probe()
    distill(student, teacher, small_batches(shift=1), sgd(student), epochs=2, **HINTON)
    assert len(teacher.calls) == len(student.learning()) == 6
    for asked, learnt in zip(teacher.calls, student.learning(), strict=True):
        assert torch.equal(asked["images"], learnt["images"])
    assert len({call["images"].sum().item() for call in teacher.calls}) == 6


@pytest.mark.parametrize("shift", [0, 1])
def test_the_teacher_is_frozen_in_eval_mode_and_left_as_it_was(shift):
    teacher, student = Probe(7).train(), small_net()
    teacher.net.eval()
    before = weights(teacher)
    modes = [part.training for part in teacher.modules()]
    distill(student, teacher, small_batches(shift=shift), sgd(student), epochs=2, **HINTON)
    assert {frozenset(call["parts"]) for call in teacher.calls} == {frozenset({False})}
    assert not any(call["grad"] for call in teacher.calls)
    assert same(weights(teacher), before)
    assert [part.training for part in teacher.modules()] == modes
    assert all(p.grad is None and p.requires_grad for p in teacher.parameters())


def test_the_student_is_in_train_mode_in_every_epoch_in_spite_of_evaluation():
    student = Probe()
    distill(student, small_net(7), small_batches(), sgd(student), epochs=3, test=TEST, **HINTON)
    assert [call["parts"] for call in student.learning()] == [{True}] * 9
    assert not any(part.training for part in student.modules())


@pytest.mark.parametrize("shift", [0, 1])
def test_lambda_0_is_training_on_labels_bit_by_bit(shift):
    taught, alone = Probe(), Probe()
    arguments = {"epochs": 3, "test": TEST, "seed": 2}
    first = distill(
        taught,
        Probe(7),
        small_batches(shift=shift),
        sgd(taught),
        temperature=4.0,
        lambda_=0.0,
        **arguments,
    )
    second = train(alone, small_batches(shift=shift), sgd(alone), **arguments)
    assert same(weights(taught), weights(alone))
    assert first.losses == second.losses and first.test_errors == second.test_errors


def run(seed, shift=1):
    student = Probe()
    history = distill(
        student,
        Probe(7),
        small_batches(shift=shift),
        sgd(student),
        epochs=2,
        seed=seed,
        **HINTON,
    )
    return weights(student), history.losses


def test_a_seed_fixes_every_bit_and_leaves_the_global_generator():
    (first, losses) = run(3)
    torch.rand(17)
    before = torch.get_rng_state()
    again, same_losses = run(3)
    assert torch.equal(torch.get_rng_state(), before)
    assert same(first, again) and losses == same_losses
    assert not same(first, run(4)[0])


def test_progress_is_called_after_every_step():
    calls, student = [], small_net()

    def note(*call):
        calls.append(call)

    distill(student, small_net(7), small_batches(), sgd(student), epochs=2, progress=note, **HINTON)
    assert calls == [(i, 6, "") for i in range(1, 7)]


@pytest.mark.parametrize("shift", [0, 1])
def test_an_interrupt_returns_what_there_is_and_leaves_both_models_usable(shift):
    def stop(done, steps, note):
        if done == 4:
            raise KeyboardInterrupt

    teacher, student = Probe(7).train(), Probe()
    history = distill(
        student,
        teacher,
        small_batches(shift=shift),
        sgd(student),
        epochs=9,
        test=TEST,
        progress=stop,
        **HINTON,
    )
    assert history.interrupted and len(history.losses) == len(history.test_errors) == 1
    assert not any(part.training for part in student.modules())
    assert all(part.training for part in teacher.modules())
    assert 0 <= evaluate(student, *TEST) <= 10


def test_an_interrupt_while_the_teacher_answers_first_returns_an_empty_history():
    class Stopping(Probe):
        def forward(self, images):
            raise KeyboardInterrupt

    teacher, student = Stopping(7).train(), small_net()
    before = weights(student)
    history = distill(student, teacher, small_batches(), sgd(student), epochs=1, **HINTON)
    assert history.interrupted and history.losses == ()
    assert teacher.training and same(weights(student), before)


def test_a_teacher_asked_at_every_place_teaches_as_one_asked_at_every_step():
    teacher, students = small_net(7), [small_net(1), small_net(1)]
    images, _ = small_set()
    answers = predict_moved(teacher, images, shift=1)
    for student, taught_by in zip(students, (teacher, answers), strict=True):
        batches = small_batches(shift=1)
        distill(student, taught_by, batches, sgd(student), epochs=3, **HINTON)
    for one, other in zip(*(student.parameters() for student in students), strict=True):
        assert_close(one, other)
    shuffled = answers.view(40, 9, 3).flip(1).flatten(0, 1)
    distill(other := small_net(1), shuffled, small_batches(shift=1), sgd(other), epochs=3, **HINTON)
    assert not torch.allclose(other.blocks["logits"].weight, students[0].blocks["logits"].weight)


def test_bad_teachers():
    student, batches = small_net(), small_batches()
    logits = torch.zeros(40, 3)
    message = r"^teacher must be another model than student, got one object as both$"
    with pytest.raises(ValueError, match=message):
        distill(student, student, batches, sgd(student), epochs=1, **HINTON)
    message = r"^teacher must not share trainable parameters with student$"
    with pytest.raises(ValueError, match=message):
        wrapped = torch.nn.Sequential(student)
        distill(student, wrapped, batches, sgd(student), epochs=1, **HINTON)
    with pytest.raises(ValueError, match=r"^lengths must be equal, got teacher 39 and targets 40$"):
        distill(student, logits[:39], batches, sgd(student), epochs=1, **HINTON)
    message = r"^teacher must have 360 rows of logits, one for each place of each example, got 40$"
    with pytest.raises(ValueError, match=message):
        distill(student, logits, small_batches(shift=1), sgd(student), epochs=1, **HINTON)
    message = r"^optimizer must hold parameters of the trained model, got none of them$"
    with pytest.raises(ValueError, match=message):
        distill(student, logits, batches, sgd(small_net(7)), epochs=1, **HINTON)


def test_a_frozen_part_may_be_shared():
    teacher = small_net(7)
    student = torch.nn.Sequential(teacher.blocks["inputs"], torch.nn.Linear(16, 3))
    student.append(torch.nn.Linear(3, 8)).append(teacher.blocks["logits"].requires_grad_(False))
    before = weights(teacher)
    distill(student, teacher, small_batches(), sgd(student), epochs=1, **HINTON)
    assert same(weights(teacher), before)


@pytest.mark.usefixtures("unchecked_shapes")
@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ({"temperature": 0}, "temperature must be > 0, got 0"),
        ({"lambda_": 1.5}, "lambda_ must be in [0, 1], got 1.5"),
        ({"epochs": 0}, "epochs must be a whole number >= 1, got 0"),
        ({"temperature": 1e30}, "temperature must be in [1e-9, 1e9], got 1e+30"),
        ({"batches": [TEST]}, "batches must be kdlab's Batches, got list"),
        ({"test": TEST[0]}, "test must be a pair of images and targets, got Tensor"),
        ({"teacher": [1.0]}, "teacher must be a module or a tensor of logits, got list"),
        (
            {"teacher": torch.zeros(40, 2)},
            "shapes must be equal, got student_logits [16, 3] and teacher_logits [16, 2]",
        ),
    ],
)
def test_bad_input_is_told_before_any_step(argument, message):
    student = small_net()
    before = weights(student)
    usual = {"teacher": torch.zeros(40, 3), "batches": small_batches(), "optimizer": sgd(student)}
    check_refused(lambda: distill(student, **usual | {"epochs": 1} | HINTON | argument), message)
    assert same(weights(student), before)


def test_a_student_on_digits_learns_from_a_teacher_who_alone_knows_the_labels():
    """lambda = 1, and targets that are all zero: what it knows, it has from the teacher."""
    digits = data.load("digits")
    images, targets = digits.train_images, digits.train_targets
    test = digits.test_images, digits.test_targets
    teacher = models.mlp((784, 100, 10), seed=0)
    train(teacher, Batches(images, targets), sgd(teacher), epochs=10)
    student = models.mlp((784, 30, 10), seed=1)
    history = distill(
        student,
        teacher,
        Batches(images, torch.zeros_like(targets)),
        sgd(student, lr=0.05),
        epochs=10,
        temperature=4.0,
        lambda_=1.0,
        test=test,
    )
    assert evaluate(teacher, *test) / len(test[1]) < 0.1
    assert history.test_accuracy > 0.85
    assert history.test_errors[-1] < history.test_errors[0]


@pytest.mark.parametrize("shift", [0, 1])
def test_after_stop_soft_at_there_are_only_labels_and_the_teacher_is_not_asked(shift):
    student, teacher = small_net(), Probe(7)
    batches, optimizer = small_batches(shift=shift), sgd(student)
    rest = {"epochs": 4, "stop_soft_at": 2} | HINTON
    distill(student, teacher, batches, optimizer, **rest)
    assert len(teacher.calls) == (2 * 3 if shift else 1)
    expected, batches = small_net(), small_batches(shift=shift)
    optimizer = sgd(expected)
    distill(expected, Probe(7), batches, optimizer, epochs=2, **HINTON)
    train(expected, batches, optimizer, epochs=2)
    assert same(weights(student), weights(expected))


def test_stop_soft_at_0_is_training_on_labels_and_late_is_never():
    student, alone, taught = small_net(), small_net(), small_net()
    distill(student, Probe(7), small_batches(), sgd(student), epochs=2, stop_soft_at=0, **HINTON)
    train(alone, small_batches(), sgd(alone), epochs=2)
    assert same(weights(student), weights(alone))
    student = small_net()
    distill(student, Probe(7), small_batches(), sgd(student), epochs=2, stop_soft_at=9, **HINTON)
    distill(taught, Probe(7), small_batches(), sgd(taught), epochs=2, **HINTON)
    assert same(weights(student), weights(taught))


@pytest.mark.usefixtures("unchecked_shapes")
def test_a_bad_stop_is_refused():
    student = small_net()
    check_refused(
        lambda: distill(
            student,
            small_net(7),
            small_batches(),
            sgd(student),
            epochs=2,
            stop_soft_at=0.5,
            **HINTON,
        ),
        "stop_soft_at must be a whole number >= 0, got 0.5",
    )
