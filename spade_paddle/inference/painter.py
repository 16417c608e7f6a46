"""Paints label maps with an exported model folder.

Legend: H height, W width, D length of a style vector.
"""

from __future__ import annotations

import functools
import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from spade_paddle.assets import SHIPPED, WEIGHTS
from spade_paddle.data.batches import to_pixels
from spade_paddle.data.labels import DONT_CARE
from spade_paddle.data.noise import noise_maps
from spade_paddle.data.positions import intra_class_positions
from spade_paddle.data.transforms import resize_nearest
from spade_paddle.engine.cpu import keep_freed_memory, usable_cores
from spade_paddle.errors import LabelMapError
from spade_paddle.inference.color_match import match_colors, shrunken_size
from spade_paddle.inference.engines import Engine, EngineName, open_engine
from spade_paddle.inference.gallery import GALLERY, Gallery
from spade_paddle.inference.large_model import check_large_model
from spade_paddle.inference.limits import SizeLimits
from spade_paddle.inference.model_styles import ModelStyles
from spade_paddle.inference.program import ENCODER, Program, program_ending
from spade_paddle.model_card import LARGE, MODEL_FILE, ModelCard

logger = logging.getLogger(__name__)

MAX_PIXELS = 1024 * 1024

# consecutive requests for the same doodle usually have the same seed
_noise_maps = functools.lru_cache(maxsize=2)(noise_maps)


@dataclass(frozen=True)
class _Request:
    """Arguments of ``Painter.paint``, checked."""

    label_map: np.ndarray
    seed: int | None = None
    style: np.ndarray | str | None = None
    instance_map: np.ndarray | None = None


