"""Reading results, and writing files: what is refused, what is ignored, what is kept."""

import csv
import json
import tracemalloc

import pytest
from _fake_results import fake_class, fake_result, write_results

from kdlab.grading.report import write_report


def rows(grades):
    with (grades / "grades.csv").open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def one(tmp_path, **changes):
    write_report(write_results(tmp_path, {"a": fake_result(1, "A") | changes}))
    [row] = rows(tmp_path)
    return row


# --- the CSV


def test_csv_has_a_row_a_student(grades, results):
    found = rows(grades)
    ids = [f"hw1-q{i}" for i in range(1, 6)]
    assert list(found[0]) == [
        *("student", "file", "status", "reason", "points", "maximum"),
        *ids,
        *(f"{id} status" for id in ids),
        *("isolation", "seed", "digest", "seconds"),
    ]
    by_digest = {row["digest"]: row for row in found}
    assert len(by_digest) == len(found) == 40
    for result in results.values():
        row = by_digest[result["digest"]]
        assert row["seed"] == str(result["seed"]) and row["status"] == result["status"]
        assert row["isolation"] == result["isolation"] and row["reason"] == result["reason"]
        if result["points"] is not None:
            assert float(row["points"]) == pytest.approx(result["points"], abs=1e-4)
        for asked in result["questions"]:
            assert float(row[asked["id"]]) == pytest.approx(asked["points"], abs=1e-4)
            assert row[f"{asked['id']} status"] == asked["status"]


def test_csv_opens_in_excel(grades):
    raw = (grades / "grades.csv").read_bytes()
    assert raw.startswith(b"\xef\xbb\xbfstudent,") and b"\r\r\n" not in raw
    assert "Иванов Пётр Сергеевич" in raw.decode() and "王小明" in raw.decode()


def test_points_are_blank_where_nothing_is_graded(grades):
    found = [row for row in rows(grades) if row["status"] == "not graded"]
    assert len(found) == 2
    for row in found:
        assert row["points"] == row["hw1-q1"] == row["hw1-q1 status"] == ""
        assert row["maximum"] == "20"


def test_zero_points_are_a_zero(tmp_path):
    assert one(tmp_path, points=0.0)["points"] == "0"


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", " =", "\t@"])
@pytest.mark.parametrize("field", ["student", "file", "reason", "isolation", "digest"])
def test_no_text_is_a_formula(tmp_path, start, field):
    row = one(tmp_path, **{field: f"{start}1+1"})
    assert row[field] == f"'{f'{start}1+1'.strip()}"


def test_numbers_and_plain_text_get_no_apostrophe(tmp_path):
    row = one(tmp_path, student="O'Brien - x", seed=-5)
    assert row["student"] == "O'Brien - x" and row["seed"] == "-5"


def test_line_break_in_a_name_stays_in_one_row(tmp_path):
    assert one(tmp_path, student='A\r\nB,"C"')["student"] == 'A B,"C"'


def test_csv_is_in_natural_order(tmp_path):
    names = ["student10", "student2", "Яна", "ёлка", "Егор", "Student1", "Елена"]
    made = {f"k{i}": fake_result(i, name) for i, name in enumerate(names)}
    write_report(write_results(tmp_path, made))
    found = [row["student"] for row in rows(tmp_path)]
    assert found == ["Student1", "student2", "student10", "ёлка", "Егор", "Елена", "Яна"]


def test_question_that_some_lack_is_blank_there(tmp_path):
    short = fake_result(1, "A", status="graded")
    short["questions"] = short["questions"][:1]
    write_report(write_results(tmp_path, {"a": short, "b": fake_result(2, "B")}))
    first, second = rows(tmp_path)
    assert first["hw1-q5"] == first["hw1-q5 status"] == "" and second["hw1-q5 status"]


# --- what is read


def broken(tmp_path, message, *, text=None, drop=None, **changes):
    """Check that such a file is refused with this message, and that nothing is written."""
    result = fake_result(1, "A", status="graded") | changes
    result.pop(drop, None)
    write_results(tmp_path, {"a": fake_result(0, "B")})
    bad = tmp_path / "results" / "bad.json"
    bad.write_text(json.dumps(result) if text is None else text, "utf-8")
    with pytest.raises(ValueError) as caught:
        write_report(tmp_path)
    assert str(caught.value) == f"{bad} must be a result of the grader: {message}"
    assert not (tmp_path / "report").exists() and not (tmp_path / "grades.csv").exists()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"drop": "student"}, "the result must have 'student'"),
        ({"format": 2}, "format must be one of 1, got 2"),
        ({"student": None}, "student must be text, got None"),
        ({"points": None}, "points must be a number from 0 to the maximum, 20.0, got None"),
        ({"points": 21.0}, "points must be a number from 0 to the maximum, 20.0, got 21.0"),
        ({"points": -1}, "points must be a number from 0 to the maximum, 20.0, got -1"),
        ({"points": True}, "points must be a number from 0 to the maximum, 20.0, got True"),
        ({"maximum": float("inf")}, "maximum must be a finite number >= 0, got inf"),
        ({"seconds": float("nan")}, "seconds must be a finite number >= 0, got nan"),
        ({"seed": 1.5}, "seed must be a whole number or null, got 1.5"),
        ({"notes": "one"}, "notes must be a list of texts, got 'one'"),
        ({"notes": [1]}, "notes must be a list of texts, got [1]"),
        ({"versions": []}, "versions must be an object of texts, got []"),
        ({"questions": {}}, "questions must be a list, got {}"),
        ({"questions": [3]}, "questions[0] must be an object, got 3"),
        ({"questions": [{"id": 3}]}, "questions[0].id must be text, got 3"),
        (
            {"status": "done"},
            "status must be one of 'graded', 'check by hand', 'not graded', got 'done'",
        ),
        ({"status": ["graded"]}, "status must be one of 'graded', 'check by hand', 'not graded', "
         "got ['graded']"),
        ({"status": "not graded"}, "points must be null where nothing is graded, got 0.0"),
        ({"text": "[]"}, "the result must be an object, got []"),
        ({"text": ""}, "Expecting value: line 1 column 1 (char 0)"),
    ],
)  # fmt: skip
def test_broken_file_is_named_with_what_is_wrong(tmp_path, changes, message):
    broken(tmp_path, message, **{"points": 0.0, "questions": []} | changes)


