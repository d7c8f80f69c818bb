"""Measure the peak memory of a process (VmHWM), and return freed memory to the system."""

import ctypes
from pathlib import Path

MB = 10**6  # bytes


def peak_memory_mb(process: int | str = "self") -> float:
    """Return the peak memory of a process since its program began.

    `getrusage` is not used: its maximum includes memory of the parent process.

    Args:
        process: Process id; `self` is this process.

    Returns:
        Memory in MB (10^6 bytes).

    Raises:
        ProcessLookupError: If there is no such process, or it has ended.

    Source:
        proc_pid_status(5), `VmHWM`.
    """
    status = Path(f"/proc/{process}/status")
    lines = status.read_text().splitlines() if status.exists() else []
    peaks = [line.split()[1] for line in lines if line.startswith("VmHWM:")]
    if not peaks:
        raise ProcessLookupError(f"process {process} has ended")
    return int(peaks[0]) * 1024 / MB


def trim_memory() -> None:
    """Return freed memory from the C library to the system (glibc alone)."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim:
        trim(0)
