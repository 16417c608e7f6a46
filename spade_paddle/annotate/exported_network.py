"""A network as PaddleSeg's export.py writes it: a program, its weights, and deploy.yaml.

Deploy:
  model: model.pdmodel
  params: model.pdiparams
  output_op: argmax          # softmax or none: scores of every class
  transforms: [{type: Normalize}]
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import paddle
from paddle import nn
from paddle.nn import functional as F

from spade_paddle.errors import ModelError

_ONE_HOT_LOGIT = 50.0  # its softmax is 1 up to e^-50


class ExportedNetwork(nn.Layer):
    """Returns logits, like the networks of PaddleSeg, from a program that was exported with argmax,
    softmax or neither.

    Args:
        config: its deploy.yaml.
        section: the section ``Deploy`` of that file.
        num_classes: K, which the files do not contain.

    Raises:
        ModelError: the program cannot be opened.
    """

    def __init__(self, config: Path, section: dict[str, Any], *, num_classes: int) -> None:
        super().__init__()
        self._config = config
        self._output = section.get("output_op", "argmax")
        self._num_classes = num_classes
        program = config.parent / section["model"]
        try:
            self._program = paddle.jit.load(str(program.with_suffix("")))
        except Exception as error:  # Paddle may raise anything for a damaged file
            raise ModelError(
                f"{program}: cannot be opened as an exported network: {error}; export it again",
                code="annotator_config",
            ) from error

    def forward(self, pictures: paddle.Tensor) -> list[paddle.Tensor]:
        """Pictures [N, 3, H, W] -> a list of one tensor of logits [N, K, H, W].

        Raises:
            ModelError: the network has another number of classes.
        """
        output = self._program(pictures)
        output = output[0] if isinstance(output, (list, tuple)) else output
        if self._output != "argmax":
            self._check(output.shape[1] == self._num_classes, output.shape[1])
            return [output.clip(min=1e-30).log() if self._output == "softmax" else output]
        ids = output.squeeze(1) if output.ndim == 4 else output
        self._check(int(ids.max()) < self._num_classes, f"at least {int(ids.max()) + 1}")
        return [
            _ONE_HOT_LOGIT
            * F.one_hot(ids.astype("int64"), self._num_classes).transpose([0, 3, 1, 2])
        ]

    def _check(self, fits: bool, found: object) -> None:
        if not fits:
            raise ModelError(
                f"{self._config}: the network has {found} classes, but the label set has "
                f"{self._num_classes}; put its own labels.json beside the file",
                code="annotator_labels",
            )
