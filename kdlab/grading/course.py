"""Make a folder in which a normal nbgrader course works with our homework."""

from pathlib import Path

from kdlab._files import write_text
from kdlab.grading.places import source_path
from kdlab.grading.registry import find_homework, known_homeworks

_CONFIG = '''"""An nbgrader course whose homework is graded by kdlab, apart from the tests."""

from kdlab.grading.nbgrader_step import configure

c = get_config()  # noqa: F821 - nbgrader defines it
c.CourseDirectory.course_id = "kdlab"
configure(c)
'''


def make_course(folder: Path) -> list[Path]:
    """Write nbgrader_config.py and source/HOMEWORK/; return what was written.

    What is there already is left as it is, where it says the same.

    Raises:
        FileExistsError: A file is there and differs.
    """
    wanted = {folder / "nbgrader_config.py": _CONFIG}
    for id in known_homeworks():
        source = source_path(find_homework(id))
        wanted[folder / "source" / id / source.name] = source.read_text(encoding="utf-8")
    for path, text in wanted.items():
        if path.exists() and path.read_text(encoding="utf-8") != text:
            raise FileExistsError(f"{path} exists and differs; move it away first")
    written = [path for path in wanted if not path.exists()]
    for path in written:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text(path, wanted[path])
    return written
