"""Downloads of course platforms: whose file is it, and which attempt counts."""

import pytest
from _intake_helpers import find, put, read_all, zipped

from kdlab.grading.intake import Rejected

HW = "hw1_temperature.ipynb"
PLATFORMS = {
    "Moodle, folders": {
        f"Anna Ivanova_123456_assignsubmission_file_/{HW}": b"a",
        "Anna Ivanova_123456_assignsubmission_onlinetext_/onlinetext.html": b"",
        f"Boris_2 B_123457_assignsubmission_file/{HW}": b"b",
    },
    "Moodle, flat": {
        f"Anna Ivanova_123456_assignsubmission_file_{HW}": b"a",
        f"Boris_2 B_123457_assignsubmission_file_x_1_assignsubmission_file_{HW}": b"b",
    },
    "Moodle, zips": {
        "Anna Ivanova_123456_assignsubmission_file_/hw1.zip": zipped([("deep/my.ipynb", b"a")]),
        "Boris_2 B_123457_assignsubmission_file_hw1.zip": zipped([(HW, b"b")]),
    },
    "Brightspace": {
        f"12345-67890 - Anna Ivanova - Nov 9, 2026 1159 PM/{HW}": b"old",
        f"12345-67890 - Anna Ivanova - Nov 20, 2026 1205 AM/{HW}": b"older",
        f"12345-67890 - Anna Ivanova - Nov 20, 2026 1159 AM/{HW}": b"a",
        f"12346-67890 - Boris_2 B- Nov 20, 2026 1159 PM - {HW}": b"b",
        "index.html": b"",
    },
    "Google Classroom": {
        f"Anna Ivanova - {HW}": b"old",
        "Anna Ivanova - hw1_temperature (2).ipynb": b"a",
        "Boris_2 B.ipynb": b"older",
        "Boris_2 B (1).ipynb": b"b",
    },
}
SHORT = {
    "Canvas": {
        f"ivanovaanna_12345_67890_{HW}": b"old",
        "ivanovaanna_LATE_12345_67891_hw1_temperature-2.ipynb": b"older",
        "ivanovaanna_LATE_12345_67892_hw1_temperature-10.ipynb": b"a",
        "borisb_12346_67893_notes.pdf": b"",
        "borisb_12346_67893_work.ipynb": b"b",
    },
    "Blackboard": {
        f"HW1_ivanovaanna_attempt_2026-11-19-23-59-01_{HW}": b"old",
        f"HW1_ivanovaanna_attempt_2026-11-20-23-59-01_{HW}": b"a",
        "HW1_ivanovaanna_attempt_2026-11-20-23-59-01.txt": b"",
        "HW1_ivanovaanna_attempt_2026-11-21-23-59-01_report.pdf": b"",
        "HW1_borisb_attempt_2026-11-20-23-59-01_my work.ipynb": b"b",
    },
    "GitHub Classroom": {
        f"hw1-ivanovaanna/{HW}": b"a",
        "hw1-ivanovaanna/README.md": b"",
        f"hw1-borisb/src/{HW}": b"b",
        "hw1-borisb/.git/x.ipynb": b"",
    },
    "GitHub Classroom, cloned": {
        f"hw1-submissions/hw1-temperature-ivanovaanna/{HW}": b"a",
        f"hw1-submissions/hw1-temperature-borisb/{HW}": b"b",
    },
}
ALL = [(files, {"Anna Ivanova": b"a", "Boris_2 B": b"b"}) for files in PLATFORMS.values()]
ALL += [(files, {"borisb": b"b", "ivanovaanna": b"a"}) for files in SHORT.values()]


@pytest.mark.parametrize("wrap", ["", "Course 1/"])
@pytest.mark.parametrize("as_zip", [False, True])
@pytest.mark.parametrize(("files", "wanted"), ALL, ids=[*PLATFORMS, *SHORT])
def test_every_student_once_with_the_latest_attempt(tmp_path, files, wanted, as_zip, wrap):
    place = tmp_path / "download"
    files = {wrap + name: data for name, data in files.items()}
    if as_zip:
        place = tmp_path / "Course 1.zip"
        place.write_bytes(zipped(files.items()))
    else:
        put(place, **files)
    assert read_all(place) == wanted


def test_what_is_passed_over_is_noted(tmp_path):
    put(tmp_path, **SHORT["Blackboard"])
    anna = find(tmp_path)[1]
    assert anna.notes == (
        f"An older attempt was passed over: HW1_ivanovaanna_attempt_2026-11-19-23-59-01_{HW}.",
        "A newer attempt has no notebook: HW1_ivanovaanna_attempt_2026-11-21-23-59-01_report.pdf.",
    )


def test_two_students_of_one_name_are_told_apart(tmp_path):
    put(tmp_path, **{f"Anna Ivanova_{n}_assignsubmission_file_/{HW}": b"" for n in (12, 7)})
    found = find(tmp_path)
    assert [each.student for each in found] == ["Anna Ivanova (7)", "Anna Ivanova (12)"]
    assert len({each.key for each in found}) == 2


def test_files_without_anybodys_name_stay_apart(tmp_path):
    put(tmp_path, **{HW: b"1", "hw1_temperature (1).ipynb": b"2"})
    assert read_all(tmp_path) == {"hw1_temperature": b"1", "hw1_temperature (1)": b"2"}


def test_a_student_of_a_platform_without_notebook_is_told_so(tmp_path):
    name = "Anna Ivanova_123456_assignsubmission_file_participants.csv"
    put(tmp_path, **{name: b"", "boris_1_2_x.ipynb": b""})
    with pytest.raises(Rejected, match="Anna Ivanova handed in .*participants.csv, no notebook"):
        find(tmp_path)[0].read()


def test_a_month_in_another_language_leaves_the_choice_to_people(tmp_path):
    days = ("Mai 9", "Mai 10")
    put(tmp_path, **{f"1-2 - Anna - {day}, 2026 1159 PM/{HW}": b"" for day in days})
    [anna] = find(tmp_path)
    with pytest.raises(Rejected, match="several notebooks"):
        anna.read()
