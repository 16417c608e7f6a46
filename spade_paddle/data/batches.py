"""Endless training batches in an order that depends on the seed and the position only."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from spade_paddle.config import DataConfig, RegularizationConfig
from spade_paddle.data.augmentation import draw_augmentation
from spade_paddle.data.balance import balanced_order, balanced_weights
from spade_paddle.data.dataset import Pair, Scene, read_scene
from spade_paddle.data.labels import LabelSet
from spade_paddle.data.noise import noise_pyramid, style_noise
from spade_paddle.data.positions import intra_class_positions
from spade_paddle.data.transforms import random_view, to_load_size


class SceneCache:
    """Scenes of a data set at their load size, kept while memory allows.

    They are the same whether they were kept or are read again: only the time differs.

    Args:
        pairs: the files.
        label_set: checks the label maps.
        options: the load mode; of the arrays of the scenes, maps and positional encodings
            included, ``cache_gib`` are kept, and what is beyond is read from the disk each time.
        multiple: that both sides of a picture must be a multiple of, in pixels.
        positions: with positional encoding; it is made of the label map at its full size.
    """

    def __init__(
        self,
        pairs: list[Pair],
        *,
        label_set: LabelSet,
        options: DataConfig,
        multiple: int,
        positions: bool = False,
    ) -> None:
        self.pairs = pairs
        self._label_set = label_set
        self._options = options
        self._multiple = multiple
        self._positions = positions
        self._used_bytes = 0
        self._scenes: dict[int, Scene] = {}

    def __len__(self) -> int:
        return len(self.pairs)

    def __getitem__(self, index: int) -> Scene:
        if index in self._scenes:
            return self._scenes[index]
        scene = to_load_size(self._read(index), self._options, multiple=self._multiple)
        size = sum(array.nbytes for array in vars(scene).values() if array is not None)
        if self._used_bytes + size <= self._options.cache_gib * 2**30:
            self._scenes[index] = scene
            self._used_bytes += size
        return scene

    def weights(self) -> np.ndarray | None:
        """How often each scene is to be shown, [S]; None: all alike. Reads every label map."""
        return balanced_weights(
            self.pairs,
            num_labels=len(self._label_set),
            balance=self._options.label_balance,
        )

    def _read(self, index: int) -> Scene:
        scene = read_scene(self.pairs[index], self._label_set)
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


def stack(scenes: Sequence[Scene]) -> Batch:
    """Scenes of one size as a batch, without any noise."""
    instances = [scene.instance_map for scene in scenes if scene.instance_map is not None]
    positions = [scene.positions for scene in scenes if scene.positions is not None]
    return Batch(
        photo=to_network(np.stack([scene.photo for scene in scenes])),
        label_map=np.stack([scene.label_map for scene in scenes]).astype(np.int32),
        instance_map=np.stack(instances) if instances else None,
        positions=np.stack(positions).transpose(0, 3, 1, 2) if positions else None,
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
        options: how views are cut.
        seed: of everything drawn.
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
        self._augmentation = augmentation
        self._weights = weights
        self._shift = shift
        self._epoch = -1
        self._order = np.zeros(0, np.int64)

    def at(self, images_seen: int, count: int) -> Batch:
        """The ``count`` pictures that follow the first ``images_seen``; all must have one size
        (``check_one_size``)."""
        pictures = range(images_seen, images_seen + count)
        batch = stack([self.view(k) for k in pictures])
        if self._noise_strides:
            noise = [self._noise(k, batch.label_map.shape[1:]) for k in pictures]
            blocks = tuple(np.stack(maps) for maps in zip(*noise))
            batch = dataclasses.replace(batch, noise=blocks)
        if self._style_dim:
            styles = [style_noise([self._seed, 3, k], style_dim=self._style_dim) for k in pictures]
            batch = dataclasses.replace(batch, style_noise=np.stack(styles))
        if self._augments:
            rows = np.stack([self._augmentation_row(k) for k in pictures])
            batch = dataclasses.replace(batch, augmentation=rows)
        if self._shift:
            shifts = [self._draw_shift(k) for k in pictures]
            batch = dataclasses.replace(batch, shift=np.stack(shifts))
        return batch

    def view(self, position: int) -> Scene:
        """The random view that the ``position``-th picture shows, ``uint8``."""
        scene = self._scenes[self._scene_index(position)]
        rng = np.random.default_rng([self._seed, 1, position])
        return random_view(scene, rng, self._options, multiple=self._multiple)

    def stems(self, images_seen: int, count: int) -> list[str]:
        """The names of the photos that ``at`` shows."""
        pairs = self._scenes.pairs
        return [pairs[self._scene_index(k)].stem for k in range(images_seen, images_seen + count)]

    def _scene_index(self, position: int) -> int:
        """Which scene the ``position``-th picture shows."""
        epoch, index = divmod(position, len(self._scenes))
        if epoch != self._epoch:
            rng = np.random.default_rng([self._seed, 0, epoch])
            if self._weights is None:
                self._order = rng.permutation(len(self._scenes))
            else:
                self._order = balanced_order(self._weights, rng)
            self._epoch = epoch
        return int(self._order[index])

    @property
    def _augments(self) -> bool:
        options = self._augmentation
        return options is not None and any(
            getattr(options, f"augment_{kind}") > 0
            for kind in ("brightness", "saturation", "contrast", "translation", "cutout")
        )

    def _augmentation_row(self, position: int) -> np.ndarray:
        options = self._augmentation
        return draw_augmentation(
            [self._seed, 4, position],
            brightness=options.augment_brightness,
            saturation=options.augment_saturation,
            contrast=options.augment_contrast,
            translation=options.augment_translation,
            cutout=options.augment_cutout,
            cutout_probability=options.augment_cutout_probability,
        )

    def _draw_shift(self, position: int) -> np.ndarray:
        return np.random.default_rng([self._seed, 5, position]).integers(0, self._shift + 1, 2)

    def _noise(self, position: int, size: tuple[int, int]) -> list[np.ndarray]:
        sizes = [tuple(side // stride for side in size) for stride in self._noise_strides]
        return noise_pyramid([self._seed, 2, position], sizes=sizes)
