"""A class with every kind of trouble, and its reports, made once."""

import pytest
from _fake_results import fake_class, write_results
from _markup import Page

from kdlab.grading.report import write_report


@pytest.fixture(scope="session")
def results():
    """Return key -> result of the made-up class."""
    return fake_class()


@pytest.fixture(scope="session")
def grades(tmp_path_factory, results):
    """Return the folder of the made-up class, with its reports."""
    folder = write_results(tmp_path_factory.mktemp("grades"), results)
    write_report(folder)
    return folder


@pytest.fixture(scope="session")
def class_page(grades):
    """Return the parsed page of the class."""
    return Page((grades / "report" / "index.html").read_text("utf-8"))


@pytest.fixture(scope="session")
def student_pages(grades):
    """Return key -> parsed page of the student."""
    files = (grades / "report" / "students").iterdir()
    return {path.stem: Page(path.read_text("utf-8")) for path in files}


@pytest.fixture(scope="session")
def pages(class_page, student_pages):
    """Return every page."""
    return [class_page, *student_pages.values()]


@pytest.fixture
def report(tmp_path):
    """Return a function that reports on results and parses all pages, "" being the class's."""

    def made(**results) -> dict[str, Page]:
        written = write_report(write_results(tmp_path, results))[1:]
        parsed = {path.stem: Page(path.read_text("utf-8")) for path in written[1:]}
        return {"": Page(written[0].read_text("utf-8"))} | parsed

    return made
