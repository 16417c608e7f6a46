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

if TYPE_CHECKING:  # optional packages, loaded when a file is written
    import onnx

OPSET = 13  # of 2020, so that old runtimes read it; nothing in our networks needs a later one
PICTURE = "picture"
SIDES = ("height", "width")
METADATA = (
    *("name", "version", "label_set", "dont_care", "height", "width", "multiple"),
    *("noise_channels", "style_dim", "styles", "instance_edges", "positions"),
    *("spade_paddle", "paddle"),
)
"""Fields of the ModelCard that the file carries."""


def export_onnx(model: str | Path, file: str | Path) -> Path:
    """Write the generator of a model folder, which stays as it is, as an ONNX file.

    Its inputs are those of the folder's program (``LabelsToPicture.input_shapes``), its output is
    ``picture``, float32 [N, 3, H, W] in -1..1; N is any, H and W any multiples of ``multiple``.

    Args:
        model: the model folder.
        file: written whole or not at all, also where there is one.

    Returns:
        ``file``.

    Raises:
        ModelError: no model folder, a damaged one, or one that cannot be converted.
        UserError: paddle2onnx or onnx is missing, or does not go with this Paddle.
    """
    require_paddle2onnx()
    import onnx

    model, file = Path(model), Path(file)
    card = ModelCard.open(model)
    network = onnx.load_model_from_string(_converted(model, card))
    _keep_what_is_used(network.graph)
    _name_the_ends(network.graph)
    network.graph.name = card.name
    network.producer_name, network.producer_version = "spade_paddle", spade_paddle.__version__
    onnx.helper.set_model_props(network, metadata(card))
    onnx.checker.check_model(network, full_check=True)
    write_atomically(file, lambda path: path.write_bytes(network.SerializeToString()))
    return file


def metadata(card: ModelCard) -> dict[str, str]:
    """What the file says about itself: text as it is, everything else as JSON."""
    values = {**vars(card), "label_set": card.label_set.to_dict()}
    return {
        name: value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        for name, value in ((name, values[name]) for name in METADATA)
    }


def require_paddle2onnx() -> None:
    """Raises UserError, which says what to install, where no ONNX file can be written."""
    try:
        import onnx  # noqa: F401
        import paddle2onnx  # noqa: F401
    except Exception as error:  # beside another Paddle than its own it raises several kinds
        raise UserError(
            "an ONNX file needs onnx and a paddle2onnx that goes with Paddle "
            f"{paddle.__version__}, and they cannot be loaded ({_first_line(error)}); {_advice()}",
            code="onnx_missing",
        ) from error


def _advice() -> str:
    # paddle2onnx 2 needs Paddle 3, and 1.3.1 knows the programs of Paddle 2 only
    if paddle.__version__.startswith("2."):
        return "run: pip install paddle2onnx==1.3.1 'onnx<1.18'"
    return "run: pip install -e '.[onnx]' -c constraints.txt"


def _converted(model: Path, card: ModelCard) -> bytes:
    import paddle2onnx

    endings = (program_ending(model, card), ".pdiparams")
    program, weights = (str(model / f"{PROGRAM}{ending}") for ending in endings)
    problem = "its messages stand above"
    try:
        content = paddle2onnx.export(
            program, weights, opset_version=OPSET, auto_upgrade_opset=False, verbose=False
        )
    except Exception as error:  # whatever it raises for a program that it does not know
        content, problem = b"", _first_line(error)
    if not content:
        raise ModelError(
            f"{model}: paddle2onnx {paddle2onnx.__version__} cannot convert this model, exported "
            f"with Paddle {card.paddle}, under Paddle {paddle.__version__} "
            f"({problem}); if it is not the version for this Paddle, {_advice()}",
            code="onnx_conversion",
        )
    return content


def _keep_what_is_used(graph: onnx.GraphProto) -> None:
    """Without the constants that paddle2onnx leaves over, of which runtimes warn at each start."""
    used = {output.name for output in graph.output}
    kept = []
    for node in reversed(graph.node):
        if used.intersection(node.output):
            used.update(node.input)
            kept.append(node)
    del graph.node[:]
    graph.node.extend(reversed(kept))


def _name_the_ends(graph: onnx.GraphProto) -> None:
    """The output is the picture, and sides of equal length have one name."""
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
