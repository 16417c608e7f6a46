"""Spectral normalisation (Miyato et al., ICLR 2018) as Paddle's hook applies it."""

from __future__ import annotations

import paddle
from paddle import nn
from paddle.nn.utils import spectral_norm


def maybe_spectral_norm(layer: nn.Layer, *, enabled: bool) -> nn.Layer:
    """Wrap a convolution in spectral normalisation when ``enabled``.

    Initialise before: Paddle keeps a copy of the weight, so that an initialiser that runs after
    the wrapping changes nothing.
    """
    return spectral_norm(layer) if enabled else layer


@paddle.no_grad()
def effective_state(network: nn.Layer) -> dict[str, paddle.Tensor]:
    """The state dict that the same network without spectral normalisation would need.

    ``weight = weight_orig / sigma`` with ``sigma = u^T W v``, W the weight with its output
    channels as rows, u and v the stored vectors; in evaluation the hooks compute just that.
    Averages and exports are made of these: averaged u and v would not have unit length, and the
    hooks do not survive export.
    """
    state = network.state_dict()
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
