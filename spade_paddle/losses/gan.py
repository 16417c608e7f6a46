"""Adversarial and feature-matching losses (the article, section 4).

``Prediction`` is the output of MultiscaleDiscriminator: for each scale a list of stage outputs, of
which the last are the logits. ``Predictions`` is the output of CombinedDiscriminator: a prediction
for each kind of discriminator, by name.
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
    """The two terms of the discriminator's loss, ``(df_ganloss, dr_ganloss)``: scalars >= 0.

    Each is averaged over the scales. As in the article, the loss is ``d_loss = df + dr``, without a
    factor of one half.

    ==============  ==========================  ==========================
    mode            df, of the fakes            dr, of the real pictures
    ==============  ==========================  ==========================
    hinge           mean(max(0, 1 + D(fake)))   mean(max(0, 1 - D(real)))
    least_squares   mean(D(fake)^2)             mean((D(real) - 1)^2)
    original        mean(log(1 + e^D(fake)))    mean(log(1 + e^-D(real)))
    ==============  ==========================  ==========================

    hinge: Lim and Ye 2017, the article; least_squares: Mao et al. 2017; original: Goodfellow et
    al. 2014 on logits, non-saturating for the generator. The caller detaches the fakes from the
    generator (engine/steps.py).

    Args:
        fake: prediction for generated pictures.
        real: prediction for photos.
        mode: ``hinge``, ``least_squares`` or ``original``.
    """
    on_fake, on_real, _ = _MODES[mode]
    df_ganloss = sum(on_fake(stages[-1]).mean() for stages in fake) / len(fake)
    dr_ganloss = sum(on_real(stages[-1]).mean() for stages in real) / len(real)
    return df_ganloss, dr_ganloss


def generator_loss(fake: Prediction, mode: str = "hinge") -> paddle.Tensor:
    """The generator's adversarial loss, a scalar averaged over the scales.

    hinge ``-mean(D(fake))``, least_squares ``mean((D(fake) - 1)^2)``, original
    ``mean(log(1 + e^-D(fake)))``.
    """
    _, _, for_generator = _MODES[mode]
    return sum(for_generator(stages[-1]).mean() for stages in fake) / len(fake)


def combined_discriminator_loss(
    fake: Predictions, real: Predictions, *, weights: Mapping[str, float], mode: str = "hinge"
) -> tuple[paddle.Tensor, paddle.Tensor]:
    """Weighted sum of ``discriminator_loss`` over kinds of discriminators.

    Scales and heads are averaged within their kind, so their number does not change its weight.
    """
    terms = [
        [weights[kind] * term for term in discriminator_loss(fake[kind], real[kind], mode)]
        for kind in fake
    ]
    df_ganloss, dr_ganloss = (sum(kinds) for kinds in zip(*terms))
    return df_ganloss, dr_ganloss


def combined_generator_loss(
    fake: Predictions, *, weights: Mapping[str, float], mode: str = "hinge"
) -> paddle.Tensor:
    """Weighted sum of ``generator_loss`` over kinds of discriminators."""
    return sum(weights[kind] * generator_loss(fake[kind], mode) for kind in fake)


_square = paddle.square  # x**2 takes seven times as long on a CPU
# functions of logits: the discriminator's loss on fakes and on real pictures, the generator's loss
_MODES = {
    "hinge": (lambda d: F.relu(1 + d), lambda d: F.relu(1 - d), lambda d: -d),
    "least_squares": (_square, lambda d: _square(d - 1), lambda d: _square(d - 1)),
    "original": (F.softplus, lambda d: F.softplus(-d), lambda d: F.softplus(-d)),
}


@paddle.no_grad()
def discriminator_accuracy(
    fake: Prediction, real: Prediction, mode: str = "hinge"
) -> paddle.Tensor:
    """Accuracy of the logits, 0..1, averaged over the scales; 0.5 is chance.

    If it stays near 1, the discriminator has overfitted to the photos. The threshold between fake
    and real is 0.5 for least_squares, else 0.
    """
    threshold = 0.5 if mode == "least_squares" else 0.0
    shares = [
        (fakes[-1] < threshold).cast("float32").mean()
        + (reals[-1] > threshold).cast("float32").mean()
        for fakes, reals in zip(fake, real)
    ]
    return sum(shares) / (2 * len(shares))


def feature_matching_loss(fake: Prediction, real: Prediction) -> paddle.Tensor:
    """L1 distance between the discriminator's stage outputs for fake and real pictures, a scalar.

    ``sum over scales (1 / number of scales) sum over stages but the last mean(|fake - real|)``;
    multiply by lambda_feat (10). The real branch is detached, as in the public SPADE (the article's
    listing does not show it).
    """
    total = 0.0
    for fake_stages, real_stages in zip(fake, real):
        for fake_stage, real_stage in zip(fake_stages[:-1], real_stages[:-1]):
            total = total + F.l1_loss(fake_stage, real_stage.detach()) / len(fake)
    return total
