"""Results: their schema, mean and interval, and that nothing of them is lost."""

import json
import math

import pytest
from _small_experiment import SMALL

from kdlab.course import RESULTS
from kdlab.experiments import NAMES, find_experiment, results, tables
from kdlab.experiments.forms import FIELDS, interval
from kdlab.experiments.store import Store

SEEDS = range(3)
VALUES = {"teacher": (60, 70, 65, 64), "student": (80, 90, 100, 90), "labels": (150, 160, 155, 1)}


def fill(runs, *, seeds=SEEDS, but=(), hardware="a processor") -> None:
    """Write what a run would leave, with numbers that we know."""
    for seed in seeds:
        for unit in SMALL.units:
            if (unit.name, seed) in but:
                continue
            store = Store(runs, SMALL, unit, seed)
            store.folder.mkdir(parents=True, exist_ok=True)
            errors = VALUES.get(unit.name, (0,) * 4)[seed]
            said = {
                "unit": unit.name,
                "seed": seed,
                "numbers": {"errors": errors, "errors_bias": 10 * seed},
                "seconds": 1.5,
                "versions": {"python": "3.11", "torch": "2.6.0"},
                "hardware": hardware,
            }
            store.save(said, unit.recipe.build(0).state_dict())


def by_row(found: dict) -> dict[str, dict]:
    return {row["row"]: row for row in found["rows"]}


def test_results_hold_what_the_schema_says(tmp_path):
    fill(tmp_path)
    found = results.collect(SMALL, tmp_path, SEEDS)
    assert list(found) == [*FIELDS]
    assert json.loads(json.dumps(found)) == found
    assert found["experiment"] == "small" and found["seeds"] == [0, 1, 2]
    assert found["seconds"] == 1.5 * 3 * len(SMALL.units)
    assert found["versions"] == {"python": "3.11", "torch": "2.6.0"}
    assert found["hardware"] == "a processor"
    said = found["settings"]
    assert said["dataset"] == "digits" and said["rows"]["bias"] == "panel with a bias"
    assert set(said["units"]) == {unit.name for unit in SMALL.units}
    assert said["units"]["student"]["recipe"]["temperature"] == 4.0
    rows = by_row(found)
    assert list(rows) == ["teacher", "student", "bias", "gain"]
    assert rows["teacher"] == {
        "row": "teacher",
        "published": 67,
        "source": "a paper",
        "values": [60, 70, 65],
        "mean": 65.0,
        "interval": rows["teacher"]["interval"],
    }
    assert rows["student"]["published"] is None and rows["bias"]["values"] == [0, 10, 20]


def test_a_difference_is_taken_seed_by_seed(tmp_path):
    fill(tmp_path)
    gain = by_row(results.collect(SMALL, tmp_path, SEEDS))["gain"]
    assert gain["values"] == [70, 70, 55] and gain["mean"] == 65.0


def test_only_whole_seeds_count(tmp_path):
    fill(tmp_path, but=[("student", 1)])
    found = results.collect(SMALL, tmp_path, SEEDS)
    assert found["seeds"] == [0, 2] and by_row(found)["teacher"]["values"] == [60, 65]
    with pytest.raises(ValueError, match=r"^no seed of small has ended in "):
        results.collect(SMALL, tmp_path, [1])


def test_what_differs_between_units_is_told(tmp_path):
    fill(tmp_path, seeds=[0])
    fill(tmp_path, seeds=[1], hardware="another one")
    found = results.collect(SMALL, tmp_path, SEEDS)
    assert found["hardware"] == "a processor and another one"


# Of 1 to 5: mean 3, standard deviation sqrt(2.5), and Student's t for four degrees is 2.776445.
HALF = 2.776445105 * math.sqrt(2.5 / 5)


@pytest.mark.parametrize(
    "values, expected",
    [
        ([1, 2, 3, 4, 5], [3 - HALF, 3 + HALF]),
        # Two values: t for one degree is 12.7062.
        ([0, 2], [1 - 12.70620474, 1 + 12.70620474]),
        ([4, 4, 4], [4, 4]),
    ],
)
def test_the_interval_is_students(values, expected):
    assert interval(values) == pytest.approx(expected, abs=6e-4)


def test_one_value_tells_nothing_of_a_spread():
    assert interval([7]) is None


def test_the_interval_covers_the_mean_as_often_as_it_says():
    import torch

    draws = torch.randn(4000, 5, generator=torch.Generator().manual_seed(0)).tolist()
    held = sum(low <= 0 <= high for low, high in map(interval, draws)) / len(draws)
    # Six standard deviations of a share of 95 %.
    assert abs(held - 0.95) < 6 * (0.95 * 0.05 / 4000) ** 0.5


