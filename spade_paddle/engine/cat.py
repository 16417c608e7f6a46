"""Distillation from a trained teacher: CAT (Jin et al., CVPR 2021, section 3.3).

The student keeps its own losses; a loss for the similarity of its features to the teacher's is
added.
"""

from __future__ import annotations

import paddle
from paddle import nn
from paddle.nn import functional as F

from spade_paddle.config import DistillationConfig
from spade_paddle.engine.distributed import Workers
from spade_paddle.engine.steps import Losses, Networks, StepInput, paint
from spade_paddle.engine.taps import Taps
from spade_paddle.layers.processes import sum_over_processes
from spade_paddle.losses.distillation import kernel_alignment


class FeatureDistillation:
    """The additional losses ``g_alignment`` and ``g_features``, if their weights are not 0.

    ``g_alignment = alignment * sum_l (1 - KA(student_l, teacher_l))`` over the whole batch of all
    processes, and ``g_features = feature_mse * sum_l mean((adapter_l(student_l) - teacher_l)^2)``
    with 1x1 convolutions as adapters, which are trained with the student; l are the compared
    blocks. The teacher paints the same scenes with the same noise, in evaluation mode, with the
    style from its own encoder.

    Args:
        student: generator and encoder of the student.
        teacher: generator and encoder of the teacher, in evaluation mode.
        options: blocks to compare and weights of the losses.
        workers: the processes that share a batch.

    Attributes:
        adapters: the adapters by block; None if ``feature_mse`` is 0.

    Raises:
        ConfigError: a block to compare does not exist.
    """

    def __init__(
        self,
        student: Networks,
        teacher: Networks,
        options: DistillationConfig,
        *,
        workers: Workers,
    ) -> None:
        self._teacher = teacher
        self._options = options
        self._workers = workers
        self._ours = Taps(student.generator, options.compared)
        self._theirs = Taps(teacher.generator, options.compared)
        self.adapters = None
        if options.feature_mse:
            ours, theirs = (each.generator.block_channels for each in (student, teacher))
            self.adapters = nn.LayerDict(
                {name: nn.Conv2D(ours[name], theirs[name], 1) for name in options.compared}
            )

    def __call__(self, networks: Networks, batch: StepInput, fake_photo: paddle.Tensor) -> Losses:
        """Return the losses by name; call after the student has painted the batch."""
        ours = self._ours.take()
        with paddle.no_grad():
            paint(self._teacher, batch)
        theirs = [feature.detach() for feature in self._theirs.take()]
        losses: Losses = {}
        if self._options.alignment:
            aligned = [
                kernel_alignment(self._whole_batch(our), self._whole_batch(their))
                for our, their in zip(ours, theirs)
            ]
            losses["g_alignment"] = self._options.alignment * sum(1 - value for value in aligned)
        if self.adapters is not None:
            distances = [
                F.mse_loss(adapter(our), their)
                for adapter, our, their in zip(self.adapters.values(), ours, theirs)
            ]
            losses["g_features"] = self._options.feature_mse * sum(distances)
        return losses

    def _whole_batch(self, features: paddle.Tensor) -> paddle.Tensor:
        """Gather features [n, ...] of this process into [N, ...] of all processes.

        Every process computes the same loss of the whole batch, and its backward pass yields the
        gradient of the sum of these losses; the mean of Workers.average is that of one loss.
        """
        if self._workers.size == 1:
            return features
        places = [paddle.zeros_like(features) for _ in range(self._workers.size)]
        places[self._workers.rank] = features
        return sum_over_processes(paddle.concat(places))
