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
def _settle(layer: nn.Conv2D) -> None:
    """Power iterations on a new convolution, as many as PyTorch does.

    Paddle leaves u and v random. A network that was never trained, and the average that begins
    with it, would divide by a sigma ten times too small.
    """
    matrix = layer.weight_orig.reshape([layer.weight_orig.shape[0], -1])
    u = layer.weight_u
    for _ in range(FIRST_ITERATIONS):
        v = F.normalize(paddle.mv(matrix.t(), u), axis=0)
        u = F.normalize(paddle.mv(matrix, v), axis=0)
    layer.weight_u.set_value(u)
    layer.weight_v.set_value(v)


def effective_state(network: nn.Layer) -> dict[str, paddle.Tensor]:
    """The state dict that the same network without spectral normalisation would need."""
    return effective(network.state_dict())


@paddle.no_grad()
def effective(state: Mapping[str, paddle.Tensor]) -> dict[str, paddle.Tensor]:
    """A state dict as it would be without spectral normalisation.

    ``weight = weight_orig / sigma`` with ``sigma = u^T W v``, W the weight with its output
    channels as rows, u and v the stored vectors; in evaluation the hooks compute just that.
    Averages and exports are made of these: averaged u and v would not have unit length, and the
    hooks do not survive export.
    """
    plain = {}
    for name, value in state.items():
        if name.endswith(".weight_orig"):
            stem = name[: -len("_orig")]
            matrix = value.reshape([value.shape[0], -1])
            sigma = paddle.dot(state[stem + "_u"], paddle.mv(matrix, state[stem + "_v"]))
            plain[stem] = value / sigma
        elif not name.endswith((".weight_u", ".weight_v")) and name + "_orig" not in state:
            plain[name] = value
    return plain
