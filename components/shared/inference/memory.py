"""Measure the peak memory of a process (VmHWM), and return freed memory to the system."""

import ctypes
from pathlib import Path

MB = 10**6  # bytes


def peak_memory_mb(process: int | str = "self") -> float:
    """Return the most that a process has had in memory at once since its program began.

    `getrusage` would do for this process, were it not for the parent's memory that it remembers.

    Args:
        process: Its number; this one without.

    Returns:
        MB, 10^6 bytes.

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
    """Return memory to the system that was freed and that the C library keeps (glibc alone)."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim:
        trim(0)
