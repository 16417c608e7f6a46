"""Paints label maps with an exported model folder.

Legend: H height, W width, D length of a style vector.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from spade_paddle.assets import SHIPPED, WEIGHTS
from spade_paddle.data.batches import to_network, to_pixels
from spade_paddle.data.labels import DONT_CARE
from spade_paddle.data.noise import noise_maps, style_noise
from spade_paddle.data.photos import shrink
from spade_paddle.data.positions import intra_class_positions
from spade_paddle.engine.cpu import keep_freed_memory, usable_cores
from spade_paddle.errors import LabelMapError
from spade_paddle.inference.engines import Engine, EngineName, open_engine
from spade_paddle.inference.gallery import GALLERY, Gallery
from spade_paddle.inference.limits import SizeLimits
from spade_paddle.inference.program import ENCODER, Program, program_ending
from spade_paddle.model_card import ModelCard

logger = logging.getLogger(__name__)

MAX_PIXELS = 1024 * 1024

# from stroke to stroke a doodle keeps its seed
_noise_maps = functools.lru_cache(maxsize=2)(noise_maps)


class Painter:
    """The one object that turns label maps into pictures. Not thread-safe: hold a lock.

    Use ``load``. Attributes: ``name``, ``version``, ``label_set``, ``height`` and ``width``
    (the size the model was trained for), ``multiple`` (sizes are padded to it), ``limits`` (the
    sizes that are painted at all), ``style_dim`` (length of a style vector, 0 without style),
    ``styles`` (those with a name that come with the model, ``float32`` [D] by name), ``gallery``
    (those it chooses from by what a label map shows, or None),
    ``card`` (what is known of the model).
    """

    def __init__(
        self,
        card: ModelCard,
        generator: Engine,
        encoder: Program | None = None,
        gallery: Gallery | None = None,
    ) -> None:
        self.card = card
        self.name = card.name
        self.version = card.version
        self.label_set = card.label_set
        self.height = card.height
        self.width = card.width
        self.multiple = card.multiple
        self.style_dim = card.style_dim
        self.styles = {
            style["name"]: np.array(style["vector"], np.float32) for style in card.styles
        }
        self.limits = SizeLimits(min_side=self.multiple, max_pixels=MAX_PIXELS)
        self.gallery = gallery
        self._generator = generator
        self._encoder = encoder

    @classmethod
    def load(
        cls,
        folder: str | Path,
        *,
        threads: int | None = None,
        use_gpu: bool = False,
        engine: EngineName = "auto",
        keep_memory: bool = True,
    ) -> Painter:
        """Open a model folder.

        Args:
            folder: what ``tools/export.py`` or ``tools/convert.py`` wrote; or ``landscape``, the
                model that comes along.
            threads: CPU threads; None takes all cores.
            use_gpu: paint on GPU 0 (needs paddlepaddle-gpu).
            engine: ``native``, our own runtime for CPUs; ``paddle``, Paddle Inference; ``auto``,
                the former where it knows the model and was built (engines.py).
            keep_memory: let malloc of the whole process keep what is freed for the next picture.

        Raises:
            ModelError: a file is missing, damaged, or of a newer format.
            ConfigError: the native engine is asked for by name and cannot be had.
        """
        if keep_memory:
            logger.debug("malloc keeps freed memory: %s", keep_freed_memory())
        folder = WEIGHTS if folder == SHIPPED else Path(folder)
        card = ModelCard.open(folder)
        ending = program_ending(folder, card)
        cores = threads or usable_cores()
        options: dict[str, Any] = {"ending": ending, "threads": cores, "use_gpu": use_gpu}
        encoder = None
        if ENCODER + ending in card.files:
            encoder = Program(folder, ENCODER, **options)
        gallery = None
        if GALLERY in card.files:
            num_labels = len(card.label_set)
            gallery = Gallery.load(folder, style_dim=card.style_dim, num_labels=num_labels)
        return cls(card, open_engine(folder, card, engine=engine, **options), encoder, gallery)

    @property
    def engine(self) -> str:
        """What computes the pictures: ``native`` or ``paddle``."""
        return self._generator.engine

    @property
    def has_seeds(self) -> bool:
        """Another seed gives another picture."""
        chosen = self.style_dim and (self.gallery is not None or len(self.styles) != 1)
        return bool(self.card.noise_channels or chosen)

    @property
    def has_styles(self) -> bool:
        """A photo can be given whose style the picture takes."""
        return self._encoder is not None

    def paint(
        self,
        label_map: np.ndarray,
        *,
        seed: int | None = None,
        style: np.ndarray | str | None = None,
        instance_map: np.ndarray | None = None,
    ) -> np.ndarray:
        """Paint one label map.

        Args:
            label_map: integers [H, W], ids of the label set or 255; any H and W within
                ``limits``. A size that is not a multiple of ``multiple`` is padded by repeating
                the border, painted, and cut back.
            seed: of what is left to chance: the noise (other clouds, other waves; None is 0), and
                the style of a model with style when none is given: that of another similar scene,
                without a gallery one of ``styles``, without those drawn from N(0, 1). None is that
                of the brightest few of some similar scenes, the first of ``styles``, or z = 0.
            style: the name of one of ``styles``; or ``uint8`` [h, w, 3], a photo to take the style
                from (its mean, mu); or the style itself, numbers [D], as ``style_of`` gives it.
            instance_map: integers [H, W], for the instance edges; without it the edges between
                labels stand in.

        Returns:
            ``uint8`` [H, W, 3] RGB.

        Raises:
            LabelMapError: unknown ids, too small or too large, a style or an instance map for a
                model that takes none, or one that does not fit.
        """
        label_map = np.asarray(label_map)
        self.check(label_map)
        inputs = self._inputs(label_map, seed=seed, style=style, instance_map=instance_map)
        return self._run([inputs], label_map.shape)[0]

    def paint_many(
        self,
        label_maps: Sequence[np.ndarray],
        *,
        seeds: Sequence[int | None],
        styles: Sequence[np.ndarray | str | None],
    ) -> list[np.ndarray]:
        """Paint label maps of one size at once: the pictures of ``paint``, but for rounding.

        Several at once take longer on a CPU than one by one. The maps are not checked here: whoever
        took them in has asked ``check``.
        """
        inputs = [
            self._inputs(label_map, seed=seed, style=style)
            for label_map, seed, style in zip(label_maps, seeds, styles)
        ]
        return self._run(inputs, label_maps[0].shape)

    def _inputs(
        self,
        label_map: np.ndarray,
        *,
        seed: int | None,
        style: np.ndarray | str | None,
        instance_map: np.ndarray | None = None,
    ) -> dict[str, np.ndarray]:
        """What the generator takes in, by name, of a checked label map."""
        self._check_instances(instance_map, label_map.shape)
        padded = self._pad(label_map)
        inputs = {"label_map": padded.astype(np.int32)}
        instances = padded if instance_map is None else self._pad(np.asarray(instance_map))
        inputs["instance_map"] = instances.astype(np.int32)
        if self.card.positions:
            compatible = self.card.positions == "compatible"
            positions = intra_class_positions(padded, compatible=compatible)
            inputs["positions"] = positions.transpose(2, 0, 1)
        channels = self.card.noise_channels
        if channels:
            rows, columns = padded.shape
            inputs["noise"] = _noise_maps(seed or 0, channels=channels, height=rows, width=columns)
        if self.style_dim:
            inputs["style"] = self._style(style, label_map, seed)
        elif style is not None:
            raise self._no_styles()
        return inputs

    def _run(
        self, inputs: Sequence[dict[str, np.ndarray]], size: tuple[int, ...]
    ) -> list[np.ndarray]:
        """Pictures ``uint8`` [H, W, 3] of inputs of one size, in one run."""
        batch = {name: np.stack([one[name] for one in inputs]) for name in self._generator.inputs}
        height, width = size
        pictures = to_pixels(self._generator.run(batch))
        return [np.ascontiguousarray(picture[:height, :width]) for picture in pictures]

    def style_of(self, photo: np.ndarray) -> np.ndarray:
        """The style of a photo, ``uint8`` [h, w, 3] RGB, as ``float32`` [D]: the encoder's mu.

        Raises:
            LabelMapError: the model has no style encoder, or that is no photo.
        """
        if self._encoder is None:
            raise self._no_styles()
        if photo.ndim != 3 or photo.shape[2] != 3 or photo.dtype != np.uint8:
            raise LabelMapError(
                "style: expected a photo, uint8 height x width x 3, got "
                f"{photo.dtype} {tuple(photo.shape)}",
                code="style_shape",
            )
        # the encoder resizes bilinearly, which sees but a few pixels of a large photo
        photo = shrink(photo, min(self.height, self.width))
        return self._encoder.run({"photo": to_network(photo[None])})[0]

    def padded_size(self, height: int, width: int) -> tuple[int, int]:
        """The size a map of height x width is painted at: the next multiples."""
        rows, columns = (-(-side // self.multiple) for side in (height, width))
        return rows * self.multiple, columns * self.multiple

    def check(self, label_map: np.ndarray, *, where: str = "label map") -> None:
        """Refuse a label map that cannot be painted; ``where`` names it. Raises LabelMapError."""
        self.label_set.check(label_map, where=where)
        self.limits.check(height=label_map.shape[0], width=label_map.shape[1], where=where)
        if not self.card.dont_care and (label_map == DONT_CARE).any():
            raise LabelMapError(
                f"{where}: the model '{self.name}' knows no \"don't care\" (255); give every pixel "
                f"one of the labels 0..{len(self.label_set) - 1}",
                code="label_unknown",
                ids=[DONT_CARE],
                highest=len(self.label_set) - 1,
            )

    def warm_up(self) -> None:
        """Paint once at the model's own size, so that the first person need not wait for it."""
        self.paint(np.zeros((self.height, self.width), np.uint8))

    def _check_instances(self, instance_map: np.ndarray | None, shape: tuple[int, ...]) -> None:
        if instance_map is None:
            return
        if "instance_map" not in self._generator.inputs:
            raise LabelMapError(
                f"the model '{self.name}' has no instance edges and takes no instance map; leave "
                "it out",
                code="no_instances",
            )
        instance_map = np.asarray(instance_map)
        if instance_map.shape != shape or not np.issubdtype(instance_map.dtype, np.integer):
            raise LabelMapError(
                f"instance map: expected integers of the label map's size, {shape[1]} x "
                f"{shape[0]}, got {instance_map.dtype} {tuple(instance_map.shape)}",
                code="instance_map_shape",
            )

    def chosen_style(self, label_map: np.ndarray, *, seed: int | None = None) -> np.ndarray:
        """The style vector that ``paint`` takes where none is given, ``float32`` [D].

        A picture of another label map in the same style is painted with ``style`` set to it.
        """
        if self.gallery is not None:
            return self.gallery.style_for(label_map, seed=seed)
        if self.styles:
            index = 0 if seed is None else np.random.default_rng(seed).integers(len(self.styles))
            return list(self.styles.values())[index]
        if seed is None:
            return np.zeros(self.style_dim, np.float32)
        return style_noise(seed, style_dim=self.style_dim)

    def _style(
        self, style: np.ndarray | str | None, label_map: np.ndarray, seed: int | None
    ) -> np.ndarray:
        """The style vector to paint with, ``float32`` [D]."""
        if style is None:
            return self.chosen_style(label_map, seed=seed)
        if isinstance(style, str):
            if style not in self.styles:
                raise LabelMapError(
                    f"style: the model '{self.name}' has no style '{style}'; it has "
                    f"{', '.join(self.styles) or 'none with a name'}",
                    code="style_unknown",
                )
            return self.styles[style]
        style = np.asarray(style)
        if style.ndim == 3:
            return self.style_of(style)
        if style.shape != (self.style_dim,) or not np.isfinite(style).all():
            raise LabelMapError(
                f"style: expected a photo or {self.style_dim} numbers, got {style.dtype} "
                f"{tuple(style.shape)}",
                code="style_shape",
            )
        return style.astype(np.float32)

    def _no_styles(self) -> LabelMapError:
        known = f"styles of {self.style_dim} numbers only" if self.style_dim else "one style only"
        return LabelMapError(
            f"the model '{self.name}' knows {known} and takes no style picture; leave 'style' out",
            code="no_styles",
        )

    def _pad(self, values: np.ndarray) -> np.ndarray:
        """Repeat the border of [H, W] up to the next multiples."""
        height, width = values.shape
        rows, columns = self.padded_size(height, width)
        return np.pad(values, ((0, rows - height), (0, columns - width)), mode="edge")
