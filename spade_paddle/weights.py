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

_NESTS = {"generator": "net_gen", "discriminator": "net_des"}  # in PaddleGAN's checkpoints
_NAME_TABLE = "StructuredToParameterName@@"  # which Paddle may leave in a state dict


def read_arrays(path: str | Path, *, part: str | None = None, advice: str = "") -> Arrays:
    """Read a state dict, wherever in the file it lies; floating-point numbers as float32.

    Args:
        path: .pth, .pdparams or .npz.
        part: ``generator``, ``encoder`` or ``discriminator``, for files that hold several.
        advice: what to do where there is no such file.

    Raises:
        ModelError: the file is missing, unreadable, of another kind, or holds no tensors or such
            as are not finite.
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
            f"{path}: this .pth file holds Python objects besides tensors ({error}), which are not "
            "opened because they could run code; where you trust it, save the network's "
            "state_dict() alone with torch.save and give that",
            code="weights_unreadable",
        ) from error
    except Exception as error:  # whatever reading a damaged file raises
        raise ModelError(
            f"{path}: this {path.suffix} file cannot be read ({type(error).__name__}: "
            f"{_first_line(error)}); is it whole and of that kind?",
            code="weights_unreadable",
        ) from error
    return _to_arrays(_unwrap(content, part=part), path=path)


def mismatches(network: nn.Layer, state: Mapping[str, Any]) -> list[Mismatch]:
    """The tensors that are missing (found is None), left over (expected is None) or of another
    shape; the network's own first, in its order."""
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
    """Set every tensor of a network; nothing may be missing, left over or of another shape.

    Raises:
        ModelError: names what does not fit; ``where`` says whose weights they are, ``advice`` what
            to do about it.
    """
    wrong = [
        f"{name}: expected {'nothing' if expected is None else expected}, "
        f"got {'nothing' if found is None else found}"
        for name, expected, found in sorted(mismatches(network, state), key=lambda each: each[0])
    ]
    if wrong:
        told = "; ".join([*wrong[:5], *([advice] if advice else [])])
        raise ModelError(
            f"{where}: these weights do not fit {type(network).__name__}: {len(wrong)} tensors are "
            f"missing, left over or of another shape: {told}",
            code="weights_do_not_fit",
        )
    network.set_state_dict(state)


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
            f"'{broken[0]}'; a network of such weights gives nothing, take others",
            code="weights_unreadable",
        )
    return arrays


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [""])[0]
