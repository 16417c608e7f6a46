"""Paint label maps with an exported model folder.

Legend: H height, W width.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import paddle
from paddle import inference

from spade_paddle.data.batches import to_pixels
from spade_paddle.data.labels import LabelSet
from spade_paddle.data.noise import noise_maps
from spade_paddle.engine.cpu import usable_cores
from spade_paddle.errors import LabelMapError, ModelError
from spade_paddle.inference.limits import SizeLimits
from spade_paddle.inference.model_folder import PROGRAM, PROGRAM_ENDINGS, read_model

MAX_PIXELS = 1024 * 1024


class Painter:
    """The one object that turns label maps into pictures. Not thread-safe: hold a lock.

    Use :meth:`load`. Attributes: ``name``, ``version``, ``label_set``, ``height`` and ``width``
    (the size the model was trained for), ``multiple`` (sizes are padded to it), ``limits`` (the
    sizes that are painted at all), ``model`` (the whole of model.json).
    """

    def __init__(self, model: dict[str, Any], predictor: inference.Predictor) -> None:
        self.model = model
        self.name: str = model["name"]
        self.version: str = model["version"]
        self.label_set = LabelSet.from_dict(model["label_set"])
        self.height: int = model["height"]
        self.width: int = model["width"]
        self.multiple: int = model["multiple"]
        self.limits = SizeLimits(min_side=self.multiple, max_pixels=MAX_PIXELS)
        self._predictor = predictor

    @classmethod
    def load(
        cls, folder: str | Path, *, threads: int | None = None, use_gpu: bool = False
    ) -> Painter:
        """Open a model folder.

        Args:
            folder: what ``tools/export.py`` wrote.
            threads: CPU threads; None takes all cores.
            use_gpu: paint on GPU 0 (needs paddlepaddle-gpu).

        Raises:
            ModelError: a file is missing, damaged, or of a newer format.
        """
        folder = Path(folder)
        model = read_model(folder)
        programs = [PROGRAM + ending for ending in PROGRAM_ENDINGS]
        program = next(name for name in programs if name in model["files"])
        if program.endswith(".json") and paddle.__version__.startswith("2."):
            raise ModelError(
                f"{folder}: this model was exported with Paddle 3 and Paddle {paddle.__version__} "
                "cannot read it; install Paddle 3 or export the run again with tools/export.py",
                code="model_format",
            )
        config = inference.Config(str(folder / program), str(folder / f"{PROGRAM}.pdiparams"))
        config.disable_glog_info()
        if use_gpu:
            config.enable_use_gpu(256, 0)
        else:
            config.disable_gpu()
            config.enable_mkldnn()
            config.set_cpu_math_library_num_threads(threads or usable_cores())
        return cls(model, inference.create_predictor(config))

    def paint(
        self,
        label_map: np.ndarray,
        *,
        seed: int | None = None,
        style: np.ndarray | None = None,
    ) -> np.ndarray:
        """Paint one label map.

        Args:
            label_map: integers [H, W], ids of the label set or 255; any H and W within
                ``limits``. A size that is not a multiple of ``multiple`` is padded by repeating
                the border, painted, and cut back.
            seed: of the noise, for a model with noise: other clouds, other waves. None is 0.
            style: ``uint8`` [h, w, 3], a photo to take the style from.

        Returns:
            ``uint8`` [H, W, 3] RGB.

        Raises:
            LabelMapError: unknown ids, too small or too large, or a style for a model without.
        """
        if style is not None:
            raise LabelMapError(
                f"the model '{self.name}' has one style only and takes no style picture; "
                "leave 'style' out",
                code="no_styles",
            )
        label_map = np.asarray(label_map)
        self.check(label_map)
        height, width = label_map.shape
        padded_height, padded_width = self.padded_size(height, width)
        padded = np.pad(
            label_map, ((0, padded_height - height), (0, padded_width - width)), mode="edge"
        )
        inputs = {"label_map": padded.astype(np.int32)[None]}
        if self.model["noise_channels"]:
            noise = noise_maps(
                seed or 0,
                channels=self.model["noise_channels"],
                height=padded_height,
                width=padded_width,
            )
            inputs["noise"] = noise[None]
        pixels = to_pixels(self._run(inputs))[0]
        return np.ascontiguousarray(pixels[:height, :width])

    def padded_size(self, height: int, width: int) -> tuple[int, int]:
        """The size a map of height x width is painted at: the next multiples."""
        rows, columns = (-(-side // self.multiple) for side in (height, width))
        return rows * self.multiple, columns * self.multiple

    def check(self, label_map: np.ndarray) -> None:
        """Refuse a label map that cannot be painted; raises LabelMapError."""
        self.label_set.check(label_map)
        self.limits.check(height=label_map.shape[0], width=label_map.shape[1])

    def warm_up(self) -> None:
        """Paint once at the model's own size, so that the first person need not wait for it."""
        self.paint(np.zeros((self.height, self.width), np.uint8))

    def _run(self, inputs: dict[str, np.ndarray]) -> np.ndarray:
        for name, array in inputs.items():
            handle = self._predictor.get_input_handle(name)
            handle.reshape(array.shape)
            handle.copy_from_cpu(array)
        self._predictor.run()
        name = self._predictor.get_output_names()[0]
        return self._predictor.get_output_handle(name).copy_to_cpu()
