"""The walls around a student's code, from the Linux kernel's own means.

`landlock` decides which files can be seen, `seccomp` which system calls there are, `limits`
how much time, memory and disk. Each says whether it stands; none fails silently.
"""
