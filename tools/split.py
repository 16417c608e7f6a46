#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Divide a data set for cross-validation, so that no group of photos is in both parts."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from spade_paddle.cli import run_tool
from spade_paddle.data.folds import read_groups, write_fold


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("--data", required=True, type=Path, help="data set; it is not changed")
    add("--out", required=True, type=Path, help="data set to create, of links to its files")
    add("--fold", required=True, type=fold_of, metavar="K/N", help="val/ gets fold K of N")
    add("--groups", required=True, type=Path, help="CSV table: a photo and its group in each row")
    add("--file-column", default="file", help="its column of file names (default: file)")
    add("--group-column", default="group", help="its column of groups (default: group)")
    return run_tool(split, parser)


def fold_of(text: str) -> tuple[int, int]:
    """Parse ``K/N``, with K from 1 to N, and N at least 2."""
    fold, _, count = text.partition("/")
    if fold.isdecimal() and count.isdecimal() and 1 <= int(fold) <= int(count) >= 2:
        return int(fold), int(count)
    raise argparse.ArgumentTypeError(f"expected K/N, such as 1/5, got {text!r}")


def split(arguments: argparse.Namespace) -> int:
    fold, count = arguments.fold
    groups = read_groups(
        arguments.groups, file_column=arguments.file_column, group_column=arguments.group_column
    )
    written = write_fold(arguments.data, arguments.out, groups=groups, fold=fold - 1, count=count)
    print(f"{arguments.out}: {written['train']} scenes in train/, {written['val']} in val/")
    return 0


if __name__ == "__main__":
    sys.exit(main())
