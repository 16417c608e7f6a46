"""A model folder's generator as one ONNX file, for programs without Paddle (docs/onnx.md).

paddle2onnx converts the program that the painter runs, so the file paints the same pictures: with
spectral norm folded into the weights, running statistics in place of synchronized ones, at any
size. Names and the metadata that users need are added here.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import paddle

import spade_paddle
from spade_paddle.errors import ModelError, UserError
from spade_paddle.files import write_atomically
from spade_paddle.inference.program import PROGRAM, program_ending
from spade_paddle.model_card import ModelCard

if TYPE_CHECKING:  # optional, imported when a file is written
    import onnx

OPSET = 13  # of 2020, for old runtimes; our networks need no later one
PICTURE = "picture"
SIDES = ("height", "width")
METADATA = (
    *("name", "version", "label_set", "dont_care", "height", "width", "multiple"),
    *("noise_channels", "style_dim", "styles", "instance_edges", "positions"),
    *("spade_paddle", "paddle"),
)
"""Fields of the ModelCard that are stored in the file's metadata."""


def export_onnx(model: str | Path, file: str | Path) -> Path:
    """Write the generator of a model folder as an ONNX file.

    Its inputs are those of the folder's program (``LabelsToPicture.input_shapes``), its output is
    ``picture``, float32 [N, 3, H, W] in -1..1. N is dynamic; H and W are any multiples of
    ``multiple``.

    Args:
        model: the model folder, which is not changed.
        file: the ONNX file, written atomically; an existing one is replaced.

    Returns:
        ``file``.

    Raises:
        ModelError: the model folder is missing or damaged, or cannot be converted.
        UserError: paddle2onnx or onnx is missing, or incompatible with this Paddle.
    """
    require_paddle2onnx()
    import onnx

    model, file = Path(model), Path(file)
    card = ModelCard.open(model)
    network = onnx.load_model_from_string(_converted(model, card))
    _remove_unused_nodes(network.graph)
    _rename_outputs_and_axes(network.graph)
    network.graph.name = card.name
    network.producer_name, network.producer_version = "spade_paddle", spade_paddle.__version__
    onnx.helper.set_model_props(network, metadata(card))
    onnx.checker.check_model(network, full_check=True)
    write_atomically(file, lambda path: path.write_bytes(network.SerializeToString()))
    return file


def metadata(card: ModelCard) -> dict[str, str]:
    """The metadata of the ONNX file: text as is, everything else as JSON."""
    values = {**vars(card), "label_set": card.label_set.to_dict()}
    return {
        name: value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        for name, value in ((name, values[name]) for name in METADATA)
    }


def require_paddle2onnx() -> None:
    """Raise UserError, which says what to install, if paddle2onnx or onnx cannot be imported."""
    try:
        import onnx  # noqa: F401
        import paddle2onnx  # noqa: F401
    except Exception as error:  # an incompatible Paddle raises various types
        raise UserError(
            "an ONNX file needs onnx and a paddle2onnx that is compatible with Paddle "
            f"{paddle.__version__}, but importing them failed ({_first_line(error)}); {_advice()}",
            code="onnx_missing",
        ) from error


def _advice() -> str:
    # paddle2onnx 2 needs Paddle 3, and 1.3.1 reads only programs of Paddle 2
    if paddle.__version__.startswith("2."):
        return "run: pip install paddle2onnx==1.3.1 'onnx<1.18'"
    return "run: pip install -e '.[onnx]' -c constraints.txt"


def _converted(model: Path, card: ModelCard) -> bytes:
    import paddle2onnx

    endings = (program_ending(model, card), ".pdiparams")
    program, weights = (str(model / f"{PROGRAM}{ending}") for ending in endings)
    problem = "see its messages above"
    try:
        content = paddle2onnx.export(
            program, weights, opset_version=OPSET, auto_upgrade_opset=False, verbose=False
        )
    except Exception as error:  # unsupported programs raise various types
        content, problem = b"", _first_line(error)
    if not content:
        raise ModelError(
            f"{model}: paddle2onnx {paddle2onnx.__version__} with Paddle {paddle.__version__} "
            f"cannot convert this model, which was exported with Paddle {card.paddle} "
            f"({problem}); if paddle2onnx is not the version for this Paddle, {_advice()}",
            code="onnx_conversion",
        )
    return content


def _remove_unused_nodes(graph: onnx.GraphProto) -> None:
    """Remove the unused constants that paddle2onnx leaves, which make runtimes warn."""
    used = {output.name for output in graph.output}
    kept = []
    for node in reversed(graph.node):
        if used.intersection(node.output):
            used.update(node.input)
            kept.append(node)
    del graph.node[:]
    graph.node.extend(reversed(kept))


def _rename_outputs_and_axes(graph: onnx.GraphProto) -> None:
    """Name the output ``picture``, and equal axes of inputs and output alike."""
    (output,) = graph.output
    for node in graph.node:
        for names in (node.input, node.output):
            for index, name in enumerate(names):
                if name == output.name:
                    names[index] = PICTURE
    output.name = PICTURE
    for value in (*graph.input, output):
        sizes = value.type.tensor_type.shape.dim
        sizes[0].dim_param = "batch"
        if len(sizes) > 2:
            for size, name in zip(sizes[-2:], SIDES):
                size.dim_param = name


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
