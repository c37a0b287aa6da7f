"""From layers as a user writes them (see `trainables.funlora.settings.Layers`) to modules of the network."""

from __future__ import annotations

import re
from collections.abc import Iterator

from torch import nn

from sweeper import InvalidConfig
from trainables.common.nets.unet import conv_layers


def chosen_layers(net: nn.Module, layers: str, field: str = "adapter.layers") -> list[str]:
    """Names of the layers in ``layers``, in registration order; none for ``none``.

    Args:
        net: a built network; it may lie on the meta device.
        layers: checked parts, joined by commas: ``0-4,40-54``, ``output_blocks.5-8``, ``attention``, ``none``.
        field: dotted name of the config value, for messages.

    Raises InvalidConfig for a part that the network does not have, or that names a layer twice.
    """
    taken: list[str] = []
    for part in layers.split(",") if layers != "none" else []:
        found = _indexed(net, part, field) if part[0].isdigit() else _named(net, part, field)
        if twice := set(taken) & set(found):
            raise InvalidConfig(field, f"{part} names {min(twice)} a second time", fix="remove the overlap")
        taken += found
    order = {name: position for position, (name, _) in enumerate(net.named_modules())}
    return sorted(taken, key=order.__getitem__)


def _indexed(net: nn.Module, part: str, field: str) -> list[str]:
    names = [name for name, _ in conv_layers(net)]
    first, _, last = part.partition("-")
    if int(last or first) >= len(names):
        fix = f"this backbone's Conv2d layers are 0-{len(names) - 1}"
        raise InvalidConfig(field, f"{part} is out of bounds", fix=fix)
    return names[int(first) : int(last or first) + 1]


def _named(net: nn.Module, part: str, field: str) -> list[str]:
    if part == "attention":
        return [name for name, module in net.named_modules() if isinstance(module, nn.Conv1d)]
    modules, convs = dict(net.named_modules()), [name for name, _ in conv_layers(net)]
    found: list[str] = []
    for block in _blocks(part):
        if block not in modules:
            raise InvalidConfig(field, f"there is no Conv2d in {block}", fix=_known(net))
        found += [name for name in convs if f"{name}.".startswith(f"{block}.")]
    if not found:
        raise InvalidConfig(field, f"there is no Conv2d in {part}", fix=_known(net))
    return found


def _blocks(part: str) -> Iterator[str]:
    """The modules that ``output_blocks.5-8`` stands for."""
    match = re.fullmatch(r"(.+)\.(\d+)-(\d+)", part)
    if not match:
        yield part
        return
    yield from (f"{match[1]}.{index}" for index in range(int(match[2]), int(match[3]) + 1))


def _known(net: nn.Module) -> str:
    convs = [name for name, _ in conv_layers(net)]
    blocks = [
        f"{name}.0-{len(module) - 1}" if len(module) and isinstance(module, nn.ModuleList) else name
        for name, module in net.named_children()
        if any(conv == name or conv.startswith(f"{name}.") for conv in convs)
        for module in [module if isinstance(module, nn.ModuleList) else nn.ModuleList()]
    ]
    return f"this backbone has {', '.join(blocks)} and attention"
