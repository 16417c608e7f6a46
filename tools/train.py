#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Train a generator with a configuration and a data set, in a run folder.

The same command resumes the run. Ctrl-C saves before stopping.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from spade_paddle.assets import find_config
from spade_paddle.cli import run_tool
from spade_paddle.config import Config, load_config
from spade_paddle.data.labels import LabelSet
from spade_paddle.engine.cpu import apply_cpu_settings, keep_freed_memory
from spade_paddle.errors import ConfigError


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--config",
        help="YAML file, or a name in configs/; default: that of --init, or of the run",
    )
    parser.add_argument("--data", required=True, type=Path, help="folder of the data set")
    parser.add_argument(
        "--run", required=True, type=Path, help="run folder, to create or to resume"
    )
    parser.add_argument(
        "--init",
        type=Path,
        metavar="FOLDER",
        help="initialize from this run, which may be smaller, or from a model folder of "
        "tools/convert.py or tools/export.py --trainable",
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="FIELD=VALUE",
        help="change a field of the configuration, for example generator.ngf=32",
    )
    parser.add_argument(
        "--dry-run",
        action="store_true",
        help="only print sizes, memory, data and time of the run; nothing is written",
    )
    return run_tool(train, parser)


def train(arguments: argparse.Namespace) -> int:
    added = apply_cpu_settings()
    keep_freed_memory()
    if added:
        print("CPU settings:", " ".join(f"{name}={value}" for name, value in added.items()))
    config, label_set = configuration(arguments)
    from spade_paddle.engine.assemble import trainer_of_folder  # after the CPU settings
    from spade_paddle.engine.dry_run import plan

    trainer = trainer_of_folder(
        config,
        label_set=label_set,
        data=arguments.data,
        run=arguments.run,
        start=arguments.init,
    )
    if arguments.dry_run:
        for line in plan(trainer):  # every process takes part, one prints
            trainer.workers.say(line)
        return 0
    finished = trainer.train()
    state = "done" if finished else "stopped; run the same command to resume"
    print(f"{state}: {trainer.learner.images_seen} images in {arguments.run}")
    return 0 if finished else 128 + trainer.stopping.signal


def configuration(arguments: argparse.Namespace) -> tuple[Config, LabelSet]:
    """The configuration of --config, --init or the run, with --set applied, and its labels."""
    if arguments.config is not None:
        path = find_config(arguments.config)
        config = load_config(path, overrides=arguments.set)
        return config, LabelSet.load(path.parent / config.data.labels)
    if arguments.init is not None:
        from spade_paddle.engine.initial_weights import configuration_of  # after the CPU settings

        return configuration_of(arguments.init, overrides=arguments.set)
    from spade_paddle.engine.run_folder import RunFolder

    run = RunFolder(arguments.run)
    if not run.has_config:
        raise ConfigError(
            "--config: a run needs a configuration; give a file of configs/, or with --init a "
            "folder with weights and a configuration",
            code="config_missing",
        )
    return run.configuration(overrides=arguments.set), run.label_set


if __name__ == "__main__":
    sys.exit(main())
