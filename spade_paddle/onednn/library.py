"""ctypes bindings of the parts of the oneDNN 3 C API that we use.

Paddle's wheel contains the library for inference. Names and constants are those of oneDNN's header
files (dnnl_types.h, dnnl.h).
"""

from __future__ import annotations

import ctypes
import functools
import importlib.util
import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import Any

Pointer = ctypes.c_void_p
_Dims = ctypes.c_int64 * 12

BFLOAT16, FLOAT32 = 2, 3  # dnnl_data_type_t
FORWARD_TRAINING, FORWARD_INFERENCE = 64, 96  # dnnl_prop_kind_t
DIRECT = 0x1  # dnnl_alg_kind_t: convolution
SRC, DST, WEIGHTS, BIAS = 1, 17, 33, 41  # arguments of a primitive
DIFF_SRC, DIFF_DST, DIFF_WEIGHTS, DIFF_BIAS = 129, 145, 161, 169
_QUERIES = {SRC: 129, DIFF_SRC: 130, WEIGHTS: 131, DIFF_WEIGHTS: 132, DST: 133, DIFF_DST: 134}
_CPU, _IN_ORDER, _ANY = 1, 1, 1
_TANH = 0x21  # dnnl_alg_kind_t: element-wise
_MAJOR = 3
_AVX512_BF16 = 0xE7  # dnnl_cpu_isa_t: one bit per instruction set


class OneDNNError(RuntimeError):
    """A call of the library failed, for example because an operation is not supported."""


class _Argument(ctypes.Structure):
    _fields_ = (("kind", ctypes.c_int), ("memory", Pointer))


class _Version(ctypes.Structure):
    _fields_ = (("major", ctypes.c_int), ("minor", ctypes.c_int), ("patch", ctypes.c_int))


class Layout:
    """The memory layout of a tensor (a ``dnnl_memory_desc_t``).

    Args:
        handle: handle of the memory descriptor.
        owner: the object that owns the handle, kept alive with it; None: this object owns it.
    """

    def __init__(self, handle: Pointer, *, owner: Any = None) -> None:
        self.handle = handle
        self._owner = owner
        if owner is None:
            _destroy_with(self, "dnnl_memory_desc_destroy", handle)

    @classmethod
    def plain(cls, shape: Sequence[int], kind: int = FLOAT32) -> Layout:
        """Row-major, like contiguous arrays of Paddle and NumPy."""
        strides = [1]
        for size in reversed(shape[1:]):
            strides.insert(0, strides[0] * size)
        return cls.strided(shape, strides, kind)

    @classmethod
    def channels_last(cls, shape: Sequence[int]) -> Layout:
        """For the shape [N, C, H, W], float32, stored like an array [N, H, W, C]."""
        _, channels, height, width = shape
        strides = (height * width * channels, 1, width * channels, channels)
        return cls.strided(shape, strides, FLOAT32)

    @classmethod
    def strided(cls, shape: Sequence[int], strides: Sequence[int], kind: int) -> Layout:
        """With these strides, in elements, along the axes."""
        handle = Pointer()
        _call(
            "dnnl_memory_desc_create_with_strides",
            *(ctypes.byref(handle), len(shape), dims(shape), kind, dims(strides)),
        )
        return cls(handle)

    @classmethod
    def any(cls, shape: Sequence[int], kind: int) -> Layout:
        """Let the primitive that it is passed to choose its layout (``dnnl_format_tag_any``)."""
        handle = Pointer()
        _call(
            "dnnl_memory_desc_create_with_tag",
            *(ctypes.byref(handle), len(shape), dims(shape), kind, _ANY),
        )
        return cls(handle)

    @property
    def size(self) -> int:
        """Size in bytes."""
        return library().dnnl_memory_desc_get_size(self.handle)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Layout) and bool(
            library().dnnl_memory_desc_equal(self.handle, other.handle)
        )

    __hash__ = None


class Primitive:
    """An operation with fixed shapes and layouts.

    Args:
        description: a ``dnnl_primitive_desc_t``; ownership is transferred.
    """

    def __init__(self, description: Pointer) -> None:
        self.description = description
        _destroy_with(self, "dnnl_primitive_desc_destroy", description)
        self._handle = Pointer()
        _call("dnnl_primitive_create", ctypes.byref(self._handle), description)
        _destroy_with(self, "dnnl_primitive_destroy", self._handle)
        self._arguments: ctypes.Array[_Argument] | None = None
        self._memories: dict[int, Pointer] = {}

    def layout(self, argument: int) -> Layout:
        """Return the layout that it requires for an argument."""
        handle = library().dnnl_primitive_desc_query_md(
            self.description, _QUERIES[argument], ctypes.c_int(0)
        )
        return Layout(Pointer(handle), owner=self)

    def bind(self, layouts: dict[int, Layout]) -> None:
        """Set the layouts of all arguments; call it once, before running."""
        for argument, layout in layouts.items():
            memory = Pointer()
            _call(
                "dnnl_memory_create",
                *(ctypes.byref(memory), layout.handle, _engine(), Pointer(0)),
            )
            _destroy_with(self, "dnnl_memory_destroy", memory)
            self._memories[argument] = memory
        entries = [_Argument(*entry) for entry in self._memories.items()]
        self._arguments = (_Argument * len(entries))(*entries)

    def __call__(self, addresses: dict[int, int]) -> None:
        """Run it on memory at these addresses, one for each bound argument."""
        for argument, address in addresses.items():
            library().dnnl_memory_set_data_handle(self._memories[argument], address)
        _call(
            "dnnl_primitive_execute",
            *(self._handle, _stream(), len(self._arguments), self._arguments),
        )


