"""FID and KID of sets of pictures, and the stored statistics of a data set.

Legend: S pictures, D = 2048 features each; ... any leading axes.
"""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import paddle

from spade_paddle.data.clean_resize import clean_resize
from spade_paddle.errors import DataError
from spade_paddle.features.inception import FEATURES, SIDE, InceptionV3
from spade_paddle.files import sha256, write_arrays_atomically
from spade_paddle.metrics.kernel import kernel_distance
from spade_paddle.metrics.normal import Normal


class InceptionExtractor:
    """Computes the features of pictures by Inception-v3, for FID and KID.

    Args:
        weights: its file (features/inception.py).
        kernel: filter for resizing to 299 x 299 pixels (data/clean_resize.py).

    Attributes:
        protocol: how features are computed, JSON-serializable. Only scores of the same protocol
            can be compared.

    Raises:
        ModelError: there is no such file, or it has other weights.
    """

    def __init__(self, weights: str | Path, *, kernel: str = "bicubic") -> None:
        self._network = InceptionV3(weights=weights)
        self._kernel = kernel
        self.protocol: dict[str, Any] = {
            "network": "Inception-v3 of 2015-12-05, 2048 features",
            "sha256": sha256(Path(weights)),
            "resize": f"{kernel} with antialiasing in float (Pillow) to {SIDE} x {SIDE}",
            "scale": "(pixel - 128) / 128",
        }

    @paddle.no_grad()
    def extract(self, picture: np.ndarray) -> np.ndarray:
        """Compute the features ``float32`` [2048] of a picture ``uint8`` [H, W, 3] RGB."""
        resized = clean_resize(picture, SIDE, kernel=self._kernel)
        values = (resized.transpose(2, 0, 1)[None] - 128) / 128
        return self._network(paddle.to_tensor(values)).numpy()[0]


class FeatureSet:
    """The features of a set of pictures, which are added one by one.

    The scores take weights [..., S]: how often each picture is in the set; None: once.
    """

    def __init__(self) -> None:
        self._rows: list[np.ndarray] = []

    def add(self, features: np.ndarray) -> None:
        """Add the features [D] of a picture; not after the first call of a score."""
        self._rows.append(features)

    def __len__(self) -> int:
        return len(self._rows)

    def fid(
        self,
        other: FeatureSet | Normal,
        *,
        weights: np.ndarray | None = None,
        other_weights: np.ndarray | None = None,
    ) -> np.ndarray:
        """Frechet distance to another set or to stored statistics, float64 [...], >= 0."""
        stored = other if isinstance(other, Normal) else None

        def one(ours: np.ndarray, theirs: np.ndarray) -> float:
            normal = Normal.of_samples(self.features, ours)
            return normal.frechet(stored or Normal.of_samples(other.features, theirs))

        weights = np.ones(len(self)) if weights is None else weights
        if other_weights is None:
            other_weights = np.ones(1 if stored else len(other))
        return np.vectorize(one, signature="(s),(t)->()")(weights, other_weights)

    def kid(
        self,
        other: FeatureSet,
        *,
        weights: np.ndarray | None = None,
        other_weights: np.ndarray | None = None,
    ) -> np.ndarray:
        """Kernel distance to another set, float64 [...]."""
        return kernel_distance(
            self.features, other.features, weights=weights, other_weights=other_weights
        )

    @functools.cached_property
    def features(self) -> np.ndarray:
        """All features, [S, D]."""
        return np.stack(self._rows)


@dataclass(frozen=True)
class Statistics:
    """The statistics of a data set that FID needs.

    Args:
        normal: fitted to the features of its pictures.
        count: number of pictures.
        protocol: that of InceptionExtractor, and how the pictures were selected and resized.
    """

    normal: Normal
    count: int
    protocol: dict[str, Any]

    def save(self, path: Path) -> None:
        """Write ``mu`` [D], ``sigma`` [D, D], ``count`` and ``protocol`` (JSON) as an ``.npz``."""
        write_arrays_atomically(
            path,
            mu=self.normal.mean,
            sigma=self.normal.covariance,
            count=np.array(self.count),
            protocol=json.dumps(self.protocol),
        )

    @classmethod
    def load(cls, path: Path, *, protocol: dict[str, Any]) -> Statistics:
        """Read a file written by ``save``.

        Args:
            path: the file.
            protocol: the expected protocol, that of the pictures to be compared with it.

        Raises:
            DataError: there is no such file, it has other content, or another protocol.
        """
        if not path.is_file():
            raise DataError(
                f"{path}: there is no such file; create one with --save-statistics",
                code="statistics_missing",
            )
        try:
            with np.load(path, allow_pickle=False) as archive:
                mean, covariance = archive["mu"], archive["sigma"]
                count, found = int(archive["count"]), json.loads(str(archive["protocol"]))
            whole = mean.shape == (FEATURES,) and covariance.shape == (FEATURES, FEATURES)
            if not whole or not isinstance(found, dict):
                raise ValueError(f"shapes {mean.shape} and {covariance.shape}")
            if not np.isfinite(mean).all() or not np.isfinite(covariance).all():
                raise ValueError("numbers that are not finite")
        except Exception as error:  # other files raise all kinds of exceptions
            raise DataError(
                f"{path}: expected mu [{FEATURES}], sigma [{FEATURES}, {FEATURES}], count and "
                f"protocol, as written by --save-statistics, got {type(error).__name__}: {error}; "
                "statistics without a protocol cannot be compared, create them with "
                "--save-statistics",
                code="statistics_unreadable",
            ) from error
        if found != protocol:
            names = [
                name for name in {**protocol, **found} if protocol.get(name) != found.get(name)
            ]
            differing = "; ".join(
                f"{name}: {found.get(name)!r}, here {protocol.get(name)!r}" for name in names
            )
            raise DataError(
                f"{path}: these statistics have another protocol, {differing}; evaluate with that "
                "protocol, or create them again with --save-statistics",
                code="statistics_differ",
            )
        return cls(Normal.of_covariance(mean, covariance), count, found)
