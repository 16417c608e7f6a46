#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Convert label maps from one label set to another, or masks drawn in colors into label maps."""

from __future__ import annotations

import argparse
import functools
import sys
from pathlib import Path

import numpy as np
from tqdm import tqdm

from spade_paddle.cli import run_tool
from spade_paddle.data.label_sets import find_label_set, find_remap, label_set_names
from spade_paddle.data.labels import DONT_CARE, LabelSet, hex_of
from spade_paddle.data.remap_folder import Outcome, remap_folder

NOTES = """A label set is a name or a file (YAML or JSON). With --colors the maps are drawn in the
colors of --from, with any drawing program; --to may be the same set. Files that cannot be converted
completely are reported, the others are written, and the exit code is 1."""
SHOWN = 20  # unknown colors to list


def main() -> int:
    known = ", ".join(label_set_names())
    parser = argparse.ArgumentParser(description=__doc__, epilog=NOTES)
    add = parser.add_argument
    add("--maps", required=True, type=Path, help="folder of label maps")
    add("--out", required=True, type=Path, help="folder for palette PNGs with the same names")
    add("--from", required=True, dest="source", help=f"their label set: {known}, or a file")
    add("--to", required=True, dest="target", help="the target label set")
    add("--colors", action="store_true", help="the maps contain colors, not ids")
    return run_tool(remap_maps, parser)


def remap_maps(arguments: argparse.Namespace) -> int:
    source, target = find_label_set(arguments.source), find_label_set(arguments.target)
    outcome = remap_folder(
        arguments.maps,
        arguments.out,
        remap=find_remap(source, target),
        colors=arguments.colors,
        progress=functools.partial(tqdm, desc="remap", unit="map"),
    )
    print_table(outcome.pixels, target)
    if arguments.colors:
        print_colors(outcome)
    print(f"{outcome.written} label maps: {arguments.out}")
    for problem in outcome.problems:
        print(f"error: {problem}", file=sys.stderr)
    return 1 if outcome.problems else 0


def print_table(pixels: np.ndarray, label_set: LabelSet) -> None:
    """Print the labels that occur, with their share of all pixels."""
    names = {label.id: label.name_en for label in label_set.labels}
    names[DONT_CARE] = "don't care"
    print(f"{'id':>3}  {'label':20}  share in %")
    for value in np.flatnonzero(pixels):
        print(f"{value:3}  {names[value]:20}  {100 * pixels[value] / pixels.sum():10.2f}")


def print_colors(outcome: Outcome) -> None:
    """Print how many pixels had approximate or unknown colors."""
    total = max(int(outcome.pixels.sum()), 1)
    share = 100 * outcome.snapped / total
    print(f"{outcome.snapped} pixels ({share:.2f} %) were not exactly in a label's color")
    for color, count in outcome.unknown.most_common(SHOWN):
        print(f"unknown color {hex_of(color)}: {count} pixels")
    if len(outcome.unknown) > SHOWN:
        print(f"and {len(outcome.unknown) - SHOWN} more unknown colors")


if __name__ == "__main__":
    sys.exit(main())