def primitive(kind: str, *arguments: Any) -> Primitive:
    """Create a primitive with ``dnnl_KIND_primitive_desc_create`` and these arguments.

    Raises:
        OneDNNError: the library does not support these shapes and layouts.
    """
    description = Pointer()
    _call(f"dnnl_{kind}_primitive_desc_create", ctypes.byref(description), _engine(), *arguments)
    return Primitive(description)


def reorder(source: Layout, target: Layout) -> Primitive:
    """Create a copy between two layouts (and types) of one shape; arguments are SRC and DST."""
    description = Pointer()
    _call(
        "dnnl_reorder_primitive_desc_create",
        *(ctypes.byref(description), source.handle, _engine(), target.handle, _engine(), None),
    )
    copy = Primitive(description)
    copy.bind({SRC: source, DST: target})
    return copy


class Attributes:
    """Post-operations of a primitive (a ``dnnl_primitive_attr_t``).

    Args:
        add: add the result to the contents of the destination.
        tanh: apply the hyperbolic tangent last.
    """

    def __init__(self, *, add: bool = False, tanh: bool = False) -> None:
        self.handle, operations = Pointer(), Pointer()
        _call("dnnl_primitive_attr_create", ctypes.byref(self.handle))
        _destroy_with(self, "dnnl_primitive_attr_destroy", self.handle)
        _call("dnnl_post_ops_create", ctypes.byref(operations))
        if add:
            scale, zero_point = ctypes.c_float(1), 0
            _call("dnnl_post_ops_append_sum", operations, scale, zero_point, FLOAT32)
        if tanh:
            none = ctypes.c_float(0)
            _call("dnnl_post_ops_append_eltwise", operations, _TANH, none, none)
        _call("dnnl_primitive_attr_set_post_ops", self.handle, operations)
        _call("dnnl_post_ops_destroy", operations)


def matrix_product(left: int, right: int, out: int, *, sizes: tuple[int, int, int]) -> None:
    """``out = left @ right``, where each is the address of a row-major float32 matrix.

    Args:
        sizes: rows of left, columns of left, columns of right.
    """
    rows, inner, columns = map(ctypes.c_int64, sizes)
    one, zero, plain = ctypes.c_float(1), ctypes.c_float(0), ctypes.c_char(b"N")
    _call(
        "dnnl_sgemm",
        *(plain, plain, rows, columns, inner, one, Pointer(left), inner),
        *(Pointer(right), columns, zero, Pointer(out), columns),
    )


def dims(values: Sequence[int]) -> ctypes.Array:
    """Convert sizes, strides or paddings to a ``dnnl_dims_t``."""
    return _Dims(*map(int, values))


def wheel_libraries() -> Path:
    """Return the folder of shared libraries in Paddle's wheel, without importing Paddle."""
    return Path(importlib.util.find_spec("paddle").submodule_search_locations[0], "libs")


@functools.lru_cache(maxsize=1)
def library() -> ctypes.CDLL:
    """Load the library.

    Raises:
        OneDNNError: Paddle's wheel does not contain it here, or has another major version.
    """
    folder = wheel_libraries()
    found = sorted(folder.glob("libdnnl.so*"))
    if not found:
        raise OneDNNError(f"there is no libdnnl.so in {folder.name}/ of the paddle package")
    try:
        loaded = ctypes.CDLL(str(found[-1]))
    except OSError as error:
        raise OneDNNError(f"{found[-1].name} cannot be loaded: {error}") from error
    loaded.dnnl_version.restype = ctypes.POINTER(_Version)
    version = loaded.dnnl_version().contents
    if version.major != _MAJOR:
        raise OneDNNError(f"expected version {_MAJOR} of oneDNN, found {version.major}")
    loaded.dnnl_primitive_desc_query_md.restype = Pointer
    loaded.dnnl_primitive_desc_query_md.argtypes = [Pointer, ctypes.c_int, ctypes.c_int]
    loaded.dnnl_memory_desc_equal.argtypes = [Pointer, Pointer]
    loaded.dnnl_memory_desc_get_size.restype = ctypes.c_size_t
    loaded.dnnl_memory_desc_get_size.argtypes = [Pointer]
    loaded.dnnl_memory_set_data_handle.argtypes = [Pointer, Pointer]
    loaded.dnnl_primitive_execute.argtypes = [
        *(Pointer, Pointer, ctypes.c_int, ctypes.POINTER(_Argument)),
    ]
    return loaded


def has_bfloat16() -> bool:
    """Whether the processor has bfloat16 instructions (AVX512_BF16)."""
    return library().dnnl_get_effective_cpu_isa() & _AVX512_BF16 == _AVX512_BF16


@functools.lru_cache(maxsize=1)
def _engine() -> Pointer:
    engine = Pointer()
    _call("dnnl_engine_create", ctypes.byref(engine), _CPU, ctypes.c_size_t(0))
    return engine


@functools.lru_cache(maxsize=1)
def _stream() -> Pointer:
    stream = Pointer()
    _call("dnnl_stream_create", ctypes.byref(stream), _engine(), _IN_ORDER)
    return stream


def _call(name: str, *arguments: Any) -> None:
    status = getattr(library(), name)(*arguments)
    if status:
        raise OneDNNError(f"{name} failed with status {status}")


def _destroy_with(owner: object, name: str, handle: Pointer) -> None:
    """Destroy a handle of the library when its Python owner is garbage-collected."""
    weakref.finalize(owner, getattr(library(), name), Pointer(handle.value))
