#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Make a training set from a folder of photos: PaddleSeg creates the label maps.

The same command resumes after a stop. Inspect OUT with --review, check it with tools/doctor.py, and
train with tools/train.py --data OUT.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from spade_paddle.annotate.annotator_files import DEFAULT_ANNOTATOR
from spade_paddle.annotate.edges import EDGE_REACH
from spade_paddle.cli import number_in, run_tool
from spade_paddle.data.label_sets import find_label_set
from spade_paddle.engine.cpu import apply_cpu_settings


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photos", required=True, type=Path, help="folder, with subfolders")
    parser.add_argument("--out", required=True, type=Path, help="data set to create or to resume")
    parser.add_argument("--label-set", default="landscape", help="label set: name or file")
    parser.add_argument(
        "--model",
        default=DEFAULT_ANNOTATOR,
        help="name, or PaddleSeg YAML file or folder with weights",
    )
    parser.add_argument(
        "--model-labels", help="label set of --model, if its files do not define it"
    )
    parser.add_argument("--shard", type=shard, default=(1, 1), help="1/4: first of four machines")
    parser.add_argument("--batch", type=number_in(1, 64), default=4, help="photos per batch")
    parser.add_argument("--flip", action="store_true", help="average with the mirror image")
    parser.add_argument("--scales", type=scales, default=(1.0,), help="sizes to average: 1.0,1.5")
    parser.add_argument(
        "--min-confidence", type=number_in(0.0, 1.0), default=0.0, help="below: don't care (255)"
    )
    parser.add_argument(
        "--edge-reach",
        type=number_in(0.0, 0.1),
        default=EDGE_REACH,
        help="move edges to those of the photo by up to this share of its short side; default: "
        "%(default)s; 0: leave them where the network predicts them",
    )
    parser.add_argument(
        "--short-side",
        type=number_in(0, 8192),
        default=512,
        help="pixels to shrink it to; 0: never",
    )
    parser.add_argument("--review", action="store_true", help="also write OUT/review.html")
    return run_tool(annotate, parser)


def annotate(arguments: argparse.Namespace) -> int:
    apply_cpu_settings()
    # after the CPU settings
    from spade_paddle.annotate.job import annotate_photos, summary_text
    from spade_paddle.annotate.review import write_review

    label_set = find_label_set(arguments.label_set)
    try:
        records = annotate_photos(
            arguments.photos,
            arguments.out,
            label_set=label_set,
            model=arguments.model,
            model_labels=arguments.model_labels,
            shard=arguments.shard,
            batch=arguments.batch,
            short_side=arguments.short_side or None,
            scales=arguments.scales,
            flip=arguments.flip,
            min_confidence=arguments.min_confidence,
            edge_reach=arguments.edge_reach,
        )
    except KeyboardInterrupt:
        print("stopped; run the same command to resume", file=sys.stderr)
        return 130
    print(summary_text(arguments.out, records))
    if arguments.review:
        print(f"page for review: {write_review(arguments.out, records, label_set)}")
    return 0


def shard(text: str) -> tuple[int, int]:
    """Parse ``2/4`` as (2, 4)."""
    index, separator, count = text.partition("/")
    if not (
        separator and index.isdecimal() and count.isdecimal() and 1 <= int(index) <= int(count)
    ):
        raise argparse.ArgumentTypeError(
            f"expected for example 2/4, the second of four, got {text!r}"
        )
    return int(index), int(count)


def scales(text: str) -> tuple[float, ...]:
    """Parse ``1.0,1.5`` as (1.0, 1.5)."""
    try:
        values = tuple(float(part) for part in text.split(","))
    except ValueError:
        values = (0.0,)
    if not all(0.25 <= value <= 4 for value in values):
        raise argparse.ArgumentTypeError(
            f"expected numbers from 0.25 to 4, such as 1.0,1.5, got {text!r}"
        )
    return values


if __name__ == "__main__":
    sys.exit(main())
