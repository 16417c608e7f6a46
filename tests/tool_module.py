"""A command of tools/ as a module, which runs in less time than a process."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType


def tool_module(root: Path, name: str) -> ModuleType:
    """tools/NAME.py, loaded anew."""
    spec = importlib.util.spec_from_file_location(f"{name}_tool", root / "tools" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
