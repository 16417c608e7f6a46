"""SimAM, parameter-free attention (Yang et al., ICML 2021; the article, "Add attention")."""

from __future__ import annotations

import paddle
from paddle.nn import functional as F


def simam(x: paddle.Tensor, e_lambda: float = 1e-4) -> paddle.Tensor:
    """Weight every neuron by how much it differs from the rest of its channel.

    ``y = (x - mu)^2 / (4 * (sum((x - mu)^2) / n + e_lambda)) + 0.5``, ``out = x * sigmoid(y)``,
    with mu and the sum over the H*W positions of one channel of one picture and n = H*W - 1.

    Args:
        x: float [N, C, H, W].
        e_lambda: the regularizer of the energy function, above 0.

    Returns:
        float [N, C, H, W]; ``x * sigmoid(0.5)`` for a constant channel.

    Difference from the article: a 1x1 map (n = 0, where the formula gives 0/0) has variance 0.
    """
    if paddle.in_dynamic_mode():
        mean = x.mean(axis=[2, 3], keepdim=True)
    else:  # the same value; Paddle Inference logs a line for every mean that it loads
        mean = F.adaptive_avg_pool2d(x, 1)
    n = x.shape[2] * x.shape[3] - 1
    x_minus_mu_square = paddle.square(x - mean)
    total = x_minus_mu_square.sum(axis=[2, 3], keepdim=True)
    if paddle.in_dynamic_mode():
        variance = total / max(n, 1)
    else:
        # sizes are unknown during export, so max(n, 1) cannot be exported: adding 1e-12 changes no
        # n >= 1 and turns 0/0 into 0. A tensor, because paddle2onnx drops a scalar that small
        variance = total / (paddle.full([1], 1e-12, total.dtype) + n)
    y = x_minus_mu_square / (4 * (variance + e_lambda)) + 0.5
    return x * F.sigmoid(y)
