"""Loads a network's tensors from a file; errors list everything that does not fit."""

from __future__ import annotations

from paddle import nn

from spade_paddle.convert.tensors import SourceTensors
from spade_paddle.weights import Shape, mismatches

MAX_ROWS = 40


def load_tensors(network: nn.Layer, tensors: SourceTensors) -> None:
    """Load every tensor of the network.

    Raises:
        ModelError: tensors are missing, unexpected or of the wrong shape; with a table of their
            names in the file, and expected and actual shapes.
    """
    wrong = mismatches(network, tensors.arrays)
    if not wrong:
        network.set_state_dict(tensors.arrays)
        return

    def shown(name: str, shape: Shape | None) -> str:
        return "nothing" if shape is None else str(tensors.shape_in_file(name, shape))

    lines = [("tensor", "expected", "found")]
    for name, expected, found in wrong[:MAX_ROWS]:
        lines.append((tensors.name_in_file(name), shown(name, expected), shown(name, found)))
    widths = [max(map(len, column)) for column in zip(*lines)]
    table = [f"  {name:{widths[0]}}  {a:{widths[1]}}  {b}" for name, a, b in lines]
    if len(wrong) > MAX_ROWS:
        table.append(f"  ... and {len(wrong) - MAX_ROWS} more")
    raise tensors.misfit(
        f"{len(wrong)} of its tensors do not fit the {tensors.part} of a {tensors.source} model. "
        f"Is --from {tensors.source} right, is the file complete, and is it the {tensors.part}?\n"
        + "\n".join(table)
    )
