"""``training.pdparams`` of a model folder: the trained networks, from which a run can start.

Paddle's own format: the state dicts of ``generator``, ``encoder`` and ``discriminator`` by name,
including the vectors of spectral norm, and optionally ``images_seen``. A frozen feature network is
not a sublayer of what is trained (networks/projection.py), so no state dict contains it. Adam's
moments would double the size and are recovered within a few hundred steps.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional

import numpy as np
import paddle

from spade_paddle.engine.run_folder import RunFolder
from spade_paddle.errors import ModelError
from spade_paddle.files import write_atomically

TRAINING_WEIGHTS = "training.pdparams"
PARTS = ("generator", "encoder", "discriminator")
HALF_ERROR = 2.0**-11
"""What float16 may change of a tensor, as a share of its norm: half a unit of its last place."""


@dataclass(frozen=True)
class TrainingWeights:
    """What a run can begin with.

    Attributes:
        states: state dicts by the names of PARTS, as far as there are.
        images_seen: that they have learned from; None: not known.
    """

    states: Mapping[str, Mapping[str, paddle.Tensor]]
    images_seen: Optional[int] = None

    @classmethod
    def of_run(cls, run: RunFolder) -> TrainingWeights:
        """Those of the newest checkpoint of a run folder. Raises ModelError where there is none."""
        state = run.latest()
        if state is None:
            raise ModelError(
                f"{run.path}: there is no checkpoint here, and a snapshot has no weights that "
                "train; export without --trainable",
                code="run_missing",
            )
        return cls(
            states={part: state[part] for part in PARTS if part in state},
            images_seen=int(state["images_seen"]),
        )

    def write(self, path: Path, *, half: bool) -> None:
        """Write the file, whole or not at all.

        Args:
            path: of the file.
            half: keep tensors in float16 where that changes them by rounding only; vectors, like
                running statistics, stay as they are.

        Raises:
            ModelError: a weight is NaN or infinite.
        """
        content: dict[str, Any] = {}
        for part, state in self.states.items():
            arrays = {name: value.numpy() for name, value in state.items()}
            _check_finite(
                arrays,
                where=f"{part} of the run",
                advice="export from a checkpoint from before that",
            )
            content[part] = {
                name: paddle.to_tensor(halved(array) if half else array)
                for name, array in arrays.items()
            }
        if self.images_seen is not None:
            content["images_seen"] = self.images_seen
        write_atomically(path, lambda file: paddle.save(content, str(file)))

    @classmethod
    def read(cls, path: Path) -> TrainingWeights:
        """Read the file; float16 becomes float32.

        Raises:
            ModelError: it is damaged, or holds NaN or infinite values.
        """
        advice = "copy the model folder again, or export or convert it again"
        try:
            content = paddle.load(str(path), return_numpy=True)
            found = {part: dict(content[part]) for part in PARTS if part in content}
            images_seen = content.get("images_seen")
        except Exception as error:  # whatever unpickling a damaged file raises
            raise ModelError(
                f"{path}: damaged ({type(error).__name__}); {advice}", code="weights_damaged"
            ) from error
        for part, arrays in found.items():
            _check_finite(arrays, where=f"{path}: {part}", advice=advice)
        return cls(
            states={
                part: {name: paddle.to_tensor(_single(value)) for name, value in arrays.items()}
                for part, arrays in found.items()
            },
            images_seen=None if images_seen is None else int(images_seen),
        )


def halved(value: np.ndarray) -> np.ndarray:
    """The array in float16 where that loses no more than the last bits of a float16.

    Vectors and anything but float32 come back as they are, and so do arrays with values beyond
    float16: above 65504, or with most of their norm below 6e-5, where its steps are of one size.
    """
    if value.ndim < 2 or value.dtype != np.float32:
        return value
    with np.errstate(over="ignore"):
        rounded = value.astype(np.float16)
    exact = value.astype(np.float64)  # squares of small numbers
    error = np.linalg.norm((rounded - exact).ravel())
    return rounded if error <= HALF_ERROR * np.linalg.norm(exact.ravel()) else value


def _single(value: np.ndarray) -> np.ndarray:
    return value.astype(np.float32) if value.dtype == np.float16 else value


def _check_finite(arrays: Mapping[str, np.ndarray], *, where: str, advice: str) -> None:
    for name, value in arrays.items():
        if np.issubdtype(value.dtype, np.floating) and not np.isfinite(value).all():
            raise ModelError(
                f"{where}: {name} must be finite, but {np.sum(~np.isfinite(value))} of its "
                f"{value.size} numbers are NaN or infinite; {advice}",
                code="weights_not_finite",
            )
