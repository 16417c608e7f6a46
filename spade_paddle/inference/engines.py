"""Selects the engine for a model folder: Paddle Inference, or our own runtime for CPUs."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
import paddle

from spade_paddle.config import Config
from spade_paddle.errors import ConfigError, UserError
from spade_paddle.inference.native.generator import NativeGenerator
from spade_paddle.inference.native.kernels import ACTIVATIONS, KernelsMissing, library
from spade_paddle.inference.native.spade import TooManyPatches
from spade_paddle.inference.native.weights import NoWeights, read_weights
from spade_paddle.inference.paddle_thread import in_paddle_thread
from spade_paddle.inference.program import PROGRAM, Program
from spade_paddle.model_card import ModelCard
from spade_paddle.onednn.library import OneDNNError
from spade_paddle.onednn.library import library as onednn

logger = logging.getLogger(__name__)

EngineName = Literal["auto", "paddle", "native"]


class Engine(Protocol):
    """Runs a generator; ``engine`` is ``paddle`` or ``native``, ``inputs`` its input names."""

    engine: str
    inputs: list[str]

    def run(self, inputs: dict[str, np.ndarray]) -> np.ndarray:
        """Run on arrays by input name; returns ``float32`` [N, 3, H, W] in -1..1."""


class NativeEngine:
    """Our own runtime, with Paddle Inference as the fallback for maps it cannot paint.

    Args:
        generator: the generator with its weights.
        inputs: its input names.
        open_program: opens the same generator in Paddle Inference, when first needed.
    """

    engine = "native"

    def __init__(
        self, generator: NativeGenerator, inputs: list[str], open_program: Callable[[], Program]
    ) -> None:
        self.inputs = inputs
        self._generator = generator
        self._open_program = functools.lru_cache(maxsize=1)(open_program)

    def run(self, inputs: dict[str, np.ndarray]) -> np.ndarray:
        """See Engine."""
        try:
            # OpenMP keeps a thread pool for each calling thread: always call from the same one
            return in_paddle_thread(lambda: self._generator.run(inputs))
        except TooManyPatches:
            logger.debug("label map with too many distinct patterns: painted by Paddle Inference")
            return self._open_program().run(inputs)


def open_engine(
    folder: Path, card: ModelCard, *, ending: str, engine: EngineName, threads: int, use_gpu: bool
) -> Engine:
    """Open the generator of a model folder.

    Args:
        folder: the model folder.
        card: its card.
        ending: the suffix of the program's file, see ``program_ending``.
        engine: ``native``, ``paddle``, or ``auto``: ``native`` if available.
        threads: CPU threads.
        use_gpu: run on GPU 0, which only Paddle supports.

    Raises:
        ConfigError: ``engine`` is ``native``, which is not available here.
    """
    open_program = functools.partial(
        Program, folder, PROGRAM, ending, threads=threads, use_gpu=use_gpu
    )
    if engine == "paddle":
        return open_program()
    reason = "it does not support GPUs" if use_gpu else _unsupported_reason(card)
    if reason is None:
        try:
            generator = in_paddle_thread(lambda: _native(folder, card, threads=threads))
        except (NoWeights, OneDNNError, KernelsMissing) as error:
            reason = str(error)
        else:
            return NativeEngine(generator, card.inputs, open_program)
    if engine == "native":
        raise ConfigError(
            f"engine: {folder} cannot be painted by the native engine here: {reason}; use auto or "
            "paddle",
            code="engine_missing",
        )
    logger.info("%s is painted by Paddle Inference, not the native engine: %s", card.name, reason)
    return open_program()


def _native(folder: Path, card: ModelCard, *, threads: int) -> NativeGenerator:
    library(), onednn()  # fail before reading the weights if a library is missing
    return NativeGenerator(
        read_weights(folder, card), card.config, num_labels=len(card.label_set), threads=threads
    )


def _unsupported_reason(card: ModelCard) -> str | None:
    """Why the native engine does not support a model's architecture; None if it does."""
    if paddle.__version__.startswith("2."):
        return "Paddle 2 does not keep the names of a program's weights"
    try:
        config: Config = card.config
    except UserError as error:
        return str(error)
    if config.generator.block != "plain":
        return f"it does not support generator.block {config.generator.block}"
    if "conv_img_before.weight" in card.tensors:
        return "the model was exported while a block was fading in"
    if config.generator.activation not in ACTIVATIONS:
        return f"it does not support generator.activation {config.generator.activation}"
    return None
