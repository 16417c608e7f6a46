"""Adversarial and feature-matching losses (the article, section 4).

A prediction is what MultiscaleDiscriminator gives back: for each scale a list of stage outputs,
the last of which are the logits.
"""

from __future__ import annotations

import paddle
from paddle.nn import functional as F

Prediction = list[list[paddle.Tensor]]


def split_fake_real(prediction: Prediction) -> tuple[Prediction, Prediction]:
    """Take apart what came from a batch of fakes followed by as many real pictures.

    The halves are those of the batch that came, never of a configured batch size, so that a
    short last batch is right too.
    """
    fake, real = [], []
    for stages in prediction:
        half = stages[0].shape[0] // 2
        fake.append([stage[:half] for stage in stages])
        real.append([stage[half:] for stage in stages])
    return fake, real


def hinge_loss_discriminator(
    fake: Prediction, real: Prediction
) -> tuple[paddle.Tensor, paddle.Tensor]:
    """Hinge loss of the discriminator: ``(df_ganloss, dr_ganloss)``, both scalars >= 0.

    ``df = mean(max(0, 1 + D(fake)))``, ``dr = mean(max(0, 1 - D(real)))``, each averaged over the
    scales; the total of the article is ``d_loss = df + dr`` (no half). A perfect discriminator
    (fake <= -1, real >= 1) scores 0.
    """
    df_ganloss = sum(F.relu(1 + stages[-1]).mean() for stages in fake) / len(fake)
    dr_ganloss = sum(F.relu(1 - stages[-1]).mean() for stages in real) / len(real)
    return df_ganloss, dr_ganloss


def hinge_loss_generator(fake: Prediction) -> paddle.Tensor:
    """Hinge loss of the generator: ``-mean(D(fake))``, averaged over the scales."""
    return sum(-stages[-1].mean() for stages in fake) / len(fake)


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
