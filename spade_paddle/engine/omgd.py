"""Online distillation from two teachers trained with the student: OMGD (Ren et al., ICCV 2021).

Published for pix2pix and CycleGAN. Applying it to SPADE is ours: the choice of compared layers, and
that the teachers keep all losses of an ordinary run (adversarial, feature matching, perceptual).
"""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any

import paddle
from paddle import nn
from paddle.nn import functional as F

from spade_paddle.config import Config
from spade_paddle.engine.descent import Descent
from spade_paddle.engine.distributed import Workers
from spade_paddle.engine.steps import Losses, Networks, StepInput, sample_style
from spade_paddle.engine.taps import Taps
from spade_paddle.engine.updates import Updater, precision
from spade_paddle.layers.norm import BatchNorm
from spade_paddle.losses.distillation import (
    channel_distance,
    gram_loss,
    ssim,
    total_variation,
)
from spade_paddle.networks.build import build_discriminator, build_generator
from spade_paddle.networks.combined import CombinedDiscriminator
from spade_paddle.networks.widths import GeneratorWidths

WIDER = "wider_"
DEEPER = "deeper_"


def teachers_of(
    config: Config, student: Networks, *, num_labels: int, wider: nn.Layer | None = None
) -> list[Networks]:
    """Build the wider and the deeper teacher, in training mode.

    They share the student's encoder and train it. The wider teacher uses the student's
    discriminator, which the student is not trained with.

    Args:
        config: configuration of the student's run.
        student: networks of the student.
        num_labels: number of labels in the label set.
        wider: generator of the wider teacher; None: a new one by ``distillation.wider``.
    """
    options = config.distillation
    deeper = build_discriminator(config, num_labels=num_labels)
    _share(student.discriminator, deeper, stages=options.shared_stages)
    if wider is None:
        config_of_wider = teacher_config(config, wider=options.wider)
        wider = build_generator(config_of_wider, num_labels=num_labels)
    config_of_deeper = teacher_config(config, deeper=options.deeper)
    generators = wider, build_generator(config_of_deeper, num_labels=num_labels)
    return [
        dataclasses.replace(
            student,
            generator=generator,
            discriminator=discriminator,
            extra_losses=(),
            adapters=None,
            color_balance=copy.deepcopy(student.color_balance),
            prefix=prefix,
        )
        for generator, discriminator, prefix in zip(
            generators, (student.discriminator, deeper), (WIDER, DEEPER)
        )
    ]


def initialize_deeper_teacher(deeper: Networks, student: Networks) -> str:
    """Initialize the deeper teacher from a student that starts from trained weights.

    Its discriminator is copied from the student's run. The additional blocks are initialized as
    identities, so that it paints the same pictures as the student.

    Returns:
        a log line.
    """
    for target, source in (
        (deeper.generator, student.generator),
        (deeper.discriminator, student.discriminator),
    ):
        target.set_state_dict({**target.state_dict(), **source.state_dict()})
    extra = [
        name
        for name in deeper.generator.block_channels
        if name not in student.generator.block_channels
    ]
    for name in extra:
        getattr(deeper.generator, name).zero_init_residual()
    return f"deeper teacher: initialized from the student, with {len(extra)} additional blocks"


def teacher_config(config: Config, *, wider: int = 1, deeper: int = 0) -> Config:
    """Return the student's configuration with widths multiplied by ``wider`` and ``deeper`` more
    blocks after each."""
    options = config.generator
    widths = GeneratorWidths.of_options(options, has_style=config.encoder.style_dim > 0)
    per_block = 1 + options.extra_blocks
    widths = widths.widened(wider).deepened(deeper, every=per_block)
    generator = dataclasses.replace(options, extra_blocks=options.extra_blocks + deeper)
    lists = widths.to_lists(generator)
    return dataclasses.replace(config, generator=dataclasses.replace(generator, widths=lists))


