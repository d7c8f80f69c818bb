"""Set resource limits (rlimits) and a seccomp filter, then exec a program.

Usage: `python -m ... PARENT MEMORY CPU FILE PROGRAM...`. The limits stay with the program and
all processes that it starts: they cannot be lifted.
"""

import ctypes
import os
import resource
import signal
import sys
from collections.abc import Sequence

from components.promotion.check_model.network import close_network

PR_SET_PDEATHSIG = 1
OPEN_FILES = 256
GRACE_S = 5  # between SIGXCPU and SIGKILL, when the CPU time is over


def main(arguments: Sequence[str]) -> None:
    """Set the limits on this process, then exec the program.

    Args:
        arguments: Process id of the parent, with which this process ends, maximum address space
            in bytes, CPU time in seconds, file size in bytes, and the command.
    """
    parent, memory, seconds, file = map(int, arguments[:4])
    command = list(arguments[4:])
    limits = {
        resource.RLIMIT_AS: (memory, memory),
        resource.RLIMIT_CPU: (seconds, seconds + GRACE_S),
        resource.RLIMIT_FSIZE: (file, file),
        resource.RLIMIT_NOFILE: (OPEN_FILES, OPEN_FILES),
        resource.RLIMIT_CORE: (0, 0),
    }
    for kind, limit in limits.items():
        resource.setrlimit(kind, limit)
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # the parent ended before the death signal was set
        return
    if not close_network():
        print("this kernel cannot block the network without privileges", file=sys.stderr)
    os.execv(command[0], command)


if __name__ == "__main__":
    main(sys.argv[1:])
