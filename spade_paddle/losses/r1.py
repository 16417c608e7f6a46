"""R1: penalizes the discriminator's gradient at real pictures.

Mescheder, Geiger and Nowozin, *Which Training Methods for GANs do actually Converge?* (ICML 2018),
equation 9.
"""

from __future__ import annotations

from typing import Callable

import paddle

from spade_paddle.losses.gan import Prediction


def r1_penalty(
    discriminate: Callable[[paddle.Tensor], Prediction], real: paddle.Tensor
) -> paddle.Tensor:
    """``mean over pictures |gradient of D(x) at x|^2``, a scalar >= 0; multiply by gamma / 2.

    ``D(x)`` of one picture is a single number: the mean of its logits in each scale, and the mean
    of those over the scales, as the adversarial losses count them. The norm is over all channels
    and pixels of the picture. A gradient of the penalty is a second derivative, so every layer
    must have one: of ours all but GELU do, for which networks/build.py takes
    TwiceDifferentiableGELU. No picture may change the logits of another (no batch norm).

    Args:
        discriminate: real pictures -> for each scale the stage outputs, the last the logits
            [N, 1, h, w]. What comes beside the pictures (the semantic map) is its own affair.
        real: float [N, C, H, W]; taken as they are, so that nothing is learned through them.
    """
    real = real.detach()
    real.stop_gradient = False
    prediction = discriminate(real)
    # summed over the pictures: each has its own gradient in its own place
    judgement = sum(stages[-1].mean(axis=[1, 2, 3]).sum() for stages in prediction)
    (gradient,) = paddle.grad(judgement / len(prediction), [real], create_graph=True)
    return paddle.square(gradient).sum() / real.shape[0]
