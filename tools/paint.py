#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Paint one label map with a model folder.

A style comes from a photo, from a vector saved earlier, or from a seed; without any of them it is
the model's average.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
from PIL import Image

from spade_paddle.assets import WEIGHTS
from spade_paddle.cli import run_tool
from spade_paddle.data.label_pictures import read_ids, read_label_map
from spade_paddle.data.photos import read_photo
from spade_paddle.errors import DataError
from spade_paddle.files import write_atomically

VECTOR = ".npy"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--model", type=Path, default=WEIGHTS, help="model folder; default: the shipped one"
    )
    parser.add_argument("--labels", required=True, type=Path, help="PNG whose values are label ids")
    parser.add_argument("--out", required=True, type=Path, help="picture to write, .png or .jpg")
    parser.add_argument("--style", type=Path, help="photo, .npy of --save-style, or name")
    parser.add_argument("--seed", type=seed, help="another style, other clouds, other waves")
    parser.add_argument("--instances", type=Path, help="8- or 16-bit PNG of instance ids")
    parser.add_argument("--save-style", type=Path, help="keep the style of --style in this .npy")
    parser.add_argument(
        "--engine",
        choices=("auto", "paddle", "native"),
        default="auto",
        help="native: our runtime for CPUs, paddle: Paddle Inference; default: the faster one",
    )
    return run_tool(paint, parser)


def paint(arguments: argparse.Namespace) -> int:
    from spade_paddle.inference.painter import Painter

    kind = check_outputs(arguments)
    painter = Painter.load(arguments.model, engine=arguments.engine)
    label_map = read_label_map(arguments.labels, painter.label_set)
    style = None if arguments.style is None else read_style(arguments.style, painter)
    picture = painter.paint(
        label_map,
        seed=arguments.seed,
        style=style,
        instance_map=None if arguments.instances is None else read_ids(arguments.instances),
    )
    write_atomically(
        arguments.out, lambda path: Image.fromarray(picture).save(path, kind, quality=92)
    )
    if arguments.save_style is not None:
        write_atomically(arguments.save_style, lambda path: save_array(path, style))
    print(f"{picture.shape[1]} x {picture.shape[0]} pixels: {arguments.out}")
    return 0


def seed(text: str) -> int:
    """A seed as argparse wants it read."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"expected 0, 1, 2, ..., got {text!r}")
    return int(text)


def read_style(path: Path, painter) -> np.ndarray:
    """The style vector of a photo, one that was saved, or one that comes with the model."""
    if str(path) in painter.styles:
        return painter.styles[str(path)]
    if path.suffix.lower() != VECTOR:
        return painter.style_of(read_photo(path))
    try:
        return np.load(path)
    except (OSError, ValueError) as error:
        raise DataError(
            f"--style {path}: not a saved style ({error}); make one with --save-style",
            code="style_unreadable",
        ) from error


def save_array(path: Path, values: np.ndarray) -> None:
    """np.save under exactly this name."""
    with path.open("wb") as file:
        np.save(file, values)


def check_outputs(arguments: argparse.Namespace) -> str:
    """Refuse, before anything is painted, what could not be written; the kind of picture."""
    kind = Image.registered_extensions().get(arguments.out.suffix.lower())
    if kind is None:
        raise DataError(
            f"--out {arguments.out}: this ending names no kind of picture; use .png or .jpg",
            code="out_ending",
        )
    kept = arguments.save_style
    if kept is not None and (arguments.style is None or kept.suffix.lower() != VECTOR):
        raise DataError(
            f"--save-style {kept}: expected a file that ends in .npy, together with --style PHOTO",
            code="save_style",
        )
    return kind


if __name__ == "__main__":
    sys.exit(main())
