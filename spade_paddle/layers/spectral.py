"""Spectral normalisation (Miyato et al., ICLR 2018) as Paddle's hook applies it."""

from __future__ import annotations

from collections.abc import Mapping

import paddle
from paddle import nn
from paddle.nn import functional as F
from paddle.nn.utils import spectral_norm

FIRST_ITERATIONS = 15


def maybe_spectral_norm(layer: nn.Layer, *, enabled: bool) -> nn.Layer:
    """Wrap a convolution in spectral normalisation when ``enabled``.

    Initialise before: Paddle keeps a copy of the weight, so that an initialiser that runs after
    the wrapping changes nothing.
    """
    if not enabled:
        return layer
    layer = spectral_norm(layer)
    _settle(layer)
    return layer


@paddle.no_grad()
def settled(weight: paddle.Tensor, u: paddle.Tensor) -> tuple[paddle.Tensor, paddle.Tensor]:
    """The vectors u and v after as many power iterations as PyTorch makes on a new convolution.

    Args:
        weight: [out, in, k, k].
        u: [out], where they begin.
    """
    matrix = weight.reshape([weight.shape[0], -1])
    for _ in range(FIRST_ITERATIONS):
        v = F.normalize(paddle.mv(matrix.t(), u), axis=0)
        u = F.normalize(paddle.mv(matrix, v), axis=0)
    return u, v


def _settle(layer: nn.Conv2D) -> None:
    """Paddle leaves u and v random. A network that was never trained, and the average that begins
    with it, would divide by a sigma ten times too small.
    """
    u, v = settled(layer.weight_orig, layer.weight_u)
    layer.weight_u.set_value(u)
    layer.weight_v.set_value(v)


def effective_state(network: nn.Layer) -> dict[str, paddle.Tensor]:
    """The state dict that the same network without spectral normalisation would need."""
    return without_spectral_norm(network.state_dict())


@paddle.no_grad()
def without_spectral_norm(state: Mapping[str, paddle.Tensor]) -> dict[str, paddle.Tensor]:
    """The effective weights of a state dict; one without spectral normalisation stays as it is.

    ``weight = weight_orig / sigma`` with ``sigma = u^T W v``, W the weight with its output
    channels as rows, u and v the stored vectors; in evaluation the hooks compute just that.
    Averages and exports are made of these: averaged u and v would not have unit length, and the
    hooks do not survive export.
    """
    effective = {}
    for name, value in state.items():
        if name.endswith(".weight_orig"):
            stem = name[: -len("_orig")]
            matrix = value.reshape([value.shape[0], -1])
            sigma = paddle.dot(state[stem + "_u"], paddle.mv(matrix, state[stem + "_v"]))
            effective[stem] = value / sigma
        elif not name.endswith((".weight_u", ".weight_v")) and name + "_orig" not in state:
            effective[name] = value
    return effective
