"""A trained generator in C and oneDNN: a second implementation of networks/generator.py.

Legend: H, W size of the picture, P pixels of a feature map, C channels.
"""

from __future__ import annotations

import functools
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from spade_paddle.config import Config
from spade_paddle.inference.native import kernels
from spade_paddle.inference.native.clade import CladeNorm, clade_views
from spade_paddle.inference.native.codes import Codes
from spade_paddle.inference.native.scene import View, Views
from spade_paddle.inference.native.spade import SpadeNorm, SpadeTables
from spade_paddle.inference.native.winograd import WinogradConvolution, WinogradWeights, Workspace
from spade_paddle.networks.semantics import SemanticLayout
from spade_paddle.networks.widths import block_plan
from spade_paddle.onednn.channels_last import ChannelsLastConvolution

Arrays = Mapping[str, np.ndarray]

_CONVOLUTIONS = {
    "fc": {},
    "conv_0": {},
    "conv_s": {},
    "conv_1": {"add": True},
    "conv_img": {"tanh": True},
}
_EPSILON = 1e-5  # of layers/norm.py

TABLES = 256 * 2**20
"""Bytes that the tables of SPADE may have, all together."""
_SIZES = 4  # pictures of so many sizes find their convolutions prepared


@dataclass(frozen=True)
class Norm:
    """What is modulated, and by what.

    Attributes:
        scale, mean: [C], the normalization ``(x - mean) * scale``; None: that of instance norm.
        layer: gives the modulation of a view.
    """

    layer: SpadeNorm | CladeNorm
    scale: np.ndarray | None
    mean: np.ndarray | None

    @classmethod
    def of(cls, weights: Arrays, make: Callable[[Arrays], SpadeNorm | CladeNorm]) -> Norm:
        """From the weights of the layer, by the names that they have in it."""
        if "param_free_norm._mean" not in weights:
            return cls(make(weights), None, None)
        scale = 1 / np.sqrt(weights["param_free_norm._variance"] + _EPSILON)
        return cls(make(weights), scale.astype(np.float32), weights["param_free_norm._mean"])

    def __call__(
        self, x: np.ndarray, view: View, *, doubled: bool = False, activation: int
    ) -> np.ndarray:
        """The modulated and activated x; ``doubled`` and result as in kernels.modulate."""
        scale, mean = self.scale, self.mean
        if scale is None:
            mean, squares = kernels.moments(x)
            scale = (1 / np.sqrt(squares / len(x) + _EPSILON)).astype(np.float32)
        how = self.layer.modulation(view)
        return kernels.modulate(
            x,
            size=view.size,
            doubled=doubled,
            scale=scale,
            mean=mean,
            table=how.table,
            index=how.index,
            factors=how.factors,
            edges=how.edges,
            activation=activation,
        )


@dataclass(frozen=True)
class Block:
    """One residual block.

    Attributes:
        name: in the generator.
        stride: pixels of the picture that one of its is wide.
        how: it comes to its size: SAME, NEAREST or BILINEAR.
        norms: by name, ``norm_s`` where there is a learned shortcut.
        strength: [C] of the noise; None without.
        noise_map: which of the maps it takes.
    """

    name: str
    stride: int
    how: int
    norms: Mapping[str, Norm]
    strength: np.ndarray | None
    noise_map: int

    @property
    def shortcut(self) -> bool:
        """The shortcut is learned."""
        return "norm_s" in self.norms


