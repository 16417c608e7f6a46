"""SimAM, parameter-free attention (Yang et al., ICML 2021; the article, "Add attention")."""

from __future__ import annotations

import paddle
from paddle.nn import functional as F


def simam(x: paddle.Tensor, e_lambda: float = 1e-4) -> paddle.Tensor:
    """Weigh every neuron by how much it stands out from its own channel.

    ``y = (x - mu)^2 / (4 * (sum((x - mu)^2) / n + e_lambda)) + 0.5``, ``out = x * sigmoid(y)``,
    with mu and the sum over the H*W positions of one channel of one picture and n = H*W - 1.

    Args:
        x: float [N, C, H, W].
        e_lambda: the regulariser of the energy function, above 0.

    Returns:
        float [N, C, H, W]. A constant channel comes back as ``x * sigmoid(0.5)``.

    Where we differ from the article: a 1x1 map has n = 0 there (0/0); here its variance is 0, the
    constant it is.
    """
    if paddle.in_dynamic_mode():
        mean = x.mean(axis=[2, 3], keepdim=True)
    else:  # the same; Paddle Inference prints a line whenever it loads a mean
        mean = F.adaptive_avg_pool2d(x, 1)
    n = x.shape[2] * x.shape[3] - 1
    x_minus_mu_square = paddle.square(x - mean)
    total = x_minus_mu_square.sum(axis=[2, 3], keepdim=True)
    if paddle.in_dynamic_mode():
        variance = total / max(n, 1)
    else:
        # during export sizes are unknown: 1e-12 is lost in any n >= 1 and turns 0/0 into 0; max(n,
        # 1) could not be exported, and paddle2onnx leaves out the addition of so small a number,
        # but not that of a tensor
        variance = total / (paddle.full([1], 1e-12, total.dtype) + n)
    y = x_minus_mu_square / (4 * (variance + e_lambda)) + 0.5
    return x * F.sigmoid(y)
