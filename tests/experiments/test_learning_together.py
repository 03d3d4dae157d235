"""`assistants`, `early-stopping`, `mutual`, `generations`: who teaches whom, and equal controls."""

from dataclasses import replace

import pytest

from kdlab.experiments import assistants, cost, early_stopping, find_experiment, generations, mutual
from kdlab.experiments.teams import Mean, Mutual
from kdlab.models import count_parameters
from kdlab.schemes import all_paths

EVERY = {
    name: find_experiment(name)
    for name in ("assistants", "early-stopping", "mutual", "generations")
}


@pytest.mark.parametrize("name", EVERY)
def test_all_learn_from_a_thousand_images_of_both_data_sets(name):
    experiment = EVERY[name]
    assert experiment.datasets == ("mnist", "fashion-mnist")
    assert {unit.examples for unit in experiment.units} == {1_000}
    half = len(experiment.units) // 2
    for one, other in zip(experiment.units[:half], experiment.units[half:], strict=True):
        renamed = tuple(teacher.replace("mnist", "fashion-mnist", 1) for teacher in one.teachers)
        name = one.name.replace("mnist", "fashion-mnist", 1)
        assert replace(one, name=name, teachers=renamed, dataset="fashion-mnist") == other


def test_assistants_has_every_way_from_the_largest_to_every_size():
    units = EVERY["assistants"].by_name
    assert len(units) == 2 * (2**4 + 4)
    for end in (2, 4, 6, 8):
        for path in all_paths((2, 4, 6, 8, 10), end=end):
            unit = units[assistants.name_of("mnist", path)]
            before = assistants.name_of("mnist", path[:-1])
            assert unit.teachers == (before,) and before in units
            assert unit.recipe == assistants.recipe(end, temperature=4.0, lambda_=0.9)
    for size in (2, 4, 6, 8, 10):
        unit = units[f"mnist-{size}"]
        assert unit.teachers == () and unit.recipe == assistants.recipe(size)


def test_a_network_has_as_many_convolutions_as_its_size_says_and_larger_ones_more_weights():
    models = {size: assistants.recipe(size).build(0) for size in assistants.NETWORKS}
    for size, model in models.items():
        assert sum("block" in name for name in model.blocks) == size
    counts = [count_parameters(models[size]) for size in sorted(models)]
    assert counts == sorted(set(counts))


def test_early_stopping_shares_its_networks_with_assistants():
    shared = {"2", "10", "10-4", "10-4-2", "10-2"}
    for end in shared:
        name, (one, other) = f"mnist-{end}", (EVERY["early-stopping"], EVERY["assistants"])
        assert one.fingerprint(one.by_name[name], 1) == other.fingerprint(other.by_name[name], 1)


def test_early_stops_differ_from_the_whole_in_nothing_else():
    units = EVERY["early-stopping"].by_name
    whole = units["mnist-10-2"]
    for count in early_stopping.STOPS:
        stopped = units[f"mnist-stop-{count}"]
        recipe = replace(whole.recipe, stop_soft_at=count)
        assert 0 < count < whole.recipe.epochs
        assert stopped == replace(whole, name=stopped.name, recipe=recipe)
    for count in early_stopping.TEACHERS:
        teacher, student = units[f"mnist-teacher-{count}"], units[f"mnist-by-{count}"]
        assert teacher.recipe == replace(units["mnist-10"].recipe, epochs=count)
        assert student == replace(whole, name=student.name, teachers=(teacher.name,))


def test_the_long_controls_have_about_the_time_of_the_assistant_s_way():
    experiment = EVERY["early-stopping"]
    seconds = {unit.name: cost.seconds(experiment, unit) for unit in experiment.units}
    way = seconds["mnist-10-4"] + seconds["mnist-10-4-2"]
    for name in ("mnist-labels-long", "mnist-taught-long"):
        assert way == pytest.approx(seconds[name], rel=0.1)


def test_pairs_and_their_controls_have_one_recipe():
    units = EVERY["mutual"].by_name
    small, large = units["mnist-small"].recipe, units["mnist-large"].recipe
    assert (small.temperature, small.lambda_) == (1.0, 0.5)
    assert replace(large, widths=small.widths) == small
    assert units["mnist-small-long"].recipe == replace(small, epochs=2 * small.epochs)
    named = {name: unit for name, unit in units.items() if isinstance(unit.imitate, Mutual)}
    assert {name: unit.imitate for name, unit in named.items() if name.startswith("mnist")} == {
        "mnist-pair": Mutual((small.widths,)),
        "mnist-pair-at-once": Mutual((small.widths,), "at once"),
        "mnist-unequal": Mutual((large.widths,)),
        "mnist-pair-large": Mutual((large.widths,)),
    }
    assert units["mnist-by-small"].teachers == ("mnist-small-again",)
    assert units["mnist-small-again"].member != units["mnist-small"].member
    assert mutual.EPOCHS == small.epochs


def test_each_generation_learns_from_the_one_before_and_starts_afresh():
    units = EVERY["generations"].by_name
    for what in ("generation", "refined"):
        chain = [units[f"mnist-{what}-{number}"] for number in range(generations.LAST + 1)]
        assert chain[0].teachers == ()
        for before, unit in zip(chain, chain[1:], strict=False):
            assert unit.teachers == (before.name,) and unit.recipe == chain[0].recipe
        assert [unit.member for unit in chain] == list(range(len(chain)))
    assert units["mnist-refined-1"].recipe.lambda_ == 1.0
    assert units["mnist-refined-1"].recipe.shift == 2
    assert units["mnist-generation-1"].recipe.lambda_ == 0.5


def test_ensembles_have_as_many_members_and_the_long_one_as_much_time():
    experiment = EVERY["generations"]
    units = experiment.by_name
    grown, alone = units["mnist-ensemble"], units["mnist-ensemble-alone"]
    assert grown.imitate == alone.imitate == Mean(generations.LAST)
    assert "mnist-generation-0" not in grown.teachers
    assert all(not units[name].teachers for name in alone.teachers)
    chain = [units[f"mnist-generation-{n}"] for n in range(generations.LAST + 1)]
    spent = sum(cost.seconds(experiment, unit) for unit in chain)
    assert cost.seconds(experiment, units["mnist-long"]) == pytest.approx(spent)


def test_published_numbers_are_told_as_they_stand():
    assert assistants.PUBLISHED["CIFAR-100"]["8"] < assistants.PUBLISHED["CIFAR-100"]["distilled"]
    assert assistants.PUBLISHED["CIFAR-10"] == {
        "labels": 70.16,
        "distilled": 72.57,
        "8": 72.75,
        "6": 73.15,
        "4": 73.51,
    }
    assert generations.PUBLISHED["DenseNet-112-33"] == (18.25, 16.95)
    assert early_stopping.PUBLISHED["labels"] == 30.24
