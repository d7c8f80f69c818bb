"""Block outgoing network connections of a process with a seccomp filter.

A network namespace would need privileges that a container has not; a filter of system calls
needs none. Listening and answering over TCP stay possible.
"""

import ctypes
import errno
import platform
import socket
import struct
from typing import NamedTuple

PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2
LOAD, JUMP_IF_EQUAL, JUMP_IF_ANY, RETURN = 0x20, 0x15, 0x45, 0x06  # of the filter's machine
ALLOW, REFUSE = 0x7FFF0000, 0x00050000 | errno.EACCES
NUMBER, ARCHITECTURE, ARGUMENTS = 0, 4, 16  # offsets in `struct seccomp_data`
FAST_OPEN = 0x20000000  # MSG_FASTOPEN: sends where nothing was connected
OTHER_ABI = 0x40000000  # x32: the same calls by other numbers
KINDS = 0xF  # of a socket's type, without its flags


class Calls(NamedTuple):
    """Numbers of system calls on one processor architecture."""

    architecture: int
    socket: int
    connect: int
    sendto: int
    sendmsg: int
    sendmmsg: int
    io_uring_setup: int  # its operations bypass the filter


CALLS = {
    "x86_64": Calls(0xC000003E, 41, 42, 44, 46, 307, 425),
    "aarch64": Calls(0xC00000B7, 198, 203, 206, 211, 269, 425),
}


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))


def close_network() -> bool:
    """Block outgoing connections of this process and all its children.

    Listening and answering over TCP stay possible; connecting and sockets of other kinds do not.

    Returns:
        False if this kernel or processor does not support the filter.

    Source: the kernel's documentation of seccomp filters.
    """
    calls = CALLS.get(platform.machine())
    if calls is None:
        return False
    code = ctypes.create_string_buffer(_filter(calls))
    program = _Program(len(code.raw) // 8, ctypes.cast(code, ctypes.c_void_p))
    libc = ctypes.CDLL(None)
    alone = libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
    return bool(
        alone and libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(program)) == 0
    )


def _filter(calls: Calls) -> bytes:
    refuse, allow = _step(RETURN, REFUSE), _step(RETURN, ALLOW)
    program = _step(LOAD, ARCHITECTURE) + _step(JUMP_IF_EQUAL, calls.architecture, 1) + refuse
    program += _step(LOAD, NUMBER) + _step(JUMP_IF_ANY, OTHER_ABI, 0, 1) + refuse
    for call in (calls.connect, calls.sendmmsg, calls.io_uring_setup):
        program += _step(JUMP_IF_EQUAL, call, 0, 1) + refuse
    for call, flags in ((calls.sendto, 3), (calls.sendmsg, 2)):
        program += _step(JUMP_IF_EQUAL, call, 0, 4) + _argument(flags)
        program += _step(JUMP_IF_ANY, FAST_OPEN, 0, 1) + refuse + allow
    program += _step(JUMP_IF_EQUAL, calls.socket, 1) + allow
    # Unix sockets stay on this machine; TCP is handled above.
    program += _argument(0) + _step(JUMP_IF_EQUAL, socket.AF_UNIX, 0, 1) + allow
    program += _argument(1) + _step(0x54, KINDS)  # and
    return program + _step(JUMP_IF_EQUAL, socket.SOCK_STREAM, 1) + refuse + allow


def _step(code: int, value: int, then: int = 0, otherwise: int = 0) -> bytes:
    """Return one BPF instruction; jumps count the instructions that they skip."""
    return struct.pack("=HBBI", code, then, otherwise, value)


def _argument(place: int) -> bytes:
    return _step(LOAD, ARGUMENTS + 8 * place)
