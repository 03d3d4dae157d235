"""The table of features: its networks' sizes, what its rows share, what stands beside them."""

from dataclasses import replace

import pytest

from kdlab.experiments import features_table, find_experiment
from kdlab.experiments.features_table import DATA, EPOCHS, METHODS, PUBLISHED, STUDENT, THIN
from kdlab.experiments.imitations import Blocks, Hints
from kdlab.models import count_parameters

TABLE = find_experiment("features-table")
GROUPS = [(data, count) for data in DATA for count in EPOCHS]


def test_the_docstring_tells_the_sizes_of_the_networks():
    recipes = (features_table.TEACHER, STUDENT, THIN)
    sizes = [count_parameters(recipe.build(0)) for recipe in recipes]
    assert sizes == [24_058, 2_575, 2_624]
    assert all(f"{size:,}" in features_table.__doc__ for size in sizes)
    assert all(9 < sizes[0] / size < 10 for size in sizes[1:])


@pytest.mark.parametrize("data, count", GROUPS)
def test_students_of_a_group_share_all_but_how_they_learn(data, count):
    found = {
        unit.name.removeprefix(f"{data}-{count}-"): unit
        for unit in TABLE.units
        if unit.name.startswith(f"{data}-{count}-")
    }
    assert len(found) == 4 + 2 * len(METHODS)
    for name, unit in found.items():
        assert (unit.dataset, unit.examples) == (data, count)
        plain = THIN if name.startswith(("thin", "lit")) else STUDENT
        taught = not name.endswith("labels")
        assert unit.teachers == ((f"{data}-teacher",) if taught else ())
        weights = {"temperature": 4.0, "lambda_": 0.9 * name.endswith("kd")} if taught else {}
        assert unit.recipe == replace(plain, epochs=EPOCHS[count], **weights)
        assert unit.imitate == {method.lower(): how for method, how in METHODS.items()}.get(
            name.removesuffix("-kd")
        )


def test_a_teacher_learns_from_all_images_of_its_data():
    teachers = [unit for unit in TABLE.units if not unit.teachers and not unit.examples]
    assert [unit.dataset for unit in teachers] == [*DATA]
    assert {unit.recipe for unit in teachers} == {features_table.TEACHER}


def test_every_unit_has_a_row_and_no_number_of_other_data_stands_beside_it():
    assert [row.unit for row in TABLE.rows] == [unit.name for unit in TABLE.units]
    assert all(row.published is None for row in TABLE.rows)
    assert len({row.text for row in TABLE.rows}) == len(TABLE.rows)


def test_the_published_order_is_told():
    assert sorted(PUBLISHED.values(), reverse=True) == [*PUBLISHED.values()]
    assert PUBLISHED == {
        "teacher": 75.61,
        "KD": 74.92,
        "AT": 74.08,
        "SP": 73.83,
        "FitNets": 73.58,
        "RKD": 73.35,
        "labels": 73.26,
        "FSP": 72.91,
    }
    assert "KD > AT > SP > FitNets > RKD > labels > FSP" in TABLE.paper
    assert "1910.10699" in TABLE.paper


def test_every_weight_is_used():
    used = {name: how.weight for name, how in METHODS.items() if not isinstance(how, Hints)}
    assert used == features_table.WEIGHTS
    assert isinstance(METHODS["LIT"], Blocks) and isinstance(METHODS["FitNets"], Hints)
