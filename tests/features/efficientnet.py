"""EfficientNet-Lite0 and -Lite1 as weights files of random numbers, and in plain NumPy."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tests.features.weights import write_weights

# (channels in, channels out, kernel, stride, expansion) of block 0, 1, ...
BLOCKS = (
    *((32, 16, 3, 1, 1), (16, 24, 3, 2, 6), (24, 24, 3, 1, 6)),
    *((24, 40, 5, 2, 6), (40, 40, 5, 1, 6), (40, 80, 3, 2, 6)),
    *((80, 80, 3, 1, 6), (80, 80, 3, 1, 6), (80, 112, 5, 1, 6)),
    *((112, 112, 5, 1, 6), (112, 112, 5, 1, 6), (112, 192, 5, 2, 6)),
    *((192, 192, 5, 1, 6), (192, 192, 5, 1, 6), (192, 192, 5, 1, 6)),
    (192, 320, 3, 1, 6),
)
# Lite1 has one block more in each of the stages 2 to 6, like the last one of that stage
LITE1_BLOCKS = (
    *(BLOCKS[0], *BLOCKS[1:3], BLOCKS[2], *BLOCKS[3:5], BLOCKS[4], *BLOCKS[5:8], BLOCKS[7]),
    *(*BLOCKS[8:11], BLOCKS[10], *BLOCKS[11:15], BLOCKS[14], BLOCKS[15]),
)


def random_arrays(*, seed: int = 0, blocks: Sequence[tuple] = BLOCKS) -> dict[str, np.ndarray]:
    """All arrays of the file, so large that activations neither fade nor are all cut off at 6."""
    rng = np.random.default_rng(seed)
    arrays = {}

    def convolution(name: str, after: int, before: int, kernel: int) -> None:
        scale = 1.5 / np.sqrt(before * kernel * kernel)
        weight = scale * rng.standard_normal((after, before, kernel, kernel))
        arrays[f"{name}.weight"] = weight.astype(np.float32)
        arrays[f"{name}.bias"] = rng.uniform(0, 0.5, after).astype(np.float32)

    convolution("stem", 32, 3, 3)
    for index, (before, after, kernel, _, expansion) in enumerate(blocks):
        inside = before * expansion
        if expansion > 1:
            convolution(f"block{index}.expand", inside, before, 1)
        convolution(f"block{index}.depthwise", inside, 1, kernel)
        convolution(f"block{index}.project", after, inside, 1)
    # the classifier's are there and not used: small ones will do
    arrays.update({"head.weight": np.zeros((2, 320, 1, 1)), "head.bias": np.zeros(2)})
    arrays.update({"fc.weight": np.zeros((3, 2)), "fc.bias": np.zeros(3)})
    return arrays


def lite1_file(folder: Path) -> Path:
    return write_weights(folder / "efficientnet_lite1.npz", random_arrays(blocks=LITE1_BLOCKS))


def efficientnet_file(folder: Path, **changes: np.ndarray | None) -> Path:
    return write_weights(folder / "efficientnet_lite0.npz", random_arrays(), **changes)


def packaged_arrays() -> dict[str, np.ndarray]:
    """Arrays as the package on the index has them, with batch norm; folded they are random_arrays
    up to rounding."""
    names = {"expand": "_bn0", "depthwise": "_bn1", "project": "_bn2"}
    rng = np.random.default_rng(1)
    arrays = {}
    for name, weight in random_arrays().items():
        layer, kind = name.rsplit(".", 1)
        if kind != "weight" or layer in ("head", "fc"):
            continue
        bias = random_arrays()[f"{layer}.bias"]
        gamma, mean = rng.uniform(0.5, 2, len(bias)), rng.standard_normal(len(bias))
        variance = rng.uniform(0, 2, len(bias))
        scale = gamma / np.sqrt(variance + 1e-3)
        block, _, part = layer.partition(".")
        place = f"_blocks.{block[len('block') :]}." if part else ""
        norm = f"{place}{names[part] if part else '_bn0'}"
        arrays[f"{place}_conv_{block}.weight" if not part else f"{place}_{part}_conv.weight"] = (
            weight / scale[:, None, None, None]
        )
        arrays[f"{norm}.weight"], arrays[f"{norm}.bias"] = gamma, bias + mean * scale
        arrays[f"{norm}.running_mean"], arrays[f"{norm}.running_var"] = mean, variance
        arrays[f"{norm}.num_batches_tracked"] = np.array(0)
    # the classifier's
    arrays.update({"_conv_head.weight": np.zeros((2, 320, 1, 1)), "_fc.weight": np.zeros((3, 2))})
    arrays.update({f"_bn1.{kind}": np.ones(2) for kind in ("weight", "bias", "running_var")})
    arrays.update({"_bn1.running_mean": np.zeros(2), "_fc.bias": np.zeros(3)})
    return {
        name: array if name.endswith("tracked") else np.float32(array)
        for name, array in arrays.items()
    }


def reference_maps(
    picture: np.ndarray, arrays: dict[str, np.ndarray], *, blocks: Sequence[tuple] = BLOCKS
) -> dict[str, np.ndarray]:
    """The maps of all layers by their definition, float64; picture [3, H, W] in -1..1."""

    def convolution(x: np.ndarray, name: str, **options) -> np.ndarray:
        weight, bias = (np.float64(arrays[f"{name}.{kind}"]) for kind in ("weight", "bias"))
        return same_convolution(x, weight, **options) + bias[:, None, None]

    x = relu6(convolution((picture * 127.5 + 0.5) / 128, "stem", stride=2))
    maps = {"stem": x}
    for index, (before, after, _, stride, expansion) in enumerate(blocks):
        name, y = f"block{index}", x
        if expansion > 1:
            y = relu6(convolution(y, f"{name}.expand"))
        y = relu6(convolution(y, f"{name}.depthwise", stride=stride, depthwise=True))
        y = convolution(y, f"{name}.project")
        x = y + x if stride == 1 and before == after else y
        maps[name] = x
    return maps


def relu6(x: np.ndarray) -> np.ndarray:
    return np.clip(x, 0, 6)


def same_convolution(
    x: np.ndarray, weight: np.ndarray, *, stride: int = 1, depthwise: bool = False
) -> np.ndarray:
    """TensorFlow's SAME: output i looks from i * stride - before on, with before rounded down.

    Args:
        x: [C, H, W].
        weight: [C', C, k, k], or [C, 1, k, k] for one channel each.
        stride: of both axes.
        depthwise: one channel each.
    """
    kernel = weight.shape[-1]
    sizes = [(size + stride - 1) // stride for size in x.shape[1:]]
    befores = [
        max((out - 1) * stride + kernel - size, 0) // 2 for out, size in zip(sizes, x.shape[1:])
    ]
    padded = np.pad(x, ((0, 0), *((before, kernel + stride) for before in befores)))
    result = np.zeros((len(weight), *sizes))
    for row in range(kernel):
        for column in range(kernel):
            seen = padded[
                :,
                row : row + sizes[0] * stride : stride,
                column : column + sizes[1] * stride : stride,
            ]
            taps = weight[:, :, row, column]
            result += taps[:, 0, None, None] * seen if depthwise else np.tensordot(taps, seen, 1)
    return result
