"""Inception-v3 (Szegedy et al. 2016) with the weights of 2015 that define FID.

FID is defined on one particular network (Heusel et al. 2017), TensorFlow's Inception of 2015-12-05.
It differs from the network of later ImageNet weights, which give other scores and are rejected:

- its average poolings do not count the padding,
- its last block has a max pooling instead of the average pooling of the paper,
- it has 1008 outputs.

Legend: N batch, C channels, h, w sides of a feature map.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Union

import paddle
from paddle import nn
from paddle.nn import functional as F

from spade_paddle.errors import ModelError
from spade_paddle.features.network import fold_batch_norm
from spade_paddle.weights import Arrays, load_state, read_arrays

SIDE = 299
"""Side of the input in pixels."""
FEATURES = 2048
"""Number of features of a picture."""
_OUTPUTS = 1008


@dataclass(frozen=True)
class Step:
    """A convolution with batch norm and ReLU, by its name in the weights file.

    It is zero-padded to keep the size, unless ``valid``.
    """

    name: str
    width: int
    kernel: tuple[int, int] = (1, 1)
    stride: int = 1
    valid: bool = False


AVERAGE, MAXIMUM, SHRINK = "average", "maximum", "shrink"
"""Poolings over 3 x 3 pixels; SHRINK is a max pooling with stride 2."""
Chain = Sequence[Union[Step, tuple[Step, ...], str]]
"""Steps and poolings in sequence; the steps in a tuple are parallel."""

_3, _1X3, _3X1, _1X7, _7X1 = (3, 3), (1, 3), (3, 1), (1, 7), (7, 1)
_STEM: Chain = (
    Step("Conv2d_1a_3x3", 32, _3, stride=2, valid=True),
    Step("Conv2d_2a_3x3", 32, _3, valid=True),
    Step("Conv2d_2b_3x3", 64, _3),
    SHRINK,
    Step("Conv2d_3b_1x1", 80),
    Step("Conv2d_4a_3x3", 192, _3, valid=True),
    SHRINK,
)


def _of_35(pooled: int) -> Sequence[Chain]:
    """A block at 35 x 35 positions, figure 5 of the paper."""
    double = [Step(f"branch3x3dbl_{number}", 96, _3) for number in (2, 3)]
    return (
        (Step("branch1x1", 64),),
        (Step("branch5x5_1", 48), Step("branch5x5_2", 64, (5, 5))),
        (Step("branch3x3dbl_1", 64), *double),
        (AVERAGE, Step("branch_pool", pooled)),
    )


def _of_17(width: int) -> Sequence[Chain]:
    """A block at 17 x 17 positions, figure 6."""
    double = [
        Step(f"branch7x7dbl_{number}", width, kernel)
        for number, kernel in ((2, _7X1), (3, _1X7), (4, _7X1))
    ]
    return (
        (Step("branch1x1", 192),),
        (
            Step("branch7x7_1", width),
            Step("branch7x7_2", width, _1X7),
            Step("branch7x7_3", 192, _7X1),
        ),
        (Step("branch7x7dbl_1", width), *double, Step("branch7x7dbl_5", 192, _1X7)),
        (AVERAGE, Step("branch_pool", 192)),
    )


def _of_8(pooling: str) -> Sequence[Chain]:
    """A block at 8 x 8 positions, figure 7."""

    def fork(name: str) -> tuple[Step, Step]:
        return Step(f"{name}a", 384, _1X3), Step(f"{name}b", 384, _3X1)

    return (
        (Step("branch1x1", 320),),
        (Step("branch3x3_1", 384), fork("branch3x3_2")),
        (Step("branch3x3dbl_1", 448), Step("branch3x3dbl_2", 384, _3), fork("branch3x3dbl_3")),
        (pooling, Step("branch_pool", 192)),
    )


_TO_17: Sequence[Chain] = (
    (Step("branch3x3", 384, _3, stride=2, valid=True),),
    (
        Step("branch3x3dbl_1", 64),
        Step("branch3x3dbl_2", 96, _3),
        Step("branch3x3dbl_3", 96, _3, stride=2, valid=True),
    ),
    (SHRINK,),
)
_TO_8: Sequence[Chain] = (
    (Step("branch3x3_1", 192), Step("branch3x3_2", 320, _3, stride=2, valid=True)),
    (
        Step("branch7x7x3_1", 192),
        Step("branch7x7x3_2", 192, _1X7),
        Step("branch7x7x3_3", 192, _7X1),
        Step("branch7x7x3_4", 192, _3, stride=2, valid=True),
    ),
    (SHRINK,),
)
BLOCKS: dict[str, Sequence[Chain]] = {
    **{f"Mixed_5{letter}": _of_35(width) for letter, width in zip("bcd", (32, 64, 64))},
    "Mixed_6a": _TO_17,
    **{f"Mixed_6{letter}": _of_17(width) for letter, width in zip("bcde", (128, 160, 160, 192))},
    "Mixed_7a": _TO_8,
    "Mixed_7b": _of_8(AVERAGE),
    "Mixed_7c": _of_8(MAXIMUM),
}


class InceptionV3(nn.Layer):
    """Computes the 2048 features before the classifier, on which FID and KID are defined.

    Batch norm (epsilon 1e-3) is folded into the convolutions.

    Args:
        weights: ``pt_inception-2015-12-05-6726825d.pth``, the file of the usual ports of FID to
            PyTorch, or an ``.npz`` with the same names and arrays.

    Raises:
        ModelError: no such file, or it does not hold these weights.
    """

    def __init__(self, *, weights: str | Path) -> None:
        arrays = _folded_arrays(weights)
        super().__init__()
        self.stem = Branches(3, [_STEM])
        before = self.stem.width
        for name, chains in BLOCKS.items():
            block = Branches(before, chains)
            self.add_sublayer(name, block)
            before = block.width
        load_state(self, arrays, where=weights)
        self.eval()

    def forward(self, pictures: paddle.Tensor) -> paddle.Tensor:
        """[N, 3, 299, 299] in -1..1 (RGB) -> [N, 2048]."""
        x = self.stem(pictures)
        for name in BLOCKS:
            x = getattr(self, name)(x)
        return x.mean(axis=[2, 3])


class Branches(nn.Layer):
    """Parallel branches, whose outputs are concatenated.

    Args:
        before: input channels.
        chains: the branches.

    Attributes:
        width: output channels.
    """

    def __init__(self, before: int, chains: Sequence[Chain]) -> None:
        super().__init__()
        self._chains = chains
        self.width = 0
        for chain in chains:
            channels = before
            for item in chain:
                for step in _steps_of(item):
                    self.add_sublayer(step.name, _convolution(channels, step))
                channels = sum(step.width for step in _steps_of(item)) or channels
            self.width += channels

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        """[N, C, h, w] -> [N, C', h', w']."""
        return _concatenate([self._run(chain, x) for chain in self._chains])

    def _run(self, chain: Chain, x: paddle.Tensor) -> paddle.Tensor:
        for item in chain:
            if isinstance(item, str):
                x = _pool(x, item)
            else:
                x = _concatenate([F.relu(getattr(self, step.name)(x)) for step in _steps_of(item)])
        return x


def _steps_of(item: Step | tuple[Step, ...] | str) -> tuple[Step, ...]:
    """The parallel convolutions of an item of a chain; none for a pooling."""
    if isinstance(item, str):
        return ()
    return (item,) if isinstance(item, Step) else item


def _convolution(before: int, step: Step) -> nn.Conv2D:
    padding = [0, 0] if step.valid else [size // 2 for size in step.kernel]
    return nn.Conv2D(before, step.width, step.kernel, stride=step.stride, padding=padding)


def _pool(x: paddle.Tensor, kind: str) -> paddle.Tensor:
    if kind == SHRINK:
        return F.max_pool2d(x, 3, stride=2)
    if kind == MAXIMUM:
        return F.max_pool2d(x, 3, stride=1, padding=1)
    return F.avg_pool2d(x, 3, stride=1, padding=1, exclusive=True)


def _concatenate(maps: Sequence[paddle.Tensor]) -> paddle.Tensor:
    return maps[0] if len(maps) == 1 else paddle.concat(maps, axis=1)


def _folded_arrays(weights: str | Path) -> Arrays:
    """Read the convolutions of a file by our names, with batch norm folded in."""
    advice = "use the .pth file of the usual ports of FID to PyTorch (docs/evaluation.md)"
    arrays = read_arrays(weights, advice=advice)
    outputs = len(arrays.get("fc.bias", ()))
    if outputs != _OUTPUTS:
        raise ModelError(
            f"{weights}: expected the Inception-v3 of 2015 that defines FID, with {_OUTPUTS} "
            f"outputs (fc.bias), got {outputs}; later ImageNet weights give other scores; {advice}",
            code="weights_do_not_fit",
        )
    layers = [name[: -len(".conv.weight")] for name in arrays if name.endswith(".conv.weight")]
    result = {}
    for layer in layers:
        name = layer if "." in layer else f"stem.{layer}"
        names = {"convolution": f"{layer}.conv", "norm": f"{layer}.bn"}
        for kind, array in fold_batch_norm(arrays, **names, where=weights).items():
            result[f"{name}.{kind}"] = array
    return result