def test_results_are_written_and_read_and_older_ones_are_kept(tmp_path):
    fill(tmp_path / "runs")
    found = results.collect(SMALL, tmp_path / "runs", SEEDS)
    folder = tmp_path / "results"
    path = results.write(found, folder)
    assert path == folder / "small.json" and results.load("small", folder) == found
    # The same again leaves no copy.
    results.write(found, folder)
    assert [one.name for one in folder.iterdir()] == ["small.json"]
    other = found | {"seconds": 1.0}
    results.write(other, folder)
    results.write(found, folder)
    assert sorted(one.name for one in folder.iterdir()) == [
        "small.1.json",
        "small.2.json",
        "small.json",
    ]
    assert json.loads((folder / "small.1.json").read_text()) == found
    assert json.loads((folder / "small.2.json").read_text()) == other


@pytest.mark.parametrize(
    "content, message",
    [
        (None, r"small\.json is not there; `python -m kdlab.experiments run small` makes it"),
        ("{}", r"small\.json: results must have 'experiment'"),
        ("[", r"small\.json holds no JSON"),
    ],
)
def test_what_is_no_result_is_refused(tmp_path, content, message):
    if content is not None:
        (tmp_path / "small.json").write_text(content)
    with pytest.raises(ValueError, match=message):
        results.load("small", tmp_path)


@pytest.mark.parametrize(
    "change, message",
    [
        ({"values": ["a", "b"]}, r"must be \d numbers, got \['a', 'b'\]"),
        ({"values": [1.0]}, r"must be \d numbers, got \[1.0\]"),
        ({"values": [True, 2.0, 1.0]}, r"must be \d numbers, got "),
        ({"mean": 1.5}, "must have the mean and interval of its values"),
        ({"interval": [0.0, 1.0]}, "must have the mean and interval of its values"),
    ],
)
def test_numbers_that_do_not_belong_together_are_refused(tmp_path, change, message):
    found = json.loads((RESULTS / "low-data.json").read_text())
    found["rows"][2] |= change
    (tmp_path / "low-data.json").write_text(json.dumps(found))
    with pytest.raises(ValueError, match=f"low-data.json: .*{found['rows'][2]['row']}.*{message}"):
        results.load("low-data", tmp_path)


def test_a_result_that_cannot_be_read_is_kept_too(tmp_path):
    fill(tmp_path / "runs")
    found = results.collect(SMALL, tmp_path / "runs", SEEDS)
    (tmp_path / "small.json").write_text("half a fi")
    results.write(found, tmp_path)
    assert (tmp_path / "small.1.json").read_text() == "half a fi"
    assert results.load("small", tmp_path) == found


@pytest.mark.parametrize(
    "change, message",
    [
        ({"experiment": "other"}, "must be of 'small', got 'other'"),
        ({"rows": [{}]}, "a row must have 'row'"),
        ({"rows": ["x"]}, "a row must have 'row'"),
        ({"rows": None}, "rows must be a list, got NoneType"),
        ({"seeds": 3}, "seeds must be a list, got int"),
        ({"settings": {}}, "settings must have 'counts'"),
        ({"versions": None}, "versions must have 'torch'"),
    ],
)
def test_foreign_results_are_refused(tmp_path, change, message):
    fill(tmp_path / "runs")
    found = results.collect(SMALL, tmp_path / "runs", SEEDS) | change
    (tmp_path / "small.json").write_text(json.dumps(found))
    with pytest.raises(ValueError, match=f"small.json:? {message}$"):
        results.load("small", str(tmp_path))


@pytest.mark.usefixtures("unchecked_shapes")
@pytest.mark.parametrize("wrong", [{}, None, "small"])
def test_a_table_needs_results(wrong):
    with pytest.raises(ValueError, match="^results must "):
        tables.Table(wrong)
    with pytest.raises(ValueError, match="^results must "):
        results.values(wrong)


def test_results_of_fewer_seeds_do_not_take_the_place_of_more(tmp_path):
    fill(tmp_path / "runs")
    more, fewer = (results.collect(SMALL, tmp_path / "runs", seeds) for seeds in (SEEDS, [0]))
    path = results.write(more, tmp_path)
    assert results.write(fewer, tmp_path) == tmp_path / "small.1.json"
    assert results.load("small", tmp_path) == more and path == tmp_path / "small.json"
    # Under other settings they are the newer ones.
    other = fewer | {"settings": fewer["settings"] | {"dataset": "mnist"}}
    assert results.write(other, tmp_path) == path
    assert json.loads((tmp_path / "small.2.json").read_text()) == more


def test_results_of_more_seeds_from_elsewhere_are_joined(tmp_path):
    fill(tmp_path / "here", seeds=(0, 1))
    fill(tmp_path / "there", seeds=(2,), hardware="another one")
    here = results.collect(SMALL, tmp_path / "here", (0, 1))
    there = results.collect(SMALL, tmp_path / "there", (2,))
    there["versions"] = {"python": "3.11", "torch": "2.7.0"}
    joined = results.join(here, there)
    fill(tmp_path)
    alone = results.collect(SMALL, tmp_path, SEEDS)
    assert joined["versions"] == {"python": "3.11", "torch": "2.6.0 and 2.7.0"}
    assert joined["hardware"] == "a processor and another one"
    told = ("versions", "hardware")
    assert {k: v for k, v in joined.items() if k not in told} == {
        k: v for k, v in alone.items() if k not in told
    }
    # What was said once is not said again.
    fill(tmp_path / "further", seeds=(3,))
    further = results.collect(SMALL, tmp_path / "further", (3,))
    assert results.join(joined, further)["hardware"] == "a processor and another one"


