"""Paths of the files that are included with the code.

In a checkout they are at the top level; a wheel has copies inside of the package, made by setup.py.
"""

from __future__ import annotations

import os
from pathlib import Path

from spade_paddle.errors import ConfigError, did_you_mean

_PACKAGE = Path(__file__).parent
_PACKED = _PACKAGE / "packed"
ROOT = _PACKED if _PACKED.is_dir() else _PACKAGE.parent
"""The checkout, or the copy of its folders in an installed package."""
CONFIGS = ROOT / "configs"
"""The configurations, and in ``labels/`` the label sets."""
WEIGHTS = ROOT / "hub_module" / "weights"
"""The model folder of the included generator."""
SHIPPED = "landscape"
"""The name of that model, which is accepted instead of its path."""
PAGE = _PACKAGE / "page"
"""The doodle page: ``index.html`` and the folder ``ui``."""
TOOLS = ROOT / "tools"
"""The commands, one file each."""


def find_config(text: str | Path) -> Path:
    """Find a configuration file by its path or name, such as ``landscape_cpu``; see find_file."""
    return find_file(text, CONFIGS, what="configuration", code="config_missing")


def find_file(text: str | Path, folder: Path, *, what: str, code: str) -> Path:
    """Find an included YAML file by its name, or any file by its path.

    Args:
        text: a path if it has a separator or ends in .yaml, .yml or .json; else a name.
        folder: the folder of the included files.
        what: the kind of file, for the error.
        code: code of the error.

    Raises:
        ConfigError: there is no included file of that name.
    """
    name = str(text)
    if is_path(name):
        return Path(name)
    known = sorted(path.stem for path in folder.glob("*.yaml"))
    if name in known:
        return folder / f"{name}.yaml"
    hint = did_you_mean(name, known, otherwise="")
    raise ConfigError(
        f"there is no {what} '{name}'; {hint + ' ' if hint else ''}choose from {', '.join(known)}, "
        "or give the path of a file, such as ./mine.yaml",
        code=code,
    )


def is_path(text: str) -> bool:
    """Whether a text is the path of a file, not a name (see find_file)."""
    separators = [separator for separator in ("/", os.sep, os.altsep) if separator]
    return text.endswith((".yaml", ".yml", ".json")) or any(each in text for each in separators)
