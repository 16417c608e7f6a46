"""The output of a run: losses in files and VisualDL, the progress bar, sample pictures."""

from __future__ import annotations

import platform
import sys

import numpy as np
import paddle
from tqdm import tqdm

import spade_paddle
from spade_paddle.config import Config
from spade_paddle.data.labels import LabelSet
from spade_paddle.engine.compute import peak_memory_gib
from spade_paddle.engine.log import RunLog
from spade_paddle.engine.run_folder import RunFolder
from spade_paddle.engine.schedule import is_due
from spade_paddle.engine.steps import Losses

_SHOWN = (
    *("g_gan", "g_feat", "g_vgg", "g_vae", "g_color", "g_balance", "g_chroma"),
    *("d_fake", "d_real", "d_accuracy", "d_accuracy_projected", "d_accuracy_projected_2"),
)


class Reporter:
    """Writes the log files of a run and its progress bar; only the first process has one.

    Args:
        run: the run folder.
        config: the configuration.
        label_set: the labels.
        images_seen: where the run starts or resumes.
        processes: the number of processes that train together.
        convolutions: the library that computes the convolutions, as text.

    Attributes:
        log: the log for scores and pictures.
    """

    def __init__(
        self,
        run: RunFolder,
        *,
        config: Config,
        label_set: LabelSet,
        images_seen: int,
        processes: int,
        convolutions: str,
    ) -> None:
        self._config = config
        environment = {
            "spade_paddle": spade_paddle.__version__,
            "paddle": paddle.__version__,
            "python": platform.python_version(),
            "numpy": np.__version__,
            "device": paddle.device.get_device(),
            "processes": processes,
            "convolutions": convolutions,
            "seed": config.seed,
            "command": sys.argv,
        }
        run.describe(config, label_set, environment)
        self.log = RunLog(run.path, images_seen=images_seen)
        self._pending: list[Losses] = []
        self._progress = tqdm(
            total=config.total_images, initial=images_seen, unit="img", smoothing=0.05
        )

    def report(self, losses: Losses, *, before: int, now: int) -> None:
        """Record the losses of a step; write their means when due.

        Args:
            losses: losses by name; empty for a skipped step.
            before: images seen before the step.
            now: images seen after the step.
        """
        if losses:
            self._pending.append(losses)
        self._progress.update(now - before)
        if is_due(self._config.log_every_images, before, now):
            self.write_pending(now)

    def write_pending(self, images_seen: int) -> None:
        """Write the means of the losses recorded since the last call, if any."""
        if not self._pending:
            return
        names = dict.fromkeys(name for step in self._pending for name in step)
        means = {
            name: float(np.mean([step[name] for step in self._pending if name in step]))
            for name in names
        }
        memory = peak_memory_gib()
        if memory is not None:
            means["memory_gib"] = memory
        self._pending.clear()
        self.log.scalars(images_seen, means)
        shown = {k: f"{v:.2f}" for k, v in means.items() if k in _SHOWN}
        if memory is not None:
            shown["memory"] = f"{memory:.1f}G"
        self._progress.set_postfix(shown)

    def close(self) -> None:
        """Flush and close."""
        self._progress.close()
        self.log.close()
