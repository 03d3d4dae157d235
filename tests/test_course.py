import json

import pytest

from kdlab import course


@pytest.fixture
def results(tmp_path):
    measured = {
        "hardware": "two cores",
        "date": "2026-01-01",
        "seconds": {"01": {"mnist": 61, "digits": 33}},
    }
    (tmp_path / "lecture_times.json").write_text(json.dumps(measured), encoding="utf-8")
    return tmp_path


def test_the_time_of_a_lecture_names_sets_hardware_and_date(results):
    said = course.lecture_time("01", results=results)
    assert said == "Top to bottom: 61 s on mnist, 33 s on digits (two cores, 2026-01-01)."


def test_an_unmeasured_lecture_is_an_error_that_names_the_measured_ones(results):
    with pytest.raises(ValueError, match=r"^lecture must be one of '01', got '77'$"):
        course.lecture_time("77", results=results)


def test_no_measurement_is_said(tmp_path):
    assert course.lecture_time("01", results=tmp_path) == "Not measured yet."


def test_the_environment_lists_every_package_and_no_path(monkeypatch, tmp_path):
    monkeypatch.setenv("KDLAB_DATA", str(tmp_path))
    said = course.environment()
    assert all(f"\n{name} " in said for name in course.PACKAGES)
    assert "KDLAB_DATA: set" in said and str(tmp_path) not in said


def test_readiness_asks_for_every_package(monkeypatch):
    assert course.is_ready()
    monkeypatch.setattr(course, "PACKAGES", (*course.PACKAGES, "no-such-package"))
    assert not course.is_ready()
