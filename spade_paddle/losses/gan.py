"""Adversarial and feature-matching losses (the article, section 4).

A prediction is what MultiscaleDiscriminator returns: for each scale a list of stage outputs, the
last of which are the logits. A judgement holds a prediction for each kind of discriminator
(networks/combined.py), by name.
"""

from __future__ import annotations

from collections.abc import Mapping

import paddle
from paddle.nn import functional as F

Prediction = list[list[paddle.Tensor]]
Predictions = dict[str, Prediction]


def discriminator_loss(
    fake: Prediction, real: Prediction, mode: str = "hinge"
) -> tuple[paddle.Tensor, paddle.Tensor]:
    """The two halves of the discriminator's loss, ``(df_ganloss, dr_ganloss)``: scalars >= 0.

    Each is averaged over the scales; the total of the article is ``d_loss = df + dr`` (no half).

    ==============  ==========================  ==========================
    mode            df, of the fakes            dr, of the real pictures
    ==============  ==========================  ==========================
    hinge           mean(max(0, 1 + D(fake)))   mean(max(0, 1 - D(real)))
    least_squares   mean(D(fake)^2)             mean((D(real) - 1)^2)
    original        mean(log(1 + e^D(fake)))    mean(log(1 + e^-D(real)))
    ==============  ==========================  ==========================

    hinge: Lim and Ye 2017, the article; least_squares: Mao et al. 2017; original: Goodfellow et
    al. 2014 on logits, the generator's side non-saturating. The fakes come without gradient to the
    generator (engine/steps.py detaches them).
    """
    on_fake, on_real, _ = _MODES[mode]
    df_ganloss = sum(on_fake(stages[-1]).mean() for stages in fake) / len(fake)
    dr_ganloss = sum(on_real(stages[-1]).mean() for stages in real) / len(real)
    return df_ganloss, dr_ganloss


def generator_loss(fake: Prediction, mode: str = "hinge") -> paddle.Tensor:
    """The generator's adversarial loss, averaged over the scales; no real picture is in it.

    hinge ``-mean(D(fake))``, least_squares ``mean((D(fake) - 1)^2)``, original
    ``mean(log(1 + e^-D(fake)))``.
    """
    _, _, for_generator = _MODES[mode]
    return sum(for_generator(stages[-1]).mean() for stages in fake) / len(fake)


def combined_discriminator_loss(
    fake: Predictions, real: Predictions, *, weights: Mapping[str, float], mode: str = "hinge"
) -> tuple[paddle.Tensor, paddle.Tensor]:
    """``discriminator_loss`` of several kinds of discriminators, each times its weight: scales and
    heads are averaged within their kind, so that their numbers do not matter."""
    halves = [
        [weights[kind] * half for half in discriminator_loss(fake[kind], real[kind], mode)]
        for kind in fake
    ]
    df_ganloss, dr_ganloss = (sum(kinds) for kinds in zip(*halves))
    return df_ganloss, dr_ganloss


def combined_generator_loss(
    fake: Predictions, *, weights: Mapping[str, float], mode: str = "hinge"
) -> paddle.Tensor:
    """``generator_loss`` of several kinds of discriminators, each times its weight."""
    return sum(weights[kind] * generator_loss(fake[kind], mode) for kind in fake)


_square = paddle.square  # x**2 takes seven times as long on a CPU
# on logits: the discriminator's loss of a fake, of a real picture, and the generator's of a fake
_MODES = {
    "hinge": (lambda d: F.relu(1 + d), lambda d: F.relu(1 - d), lambda d: -d),
    "least_squares": (_square, lambda d: _square(d - 1), lambda d: _square(d - 1)),
    "original": (F.softplus, lambda d: F.softplus(-d), lambda d: F.softplus(-d)),
}


@paddle.no_grad()
def discriminator_accuracy(
    fake: Prediction, real: Prediction, mode: str = "hinge"
) -> paddle.Tensor:
    """The share of logits on the right side, 0..1, averaged over the scales: 0.5 is guessing.

    Near 1 for long, the discriminator has learned the photos by heart and teaches nothing more.
    The border between real and fake is 0.5 with least_squares, else 0.
    """
    border = 0.5 if mode == "least_squares" else 0.0
    shares = [
        ((fakes[-1] < border).cast("float32").mean() + (reals[-1] > border).cast("float32").mean())
        for fakes, reals in zip(fake, real)
    ]
    return sum(shares) / (2 * len(shares))


def feature_matching_loss(fake: Prediction, real: Prediction) -> paddle.Tensor:
    """L1 distance of the discriminator's stage outputs, the logits left out.

    ``sum over scales (1 / number of scales) sum over stages but the last mean(|fake - real|)``;
    multiply by lambda_feat (10). No gradient flows into the real branch: it must not be pulled
    towards the fake (the article's listing leaves that open, the public SPADE detaches).
    """
    total = 0.0
    for fake_stages, real_stages in zip(fake, real):
        for fake_stage, real_stage in zip(fake_stages[:-1], real_stages[:-1]):
            total = total + F.l1_loss(fake_stage, real_stage.detach()) / len(fake)
    return total
