"""Spectral normalization (Miyato et al., ICLR 2018), with tensor names as in Paddle and PyTorch.

Paddle's hook is not used because it fails in mixed precision, where its vectors become float16.
"""

from __future__ import annotations

from collections.abc import Mapping

import paddle
from paddle import nn
from paddle.nn import functional as F

FIRST_ITERATIONS = 15


def maybe_spectral_norm(layer: nn.Layer, *, enabled: bool) -> nn.Layer:
    """Wrap a convolution in spectral normalization if ``enabled``.

    The learned parameter is then ``weight_orig``; ``weight`` is computed from it in every forward
    pass. Initialize the layer before: later changes of ``weight`` have no effect.
    """
    if not enabled:
        return layer
    weight = layer.weight
    del layer._parameters["weight"]
    layer.add_parameter("weight_orig", weight)
    u, v = power_iterations(weight, F.normalize(paddle.randn([weight.shape[0]]), axis=0))
    layer.register_buffer("weight_u", u)
    layer.register_buffer("weight_v", v)
    layer.weight = weight * 1.0  # a plain tensor, for code that reads it before the first pass
    layer.register_forward_pre_hook(_normalize)
    return layer


def _normalize(layer: nn.Layer, inputs: object) -> None:
    """Compute the weight in float32, in training after one power iteration."""
    with paddle.amp.auto_cast(enable=False):
        layer.weight = _normalized(layer)


def _normalized(layer: nn.Layer) -> paddle.Tensor:
    weight, u, v = layer.weight_orig, layer.weight_u, layer.weight_v
    matrix = weight.reshape([weight.shape[0], -1])
    if layer.training:
        # new tensors: the backward pass of this forward pass needs them after a second one, too
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
    """Run FIRST_ITERATIONS power iterations, as many as PyTorch does for a new convolution.

    With random vectors sigma would be ten times too small, and so the weights of a new network,
    and of the weight average that starts from it, ten times too large.

    Args:
        weight: [out, in, k, k].
        u: [out], the initial left singular vector.

    Returns:
        u [out] and v [in * k * k], of unit length.
    """
    matrix = weight.reshape([weight.shape[0], -1])
    for _ in range(FIRST_ITERATIONS):
        v = F.normalize(paddle.mv(matrix.t(), u), axis=0)
        u = F.normalize(paddle.mv(matrix, v), axis=0)
    return u, v


def effective_state(network: nn.Layer) -> dict[str, paddle.Tensor]:
    """Return the state dict of the same network without spectral normalization."""
    return without_spectral_norm(network.state_dict())


@paddle.no_grad()
def without_spectral_norm(state: Mapping[str, paddle.Tensor]) -> dict[str, paddle.Tensor]:
    """Replace spectrally normalized weights of a state dict by their effective values.

    ``weight = weight_orig / sigma`` with ``sigma = u^T W v``, where W is the weight with its output
    channels as rows and u and v are the stored vectors, as in evaluation mode. Weight averages and
    exported models use these values: averaged u and v would not have unit length, and an exported
    model has no hooks.
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
