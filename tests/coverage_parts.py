"""How much of the parts that must not break is covered by their own tests: ``make coverage``.

Each part is measured by the tests that are its own, in one process; what only runs in others is not
seen. A share of branches below LEAST is an error.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "build" / "coverage"
LEAST = 0.9


class Part(NamedTuple):
    """Modules below spade_paddle, and the tests that hold them."""

    modules: tuple[str, ...]
    tests: tuple[str, ...]


PARTS = {
    "config": Part(
        (
            *("config.py", "config_checks.py", "config_table.py", "data_config.py"),
            *("distillation_config.py", "fields.py", "loss_config.py", "reading.py"),
        ),
        ("tests/test_config.py", "tests/test_reading.py"),
    ),
    "data": Part(("data/*.py",), ("tests/data",)),
    "checkpoint": Part(
        (
            *("files.py", "engine/checkpoint.py", "engine/run_folder.py"),
            *("engine/training_weights.py", "engine/growth.py", "engine/grown_weights.py"),
        ),
        (
            *("tests/engine/test_parts.py", "tests/engine/test_training_weights.py"),
            *("tests/engine/test_snapshots.py", "tests/engine/test_growth_refusals.py"),
            *("tests/engine/test_growth.py", "tests/engine/test_fine_growth.py"),
        ),
    ),
    "serving": Part(("serving/*.py",), ("tests/serving",)),
}


def main(names: list[str]) -> int:
    """Measure these parts, or all; 1 where tests fail or too little is covered."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    shares = {name: measure(name, PARTS[name]) for name in names or PARTS}
    print("\npart         branches")
    for name, share in shares.items():
        print(f"{name:12} {share:8.1%}" + ("" if share >= LEAST else f"  below {LEAST:.0%}"))
    return int(min(shares.values()) < LEAST)


def measure(name: str, part: Part) -> float:
    """Run a part's tests and print its modules; the share of its branches that they take."""
    environment = {**os.environ, "COVERAGE_FILE": str(FOLDER / name)}
    include = "--include=" + ",".join(f"spade_paddle/{module}" for module in part.modules)
    report = FOLDER / f"{name}.json"
    pytest = ("pytest", "-q", "--cov", "--cov-branch", "--cov-report=", *part.tests)
    for command in (
        pytest,
        ("coverage", "report", include),
        ("coverage", "json", "-q", "-o", str(report), include),
    ):
        subprocess.run([sys.executable, "-m", *command], cwd=ROOT, env=environment, check=True)
    totals = json.loads(report.read_text(encoding="utf-8"))["totals"]
    return totals["covered_branches"] / totals["num_branches"]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
