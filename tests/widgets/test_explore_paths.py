"""explore_paths: the Python side, without a browser."""

import re
import xml.etree.ElementTree as ElementTree
from statistics import fmean, stdev

import pytest

from kdlab.schemes.paths import all_paths
from kdlab.widgets import _path_still, explore_paths

SVG = "{http://www.w3.org/2000/svg}"
RESULTS = {
    (10, 2): [61, 58, 66, 60],
    (10, 6, 2): [55, 52, 58, 55],
    (10, 4, 2): [60, 60, 63, 60],
    (10, 6, 4, 2): [56, 50, 60, 54],
}


def make(results=RESULTS, **more):
    return explore_paths(results, **{"examples": 10_000, **more})


def test_means_deviations_and_paired_differences_are_those_of_the_definition():
    for path, result in make().results.items():
        errors = RESULTS[path]
        pairs = [a - b for a, b in zip(errors, RESULTS[10, 2], strict=True)]
        assert result.mean == fmean(errors) and result.networks == len(path)
        assert result.deviation == pytest.approx(stdev(errors), rel=1e-12)
        assert result.difference == pytest.approx(fmean(pairs), rel=1e-12)
        assert result.standard_error == pytest.approx(stdev(pairs) / 2, rel=1e-12)


def test_results_come_with_fewer_errors_first_and_equal_means_share_a_rank():
    results = make(RESULTS | {(10, 6, 2): [220 / 4] * 4}).results
    assert [result.rank for result in results.values()] == [1, 1, 3, 4]
    # Of two that are equal, the one with fewer networks is named first.
    assert [*results] == [(10, 6, 2), (10, 6, 4, 2), (10, 4, 2), (10, 2)]


def test_paths_are_told_apart_from_two_standard_errors_on():
    # Differences of 1, 1, 1, 5 have mean 2 and standard error 1: just enough.
    errors = {(3, 1): [10, 10, 10, 10], (3, 2, 1): [11, 11, 11, 15]}
    view = explore_paths(errors, examples=100)
    result = view.results[3, 2, 1]
    assert (result.difference, result.standard_error, result.apart) == (2, 1, True)
    assert result.alike == () and view.results[3, 1].alike == ()
    assert not view.results[3, 1].apart
    errors[3, 2, 1] = [11, 11, 10.8, 15]
    view = explore_paths(errors, examples=100)
    assert view.results[3, 2, 1].alike == ((3, 1),) and view.results[3, 1].alike == ((3, 2, 1),)
    assert not view.results[3, 2, 1].apart


def test_no_spread_and_no_difference_is_not_told_apart():
    view = explore_paths({(3, 1): [10, 10], (3, 2, 1): [10, 10]}, examples=100)
    assert not view.results[3, 2, 1].apart and view.results[3, 2, 1].standard_error == 0


def test_one_seed_has_no_spread_and_tells_nothing_apart():
    view = explore_paths({(3, 1): [50], (3, 2, 1): [1]}, examples=100, path=(3, 2, 1))
    result = view.result
    assert (result.deviation, result.standard_error, result.apart) == (None, None, False)
    assert result.alike == ((3, 1),)
    assert view.summary() == (
        "3→2→1: 1.0 errors of 100 (1.00 %) of one seed, no spread, rank 1 of 2. "
        "−49.0 beside 3→1: not told apart, one seed has no spread. "
        "Not told apart from any other path. "
        "3 networks a seed: the teacher, 1 assistant, the student."
    )


def test_the_summary_follows_the_path():
    view = make()
    assert repr(view) == "explore_paths(path=(10, 2))"
    # The mean is 61.25: a half goes up, as in the browser.
    assert view.summary() == (
        "10→2: 61.3 ± 3.4 errors of 10,000 (0.61 %) over 4 seeds (mean ± SD), rank 4 of 4. "
        "The direct path itself. Not told apart from 10→4→2. "
        "2 networks a seed: the teacher, the student."
    )
    view.path = [10, 6, 2]
    assert view.path == (10, 6, 2) and view.result is view.results[10, 6, 2]
    assert view.summary() == (
        "10→6→2: 55.0 ± 2.4 errors of 10,000 (0.55 %) over 4 seeds (mean ± SD), rank 1 of 4. "
        "−6.3 ± 0.6 (SE) beside 10→2: fewer errors. Not told apart from 10→6→4→2. "
        "3 networks a seed: the teacher, 1 assistant, the student."
    )
    view.path = (10, 6, 4, 2)
    assert "a seed: the teacher, 2 assistants, the student." in view.summary()


def test_a_row_chosen_in_the_browser_sets_the_trait():
    view = make()
    view.set_state({"path": [10, 6, 4, 2]})
    assert view.path == (10, 6, 4, 2) and view.result is view.results[10, 6, 4, 2]


def test_a_path_that_was_not_measured_can_be_chosen():
    few = {path: RESULTS[path] for path in ((10, 2), (10, 6, 4, 2))}
    view = make(few, path=(10, 4, 2))
    assert view.result is None and view.networks == 5
    assert view.summary() == (
        "10→4→2: not measured. 3 networks a seed: the teacher, 1 assistant, the student."
    )
    ElementTree.fromstring(view.still())