class Painter:
    """Turns label maps into pictures. Not thread-safe: hold a lock.

    Open one with ``load``. Attributes: ``name``, ``version``, ``label_set``, ``height`` and
    ``width`` (the training size), ``multiple`` (sizes are padded to a multiple of it), ``limits``
    (sizes that are accepted), ``style_dim`` (length of a style vector, 0 without style), ``styles``
    (named styles of the model, ``float32`` [D] by name), ``gallery`` (styles to choose from by the
    layout of a label map, or None), ``card`` (the model's metadata), ``large`` (the painter of
    label maps that are larger than those of training, or None: see ``for_size``; its pictures get
    the colors of this painter, see color_match.py).
    """

    def __init__(
        self,
        card: ModelCard,
        generator: Engine,
        encoder: Program | None = None,
        gallery: Gallery | None = None,
        large: Painter | None = None,
    ) -> None:
        self.card = card
        self.name = card.name
        self.version = card.version
        self.label_set = card.label_set
        self.height = card.height
        self.width = card.width
        self.multiple = card.multiple
        self.style_dim = card.style_dim
        self.limits = SizeLimits(min_side=self.multiple, max_pixels=MAX_PIXELS)
        self.large = large
        self._styles = ModelStyles(card, encoder=encoder, gallery=gallery)
        self.styles = self._styles.named
        self.gallery = gallery
        self._generator = generator

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

        If it has a model folder ``large`` in it, that is the model for large pictures.

        Args:
            folder: model folder of ``tools/export.py`` or ``tools/convert.py``; or ``landscape``,
                the included model.
            threads: CPU threads; None uses all cores.
            use_gpu: paint on GPU 0 (needs paddlepaddle-gpu).
            engine: ``native``, our own runtime for CPUs; ``paddle``, Paddle Inference; ``auto``,
                ``native`` if it was built and supports the model (engines.py).
            keep_memory: let malloc keep freed memory for the next picture, in the whole process.

        Raises:
            ModelError: a file is missing, damaged, or of a newer format; or the model for large
                pictures takes other label maps or styles.
            ConfigError: ``engine`` is ``native``, which is not available for this model.
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
        large = None
        if (folder / LARGE / MODEL_FILE).is_file():
            large = cls.load(
                folder / LARGE,
                threads=threads,
                use_gpu=use_gpu,
                engine=engine,
                keep_memory=keep_memory,
            )
            check_large_model(folder / LARGE, large.card, card)
        generator = open_engine(folder, card, engine=engine, **options)
        return cls(card, generator, encoder, gallery, large)

    def for_size(self, height: int, width: int) -> Painter:
        """The painter of label maps of this size: this one or ``large``, whichever training size
        is closer by the ratio of the areas."""
        if self.large is None:
            return self
        sizes = (self.height * self.width, self.large.height * self.large.width)
        return self.large if height * width >= math.sqrt(math.prod(sizes)) else self

    @property
    def engine(self) -> str:
        """The engine in use: ``native`` or ``paddle``."""
        return self._generator.engine

    @property
    def has_seeds(self) -> bool:
        """Whether the picture depends on the seed."""
        return bool(self.card.noise_channels) or self._styles.are_drawn

    @property
    def has_styles(self) -> bool:
        """Whether the model has a style encoder, so that a photo can be used as style."""
        return self._styles.has_encoder

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
                ``limits``. Sizes that are not multiples of ``multiple`` are padded by repeating
                the border, and the picture is cropped.
            seed: seed of the noise (details such as clouds and waves; None is 0) and, if ``style``
                is None, of the style (see ``chosen_style``).
            style: the name of one of ``styles``; or a photo, ``uint8`` [h, w, 3], which the style
                encoder maps to its mean mu; or a style vector [D], see ``style_of``.
            instance_map: integers [H, W], for the instance edges; None uses the edges between
                labels.

        Returns:
            ``uint8`` [H, W, 3] RGB.

        Raises:
            LabelMapError: unknown ids, a size outside ``limits``, or a style or an instance map
                that is malformed or that the model does not take.
        """
        label_map = np.asarray(label_map)
        self.check(label_map)
        if instance_map is not None:
            instance_map = np.asarray(instance_map)
            self._check_instances(instance_map, label_map.shape)
        return self._paint([_Request(label_map, seed, style, instance_map)])[0]

    def paint_many(
        self,
        label_maps: Sequence[np.ndarray],
        *,
        seeds: Sequence[int | None],
        styles: Sequence[np.ndarray | str | None],
    ) -> list[np.ndarray]:
        """Paint label maps of one size as a batch: the pictures of ``paint``, up to rounding.

        On a CPU a batch takes longer than its pictures one by one. The caller must have validated
        the maps with ``check``.
        """
        return self._paint([_Request(*arguments) for arguments in zip(label_maps, seeds, styles)])

    def _paint(self, requests: Sequence[_Request]) -> list[np.ndarray]:
        """Paint label maps of one size; pictures of ``large`` get the colors of this model."""
        size = requests[0].label_map.shape
        painter = self.for_size(*size)
        inputs = [painter._inputs(request) for request in requests]
        pictures = painter._run(inputs, size)
        if painter is self:
            return pictures
        small_size = shrunken_size(*size, area=self.height * self.width)
        small = [
            _Request(
                resize_nearest(request.label_map, *small_size),
                request.seed,
                one.get("style") if request.style is None else request.style,
                None
                if request.instance_map is None
                else resize_nearest(request.instance_map, *small_size),
            )
            for request, one in zip(requests, inputs)
        ]
        references = self._run([self._inputs(each) for each in small], small_size)
        return [
            match_colors(picture, reference, request.label_map)
            for picture, reference, request in zip(pictures, references, requests)
        ]

    def _inputs(self, request: _Request) -> dict[str, np.ndarray]:
        """The generator's inputs by name."""
        label_map, instance_map = request.label_map, request.instance_map
        padded = self._pad(label_map)
        inputs = {"label_map": padded.astype(np.int32)}
        instances = padded if instance_map is None else self._pad(instance_map)
        inputs["instance_map"] = instances.astype(np.int32)
        if self.card.positions:
            compatible = self.card.positions == "compatible"
            positions = intra_class_positions(padded, compatible=compatible)
            inputs["positions"] = positions.transpose(2, 0, 1)
        channels = self.card.noise_channels
        if channels:
            rows, columns = padded.shape
            inputs["noise"] = _noise_maps(
                request.seed or 0, channels=channels, height=rows, width=columns
            )
        if self.style_dim:
            inputs["style"] = self._styles.vector(request.style, label_map, seed=request.seed)
        elif request.style is not None:
            raise self._styles.error()
        return inputs

    def _run(
        self, inputs: Sequence[dict[str, np.ndarray]], size: tuple[int, ...]
    ) -> list[np.ndarray]:
        """Run the generator on a batch of inputs of one size; pictures ``uint8`` [H, W, 3]."""
        batch = {name: np.stack([one[name] for one in inputs]) for name in self._generator.inputs}
        height, width = size
        pictures = to_pixels(self._generator.run(batch))
        return [np.ascontiguousarray(picture[:height, :width]) for picture in pictures]

    def style_of(self, photo: np.ndarray) -> np.ndarray:
        """Encode a photo, ``uint8`` [h, w, 3] RGB, as a style vector ``float32`` [D]: the mean mu.

        Raises:
            LabelMapError: the model has no style encoder, or ``photo`` has another shape or dtype.
        """
        return self._styles.of_photo(photo)

    def padded_size(self, height: int, width: int) -> tuple[int, int]:
        """The height and width at which a map is painted: rounded up to multiples."""
        rows, columns = (-(-side // self.multiple) for side in (height, width))
        return rows * self.multiple, columns * self.multiple

    def check(self, label_map: np.ndarray, *, where: str = "label map") -> None:
        """Raise LabelMapError if a label map cannot be painted; ``where`` names it."""
        self.label_set.check(label_map, where=where)
        self.limits.check(height=label_map.shape[0], width=label_map.shape[1], where=where)
        if not self.card.dont_care and (label_map == DONT_CARE).any():
            raise LabelMapError(
                f"{where}: the model '{self.name}' does not support \"don't care\" (255); give "
                f"every pixel one of the labels 0..{len(self.label_set) - 1}",
                code="label_unknown",
                ids=[DONT_CARE],
                highest=len(self.label_set) - 1,
            )

    def warm_up(self) -> None:
        """Paint once at the training size, so that the first request does not wait for set-up."""
        self.paint(np.zeros((self.height, self.width), np.uint8))
        if self.large is not None:
            self.large.warm_up()

    def _check_instances(self, instance_map: np.ndarray, shape: tuple[int, ...]) -> None:
        if "instance_map" not in self._generator.inputs:
            raise LabelMapError(
                f"instance map: the model '{self.name}' has no instance edges; leave the map out",
                code="no_instances",
            )
        if instance_map.shape != shape or not np.issubdtype(instance_map.dtype, np.integer):
            raise LabelMapError(
                f"instance map: expected integers of the label map's size, {shape[1]} x "
                f"{shape[0]}, got {instance_map.dtype} {tuple(instance_map.shape)}",
                code="instance_map_shape",
            )

    def chosen_style(self, label_map: np.ndarray, *, seed: int | None = None) -> np.ndarray:
        """The style vector that ``paint`` uses if none is given, ``float32`` [D].

        - With a gallery: the mean style of similar, bright scenes; with a seed, about the style of
          a random similar scene (gallery.py).
        - Else with named styles: the first one; with a seed, a random one.
        - Else z = 0; with a seed, a sample of N(0, I).

        Pass the vector as ``style`` to paint another label map in the same style.
        """
        return self.for_size(*label_map.shape)._styles.chosen(label_map, seed=seed)

    def _pad(self, values: np.ndarray) -> np.ndarray:
        """Pad [H, W] to the next multiples by repeating the border."""
        height, width = values.shape
        rows, columns = self.padded_size(height, width)
        return np.pad(values, ((0, rows - height), (0, columns - width)), mode="edge")
