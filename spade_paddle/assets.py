"""What comes along with the code, wherever the package lies.

In a checkout it lies at the top level; a wheel has copies within the package, made by setup.py.
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
"""The model folder of the shipped generator."""
SHIPPED = "landscape"
"""Its name, by which it is found wherever it lies."""
PAGE = _PACKAGE / "page"
"""The doodle page: ``index.html`` and the folder ``ui``."""
TOOLS = ROOT / "tools"
"""The commands, a file each."""


def find_config(text: str | Path) -> Path:
    """A configuration's file, by its path or by its name, such as ``landscape_cpu``: find_file."""
    return find_file(text, CONFIGS, what="configuration", code="config_missing")


def find_file(text: str | Path, folder: Path, *, what: str, code: str) -> Path:
    """A YAML file of a folder that comes along, by its name, or any file by its path.

    Args:
        text: a path if it holds a separator or ends in .yaml, .yml or .json; else a name.
        folder: where the known ones lie.
        what: they are, for people.
        code: of the error.

    Raises:
        ConfigError: there is none of that name.
    """
    name = str(text)
    if is_path(name):
        return Path(name)
    known = sorted(path.stem for path in folder.glob("*.yaml"))
    if name in known:
        return folder / f"{name}.yaml"
    hint = did_you_mean(name, known, otherwise="")
    raise ConfigError(
        f"there is no {what} '{name}'; {hint + ' ' if hint else ''}there are {', '.join(known)}; "
        "or give a file, such as ./mine.yaml",
        code=code,
    )


def is_path(text: str) -> bool:
    """Whether a text is the path of a file, not a name."""
    separators = [separator for separator in ("/", os.sep, os.altsep) if separator]
    return text.endswith((".yaml", ".yml", ".json")) or any(each in text for each in separators)
