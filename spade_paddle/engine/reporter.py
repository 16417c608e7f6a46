"""What people see of a run: its files, the progress bar and sample pictures.

config.yaml       the resolved configuration        metrics.jsonl   losses, one line a report
labels.json       the label set                     vdl/            the same for VisualDL
environment.json  versions, seed, command           samples/        label map | generated | photo
checkpoint/       everything needed to go on (engine/checkpoint.py)
"""

from __future__ import annotations

import json
import platform
import sys
from pathlib import Path
from typing import Any, Callable

import numpy as np
import paddle
import yaml
from tqdm import tqdm

import spade_paddle
from spade_paddle.config import Config
from spade_paddle.data.labels import LABELS_FILE, LabelSet
from spade_paddle.engine.log import RunLog
from spade_paddle.files import write_text_atomically


class Reporter:
    """Writes the files of a run and its progress bar; only the first process has one.

    Args:
        run: the run folder.
        config: the configuration.
        label_set: the labels.
        images_seen: where the run goes on.
        processes: how many train together.
        sample_sheet: paints the sample pictures, ``uint8`` [H, W, 3].
    """

    def __init__(
        self,
        run: Path,
        *,
        config: Config,
        label_set: LabelSet,
        images_seen: int,
        processes: int,
        sample_sheet: Callable[[], np.ndarray],
    ) -> None:
        self._config = config
        self._sample_sheet = sample_sheet
        texts = {
            "config.yaml": yaml.safe_dump(config.to_dict(), sort_keys=False),
            LABELS_FILE: label_set.to_json(),
            "environment.json": json.dumps(_environment(config, processes=processes), indent=1),
        }
        for name, text in texts.items():
            write_text_atomically(run / name, text)
        self._log = RunLog(run, images_seen=images_seen)
        self._pending: list[dict[str, float]] = []
        self._progress = tqdm(
            total=config.total_images, initial=images_seen, unit="img", smoothing=0.05
        )

    def report(self, losses: dict[str, float], *, before: int, now: int, last: bool) -> None:
        """Take in one step's numbers; write means and sample pictures when due, and at the end.

        Args:
            losses: by name.
            before: images seen before the step.
            now: images seen after it.
            last: the run ends here.
        """
        self._pending.append(losses)
        self._progress.update(now - before)
        if last or passed(self._config.log_every_images, before, now):
            means = {k: float(np.mean([step[k] for step in self._pending])) for k in losses}
            self._pending.clear()
            self._log.scalars(now, means)
            self._progress.set_postfix({k: f"{v:.2f}" for k, v in means.items() if k[1] == "_"})
        if last or passed(self._config.sample_every_images, before, now):
            self._log.picture(now, "samples", self._sample_sheet())

    def close(self) -> None:
        """Flush everything."""
        self._progress.close()
        self._log.close()


def passed(every: int, before: int, now: int) -> bool:
    """Whether a multiple of ``every`` lies in (before, now]."""
    return now // every > before // every


def _environment(config: Config, *, processes: int) -> dict[str, Any]:
    return {
        "spade_paddle": spade_paddle.__version__,
        "paddle": paddle.__version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "device": paddle.device.get_device(),
        "processes": processes,
        "seed": config.seed,
        "command": sys.argv,
    }
