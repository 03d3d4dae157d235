"""The questions, one module a lecture, each with a tuple ``QUESTIONS``."""
