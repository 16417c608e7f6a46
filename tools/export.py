#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Export the generator of a training run as a model folder for inference.

With --onnx, also as an ONNX file for programs without Paddle; --model converts an existing folder.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tqdm import tqdm

from spade_paddle.cli import run_tool
from spade_paddle.errors import UserError

ENDING = ".onnx"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", type=Path, help="run folder of tools/train.py")
    parser.add_argument(
        "--out",
        type=Path,
        help="model folder to write; an existing one is replaced, with the model for large "
        "pictures in it; MODEL/large adds that model to MODEL",
    )
    parser.add_argument(
        "--onnx", type=Path, metavar="FILE", help="also write the generator as this ONNX file"
    )
    parser.add_argument(
        "--model", type=Path, help="with --onnx, instead of --run: an existing model folder"
    )
    parser.add_argument("--name", help="name of the model; default: landscape")
    parser.add_argument("--version", help="version of the weights; default: 1")
    parser.add_argument(
        "--snapshot",
        metavar="best|IMAGES",
        help="the average with the best validation score, or the one saved after so many images; "
        "default: the newest checkpoint",
    )
    parser.add_argument(
        "--style",
        action="append",
        type=named_photo,
        default=[],
        metavar="NAME=PHOTO",
        help="include the style of a photo under this name; may be repeated",
    )
    parser.add_argument(
        "--styles",
        type=Path,
        metavar="DATA",
        help="data set whose training photos are a gallery of styles: a doodle gets the style of a "
        "photo with a similar layout",
    )
    parser.add_argument(
        "--coarse-noise",
        type=float,
        nargs="+",
        default=[],
        metavar="FACTOR",
        help="multiply the noise of the coarsest block, the next one, ... by these factors; about "
        "3 3 varies light and shapes more within a picture (docs/training.md)",
    )
    parser.add_argument(
        "--trainable",
        action="store_true",
        help="include the trained networks, for tools/train.py --init",
    )
    return run_tool(export, parser)


def export(arguments: argparse.Namespace) -> int:
    check_combination(arguments)
    if arguments.onnx is not None:
        from spade_paddle.inference.onnx_file import export_onnx, require_paddle2onnx

        require_paddle2onnx()  # fail before exporting
    model = arguments.model or export_folder(arguments)
    if arguments.onnx is not None:
        print(f"ONNX file: {export_onnx(model, arguments.onnx)}")
    return 0


def export_folder(arguments: argparse.Namespace) -> Path:
    """Export the run as a model folder, with its styles."""
    from spade_paddle.inference.export import export_run
    from spade_paddle.inference.styles import add_gallery, add_styles

    out = export_run(
        arguments.run,
        arguments.out,
        name=arguments.name or "landscape",
        version=arguments.version or "1",
        snapshot=arguments.snapshot,
        trainable=arguments.trainable,
        coarse_noise=arguments.coarse_noise,
    )
    if arguments.style:
        add_styles(out, dict(arguments.style))
    if arguments.styles is not None:
        print(f"{add_gallery(out, arguments.styles, progress=tqdm)} styles in the gallery")
    print(f"model folder: {out}")
    return out


def check_combination(arguments: argparse.Namespace) -> None:
    """Raise UserError for contradictory options, before anything is exported."""
    given = [f"--{name.replace('_', '-')}" for name, value in vars(arguments).items() if value]
    wrong = [name for name in given if name not in ("--model", "--onnx")]
    if arguments.model is None and not {"--run", "--out"} <= set(given):
        problem = f"expected --run RUN and --out MODEL, got {' '.join(given) or 'neither'}"
    elif arguments.model is not None and wrong:
        problem = f"--model converts an existing folder and takes no {', '.join(wrong)}"
    elif arguments.model is not None and arguments.onnx is None:
        problem = "--model converts an existing folder and needs --onnx FILE"
    elif arguments.onnx is not None and arguments.onnx.suffix.lower() != ENDING:
        problem = f"--onnx {arguments.onnx}: expected a file that ends in {ENDING}"
    else:
        return
    raise UserError(
        f"{problem}; give --run RUN --out MODEL [--onnx FILE{ENDING}], or "
        f"--model MODEL --onnx FILE{ENDING}",
        code="export_options",
    )


def named_photo(text: str) -> tuple[str, Path]:
    """Parse NAME=PHOTO."""
    name, separator, path = text.partition("=")
    if not (name and separator and path):
        raise argparse.ArgumentTypeError(f"expected NAME=PHOTO, got {text!r}")
    return name, Path(path)


if __name__ == "__main__":
    sys.exit(main())
