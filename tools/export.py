#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Export the generator of a training run as a model folder that paints by itself."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from spade_paddle.cli import run_tool


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", required=True, type=Path, help="run folder of tools/train.py")
    parser.add_argument("--out", required=True, type=Path, help="model folder, made anew")
    parser.add_argument("--name", default="landscape", help="name of the model")
    parser.add_argument("--version", default="1", help="version of the weights")
    return run_tool(export, parser)


def export(arguments: argparse.Namespace) -> int:
    from spade_paddle.inference.export import export_run

    out = export_run(arguments.run, arguments.out, name=arguments.name, version=arguments.version)
    print(f"model folder: {out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
