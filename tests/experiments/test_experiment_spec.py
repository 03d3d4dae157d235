"""What an experiment may be, what names a unit's folder, and what ships."""

import json
from dataclasses import replace

import pytest
from _small_experiment import SMALL, STUDENT, TEACHER

from kdlab.experiments import NAMES, find_experiment, spec
from kdlab.experiments.spec import Recipe, Row, Unit

BY_NAME = SMALL.by_name


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
    ],
)
def test_a_recipe_that_cannot_be_trained_is_refused(change, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        replace(TEACHER, **change)


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
    assert said["measure"] == {"is": "WithBias", "classes": [3]}
    assert set(said["recipe"]) == set(Recipe.__dataclass_fields__)


@pytest.mark.parametrize("name", NAMES)
def test_what_ships_can_be_found_and_has_a_source_for_each_published_number(name):
    experiment = find_experiment(name)
    assert experiment.name == name and experiment.seeds == 5
    for row in experiment.rows:
        assert row.text and (row.published is None or row.source)
    assert len({row.name for row in experiment.rows}) == len(experiment.rows)


def test_unknown_experiments_are_refused():
    with pytest.raises(ValueError, match="^name must be one of 'hinton-mnist', .*, got 'x'$"):
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
    experiments = [find_experiment(name) for name in NAMES]
    teachers = {one.fingerprint(one.by_name["teacher"], 0) for one in experiments}
    assert len(teachers) == 1
