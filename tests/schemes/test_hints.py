"""Hints, features and blocks: against the plainest loops; what the teacher is asked; hooks."""

import pytest
import torch
from _probes import CLASSES, Probe, same, sgd, small_batches, small_net, small_set, weights
from _refusals import check_refused
from torch import nn
from torch.testing import assert_close

from kdlab import models
from kdlab.data import Batches, to_float
from kdlab.losses import block_loss, distillation_loss, hint_loss, similarity_preserving_loss
from kdlab.schemes import Checkpoint, distill_blocks, distill_features, learn_hints, record, tapped

HINTON = {"temperature": 4.0, "lambda_": 0.7}
TEST = small_set(examples=10, seed=5)
MIDDLE = {"student_layers": ["hidden1"], "teacher_layers": ["hidden1"]}


def wide_net(seed=7):
    return models.mlp((16, 12, CLASSES), seed=seed)


def alike(student, teacher):
    return similarity_preserving_loss(student["hidden1"], teacher["hidden1"])


def both_sgd(student, regressor):
    if not isinstance(regressor, nn.Module):
        return sgd(student)
    return torch.optim.SGD([*student.parameters(), *regressor.parameters()], lr=0.1, momentum=0.9)


def regressor_of(student, teacher):
    images = to_float(small_set()[0][:1])
    return models.regressor(
        student.features(images)["hidden1"], teacher.features(images)["hidden1"]
    )


def hints(student, teacher, batches, regressor, make=both_sgd, **rest):
    return learn_hints(
        student,
        teacher,
        batches,
        make(student, regressor),
        regressor=regressor,
        student_layer="hidden1",
        teacher_layer="hidden1",
        epochs=2,
        **rest,
    )


def features(student, teacher, batches, **rest):
    settings = MIDDLE | HINTON | {"feature_loss": alike, "feature_weight": 3.0, "epochs": 2} | rest
    return distill_features(student, teacher, batches, sgd(student), **settings)


def blocks(student, teacher, batches, **rest):
    settings = HINTON | {"blocks": ["inputs", "hidden1"], "block_weight": 3.0, "epochs": 2} | rest
    return distill_blocks(student, teacher, batches, sgd(student), **settings)


# --- maps by name


def test_a_tap_catches_maps_by_name_and_its_hooks_are_gone_afterwards():
    net, images = small_net(), to_float(small_set()[0])
    with tapped(net, ["hidden1", "blocks.logits"]) as maps:
        logits = net(images)
        assert torch.equal(maps["hidden1"], net.features(images)["hidden1"])
        assert torch.equal(maps["blocks.logits"], logits)
    first = maps["hidden1"]
    net(images)
    assert maps["hidden1"] is first
    assert not any(module._forward_hooks for module in net.modules())


def test_hooks_are_gone_after_an_error_too():
    net = small_net()
    with pytest.raises(RuntimeError, match="planted"), tapped(net, ["hidden1"]):
        raise RuntimeError("planted")
    with pytest.raises(ValueError), tapped(net, ["hidden1", "nothing"]):
        raise AssertionError("never reached")
    assert not any(module._forward_hooks for module in net.modules())


def test_a_recording_is_what_the_network_says_and_leaves_it_as_it_was():
    images, _ = small_set()
    teacher = Probe().train()
    teacher.norm.eval()
    before = weights(teacher)
    found = record(teacher, images, ["net", "net.blocks.hidden1"], batch_size=7)
    assert [*found] == ["net", "net.blocks.hidden1", "logits"]
    assert teacher.training and not teacher.norm.training and same(weights(teacher), before)
    teacher.eval()
    assert_close(found["logits"], teacher(to_float(images)).detach())
    hidden = teacher.net.features(to_float(images))["hidden1"]
    assert_close(found["net.blocks.hidden1"], hidden.detach())
    assert not found["net"].requires_grad


# --- against the plainest loops


@pytest.mark.parametrize("shift", [0, 1])
def test_hints_take_the_steps_of_the_plainest_loop(shift):
    student, teacher = small_net(), wide_net().eval()
    regressor = regressor_of(student, teacher)
    optimizer, expected = both_sgd(student, regressor), []
    batches = small_batches(shift=shift)
    for _ in range(2):
        losses = []
        for images, targets, _ in batches:
            mine = regressor(student.features(images)["hidden1"])
            loss = hint_loss(mine, teacher.features(images)["hidden1"])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(float(loss.detach()) * len(targets))
        expected.append(sum(losses) / 40)
    again = small_net()
    other = regressor_of(again, teacher)
    history = hints(again, wide_net(), small_batches(shift=shift), other)
    assert_close(weights(again) + weights(other), weights(student) + weights(regressor))
    assert_close(history.losses, tuple(expected))
    assert expected[1] < expected[0] and history.test_errors == ()
    # The upper half is not touched.
    assert same(weights(again.blocks["logits"]), weights(small_net().blocks["logits"]))


