"""How deep native code may recurse: the bounds of the calling thread's stack.

The stack of the main thread grows on demand up to a limit of the process, which is raised here. What
lies below it in the address space was placed when the process started, so that is looked up.
"""

from __future__ import annotations

import ctypes

from simple_jit.mir import abi
from simple_jit.runtime.context import Context

WANTED = 128 << 20
"""Bytes of stack for the main thread, where the system allows so much."""
RESERVE = 256 << 10
"""Bytes kept back for Python, C functions and error handling that native code calls into."""


def set_stack_limit(context: Context) -> None:
    """Tell native code of `context` where the stack of this thread ends."""
    low, top = _thread_stack()
    lowest = _main_stack_end(top)
    limit = (low if lowest is None else lowest) + RESERVE
    context.store(abi.STACK_LIMIT, limit)
    context.store(abi.LIMIT, limit)


def _main_stack_end(top: int) -> int | None:
    """Return the lowest address the main thread's stack may grow to; None where that is not known.

    Nor where the stack that begins at `top` is another one: that of a thread, which in a forked child may be
    what Python takes for the main thread.
    """
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_STACK)
    if soft != resource.RLIM_INFINITY and soft < WANTED:
        soft = WANTED if hard == resource.RLIM_INFINITY else min(WANTED, hard)
        resource.setrlimit(resource.RLIMIT_STACK, (soft, hard))
    size = WANTED if soft == resource.RLIM_INFINITY else min(soft, WANTED)
    try:
        with open("/proc/self/maps", encoding="ascii", errors="replace") as maps:
            below = 0
            for line in maps:
                _, _, rest = line.partition("-")
                if line.rstrip().endswith("[stack]"):
                    start, end = int(line.split("-", 1)[0], 16), int(rest.split(" ", 1)[0], 16)
                    return max(end - size, below + RESERVE) if start < top <= end else None
                below = int(rest.split(" ", 1)[0], 16)
    except OSError:
        pass
    return None


def stack_top() -> int:
    """Return the address behind this thread's stack, where it begins."""
    return _thread_stack()[1]


def _thread_stack() -> tuple[int, int]:
    """Return the bounds of this thread's stack, as the thread library knows them."""
    libc = ctypes.CDLL(None)
    libc.pthread_self.restype = ctypes.c_void_p
    thread = ctypes.c_void_p(libc.pthread_self())
    if hasattr(libc, "pthread_get_stackaddr_np"):  # macOS
        libc.pthread_get_stackaddr_np.restype = ctypes.c_void_p
        libc.pthread_get_stacksize_np.restype = ctypes.c_size_t
        top: int = libc.pthread_get_stackaddr_np(thread)
        return top - int(libc.pthread_get_stacksize_np(thread)), top
    attributes = (ctypes.c_char * 256)()
    low, size = ctypes.c_void_p(), ctypes.c_size_t()
    libc.pthread_getattr_np(thread, attributes)
    libc.pthread_attr_getstack(attributes, ctypes.byref(low), ctypes.byref(size))
    libc.pthread_attr_destroy(attributes)
    return low.value or 0, (low.value or 0) + size.value
