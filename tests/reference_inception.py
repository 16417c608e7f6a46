"""The blocks of six branches, written out as in tests/reference.py, keywords included.

A state is what ``state_dict`` has of a layer: parameters and running averages by name.

Legend: N batch, C channels, K channels of the semantic map, m channels inside a branch.
"""

from __future__ import annotations

from typing import Callable, Optional

import numpy as np

from tests import reference

Array = np.ndarray
State = dict[str, Array]
Activation = Callable[[Array], Array]

NAMES = ("plain_1", "plain_3", "plain_5", "depthwise_1", "depthwise_3", "depthwise_5")


def part(state: State, name: str) -> State:
    """The state of a layer inside."""
    return {k.removeprefix(f"{name}."): v for k, v in state.items() if k.startswith(f"{name}.")}


def norm(x: Array, state: State, *, training: bool) -> Array:
    """Batch norm, with scale and shift where there are some; without averages instance norm."""
    if "_mean" not in state:
        return reference.instance_norm(x)
    if training:
        x = reference.batch_norm(x)
    else:
        mean, variance = (state[name].reshape(1, -1, 1, 1) for name in ("_mean", "_variance"))
        x = (x - mean) / np.sqrt(variance + 1e-5)
    if "weight" in state:
        x = x * state["weight"].reshape(1, -1, 1, 1) + state["bias"].reshape(1, -1, 1, 1)
    return x


def convolve(x: Array, state: State) -> Array:
    """A convolution that leaves the size as it is."""
    weight = state["weight"]
    return reference.conv2d(x, weight, state.get("bias"), padding=weight.shape[2] // 2)


def depthwise(x: Array, state: State) -> Array:
    """Every channel has a kernel of its own: weight [m, 1, k, k]."""
    channels = [
        convolve(x[:, [c]], {"weight": state["weight"][[c]], "bias": state["bias"][[c]]})
        for c in range(x.shape[1])
    ]
    return np.concatenate(channels, axis=1)


def branch(
    x: Array,
    state: State,
    *,
    activation: Activation,
    training: bool,
    activated_depthwise: bool = True,
) -> Array:
    """Jin et al. 2021: two k x k convolutions, or a depthwise one between two of 1x1.

    ``activated_depthwise=False``: wrong; there is none between depthwise and last convolution.
    """
    x = activation(
        norm(convolve(x, part(state, "conv_0")), part(state, "norm_0"), training=training)
    )
    if "depthwise.weight" in state:
        x = depthwise(x, part(state, "depthwise"))
        x = norm(x, part(state, "norm_1"), training=training)
        x = activation(x) if activated_depthwise else x
    return convolve(x, part(state, "conv_1"))


def branches(x: Array, state: State, **options) -> Array:
    """The sum of those that have a state; options of ``branch``."""
    return sum(
        branch(x, part(state, name), **options)
        for name in NAMES
        if f"{name}.conv_0.weight" in state
    )


def inception_spade(
    x: Array,
    segmap: Array,
    state: State,
    *,
    training: bool,
    activation: Activation = reference.relu,
    one_plus: bool = True,
    swapped: bool = False,
    **wrong,
) -> Array:
    """SPADE whose gamma and beta come out of branches, gamma first.

    ``one_plus=False``: wrong; as in ``reference.spade``. ``swapped``: wrong; beta comes first.
    Others are of ``branch``.
    """
    normalized = norm(x, part(state, "param_free_norm"), training=training)
    if not part(state, "branches"):
        return normalized
    segmap = reference.resize_nearest(segmap, *x.shape[2:])
    inner = part(state, "branches")
    both = branches(segmap, inner, activation=activation, training=training, **wrong)
    gamma, beta = both[:, : x.shape[1]], both[:, x.shape[1] :]
    if swapped:
        gamma, beta = beta, gamma
    return normalized * ((1 if one_plus else 0) + gamma) + beta


def inception_block(
    x: Array,
    segmap: Array,
    state: State,
    *,
    modulated: reference.ModulatedNorm,
    activation: Activation,
    training: bool,
    attention: bool,
    noise: Optional[Array] = None,
    activated_shortcut: bool = False,
    **wrong,
) -> Array:
    """Shortcut and branches added; ``modulated`` is what its SPADE or CLADE makes of x and segmap.

    ``activated_shortcut``: wrong; the shortcut has no activation. Others are of ``branch``.
    """
    if noise is not None:
        x = x + state["noise_strength"] * noise
    out = x
    if "conv_s.weight" in state:
        out = norm(x, part(state, "norm_s"), training=training)
        out = convolve(activation(out) if activated_shortcut else out, part(state, "conv_s"))
    inner = part(state, "branches")
    if inner:
        values = activation(modulated(x, segmap))
        out = out + branches(values, inner, activation=activation, training=training, **wrong)
    return reference.simam(out) if attention else out
