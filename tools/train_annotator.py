#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Train an annotator with PaddleSeg, on photos with label maps.

The same command resumes from the last checkpoint.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from spade_paddle.cli import number_in, run_tool
from spade_paddle.engine.cpu import apply_cpu_settings


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--config", required=True, type=Path, help="configs/annotator.yml")
    parser.add_argument("--data", required=True, type=Path, help="data set with train/")
    parser.add_argument(
        "--run", required=True, type=Path, help="run folder, to create or to resume"
    )
    parser.add_argument("--out", required=True, type=Path, help="annotator folder to write")
    parser.add_argument(
        "--iters", type=number_in(1, 10**9), help="steps; default: those of --config"
    )
    parser.add_argument(
        "--save-every", type=number_in(1, 10**9), default=500, help="steps between checkpoints"
    )
    return run_tool(train, parser)


def train(arguments: argparse.Namespace) -> int:
    apply_cpu_settings()
    # after the CPU settings
    from spade_paddle.annotate.segmentation_network import require_paddleseg

    require_paddleseg()
    from spade_paddle.annotate.training import AnnotatorTraining

    training = AnnotatorTraining(
        arguments.config, data=arguments.data, run=arguments.run, iters=arguments.iters
    )
    training.train(save_every=arguments.save_every)
    if training.is_first_process:
        agreement = training.export(arguments.out)
        print(
            f"annotator: {arguments.out}, mean IoU {agreement.mean_iou:.3f} on the validation part"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
