"""What imitates a teacher's layers: the plainest call of its scheme; stops; what is refused."""

from dataclasses import replace

import pytest
import torch
from _refusals import check_refused
from _small_experiment import SMALL
from test_running import outcome, quiet, small_run
from torch.optim.lr_scheduler import CosineAnnealingLR
from torch.testing import assert_close

from kdlab import data, models, schemes
from kdlab.experiments import commands, cost, running
from kdlab.experiments.imitations import Blocks, Features, Hints
from kdlab.experiments.layer_losses import LOSSES
from kdlab.experiments.running import Work, load_all
from kdlab.experiments.spec import Row
from kdlab.experiments.store import Store
from kdlab.experiments.training import chosen, train_unit
from kdlab.experiments.units import Recipe, Unit
from kdlab.losses import (
    attention_transfer_loss,
    flow_loss,
    rkd_angle_loss,
    rkd_distance_loss,
    similarity_preserving_loss,
)
from kdlab.schemes import Checkpoint

DIGITS = data.load("digits")
WIDE = Recipe((4, 6), 1, convolutional=True, batch_size=128)
THIN = Recipe((2, 3), 4, convolutional=True, batch_size=64, temperature=4.0, lambda_=0.9)
LIKE = replace(THIN, widths=WIDE.widths, squeeze=2)
BOTH, LAST = ("block1", "block2"), ("block2",)
HOW = {
    "hints": Hints("block2", "block2"),
    "attention": Features("attention", BOTH, BOTH, 2.0),
    "similarity": Features("similarity", LAST, LAST, 3.0),
    "distance": Features("distance", ("pooled",), ("pooled",), 5.0),
    "distance-angle": Features("distance-angle", ("pooled",), ("pooled",), 5.0),
    "flow": Features("flow", BOTH, BOTH, 7.0, regressed=True),
    "blocks": Blocks(BOTH, 2.0),
}
TEACHER = Unit("teacher", WIDE)
UNITS = {
    name: Unit(name, LIKE if name == "blocks" else THIN, ("teacher",), examples=200, imitate=how)
    for name, how in HOW.items()
}
TABLE = replace(
    SMALL,
    name="imitated",
    units=(TEACHER, *UNITS.values()),
    rows=tuple(Row(name, name, name) for name in UNITS),
)


def teacher() -> models.FeatureNet:
    return WIDE.build(7).eval().requires_grad_(False)


