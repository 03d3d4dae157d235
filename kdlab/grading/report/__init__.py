"""Reports of a graded homework: a CSV, a page for the class, a page for each student.

Names, messages and whatever a student's code printed are untrusted: they reach a page
through `kdlab.grading.report.text` only.
"""

from kdlab.grading.report.writing import write_report

__all__ = ["write_report"]
