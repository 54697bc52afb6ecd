"""The memory that this process has held at most."""

import re
from pathlib import Path


def peak_kilobytes():
    """What it held at most since its program began, with all of its modules.

    Not what ``getrusage`` says: on Linux, that begins with the memory of the process that started this one.
    https://man7.org/linux/man-pages/man5/proc_pid_status.5.html (VmHWM)
    """
    return int(re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())[1])
