#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compare label maps with the ground truth: intersection over union of each label.

tools/compare_maps.py --maps OUT/labels --truth DATA/val/labels
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
from spade_paddle.metrics.segmentation import Agreement, confusion


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--maps", required=True, type=Path, help="folder of label maps to evaluate")
    parser.add_argument(
        "--truth", required=True, type=Path, help="folder of the ground truth, with the same names"
    )
    parser.add_argument("--label-set", default="landscape", help="label set: name or file")
    return run_tool(compare, parser)


def compare(arguments: argparse.Namespace) -> int:
    label_set = find_label_set(arguments.label_set)
    truths = sorted(arguments.truth.glob("*.png"))
    missing = [path.name for path in truths if not (arguments.maps / path.name).is_file()]
    if missing or not truths:
        raise DataError(
            f"{arguments.maps}: of the {len(truths)} maps in {arguments.truth} these are missing: "
            f"{', '.join(missing[:6])}{' ...' if len(missing) > 6 else ''}; add them",
            code="maps_missing",
        )
    counts = np.zeros((len(label_set), len(label_set) + 1), np.int64)
    for path in truths:
        truth = read_label_map(path, label_set)
        given = read_label_map(arguments.maps / path.name, label_set)
        counts += confusion(truth, resize_nearest(given, *truth.shape), num_labels=len(label_set))
    print(table(Agreement.of(counts), label_set))
    print(f"{len(truths)} label maps")
    return 0


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
