"""PyTorch's .pth files, read without PyTorch and without running what they hold.

Both formats of ``torch.save`` (PyTorch's docs/source/notes/serialization.rst): the ZIP archive of
PyTorch 1.6 and later, with ``data.pkl`` and one file of bytes for each storage, and the file before
it, a row of pickles with the storages behind them.
"""

from __future__ import annotations

import io
import pickle
import zipfile
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Optional

import numpy as np

MAGIC_NUMBER = 0x1950A86A20F9469CFC6C  # of the earlier format
_DTYPES = {
    "DoubleStorage": np.dtype("<f8"),
    "FloatStorage": np.dtype("<f4"),
    "HalfStorage": np.dtype("<f2"),
    "BFloat16Storage": np.dtype("<u2"),  # the upper half of a float32
    "LongStorage": np.dtype("<i8"),
    "IntStorage": np.dtype("<i4"),
    "ShortStorage": np.dtype("<i2"),
    "CharStorage": np.dtype("i1"),
    "ByteStorage": np.dtype("u1"),
    "BoolStorage": np.dtype("?"),
}


class ForbiddenGlobal(pickle.UnpicklingError):
    """The pickle refers to a function or class that tensors do not need."""


def read_pth(path: Path) -> Any:
    """Read a file written by ``torch.save``; tensors become arrays, bfloat16 becomes float32.

    Args:
        path: the file.

    Raises:
        ForbiddenGlobal: it has objects other than tensors, containers, numbers and strings.
        Exception: of any kind, if the file is damaged.
    """
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            return _read_archive(archive)
    with path.open("rb") as file:
        return _read_legacy(file)


class _Storage:
    """The data of one or more tensors, which follows after the tensors in the earlier format."""

    def __init__(self, kind: str, values: Optional[np.ndarray] = None) -> None:
        self.kind = kind
        self.values = values

    def fill(self, data: bytes) -> None:
        self.values = np.frombuffer(data, _DTYPES[self.kind])


class _Tensor:
    """A view of a storage."""

    def __init__(
        self, storage: _Storage, offset: int, shape: Sequence[int], strides: Sequence[int]
    ) -> None:
        self._storage = storage
        self._offset, self._shape, self._strides = offset, tuple(shape), tuple(strides)

    def array(self) -> np.ndarray:
        values = self._storage.values
        if values is None:
            raise ValueError("a tensor has no data")
        integers = (self._offset, *self._shape, *self._strides)
        last = sum((size - 1) * step for size, step in zip(self._shape, self._strides))
        beyond = 0 not in self._shape and self._offset + last >= len(values)
        if len(self._shape) != len(self._strides) or min(integers) < 0 or beyond:
            raise ValueError("a tensor is larger than its storage")
        strides = [step * values.itemsize for step in self._strides]
        view = np.lib.stride_tricks.as_strided(values[self._offset :], self._shape, strides)
        if self._storage.kind == "BFloat16Storage":
            return (view.astype(np.uint32) << 16).view(np.float32)
        return view.copy()


class _Unpickler(pickle.Unpickler):
    """Resolves only the few globals that tensors consist of."""

    def __init__(self, file: BinaryIO, storages: dict[str, _Storage]) -> None:
        super().__init__(file, encoding="utf-8")
        self._storages = storages

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if module == "torch" and name in _DTYPES:
            return name
        if module == "torch._utils" and name in ("_rebuild_tensor_v2", "_rebuild_parameter"):
            return {"_rebuild_tensor_v2": _rebuild_tensor}.get(name, _rebuild_parameter)
        raise ForbiddenGlobal(f"{module}.{name}")

    def persistent_load(self, identity: Any) -> _Storage:
        _, kind, key, _, _, *view = identity
        if kind not in _DTYPES or any(view):  # views of storages: PyTorch before 0.4
            raise pickle.UnpicklingError(f"unknown storage {identity!r}")
        return self._storages.setdefault(str(key), _Storage(kind))


def _rebuild_tensor(
    storage: _Storage, offset: int, shape: Sequence[int], strides: Sequence[int], *_: Any
) -> _Tensor:
    return _Tensor(storage, offset, shape, strides)


def _rebuild_parameter(tensor: _Tensor, *_: Any) -> _Tensor:
    return tensor


def _read_archive(archive: zipfile.ZipFile) -> Any:
    inside = next(name for name in archive.namelist() if name.endswith("data.pkl"))
    top = inside[: -len("data.pkl")]
    order = f"{top}byteorder"
    if order in archive.namelist() and archive.read(order) != b"little":
        raise ValueError("the byte order is not little-endian")
    storages: dict[str, _Storage] = {}
    content = _Unpickler(io.BytesIO(archive.read(inside)), storages).load()
    for key, storage in storages.items():
        storage.fill(archive.read(f"{top}data/{key}"))
    return _with_arrays(content)


def _read_legacy(file: BinaryIO) -> Any:
    storages: dict[str, _Storage] = {}

    def load() -> Any:
        return _Unpickler(file, storages).load()

    if load() != MAGIC_NUMBER:
        raise ValueError("not a format of torch.save")
    load()  # version of the format
    if not load()["little_endian"]:
        raise ValueError("the byte order is not little-endian")
    content = load()
    for key in load():
        storage = storages[str(key)]
        count = int.from_bytes(file.read(8), "little")
        storage.fill(file.read(count * _DTYPES[storage.kind].itemsize))
    return _with_arrays(content)


def _with_arrays(content: Any) -> Any:
    """Convert tensors to arrays, recursively in dictionaries and lists."""
    if isinstance(content, _Tensor):
        return content.array()
    if isinstance(content, Mapping):
        return {key: _with_arrays(value) for key, value in content.items()}
    if isinstance(content, (list, tuple)):
        return [_with_arrays(value) for value in content]
    return content