@pytest.mark.parametrize("shift", [0, 1])
def test_features_take_the_steps_of_the_plainest_loop(shift):
    student, teacher = small_net(), wide_net().eval()
    optimizer, batches = sgd(student), small_batches(shift=shift)
    for _ in range(2):
        for images, targets, _ in batches:
            mine, wanted = student.features(images), teacher.features(images)
            loss = distillation_loss(mine["logits"], wanted["logits"], targets, **HINTON)
            loss = loss + 3.0 * alike(mine, wanted)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    again = small_net()
    history = features(again, wide_net(), small_batches(shift=shift), test=TEST)
    assert_close(weights(again), weights(student))
    assert len(history.losses) == len(history.test_errors) == 2


@pytest.mark.parametrize("shift", [0, 1])
def test_blocks_are_fed_what_the_teacher_made(shift):
    def net(seed, depth):
        built = models.mlp((16, *[8] * depth, CLASSES), seed=seed)
        return built

    student, teacher = net(1, 2), net(7, 2).eval()
    optimizer, batches = sgd(student), small_batches(shift=shift)
    for _ in range(2):
        for images, targets, _ in batches:
            wanted = {name: made.detach() for name, made in teacher.features(images).items()}
            made = [
                student.blocks["hidden1"](wanted["inputs"]),
                student.blocks["hidden2"](wanted["hidden1"]),
            ]
            loss = distillation_loss(student(images), wanted["logits"], targets, **HINTON)
            loss = loss + 3.0 * block_loss(made, [wanted["hidden1"], wanted["hidden2"]])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    again = net(1, 2)
    blocks(again, net(7, 2), small_batches(shift=shift), blocks=["hidden1", "hidden2"])
    assert_close(weights(again), weights(student))


def test_the_first_block_is_fed_the_image():
    student, teacher = models.conv_net((2,), seed=1), models.conv_net((2,), seed=7)
    images, _ = small_set()
    batches = Batches(images, torch.zeros(40, dtype=torch.int64), batch_size=40)
    seen = []
    student.blocks["block1"].register_forward_hook(lambda block, given, made: seen.append(given[0]))
    blocks(student, teacher, batches, blocks=["block1"], epochs=1)
    assert len(seen) == 2 and all(len(images) == 40 and images.max() <= 1 for images in seen)


# --- what the teacher is asked


SCHEMES = {
    "hints": lambda s, t, b, **rest: hints(s, t, b, nn.Linear(8, 12), **rest),
    "features": features,
}


@pytest.mark.parametrize("scheme", [*SCHEMES])
def test_a_recording_stands_for_the_teacher(scheme):
    ends = []
    for teacher in (wide_net(), record(wide_net(), small_set()[0], ["hidden1"])):
        student = small_net()
        with torch.random.fork_rng():
            torch.manual_seed(0)
            SCHEMES[scheme](student, teacher, small_batches())
        ends.append(weights(student))
    assert same(*ends)


class Asked(nn.Module):
    """Counts the images it is shown."""

    def __init__(self) -> None:
        super().__init__()
        self.net, self.counts, self.modes = wide_net(), [], set()

    def forward(self, images):
        self.counts.append(len(images))
        self.modes.add((self.training, torch.is_grad_enabled()))
        return self.net(images)


@pytest.mark.parametrize(("shift", "expected"), [(0, [40]), (1, [16, 16, 8] * 2)])
def test_a_teacher_is_asked_once_where_images_stand_still(shift, expected):
    teacher = Asked().train()
    before = weights(teacher)
    layers = {"teacher_layers": ["net.blocks.hidden1"]}
    features(
        small_net(),
        teacher,
        small_batches(shift=shift),
        feature_loss=lambda s, t: similarity_preserving_loss(s["hidden1"], t["net.blocks.hidden1"]),
        **layers,
    )
    assert teacher.counts == expected and teacher.modes == {(False, False)}
    assert teacher.training and same(weights(teacher), before)
    assert not any(module._forward_hooks for module in teacher.modules())


@pytest.mark.parametrize("scheme", [*SCHEMES])
def test_an_interrupt_leaves_no_hook_and_returns_what_there_is(scheme):
    def stop(done, steps, note):
        if done == 4:
            raise KeyboardInterrupt

    student = small_net()
    history = SCHEMES[scheme](student, wide_net(), small_batches(), progress=stop)
    assert history.interrupted and len(history.losses) == 1 and not student.training
    assert not any(module._forward_hooks for module in student.modules())


# --- going on after a stop


