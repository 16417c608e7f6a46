"""Weight files, ours and of other projects: arrays by name, and whether they fit a network.

A .pdparams file is a pickle: read only those you trust. Of a .pth file only tensors are read
(pth_files.py), an .npz file in NumPy's mode without pickles.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Optional

import numpy as np
from paddle import nn

from spade_paddle.errors import ModelError
from spade_paddle.pth_files import ForbiddenGlobal, read_pth

Arrays = dict[str, np.ndarray]
Shape = tuple[int, ...]
Mismatch = tuple[str, Optional[Shape], Optional[Shape]]  # name, expected and found shape

HALF_ERROR = 2.0**-11
"""Maximum relative error (L2) of a tensor in float16: half a unit in the last place."""
_NESTS = {"generator": "net_gen", "discriminator": "net_des"}  # in PaddleGAN's checkpoints
_NAME_TABLE = "StructuredToParameterName@@"  # which Paddle may leave in a state dict


def read_arrays(path: str | Path, *, part: str | None = None, advice: str = "") -> Arrays:
    """Read the state dict in a weights file, however nested; floating-point values as float32.

    Args:
        path: a .pth, .pdparams or .npz file.
        part: ``generator``, ``encoder`` or ``discriminator``, for files with several networks.
        advice: what to do if there is no such file, for the error.

    Raises:
        ModelError: the file is missing, unreadable, has another format or other content than
            tensors, or a tensor is not finite.
    """
    path = Path(path)
    reader = _READERS.get(path.suffix)
    if reader is None:
        raise ModelError(
            f"{path}: expected a file that ends in {', '.join(_READERS)}, got '{path.suffix}'; "
            "give the weights file itself",
            code="weights_format",
        )
    if not path.is_file():
        raise ModelError(
            f"{path}: there is no such weights file{advice and '; ' + advice}",
            code="weights_missing",
        )
    try:
        content = reader(path)
    except ForbiddenGlobal as error:
        raise ModelError(
            f"{path}: this .pth file has Python objects other than tensors ({error}), which are "
            "not loaded because they could run code; if you trust it, save only the network's "
            "state_dict() with torch.save and give that file",
            code="weights_unreadable",
        ) from error
    except Exception as error:  # damaged files raise all kinds of exceptions
        raise ModelError(
            f"{path}: this {path.suffix} file cannot be read ({type(error).__name__}: "
            f"{_first_line(error)}); check that it is complete and has that format",
            code="weights_unreadable",
        ) from error
    return _to_arrays(_unwrap(content, part=part), path=path)


def mismatches(network: nn.Layer, state: Mapping[str, Any]) -> list[Mismatch]:
    """List tensors that are missing (found is None), unexpected (expected is None) or of another
    shape; those of the network first, in its order."""
    expected = {name: tuple(value.shape) for name, value in network.state_dict().items()}
    found = {name: tuple(value.shape) for name, value in state.items()}
    names = [*expected, *(name for name in found if name not in expected)]
    return [
        (name, expected.get(name), found.get(name))
        for name in names
        if expected.get(name) != found.get(name)
    ]


def load_state(
    network: nn.Layer,
    state: Mapping[str, Any],
    *,
    where: str | Path = "the weights",
    advice: str = "",
) -> None:
    """Load a state dict; no tensor may be missing, unexpected or of another shape.

    Args:
        network: whose tensors are set.
        state: tensors or arrays by name.
        where: the source of the weights, for errors.
        advice: what to do about mismatches, for errors.

    Raises:
        ModelError: the state dict does not match the network.
    """
    wrong = [
        f"{name}: expected {'nothing' if expected is None else expected}, "
        f"got {'nothing' if found is None else found}"
        for name, expected, found in sorted(mismatches(network, state), key=lambda each: each[0])
    ]
    if wrong:
        details = "; ".join([*wrong[:5], *([advice] if advice else [])])
        raise ModelError(
            f"{where}: these weights do not fit {type(network).__name__}: {len(wrong)} tensors are "
            f"missing, unexpected or of another shape: {details}",
            code="weights_do_not_fit",
        )
    network.set_state_dict(state)


def freeze(network: nn.Layer) -> None:
    """Stop the gradients of a network's weights; those of its input still flow through it."""
    for parameter in network.parameters():
        parameter.stop_gradient = True


def halved(value: np.ndarray) -> np.ndarray:
    """Convert an array to float16 if that causes only rounding errors (HALF_ERROR).

    Vectors and types other than float32 are returned unchanged, as are arrays beyond the range of
    float16: with values above 65504, or with most of their norm in subnormal numbers (below 6e-5).
    """
    if value.ndim < 2 or value.dtype != np.float32:
        return value
    with np.errstate(over="ignore"):
        rounded = value.astype(np.float16)
    exact = value.astype(np.float64)  # squares of small numbers would underflow in float32
    error = np.linalg.norm((rounded - exact).ravel())
    return rounded if error <= HALF_ERROR * np.linalg.norm(exact.ravel()) else value


def _read_npz(path: Path) -> dict[str, Any]:
    with np.load(path, allow_pickle=False) as archive:
        return {name: archive[name] for name in archive.files}


def _read_pdparams(path: Path) -> Any:
    import paddle

    return paddle.load(str(path), return_numpy=True)


_READERS = {".pth": read_pth, ".pdparams": _read_pdparams, ".npz": _read_npz}


def _unwrap(content: Any, *, part: str | None) -> Any:
    for nest in (_NESTS.get(part), "state_dict"):
        if isinstance(content, dict) and isinstance(content.get(nest), dict):
            return _unwrap(content[nest], part=part)
    return content


def _to_arrays(content: Any, *, path: Path) -> Arrays:
    if not isinstance(content, dict):
        raise ModelError(
            f"{path}: expected a state dict (names and tensors), got {type(content).__name__}; "
            "save network.state_dict()",
            code="weights_format",
        )
    arrays = {}
    for name, value in content.items():
        if name == _NAME_TABLE:
            continue
        if not isinstance(value, np.ndarray) or value.dtype.kind not in "fiu":
            raise ModelError(
                f"{path}: expected a state dict (names and tensors), but '{name}' is "
                f"{type(value).__name__}; save network.state_dict() alone",
                code="weights_format",
            )
        arrays[str(name)] = value.astype(np.float32) if value.dtype.kind == "f" else value
    broken = [name for name, array in arrays.items() if not np.isfinite(array).all()]
    if broken:
        raise ModelError(
            f"{path}: {len(broken)} tensors are not finite (NaN or infinity), the first is "
            f"'{broken[0]}'; use other weights",
            code="weights_unreadable",
        )
    return arrays


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [""])[0]
