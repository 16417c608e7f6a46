#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Correct the label maps of a data set where an annotator is sure of another label.

Also moves their edges to those of the photos. Writes a folder of label maps, to be used instead of
DATA/train/labels (or DATA/labels); the data set itself and a validation part stay as they are.
"""

from __future__ import annotations

import argparse
import functools
import sys
from pathlib import Path

import numpy as np
from tqdm import tqdm

from spade_paddle.annotate.annotator_files import DEFAULT_ANNOTATOR
from spade_paddle.annotate.edges import EDGE_REACH
from spade_paddle.cli import number_in, run_tool
from spade_paddle.data.label_sets import find_label_set
from spade_paddle.data.labels import DONT_CARE, LabelSet
from spade_paddle.engine.cpu import apply_cpu_settings

LISTED = 10


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--data", required=True, type=Path, help="data set; of one with parts, its train/")
    add("--out", required=True, type=Path, help="folder for the label maps")
    add("--label-set", default="landscape", help="the data set's label set: name or file")
    add("--model", default=DEFAULT_ANNOTATOR, help="annotator, as for tools/annotate.py")
    sure_help = "how sure the annotator must be; default: %(default)s"
    add("--min-confidence", type=number_in(0.0, 1.0), default=0.6, help=sure_help)
    keep_help = "labels that are never replaced, such as rare ones that the annotator misses"
    add("--keep", nargs="+", default=[], metavar="LABEL", help=keep_help)
    reach_help = "see tools/annotate.py; default: %(default)s; 0: edges stay"
    add("--edge-reach", type=number_in(0.0, 0.1), default=EDGE_REACH, help=reach_help)
    return run_tool(correct, parser)


def correct(arguments: argparse.Namespace) -> int:
    apply_cpu_settings()
    # after the CPU settings
    from spade_paddle.annotate.annotator import Annotator
    from spade_paddle.annotate.correction import correct_labels

    label_set = find_label_set(arguments.label_set)
    keep = [label_set.id_of(name) for name in arguments.keep]
    corrections = correct_labels(
        arguments.data,
        arguments.out,
        annotator=Annotator.load(
            arguments.model, label_set=label_set, min_confidence=arguments.min_confidence
        ),
        keep=keep,
        edge_reach=arguments.edge_reach,
        progress=functools.partial(tqdm, unit="map"),
    )
    print_table(corrections.relabeled, label_set)
    most = sorted(corrections.shares.items(), key=lambda item: -item[1])[:LISTED]
    print("changed most: " + ", ".join(f"{name} {100 * share:.0f} %" for name, share in most))
    print(f"{len(corrections.shares)} label maps: {arguments.out}")
    return 0


def print_table(relabeled: np.ndarray, label_set: LabelSet) -> None:
    """Print how much of each label became another one, and which one most often."""
    names = {label.id: label.name_en for label in label_set.labels}
    names[DONT_CARE] = "don't care"
    print(f"{'label':20}  changed, %  mostly to")
    for value in np.flatnonzero(relabeled.sum(axis=1)):
        row = relabeled[value].copy()
        total, row[value] = row.sum(), 0
        target = names[int(row.argmax())] if row.any() else "-"
        print(f"{names[int(value)]:20}  {100 * row.sum() / total:10.2f}  {target}")


if __name__ == "__main__":
    sys.exit(main())
