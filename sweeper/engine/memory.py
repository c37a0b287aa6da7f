"""Memory of a stage: measure its peak, recognise out-of-memory errors, describe what is available."""

from __future__ import annotations

import contextlib
import os
import re
from pathlib import Path

from sweeper.trainable.resources import Resources

AVAILABLE = "SC_AVPHYS_PAGES"
CPU_ALLOCATOR = "DefaultCPUAllocator: can't allocate memory"

RESET_PEAK = "5"
"""Value for Linux's clear_refs that resets the peak to what is resident now (proc(5))."""


def forget_peak(device: str) -> None:
    """Reset the peak, so that earlier stages of this process do not count."""
    if device == "cuda":
        import torch

        torch.cuda.reset_peak_memory_stats()
    else:
        with contextlib.suppress(OSError):
            Path("/proc/self/clear_refs").write_text(RESET_PEAK)


def peak(device: str) -> int | None:
    """Return the peak bytes since `forget_peak`: allocated on the GPU, or resident; None if it cannot be measured."""
    if device == "cuda":
        import torch

        return torch.cuda.max_memory_allocated()
    try:
        found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    except OSError:
        return None
    return 1024 * int(found[1]) if found else None


def is_out_of_memory(error: BaseException) -> bool:
    """Check whether a stage's error means that main memory or the device's memory is used up."""
    import torch

    kinds = (MemoryError, torch.OutOfMemoryError)
    return isinstance(error, kinds) or CPU_ALLOCATOR in str(error)


def there_is(request: Resources) -> str:
    """Describe the memory of the device that a request is for, such as ``23.4 GiB of memory, 19.0 GiB of it free``."""
    import torch

    if request.gpus and torch.cuda.is_available():
        left, total = torch.cuda.mem_get_info()
        return f"{total / 2**30:.1f} GiB on the GPU, {left / 2**30:.1f} GiB of it free"
    page = os.sysconf("SC_PAGE_SIZE") / 2**30
    free = f", {os.sysconf(AVAILABLE) * page:.1f} GiB of it free" if AVAILABLE in os.sysconf_names else ""
    return f"{os.sysconf('SC_PHYS_PAGES') * page:.1f} GiB of memory{free}"
