"""The loss that keeps styles close to a standard normal distribution (the article's g_vaeloss)."""

from __future__ import annotations

import paddle


def kl_loss(mu: paddle.Tensor, logvar: paddle.Tensor) -> paddle.Tensor:
    """Kullback-Leibler divergence of N(mu, exp(logvar)) from N(0, 1): a scalar >= 0.

    ``-0.5 * sum(1 + logvar - mu^2 - exp(logvar))`` over batch and dimensions (Kingma and Welling
    2014, appendix B). As in the public SPADE it is a sum, and so proportional to the batch size;
    multiply by lambda_kld (0.05).

    Args:
        mu: [N, D].
        logvar: [N, D].
    """
    return -0.5 * (1 + logvar - mu**2 - paddle.exp(logvar)).sum()
