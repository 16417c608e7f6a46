"""The formulas of the papers and the article, written out in float64 NumPy, slow and plain.

The tests compare every layer and loss with these. Keywords whose docstring says "wrong" switch a
known mistake on: a test shows with them that the code does not make that mistake.

Legend: N batch, C channels, K channels of the semantic input, H height, W width.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Callable, Optional

import numpy as np

Array = np.ndarray
Parameters = dict[str, Array]
ModulatedNorm = Callable[[Array, Array], Array]

# --- activations ---------------------------------------------------------------------------------


def identity(x: Array) -> Array:
    return x


def sigmoid(x: Array) -> Array:
    return 1.0 / (1.0 + np.exp(-x))


def relu(x: Array) -> Array:
    return np.where(x > 0, x, 0.0)


def leaky_relu(x: Array) -> Array:
    """Slope 0.2 below zero, as in the public SPADE."""
    return np.where(x > 0, x, 0.2 * x)


def gelu(x: Array) -> Array:
    """``x * Phi(x)`` with Phi the distribution function of the normal distribution."""
    return x * 0.5 * (1.0 + np.vectorize(math.erf)(x / math.sqrt(2.0)))


# --- pictures ------------------------------------------------------------------------------------


def conv2d(
    x: Array, weight: Array, bias: Optional[Array] = None, *, stride: int = 1, padding: int = 0
) -> Array:
    """Cross-correlation with zero padding: x [N, C, H, W], weight [O, C, k, k] -> [N, O, h, w]."""
    kernel = weight.shape[2]
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    height = (x.shape[2] - kernel) // stride + 1
    width = (x.shape[3] - kernel) // stride + 1
    out = np.zeros((x.shape[0], weight.shape[0], height, width))
    for row in range(height):
        for column in range(width):
            top, left = row * stride, column * stride
            window = x[:, :, top : top + kernel, left : left + kernel]
            out[:, :, row, column] = np.einsum("nchw,ochw->no", window, weight)
    return out if bias is None else out + bias.reshape(1, -1, 1, 1)


def resize_nearest(x: Array, height: int, width: int) -> Array:
    """Output pixel i takes input pixel floor(i * input size / output size)."""
    rows = [i * x.shape[2] // height for i in range(height)]
    columns = [i * x.shape[3] // width for i in range(width)]
    return x[:, :, rows][:, :, :, columns]


def average_pool(x: Array, *, count_padding: bool = False) -> Array:
    """3x3, stride 2, padding 1; the mean of the pixels of the picture under the window.

    ``count_padding``: wrong; divides by 9 at the borders too.
    """
    height, width = ((size + 2 - 3) // 2 + 1 for size in x.shape[2:])
    out = np.zeros((*x.shape[:2], height, width))
    for row in range(height):
        for column in range(width):
            top, left = max(2 * row - 1, 0), max(2 * column - 1, 0)
            window = x[:, :, top : 2 * row + 2, left : 2 * column + 2]
            size = 9 if count_padding else window.shape[2] * window.shape[3]
            out[:, :, row, column] = window.sum(axis=(2, 3)) / size
    return out


# --- semantic input ------------------------------------------------------------------------------


def one_hot(label_map: Array, *, num_labels: int, dont_care: bool) -> Array:
    """Ids [N, H, W] -> [N, K, H, W]; 255 goes into a channel of its own behind the labels."""
    out = np.zeros((label_map.shape[0], num_labels + dont_care, *label_map.shape[1:]))
    for (n, row, column), label in np.ndenumerate(label_map):
        if label < num_labels:
            out[n, label, row, column] = 1.0
        elif dont_care:
            out[n, num_labels, row, column] = 1.0
    return out


def instance_edges(instance_map: Array, *, both_sides: bool = True) -> Array:
    """1 where a pixel has a 4-neighbour of another instance; [N, H, W] -> [N, 1, H, W].

    ``both_sides=False``: wrong; looks at the right and lower neighbour only.
    """
    steps = [(0, 1), (1, 0), (0, -1), (-1, 0)] if both_sides else [(0, 1), (1, 0)]
    _, height, width = instance_map.shape
    out = np.zeros((instance_map.shape[0], 1, height, width))
    for (n, row, column), instance in np.ndenumerate(instance_map):
        for down, right in steps:
            r, c = row + down, column + right
            inside = 0 <= r < height and 0 <= c < width
            if inside and instance_map[n, r, c] != instance:
                out[n, 0, row, column] = 1.0
    return out


# --- layers --------------------------------------------------------------------------------------


def batch_norm(x: Array, *, epsilon: float = 1e-5) -> Array:
    """In training: mean and variance over N, H and W."""
    mean = x.mean(axis=(0, 2, 3), keepdims=True)
    variance = ((x - mean) ** 2).mean(axis=(0, 2, 3), keepdims=True)
    return (x - mean) / np.sqrt(variance + epsilon)


def instance_norm(x: Array, *, epsilon: float = 1e-5) -> Array:
    """Mean and variance over H and W of each channel of each picture."""
    mean = x.mean(axis=(2, 3), keepdims=True)
    variance = ((x - mean) ** 2).mean(axis=(2, 3), keepdims=True)
    return (x - mean) / np.sqrt(variance + epsilon)


def simam(x: Array, *, e_lambda: float = 1e-4, minus_one: bool = True) -> Array:
    """Yang et al. 2021, equation 5 and the article: ``x * sigmoid(1 / energy)``.

    A 1x1 map would be 0/0; it is taken for the constant it is.
    ``minus_one=False``: wrong; divides by H*W instead of H*W - 1.
    """
    out = np.zeros_like(x)
    for n in range(x.shape[0]):
        for c in range(x.shape[1]):
            channel = x[n, c]
            size = max(channel.size - 1, 1) if minus_one else channel.size
            square = (channel - channel.mean()) ** 2
            y = square / (4 * (square.sum() / size + e_lambda)) + 0.5
            out[n, c] = channel * sigmoid(y)
    return out


def spade(
    x: Array,
    segmap: Array,
    parameters: Parameters,
    *,
    activation: Callable[[Array], Array] = gelu,
    norm: Callable[[Array], Array] = batch_norm,
    one_plus: bool = True,
) -> Array:
    """Park et al. 2019, equations 1 to 3, with the ``1 + gamma`` of the article's listing.

    ``one_plus=False``: wrong; equation 1 to the letter.
    """
    segmap = resize_nearest(segmap, *x.shape[2:])
    padding = parameters["mlp_gamma.weight"].shape[2] // 2

    def convolve(values: Array, name: str) -> Array:
        weight, bias = parameters[f"{name}.weight"], parameters[f"{name}.bias"]
        return conv2d(values, weight, bias, padding=padding)

    actv = activation(convolve(segmap, "mlp_shared.0"))
    gamma, beta = convolve(actv, "mlp_gamma"), convolve(actv, "mlp_beta")
    return norm(x) * ((1 if one_plus else 0) + gamma) + beta


def clade(
    x: Array,
    segmap: Array,
    parameters: Parameters,
    *,
    norm: Callable[[Array], Array] = batch_norm,
    one_plus: bool = False,
) -> Array:
    """Tan et al. 2020: every pixel is scaled and shifted by the table entry of its class.

    ``one_plus=True``: wrong; SPADE's ``1 +`` does not belong here.
    """
    classes = resize_nearest(segmap, *x.shape[2:]).argmax(axis=1)  # [N, H, W]
    out = norm(x)
    for n, row, column in np.ndindex(*classes.shape):
        label = classes[n, row, column]
        scale = parameters["weight"][label] + (1 if one_plus else 0)
        out[n, :, row, column] = out[n, :, row, column] * scale + parameters["bias"][label]
    return out


def largest_singular_value(weight: Array) -> float:
    """Of the matrix [O, C*k*k] that spectral normalisation (Miyato et al. 2018) divides by."""
    return float(np.linalg.svd(weight.reshape(weight.shape[0], -1), compute_uv=False)[0])


def spectral_norm(weight: Array, u: Array, *, iterations: int = 1) -> Array:
    """Miyato et al. 2018, algorithm 1: ``weight / (u W v)`` after power iterations from u."""
    matrix = weight.reshape(weight.shape[0], -1)
    for _ in range(iterations):
        v = matrix.T @ u / np.linalg.norm(matrix.T @ u)
        u = matrix @ v / np.linalg.norm(matrix @ v)
    return weight / (u @ matrix @ v)


# --- networks ------------------------------------------------------------------------------------


def residual_block(
    x: Array,
    segmap: Array,
    *,
    norms: dict[str, ModulatedNorm],
    convolutions: dict[str, Parameters],
    activation: Callable[[Array], Array],
    attention: bool,
    activated_shortcut: bool = False,
) -> Array:
    """Park et al. 2019, figure 4; ``norms`` and ``convolutions`` by "0", "1" and maybe "s".

    ``activated_shortcut``: wrong; the shortcut has no activation.
    """

    def convolve(values: Array, name: str) -> Array:
        weight = convolutions[name]["weight"]
        bias = convolutions[name].get("bias")
        return conv2d(values, weight, bias, padding=weight.shape[2] // 2)

    shortcut = x
    if "s" in norms:
        shortcut = norms["s"](x, segmap)
        shortcut = convolve(activation(shortcut) if activated_shortcut else shortcut, "s")
    dx = convolve(activation(norms["0"](x, segmap)), "0")
    dx = convolve(activation(norms["1"](dx, segmap)), "1")
    return simam(shortcut + dx) if attention else shortcut + dx


def discriminator_stages(
    x: Array,
    stages: Sequence[Parameters],
    *,
    activation: Callable[[Array], Array],
    attention: bool,
) -> list[Array]:
    """All stage outputs of one discriminator: 4x4 convolutions with padding 2.

    Strides are 2 but for the last two stages; the first and the last stage have no norm, the last
    no activation. ``stages`` hold weight, bias and maybe the norm's scale and shift.
    """
    outputs = []
    for index, stage in enumerate(stages):
        first, last = index == 0, index == len(stages) - 1
        stride = 1 if index >= len(stages) - 2 else 2
        x = conv2d(x, stage["weight"], stage["bias"], stride=stride, padding=2)
        if not (first or last):
            x = instance_norm(x)
            if "scale" in stage:
                x = x * stage["scale"].reshape(1, -1, 1, 1) + stage["shift"].reshape(1, -1, 1, 1)
        if not last:
            x = activation(x)
        if attention:
            x = simam(x)
        outputs.append(x)
    return outputs


# --- losses --------------------------------------------------------------------------------------


def hinge_discriminator(
    fake: Sequence[Sequence[Array]], real: Sequence[Sequence[Array]], *, flipped: bool = False
) -> tuple[float, float]:
    """The article's df_ganloss and dr_ganloss, as its listing has them: minus the mean minimum.

    ``flipped``: wrong; without the minus, so that the wrong discriminator is rewarded.
    """
    sign = 1 if flipped else -1
    df = [sign * np.minimum(-stages[-1] - 1, 0).mean() for stages in fake]
    dr = [sign * np.minimum(stages[-1] - 1, 0).mean() for stages in real]
    return sum(df) / len(df), sum(dr) / len(dr)


def hinge_generator(fake: Sequence[Sequence[Array]], *, flipped: bool = False) -> float:
    """The article's g_ganloss. ``flipped``: wrong; the generator would obey the discriminator."""
    sign = 1 if flipped else -1
    return sum(sign * stages[-1].mean() for stages in fake) / len(fake)


def feature_matching(
    fake: Sequence[Sequence[Array]], real: Sequence[Sequence[Array]], *, with_logits: bool = False
) -> float:
    """The article's g_featloss without lambda. ``with_logits``: wrong; counts the last stage."""
    total = 0.0
    for fake_stages, real_stages in zip(fake, real):
        for index in range(len(fake_stages) - (0 if with_logits else 1)):
            total += np.abs(fake_stages[index] - real_stages[index]).mean() / len(fake)
    return total


def weighted_l1(fake: Sequence[Array], real: Sequence[Array], rates: Sequence[float]) -> float:
    """The article's g_vggloss without lambda."""
    return sum(rate * np.abs(f - r).mean() for f, r, rate in zip(fake, real, rates))
