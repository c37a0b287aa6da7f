"""The formulas of adapters as the papers write them: entry by entry, and never merged where a layer can be run."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from trainables.funlora.settings import Adapter


def functional_entry(functions: str, a: list, b: list, o: int, c: int, weight: list, omega: list) -> float:
    """F_oc = 1/p sum_i lambda_i f_i(A, B)_oc on lists of lists."""
    total = 0.0
    for i in range(len(weight)):
        shift = i if functions == "rshift" else 0
        row, column = a[(o - shift) % len(a)], [line[(c - shift) % len(line)] for line in b]
        product = sum(x * y for x, y in zip(row, column, strict=True))
        if functions.startswith("power"):
            product = math.copysign(abs(product) ** omega[i], product)
        elif functions.startswith("cosine"):
            product = math.cos(omega[i] * product)
        total += weight[i] * product
    return total / len(weight)


def functional_matrix(functions: str, a: Tensor, b: Tensor, ponderations: Tensor, frequencies: Tensor) -> Tensor:
    """F, (c_out, c_in)."""
    rows, columns, weight, omega = a.tolist(), b.tolist(), ponderations.tolist(), frequencies.tolist()
    entries = [
        [functional_entry(functions, rows, columns, o, c, weight, omega) for c in range(b.shape[1])]
        for o in range(a.shape[0])
    ]
    return torch.tensor(entries, dtype=a.dtype)


def factor(adapter: Adapter, learned: Mapping[str, Tensor], c_out: int, c_in: int) -> Tensor:
    """F of a layer with the repetition of a ratio, (c_out, c_in)."""
    short_a, short_b = learned["A"], learned["B"]
    a = torch.stack([short_a[o % len(short_a)] for o in range(c_out)])
    b = torch.stack([short_b[:, c % short_b.shape[1]] for c in range(c_in)], dim=1)
    if adapter.functions == "none":
        return functional_matrix("power", a, b, torch.ones(1), torch.ones(1))
    return functional_matrix(
        adapter.functions, a, b, learned["lambda"], learned.get("omega", torch.arange(1, adapter.p + 1))
    )


def loralib_weight(layer: nn.Module, learned: Mapping[str, Tensor]) -> Tensor:
    """W_0 + (B A).view(W_0.shape), the product's entries in the order in which they lie in memory."""
    a, b = learned["A"].tolist(), learned["B"].tolist()
    entries = []
    for row in b:
        for column in range(len(a[0])):
            entries.append(sum(x * y[column] for x, y in zip(row, a, strict=True)))
    weight = layer.weight
    return weight + torch.tensor(entries, dtype=weight.dtype).reshape(weight.shape)


def adapted(adapter: Adapter, layer: nn.Module, learned: Mapping[str, Tensor], x: Tensor) -> Tensor:
    """The layer's output from its input, the frozen weight and what was learned."""
    convolve = F.conv2d if isinstance(layer, nn.Conv2d) else F.conv1d
    if adapter.method.startswith("lora_conv"):
        return convolve(x, loralib_weight(layer, learned), layer.bias, layer.stride, layer.padding)
    padded = F.pad(x, [side for size in reversed(layer.padding) for side in (size, size)])
    if adapter.method == "scale_shift":
        shape = (-1, *[1] * (x.dim() - 2))
        moved = padded * learned["scale"].view(shape) + learned["shift"].view(shape)
        return convolve(moved, layer.weight, layer.bias, layer.stride)
    return _low_rank_output(adapter, layer, learned, padded)


def _low_rank_output(adapter: Adapter, layer: nn.Module, learned: Mapping[str, Tensor], padded: Tensor) -> Tensor:
    """From patches: what every input channel gives to every output channel, weighted by F."""
    c_out, c_in, *kernel = layer.weight.shape
    image = padded if padded.dim() == 4 else padded[:, :, None]
    stride = layer.stride if padded.dim() == 4 else (1, *layer.stride)
    patches = F.unfold(image, kernel if len(kernel) == 2 else (1, *kernel), stride=stride).unflatten(1, (c_in, -1))
    matrix = factor(adapter, learned, c_out, c_in)
    per_channel = torch.einsum("ock,nckl->nocl", layer.weight.flatten(2), patches)
    if adapter.operation == "mul":
        out = torch.einsum("oc,nocl->nol", matrix, per_channel)
    elif adapter.operation == "add":
        out = per_channel.sum(2) + torch.einsum("oc,nckl->nol", matrix, patches)
    else:
        out = per_channel.sum(2) + torch.einsum("oc,nocl->nol", matrix, per_channel)
    out = out + layer.bias[:, None]
    if padded.dim() == 3:
        return out
    height = (image.shape[2] - kernel[0]) // layer.stride[0] + 1
    return out.unflatten(2, (height, -1))


@contextmanager
def replaced(
    net: nn.Module, names: Iterable[str], output: Callable[[str, nn.Module, Tensor], Tensor]
) -> Iterator[None]:
    """The network with ``output`` of name, layer and input in the place of the named layers' own."""
    handles = []
    for name in names:

        def hook(layer: nn.Module, inputs: tuple, _output: Tensor, name: str = name) -> Tensor:
            return output(name, layer, inputs[0])

        handles.append(net.get_submodule(name).register_forward_hook(hook))
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def layer_names(values: Iterable[str]) -> set[str]:
    """The layers of names such as ``layer/name``."""
    return {key.partition("/")[0] for key in values}


def of_layer(values: Mapping[str, Tensor], name: str) -> dict[str, Tensor]:
    """What was learned for one layer, by its own name."""
    return {key.partition("/")[2]: value for key, value in values.items() if key.startswith(f"{name}/")}
