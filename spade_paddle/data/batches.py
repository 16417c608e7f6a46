"""Endless training batches in an order that depends on the seed and the position only."""

from __future__ import annotations

import dataclasses
import functools
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable

import numpy as np
from numpy.random import default_rng

from spade_paddle.config import DataConfig, RegularizationConfig
from spade_paddle.data.augmentation import draw_augmentation
from spade_paddle.data.balance import balanced_order, label_shares, scene_weights
from spade_paddle.data.dataset import Pair, Scene, check_scene, read_scene
from spade_paddle.data.label_pictures import read_ids
from spade_paddle.data.labels import LabelSet
from spade_paddle.data.noise import noise_pyramid, style_noise
from spade_paddle.data.photos import photo_size
from spade_paddle.data.picture_sizes import Size
from spade_paddle.data.positions import intra_class_positions
from spade_paddle.data.transforms import random_view, to_load_size
from spade_paddle.errors import DataError


class SceneCache:
    """Scenes at their load size, cached up to a limit; safe to use from several threads.

    Args:
        scenes: at least one; arrays, or the files they are read from when needed.
        label_set: what the ids in the label maps mean.
        options: load mode, and ``cache_gib``, the limit for the arrays of all cached scenes; the
            others are read again each time.
        multiple: pixels that both sides of a picture must be a multiple of.
        positions: compute positional encodings, from the label maps at full size.

    Raises:
        DataError: there are no scenes.
    """

    def __init__(
        self,
        scenes: Sequence[Scene | Pair],
        *,
        label_set: LabelSet,
        options: DataConfig,
        multiple: int,
        positions: bool = False,
    ) -> None:
        if not len(scenes):
            raise DataError("scenes: expected at least one, got none", code="scenes_missing")
        self._scenes = scenes
        self._label_set = label_set
        self._options = options
        self._multiple = multiple
        self._positions = positions
        self._used_bytes = 0
        self._cached: dict[int, Scene] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._scenes)

    def __getitem__(self, index: int) -> Scene:
        """The scene at its load size.

        Raises:
            DataError, LabelMapError: it cannot be read or is invalid.
        """
        if index in self._cached:
            return self._cached[index]
        scene = to_load_size(self._read(index), self._options, multiple=self._multiple)
        size = sum(array.nbytes for array in vars(scene).values() if isinstance(array, np.ndarray))
        with self._lock:
            if self._used_bytes + size <= self._options.cache_gib * 2**30:
                self._used_bytes += size
                self._cached[index] = scene
        return scene

    def names(self) -> list[str]:
        """File stems, the names of scenes in memory, or indices of scenes without a name."""
        return [
            scene.stem if isinstance(scene, Pair) else scene.name or f"{index:04d}"
            for index, scene in enumerate(self._scenes)
        ]

    def sizes(self) -> Iterator[tuple[Path | str, Size]]:
        """The file or name of each photo, and its original (height, width)."""
        for name, scene in zip(self.names(), self._scenes):
            if isinstance(scene, Pair):
                yield scene.photo, photo_size(scene.photo)
            else:
                height, width = scene.photo.shape[:2]
                yield name, (height, width)

    def weights(self) -> np.ndarray | None:
        """Sampling weights of the scenes, [S] (data/balance.py); None: all equal.

        Reads all label maps unless ``label_balance`` is 0.

        Raises:
            DataError: a label map cannot be read.
        """
        if self._options.label_balance == 0:
            return None
        maps = (
            read_ids(scene.label_map) if isinstance(scene, Pair) else scene.label_map
            for scene in self._scenes
        )
        shares = label_shares(maps, num_labels=len(self._label_set))
        return scene_weights(shares, balance=self._options.label_balance)

    def _read(self, index: int) -> Scene:
        scene = self._scenes[index]
        if isinstance(scene, Pair):
            scene = read_scene(scene, self._label_set)
        else:
            scene = dataclasses.replace(scene, name=scene.name or f"{index:04d}")
            check_scene(scene, self._label_set)
        if not self._positions:
            return scene
        compatible = self._options.icpe_compatible
        positions = intra_class_positions(scene.label_map, compatible=compatible)
        return dataclasses.replace(scene, positions=positions)


@dataclass(frozen=True)
class Batch:
    """N pictures as the networks take them; arrays that a model does not need are None."""

    photo: np.ndarray  # float32 [N, 3, H, W] in -1..1
    label_map: np.ndarray  # int32 [N, H, W]
    instance_map: np.ndarray | None = None  # int32 [N, H, W]
    positions: np.ndarray | None = None  # float32 [N, 2, H, W] in -1..1
    # standard normal float32: [N, 1, h, w] for each block, or [N, C, H, W] for all of them
    noise: tuple[np.ndarray, ...] | np.ndarray | None = None
    style_noise: np.ndarray | None = None  # float32 [N, D], standard normal
    augmentation: np.ndarray | None = None  # float32 [N, 8], columns: data/augmentation.py
    shift: np.ndarray | None = None  # int64 [N, 2], pixels down and right for the perceptual loss
    names: np.ndarray | None = None  # str [N], of the scenes, for messages