def test_results_of_other_settings_or_the_same_seed_are_not_joined(tmp_path):
    fill(tmp_path)
    found = results.collect(SMALL, tmp_path, (0, 1))
    other = results.collect(SMALL, tmp_path, (2,))
    with pytest.raises(ValueError, match="of different seeds to be joined, got 1 twice"):
        results.join(found, results.collect(SMALL, tmp_path, (1, 2)))
    other["settings"] = other["settings"] | {"dataset": "mnist"}
    with pytest.raises(ValueError, match="must be of the same settings to be joined"):
        results.join(found, other)
    with pytest.raises(ValueError, match="results must have 'rows'"):
        results.join(found, {"experiment": "small"})


def test_the_file_tells_what_each_row_shows(tmp_path):
    fill(tmp_path)
    shown = results.collect(SMALL, tmp_path, SEEDS)["settings"]["shown"]
    assert shown["gain"] == {"unit": "labels", "number": "errors", "minus": "student"}


def test_tables(tmp_path):
    fill(tmp_path)
    table = tables.Table(results.collect(SMALL, tmp_path, SEEDS))
    *lines, empty, caption = repr(table).splitlines()
    assert lines[0].split() == ["published", "here", "95", "%", "interval", "seeds"]
    assert lines[1].split() == ["teacher", "67", "65.0", "52.6", "to", "77.4", "3"]
    assert len({len(line) for line in lines}) == 1 and empty == ""
    counted, spent = "Means of 3 seeds, test errors of 500", "32 s of training in all"
    assert caption == f"{counted}; {spent}, a processor, torch 2.6.0."
    marked = table.markdown.splitlines()
    assert marked[1] == "| --- | ---: | ---: | ---: | ---: |"
    assert marked[2] == "| teacher | 67 | 65.0 | 52.6 to 77.4 | 3 |"
    assert marked[3] == "| student |  | 90.0 | 65.2 to 114.8 | 3 |"
    assert marked[-1] == caption and table._repr_markdown_() == table.markdown


def test_a_table_of_some_rows(tmp_path):
    fill(tmp_path)
    found = results.collect(SMALL, tmp_path, SEEDS)
    table = tables.Table(found, ["gain", "teacher"])
    assert [line[0] for line in table.lines] == ["gain", "teacher"]
    with pytest.raises(ValueError, match="^rows must be of teacher, .*, got 'nonsense'$"):
        tables.Table(found, ["nonsense"])
    assert [line[0] for line in tables.Table(found, "gain").lines] == ["gain"]
    assert results.values(found)["student"] == [80, 90, 100]


def test_one_seed_has_no_interval(tmp_path):
    fill(tmp_path)
    found = results.collect(SMALL, tmp_path, [0])
    assert tables.caption(found).startswith("One seed, test errors of 500; ")
    assert tables.Table(found).markdown.splitlines()[2] == "| teacher | 67 | 60.0 |  | 1 |"


@pytest.mark.parametrize(
    "seconds, text", [(0, "0 s"), (89, "89 s"), (90, "2 min"), (5399, "90 min"), (9000, "2.5 h")]
)
def test_spans(seconds, text):
    assert tables.span(seconds) == text


# --- what is committed


#: Seeds that are trained and committed.
TRAINED = dict.fromkeys(NAMES, 5) | {"grabovoy-synthetic": 10, "condense-table": 1}
TRAINED |= dict.fromkeys(("low-data", "temperature-lambda", "condense-minutes"), 3)


def test_what_is_committed_is_what_the_experiment_says():
    assert {name for name in NAMES if (RESULTS / f"{name}.json").exists()} == set(TRAINED)
    for name in TRAINED:
        check_committed(name)


def check_committed(name: str) -> None:
    found, experiment = results.load(name), find_experiment(name)
    curves = {f"{unit.name}-{name}" for unit in experiment.units for name in unit.curves}
    assert tuple(found) == (FIELDS + ("curves",) if curves else FIELDS)
    assert set(results.curves(found)) == curves
    assert found["experiment"] == name and len(found["seeds"]) == TRAINED[name]
    # The settings that ran are those that ship: nobody changed a recipe afterwards.
    assert found["settings"] == results.settings(experiment)
    shown = [(row["row"], row["published"], row["source"]) for row in found["rows"]]
    assert shown == [(r.name, r.published, r.source) for r in experiment.rows]
    for row in found["rows"]:
        assert len(row["values"]) == len(found["seeds"])
        assert row["mean"] == pytest.approx(sum(row["values"]) / len(row["values"]), abs=1e-3)
        assert row["interval"] == interval(row["values"])
    assert "KDLAB" not in json.dumps(found["hardware"]) and "/" not in found["hardware"]
