#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Find what would make training on a data set fail or impair its result, and repair a copy.

Exit code 0: training is possible; 1: training would fail; 2: wrong arguments.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from spade_paddle.assets import find_config
from spade_paddle.cli import run_tool
from spade_paddle.config import Config, load_config
from spade_paddle.data.dataset import left_out_lines
from spade_paddle.data.label_sets import find_label_set, own_label_set
from spade_paddle.data.labels import LabelSet
from spade_paddle.doctor.examine import examine, report_of
from spade_paddle.doctor.repair import COPIED, repair
from spade_paddle.doctor.survey import take_survey


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, metavar="DIR", help="folder with train/ and val/")
    parser.add_argument(
        "--label-set",
        metavar="SET",
        help="name or file of the label set; default: that of --config, of DIR, or landscape",
    )
    parser.add_argument(
        "--config", help="training configuration: a YAML file, or a name in configs/"
    )
    parser.add_argument(
        "--fix", type=Path, metavar="OUT", help="write a repaired copy to this folder"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    return run_tool(diagnose, parser)


def diagnose(arguments: argparse.Namespace) -> int:
    if arguments.config is not None:
        arguments.config = find_config(arguments.config)
    config = None if arguments.config is None else load_config(arguments.config)
    label_set = choose_label_set(arguments, config)
    survey = take_survey(arguments.data, label_set, config=config)
    report = report_of(survey)
    printed = report.to_dict()
    if not arguments.json:
        print(*left_out_lines(arguments.data) if survey.scenes else (), report.text(), sep="\n")
    if arguments.fix is not None:
        actions = repair(survey, report, arguments.fix)
        report = examine(arguments.fix, label_set, config=config)
        printed = {"before": printed, "done": [vars(a) for a in actions], "after": report.to_dict()}
        if not arguments.json:
            changed = [action for action in actions if action.done != COPIED]
            print("", *changed, sep="\n")
            print(f"{len(actions) - len(changed)} scenes copied unchanged\n\n{report.verdict()}")
    if arguments.json:
        print(json.dumps(printed, indent=1, ensure_ascii=False))
    return int(report.failed)


def choose_label_set(arguments: argparse.Namespace, config: Config | None) -> LabelSet:
    """The label set of --label-set, the configuration or the data set, or else landscape."""
    if arguments.label_set is not None:
        return find_label_set(arguments.label_set)
    if config is not None:
        return LabelSet.load(arguments.config.parent / config.data.labels)
    return own_label_set(arguments.data) or find_label_set("landscape")


if __name__ == "__main__":
    sys.exit(main())