def test_broken_case_is_named(tmp_path):
    questions = fake_result(1, "A", status="graded")["questions"]
    questions[1]["cases"] = [{"name": "n", "weight": 1, "right": 1, "message": ""}]
    broken(tmp_path, "cases[0].right must be true or false, got 1", questions=questions)


@pytest.mark.parametrize("text", ['{"format": 1, "student": "\\', "[" * 100_000, "\udc80"])
def test_damaged_file_is_named(tmp_path, text):
    write_results(tmp_path, {})
    (tmp_path / "results" / "bad.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(ValueError, match=r"bad\.json must be a result of the grader: "):
        write_report(tmp_path)


def test_other_homework_is_named(tmp_path):
    made = {"a": fake_result(1, "A"), "b": fake_result(2, "B", homework="hw2")}
    with pytest.raises(
        ValueError, match="homework must be 'hw1' as in the other results, got 'hw2' for b"
    ):
        write_report(write_results(tmp_path, made))


def test_folder_without_results_is_refused(tmp_path):
    with pytest.raises(ValueError, match="grades must be a folder that holds results/, got "):
        write_report(tmp_path)


def test_files_on_their_way_and_history_are_ignored(tmp_path):
    write_results(tmp_path, {"a": fake_result(1, "A")})
    folder = tmp_path / "results"
    (folder / "history").mkdir()
    for name in ("b.json.tmp", "c.tmp", ".d.json", "history/e.json"):
        (folder / name).write_text("{")
    assert len(write_report(tmp_path)) == 3


def test_rounding_above_the_maximum_is_no_error(tmp_path):
    assert one(tmp_path, points=20.000000001, status="graded")["points"] == "20"


def test_lone_surrogate_does_not_stop_the_report(report):
    assert "‹U+D800›" in report(a=fake_result(1, "A\ud800"))["a"].text


# --- what is written


def test_files_are_returned_in_order(tmp_path):
    made = {"z": fake_result(1, "A"), "a": fake_result(2, "B")}
    written = write_report(write_results(tmp_path, made))
    names = ["grades.csv", "report/index.html", "report/students/z.html", "report/students/a.html"]
    assert [path.relative_to(tmp_path).as_posix() for path in written] == names


def test_same_results_give_the_same_files(tmp_path):
    write_results(tmp_path, fake_class(12))
    first = {path: path.read_bytes() for path in write_report(tmp_path)}
    assert first == {path: path.read_bytes() for path in write_report(tmp_path)}


def test_no_temporary_file_stays(grades):
    assert not [path for path in grades.rglob("*") if path.name.startswith(".")]


def test_failed_write_leaves_the_old_file_and_no_part(tmp_path, monkeypatch):
    write_results(tmp_path, {"a": fake_result(1, "A")})
    [table, *_] = write_report(tmp_path)
    before = table.read_bytes()
    write_results(tmp_path, {"b": fake_result(2, "B")})
    # Half of a surrogate pair cannot be encoded.
    monkeypatch.setattr("kdlab.grading.report.writing.csv_text", lambda summary: "half\ud800")
    with pytest.raises(UnicodeEncodeError):
        write_report(tmp_path)
    assert table.read_bytes() == before
    assert not list(tmp_path.glob(".*"))


def test_page_of_a_result_that_is_gone_goes_too(tmp_path):
    write_report(write_results(tmp_path, {"a": fake_result(1, "A"), "b": fake_result(2, "B")}))
    students = tmp_path / "report" / "students"
    (students / "mine.html").write_text("<p>kept by hand</p>")
    (tmp_path / "results" / "b.json").unlink()
    write_report(tmp_path)
    assert {path.name for path in students.iterdir()} == {"a.html", "mine.html"}


def test_one_result_at_a_time_is_in_memory(tmp_path):
    question = fake_result(1, "A")["questions"][0] | {"output": "x" * 2_000_000}
    for index in range(8):
        made = fake_result(index, f"S{index}", status="graded", questions=[question])
        write_results(tmp_path, {f"k{index}": made})
    tracemalloc.start()
    write_report(tmp_path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # One is held as bytes, as text and as its parts, 8 MB; eight would be 16 MB and more.
    assert peak < 12_000_000