class NativeGenerator:
    """Paints one label map after the other; as a Program with the same inputs, from any thread.

    Args:
        weights: of the generator, without spectral normalization, ``float32`` by name.
        config: of the generator.
        num_labels: labels of its label set.
        threads: CPU threads.
        tables: bytes that SPADE's tables may have.
    """

    def __init__(
        self,
        weights: Arrays,
        config: Config,
        *,
        num_labels: int,
        threads: int,
        tables: int = TABLES,
    ) -> None:
        options = config.generator
        self._codes = Codes(SemanticLayout.of(config, num_labels))
        self._threads = threads
        self._workspace = Workspace()
        self._simam = options.simam
        self._activation = kernels.ACTIVATIONS[options.activation]
        self._multiple = options.multiple
        self._weights = weights
        self._latent_size = config.latent_size
        self._blocks = _blocks_of(weights, config, self._codes)
        self._convolutions = {}
        for key, value in weights.items():
            name, _, kind = key.rpartition(".")
            if kind == "weight" and value.ndim == 4 and name.rpartition(".")[2] in _CONVOLUTIONS:
                self._convolutions[name] = WinogradWeights(value, weights.get(f"{name}.bias"))
        self._prepared: OrderedDict[tuple[int, int], dict[str, Callable]] = OrderedDict()
        self._tables = None
        if options.norm == "spade":
            levels: dict[int, list[SpadeNorm]] = {}
            for block in self._blocks:
                levels.setdefault(block.stride, []).extend(n.layer for n in block.norms.values())
            self._tables = SpadeTables(levels, codes=self._codes, limit=tables)
        self._lock = threading.Lock()

    def run(self, inputs: Arrays) -> np.ndarray:
        """The inputs of LabelsToPicture as arrays -> ``float32`` [N, 3, H, W] in -1..1.

        Raises:
            TooManyPatches: a map whose tables do not fit into their memory.
        """
        with self._lock:
            kernels.openmp().omp_set_num_threads(self._threads)
            count = len(inputs["label_map"])
            pictures = [
                self._paint({name: value[n] for name, value in inputs.items()})
                for n in range(count)
            ]
        return np.stack(pictures).transpose(0, 3, 1, 2)

    def _paint(self, inputs: Arrays) -> np.ndarray:
        """Inputs of one picture -> [H, W, 3]."""
        codes = self._codes.of(inputs["label_map"], inputs.get("instance_map"))
        views = self._views(codes, inputs.get("positions"))
        convolve = self._convolve_at(codes.shape)
        x = self._coarse_features(codes, inputs.get("style"), convolve)
        for block in self._blocks:
            noise = None if block.strength is None else inputs["noise"][block.noise_map]
            last = block is self._blocks[-1]
            x = self._block(x, block, views[block.stride], noise, convolve, last=last)
        return convolve("conv_img", x, 1).reshape(*codes.shape, 3)

    def _views(self, codes: np.ndarray, positions: np.ndarray | None) -> Views:
        if self._tables is not None:
            return self._tables.views(codes)
        strides = {block.stride for block in self._blocks}
        return clade_views(codes, self._codes, strides=strides, positions=positions)

    def _coarse_features(
        self, codes: np.ndarray, style: np.ndarray | None, convolve: Callable[..., np.ndarray]
    ) -> np.ndarray:
        """What goes into the first block, [P, C]."""
        seen = codes[:: self._multiple, :: self._multiple]
        if style is None:
            return convolve("fc", self._codes.channels()[seen.ravel()], self._multiple)
        x = style @ self._weights["fc.weight"] + self._weights["fc.bias"]
        x = x.reshape(-1, *self._latent_size)
        down, across = map(_resizing, self._latent_size, seen.shape)
        x = down @ x @ across.T  # [C, h, w]
        return np.ascontiguousarray(x.reshape(len(x), -1).T)

    def _convolve_at(self, size: tuple[int, int]) -> Callable[..., np.ndarray]:
        """A function that convolves for pictures of a size: (name, x, stride) -> [P, O]."""
        prepared = self._prepared.pop(size, {})
        self._prepared[size] = prepared  # at the end: used last
        if len(self._prepared) > _SIZES:
            self._prepared.popitem(last=False)

        def convolve(
            name: str, x: np.ndarray, stride: int, out: np.ndarray | None = None
        ) -> np.ndarray:
            if name not in prepared:
                prepared[name] = self._convolution(name, size[0] // stride, size[1] // stride)
            return prepared[name](x, out)

        return convolve

    def _convolution(
        self, name: str, height: int, width: int
    ) -> WinogradConvolution | ChannelsLastConvolution:
        """The faster one for a map of this size."""
        weights, options = self._convolutions[name], _CONVOLUTIONS[name.rpartition(".")[2]]
        if not options.get("tanh") and WinogradConvolution.suits(
            weights, height=height, width=width
        ):
            options = {**options, "threads": self._threads, "workspace": self._workspace}
            return WinogradConvolution(weights, height=height, width=width, **options)
        return ChannelsLastConvolution(weights, height=height, width=width, **options)

    def _block(
        self,
        x: np.ndarray,
        block: Block,
        view: View,
        noise: np.ndarray | None,
        convolve: Callable[..., np.ndarray],
        *,
        last: bool,
    ) -> np.ndarray:
        """The features after a block [P, C]; after the last one they are activated."""
        doubled = block.how != kernels.SAME
        # nearest neighbor without noise need not be written down where nothing else asks for it
        if noise is not None or block.how == kernels.BILINEAR or (doubled and not block.shortcut):
            x = kernels.grow(
                x,
                size=view.size,
                how=block.how,
                strength=block.strength,
                noise=noise,
                noise_step=block.stride,
            )
            doubled = False
        stride, act = block.stride, self._activation
        out = x  # nothing but this block reads it
        if block.shortcut:
            normed = block.norms["norm_s"](x, view, doubled=doubled, activation=kernels.IDENTITY)
            out = convolve(f"{block.name}.conv_s", normed, stride)
        y = block.norms["norm_0"](x, view, doubled=doubled, activation=act)
        y = convolve(f"{block.name}.conv_0", y, stride)
        y = block.norms["norm_1"](y, view, activation=act)
        out = convolve(f"{block.name}.conv_1", y, stride, out=out)
        if self._simam:
            kernels.attend(out, activation=act if last else kernels.IDENTITY)
        elif last:
            kernels.activate(out, act)
        return out


def _blocks_of(weights: Arrays, config: Config, codes: Codes) -> list[Block]:
    options = config.generator
    inside = kernels.GELU if options.activation == "gelu" else kernels.RELU  # as build.py has it
    make = CladeNorm
    if options.norm == "spade":
        make = functools.partial(SpadeNorm, activation=inside, codes=codes)
    plan = block_plan(
        options.upsampling, fine_blocks=options.fine_blocks, extra_blocks=options.extra_blocks
    )
    blocks, stride, doublings = [], options.multiple, 0
    for number, (name, doubles) in enumerate(plan):
        how = kernels.SAME
        if doubles:
            smooth = doublings < options.smooth_doublings
            how = kernels.BILINEAR if smooth else kernels.NEAREST
            stride, doublings = stride // 2, doublings + 1
        norms = {
            norm: Norm.of(_below(weights, f"{name}.{norm}"), make)
            for norm in ("norm_0", "norm_1", "norm_s")
            if _below(weights, f"{name}.{norm}")
        }
        strength = weights.get(f"{name}.noise_strength")
        blocks.append(
            Block(
                name,
                stride,
                how,
                norms,
                strength if strength is None else np.ascontiguousarray(strength.ravel()),
                number // (1 + options.extra_blocks),
            )
        )
    return blocks


def _below(weights: Arrays, layer: str) -> dict[str, np.ndarray]:
    """The weights of a layer, by the names that they have in it."""
    prefix = f"{layer}."
    return {
        name[len(prefix) :]: value for name, value in weights.items() if name.startswith(prefix)
    }


def _resizing(size: int, target: int) -> np.ndarray:
    """[target, size]: bilinear resizing of one axis; pixels are areas, not points."""
    places = np.clip((np.arange(target) + 0.5) * size / target - 0.5, 0, size - 1)
    before = np.floor(places).astype(int)
    after = np.minimum(before + 1, size - 1)
    matrix = np.zeros((target, size), np.float32)
    np.add.at(matrix, (np.arange(target), before), 1 - (places - before))
    np.add.at(matrix, (np.arange(target), after), places - before)
    return matrix
