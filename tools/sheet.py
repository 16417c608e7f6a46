#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Paint validation scenes side by side: label map | generated | photo."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
from PIL import Image

from spade_paddle.cli import run_tool
from spade_paddle.data.dataset import find_pairs, read_scene
from spade_paddle.data.sheet import sheet
from spade_paddle.data.transforms import whole_picture
from spade_paddle.errors import DataError


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", required=True, type=Path, help="model folder")
    parser.add_argument("--data", required=True, type=Path, help="folder of the data set")
    parser.add_argument("--out", required=True, type=Path, help="picture to write, .jpg or .png")
    parser.add_argument("--scenes", default="", help="names separated by commas; default: all")
    parser.add_argument("--side", type=int, default=256, help="pixels of each picture in the sheet")
    parser.add_argument("--across", type=int, default=2, help="scenes side by side")
    return run_tool(make_sheet, parser)


def make_sheet(arguments: argparse.Namespace) -> int:
    from spade_paddle.inference.painter import Painter

    painter = Painter.load(arguments.model)
    triples = paint_scenes(painter, arguments.data, arguments.scenes)
    cells = [[shrink(picture, arguments.side) for picture in triple] for triple in triples]
    rows = [
        [picture for triple in cells[index : index + arguments.across] for picture in triple]
        for index in range(0, len(cells), arguments.across)
    ]
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(sheet(rows)).save(arguments.out, quality=88)
    print(f"{len(triples)} scenes: {arguments.out}")
    return 0


def paint_scenes(painter, data: Path, names: str) -> list[list[np.ndarray]]:
    """Return label map in colors, painted picture and photo of each scene."""
    # the split of flat data sets depends on the share used in training
    found = find_pairs(data, "val", val_share=painter.card.option("data.val_share"))
    pairs = {pair.stem: pair for pair in found}
    wanted = [name for name in names.split(",") if name] or list(pairs)
    unknown = [name for name in wanted if name not in pairs]
    if unknown:
        raise DataError(
            f"--scenes: {', '.join(unknown)} not in the val part of {data}; choose from "
            f"{', '.join(pairs)}",
            code="scene_unknown",
        )
    triples = []
    for name in wanted:
        scene = read_scene(pairs[name], painter.label_set)
        scene = whole_picture(scene, painter.height, painter.width)
        picture = painter.paint(scene.label_map)
        triples.append([painter.label_set.colorize(scene.label_map), picture, scene.photo])
    return triples


def shrink(picture: np.ndarray, side: int) -> np.ndarray:
    """Resize a picture to side x side pixels."""
    return np.asarray(Image.fromarray(picture).resize((side, side), Image.Resampling.LANCZOS))


if __name__ == "__main__":
    sys.exit(main())