def same(one, other) -> bool:
    pairs = zip(one.state_dict().values(), other.state_dict().values(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


def batches(unit: Unit, seed: int = 5) -> data.Batches:
    numbers = chosen(unit, seed, DIGITS)
    given = DIGITS.train_images[numbers], DIGITS.train_targets[numbers]
    return data.Batches(*given, batch_size=64, seed=seed)


def adam(count: int, *trained) -> dict:
    """Return what a scheme gets for so many steps."""
    weights = [weight for module in trained for weight in module.parameters()]
    optimizer = torch.optim.Adam(weights, lr=1e-3, fused=True)
    return {"optimizer": optimizer, "scheduler": CosineAnnealingLR(optimizer, count), "seed": 5}


KD = {"temperature": 4.0, "lambda_": 0.9}


# --- each is the plainest call of its scheme, bit for bit: 4 batches an epoch


def hinted(unit: Unit):
    student, wanted = THIN.build(5), batches(unit)
    regressor = models.regressor(torch.ones(1, 3, 7, 7), torch.ones(1, 6, 7, 7), seed=5)
    layers = {"student_layer": "block2", "teacher_layer": "block2", "regressor": regressor}
    first = adam(8, student, regressor)
    schemes.learn_hints(student, teacher(), wanted, epochs=2, **first, **layers)
    schemes.distill(student, teacher(), wanted, epochs=4, **KD, **adam(16, student))
    return student


def in_blocks(unit: Unit):
    student, wanted = LIKE.build(5), batches(unit)
    shared = adam(16, student) | KD
    layers = {"blocks": BOTH, "block_weight": 2.0}
    schemes.distill_blocks(student, teacher(), wanted, epochs=3, **layers, **shared)
    schemes.distill(student, teacher(), wanted, epochs=1, **shared)
    return student


def beside(loss, layers, weight, *regressors):
    def trained(unit: Unit):
        student = THIN.build(5)
        schemes.distill_features(
            student,
            teacher(),
            batches(unit),
            student_layers=layers,
            teacher_layers=layers,
            feature_loss=loss,
            feature_weight=weight,
            epochs=4,
            **KD,
            **adam(16, student, *regressors),
        )
        return student

    return trained


def flowing():
    first = models.regressor(torch.ones(1, 2, 14, 14), torch.ones(1, 4, 14, 14), seed=5)
    second = models.regressor(torch.ones(1, 3, 7, 7), torch.ones(1, 6, 7, 7), seed=5)

    def loss(s, t):
        mine = first(s["block1"]), second(s["block2"])
        return flow_loss(mine, (t["block1"], t["block2"])) / (4 * 6)

    return beside(loss, BOTH, 7.0, first, second)


def attention(s, t):
    return sum(attention_transfer_loss(s[name], t[name]) for name in BOTH) / 2


def pooled(loss):
    return lambda s, t: loss(s["pooled"], t["pooled"])


PLAIN = {
    "hints": hinted,
    "attention": beside(attention, BOTH, 2.0),
    "similarity": beside(
        lambda s, t: similarity_preserving_loss(s["block2"], t["block2"]), LAST, 3.0
    ),
    "distance": beside(pooled(rkd_distance_loss), ["pooled"], 5.0),
    "distance-angle": beside(
        pooled(lambda s, t: rkd_distance_loss(s, t) + 2 * rkd_angle_loss(s, t)), ["pooled"], 5.0
    ),
    "flow": flowing(),
    "blocks": in_blocks,
}


@pytest.mark.parametrize("name", [*HOW])
def test_each_is_the_plainest_call_of_its_scheme(name):
    model, numbers, seconds = train_unit(UNITS[name], 5, DIGITS, [teacher()])
    assert same(model, PLAIN[name](UNITS[name])) and not model.training
    errors = schemes.evaluate(model, DIGITS.test_images, DIGITS.test_targets)
    assert numbers == {"errors": errors} and seconds > 0


def test_every_loss_is_tried():
    assert {how.loss for how in HOW.values() if isinstance(how, Features)} == set(LOSSES)


def test_alone_nothing_is_heard_of_the_predictions():
    class Deaf(models.FeatureNet):
        def forward(self, images):
            return super().forward(images) * 0 - 3

    for name in ("hints", "attention", "blocks"):
        unit = replace(UNITS[name], recipe=replace(UNITS[name].recipe, lambda_=0.0))
        ends = []
        for kind in (models.FeatureNet, Deaf):
            other = teacher()
            other.__class__ = kind
            ends.append(train_unit(unit, 5, DIGITS, [other])[0])
        assert same(*ends)


def test_maps_of_several_layers_count_alike():
    mine, wanted = ([torch.rand(3, 2, 4, 4) for _ in range(3)] for _ in range(2))
    found = LOSSES["attention"](mine, wanted)
    expected = [attention_transfer_loss(*pair) for pair in zip(mine, wanted, strict=True)]
    assert_close(found, sum(expected) / 3)
    found = LOSSES["flow"](mine, wanted)
    expected = [flow_loss((mine[n], mine[n + 1]), (wanted[n], wanted[n + 1])) for n in (0, 1)]
    assert_close(found, sum(expected) / 2 / 4)


def test_blocks_without_a_last_stage_have_one():
    unit = replace(UNITS["blocks"], imitate=Blocks(BOTH, 2.0, share=0.0))
    told = []
    train_unit(unit, 5, DIGITS, [teacher()], progress=lambda *said: told.append(said[:2]))
    assert told[-1] == (16, 16)


# --- stops


@pytest.mark.parametrize("name, steps", [("hints", 24), ("blocks", 16), ("flow", 16)])
def test_a_stopped_training_goes_on_bit_for_bit_in_either_stage(name, steps, tmp_path):
    unit, (expected, _, _) = UNITS[name], train_unit(UNITS[name], 5, DIGITS, [teacher()])
    kept, told = Checkpoint(tmp_path / "checkpoint.safetensors"), []

    def stop(done, whole, note):
        told.append((done, whole))
        if done in (6, steps - 2) and told.count((done, whole)) == 1:
            raise KeyboardInterrupt

    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            train_unit(unit, 5, DIGITS, [teacher()], checkpoint=kept, progress=stop)
    model, _, _ = train_unit(unit, 5, DIGITS, [teacher()], checkpoint=kept, progress=stop)
    assert same(model, expected)
    # Each step once, but for those that were lost: from the start of an epoch.
    again = [*range(5, 7), *range(steps - 3, steps - 1)]
    assert sorted(done for done, _ in told) == sorted([*range(1, steps + 1), *again])
    assert {whole for _, whole in told} == {steps}


def run_table(runs, watch=quiet) -> None:
    small_run(runs, experiment=TABLE, seeds=[0], watch=watch)


def test_a_run_that_was_stopped_goes_on_and_leaves_no_checkpoint(tmp_path, monkeypatch):
    run_table(tmp_path / "whole")

    def stop(unit, seed, done, steps):
        if (unit.name, done) == ("blocks", 14):
            raise KeyboardInterrupt

    monkeypatch.setattr(running, "_EVERY", 1)
    with pytest.raises(KeyboardInterrupt):
        run_table(tmp_path / "runs", stop)
    folder = Store(tmp_path / "runs", TABLE, UNITS["blocks"], 0).folder
    assert {path.name for path in folder.glob("*.safetensors")} == {"checkpoint-first.safetensors"}
    steps = []
    run_table(tmp_path / "runs", lambda unit, seed, done, whole: steps.append((unit.name, done)))
    assert [step for step in steps if step[1] > 1][0] == ("blocks", 13)
    found, expected = (
        outcome(tmp_path / where, experiment=TABLE, seeds=[0]) for where in ("runs", "whole")
    )
    assert found == expected
    assert {path.name for path in folder.iterdir()} <= {"unit.json", "lock"}


def test_a_unit_hears_the_network_of_its_teacher(tmp_path):
    run_table(tmp_path)
    work = Work(TABLE, tmp_path, load_all(TABLE, "cpu"), quiet)
    [found] = work.teaching(UNITS["flow"], 0)
    assert same(found, work.store(TEACHER, 0).network()) and not found.training
    assert not any(weight.requires_grad for weight in found.parameters())
    # Nobody asked it for its answers to all images.
    assert not [*work.store(TEACHER, 0).folder.glob("answers*")]


def test_quick_and_cost_know_of_stages():
    recipe, how = UNITS["hints"].recipe, UNITS["hints"].imitate
    assert how.epochs(recipe) == 6 and how.epochs(replace(recipe, epochs=1)) == 2
    plain = replace(UNITS["hints"], imitate=None)
    found, alone = (cost.seconds(TABLE, unit) for unit in (UNITS["hints"], plain))
    assert found == pytest.approx(alone * 6 / 4)
    assert HOW["blocks"].epochs(LIKE) == 4 * 1.75 and HOW["flow"].epochs(THIN) == 6
    for unit in commands.quick(TABLE).units[1:]:
        train_unit(unit, 0, DIGITS, [teacher()])


# --- data sets by unit


def test_each_unit_has_its_own_data(tmp_path):
    two = replace(TABLE, dataset="mnist", units=TABLE.units[:1], rows=())
    other = replace(TEACHER, name="other", dataset="fashion-mnist")
    two = replace(two, units=(TEACHER, other))
    assert two.datasets == ("mnist", "fashion-mnist")
    sets = {name: replace(DIGITS, name=name) for name in two.datasets}
    work = Work(two, tmp_path, sets, quiet)
    assert [work.dataset(unit).name for unit in two.units] == ["mnist", "fashion-mnist"]
    # A unit of another data set is another unit; the one of the experiment's needs no name.
    assert two.fingerprint(other, 0) != two.fingerprint(TEACHER, 0)
    named = replace(TEACHER, dataset="mnist")
    assert two.fingerprint(named, 0) == two.fingerprint(TEACHER, 0)
    there = replace(two, dataset="fashion-mnist", units=(TEACHER,))
    assert there.fingerprint(TEACHER, 0) == two.fingerprint(other, 0)


def test_each_data_set_is_loaded_once(monkeypatch):
    asked = []
    monkeypatch.setattr(running.data, "load", lambda name: asked.append(name) or DIGITS)
    units = tuple(
        Unit(f"u{n}", WIDE, dataset=name) for n, name in enumerate(["mnist", "fashion-mnist"] * 2)
    )
    load_all(replace(TABLE, dataset="mnist", units=units, rows=()), "cpu")
    assert asked == ["mnist", "fashion-mnist"]


# --- what is refused before anything is trained


def with_unit(**change):
    unit = replace(UNITS["flow"], **change)
    return replace(TABLE, units=(TEACHER, unit), rows=())


KNOWN = "blocks, block1, block1.0, block1.1, block1.2, block1.3, block2, block2.0, block2.1, "
KNOWN += "block2.2, block2.3, pooled, pooled.0, pooled.1, logits"
FLOW = HOW["flow"]


@pytest.mark.usefixtures("unchecked_shapes")
@pytest.mark.parametrize(
    "call, message",
    [
        (
            lambda: Features("no", BOTH, BOTH, 1.0),
            "loss must be one of 'attention', 'similarity', 'distance', 'distance-angle', 'flow', "
            "got 'no'",
        ),
        (lambda: replace(FLOW, weight=0.0), "weight must be > 0, got 0.0"),
        (
            lambda: replace(FLOW, student_layers=LAST),
            "student_layers must have length >= 2, got ('block2',)",
        ),
        (
            lambda: Features("similarity", LAST, BOTH, 1.0),
            "student_layers and teacher_layers must be equally many, got 1 and 2",
        ),
        (lambda: Blocks((), 1.0), "blocks must have length >= 1, got ()"),
        (lambda: Blocks(BOTH, -1.0), "weight must be > 0, got -1.0"),
        (lambda: Blocks(BOTH, 1.0, share=2.0), "share must be in [0, 1], got 2.0"),
        (lambda: Hints("a", "b", share=-1), "share must be in [0, 1], got -1"),
        (
            lambda: replace(UNITS["flow"], imitate=len),
            "imitate must be an instance of a dataclass with __call__, got <built-in function len>",
        ),
        (
            lambda: replace(UNITS["flow"], teachers=()),
            "teachers must be 1, as imitate needs, got 0",
        ),
        (
            lambda: replace(UNITS["flow"], teachers=("teacher", "teacher")),
            "teachers must be 1, as imitate needs, got 2",
        ),
        (
            lambda: replace(UNITS["flow"], recipe=replace(THIN, shift=1)),
            "shift is for units with no imitation",
        ),
        (
            lambda: replace(UNITS["flow"], view=SMALL.by_name["permuted"].view),
            "view is for units with no imitation",
        ),
        (
            lambda: replace(UNITS["flow"], dataset="cifar10"),
            "dataset must be one of 'mnist', 'fashion-mnist', 'digits', got 'cifar10'",
        ),
        (
            lambda: Recipe((784, 10), 1, squeeze=2),
            "squeeze is for convolutional networks",
        ),
        (
            lambda: with_unit(imitate=replace(FLOW, student_layers=("block1", "block3"))),
            f"imitate of flow: layers must be of {KNOWN}, got 'block3'",
        ),
        (
            lambda: with_unit(imitate=replace(FLOW, teacher_layers=("block2", "block1"))),
            "imitate of flow: student_map and teacher_map must have the same places, "
            "got [2, 2, 14, 14] and [2, 6, 7, 7]",
        ),
        (
            lambda: with_unit(imitate=replace(FLOW, regressed=False)),
            "imitate of flow: flows [batch, channels, channels] must have one shape, "
            "got [2, 2, 3] and [2, 4, 6]",
        ),
        (
            lambda: with_unit(imitate=Hints("block1", "block2")),
            "imitate of flow: student_map and teacher_map must have the same places, "
            "got [2, 2, 14, 14] and [2, 6, 7, 7]",
        ),
        (
            lambda: with_unit(imitate=Blocks(LAST, 1.0)),
            "imitate of flow: shapes must be equal, got student_outputs[0] [2, 2, 14, 14] and "
            "teacher_outputs[0] [2, 4, 14, 14]",
        ),
        (
            lambda: with_unit(dataset="mnist"),
            "dataset of flow must be a data set of 500 test images, got 'mnist'",
        ),
        (
            lambda: replace(
                TABLE,
                dataset="mnist",
                units=(TEACHER, replace(UNITS["flow"], dataset="fashion-mnist")),
            ),
            "flow must have its teacher's data, mnist, got fashion-mnist",
        ),
    ],
)
def test_what_cannot_be_trained_is_refused(call, message):
    check_refused(call, message)
