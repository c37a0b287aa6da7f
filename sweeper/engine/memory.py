"""Memory: the most that a stage has had, which errors mean that it ran out, and what there was."""

from __future__ import annotations

import contextlib
import os
import re
from pathlib import Path

from sweeper.trainable.resources import Resources

AVAILABLE = "SC_AVPHYS_PAGES"
CPU_ALLOCATOR = "DefaultCPUAllocator: can't allocate memory"

RESET_PEAK = "5"
"""To Linux's clear_refs: the peak starts again at what is resident now (proc(5))."""


def forget_peak(device: str) -> None:
    """Begin to measure anew: what an earlier stage of this process had does not count."""
    if device == "cuda":
        import torch

        torch.cuda.reset_peak_memory_stats()
    else:
        with contextlib.suppress(OSError):
            Path("/proc/self/clear_refs").write_text(RESET_PEAK)


def peak(device: str) -> int | None:
    """The most bytes since `forget_peak`: allocated on the GPU, or resident of this process; None where none tells."""
    if device == "cuda":
        import torch

        return torch.cuda.max_memory_allocated()
    try:
        found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    except OSError:
        return None
    return 1024 * int(found[1]) if found else None


def is_out_of_memory(error: BaseException) -> bool:
    """Whether a stage's error says that main memory or the device's memory is used up."""
    import torch

    kinds = (MemoryError, torch.OutOfMemoryError)
    return isinstance(error, kinds) or CPU_ALLOCATOR in str(error)


def there_is(request: Resources) -> str:
    """The memory of the device that a request is for, such as ``23.4 GiB of memory, 19.0 GiB of it free``."""
    import torch

    if request.gpus and torch.cuda.is_available():
        left, total = torch.cuda.mem_get_info()
        return f"{total / 2**30:.1f} GiB on the GPU, {left / 2**30:.1f} GiB of it free"
    page = os.sysconf("SC_PAGE_SIZE") / 2**30
    free = f", {os.sysconf(AVAILABLE) * page:.1f} GiB of it free" if AVAILABLE in os.sysconf_names else ""
    return f"{os.sysconf('SC_PHYS_PAGES') * page:.1f} GiB of memory{free}"
