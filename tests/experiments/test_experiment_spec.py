"""What an experiment may be, what names a unit's folder, and what ships."""

import json
import sys
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import pytest
from _small_experiment import SMALL, STUDENT, TEACHER

from kdlab import data
from kdlab.experiments import NAMES, find_experiment, spec
from kdlab.experiments.code import code_of
from kdlab.experiments.imitations import Hints
from kdlab.experiments.spec import Row
from kdlab.experiments.units import CLASSES, DATASETS, SIDE, Recipe, Unit
from kdlab.experiments.views import Permuted

BY_NAME = SMALL.by_name
HERE = Path(__file__).parent


@pytest.mark.usefixtures("unchecked_shapes")
@pytest.mark.parametrize(
    "change, message",
    [
        ({"epochs": -1}, "epochs must be a whole number >= 0, got -1"),
        ({"batch_size": 0}, "batch_size must be a whole number >= 1, got 0"),
        ({"shift": 0.5}, "shift must be a whole number >= 0, got 0.5"),
        ({"learning_rate": 0.0}, "learning_rate must be > 0, got 0.0"),
        ({"temperature": 0.0}, "temperature must be > 0, got 0.0"),
        ({"lambda_": 1.5}, r"lambda_ must be in \[0, 1\], got 1.5"),
        ({"smoothing": -0.1}, r"smoothing must be in \[0, 1\], got -0.1"),
        ({"max_norm": 0.0}, "max_norm must be > 0, got 0.0"),
        ({"dropout": 1.0}, r"dropout must be in \[0, 1\), got 1.0"),
        ({"widths": (10,)}, r"widths must have length >= 2, got \(10,\)"),
        ({"shift": 28}, "shift must be < 28, got 28"),
        (
            {"widths": (4,), "convolutional": True},
            "dropout is for networks that are not convolutional",
        ),
    ],
)
def test_a_recipe_that_cannot_be_trained_is_refused(change, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        replace(TEACHER, **change)


@pytest.mark.parametrize("name", ["digits", pytest.param("mnist", marks=pytest.mark.mnist)])
def test_the_sizes_of_the_data_sets_are_theirs(name):
    found = data.load(name)
    assert DATASETS[name] == (len(found.train_targets), len(found.test_targets))
    assert found.train_images.shape[1:] == (1, SIDE, SIDE)
    assert len(found.class_names) == CLASSES


@pytest.mark.usefixtures("unchecked_shapes")
@pytest.mark.parametrize(
    "change, message",
    [
        ({"teachers": "t"}, "teachers must be a tuple, got 't'"),
        ({"without": 3}, "without must be a tuple, got 3"),
        ({"without": (10,)}, "without must be one of 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, got 10"),
        ({"without": tuple(range(10))}, "without must leave a class"),
        ({"examples": 0}, "examples must be a whole number >= 1, got 0"),
        ({"member": -1}, "member must be a whole number >= 0, got -1"),
        ({"teachers": ("t",)}, "max_norm is for units with no teacher"),
        (
            {"teachers": ("t",), "recipe": replace(STUDENT, smoothing=0.1)},
            "smoothing is for units with no teacher",
        ),
        (
            {"teachers": ("t",), "recipe": replace(STUDENT, epochs=0)},
            "epochs of 0 is for units with no teacher",
        ),
        ({"view": BY_NAME["permuted"].view}, "view is for units with a teacher"),
        (
            {"measure": Permuted},
            "measure must be an instance of a dataclass with __call__, got <class .*Permuted'>",
        ),
        (
            {"measure": Permuted()},
            r"measure must name its numbers in `numbers`, got Permuted\(.*\)",
        ),
        (
            {"teachers": ("t",), "recipe": STUDENT, "view": len},
            "view must be an instance of a dataclass with __call__, got <built-in function len>",
        ),
    ],
)
def test_a_unit_that_would_leave_something_out_is_refused(change, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        replace(BY_NAME["teacher"], **change)


def units(*names: str) -> tuple[Unit, ...]:
    return tuple(BY_NAME[name] for name in names)


@pytest.mark.parametrize(
    "change, message",
    [
        (
            {"units": units("teacher", "teacher")},
            "units must have different names, got teacher twice",
        ),
        ({"units": units("student", "teacher")}, "student must come after its teacher teacher"),
        ({"units": units("student")}, "teachers of student must be units, got 'teacher'"),
        ({"name": "My Own"}, "name must be of small letters, digits and hyphens, got 'My Own'"),
        (
            {"dataset": "cifar10"},
            "dataset must be one of 'mnist', 'fashion-mnist', 'digits', got 'cifar10'",
        ),
        ({"seeds": 0}, "seeds must be a whole number >= 1, got 0"),
        (
            {"units": (Unit("u", TEACHER, examples=1298),), "rows": ()},
            "examples of u must be <= 1297, got 1298",
        ),
        (
            {"units": (Unit("u", replace(TEACHER, widths=(784, 20))),), "rows": ()},
            r"widths of u must end in 10 classes, got \(784, 20\)",
        ),
        (
            {"rows": (Row("a", "teacher", ""), Row("a", "labels", ""))},
            "rows must have different names, got a twice",
        ),
        (
            {"rows": (Row("a", "teacher", "", "errors_bias"),)},
            "number of a must be of errors, got 'errors_bias'",
        ),
        (
            {"rows": (Row("a", "panel", "", "bias", minus="labels"),)},
            "number of a must be of errors, got 'bias'",
        ),
        (
            {"units": units("teacher"), "rows": (Row("a", "student", ""),)},
            "rows must show units of the experiment, got student",
        ),
        (
            {"units": units("teacher"), "rows": (Row("a", "teacher", "", minus="labels"),)},
            "rows must show units of the experiment, got labels",
        ),
    ],
)
def test_an_experiment_that_does_not_hold_together_is_refused(change, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        replace(SMALL, **change)


def named(unit: Unit, seed: int = 0, experiment=SMALL) -> str:
    return experiment.fingerprint(unit, seed)


def test_all_that_decides_a_number_decides_the_name():
    unit = BY_NAME["student"]
    other_teacher = replace(BY_NAME["teacher"], recipe=replace(TEACHER, dropout=0.3))
    others = [
        named(unit, 1),
        named(replace(unit, recipe=replace(STUDENT, temperature=5.0))),
        named(replace(unit, without=(3,))),
        named(replace(unit, examples=10)),
        named(replace(unit, member=1)),
        named(replace(unit, view=BY_NAME["permuted"].view)),
        named(replace(unit, measure=BY_NAME["panel"].measure)),
        named(unit, experiment=replace(SMALL, dataset="mnist")),
        named(unit, experiment=replace(SMALL, units=(other_teacher, *SMALL.units[1:]))),
    ]
    assert len({named(unit), *others}) == len(others) + 1


def test_a_name_decides_nothing_and_a_form_all(monkeypatch):
    unit = BY_NAME["student"]
    assert named(replace(unit, name="other")) == named(unit)
    before = named(unit)
    monkeypatch.setattr(spec, "FORM", spec.FORM + 1)
    assert named(unit) != before


def test_settings_are_json_and_hold_every_argument():
    said = BY_NAME["panel"].settings()
    assert json.loads(json.dumps(said)) == said
    code = said["measure"].pop("code")
    assert said["measure"] == {"is": "WithBias", "classes": [3]} and len(code) == 8
    assert code == code_of(type(BY_NAME["panel"].measure)) != code_of(Permuted)
    # What came later is told where it is used.
    assert set(said["recipe"]) == set(Recipe.__dataclass_fields__) - {
        "squeeze",
        "pool_after",
        "stop_soft_at",
    }
    assert not {"imitate", "dataset"} & set(said)
    thin = Recipe((4,), 1, convolutional=True, squeeze=2)
    used = replace(BY_NAME["student"], recipe=thin, imitate=Hints("block1", "block1"))
    used = replace(used, dataset="mnist").settings()
    assert used["recipe"]["squeeze"] == 2 and used["dataset"] == "mnist"
    stopped = replace(BY_NAME["student"], recipe=replace(thin, pool_after=(), stop_soft_at=0))
    held = stopped.settings()["recipe"]
    assert held["pool_after"] == [] and held["stop_soft_at"] == 0
    assert used["imitate"]["is"] == "Hints" and used["imitate"]["share"] == 0.5
    assert used["imitate"]["code"] == code_of(Hints)


#: The two grids are many networks; the tables and the controls are held to five.
HOW_MANY = {
    "hinton-mnist": 5,
    "controls-mnist": 5,
    "low-data": 3,
    "temperature-lambda": 3,
    "features-table": 5,
    "assistants": 5,
    "early-stopping": 5,
    "mutual": 5,
    "generations": 5,
    "lopez-paz": 5,
    "grabovoy-fashion": 5,
    "grabovoy-synthetic": 10,
    "grabovoy-tweets": 5,
    "batchnorm-mnist": 5,
    "condense-minutes": 3,
    "condense-table": 1,
}


@pytest.mark.parametrize("name", NAMES)
def test_what_ships_can_be_found_and_has_a_source_for_each_published_number(name):
    experiment = find_experiment(name)
    assert experiment.name == name and experiment.seeds == HOW_MANY[name]
    for row in experiment.rows:
        assert row.text and (row.published is None or row.source)
    assert len({row.name for row in experiment.rows}) == len(experiment.rows)


def test_unknown_experiments_are_refused():
    with pytest.raises(
        ValueError, match="^name must be one of 'hinton-mnist', .*, or a Python file, got 'x'$"
    ):
        find_experiment("x")


def test_the_first_table_is_the_papers():
    published = {
        "teacher": 67,
        "labels-only": 146,
        "student": 74,
        "no-threes-raw": 206,
        "no-threes-bias": 109,
        "no-threes-bias-on-threes": 14,
        "sevens-eights-raw": 4730,
        "sevens-eights-bias": 1320,
    }
    rows = {row.name: row.published for row in find_experiment("hinton-mnist").rows}
    assert published.items() <= rows.items() and "best-student" in rows


def test_the_controls_share_all_but_what_they_control():
    by_name = find_experiment("controls-mnist").by_name
    student = by_name["student"]
    for name in ("permuted", "flattened", "temperature-only", "self-teacher"):
        assert by_name[name].recipe == student.recipe
    assert (
        replace(by_name["label-smoothing"].recipe, smoothing=0.0) == by_name["labels-only"].recipe
    )


def test_experiments_share_their_teacher():
    # The others have convolutional ones.
    experiments = [find_experiment(name) for name in NAMES[:4]]
    teachers = {one.fingerprint(one.by_name["teacher"], 0) for one in experiments}
    assert len(teachers) == 1


VIEW = '''
from dataclasses import dataclass

@dataclass(frozen=True)
class Halved:
    """Half of it."""

    def __call__(self, logits, targets, seed):
        return logits / 2
'''


def code_in(path, text: str) -> str:
    """Return the fingerprint of the class in a module of its own."""
    path.write_text(text)
    return code_of(import_module(path.stem).Halved)


def test_the_code_of_a_view_decides_and_its_layout_does_not(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    before = code_in(tmp_path / "view_one.py", VIEW)
    other = VIEW.replace('"""Half of it."""', '"""A half."""').replace("/ 2", "/  2  # Half.")
    assert code_in(tmp_path / "view_two.py", other) == before
    assert code_in(tmp_path / "view_three.py", VIEW.replace("/ 2", "/ 3")) != before


def test_an_experiment_can_be_a_file_of_ones_own(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", list(sys.path))
    source = (HERE / "_small_experiment.py").read_text()
    (tmp_path / "my_own_experiment.py").write_text(f"{source}\nEXPERIMENT = SMALL\n")
    found = find_experiment(str(tmp_path / "my_own_experiment.py"))
    assert found.name == "small" and found.by_name["student"].recipe == STUDENT


@pytest.mark.parametrize(
    "name, text, message",
    [
        (
            "without_one.py",
            "",
            r".*without_one\.py must define EXPERIMENT, an Experiment, got None",
        ),
        ("json.py", "", "json.py must have another name: a module json is there"),
        (
            "hidden_one.py",
            "from dataclasses import replace\nfrom kdlab.experiments import find_experiment\n"
            "EXPERIMENT = find_experiment('low-data')",
            r".*hidden_one\.py must give its experiment another name than 'low-data'",
        ),
    ],
)
def test_a_file_that_is_no_experiment_is_refused(tmp_path, monkeypatch, name, text, message):
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / name).write_text(text)
    with pytest.raises(ValueError, match=f"^{message}$"):
        find_experiment(str(tmp_path / name))
