#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Prune the channels of a trained generator to a budget, and create a student's run folder.

Then train the student with tools/train.py; see docs/compression.md.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

from spade_paddle.cli import run_tool
from spade_paddle.engine.cpu import apply_cpu_settings

FACTORS = {"": 1, "K": 1e3, "M": 1e6, "G": 1e9}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--run", required=True, type=Path, help="the teacher: run folder, or trainable model folder"
    )
    parser.add_argument("--out", required=True, type=Path, help="run folder of the student")
    budgets = parser.add_mutually_exclusive_group(required=True)
    budgets.add_argument("--macs", type=amount(""), help="multiply-adds per picture, such as 1.0G")
    budgets.add_argument(
        "--size", type=amount("B"), help="size of the float32 weights, such as 4MB"
    )
    budgets.add_argument(
        "--latency", type=amount("ms"), help="time per picture on this machine, such as 50ms"
    )
    parser.add_argument(
        "--picture",
        type=picture_size,
        metavar="WIDTHxHEIGHT",
        help="picture size for MACs and latency; default: the training size",
    )
    parser.add_argument(
        "--method",
        choices=("cat", "omgd", "none"),
        default="cat",
        help="distillation method of the student (distillation.method); default: cat",
    )
    parser.add_argument(
        "--start",
        choices=("clipped", "scratch"),
        default="clipped",
        help="initialize the student with the remaining channels, or randomly",
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="FIELD=VALUE",
        help="change a field of the student's configuration, for example total_images=20000",
    )
    return run_tool(compress, parser)


def compress(arguments: argparse.Namespace) -> int:
    apply_cpu_settings()
    # after the CPU settings
    from spade_paddle.compression.clipping import prune_to_budget
    from spade_paddle.compression.groups import widths_of
    from spade_paddle.compression.table import pruning_rows, pruning_table
    from spade_paddle.engine.initial_weights import Source
    from spade_paddle.engine.students import begin_student

    source = Source.read(arguments.run, warn=print).faded_in()
    teacher = source.config
    height, width = arguments.picture or teacher.data.picture_size(teacher.generator.multiple)
    labels = len(source.label_set)
    budget, cost = budget_of(arguments, source, height=height, width=width)
    pruned = prune_to_budget(
        budget, source.weights["generator"], teacher, num_labels=labels, cost=cost
    )
    begin_student(
        arguments.out,
        arguments.run,
        source,
        pruned,
        config=configuration(arguments, pruned.widths),
        warn=print,
    )
    rows = pruning_rows(
        teacher,
        num_labels=labels,
        before=widths_of(teacher),
        after=pruned.widths,
        height=height,
        width=width,
    )
    print(pruning_table(rows))
    print(f"{pruned.cost:,.4g} {cost.unit} of {budget:,.4g}; multiply-adds for {width} x {height}")
    print(f"student: {arguments.out}; train it: tools/train.py --data DATA --run {arguments.out}")
    return 0


def budget_of(arguments: argparse.Namespace, source, *, height: int, width: int):
    """Return the budget, and the cost that it limits."""
    from spade_paddle.compression.cost import bytes_cost, macs_cost
    from spade_paddle.inference.timing import latency_cost

    config, labels = source.config, len(source.label_set)
    if arguments.macs is not None:
        return arguments.macs, macs_cost(config, num_labels=labels, height=height, width=width)
    if arguments.size is not None:
        return arguments.size, bytes_cost(config, num_labels=labels)
    return arguments.latency, latency_cost(config, source.label_set, height=height, width=width)


def configuration(arguments: argparse.Namespace, widths):
    """The student's configuration: the teacher's, with the widths and the distillation options."""
    from spade_paddle.config import read_config
    from spade_paddle.engine.initial_weights import configuration_of

    config, _ = configuration_of(arguments.run)
    teacher = str(arguments.run.absolute())
    content = {**config.to_dict(), "init_from": teacher}
    content["generator"]["widths"] = widths.to_lists(config.generator)
    content["distillation"] |= {
        "method": arguments.method,
        "student_start": arguments.start,
        "teacher": teacher if arguments.method == "cat" else None,
    }
    return read_config(content, where=f"the student of {arguments.run}", overrides=arguments.set)


def amount(unit: str):
    """An argparse type for numbers with a unit: 1.0G, 4MB, 50ms."""

    def read(text: str) -> float:
        found = re.fullmatch(rf"(\d+\.?\d*|\.\d+)([KMG]?){unit}", text.strip(), re.IGNORECASE)
        if not found:
            example = {"": "1.0G", "B": "4MB", "ms": "50ms"}[unit]
            raise argparse.ArgumentTypeError(f"expected an amount such as {example}, got {text!r}")
        return float(found[1]) * FACTORS[found[2].upper()]

    return read


def picture_size(text: str) -> tuple[int, int]:
    """Parse WIDTHxHEIGHT; returns height and width."""
    found = re.fullmatch(r"(\d+)x(\d+)", text)
    if not found:
        raise argparse.ArgumentTypeError(f"expected WIDTHxHEIGHT, such as 512x256, got {text!r}")
    return int(found[2]), int(found[1])


if __name__ == "__main__":
    sys.exit(main())
