"""The model folder: what export writes and what the painter reads; no configuration beside it.

model.json            format, name, label set, sizes, styles, what it was trained on, sha256s
generator.json        the network (.pdmodel from Paddle 2, which Paddle 3 reads as well)
generator.pdiparams   its weights
styles.npz            styles of photos and what they show, for models with styles (maybe)
encoder.*             the same of the style encoder, for models that take a style picture
training.pdparams     what other runs can begin with (maybe); engine/source.py reads it, painting
                      never does
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from spade_paddle.engine.source import MODEL_FILE
from spade_paddle.errors import ModelError
from spade_paddle.files import sha256, write_text_atomically

FORMAT = 2
READABLE_FORMATS = (1, 2)  # 1 knew no style, no positions and no instance maps
PROGRAM = "generator"
ENCODER = "encoder"
PROGRAM_ENDINGS = (".json", ".pdmodel")  # of Paddle 3 and of Paddle 2


def write_model(folder: Path, model: dict[str, Any]) -> None:
    """Write ``model.json``."""
    text = json.dumps(model, indent=1, ensure_ascii=False) + "\n"
    write_text_atomically(folder / MODEL_FILE, text)


def read_model(folder: Path) -> dict[str, Any]:
    """Read and check ``model.json`` and the files it names.

    Raises:
        ModelError: not a model folder, of a newer format, or a file is missing or changed.
    """
    path = folder / MODEL_FILE
    try:
        model = json.loads(path.read_text(encoding="utf-8"))
        model_format, files = model["format"], model["files"]
    except FileNotFoundError as error:
        raise ModelError(
            f"{folder}: this is not a model folder, it has no model.json; make one with "
            "tools/export.py",
            code="model_missing",
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{path}: damaged: {error}", code="model_damaged") from error
    if model_format not in READABLE_FORMATS:
        raise ModelError(
            f"{path}: format {model_format}, but this version of spade_paddle reads formats "
            f"{' and '.join(map(str, READABLE_FORMATS))}; install the version that exported it "
            "or export again",
            code="model_format",
        )
    for name, expected in files.items():
        if not (folder / name).is_file() or sha256(folder / name) != expected:
            raise ModelError(
                f"{folder / name}: missing or not the file that was exported; copy the model "
                "folder again",
                code="model_damaged",
            )
    return {"positions": None, "style_dim": 0, "styles": [], **model}
