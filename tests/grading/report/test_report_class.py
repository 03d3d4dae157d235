"""The page of the class: what it counts and what it puts first."""

import random
import re
from urllib.parse import unquote

from _fake_results import fake_question, fake_result


def graded(*points, **changes):
    """Return results with these points of 10 in one question."""
    return {
        f"s{index}": fake_result(index, f"Student {index}", status="graded")
        | {"points": float(value), "maximum": 10.0, "questions": []}
        | changes
        for index, value in enumerate(points)
    }


def one_question(status: str, *, id="hw1-q1", **changes) -> dict:
    question = fake_question(random.Random(0), id, status) | changes
    return fake_result(1, "A", status="graded") | {"questions": [question]}


def test_submissions_are_counted_by_status(class_page, results):
    statuses = [result["status"] for result in results.values()]
    for status in ("graded", "check by hand", "not graded"):
        assert f"{statuses.count(status)} {status}" in class_page.text
    assert "40 submissions, the last graded 2026-11-21 07:39 UTC" in class_page.text


def test_who_needs_a_person_comes_first_with_the_reason(class_page):
    text = class_page.text
    start, end = text.index("Not graded: no points"), text.index("The median is")
    assert text.index("Check by hand: the points") < end
    listed = text[start:end]
    assert "王小明 The file is no notebook: it ends in the middle of a cell." in listed
    assert "Ivanova Anna sub_0000 An answer stood in an unusual place." in listed
    assert "student2 " not in listed


def noted(tmp_path, status, **changes):
    """Return one result with notes, and put a clean notebook beside it."""
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks" / "a b.ipynb").write_text("{}")
    told = {
        "notes": ["Cell 4 was taken.", "old.ipynb was passed over."],
        "file": "A_7/sub/hw.ipynb",
    }
    return {"a b": fake_result(1, "A", status=status, reason="Why.") | told | changes}


def test_reason_comes_with_notes_file_and_notebook(report, tmp_path):
    page = report(**noted(tmp_path, "check by hand"))[""]
    assert "Cell numbers in notes are those of the file as handed in." in page.text
    told = "Why. Cell 4 was taken. old.ipynb was passed over. File: A_7/sub/hw.ipynb, notebook"
    assert told in page.text
    [link] = [href for href in page.values("href") if "notebooks" in href]
    assert link == "../notebooks/a%20b.ipynb"
    assert (tmp_path / "report" / unquote(link)).is_file()


def test_notebook_is_linked_for_a_check_by_hand_only(report, tmp_path):
    page = report(**noted(tmp_path, "not graded"), b=fake_result(2, "B", status="check by hand"))[
        ""
    ]
    assert "A_7/sub/hw.ipynb" in page.text
    assert not [href for href in page.values("href") if "notebooks" in href]


def test_notes_of_who_needs_nobody_are_left_out(report, tmp_path):
    text = report(**noted(tmp_path, "graded"))[""].text
    assert "Cell 4" not in text and "Cell numbers" not in text and "A_7" not in text


def test_notes_and_file_are_escaped_and_cut_on_the_class_page(report):
    evil = {"notes": ['<b>&"' + "x" * 9999] * 500, "file": "<i>&" + "y" * 9999}
    page = report(a=fake_result(1, "A", status="not graded") | evil)[""]
    assert '<b>&"xxx' in page.text and "File: <i>&yyy" in page.text
    assert len(page.source) < 60_000 and "y" * 601 not in page.source


def test_nobody_needs_a_person(report):
    assert "Nobody: every submission was graded" in report(**graded(3, 4))[""].text


def test_missing_reason_is_said(report):
    page = report(a=fake_result(1, "A", status="not graded", reason=""))[""]
    assert "A No reason is recorded; see the notes on the page." in page.text


def test_long_list_is_folded_and_complete(report):
    results = {f"s{i}": fake_result(i, f"N{i}.", status="not graded") for i in range(25)}
    text = report(**results)[""].text
    listed = text[text.index("Not graded: no points") : text.index("Nothing is graded yet")]
    assert "5 more" in listed and all(f"N{i}." in listed for i in range(25))


def test_points_and_their_picture_say_the_same(report):
    page = report(**graded(0, 2.5, 5, 10))[""]
    assert (
        "The median is 3.75 of 10 points, the mean 4.38; the lowest 0, the highest 10." in page.text
    )
    told = "0 to 1 points: 1; 2 to 3 points: 1; 5 to 6 points: 1; 9 to 10 points: 1."
    assert f"Students by points. {told} The median is 3.75." in page.text
    assert "median 3.75" in page.text


def test_median_runs_behind_the_numbers(report):
    source = report(**graded(5, 5, 5))[""].source
    picture = source[source.index('<svg class="histogram"') :].split("</svg>")[0]
    picture = picture[picture.index("</desc>") :]
    bar, median = picture.index("<rect"), picture.index('<line class="median"')
    assert bar < median < picture.rindex('class="halo"')
    assert picture.endswith(">3</text>")


