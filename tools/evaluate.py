#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measure how good model folders paint the scenes of a data set; several are compared.

tools/evaluate.py --model OLD --model NEW --data DATA --features efficientnet_lite0.npz
"""

from __future__ import annotations

import argparse
import functools
import json
import sys
from pathlib import Path

from tqdm import tqdm

from spade_paddle.annotate.choice import DEFAULT_ANNOTATOR
from spade_paddle.cli import number_in, run_tool
from spade_paddle.data.dataset import PARTS
from spade_paddle.data.split import HALVES
from spade_paddle.engine.cpu import apply_cpu_settings
from spade_paddle.errors import ConfigError
from spade_paddle.files import write_text_atomically


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--model", required=True, type=Path, action="append", help="model folder; may be repeated"
    )
    parser.add_argument("--data", required=True, type=Path, help="data set (docs/data.md)")
    parser.add_argument(
        "--features",
        required=True,
        type=Path,
        help="weights of EfficientNet-Lite0, .npz; a network that training looks through is no "
        "judge",
    )
    parser.add_argument(
        "--annotator", default=DEFAULT_ANNOTATOR, help="name or folder; 'none': no IoU"
    )
    parser.add_argument("--part", choices=PARTS, default="val", help="of the data set")
    parser.add_argument(
        "--half",
        choices=(*HALVES, "all"),
        default="report",
        help="of the part's scenes, told apart by a hash of their names: choose recipes and "
        "checkpoints on 'choose', and tell how good they are by 'report'",
    )
    parser.add_argument("--side", type=number_in(32, 1024), default=256, help="pixels of a picture")
    parser.add_argument("--json", type=Path, help="file for everything, with every scene")
    return run_tool(evaluate, parser)


def evaluate(arguments: argparse.Namespace) -> int:
    if arguments.json is not None and arguments.json.is_dir():
        raise ConfigError(f"{arguments.json}: --json is a folder; name a file", code="out_folder")
    apply_cpu_settings()
    from spade_paddle.evaluation.job import evaluate_models  # after the CPU settings

    report = evaluate_models(
        arguments.model,
        data=arguments.data,
        features=arguments.features,
        annotator=None if arguments.annotator == "none" else arguments.annotator,
        part=arguments.part,
        half=arguments.half,
        side=arguments.side,
        progress=functools.partial(tqdm, desc="evaluate", unit="scene"),
        say=print,
    )
    print(report.text())
    if arguments.json is not None:
        text = json.dumps(report.to_dict(), ensure_ascii=False, indent=1, allow_nan=False)
        write_text_atomically(arguments.json, text + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
