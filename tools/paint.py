#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Paint a label map, or a folder of them, with a model folder.

The style is that of a photo, of a saved vector, or one of the model's by name; without --style the
model chooses it, depending on --seed. In a folder, every label map is painted; those that cannot be
painted are reported, and the exit code is then 1.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
from PIL import Image

from spade_paddle.assets import WEIGHTS
from spade_paddle.cli import run_tool
from spade_paddle.data.dataset import MAP_ENDINGS, Folder
from spade_paddle.data.label_pictures import read_ids, read_label_map
from spade_paddle.data.photos import read_photo
from spade_paddle.errors import DataError, UserError
from spade_paddle.files import write_atomically
from spade_paddle.inference.natural_edges import EDGES, natural_edges

VECTOR = ".npy"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--model", type=Path, default=WEIGHTS, help="model folder; default: the shipped one"
    )
    parser.add_argument("--label-map", required=True, type=Path, help="PNG of label ids, or folder")
    parser.add_argument("--out", required=True, type=Path, help="picture, .png or .jpg; or folder")
    parser.add_argument(
        "--style", type=Path, help="photo, .npy of --save-style, or name of a style"
    )
    parser.add_argument(
        "--seed", type=seed, help="seed of the style and of details such as clouds and waves"
    )
    parser.add_argument(
        "--edges",
        choices=EDGES,
        default="drawn",
        help="natural: make the edges of a doodle as irregular as in photos; default: as drawn",
    )
    parser.add_argument("--instances", type=Path, help="PNG of instance ids, or folder")
    parser.add_argument("--save-style", type=Path, help="save the style of --style to this .npy")
    parser.add_argument(
        "--format", choices=("png", "jpg"), default="png", help="format for a folder"
    )
    parser.add_argument(
        "--overwrite", action="store_true", help="replace existing pictures in the folder"
    )
    parser.add_argument(
        "--engine",
        choices=("auto", "paddle", "native"),
        default="auto",
        help="native: our runtime for CPUs, paddle: Paddle Inference; default: native if available",
    )
    return run_tool(paint, parser)


def paint(arguments: argparse.Namespace) -> int:
    from spade_paddle.inference.painter import Painter

    folder = arguments.label_map.is_dir()
    check_outputs(arguments, folder=folder)
    painter = Painter.load(arguments.model, engine=arguments.engine)
    style = None if arguments.style is None else read_style(arguments.style, painter)
    if folder:
        failed = paint_folder(arguments, painter, style)
    else:
        files = (arguments.label_map, arguments.out, arguments.instances)
        print(paint_file(*files, arguments, painter, style))
        failed = 0
    if arguments.save_style is not None:
        write_atomically(arguments.save_style, lambda path: save_array(path, style))
    return int(failed > 0)


def paint_folder(arguments: argparse.Namespace, painter, style: np.ndarray | None) -> int:
    """Paint every label map of a folder; returns the number of failures."""
    maps = Folder(arguments.label_map, MAP_ENDINGS)
    maps.check(expected="give a label map, or a folder of them")
    failed = 0
    for name, (source, *_) in maps.by_stem.items():
        target = arguments.out / f"{name}.{arguments.format}"
        instances = arguments.instances and arguments.instances / source.name
        try:
            if target.exists() and not arguments.overwrite:
                raise DataError(
                    f"{target}: this exists already; --overwrite replaces it",
                    code="would_overwrite",
                )
            print(paint_file(source, target, instances, arguments, painter, style), flush=True)
        except UserError as error:
            failed += 1
            print(f"error: {error}", file=sys.stderr, flush=True)
    print(f"{len(maps.by_stem) - failed} of {len(maps.by_stem)} label maps painted")
    return failed


def paint_file(
    source: Path,
    target: Path,
    instances: Path | None,
    arguments: argparse.Namespace,
    painter,
    style: np.ndarray | None,
) -> str:
    """Paint one label map; returns a message. Raises UserError."""
    label_map = read_label_map(source, painter.label_set)
    if arguments.edges == "natural":
        label_map = natural_edges(label_map, painter.label_set, seed=arguments.seed)
    picture = painter.paint(
        label_map,
        seed=arguments.seed,
        style=style,
        instance_map=None if instances is None else read_ids(instances),
    )
    kind = Image.registered_extensions()[target.suffix.lower()]
    write_atomically(target, lambda path: Image.fromarray(picture).save(path, kind, quality=92))
    return f"{picture.shape[1]} x {picture.shape[0]} pixels: {target}"


def seed(text: str) -> int:
    """Parse a seed."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"expected 0, 1, 2, ..., got {text!r}")
    return int(text)


def read_style(path: Path, painter) -> np.ndarray:
    """Return a style vector: one of the model's, a saved one, or that of a photo."""
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
    """Save an array; np.save would append .npy to a temporary file's name."""
    with path.open("wb") as file:
        np.save(file, values)


def check_outputs(arguments: argparse.Namespace, *, folder: bool) -> None:
    """Raise DataError for unusable outputs, before anything is painted."""
    out, kept, instances = arguments.out, arguments.save_style, arguments.instances
    if folder:
        check_folders(arguments)
    elif out.suffix.lower() not in Image.registered_extensions():
        raise DataError(
            f"--out {out}: this extension is not a picture format; use .png or .jpg",
            code="out_ending",
        )
    if kept is not None and (arguments.style is None or kept.suffix.lower() != VECTOR):
        raise DataError(
            f"--save-style {kept}: expected a file that ends in .npy, together with --style PHOTO",
            code="save_style",
        )
    if instances is not None and folder != instances.is_dir():
        raise DataError(
            f"--instances {instances}: expected a {'folder' if folder else 'file'}, "
            "because --label-map is one",
            code="instances_kind",
        )
    if instances is not None and arguments.edges != "drawn":
        raise DataError(
            f"--edges {arguments.edges}: the instance edges of --instances would not follow; leave "
            "one of the two out",
            code="edges_of_instances",
        )


def check_folders(arguments: argparse.Namespace) -> None:
    """Raise DataError if --out is a file, or the folder of the label maps."""
    out = arguments.out
    if out.exists() and not out.is_dir():
        raise DataError(
            f"--out {out}: expected a folder, because --label-map is one", code="out_kind"
        )
    if out.is_dir() and out.samefile(arguments.label_map):
        raise DataError(
            f"--out {out}: the pictures would replace the label maps; choose another folder",
            code="would_overwrite",
        )


if __name__ == "__main__":
    sys.exit(main())
