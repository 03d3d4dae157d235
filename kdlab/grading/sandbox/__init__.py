"""Run a student's code apart: one clean process a question, walled in, values out.

The grader (`lane`) asks a server that holds numpy and torch, but no reference, to fork a child
(`server`); the child puts up its walls (`walls`), runs the cells, calls the function, and sends
plain values back (`child`, `frames`). The judge never unpickles and never calls what came.
"""
