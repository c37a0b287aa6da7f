"""Running out of memory: which errors mean it, and what there was."""

from __future__ import annotations

import os

from sweeper.resources import Resources

AVAILABLE = "SC_AVPHYS_PAGES"
CPU_ALLOCATOR = "DefaultCPUAllocator: can't allocate memory"


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
