"""Files as PyTorch's ``torch.save`` writes them, made without PyTorch.

``archive.pth`` and ``row_of_pickles.pth`` beside this file are PyTorch 2.4.1's own, of one content
in its two formats.
"""

from __future__ import annotations

import io
import pickle
import sys
import types
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np

_NAMES = {"float32": "FloatStorage", "float64": "DoubleStorage", "int64": "LongStorage"}


class _Storage:
    def __init__(self, values: np.ndarray, key: str) -> None:
        self.values, self.key = values, key


class _Pickler(pickle.Pickler):
    """Arrays as tensors, each with a storage of its own."""

    def __init__(self, file, modules: dict[str, types.ModuleType]) -> None:
        super().__init__(file, protocol=2)
        self._modules = modules
        self.storages: list[_Storage] = []

    def reducer_override(self, value: Any) -> Any:
        if not isinstance(value, np.ndarray):
            return NotImplemented
        storage = _Storage(np.asarray(value, order="C"), str(len(self.storages)))
        self.storages.append(storage)
        strides = [step // value.itemsize for step in storage.values.strides]
        arguments = (storage, 0, value.shape, tuple(strides), False, OrderedDict())
        return self._modules["torch._utils"]._rebuild_tensor_v2, arguments

    def persistent_id(self, value: Any) -> Any:
        if not isinstance(value, _Storage):
            return None
        kind = getattr(self._modules["torch"], _NAMES[str(value.values.dtype)])
        return "storage", kind, value.key, "cpu", value.values.size


def write_pth(path: Path, content: Any) -> Path:
    """Write arrays in dictionaries and lists as the archive of PyTorch 1.6 and later."""
    modules = {name: types.ModuleType(name) for name in ("torch", "torch._utils")}
    for name in _NAMES.values():
        setattr(modules["torch"], name, type(name, (), {"__module__": "torch"}))

    def _rebuild_tensor_v2():
        raise AssertionError("only its name is written")

    _rebuild_tensor_v2.__module__ = "torch._utils"
    _rebuild_tensor_v2.__qualname__ = "_rebuild_tensor_v2"
    modules["torch._utils"]._rebuild_tensor_v2 = _rebuild_tensor_v2
    file = io.BytesIO()
    pickler = _Pickler(file, modules)
    with mock.patch.dict(sys.modules, modules):
        pickler.dump(content)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", file.getvalue())
        for storage in pickler.storages:
            archive.writestr(f"archive/data/{storage.key}", storage.values.tobytes())
    return path
