"""The formulas of the papers and the article, written out in float64 NumPy, slow and plain.

The tests compare every layer and loss with these. Keywords whose docstring says "wrong" switch a
known mistake on: a test shows with them that the code does not make that mistake.

Legend: N batch, C channels, K channels of the semantic map, H height, W width.
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


# --- semantic map --------------------------------------------------------------------------------


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
    """1 where a pixel has a 4-neighbor of another instance; [N, H, W] -> [N, 1, H, W].

    ``both_sides=False``: wrong; looks at the right and lower neighbor only.
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


def intra_class_positions(label_map: Array, *, skip_zero: bool = False) -> Array:
    """CLADE-ICPE: every pixel's offset from the middle of its 8-connected region, over the largest.

    [H, W] -> [H, W, 2]. ``skip_zero``: the public code's deviation, class 0 keeps zeros.
    """
    height, width = label_map.shape
    out = np.zeros((height, width, 2))
    seen = np.zeros((height, width), bool)
    for start in np.ndindex(height, width):
        if seen[start] or (skip_zero and label_map[start] == 0):
            continue
        region, border = [], [start]
        seen[start] = True
        while border:
            row, column = border.pop()
            region.append((row, column))
            for r in range(max(row - 1, 0), min(row + 2, height)):
                for c in range(max(column - 1, 0), min(column + 2, width)):
                    if not seen[r, c] and label_map[r, c] == label_map[start]:
                        seen[r, c] = True
                        border.append((r, c))
        pixels = np.array(region, dtype=float)
        offsets = pixels - pixels.mean(axis=0)
        largest = (np.abs(offsets) + 1e-5).max(axis=0)
        for (row, column), offset in zip(region, offsets):
            out[row, column] = offset / largest
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

    The segmap holds the classes, then one edge channel if ``parameters`` have an edge convolution,
    then two channels of positions if they have position convolutions (CLADE-ICPE).
    ``one_plus=True``: wrong; SPADE's ``1 +`` does not belong here.
    """
    segmap = resize_nearest(segmap, *x.shape[2:])
    num_classes = len(parameters["weight"])
    classes = segmap[:, :num_classes].argmax(axis=1)  # [N, H, W]
    out = norm(x)
    for n, row, column in np.ndindex(*classes.shape):
        label = classes[n, row, column]
        scale = parameters["weight"][label] + (1 if one_plus else 0)
        shift = parameters["bias"][label]
        if "position_weight.weight" in parameters:
            place = segmap[n, -2:, row, column]
            scale = scale * (1 + _of_place(parameters, "position_weight", place))
            shift = shift * (1 + _of_place(parameters, "position_bias", place))
        out[n, :, row, column] = out[n, :, row, column] * scale + shift
    if "edge_conv.weight" in parameters:
        edges = segmap[:, num_classes : num_classes + 1]
        weight, bias = parameters["edge_conv.weight"], parameters["edge_conv.bias"]
        out = np.concatenate([out, conv2d(edges, weight, bias)], axis=1)
    return out


def _of_place(parameters: Parameters, name: str, place: Array) -> float:
    """A 1x1 convolution of two channels to one, at one pixel."""
    weight, bias = parameters[f"{name}.weight"].ravel(), parameters[f"{name}.bias"]
    return float(weight @ place + bias[0])


def largest_singular_value(weight: Array) -> float:
    """Of the matrix [O, C*k*k] that spectral normalization (Miyato et al. 2018) divides by."""
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
        x = conv2d(x, stage["weight"], stage.get("bias"), stride=stride, padding=2)
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


def resize_bilinear(x: Array, height: int, width: int) -> Array:
    """By pixel centers, the border repeated: [N, C, H, W] -> [N, C, height, width]."""

    def weights(before: int, after: int) -> Array:
        matrix = np.zeros((after, before))
        for i in range(after):
            place = min(max((i + 0.5) * before / after - 0.5, 0), before - 1)
            low = int(place)
            high = min(low + 1, before - 1)
            matrix[i, low] += 1 - (place - low)
            matrix[i, high] += place - low
        return matrix

    rows, columns = weights(x.shape[2], height), weights(x.shape[3], width)
    return np.einsum("ih,nchw,jw->ncij", rows, x, columns)


def encoder(
    photo: Array, parameters: Parameters, *, size: int, last_activation: bool = True
) -> tuple[Array, Array]:
    """Park et al. 2019, figure 14: mu and logvar [N, D] of photos [N, 3, H, W].

    ``parameters``: layer1, layer2, ... (weights of the convolutions), fc_mu.weight [.., D] and so
    on. ``last_activation=False``: wrong; there is one after the last convolution too.
    """
    x = resize_bilinear(photo, size, size)
    convolutions = [value for name, value in parameters.items() if name.startswith("layer")]
    for index, weight in enumerate(convolutions):
        x = instance_norm(conv2d(x, weight, stride=2, padding=1))
        if last_activation or index < len(convolutions) - 1:
            x = leaky_relu(x)
    x = x.reshape(len(x), -1)
    mu, logvar = (
        x @ parameters[f"{name}.weight"] + parameters[f"{name}.bias"]
        for name in ("fc_mu", "fc_var")
    )
    return mu, logvar


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


def towards(logits: Sequence[Sequence[Array]], target: float, mode: str) -> float:
    """How far logits are from saying ``target`` (1 real, 0 fake), averaged over the scales.

    ``least_squares``: mean squared error; ``original``: the cross entropy of sigmoid(logits).
    """

    def distance(values: Array) -> float:
        if mode == "least_squares":
            return float(((values - target) ** 2).mean())
        real = sigmoid(values)
        return float(-(target * np.log(real) + (1 - target) * np.log(1 - real)).mean())

    return sum(distance(stages[-1]) for stages in logits) / len(logits)


def kl(mu: Array, logvar: Array) -> float:
    """KL divergence of N(mu, exp(logvar)) from N(0, 1), by its definition as an integral.

    ``integral p log(p / q)`` for each entry, summed; on a fine grid, so good to about 1e-7.
    """
    total = 0.0
    for mean, variance in zip(mu.ravel(), np.exp(logvar.ravel())):
        deviation = math.sqrt(variance)
        z = np.linspace(mean - 12 * deviation, mean + 12 * deviation, 20001)
        log_p = -0.5 * ((z - mean) / deviation) ** 2 - math.log(deviation)
        values = np.exp(log_p) / math.sqrt(2 * math.pi) * (log_p + 0.5 * z**2)
        total += float(values.sum() * (z[1] - z[0]))
    return total


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