def test_all_paths_together_train_each_beginning_once():
    sizes = (10, 8, 6, 4, 2)
    view = make({path: [50, 60] for path in all_paths(sizes)})
    assert (view.networks, len(view.results), view.sizes, view.seeds) == (16, 8, sizes, 2)


def test_two_sizes_will_do():
    view = make({(10, 2): [5, 6]})
    assert view.summary().endswith("rank 1 of 1. The direct path itself. "
                                   "2 networks a seed: the teacher, the student.")  # fmt: skip
    ElementTree.fromstring(view.still())


def test_the_still_has_a_row_a_path_and_marks_the_chosen_one():
    view = make(path=(10, 6, 2), labels_only={2: [70, 72], 10: [40, 41]})
    root = ElementTree.fromstring(view.still())
    assert root.get("aria-label") == f"{view.title}. {view.summary()}"
    texts = [text.text for text in root.iter(f"{SVG}text")]
    assert {"55.0 ± 2.4", "−6.3 ± 0.6", "61.3 ± 3.4", "71.0", "40.5"} <= set(texts)
    strong = [t.text for t in root.iter(f"{SVG}text") if t.get("font-weight") == "bold"]
    assert strong == ["1", "55.0 ± 2.4", "−6.3 ± 0.6"]
    data, _ = view._repr_mimebundle_()
    assert data["text/plain"] == view.summary() and data["image/svg+xml"] == view.still()


def test_the_still_places_errors_on_its_axis():
    ticks = _path_still._ticks([50, 66])
    assert ticks == [50, 55, 60, 65, 70]
    place = _path_still._scale(ticks)
    assert [place(50), place(60), place(70)] == [300, 395, 490]
    assert _path_still._ticks([7, 7]) == [7, 7.5] and place(1e9) < _path_still.ERRORS


def test_the_module_imports_nothing_and_has_one_default_export():
    text = make()._esm
    assert re.findall(r"^\s*import\b|\bimport\s*\(|\brequire\s*\(", text, re.M) == []
    assert text.count("export default { render };") == 1


@pytest.mark.parametrize(
    "value", [None, 10, "10", (10,), (2, 10), (10, 6), (6, 2), (10, 5, 2), (10, 6, 6, 2), ()]
)
def test_a_wrong_path_is_refused_and_the_old_one_stays(value):
    view = make()
    wanted = r"^path must be sizes of \[10, 6, 4, 2\] that fall, from 10 to 2, got "
    with pytest.raises(ValueError, match=wanted):
        view.path = value
    assert view.path == (10, 2)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"results": [1]}, r"results must map paths to lists of errors, got \[1\]"),
        ({"results": {}}, r"results must have length >= 1, got \{\}"),
        (
            {"results": {(2, 10): [1]}},
            r"results must be keyed by tuples of at least 2 sizes that fall, got \(2, 10\)",
        ),
        ({"results": {(10,): [1]}}, r"results must be keyed .* got \(10,\)"),
        ({"results": {"10-2": [1]}}, "results must be keyed .* got '10-2'"),
        ({"results": {(10, 2.5): [1]}}, "size 1 of .* must be a whole number >= 1, got 2.5"),
        (
            {"results": {(10, 2): [1], (8, 2): [1]}},
            r"results must go from one teacher to one student, got ends \(10, 2\) and \(8, 2\)",
        ),
        (
            {"results": {(10, 4, 2): [1]}},
            r"results must hold the direct path \(10, 2\), got \[\(10, 4, 2\)\]",
        ),
        (
            {"results": {path: [1] for path in all_paths((12, 10, 8, 6, 4, 2))}},
            r"results must have at most 5 sizes, got \[12, 10, 8, 6, 4, 2\]",
        ),
        (
            {"results": {(10, 2): [1, 2], (10, 4, 2): [1]}},
            r"results\[\(10, 4, 2\)\] must hold 2 numbers, one a seed, as \(10, 2\) has, got 1",
        ),
        ({"results": {(10, 2): []}}, r"results\[\(10, 2\)\] must have length >= 1, got \[\]"),
        ({"results": {(10, 2): 5}}, r"\[\(10, 2\)\] must be a list of errors, one a seed, got 5"),
        ({"results": {(10, 2): [-1]}}, r"s\[\(10, 2\)\]\[0\] must be in \[0, 10000\], got -1"),
        ({"results": {(10, 2): [1, float("nan")]}}, r"\[1\] must be in \[0, 10000\], got nan"),
        ({"results": {(10, 2): ["7"]}}, r"\[0\] must be in \[0, 10000\], got '7'"),
        ({"examples": 0}, "examples must be a whole number >= 1, got 0"),
        ({"labels_only": [3]}, r"labels_only must map sizes to lists of errors, got \[3\]"),
        ({"labels_only": {3: [1]}}, "labels_only must be keyed by sizes of .*, got 3"),
        ({"labels_only": {2: [1e9]}}, r"labels_only\[2\]\[0\] must be in \[0, 10000\], got"),
        ({"path": (10, 8, 2)}, r"path must be sizes of .* that fall, from 10 to 2, got"),
    ],
)
def test_wrong_arguments_say_which(unchecked_shapes, change, message):
    with pytest.raises(ValueError, match=message):
        make(**change)
