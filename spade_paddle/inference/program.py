"""One network of a model folder, run by Paddle Inference."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import paddle
from paddle import inference

from spade_paddle.errors import ModelError
from spade_paddle.inference.paddle_thread import in_paddle_thread
from spade_paddle.model_card import ModelCard

PROGRAM = "generator"
ENCODER = "encoder"
PROGRAM_ENDINGS = (".json", ".pdmodel")  # of Paddle 3 and of Paddle 2


def program_ending(folder: Path, card: ModelCard) -> str:
    """The suffix of a model folder's program files.

    Raises:
        ModelError: the programs were exported with Paddle 3, and this is Paddle 2.
    """
    ending = next(end for end in PROGRAM_ENDINGS if PROGRAM + end in card.files)
    if ending == ".json" and paddle.__version__.startswith("2."):
        raise ModelError(
            f"{folder}: this model was exported with Paddle 3 and Paddle {paddle.__version__} "
            "cannot read it; install Paddle 3, or export the run again with this Paddle",
            code="model_format",
        )
    return ending


class Program:
    """One network of a model folder in Paddle Inference; call it from any thread.

    Args:
        folder: the model folder.
        name: name of the program, without suffix.
        ending: suffix of the program's file.
        threads: CPU threads.
        use_gpu: run on GPU 0.
    """

    engine = "paddle"

    def __init__(
        self, folder: Path, name: str, ending: str, *, threads: int, use_gpu: bool
    ) -> None:
        config = inference.Config(
            str(folder / f"{name}{ending}"), str(folder / f"{name}.pdiparams")
        )
        config.disable_glog_info()
        if use_gpu:
            config.enable_use_gpu(256, 0)
        else:
            config.disable_gpu()
            config.enable_mkldnn()
            config.set_cpu_math_library_num_threads(threads)
        self._predictor = inference.create_predictor(config)
        self.inputs: list[str] = self._predictor.get_input_names()

    def run(self, inputs: dict[str, np.ndarray]) -> np.ndarray:
        """Run on arrays by input name, in the Paddle thread; returns the first output."""
        return in_paddle_thread(lambda: self._run(inputs))

    def _run(self, inputs: dict[str, np.ndarray]) -> np.ndarray:
        for name in self.inputs:
            handle = self._predictor.get_input_handle(name)
            handle.reshape(inputs[name].shape)
            handle.copy_from_cpu(np.ascontiguousarray(inputs[name]))
        self._predictor.run()
        name = self._predictor.get_output_names()[0]
        return self._predictor.get_output_handle(name).copy_to_cpu()
