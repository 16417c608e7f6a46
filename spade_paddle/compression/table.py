"""The layers of a generator before and after pruning, as a table."""

from __future__ import annotations

from spade_paddle.compression.channels import tensor_axes
from spade_paddle.compression.cost import layer_macs
from spade_paddle.config import Config
from spade_paddle.networks.widths import GeneratorWidths

_HEAD = ("layer", "channels", "now", "MACs", "now")
Row = tuple[str, int, int, int, int]


def pruning_rows(
    config: Config,
    *,
    num_labels: int,
    before: GeneratorWidths,
    after: GeneratorWidths,
    height: int,
    width: int,
) -> list[Row]:
    """List the layers with their channels and multiply-adds before and after pruning.

    A layer is a convolution; the convolutions of one SPADE or one branch count as one layer, whose
    channels are the hidden ones. A removed layer has 0 channels and 0 multiply-adds.
    """
    found = []
    for widths in (before, after):
        layers: dict[str, list[int]] = {}
        table = tensor_axes(config, num_labels=num_labels, widths=widths)
        for name, macs in layer_macs(table, height=height, width=width).items():
            # [D, channels * h * w] of a linear layer, [channels, in, k, k] of a convolution
            axes = table[name].axes
            outputs = axes[1] if len(axes) == 2 else axes[0]
            layers.setdefault(_layer(name), [outputs.channels, 0])[1] += macs
        found.append(layers)
    old, new = found
    return [
        (name, channels, new.get(name, [0, 0])[0], macs, new.get(name, [0, 0])[1])
        for name, (channels, macs) in old.items()
    ]


def pruning_table(rows: list[Row]) -> str:
    """Format the rows with a header and a last line for the total multiply-adds."""
    total = ("total", "", "", *(f"{sum(row[part] for row in rows):,}" for part in (3, 4)))
    lines = [_HEAD, *((name, *(f"{n:,}" for n in numbers)) for name, *numbers in rows), total]
    wide = [max(map(len, column)) for column in zip(*lines)]
    return "\n".join(
        "  ".join([line[0].ljust(wide[0]), *(cell.rjust(w) for cell, w in zip(line[1:], wide[1:]))])
        for line in lines
    )


def _layer(weight: str) -> str:
    """Return the name of the SPADE or branch that a convolution is in, or else its own."""
    *parts, _ = weight.split(".")
    if "branches" in parts:
        return ".".join(parts[: parts.index("branches") + 2])
    for index, part in enumerate(parts):
        if part.startswith("norm"):
            return ".".join(parts[: index + 1])
    return ".".join(parts)
