"""Spectral normalization (Miyato et al., ICLR 2018), with the names of Paddle's and PyTorch's.

Our own hook, because Paddle's fails in mixed precision: its vectors become float16.
"""

from __future__ import annotations

from collections.abc import Mapping

import paddle
from paddle import nn
from paddle.nn import functional as F

FIRST_ITERATIONS = 15


def maybe_spectral_norm(layer: nn.Layer, *, enabled: bool) -> nn.Layer:
    """Wrap a convolution in spectral normalization when ``enabled``.

    Its ``weight`` is then computed in every forward pass, and ``weight_orig`` is what learns.
    Initialize before: an initializer that runs after the wrapping changes nothing.
    """
    if not enabled:
        return layer
    weight = layer.weight
    del layer._parameters["weight"]
    layer.add_parameter("weight_orig", weight)
    u, v = power_iterations(weight, F.normalize(paddle.randn([weight.shape[0]]), axis=0))
    layer.register_buffer("weight_u", u)
    layer.register_buffer("weight_v", v)
    layer.weight = weight * 1.0  # a plain tensor, for who looks before the first pass
    layer.register_forward_pre_hook(_normalize)
    return layer


def _normalize(layer: nn.Layer, inputs: object) -> None:
    """Compute the weight, in training after one power iteration; in float32 in any precision."""
    with paddle.amp.auto_cast(enable=False):
        layer.weight = _normalized(layer)


def _normalized(layer: nn.Layer) -> paddle.Tensor:
    weight, u, v = layer.weight_orig, layer.weight_u, layer.weight_v
    matrix = weight.reshape([weight.shape[0], -1])
    if layer.training:
        # new tensors: a second pass before the gradient of the first must not change these
        with paddle.no_grad():
            v = F.normalize(paddle.mv(matrix.t(), u), axis=0)
    product = paddle.mv(matrix, v)
    if layer.training:
        with paddle.no_grad():
            u = F.normalize(product, axis=0)
            layer.weight_u.set_value(u)
            layer.weight_v.set_value(v)
    return weight / paddle.dot(u, product)


@paddle.no_grad()
def power_iterations(
    weight: paddle.Tensor, u: paddle.Tensor
) -> tuple[paddle.Tensor, paddle.Tensor]:
    """The vectors u and v after as many power iterations as PyTorch makes on a new convolution.

    A network that was never trained, and the average that begins with it, would be divided by a
    sigma ten times too small if they were random.

    Args:
        weight: [out, in, k, k].
        u: [out], where they begin.
    """
    matrix = weight.reshape([weight.shape[0], -1])
    for _ in range(FIRST_ITERATIONS):
        v = F.normalize(paddle.mv(matrix.t(), u), axis=0)
        u = F.normalize(paddle.mv(matrix, v), axis=0)
    return u, v


def effective_state(network: nn.Layer) -> dict[str, paddle.Tensor]:
    """The state dict that the same network without spectral normalization would need."""
    return without_spectral_norm(network.state_dict())


@paddle.no_grad()
def without_spectral_norm(state: Mapping[str, paddle.Tensor]) -> dict[str, paddle.Tensor]:
    """The effective weights of a state dict; one without spectral normalization stays as it is.

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
