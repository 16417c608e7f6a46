"""Learning from two teachers that train beside the student: OMGD (Ren et al., ICCV 2021).

Published for pix2pix and CycleGAN. Its use with SPADE is ours: which layers are compared, and that
the teachers keep all losses of an ordinary run (adversarial, feature matching, perceptual).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any

import paddle
from paddle import nn
from paddle.nn import functional as F

from spade_paddle.config import Config
from spade_paddle.engine.descent import Descent
from spade_paddle.engine.distributed import Workers
from spade_paddle.engine.steps import Losses, Networks, StepInput, draw_style
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
    """The wider and the deeper teacher, in training mode.

    They share the student's encoder, which learns with them. The student's discriminator is the
    wider one's: the student never sees it.

    Args:
        config: of the student's run.
        student: its networks.
        num_labels: labels of the label set.
        wider: the wider one's generator; None: a new one, of ``distillation.wider``.
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
            prefix=prefix,
        )
        for generator, discriminator, prefix in zip(
            generators, (student.discriminator, deeper), (WIDER, DEEPER)
        )
    ]


def begin_as(deeper: Networks, student: Networks) -> str:
    """Let the deeper teacher paint what a student paints that does not begin with fresh weights.

    Its discriminator becomes that of the student's run; the blocks that the student has not change
    nothing until they have learned to.

    Returns:
        for people: what was done.
    """
    for ours, theirs in (
        (deeper.generator, student.generator),
        (deeper.discriminator, student.discriminator),
    ):
        ours.set_state_dict({**ours.state_dict(), **theirs.state_dict()})
    extra = [
        name
        for name in deeper.generator.block_channels
        if name not in student.generator.block_channels
    ]
    for name in extra:
        getattr(deeper.generator, name).zero_init_residual()
    return f"deeper teacher: begins as the student, with {len(extra)} blocks more"


def teacher_config(config: Config, *, wider: int = 1, deeper: int = 0) -> Config:
    """The student's configuration with so many times its widths, and so many more blocks after
    each."""
    options = config.generator
    widths = GeneratorWidths.of_options(options, has_style=config.encoder.style_dim > 0)
    per_block = 1 + options.extra_blocks
    widths = widths.widened(wider).deepened(deeper, every=per_block)
    generator = dataclasses.replace(options, extra_blocks=options.extra_blocks + deeper)
    lists = widths.to_lists(generator)
    return dataclasses.replace(config, generator=dataclasses.replace(generator, widths=lists))


class OnlineUpdater:
    """Moves the teachers in some steps, as Updater does, and the student in each.

    The student paints in the style that the teachers' encoder sees, and learns from their pictures
    and features alone: summed over both teachers, structural similarity, Gram matrices and features
    of the perceptual loss's network, and the total variation of its own picture; of the wider one
    also the means of the compared blocks' channels, through connectors (1x1 convolution without
    bias, batch norm, ReLU) that learn with it. No gradient reaches teachers or encoder.

    Args:
        student: its networks, in training mode; gets the connectors as its adapters.
        teachers: of ``teachers_of``.
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
        self._teaching = Updater(teachers, config, workers=workers)
        adapters = [] if student.adapters is None else student.adapters.parameters()
        self._learning = Descent(
            [*student.generator.parameters(), *adapters],
            config,
            rate=config.optimizer.generator_lr,
            workers=workers,
        )

    def parts(self) -> Iterator[tuple[str, Any]]:
        """Everything with a state of its own, by its name in a checkpoint."""
        yield from self._teaching.parts()
        yield from self._learning.parts("student")

    def set_rates(self, factor: float) -> None:
        """Set the learning rates to this share of the configuration's."""
        self._teaching.set_rates(factor)
        self._learning.set_rate(factor)

    def step(
        self, parts: Sequence[StepInput], *, images_seen: int = 0, r1_weight: float = 0.0
    ) -> Losses:
        """Update teachers and discriminators if it is their turn, then the student.

        The student learns from what the teachers painted before this update.

        Args:
            parts: as in Updater.step.
            images_seen: before the step; tells whose turn it is.
            r1_weight: as in Updater.step.

        Returns:
            the teachers' losses as Updater.step, with ``wider_`` and ``deeper_`` before their
            names, in steps in which they learn; the student's, and ``s_grad_norm``.

        Raises:
            NotFinite: the update of the teachers, or that of the student, was left out, and what
                would have come after it.
        """
        lessons = [self._lesson(part) for part in parts]
        losses: Losses = {}
        turn = images_seen // self._config.batch_size % self._options.teachers_every
        if turn == 0:
            losses = self._teaching.step(parts, images_seen=images_seen, r1_weight=r1_weight)
        collected = []
        for part, lesson in zip(parts, lessons):
            with precision(self._config):
                values = self._losses(part, *lesson)
            self._learning.backward(sum(values.values()), parts=len(parts))
            collected.append(values)
        return {**losses, **self._learning.apply(collected, norm_name="s_grad_norm")}

    @paddle.no_grad()
    def _lesson(self, part: StepInput) -> tuple[paddle.Tensor | None, list, list]:
        """The style, the pictures of both teachers, and the features of the wider one."""
        style, _ = draw_style(self._student.encoder, part)
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
        """What the student is judged by, each times its weight, by name."""
        student, options = self._student, self._options
        painted = student.generator(part.segmap, part.noise, style=style, positions=part.positions)
        losses = {"s_ssim": options.ssim * sum(1 - ssim(painted, each) for each in pictures)}
        if options.gram or options.feature:
            ours = student.perceptual.maps(painted)
            with paddle.no_grad():
                theirs = [student.perceptual.maps(each) for each in pictures]
            losses["s_gram"] = options.gram * sum(gram_loss(ours, each) for each in theirs)
            second = min(1, len(ours) - 1)
            losses["s_feature"] = options.feature * sum(
                F.l1_loss(ours[second], each[second]) for each in theirs
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
    """Let the second use the first stages of every patch scale of the first, and its projection,
    in which nothing learns."""
    if second.projected is not None:
        second.projected.projection = first.projected.projection
    for scale in range(second.num_D):
        ours, theirs = (getattr(each, f"nld_{scale}")[-1] for each in (second, first))
        for stage in range(min(stages, theirs.num_layers + 1)):
            setattr(ours, f"layer_{stage}", getattr(theirs, f"layer_{stage}"))
