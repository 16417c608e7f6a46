#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compare label maps with the ground truth: intersection over union of each label.

tools/compare_maps.py --maps OUT/labels --truth DATA/val/labels
tools/compare_maps.py --maps OUT1/labels OUT2/labels --truth FOLD1/val/labels FOLD2/val/labels
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

from spade_paddle.cli import run_tool
from spade_paddle.data.label_pictures import read_label_map
from spade_paddle.data.label_sets import find_label_set
from spade_paddle.data.labels import LabelSet
from spade_paddle.data.transforms import resize_nearest
from spade_paddle.errors import DataError
from spade_paddle.metrics.segmentation import Agreement, confusion, joint_iou


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--maps", required=True, nargs="+", type=Path, help="folders of label maps to evaluate")
    truth_help = "for each, the folder of the ground truth, with the same names"
    add("--truth", required=True, nargs="+", type=Path, help=truth_help)
    add("--label-set", default="landscape", help="label set: name or file")
    together_help = "also evaluate these labels as one, for example: sky cloud"
    add("--together", nargs="+", default=[], metavar="LABEL", help=together_help)
    return run_tool(compare, parser)


def compare(arguments: argparse.Namespace) -> int:
    label_set = find_label_set(arguments.label_set)
    together = [label_set.id_of(name) for name in arguments.together]
    if len(arguments.maps) != len(arguments.truth):
        raise DataError(
            f"--maps and --truth: expected as many folders of each, got {len(arguments.maps)} and "
            f"{len(arguments.truth)}",
            code="maps_missing",
        )
    counts = np.zeros((len(label_set), len(label_set) + 1), np.int64)
    number = 0
    for maps, truth_folder in zip(arguments.maps, arguments.truth):
        for path in truth_files(maps, truth_folder):
            truth = read_label_map(path, label_set)
            given = read_label_map(maps / path.name, label_set)
            given = resize_nearest(given, *truth.shape)
            counts += confusion(truth, given, num_labels=len(label_set))
            number += 1
    print(table(Agreement.of(counts), label_set))
    if together:
        print(f"{' and '.join(arguments.together)} together: IoU {joint_iou(counts, together):.3f}")
    print(f"{number} label maps")
    return 0


def truth_files(maps: Path, truth: Path) -> list[Path]:
    """List the label maps of ``truth``; raise DataError if ``maps`` lacks one of them."""
    truths = sorted(truth.glob("*.png"))
    missing = [path.name for path in truths if not (maps / path.name).is_file()]
    if missing or not truths:
        raise DataError(
            f"{maps}: of the {len(truths)} maps in {truth} these are missing: "
            f"{', '.join(missing[:6])}{' ...' if len(missing) > 6 else ''}; add them",
            code="maps_missing",
        )
    return truths


def table(agreement: Agreement, label_set: LabelSet) -> str:
    """A Markdown table for a model card."""
    rows = ["| label | IoU | recall | share of pixels |", "|---|---|---|---|"]
    for label, iou, recall, share in zip(
        label_set.labels, agreement.iou, agreement.recall, agreement.share
    ):
        values = " | ".join("-" if np.isnan(x) else f"{x:.3f}" for x in (iou, recall))
        rows.append(f"| {label.name_en} | {values} | {share:.3f} |")
    mean = f"mean IoU {agreement.mean_iou:.3f}, pixel accuracy {agreement.pixel_accuracy:.3f}"
    return "\n".join([*rows, "", mean])


if __name__ == "__main__":
    sys.exit(main())
