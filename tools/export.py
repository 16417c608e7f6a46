#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Export the generator of a training run as a model folder that paints by itself."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tqdm import tqdm

from spade_paddle.cli import run_tool


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", required=True, type=Path, help="run folder of tools/train.py")
    parser.add_argument("--out", required=True, type=Path, help="model folder, made anew")
    parser.add_argument("--name", default="landscape", help="name of the model")
    parser.add_argument("--version", default="1", help="version of the weights")
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
    from spade_paddle.inference.export import export_run
    from spade_paddle.inference.styles import add_gallery, add_styles

    out = export_run(
        arguments.run,
        arguments.out,
        name=arguments.name,
        version=arguments.version,
        snapshot=arguments.snapshot,
        trainable=arguments.trainable,
    )
    if arguments.style:
        add_styles(out, dict(arguments.style))
    if arguments.styles is not None:
        print(f"{add_gallery(out, arguments.styles, progress=tqdm)} styles to choose from")
    print(f"model folder: {out}")
    return 0


def named_photo(text: str) -> tuple[str, Path]:
    """NAME=PHOTO as argparse wants it read."""
    name, separator, path = text.partition("=")
    if not (name and separator and path):
        raise argparse.ArgumentTypeError(f"expected NAME=PHOTO, got {text!r}")
    return name, Path(path)


if __name__ == "__main__":
    sys.exit(main())
