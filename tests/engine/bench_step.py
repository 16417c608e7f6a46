"""What a training step costs with each library of convolutions, and the ratios.

    OMP_NUM_THREADS=1 python -m tests.engine.bench_step --set discriminator.kind=patch

Learners with the same weights take turns on the same synthetic pictures, so that the ratios hold on
a busy machine. Prints the median seconds of processor time and by the clock. The perceptual loss
looks through a SqueezeNet of random weights. Not a test: it depends on the machine.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path

from spade_paddle.config import load_config
from spade_paddle.data.label_sets import find_label_set
from spade_paddle.engine.cpu import apply_cpu_settings, keep_freed_memory

ROOT = Path(__file__).parent.parent.parent
CHOICES = {
    "paddle": ["compute.convolutions=paddle"],
    "onednn": ["compute.convolutions=onednn"],
    "onednn, bfloat16": ["compute.convolutions=onednn", "compute.bfloat16=true"],
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--config", type=Path, default=ROOT / "configs/landscape_cpu.yaml")
    parser.add_argument("--steps", type=int, default=10, help="each, after two to warm up")
    parser.add_argument("--set", action="append", default=[], metavar="FIELD=VALUE")
    arguments = parser.parse_args()
    apply_cpu_settings()
    keep_freed_memory()
    with tempfile.TemporaryDirectory() as folder:
        costs = measure(arguments, Path(folder))
    base = costs["paddle"]
    for name, seconds in costs.items():
        processor, clock = (statistics.median(column) for column in zip(*seconds))
        ratio = statistics.median(old[0] / new[0] for old, new in zip(base, seconds))
        print(f"{name:18} {processor:.3f} s computed, {clock:.3f} s by the clock, {ratio:.2f} x")


def measure(arguments: argparse.Namespace, folder: Path) -> dict[str, list[tuple[float, float]]]:
    """Seconds (processor, clock) of the steps of each choice."""
    from spade_paddle.engine.assemble import trainer_of_folder
    from tests.features.weights import squeezenet_file
    from tests.synthetic import write_synthetic_dataset

    label_set = find_label_set("landscape")
    data = write_synthetic_dataset(
        folder / "data", label_set=label_set, train=8, val=2, height=288, width=288
    )
    weights = squeezenet_file(folder)
    common = [f"losses.perceptual_weights={weights}", *arguments.set]
    trainers = {
        name: trainer_of_folder(
            load_config(arguments.config, overrides=[*common, *options]),
            label_set=label_set,
            data=data,
            run=folder / "run",
        )
        for name, options in CHOICES.items()
    }
    costs: dict[str, list[tuple[float, float]]] = {name: [] for name in trainers}
    for step in range(arguments.steps + 2):
        for name, trainer in trainers.items():
            begun = time.process_time(), time.perf_counter()
            trainer.step()
            if step >= 2:
                ended = time.process_time(), time.perf_counter()
                costs[name].append((ended[0] - begun[0], ended[1] - begun[1]))
    return costs


if __name__ == "__main__":
    main()
