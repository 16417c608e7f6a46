"""A trained generator in C and oneDNN: a second implementation of networks/generator.py.

Legend: N batch, H, W size of the picture, P pixels of a feature map, C channels.
"""

from __future__ import annotations

import functools
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol, Union

import numpy as np

from spade_paddle.config import Config
from spade_paddle.inference.native import kernels
from spade_paddle.inference.native.clade import CladeNorm, clade_views
from spade_paddle.inference.native.codes import Codes
from spade_paddle.inference.native.kernels import CodeArray, DoubleArray, FloatArray
from spade_paddle.inference.native.scene import View, Views
from spade_paddle.inference.native.spade import SpadeNorm, SpadeTables
from spade_paddle.inference.native.winograd import WinogradConvolution, WinogradWeights, Workspace
from spade_paddle.networks.semantics import SemanticLayout
from spade_paddle.networks.widths import block_plan
from spade_paddle.onednn.channels_last import ChannelsLastConvolution

Arrays = Mapping[str, np.ndarray]

_Layer = Union[SpadeNorm, CladeNorm]
_Convolution = Union[WinogradConvolution, ChannelsLastConvolution]

_CONVOLUTIONS = ("fc", "conv_0", "conv_s", "conv_1", "conv_img")
_EPSILON = 1e-5  # of layers/norm.py

TABLE_BYTES = 256 * 2**20
"""Memory limit of all SPADE tables together."""
_CACHED_SIZES = 4  # picture sizes whose prepared convolutions are kept


class _Convolve(Protocol):
    def __call__(
        self, name: str, x: FloatArray, stride: int, out: FloatArray | None = None
    ) -> FloatArray:
        """Convolution ``name`` at a stride, in pixels: [P, C] -> [P, O]."""


@dataclass(frozen=True)
class Norm:
    """Normalization and modulation.

    Attributes:
        layer: gives the modulation of a view.
        statistics: running mean and variance of batch norm, ``float32`` [C] each; None: instance
            norm.
    """

    layer: _Layer
    statistics: tuple[FloatArray, FloatArray] | None

    @classmethod
    def of(cls, weights: Arrays, make_layer: Callable[[Arrays], _Layer]) -> Norm:
        """From the weights of a layer, ``float32`` by name, as in the layer."""
        statistics = None
        if "param_free_norm._mean" in weights:
            statistics = weights["param_free_norm._mean"], weights["param_free_norm._variance"]
        return cls(make_layer(weights), statistics)

    def __call__(
        self, x: FloatArray, view: View, *, doubled: bool = False, activation: int
    ) -> FloatArray:
        """Normalize, modulate and activate x; shapes and ``doubled`` as in kernels.modulate."""
        if self.statistics is None:
            mean, squares = kernels.moments(x)
            variance: FloatArray | DoubleArray = squares / len(x)
        else:
            mean, variance = self.statistics
        modulation = self.layer.modulation(view)
        return kernels.modulate(
            x,
            size=view.size,
            doubled=doubled,
            scale=(1 / np.sqrt(variance + _EPSILON)).astype(np.float32),
            mean=mean,
            table=modulation.table,
            index=modulation.index,
            factors=modulation.factors,
            edges=modulation.edges,
            activation=activation,
        )


@dataclass(frozen=True)
class Block:
    """One residual block.

    Attributes:
        name: in the generator.
        stride: of its feature map, in pixels of the picture.
        upsampling: of its input: SAME, NEAREST or BILINEAR of kernels.py.
        norms: by name; ``norm_s`` only with a learned shortcut.
        strength: of the noise, ``float32`` [C]; None without noise.
        noise_map: index of its noise map.
    """

    name: str
    stride: int
    upsampling: int
    norms: Mapping[str, Norm]
    strength: FloatArray | None
    noise_map: int

    @property
    def shortcut(self) -> bool:
        """Whether the shortcut is learned."""
        return "norm_s" in self.norms


