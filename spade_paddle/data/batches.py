"""Endless training batches in an order that depends on the seed and the position only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from spade_paddle.config import DataConfig
from spade_paddle.data.dataset import Pair, Scene, read_scene
from spade_paddle.data.labels import LabelSet
from spade_paddle.data.noise import noise_maps
from spade_paddle.data.transforms import random_view, resize_short_side


class SceneCache:
    """Scenes of a data set, resized once to a short side and kept while memory allows.

    Args:
        pairs: the files.
        label_set: checks the label maps.
        short_side: pixels of the shorter side after resizing.
        limit_bytes: scenes beyond this are read from the disk each time.
    """

    def __init__(
        self, pairs: list[Pair], *, label_set: LabelSet, short_side: int, limit_bytes: int = 2**31
    ) -> None:
        self.pairs = pairs
        self._label_set = label_set
        self._short_side = short_side
        self._limit_bytes = limit_bytes
        self._used_bytes = 0
        self._scenes: dict[int, Scene] = {}

    def __len__(self) -> int:
        return len(self.pairs)

    def __getitem__(self, index: int) -> Scene:
        if index in self._scenes:
            return self._scenes[index]
        scene = resize_short_side(read_scene(self.pairs[index], self._label_set), self._short_side)
        size = sum(
            array.nbytes
            for array in (scene.photo, scene.label_map, scene.instance_map)
            if array is not None
        )
        if self._used_bytes + size <= self._limit_bytes:
            self._scenes[index] = scene
            self._used_bytes += size
        return scene


@dataclass(frozen=True)
class Batch:
    """N pictures: photo ``float32`` [N, 3, H, W] in -1..1, label map ``int32`` [N, H, W],
    instance map ``int32`` [N, H, W] or None, noise ``float32`` [N, C, H, W] or None."""

    photo: np.ndarray
    label_map: np.ndarray
    instance_map: np.ndarray | None
    noise: np.ndarray | None = None


def stack(scenes: Sequence[Scene], *, noise: Sequence[np.ndarray] = ()) -> Batch:
    """Scenes of one size, and a noise array [C, H, W] for each (or none at all), as a batch."""
    photo = np.stack([scene.photo for scene in scenes]).transpose(0, 3, 1, 2)
    instances = [scene.instance_map for scene in scenes if scene.instance_map is not None]
    return Batch(
        photo=photo.astype(np.float32) / 127.5 - 1.0,
        label_map=np.stack([scene.label_map for scene in scenes]).astype(np.int32),
        instance_map=np.stack(instances) if instances else None,
        noise=np.stack(noise) if len(noise) else None,
    )


def to_pixels(pictures: np.ndarray) -> np.ndarray:
    """``float32`` [N, 3, H, W] in -1..1 as ``uint8`` [N, H, W, 3] by rounding; undoes ``stack``."""
    return np.rint((pictures.transpose(0, 2, 3, 1) + 1.0) * 127.5).astype(np.uint8)


class BatchSource:
    """Batches by position: ``at(images_seen, n)`` is the same whenever and wherever it is asked.

    Every epoch shows every scene once, in an order drawn from (seed, epoch); the random view and
    the noise of the k-th picture are drawn from (seed, k). So a resumed run needs no stored
    random state.

    Args:
        scenes: the data set.
        options: how views are cut.
        seed: of everything drawn.
        noise_channels: noise maps a picture; 0 for none.
    """

    def __init__(
        self, scenes: Sequence[Scene], *, options: DataConfig, seed: int, noise_channels: int = 0
    ) -> None:
        self._scenes = scenes
        self._options = options
        self._seed = seed
        self._noise_channels = noise_channels
        self._epoch = -1
        self._order = np.zeros(0, np.int64)

    def at(self, images_seen: int, count: int) -> Batch:
        """The ``count`` pictures that follow the first ``images_seen``."""
        positions = range(images_seen, images_seen + count)
        noise = [self._noise(k) for k in positions] if self._noise_channels else ()
        return stack([self._view(k) for k in positions], noise=noise)

    def _noise(self, position: int) -> np.ndarray:
        size = self._options.crop_size
        seed = [self._seed, 2, position]
        return noise_maps(seed, channels=self._noise_channels, height=size, width=size)

    def _view(self, position: int) -> Scene:
        epoch, index = divmod(position, len(self._scenes))
        if epoch != self._epoch:
            self._order = np.random.default_rng([self._seed, 0, epoch]).permutation(
                len(self._scenes)
            )
            self._epoch = epoch
        options = self._options
        return random_view(
            self._scenes[int(self._order[index])],
            np.random.default_rng([self._seed, 1, position]),
            crop_size=options.crop_size,
            short_side=options.short_side,
            short_side_min=options.short_side_min,
            flip=options.flip,
            drop_label_probability=options.drop_label_probability,
        )
