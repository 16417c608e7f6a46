#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Time a model folder: seconds a picture, and how often faster than Paddle's eager mode.

Both are timed in turn in one process, so that their ratio holds on a busy machine.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from pathlib import Path

from spade_paddle.cli import run_tool
from spade_paddle.engine.cpu import apply_cpu_settings


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", required=True, type=Path, help="model folder")
    parser.add_argument("--side", type=int, nargs="+", default=[256], help="pixels of a side")
    parser.add_argument("--rounds", type=int, default=9, help="pictures each, after one to warm up")
    parser.add_argument("--threads", type=int, default=None, help="CPU threads; default: all cores")
    return run_tool(benchmark, parser)


def benchmark(arguments: argparse.Namespace) -> int:
    apply_cpu_settings()
    from spade_paddle.inference.painter import Painter  # after the CPU settings

    painter = Painter.load(arguments.model, threads=arguments.threads)
    eager = eager_painter(painter)
    for side in arguments.side:
        report(painter, eager, side=side, rounds=arguments.rounds)
    return 0


def eager_painter(painter):
    """A function that paints a label map with the same network, eagerly (weights do not matter)."""
    import paddle

    from spade_paddle.inference.export import LabelsToPicture

    config = painter.card.config
    network = LabelsToPicture.of(config, num_labels=len(painter.label_set))

    def paint(label_map) -> None:
        inputs = {}
        for name, (shape, kind) in network.input_shapes().items():
            known = [1, *shape[1:-2], *label_map.shape] if shape[-1] is None else [1, *shape[1:]]
            inputs[name] = paddle.randn(known) if kind == "float32" else paddle.zeros(known, kind)
        inputs["label_map"] = paddle.to_tensor(label_map[None].astype("int32"))
        with paddle.no_grad():
            network(inputs).numpy()

    return paint


def report(painter, eager, *, side: int, rounds: int) -> None:
    """Print the medians and the median of the ratios, pair by pair."""
    from spade_paddle.inference.timing import seconds, stripes

    label_map = stripes(side, side, labels=len(painter.label_set))
    pairs = [
        (seconds(painter.paint, label_map), seconds(eager, label_map)) for _ in range(rounds + 1)
    ]
    pairs = pairs[1:]  # the first of each is slower
    ours, theirs = (statistics.median(column) for column in zip(*pairs))
    ratio = statistics.median(slow / fast for fast, slow in pairs)
    print(
        f"{side}x{side}: painter {ours:.3f} s, eager {theirs:.3f} s, ratio {ratio:.1f} "
        f"(medians of {rounds})"
    )


if __name__ == "__main__":
    sys.exit(main())
