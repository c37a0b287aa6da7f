"""From layers as a user writes them (see `trainables.common.peft.settings.Layers`) to modules of a network."""

from __future__ import annotations

import re
from collections.abc import Iterator

from torch import nn

from sweeper import InvalidConfig


def chosen_layers(
    net: nn.Module, layers: str, *, kind: type[nn.Module] = nn.Conv2d, field: str = "adapter.layers"
) -> list[str]:
    """Return the names of the layers in ``layers``, in registration order; none for ``none``.

    Args:
        net: a built network; it may lie on the meta device.
        layers: checked parts, joined by commas: ``0-4,40-54``, ``output_blocks.5-8``, ``attention``, ``none``.
        kind: the layers that indices count and blocks stand for: Conv2d in the U-Net, Linear in a transformer.
            ``attention`` are the U-Net's projections, its Conv1d layers.
        field: dotted name of the config value, for messages.

    Raises:
        InvalidConfig: for a part that the network does not have, or that names a layer twice.
    """
    indexed = [name for name, module in net.named_modules() if isinstance(module, kind)]
    taken: list[str] = []
    for part in layers.split(",") if layers != "none" else []:
        if part[0].isdigit():
            found = _indexed(indexed, part, kind, field)
        elif part == "attention":
            found = [name for name, module in net.named_modules() if isinstance(module, nn.Conv1d)]
        else:
            found = _named(net, indexed, part, kind, field)
        if twice := set(taken) & set(found):
            raise InvalidConfig(field, f"{part} names {min(twice)} a second time", fix="remove the overlap")
        taken += found
    order = {name: position for position, (name, _) in enumerate(net.named_modules())}
    return sorted(taken, key=order.__getitem__)


def _indexed(names: list[str], part: str, kind: type[nn.Module], field: str) -> list[str]:
    first, _, last = part.partition("-")
    if int(last or first) >= len(names):
        fix = f"this backbone's {kind.__name__} layers are 0-{len(names) - 1}"
        raise InvalidConfig(field, f"{part} is out of bounds", fix=fix)
    return names[int(first) : int(last or first) + 1]


def _named(net: nn.Module, names: list[str], part: str, kind: type[nn.Module], field: str) -> list[str]:
    modules, found = dict(net.named_modules()), list[str]()
    for block in _blocks(part):
        if block not in modules:
            raise InvalidConfig(field, f"there is no {kind.__name__} in {block}", fix=_known(net, names))
        found += [name for name in names if f"{name}.".startswith(f"{block}.")]
    if not found:
        raise InvalidConfig(field, f"there is no {kind.__name__} in {part}", fix=_known(net, names))
    return found


def _blocks(part: str) -> Iterator[str]:
    """Yield the modules that ``output_blocks.5-8`` stands for."""
    match = re.fullmatch(r"(.+)\.(\d+)-(\d+)", part)
    if not match:
        yield part
        return
    yield from (f"{match[1]}.{index}" for index in range(int(match[2]), int(match[3]) + 1))


def _known(net: nn.Module, names: list[str]) -> str:
    blocks = [
        f"{name}.0-{len(module) - 1}" if isinstance(module, nn.ModuleList) and len(module) else name
        for name, module in net.named_children()
        if any(each == name or each.startswith(f"{name}.") for each in names)
    ]
    attention = ["attention"] if any(isinstance(module, nn.Conv1d) for module in net.modules()) else []
    *most, last = [*blocks, *attention]
    return f"this backbone has {', '.join(most)} and {last}" if most else f"this backbone has {last}"
