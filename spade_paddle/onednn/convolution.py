"""A convolution of fixed shapes with oneDNN: forward and backward, on Paddle's CPU tensors.

Legend: N batch, C channels in, O channels out, H, W size of the input, h, w of the output.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import paddle

from spade_paddle.onednn import library
from spade_paddle.onednn.library import Layout, Primitive

Shape = tuple[int, ...]
Pair = tuple[int, int]


@dataclass(frozen=True)
class Geometry:
    """Shapes of a convolution without dilation."""

    x: Shape  # [N, C, H, W]
    weight: Shape  # [O, C / groups, kh, kw]
    stride: Pair
    padding: Pair  # top, left
    padding_after: Pair  # bottom, right
    groups: int
    bias: bool
    bfloat16: bool  # inputs are rounded to bfloat16; sums and results are float32

    @property
    def y(self) -> Shape:
        """[N, O, h, w]."""
        sizes = [
            (self.x[2 + i] + self.padding[i] + self.padding_after[i] - self.weight[2 + i])
            // self.stride[i]
            + 1
            for i in range(2)
        ]
        return (self.x[0], self.weight[0], *sizes)

    @property
    def is_depthwise(self) -> bool:
        """Whether every channel has one kernel, and there are several channels."""
        return self.x[1] == self.weight[0] == self.groups > 1

    @property
    def filters(self) -> Shape:
        """The weight's shape for the library: [G, O / G, C / G, kh, kw] with G > 1 groups."""
        if self.groups == 1:
            return self.weight
        return (self.groups, self.weight[0] // self.groups, *self.weight[1:])


class Packed:
    """Conversion between a row-major tensor and the layout that a primitive requires."""

    def __init__(self, shape: Shape, wanted: Layout) -> None:
        self.layout = wanted
        plain = Layout.plain(shape)
        self._shape = shape
        self._fits = plain == wanted
        self._size = wanted.size
        if not self._fits:
            self._pack = library.reorder(plain, wanted)

    def pack(self, tensor: paddle.Tensor) -> paddle.Tensor:
        """Convert ``float32`` to a buffer of bytes; return the tensor itself if the layout fits."""
        tensor = tensor.contiguous()
        if self._fits:
            return tensor
        buffer = paddle.empty([self._size], dtype="uint8")
        self._pack({library.SRC: tensor.data_ptr(), library.DST: buffer.data_ptr()})
        return buffer

    def compute(self, run: Callable[[int], None]) -> paddle.Tensor:
        """Call ``run`` with the address of an output in this layout; return it as ``float32``."""
        tensor = paddle.empty(self._shape, dtype="float32")
        if self._fits:
            run(tensor.data_ptr())
            return tensor
        buffer = paddle.empty([self._size], dtype="uint8")
        run(buffer.data_ptr())
        self._unpack({library.SRC: buffer.data_ptr(), library.DST: tensor.data_ptr()})
        return tensor

    @functools.cached_property
    def _unpack(self) -> Primitive:
        return library.reorder(self.layout, Layout.plain(self._shape))


class Convolution:
    """The primitives of one geometry; those of the backward pass are created on first use.

    Inputs are packed once for all primitives that read them: x for the forward pass and the
    weight's gradient, the output gradient for both gradients.
    """

    def __init__(self, geometry: Geometry) -> None:
        self.geometry = geometry
        self._forward = self._primitive("forward")
        self.x = Packed(geometry.x, self._forward.layout(library.SRC))
        self._weight = Packed(geometry.filters, self._forward.layout(library.WEIGHTS))
        self._y = Packed(geometry.y, self._forward.layout(library.DST))
        layouts = {library.SRC: self.x, library.WEIGHTS: self._weight, library.DST: self._y}
        self._bind(self._forward, layouts, bias=library.BIAS)

    def forward(
        self, packed_x: paddle.Tensor, weight: paddle.Tensor, bias: paddle.Tensor | None
    ) -> paddle.Tensor:
        """Return ``float32`` [N, O, h, w] for a packed x, the weight and the bias [O] or None."""
        packed_weight = self._weight.pack(weight)
        addresses = {library.SRC: packed_x, library.WEIGHTS: packed_weight, library.BIAS: bias}
        return self._y.compute(lambda y: self._forward(_addresses(addresses, {library.DST: y})))

    def weight_gradients(
        self, packed_x: paddle.Tensor, packed_gradient: paddle.Tensor
    ) -> tuple[paddle.Tensor, paddle.Tensor | None]:
        """Return the gradients of the weight and of the bias (None without one), ``float32``."""
        bias = paddle.empty(self.geometry.weight[:1], "float32") if self.geometry.bias else None
        addresses = {
            library.SRC: packed_x,
            library.DIFF_DST: packed_gradient,
            library.DIFF_BIAS: bias,
        }
        run, layout = self._for_weight
        weight = layout.compute(lambda w: run(_addresses(addresses, {library.DIFF_WEIGHTS: w})))
        return weight.reshape(self.geometry.weight), bias

    def input_gradient(
        self, packed_gradient: paddle.Tensor, weight: paddle.Tensor
    ) -> paddle.Tensor:
        """Return the gradient of x, ``float32`` [N, C, H, W]."""
        run, layout, weight_layout = self._for_input
        packed_weight = weight_layout.pack(weight)
        addresses = {library.DIFF_DST: packed_gradient, library.WEIGHTS: packed_weight}
        return layout.compute(lambda x: run(_addresses(addresses, {library.DIFF_SRC: x})))

    @functools.cached_property
    def gradient(self) -> Packed:
        """Packs the output gradient for both backward primitives."""
        return Packed(self.geometry.y, self._backward_weights.layout(library.DIFF_DST))

    @functools.cached_property
    def _backward_weights(self) -> Primitive:
        return self._primitive("backward_weights", x=self.x.layout)

    @functools.cached_property
    def _for_weight(self) -> tuple[Primitive, Packed]:
        run = self._backward_weights
        weight = Packed(self.geometry.filters, run.layout(library.DIFF_WEIGHTS))
        layouts = {
            library.SRC: self.x,
            library.DIFF_DST: self.gradient,
            library.DIFF_WEIGHTS: weight,
        }
        self._bind(run, layouts, bias=library.DIFF_BIAS)
        return run, weight

    @functools.cached_property
    def _for_input(self) -> tuple[Primitive, Packed, Packed]:
        run = self._primitive("backward_data", y=self.gradient.layout)
        x = Packed(self.geometry.x, run.layout(library.DIFF_SRC))
        weight = Packed(self.geometry.filters, run.layout(library.WEIGHTS))
        layouts = {
            library.DIFF_DST: self.gradient,
            library.WEIGHTS: weight,
            library.DIFF_SRC: x,
        }
        self._bind(run, layouts)
        return run, x, weight

    def _primitive(self, kind: str, *, x: Layout | None = None, y: Layout | None = None):
        """Create a primitive that reads its inputs in the geometry's precision and writes
        ``float32``; layouts of x and y that are not given are chosen by the library."""
        geometry = self.geometry
        low = library.BFLOAT16 if geometry.bfloat16 else library.FLOAT32
        written = {"forward": "y", "backward_weights": "filters", "backward_data": "x"}[kind]
        given = {"x": x, "y": y, "filters": None}
        layouts = {
            name: layout
            or Layout.any(getattr(geometry, name), library.FLOAT32 if name == written else low)
            for name, layout in given.items()
        }
        bias = kind != "backward_data" and geometry.bias
        bias_layout = Layout.plain(geometry.weight[:1]) if bias else None
        sides = [
            library.dims(side)
            for side in (geometry.stride, (0, 0), geometry.padding, geometry.padding_after)
        ]
        return library.primitive(
            f"convolution_{kind}",
            *([library.FORWARD_TRAINING] if kind == "forward" else []),
            library.DIRECT,
            layouts["x"].handle,
            layouts["filters"].handle,
            *([] if kind == "backward_data" else [bias_layout and bias_layout.handle]),
            layouts["y"].handle,
            *sides,
            *([] if kind == "forward" else [self._forward.description]),
            None,
        )

    def _bind(self, run: Primitive, packed: Mapping[int, Packed], *, bias: int = 0) -> None:
        layouts = {argument: part.layout for argument, part in packed.items()}
        if bias and self.geometry.bias:
            layouts[bias] = Layout.plain(self.geometry.weight[:1])
        run.bind(layouts)


@functools.lru_cache(maxsize=1024)
def convolution(geometry: Geometry) -> Convolution:
    """Return the primitives of a geometry, cached.

    Raises:
        OneDNNError: the library does not support it.
    """
    return Convolution(geometry)


def _addresses(tensors: Mapping[int, paddle.Tensor | None], addresses: dict[int, int]) -> dict:
    """Add the addresses of all tensors that are not None."""
    own = {kind: tensor.data_ptr() for kind, tensor in tensors.items() if tensor is not None}
    return {**own, **addresses}
