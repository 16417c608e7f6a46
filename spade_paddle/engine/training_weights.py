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
from spade_paddle.weights import halved

TRAINING_WEIGHTS = "training.pdparams"
PARTS = ("generator", "encoder", "discriminator")


@dataclass(frozen=True)
class TrainingWeights:
    """Weights that a run can start from.

    Attributes:
        states: state dicts of the available networks, by the names in PARTS.
        images_seen: how many images they were trained on; None: not known.
        half: write tensors in float16 if only rounding errors result; vectors, such as running
            statistics, stay float32.
    """

    states: Mapping[str, Mapping[str, paddle.Tensor]]
    images_seen: Optional[int] = None
    half: bool = True

    @classmethod
    def of_run(cls, run: RunFolder) -> TrainingWeights:
        """Read the newest checkpoint of a run folder. Raises ModelError if there is none."""
        state = run.latest()
        if state is None:
            raise ModelError(
                f"{run.path}: there is no checkpoint here, and a snapshot holds only averaged "
                "weights, which cannot be trained; export without --trainable",
                code="run_missing",
            )
        return cls(
            states={part: state[part] for part in PARTS if part in state},
            images_seen=int(state["images_seen"]),
        )

    def write(self, path: Path) -> None:
        """Write the file, atomically. Raises ModelError if a weight is NaN or infinite."""
        content: dict[str, Any] = {}
        for part, state in self.states.items():
            arrays = {name: value.numpy() for name, value in state.items()}
            _check_finite(
                arrays,
                where=f"{part} of the run",
                advice="export from an earlier checkpoint",
            )
            content[part] = {
                name: paddle.to_tensor(halved(array) if self.half else array)
                for name, array in arrays.items()
            }
        if self.images_seen is not None:
            content["images_seen"] = self.images_seen
        write_atomically(path, lambda file: paddle.save(content, str(file)))

    @classmethod
    def read(cls, path: Path) -> TrainingWeights:
        """Read the file; float16 is converted to float32.

        Raises:
            ModelError: it is damaged, or contains NaN or infinite values.
        """
        advice = "copy the model folder again, or export or convert it again"
        try:
            content = paddle.load(str(path), return_numpy=True)
            found = {part: dict(content[part]) for part in PARTS if part in content}
            images_seen = content.get("images_seen")
        except Exception as error:  # unpickling a damaged file may raise anything
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


def _single(value: np.ndarray) -> np.ndarray:
    return value.astype(np.float32) if value.dtype == np.float16 else value


def _check_finite(arrays: Mapping[str, np.ndarray], *, where: str, advice: str) -> None:
    for name, value in arrays.items():
        if np.issubdtype(value.dtype, np.floating) and not np.isfinite(value).all():
            raise ModelError(
                f"{where}: {name} must be finite, but {np.sum(~np.isfinite(value))} of its "
                f"{value.size} values are NaN or infinite; {advice}",
                code="weights_not_finite",
            )