class NativeGenerator:
    """Runs a generator like a Program with the same inputs, one picture at a time.

    It can be called from any thread; calls are serialized.

    Args:
        weights: of the generator, without spectral normalization, ``float32`` by name.
        config: of the generator.
        num_labels: labels of its label set.
        threads: CPU threads.
        table_bytes: memory limit of SPADE's tables.

    Raises:
        KernelsMissing: the C library cannot be used.
    """

    def __init__(
        self,
        weights: Arrays,
        config: Config,
        *,
        num_labels: int,
        threads: int,
        table_bytes: int = TABLE_BYTES,
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
        self._weights_of: dict[str, WinogradWeights] = {}  # by the name of a convolution
        for key, value in weights.items():
            name, _, kind = key.rpartition(".")
            if kind == "weight" and value.ndim == 4 and name.rpartition(".")[2] in _CONVOLUTIONS:
                self._weights_of[name] = WinogradWeights(value, weights.get(f"{name}.bias"))
        self._prepared: OrderedDict[tuple[int, int], dict[str, _Convolution]] = OrderedDict()
        levels: dict[int, list[SpadeNorm]] = {}
        for block in self._blocks:
            layers = [norm.layer for norm in block.norms.values()]
            spades = [layer for layer in layers if isinstance(layer, SpadeNorm)]
            levels.setdefault(block.stride, []).extend(spades)
        self._tables = None
        if options.norm == "spade":
            self._tables = SpadeTables(levels, codes=self._codes, limit=table_bytes)
        self._lock = threading.Lock()

    def run(self, inputs: Arrays) -> FloatArray:
        """Paint a batch.

        Args:
            inputs: those of ``LabelsToPicture``, by name.

        Returns:
            ``float32`` [N, 3, H, W] in -1..1.

        Raises:
            TooManyPatches: the tables for a label map exceed ``table_bytes``.
        """
        with self._lock:
            kernels.openmp().omp_set_num_threads(self._threads)
            count = len(inputs["label_map"])
            pictures = [
                self._paint({name: value[n] for name, value in inputs.items()})
                for n in range(count)
            ]
        return np.stack(pictures).transpose(0, 3, 1, 2)

    def _paint(self, inputs: Arrays) -> FloatArray:
        """Inputs of one picture -> [H, W, 3]."""
        code_map = self._codes.encode(inputs["label_map"], inputs.get("instance_map"))
        height, width = code_map.shape
        views = self._views(code_map, inputs.get("positions"))
        convolve = self._convolve_at(height, width)
        x = self._coarse_features(code_map, inputs.get("style"), convolve)
        for block in self._blocks:
            noise = None if block.strength is None else inputs["noise"][block.noise_map]
            last = block is self._blocks[-1]
            x = self._block(x, block, views[block.stride], noise, convolve, last=last)
        return convolve("conv_img", x, 1).reshape(height, width, 3)

    def _views(self, code_map: CodeArray, positions: FloatArray | None) -> Views:
        if self._tables is not None:
            return self._tables.views(code_map)
        strides = {block.stride for block in self._blocks}
        return clade_views(code_map, self._codes, strides=strides, positions=positions)

    def _coarse_features(
        self, code_map: CodeArray, style: FloatArray | None, convolve: _Convolve
    ) -> FloatArray:
        """The input of the first block, [P, C]."""
        coarse = code_map[:: self._multiple, :: self._multiple]
        if style is None:
            return convolve("fc", self._codes.channels()[coarse.ravel()], self._multiple)
        x = style @ self._weights["fc.weight"] + self._weights["fc.bias"]
        x = x.reshape(-1, *self._latent_size)
        down, across = map(_bilinear_matrix, self._latent_size, coarse.shape)
        x = down @ x @ across.T  # [C, h, w]
        return np.ascontiguousarray(x.reshape(len(x), -1).T)

    def _convolve_at(self, height: int, width: int) -> _Convolve:
        """The convolutions for pictures of one size, prepared on first use."""
        prepared = self._prepared.pop((height, width), {})
        self._prepared[height, width] = prepared  # the most recently used is last
        if len(self._prepared) > _CACHED_SIZES:
            self._prepared.popitem(last=False)

        def convolve(
            name: str, x: FloatArray, stride: int, out: FloatArray | None = None
        ) -> FloatArray:
            if name not in prepared:
                prepared[name] = self._convolution(name, height // stride, width // stride)
            return prepared[name](x, out)

        return convolve

    def _convolution(self, name: str, height: int, width: int) -> _Convolution:
        """The faster implementation for a feature map of this size."""
        weights, kind = self._weights_of[name], name.rpartition(".")[2]
        add, tanh = kind == "conv_1", kind == "conv_img"
        if tanh or not WinogradConvolution.suits(weights, height=height, width=width):
            return ChannelsLastConvolution(weights, height=height, width=width, add=add, tanh=tanh)
        return WinogradConvolution(
            weights,
            height=height,
            width=width,
            threads=self._threads,
            workspace=self._workspace,
            add=add,
        )

    def _block(
        self,
        x: FloatArray,
        block: Block,
        view: View,
        noise: FloatArray | None,
        convolve: _Convolve,
        *,
        last: bool,
    ) -> FloatArray:
        """The output of a block, [P, C], activated after the last block."""
        doubled = block.upsampling != kernels.SAME
        # kernels.modulate upsamples by nearest neighbor itself, if nothing else needs the result
        separate = noise is not None or block.upsampling == kernels.BILINEAR
        if separate or (doubled and not block.shortcut):
            x = kernels.upsample(
                x,
                size=view.size,
                mode=block.upsampling,
                strength=block.strength,
                noise=noise,
                noise_stride=block.stride,
            )
            doubled = False
        stride, act = block.stride, self._activation
        out = x  # may be overwritten: only this block reads it
        if block.shortcut:
            normed = block.norms["norm_s"](x, view, doubled=doubled, activation=kernels.IDENTITY)
            out = convolve(f"{block.name}.conv_s", normed, stride)
        y = block.norms["norm_0"](x, view, doubled=doubled, activation=act)
        y = convolve(f"{block.name}.conv_0", y, stride)
        y = block.norms["norm_1"](y, view, activation=act)
        out = convolve(f"{block.name}.conv_1", y, stride, out=out)
        if self._simam:
            kernels.simam(out, activation=act if last else kernels.IDENTITY)
        elif last:
            kernels.activate(out, act)
        return out


def _blocks_of(weights: Arrays, config: Config, codes: Codes) -> list[Block]:
    options = config.generator
    make_layer: Callable[[Arrays], _Layer] = CladeNorm
    if options.norm == "spade":
        hidden = kernels.GELU if options.activation == "gelu" else kernels.RELU  # as in build.py
        make_layer = functools.partial(SpadeNorm, activation=hidden, codes=codes)
    plan = block_plan(
        options.upsampling, fine_blocks=options.fine_blocks, extra_blocks=options.extra_blocks
    )
    blocks, stride, doublings = [], options.multiple, 0
    for number, (name, doubles) in enumerate(plan):
        upsampling = kernels.SAME
        if doubles:
            smooth = doublings < options.smooth_doublings
            upsampling = kernels.BILINEAR if smooth else kernels.NEAREST
            stride, doublings = stride // 2, doublings + 1
        norms = {
            norm: Norm.of(layer_weights, make_layer)
            for norm in ("norm_0", "norm_1", "norm_s")
            if (layer_weights := _of_layer(weights, f"{name}.{norm}"))
        }
        strength = weights.get(f"{name}.noise_strength")
        blocks.append(
            Block(
                name=name,
                stride=stride,
                upsampling=upsampling,
                norms=norms,
                strength=None if strength is None else np.ascontiguousarray(strength.ravel()),
                noise_map=number // (1 + options.extra_blocks),
            )
        )
    return blocks


def _of_layer(weights: Arrays, layer: str) -> dict[str, np.ndarray]:
    """The weights of a layer, by their names in it."""
    prefix = f"{layer}."
    return {
        name[len(prefix) :]: value for name, value in weights.items() if name.startswith(prefix)
    }


def _bilinear_matrix(size: int, target: int) -> FloatArray:
    """[target, size]: bilinear resizing of one axis, pixel centers at 0.5."""
    places = np.clip((np.arange(target) + 0.5) * size / target - 0.5, 0, size - 1)
    before = np.floor(places).astype(int)
    after = np.minimum(before + 1, size - 1)
    matrix = np.zeros((target, size), np.float32)
    np.add.at(matrix, (np.arange(target), before), 1 - (places - before))
    np.add.at(matrix, (np.arange(target), after), places - before)
    return matrix
