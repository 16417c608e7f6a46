"""Which engine runs a model folder: Paddle Inference, or on CPUs our own runtime."""

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
    """Runs a generator. ``engine`` is ``paddle`` or ``native``, ``inputs`` names what it takes."""

    engine: str
    inputs: list[str]

    def run(self, inputs: dict[str, np.ndarray]) -> np.ndarray:
        """Arrays by name -> ``float32`` [N, 3, H, W] in -1..1."""


class NativeEngine:
    """Our own runtime; what it cannot paint is painted by Paddle Inference.

    Args:
        generator: with its weights.
        inputs: names of what it takes.
        open_program: the same as a program, opened when the first picture needs it.
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
            # there, for OpenMP keeps threads of its own for every thread that computes
            return in_paddle_thread(lambda: self._generator.run(inputs))
        except TooManyPatches:
            logger.debug("a label map of very many patterns: painted by Paddle Inference")
            return self._open_program().run(inputs)


def open_engine(
    folder: Path, card: ModelCard, *, ending: str, engine: EngineName, threads: int, use_gpu: bool
) -> Engine:
    """What runs the generator of a model folder.

    Args:
        folder: the model folder.
        card: its card.
        ending: of the program's file.
        engine: ``native``, ``paddle``, or ``auto``: the former where it can be had.
        threads: CPU threads.
        use_gpu: run on GPU 0, which Paddle alone can.

    Raises:
        ConfigError: ``native`` is asked for and cannot be had.
    """
    open_program = functools.partial(
        Program, folder, PROGRAM, ending, threads=threads, use_gpu=use_gpu
    )
    if engine == "paddle":
        return open_program()
    reason = "on a GPU Paddle computes" if use_gpu else _why_not(card)
    if reason is None:
        try:
            generator = in_paddle_thread(lambda: _native(folder, card, threads=threads))
        except (NoWeights, OneDNNError, KernelsMissing) as error:
            reason = str(error)
        else:
            return NativeEngine(generator, card.inputs, open_program)
    if engine == "native":
        raise ConfigError(
            f"engine: {folder} cannot be painted by the native engine here: {reason}; set it to "
            "auto or paddle",
            code="engine_missing",
        )
    logger.info("%s is painted by Paddle Inference: %s", card.name, reason)
    return open_program()


def _native(folder: Path, card: ModelCard, *, threads: int) -> NativeGenerator:
    library(), onednn()  # what is missing is told before anything is read
    return NativeGenerator(
        read_weights(folder, card), card.config, num_labels=len(card.label_set), threads=threads
    )


def _why_not(card: ModelCard) -> str | None:
    """Why a generator of this kind is not among those that the native engine knows."""
    if paddle.__version__.startswith("2."):
        return "Paddle 2 loads a program's weights without their names"
    try:
        config: Config = card.config
    except UserError as error:
        return str(error)
    if config.generator.block != "plain":
        return f"generator.block {config.generator.block}"
    if "conv_img_before.weight" in card.tensors:
        return "its newest block is still fading in"
    if config.generator.activation not in ACTIVATIONS:
        return f"generator.activation {config.generator.activation}"
    return None
