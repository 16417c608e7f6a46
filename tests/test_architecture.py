"""Imports point one way (docs/design.md), and big packages stay where they belong."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
# what each part may import of ours; itself always
ALLOWED = {
    "errors": set(),
    "pth_files": set(),
    "weights": {"errors", "pth_files"},
    "files": set(),
    "assets": {"errors"},
    "cli": {"errors"},
    "fields": set(),
    "reading": {"errors", "fields"},
    "data_config": {"fields"},
    "distillation_config": {"fields"},
    "loss_config": {"fields"},
    "config": {
        *("assets", "config_checks", "data_config", "distillation_config", "errors", "fields"),
        "loss_config",
        "reading",
    },
    "config_checks": {"config", "data_config"},  # of the former the type only
    "model_card": {"config", "data", "errors", "files"},
    "config_table": {"config", "fields"},
    "data": {"assets", "config", "errors", "files"},
    "doctor": {"config", "data", "errors", "files"},
    "compression": {"config", "errors", "layers", "networks", "weights"},
    "layers": {"errors"},
    "networks": {"config", "data", "errors", "features", "layers"},
    "features": {"errors", "weights"},
    "losses": {"data", "errors", "features", "layers"},
    "onednn": {"errors"},
    "engine": {
        *("compression", "config", "data", "doctor", "errors", "features", "files", "judge"),
        *("layers", "losses", "model_card", "networks", "onednn", "weights"),
    },
    "inference": {
        *(
            "assets",
            "compression",
            "config",
            "data",
            "engine",
            "errors",
            "files",
            "layers",
            "model_card",
            "networks",
            "onednn",
        ),
        "weights",
    },
    "convert": {
        *("config", "data", "engine", "errors", "files", "inference", "layers", "networks"),
        "weights",
    },
    "serving": {
        *("annotate", "assets", "cli", "data", "engine", "errors", "fields", "files"),
        *("inference", "model_card", "reading"),
    },
    "__main__": {"assets", "errors", "serving"},
    "metrics": {"data"},
    "judge": {"data", "errors", "features", "files", "metrics"},
    "annotate": {
        *("config", "data", "errors", "features", "files", "metrics", "onednn", "weights"),
    },
    "evaluation": {
        *("annotate", "config", "data", "errors", "features", "files", "inference", "judge"),
        *("metrics", "model_card"),
    },
}
# packages that only these files may import
ONLY_IN = {
    "visualdl": ("spade_paddle/engine/log.py",),
    "flask": ("spade_paddle/serving/",),
    "flask_cors": ("spade_paddle/serving/",),
    "gunicorn": ("spade_paddle/serving/",),
    "prometheus_client": ("spade_paddle/serving/",),
    "paddlehub": ("spade_paddle/serving/", "hub_module/"),
    "paddleseg": ("spade_paddle/annotate/",),
    "onnx": ("spade_paddle/inference/onnx_file.py",),
    "paddle2onnx": ("spade_paddle/inference/onnx_file.py",),
    "ruamel": ("spade_paddle/reading.py",),
    "pydantic": (
        *("spade_paddle/config.py", "spade_paddle/config_table.py", "spade_paddle/data_config.py"),
        *("spade_paddle/distillation_config.py", "spade_paddle/fields.py"),
        "spade_paddle/loss_config.py",
        *("spade_paddle/reading.py", "spade_paddle/serving/settings.py"),
    ),
}
NO_PADDLE = (
    "spade_paddle/config.py",
    "spade_paddle/config_checks.py",
    "spade_paddle/config_table.py",
    "spade_paddle/data_config.py",
    "spade_paddle/distillation_config.py",
    "spade_paddle/loss_config.py",
    "spade_paddle/errors.py",
    "spade_paddle/model_card.py",
    "spade_paddle/fields.py",
    "spade_paddle/reading.py",
    "spade_paddle/data/",
    "spade_paddle/doctor/",
)


def source_files():
    folders = (ROOT / "spade_paddle", ROOT / "hub_module", ROOT / "tools")
    return sorted(path for folder in folders for path in folder.rglob("*.py"))


def imported_names(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def part_of(name: str) -> str | None:
    words = name.split(".")
    return words[1] if words[0] == "spade_paddle" and len(words) > 1 else None


@pytest.mark.parametrize("path", source_files(), ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_one_way(path):
    place = path.relative_to(ROOT).as_posix()
    names = imported_names(path)
    if place.startswith("spade_paddle/") and place != "spade_paddle/__init__.py":
        own = Path(place).relative_to("spade_paddle").parts[0].removesuffix(".py")
        used = {part_of(name) for name in names} - {None, own, "__version__"}
        assert used <= ALLOWED[own], f"{place} imports {sorted(used - ALLOWED[own])}"
    top = {name.partition(".")[0] for name in names}
    for package, places in ONLY_IN.items():
        if package in top:
            assert place.startswith(places), f"{place} imports {package}"
    if place.startswith(NO_PADDLE):
        assert "paddle" not in top, f"{place} imports paddle"