def stack(scenes: Sequence[Scene]) -> Batch:
    """Stack scenes of one size into a batch without random inputs."""
    instances = [scene.instance_map for scene in scenes if scene.instance_map is not None]
    positions = [scene.positions for scene in scenes if scene.positions is not None]
    return Batch(
        photo=to_network(np.stack([scene.photo for scene in scenes])),
        label_map=np.stack([scene.label_map for scene in scenes]).astype(np.int32),
        instance_map=np.stack(instances) if instances else None,
        positions=np.stack(positions).transpose(0, 3, 1, 2) if positions else None,
        names=np.array([scene.name for scene in scenes]),
    )


def to_network(photos: np.ndarray) -> np.ndarray:
    """Convert photos ``uint8`` (or floats in 0..255) [N, H, W, 3] to ``float32`` [N, 3, H, W] in
    -1..1."""
    return photos.transpose(0, 3, 1, 2).astype(np.float32) / 127.5 - 1.0


def to_pixels(pictures: np.ndarray) -> np.ndarray:
    """Convert ``float32`` [N, 3, H, W] in -1..1 to ``uint8`` [N, H, W, 3] by rounding; the inverse
    of ``to_network``."""
    return np.rint((pictures.transpose(0, 2, 3, 1) + 1.0) * 127.5).astype(np.uint8)


class BatchSource:
    """Deterministic batches by position in training.

    Every epoch shows every scene once, or as often as its weight says, in an order that depends on
    (seed, epoch); the random view and the noise of the k-th picture depend on (seed, k). So a
    resumed run needs no stored random state, and the pictures do not depend on the process.

    Args:
        scenes: the data set, at its load size (SceneCache).
        options: load mode, flips and the other augmentations of scenes.
        seed: of all random draws.
        multiple: pixels that both sides of a picture must be a multiple of.
        noise_strides: draw a noise map of 1 / stride of the picture's sides for each; empty: none.
        style_dim: length of a picture's style noise; 0: none.
        augmentation: strengths of DiffAugment; None: batches have no augmentation parameters, nor
            do they if all strengths are 0.
        weights: sampling weights of the scenes, [S], 1 on average (data/balance.py); None: equal.
        shift: largest translation in pixels for the perceptual loss; 0: none.
    """

    def __init__(
        self,
        scenes: Sequence[Scene],
        *,
        options: DataConfig,
        seed: int,
        multiple: int,
        noise_strides: Sequence[int] = (),
        style_dim: int = 0,
        augmentation: RegularizationConfig | None = None,
        weights: np.ndarray | None = None,
        shift: int = 0,
    ) -> None:
        self._scenes = scenes
        self._options = options
        self._seed = seed
        self._multiple = multiple
        self._noise_strides = noise_strides
        self._style_dim = style_dim
        self._strengths = {
            name[len("augment_") :]: value
            for name, value in ({} if augmentation is None else vars(augmentation)).items()
            if name.startswith("augment_")
        }
        self._augments = any(
            value for name, value in self._strengths.items() if name != "cutout_probability"
        )
        self._weights = weights
        self._shift = shift
        self._order = functools.lru_cache(maxsize=2)(self._draw_order)  # several threads may ask

    def at(self, images_seen: int, count: int) -> Batch:
        """The ``count`` pictures after the first ``images_seen``, which must have the same size
        (``check_one_size``)."""
        pictures = range(images_seen, images_seen + count)
        batch = stack([self.view(k) for k in pictures])

        def draw_each(kind: int, draw: Callable[[list[int]], Any]) -> list[Any]:
            return [draw([self._seed, kind, k]) for k in pictures]

        drawn: dict[str, Any] = {}
        if self._noise_strides:
            height, width = batch.label_map.shape[1:]
            sizes = [(height // stride, width // stride) for stride in self._noise_strides]
            noise = draw_each(2, functools.partial(noise_pyramid, sizes=sizes))
            drawn["noise"] = tuple(np.stack(maps) for maps in zip(*noise))
        if self._style_dim:
            styles = draw_each(3, functools.partial(style_noise, style_dim=self._style_dim))
            drawn["style_noise"] = np.stack(styles)
        if self._augments:
            rows = draw_each(4, functools.partial(draw_augmentation, **self._strengths))
            drawn["augmentation"] = np.stack(rows)
        if self._shift:
            shifts = draw_each(5, lambda seed: default_rng(seed).integers(0, self._shift + 1, 2))
            drawn["shift"] = np.stack(shifts)
        return dataclasses.replace(batch, **drawn)

    def view(self, position: int) -> Scene:
        """The random view of the ``position``-th picture in training."""
        scene = self._scenes[self._scene_index(position)]
        rng = default_rng([self._seed, 1, position])
        return random_view(scene, rng, self._options, multiple=self._multiple)

    def _scene_index(self, position: int) -> int:
        """The index of the scene that the ``position``-th picture shows."""
        epoch, index = divmod(position, len(self._scenes))
        return int(self._order(epoch)[index])

    def _draw_order(self, epoch: int) -> np.ndarray:
        rng = default_rng([self._seed, 0, epoch])
        if self._weights is None:
            return rng.permutation(len(self._scenes))
        return balanced_order(self._weights, rng)
