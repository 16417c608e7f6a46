#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Export the generator of a training run as a model folder that paints by itself.

And, with --onnx, a model folder's as an ONNX file for programs without Paddle.
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
    parser.add_argument("--out", type=Path, help="model folder, made anew")
    parser.add_argument(
        "--onnx", type=Path, metavar="FILE", help="write the generator as this ONNX file as well"
    )
    parser.add_argument(
        "--model", type=Path, help="with --onnx, in place of --run: a model folder that there is"
    )
    parser.add_argument("--name", help="name of the model; default: landscape")
    parser.add_argument("--version", help="version of the weights; default: 1")
    parser.add_argument(
        "--snapshot",
        metavar="best|IMAGES",
        help="the best averages by the judge's score, or those kept after so many images; "
        "default: the newest checkpoint",
    )
    parser.add_argument(
        "--style",
        action="append",
        type=named_photo,
        default=[],
        metavar="NAME=PHOTO",
        help="a style that comes with the model, that of a photo; may be repeated",
    )
    parser.add_argument(
        "--styles",
        type=Path,
        metavar="DATA",
        help="a data set: a doodle gets the style of a training photo that shows much the same",
    )
    parser.add_argument(
        "--trainable",
        action="store_true",
        help="add the networks as they train, so that tools/train.py --init can go on from them",
    )
    return run_tool(export, parser)


def export(arguments: argparse.Namespace) -> int:
    check_combination(arguments)
    if arguments.onnx is not None:
        from spade_paddle.inference.onnx_file import export_onnx, require_paddle2onnx

        require_paddle2onnx()  # before anything is exported
    model = arguments.model or export_folder(arguments)
    if arguments.onnx is not None:
        print(f"ONNX file: {export_onnx(model, arguments.onnx)}")
    return 0


def export_folder(arguments: argparse.Namespace) -> Path:
    """The model folder of the run, with its styles."""
    from spade_paddle.inference.export import export_run
    from spade_paddle.inference.styles import add_gallery, add_styles

    out = export_run(
        arguments.run,
        arguments.out,
        name=arguments.name or "landscape",
        version=arguments.version or "1",
        snapshot=arguments.snapshot,
        trainable=arguments.trainable,
    )
    if arguments.style:
        add_styles(out, dict(arguments.style))
    if arguments.styles is not None:
        print(f"{add_gallery(out, arguments.styles, progress=tqdm)} styles to choose from")
    print(f"model folder: {out}")
    return out


def check_combination(arguments: argparse.Namespace) -> None:
    """Refuse, before anything is exported, options that do not go together."""
    given = [f"--{name}" for name, value in vars(arguments).items() if value]
    wrong = [name for name in given if name not in ("--model", "--onnx")]
    if arguments.model is None and not {"--run", "--out"} <= set(given):
        problem = f"expected --run RUN and --out MODEL, got {' '.join(given) or 'neither'}"
    elif arguments.model is not None and wrong:
        problem = f"--model is a folder that was exported and takes no {', '.join(wrong)}"
    elif arguments.model is not None and arguments.onnx is None:
        problem = "--model: a folder that was exported needs nothing but --onnx FILE"
    elif arguments.onnx is not None and arguments.onnx.suffix.lower() != ENDING:
        problem = f"--onnx {arguments.onnx}: expected a file that ends in {ENDING}"
    else:
        return
    raise UserError(
        f"{problem}; give --run RUN --out MODEL, with --onnx FILE{ENDING} or without, or else "
        f"--model MODEL --onnx FILE{ENDING}",
        code="export_options",
    )


def named_photo(text: str) -> tuple[str, Path]:
    """NAME=PHOTO as argparse wants it read."""
    name, separator, path = text.partition("=")
    if not (name and separator and path):
        raise argparse.ArgumentTypeError(f"expected NAME=PHOTO, got {text!r}")
    return name, Path(path)


if __name__ == "__main__":
    sys.exit(main())