class OnlineUpdater:
    """Updates the teachers in some steps, as Updater does, and the student in every step.

    The student paints with the style from the teachers' encoder. Its losses, summed over both
    teachers, compare pictures: structural similarity, and Gram matrices and features of the
    perceptual loss's network; with the total variation of its own picture. For the wider teacher,
    channel means of the compared blocks are added, through connectors (1x1 convolution without
    bias, batch norm, ReLU) trained with the student. No gradient reaches teachers or encoder.

    Args:
        student: networks of the student, in training mode; its ``adapters`` are set to the
            connectors.
        teachers: result of ``teachers_of``.
        config: configuration of the student's run.
        workers: the processes that train together.
    """

    def __init__(
        self,
        student: Networks,
        teachers: Sequence[Networks],
        config: Config,
        *,
        workers: Workers,
    ) -> None:
        self._student = student
        self._teachers = teachers
        self._config = config
        self._options = config.distillation
        if self._options.channels:
            blocks = self._options.compared
            self._ours = Taps(student.generator, blocks)
            self._wider = Taps(teachers[0].generator, blocks)
            student.adapters = nn.LayerDict(
                {
                    name: _connector(
                        student.generator.block_channels[name],
                        teachers[0].generator.block_channels[name],
                    )
                    for name in blocks
                }
            )
        self._teacher_updater = Updater(teachers, config, workers=workers)
        adapters = [] if student.adapters is None else student.adapters.parameters()
        self._student_descent = Descent(
            [*student.generator.parameters(), *adapters],
            config,
            rate=config.optimizer.generator_lr,
            workers=workers,
        )

    def stateful(self) -> Iterator[tuple[str, Any]]:
        """Yield all objects with a state dict, by their names in a checkpoint."""
        yield from self._teacher_updater.stateful()
        yield from self._student_descent.stateful("student")

    def set_rates(self, factor: float) -> None:
        """Set the learning rates to ``factor`` times those of the configuration."""
        self._teacher_updater.set_rates(factor)
        self._student_descent.set_rate(factor)

    def step(
        self, parts: Sequence[StepInput], *, images_seen: int = 0, r1_weight: float = 0.0
    ) -> Losses:
        """Update teachers and discriminators if due, then the student.

        The student is compared with what the teachers painted before this update.

        Args:
            parts: as in Updater.step.
            images_seen: images seen before the step; determines whether the teachers are updated.
            r1_weight: as in Updater.step.

        Returns:
            losses of the student and ``s_grad_norm``; in steps that update the teachers also their
            losses as in Updater.step, with prefixes ``wider_`` and ``deeper_``.

        Raises:
            NotFinite: an update of teachers or student was skipped, and all later ones of the step.
        """
        lessons = [self._teacher_outputs(part) for part in parts]
        losses: Losses = {}
        step = images_seen // self._config.batch_size
        if step % self._options.teachers_every == 0:
            losses = self._teacher_updater.step(parts, images_seen=images_seen, r1_weight=r1_weight)
        collected = []
        for part, lesson in zip(parts, lessons):
            with precision(self._config):
                values = self._losses(part, *lesson)
            self._student_descent.backward(sum(values.values()), parts=len(parts))
            collected.append(values)
        return {**losses, **self._student_descent.apply(collected, norm_name="s_grad_norm")}

    @paddle.no_grad()
    def _teacher_outputs(self, part: StepInput) -> tuple[paddle.Tensor | None, list, list]:
        """Return the style, the pictures of both teachers, and the wider teacher's features."""
        style, _ = sample_style(self._student.encoder, part)
        with precision(self._config):
            pictures = [
                teacher.generator(part.segmap, part.noise, style=style, positions=part.positions)
                for teacher in self._teachers
            ]
        return style, pictures, self._wider.take() if self._options.channels else []

    def _losses(
        self,
        part: StepInput,
        style: paddle.Tensor | None,
        pictures: Sequence[paddle.Tensor],
        features: Sequence[paddle.Tensor],
    ) -> Losses:
        """Return the weighted losses of the student by name."""
        student, options = self._student, self._options
        painted = student.generator(part.segmap, part.noise, style=style, positions=part.positions)
        losses = {"s_ssim": options.ssim * sum(1 - ssim(painted, each) for each in pictures)}
        if options.gram or options.feature:
            ours = student.perceptual.maps(painted)
            with paddle.no_grad():
                theirs = [student.perceptual.maps(each) for each in pictures]
            losses["s_gram"] = options.gram * sum(gram_loss(ours, each) for each in theirs)
            layer = min(1, len(ours) - 1)  # the second one, if there is one
            losses["s_feature"] = options.feature * sum(
                F.l1_loss(ours[layer], each[layer]) for each in theirs
            )
        losses["s_tv"] = options.tv * len(pictures) * total_variation(painted)
        if options.channels:
            losses["s_channels"] = options.channels * sum(
                channel_distance(connect(our), their)
                for connect, our, their in zip(
                    student.adapters.values(), self._ours.take(), features
                )
            )
        return losses


def _connector(channels: int, wider: int) -> nn.Layer:
    return nn.Sequential(
        nn.Conv2D(channels, wider, 1, bias_attr=False), BatchNorm(wider), nn.ReLU()
    )


def _share(first: CombinedDiscriminator, second: CombinedDiscriminator, *, stages: int) -> None:
    """Let the second discriminator share the first stages of every patch scale of the first, and
    its frozen projections."""
    for heads in second.heads:
        getattr(second, heads).projection = getattr(first, heads).projection
    for scale in range(second.num_D):
        ours, theirs = (getattr(each, f"nld_{scale}")[-1] for each in (second, first))
        for stage in range(min(stages, theirs.num_layers + 1)):
            setattr(ours, f"layer_{stage}", getattr(theirs, f"layer_{stage}"))
