#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Time generators: milliseconds per picture with each engine, and speedups.

Without --model: the shipped model, and generators of configs/ with random weights. All engines
paint the same maps in turn, so that speedups are valid on a busy machine; milliseconds need an
idle one. "native, known" paints a map for the second time, with cached patterns.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from spade_paddle.cli import run_tool
from spade_paddle.engine.cpu import apply_cpu_settings, usable_cores

KINDS = ("article", "spade", "clade", "clade_icpe")
MANY_LABELS = "spade, 182 labels"
COMPRESSED = "spade, a quarter of the MACs"
HEAD = "| model | GMAC | M parameters | engine | threads | ms | x Paddle | % of peak | MiB |"


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", type=Path, nargs="+", default=[], help="model folders to time")
    parser.add_argument(
        "--side", type=int, nargs="+", default=[256], help="height and width in pixels"
    )
    parser.add_argument(
        "--rounds", type=int, default=5, help="pictures to time, after one for warm-up"
    )
    parser.add_argument(
        "--threads",
        type=int,
        nargs="+",
        default=sorted({1, usable_cores()}),
        help="CPU threads; default: one, and all cores",
    )
    return run_tool(benchmark, parser)


def benchmark(arguments: argparse.Namespace) -> int:
    apply_cpu_settings()
    from spade_paddle.inference.benchmark import peak  # after the CPU settings

    peaks = peak(arguments.threads)
    rates = ", ".join(f"{peaks[n] / 1e9:.0f} with {n}" for n in peaks) or "unknown"
    print(f"Peak of this machine in GMAC/s by number of threads: {rates}")
    with models(arguments.model) as folders:
        for side in arguments.side:
            print(f"\n{side} x {side} pixels\n\n{HEAD}\n|{'---|' * (HEAD.count('|') - 1)}")
            for name, folder in folders.items():
                report(name, folder, side=side, arguments=arguments, peaks=peaks)
    return 0


@contextmanager
def models(given: list[Path]) -> Iterator[dict[str, Path]]:
    """Model folders by name: those given, or the shipped model and untrained ones."""
    from spade_paddle.assets import SHIPPED, WEIGHTS

    if given:
        yield {folder.name: folder for folder in given}
        return
    with tempfile.TemporaryDirectory() as temporary:
        untrained = {
            name: make_untrained(name, Path(temporary))
            for name in (*KINDS, MANY_LABELS, COMPRESSED)
        }
        yield {SHIPPED: WEIGHTS, **untrained}


def make_untrained(name: str, temporary: Path) -> Path:
    """Export a generator with random weights as a model folder."""
    from spade_paddle.assets import find_config
    from spade_paddle.config import load_config
    from spade_paddle.data.label_sets import find_label_set
    from spade_paddle.inference.timing import export_untrained

    config = load_config(find_config(name.partition(",")[0]))
    label_set = find_label_set("coco_stuff" if name == MANY_LABELS else "landscape")
    if name == COMPRESSED:
        config = compressed(config, num_labels=len(label_set))
    return export_untrained(config, label_set, temporary / name)


def compressed(config, *, num_labels: int):
    """The same configuration, pruned to a quarter of its multiply-adds."""
    from spade_paddle.compression.clipping import prune_to_budget, student_config
    from spade_paddle.compression.cost import macs_cost
    from spade_paddle.compression.groups import widths_of
    from spade_paddle.networks.build import build_generator

    height, width = config.data.picture_size(config.generator.multiple)
    cost = macs_cost(config, num_labels=num_labels, height=height, width=width)
    state = build_generator(config, num_labels=num_labels, spectral_norm=False).state_dict()
    budget = cost.of(widths_of(config)) / 4
    pruned = prune_to_budget(budget, state, config, num_labels=num_labels, cost=cost)
    return student_config(config, pruned.widths)


def report(name: str, folder: Path, *, side: int, arguments, peaks: dict[int, float]) -> None:
    """Print the rows of one model."""
    from spade_paddle.inference.benchmark import macs_of, memory, time_model
    from spade_paddle.model_card import ModelCard

    rows = time_model(
        folder, side=side, threads=arguments.threads, rounds=arguments.rounds, peaks=peaks
    )
    mib = {engine: memory(folder, engine, side=side) for engine in ("paddle", "auto")}
    gmac, parameters = macs_of(folder, side) / 1e9, ModelCard.read(folder).parameters / 1e6
    for row in rows:
        share = "" if row.share is None else f"{100 * row.share:.0f}"
        of_engine = mib["paddle" if row.engine == "paddle" else "auto"]
        print(
            f"| {name} | {gmac:.2f} | {parameters:.2f} | {row.engine} | {row.threads} | "
            f"{row.milliseconds:.0f} | {row.ratio:.2f} | {share} | {of_engine:.0f} |",
            flush=True,
        )


if __name__ == "__main__":
    sys.exit(main())
