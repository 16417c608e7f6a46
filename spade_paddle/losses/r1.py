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

    ``D(x)`` is the mean of the logits of each scale, averaged over the scales, as in the
    adversarial losses. The norm is over all channels and pixels of a picture. The gradient of the
    penalty is a second derivative, which all layers of the discriminator have except GELU;
    networks/build.py uses TwiceDifferentiableGELU instead. The logits of a picture must not depend
    on other pictures (no batch norm).

    Args:
        discriminate: maps real pictures to the stage outputs of each scale, of which the last are
            the logits [N, 1, h, w]. It adds further inputs, such as the semantic map, itself.
        real: float [N, C, H, W]; detached, so that nothing before them gets a gradient.
    """
    real = real.detach()
    real.stop_gradient = False
    prediction = discriminate(real)
    # the gradient of a sum over pictures has the gradient of each in its own place
    score = sum(stages[-1].mean(axis=[1, 2, 3]).sum() for stages in prediction)
    (gradient,) = paddle.grad(score / len(prediction), [real], create_graph=True)
    return paddle.square(gradient).sum() / real.shape[0]
