"""Setting a network's tensors from a file; a table of whatever does not fit."""

from __future__ import annotations

from paddle import nn

from spade_paddle.convert.tensors import SourceTensors
from spade_paddle.errors import ModelError
from spade_paddle.weights import Shape, misfits

MAX_ROWS = 40
NOTHING = "nothing"

Row = tuple[str, str, str]


def fit(network: nn.Layer, tensors: SourceTensors) -> int:
    """Set every tensor of the network.

    Returns:
        How many there are.

    Raises:
        ModelError: tensors are missing, left over or of another shape; a table names them as the
            file does, with the shapes it should have and has.
    """
    rows = _rows(network, tensors)
    if rows:
        raise ModelError(
            f"{tensors.path}: {len(rows)} of its tensors do not fit the {tensors.part} of a "
            f"{tensors.source} model. Is --from {tensors.source} right, is the file whole, and is "
            f"it the {tensors.part}?\n{_table(rows)}",
            code="weights_do_not_fit",
        )
    network.set_state_dict(tensors.arrays)
    return len(tensors.arrays)


def _rows(network: nn.Layer, tensors: SourceTensors) -> list[Row]:
    """What does not fit, in the names and layouts of the file."""

    def shown(name: str, shape: Shape | None) -> str:
        return NOTHING if shape is None else str(tensors.shape_in_file(name, shape))

    return [
        (tensors.name_in_file(name), shown(name, expected), shown(name, found))
        for name, expected, found in misfits(network, tensors.arrays)
    ]


def _table(rows: list[Row]) -> str:
    lines = [("tensor", "expected", "found"), *rows[:MAX_ROWS]]
    widths = [max(len(line[column]) for line in lines) for column in range(2)]
    table = [f"  {name:{widths[0]}}  {a:{widths[1]}}  {b}" for name, a, b in lines]
    if len(rows) > MAX_ROWS:
        table.append(f"  ... and {len(rows) - MAX_ROWS} more")
    return "\n".join(table)