def test_not_graded_is_no_zero_in_the_points(report):
    page = report(b=fake_result(9, "B", status="not graded"), **graded(6, 8))[""]
    assert "The median is 7 of" in page.text and "the lowest 6" in page.text


def test_nothing_graded_gives_a_page_all_the_same(report):
    page = report(a=fake_result(1, "A", status="not graded"))[""]
    assert "Nothing is graded yet" in page.text and "No times yet." in page.text


def test_no_result_gives_a_page_all_the_same(report):
    assert "0 submissions" in report()[""].text


def test_questions_stand_from_hardest_to_easiest(class_page, results):
    found = re.findall(r"(hw1-q\d): [^:]*? mean (\d+) %", class_page.text)
    assert [int(mean) for _, mean in found] == sorted(int(mean) for _, mean in found)
    assert {id for id, _ in found} == {f"hw1-q{i}" for i in range(1, 6)}
    asked = [q for r in results.values() for q in r["questions"] if q["id"] == found[0][0]]
    mean = sum(q["points"] / q["maximum"] for q in asked) / len(asked)
    assert found[0][1] == f"{100 * mean:.0f}"


def test_answers_are_counted_by_status_and_drawn(report):
    pages = report(a=one_question("right"), b=one_question("right"), c=one_question("crashed"))
    assert "✓ right: 2 ✸ crashed: 1" in pages[""].text
    assert "2 right, 1 crashed" in pages[""].values("aria-label")
    widths = [float(a["width"]) for a in pages[""].all("rect") if "class" in a]
    assert widths[0] > 60 and 30 < widths[1] < 34


def test_mistakes_are_counted_with_share_and_explanation(report):
    slip = {"mistake": "sum", "cause": "The sum is taken; the mean is asked for."}
    other = {"mistake": "sign", "cause": "The sign is turned."}
    page = report(
        a=one_question("wrong", **other),
        b=one_question("wrong", **slip),
        c=one_question("partly", **slip),
        d=one_question("right"),
    )[""]
    told = "sum: 2 of 4 (50 %). The sum is taken; the mean is asked for. sign: 1 of 4 (25 %)."
    assert told in page.text


def test_rare_mistakes_are_left_out_and_that_is_said(report):
    made = {f"s{i}": one_question("wrong", mistake=f"slip {i}", cause="c") for i in range(8)}
    assert "2 rarer ones are left out." in report(**made)[""].text


def test_times_name_the_median_and_the_slowest(report):
    results = graded(*range(7))
    for index, result in enumerate(results.values()):
        result["seconds"] = [0.25, 9, 1, 2, 3, 4, 5][index]
    text = report(**results)[""].text
    assert "A submission took 3 s (median). The slowest: Student 1: 9 s" in text
    assert "Student 0: " not in text and "Student 2: " not in text


def test_times_of_a_question(report):
    text = report(a=one_question("right", seconds=0.2), b=one_question("right", seconds=4.0))[
        ""
    ].text
    assert "hw1-q1: Tempered softmax 2.1 s 4 s" in text


def test_unisolated_grades_are_warned_of(class_page):
    assert "1 of 40 submissions ran unisolated" in class_page.text
    assert "Run the grader on Linux; python -m kdlab.grading doctor" in class_page.text
    assert "1 of 40: unisolated: this is Windows" in class_page.text


def test_isolated_grades_bring_no_warning(report):
    page = report(**graded(1, 2))[""]
    assert "unisolated" not in page.text
    assert "2 of 2: Landlock 7, seccomp, bubblewrap" in page.text


def test_students_of_one_name_have_two_pages_and_are_told_apart(class_page, student_pages):
    assert "Ivanova Anna sub_0000" in class_page.text and "Ivanova Anna sub_0005" in class_page.text
    assert "5 of 20 points" in student_pages["sub_0000"].text
    assert "8 of 20 points" in student_pages["sub_0005"].text
    assert "student2 sub_0009" not in class_page.text


def test_table_has_a_row_a_student_with_sign_and_word(class_page):
    text = class_page.text[class_page.text.rindex("All students") :]
    assert (
        "Ivanova Anna sub_0005 check by hand 8 0 ◷ timed out 0 ✸ crashed 0 ▦ out of memory" in text
    )
    assert "student status points hw1-q1 (3) hw1-q2 (3) hw1-q3 (4) hw1-q4 (4) hw1-q5 (6) " in text
    assert "seconds" not in text


def test_table_is_in_natural_order(class_page):
    text = class_page.text[class_page.text.rindex("All students") :]
    assert text.index("student2 ") < text.index("student10 ") < text.index("Student 17 ")


def test_only_the_students_table_is_sorted_by_the_script(class_page):
    assert [a["class"] for a in class_page.all("table") if "data-sortable" in a] == ["students"]
    rows = class_page.source[class_page.source.index("data-sortable") :]
    assert rows.count('<th scope="row" data-sort=') == 40
