"""The cost of a generator, computed from its widths alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from math import prod
from typing import Callable, Optional

from spade_paddle.compression.channels import ONCE, TensorAxes, tensor_axes
from spade_paddle.config import Config
from spade_paddle.errors import CompressionError
from spade_paddle.networks.widths import GeneratorWidths

_FLOAT32_BYTES = 4


@dataclass(frozen=True)
class Cost:
    """The quantity that a budget limits.

    Attributes:
        of: the cost of a generator of these widths, above 0. It should grow with the number of
            channels, up to noise such as that of a measured latency.
        unit: its unit in messages, such as ``ms``.
        evaluations: the maximum number of calls of ``of``; None: no limit (bisection needs about
            the binary logarithm of the number of channels).
    """

    of: Callable[[GeneratorWidths], float]
    unit: str
    evaluations: Optional[int] = None


def macs_cost(config: Config, *, num_labels: int, height: int, width: int) -> Cost:
    """Multiply-adds for one picture of height x width pixels, as counted by count_macs.

    Raises:
        CompressionError: height or width is not a positive multiple of the generator's stride.
    """
    multiple = config.generator.multiple
    if height % multiple or width % multiple or min(height, width) < 1:
        raise CompressionError(
            f"a picture of {width} x {height} pixels: with {config.generator.doublings} width and "
            f"height must be multiples of {multiple}",
            code="picture_size",
            multiple=multiple,
        )

    def count(widths: GeneratorWidths) -> int:
        table = tensor_axes(config, num_labels=num_labels, widths=widths)
        return sum(layer_macs(table, height=height, width=width).values())

    return Cost(count, "MACs")


def bytes_cost(config: Config, *, num_labels: int) -> Cost:
    """Bytes of weights and running statistics in float32, without spectral norm."""
    return Cost(partial(_count_bytes, config, num_labels), "bytes")


def layer_macs(table: Mapping[str, TensorAxes], *, height: int, width: int) -> dict[str, int]:
    """Count the multiply-adds of each convolution and linear layer, by the name of its weight.

    Args:
        table: result of tensor_axes.
        height, width: size of the picture in pixels.
    """
    return {
        name: prod(tensor.shape) * _pixels(tensor.stride, height=height, width=width)
        for name, tensor in table.items()
        if tensor.stride is not None
    }


def _pixels(stride: int, *, height: int, width: int) -> int:
    return 1 if stride == ONCE else (height // stride) * (width // stride)


def _count_bytes(config: Config, num_labels: int, widths: GeneratorWidths) -> int:
    table = tensor_axes(config, num_labels=num_labels, widths=widths)
    return _FLOAT32_BYTES * sum(prod(tensor.shape) for tensor in table.values())
