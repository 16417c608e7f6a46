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
    """Scenes at their load size, kept while memory allows; several threads may ask.

    They are the same whether they were kept or are read again: only the time differs.

    Args:
        scenes: at least one; each in memory, or the files that it is read from when it is needed.
        options: the load mode; of the arrays of the scenes, maps and positional encodings
            included, ``cache_gib`` are kept, and what is beyond is read from the disk each time.
        multiple: that both sides of a picture must be a multiple of, in pixels.
        positions: with positional encoding; it is made of the label map at its full size.

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
        self._kept: dict[int, Scene] = {}
        self._keeping = threading.Lock()

    def __len__(self) -> int:
        return len(self._scenes)

    def __getitem__(self, index: int) -> Scene:
        """Raises DataError or LabelMapError for a scene that cannot be read or is none."""
        if index in self._kept:
            return self._kept[index]
        scene = to_load_size(self._read(index), self._options, multiple=self._multiple)
        size = sum(array.nbytes for array in vars(scene).values() if isinstance(array, np.ndarray))
        with self._keeping:
            if self._used_bytes + size <= self._options.cache_gib * 2**30:
                self._used_bytes += size
                self._kept[index] = scene
        return scene

    def names(self) -> list[str]:
        """File stems, the scenes' own names, or numbers where they have none."""
        return [
            scene.stem if isinstance(scene, Pair) else scene.name or f"{index:04d}"
            for index, scene in enumerate(self._scenes)
        ]

    def sizes(self) -> Iterator[tuple[Path | str, Size]]:
        """The file or name of each photo and its (height, width) before it is loaded."""
        for name, scene in zip(self.names(), self._scenes):
            if isinstance(scene, Pair):
                yield scene.photo, photo_size(scene.photo)
            else:
                height, width = scene.photo.shape[:2]
                yield name, (height, width)

    def weights(self) -> np.ndarray | None:
        """How often each scene is to be shown, [S] (data/balance.py); None: all alike.

        Raises DataError where one of the label maps, which are all read, cannot be.
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
    """N pictures as the networks take them; what a model does not need is None."""

    photo: np.ndarray  # float32 [N, 3, H, W] in -1..1
    label_map: np.ndarray  # int32 [N, H, W]
    instance_map: np.ndarray | None = None  # int32 [N, H, W]
    positions: np.ndarray | None = None  # float32 [N, 2, H, W] in -1..1
    # standard normal float32: [N, 1, h, w] for each block, or [N, C, H, W] for all of them
    noise: tuple[np.ndarray, ...] | np.ndarray | None = None
    style_noise: np.ndarray | None = None  # float32 [N, D], standard normal
    augmentation: np.ndarray | None = None  # float32 [N, 8], rows of data/augmentation.py
    shift: np.ndarray | None = None  # int64 [N, 2], pixels down and right for the perceptual loss
    names: np.ndarray | None = None  # str [N], of the scenes, for people


def stack(scenes: Sequence[Scene]) -> Batch:
    """Scenes of one size as a batch, without any noise."""
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
    """``uint8`` (or floats in 0..255) [N, H, W, 3] as ``float32`` [N, 3, H, W] in -1..1."""
    return photos.transpose(0, 3, 1, 2).astype(np.float32) / 127.5 - 1.0


def to_pixels(pictures: np.ndarray) -> np.ndarray:
    """``float32`` [N, 3, H, W] in -1..1 as ``uint8`` [N, H, W, 3] by rounding; undoes
    ``to_network``."""
    return np.rint((pictures.transpose(0, 2, 3, 1) + 1.0) * 127.5).astype(np.uint8)


class BatchSource:
    """Batches by position: ``at(images_seen, n)`` is the same whenever and wherever it is asked.

    Every epoch shows every scene once, or as often as its weight says, in an order drawn from
    (seed, epoch); the random view and the noise of the k-th picture are drawn from (seed, k). So a
    resumed run needs no stored random state.

    Args:
        scenes: the data set, at its load size (SceneCache).
        multiple: that both sides of a picture must be a multiple of, in pixels.
        noise_strides: a noise map of every stride-th pixel for each of them; none: no noise.
        style_dim: length of a picture's style noise; 0 for none.
        augmentation: how the discriminator's pictures are changed; None, or with all of it off,
            batches carry no rows.
        weights: how often each scene is shown, [S], 1 on average (data/balance.py); None: all
            alike.
        shift: the most pixels that pictures move for the perceptual loss; 0: not at all.
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
        """The ``count`` pictures that follow the first ``images_seen``; all must have one size
        (``check_one_size``)."""
        pictures = range(images_seen, images_seen + count)
        batch = stack([self.view(k) for k in pictures])

        def each(kind: int, draw: Callable[[list[int]], Any]) -> list[Any]:
            return [draw([self._seed, kind, k]) for k in pictures]

        drawn: dict[str, Any] = {}
        if self._noise_strides:
            height, width = batch.label_map.shape[1:]
            sizes = [(height // stride, width // stride) for stride in self._noise_strides]
            noise = each(2, functools.partial(noise_pyramid, sizes=sizes))
            drawn["noise"] = tuple(np.stack(maps) for maps in zip(*noise))
        if self._style_dim:
            styles = each(3, functools.partial(style_noise, style_dim=self._style_dim))
            drawn["style_noise"] = np.stack(styles)
        if self._augments:
            rows = each(4, functools.partial(draw_augmentation, **self._strengths))
            drawn["augmentation"] = np.stack(rows)
        if self._shift:
            shifts = each(5, lambda seed: default_rng(seed).integers(0, self._shift + 1, 2))
            drawn["shift"] = np.stack(shifts)
        return dataclasses.replace(batch, **drawn)

    def view(self, position: int) -> Scene:
        """The random view that the ``position``-th picture shows, ``uint8``."""
        scene = self._scenes[self._scene_index(position)]
        rng = default_rng([self._seed, 1, position])
        return random_view(scene, rng, self._options, multiple=self._multiple)

    def _scene_index(self, position: int) -> int:
        """Which scene the ``position``-th picture shows."""
        epoch, index = divmod(position, len(self._scenes))
        return int(self._order(epoch)[index])

    def _draw_order(self, epoch: int) -> np.ndarray:
        rng = default_rng([self._seed, 0, epoch])
        if self._weights is None:
            return rng.permutation(len(self._scenes))
        return balanced_order(self._weights, rng)