class Regressed(nn.Module):
    """A feature loss that has a regressor of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.bring = models.regressor(torch.ones(1, 8), torch.ones(1, 12), seed=3)
        self.modes = set()

    def forward(self, student, teacher):
        self.modes.add(self.training)
        return hint_loss(self.bring(student["hidden1"]), teacher["hidden1"])


def of_regressed(student, loss, **rest):
    made = both_sgd(student, loss)
    settings = MIDDLE | HINTON | {"feature_loss": loss, "feature_weight": 0.1} | rest
    return distill_features(student, wide_net(), small_batches(), made, **settings)


def of_hints(student, loss, *, epochs, **rest):
    layers = {"student_layer": "hidden1", "teacher_layer": "hidden1", "regressor": loss.bring}
    made = both_sgd(student, loss.bring)
    return learn_hints(student, wide_net(), small_batches(), made, epochs=epochs, **layers, **rest)


def of_blocks(student, loss, **rest):
    return blocks(student, small_net(7), small_batches(), **rest)


def stop_at(step):
    def stop(done, steps, note):
        if done == step:
            raise KeyboardInterrupt

    return stop


@pytest.mark.parametrize("learn", [of_hints, of_regressed, of_blocks])
def test_a_stopped_run_goes_on_bit_for_bit_with_its_regressor(tmp_path, learn):
    def end(**rest):
        student, loss = small_net(), Regressed()
        history = learn(student, loss, epochs=4, **rest)
        return weights(student) + weights(loss), history

    expected, whole = end()
    kept = Checkpoint(tmp_path / "run.safetensors")
    # Three steps an epoch: in the third one, and in the fourth.
    for step in (8, 11):
        _, history = end(checkpoint=kept, progress=stop_at(step))
        assert history.interrupted
    done = []
    ended, history = end(checkpoint=kept, progress=lambda *told: done.append(told[:2]))
    assert same(ended, expected) and history.losses == whole.losses
    assert done == [(10, 12), (11, 12), (12, 12)]


def test_a_loss_that_is_a_module_learns_in_train_mode_and_is_left_in_eval_mode():
    loss = Regressed().eval()
    of_regressed(small_net(), loss, epochs=1)
    assert loss.modes == {True} and not loss.training


@pytest.mark.usefixtures("unchecked_shapes")
def test_a_feature_loss_must_return_one_number():
    def call(returned):
        settings = MIDDLE | HINTON | {"feature_weight": 1.0, "epochs": 1}
        given = (small_net(), wide_net(), small_batches())
        return distill_features(*given, sgd(given[0]), feature_loss=lambda *_: returned, **settings)

    wanted = "feature_loss must return one number, a tensor, got "
    check_refused(lambda: call(None), wanted + "None")
    check_refused(lambda: call(0.5), wanted + "0.5")
    check_refused(lambda: call(torch.ones(3, 2)), wanted + "shape (3, 2)")


def test_a_checkpoint_of_another_regressor_is_refused(tmp_path):
    kept = Checkpoint(tmp_path / "run.safetensors")
    of_hints(small_net(), Regressed(), epochs=1, checkpoint=kept)
    with pytest.raises(ValueError, match="is no checkpoint of this run"):
        features(small_net(), wide_net(), small_batches(), checkpoint=kept)
    other = Regressed()
    other.bring = nn.Sequential(other.bring)
    with pytest.raises(ValueError, match="is no checkpoint of this run"):
        of_hints(small_net(), other, epochs=1, checkpoint=kept)


def test_a_checkpoint_that_would_lose_a_regressor_is_refused(tmp_path):
    student, loss = small_net(), Regressed()
    with pytest.raises(ValueError) as caught:
        distill_features(
            student,
            wide_net(),
            small_batches(),
            both_sgd(student, loss),
            # A function hides its regressor.
            feature_loss=lambda mine, wanted: loss(mine, wanted),
            feature_weight=1.0,
            epochs=1,
            checkpoint=Checkpoint(tmp_path / "run.safetensors"),
            **MIDDLE,
            **HINTON,
        )
    message = "checkpoint must know all that optimizer holds, got 2 other weights"
    assert str(caught.value) == message and not loss.modes


# --- regressors


def test_a_regressor_learns_in_train_mode_and_is_left_in_eval_mode():
    modes, regressor = set(), nn.Linear(8, 12).eval()
    regressor.register_forward_hook(lambda module, given, made: modes.add(module.training))
    hints(small_net(), wide_net(), small_batches(), regressor)
    assert modes == {True} and not regressor.training


def test_a_regressor_that_would_never_learn_is_refused():
    def without(student, regressor):
        return sgd(student)

    given = small_net(), wide_net(), small_batches()
    message = "optimizer must hold the regressor's parameters, got 0 of its 2 tensors"
    check_refused(lambda: hints(*given, nn.Linear(8, 12), without), message)
    # One that is meant to stay as it is need not be held.
    hints(*given, nn.Linear(8, 12).requires_grad_(False), without)


def test_a_block_that_is_too_narrow_for_the_teachers_maps_is_named():
    # What follows is torch's own sentence, which is another one in another version.
    message = r"^student's logits must take the teacher's \[\d+, 12\]; as wide as the teacher's, it"
    with pytest.raises(ValueError, match=message):
        blocks(small_net(), wide_net(), small_batches(), blocks=["logits"])


def test_regressors_bring_a_map_to_the_teachers_shape():
    flat = models.regressor(torch.ones(2, 3), torch.ones(2, 7), seed=3)
    assert flat(torch.ones(4, 3)).shape == (4, 7)
    places = models.regressor(torch.ones(2, 3, 4, 5), torch.ones(2, 6, 4, 5), seed=3)
    assert places(torch.ones(4, 3, 4, 5)).shape == (4, 6, 4, 5)
    assert places.kernel_size == (1, 1)
    state = torch.random.get_rng_state()
    again = models.regressor(torch.ones(2, 3), torch.ones(2, 7), seed=3)
    other = models.regressor(torch.ones(2, 3), torch.ones(2, 7), seed=4)
    assert same(weights(flat), weights(again)) and not same(weights(flat), weights(other))
    assert torch.equal(torch.random.get_rng_state(), state)


# --- bad input

RECORDED = record(wide_net(), small_set()[0], ["hidden1"])


@pytest.mark.usefixtures("unchecked_shapes")
@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: features(small_net(), wide_net(), small_batches(), teacher_layers=["no"]),
            "layers must be of blocks, inputs, inputs.0, inputs.1, hidden1, hidden1.0, hidden1.1, "
            "hidden1.2, logits, got 'no'",
        ),
        (
            lambda: features(small_net(), wide_net(), small_batches(), student_layers="hidden1"),
            "layers must be a list of names, got 'hidden1'",
        ),
        (
            lambda: features(small_net(), RECORDED, small_batches(shift=1)),
            "teacher must be a module where images are moved, got a recording",
        ),
        (
            lambda: features(small_net(), {"logits": RECORDED["logits"]}, small_batches()),
            "teacher must have recorded 'hidden1', got logits",
        ),
        (
            lambda: features(
                small_net(), {name: maps[:39] for name, maps in RECORDED.items()}, small_batches()
            ),
            "lengths must be equal, got teacher hidden1 39 and targets 40",
        ),
        (
            lambda: features(small_net(), RECORDED["logits"], small_batches()),
            "teacher must be a module or what record returns, got Tensor",
        ),
        (
            lambda: features(small_net(), wide_net(), small_batches(), feature_weight=0.0),
            "feature_weight must be > 0, got 0.0",
        ),
        (
            lambda: features(small_net(), wide_net(), small_batches(), lambda_=1.5),
            "lambda_ must be in [0, 1], got 1.5",
        ),
        (
            lambda: hints(small_net(), wide_net(), small_batches(), "a net"),
            "regressor must be torch's Module, got str",
        ),
        (
            lambda: hints(small_net(), wide_net(), small_batches(), nn.Linear(8, 11)),
            "shapes must be equal, got student_features [16, 11] and teacher_features [16, 12]",
        ),
        (
            lambda: blocks(small_net(), small_net(7), small_batches(), blocks=["hidden2"]),
            "blocks must be of the student's inputs, hidden1, logits, got 'hidden2'",
        ),
        *(
            (
                lambda wrong=wrong: blocks(
                    small_net(), small_net(7), small_batches(), blocks=wrong
                ),
                f"blocks must be different names of blocks, got {wrong!r}",
            )
            for wrong in ("hidden1", [], ["hidden1", "hidden1"])
        ),
        (
            lambda: blocks(nn.Linear(1, 1), small_net(7), small_batches()),
            "student must be kdlab's FeatureNet, got Linear",
        ),
        (
            lambda: models.regressor(torch.ones(2, 3, 4, 4), torch.ones(2, 3, 5, 5)),
            "student_map and teacher_map must have the same places, "
            "got [2, 3, 4, 4] and [2, 3, 5, 5]",
        ),
        (
            lambda: models.regressor(torch.ones(2, 3), torch.ones(2, 3, 1, 1)),
            "student_map and teacher_map must have the same places, got [2, 3] and [2, 3, 1, 1]",
        ),
        (
            lambda: record(small_net(), small_set()[0][:0], []),
            "images must hold at least one image, got 0",
        ),
    ],
)
def test_bad_input(call, message):
    check_refused(call, message)


def test_a_student_is_not_its_own_teacher():
    net = small_net()
    message = "teacher must be another model than student, got one object as both"
    check_refused(lambda: features(net, net, small_batches()), message)
    check_refused(lambda: blocks(net, net, small_batches()), message)
    check_refused(lambda: hints(net, net, small_batches(), nn.Linear(8, 8)), message)
