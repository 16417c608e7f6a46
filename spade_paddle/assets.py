"""What comes along with the code, wherever the package lies.

In a checkout it lies at the top level; a wheel has copies within the package, made by setup.py.
"""

from __future__ import annotations

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
TOOLS = ROOT / "tools"
"""The commands, a file each."""


def find_config(text: str | Path) -> Path:
    """A configuration's file, by its path or by its name, such as ``landscape_cpu``.

    Args:
        text: a path if it ends in .yaml or .yml; else a name.

    Raises:
        ConfigError: there is none of that name.
    """
    if Path(text).suffix in (".yaml", ".yml"):
        return Path(text)
    names = sorted(path.stem for path in CONFIGS.glob("*.yaml"))
    if str(text) not in names:
        advice = did_you_mean(str(text), names, otherwise=f"there are {', '.join(names)}")
        raise ConfigError(
            f"there is no configuration '{text}'; {advice}; or give a file that ends in .yaml",
            code="config_missing",
        )
    return CONFIGS / f"{text}.yaml"
