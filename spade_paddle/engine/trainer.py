"""The training run: takes a configuration and scenes, writes a run folder.

The same call again resumes from the newest checkpoint; engine/run_folder.py lists the files.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Callable

import numpy as np

from spade_paddle.config import Config
from spade_paddle.data.batches import Batch, SceneCache, to_pixels
from spade_paddle.data.dataset import Pair, Scene
from spade_paddle.data.labels import LabelSet
from spade_paddle.engine.descent import NotFinite
from spade_paddle.engine.distributed import Workers
from spade_paddle.engine.feed import Feed
from spade_paddle.engine.learner import Learner
from spade_paddle.engine.nan_guard import BadSteps
from spade_paddle.engine.recalibrate import measure_statistics
from spade_paddle.engine.reporter import Reporter
from spade_paddle.engine.resuming import measure_projection, start_or_resume
from spade_paddle.engine.run_folder import RunFolder
from spade_paddle.engine.samples import sample_sheet
from spade_paddle.engine.schedule import is_due
from spade_paddle.engine.steps import Losses
from spade_paddle.engine.stopping import Stopping
from spade_paddle.engine.teachers import read_teacher
from spade_paddle.engine.validation import DECIDING, Validation
from spade_paddle.errors import RunError, UserError
from spade_paddle.networks.semantics import SemanticLayout


class Trainer:
    """Trains in a run folder, and resumes an earlier run there.

    Args:
        config: the configuration.
        label_set: the labels of the scenes.
        scenes: training and validation scenes, each a Scene or the Pair of its files; the same
            sequences in every process.
        run: the run folder; created if it does not exist.
        workers: the processes that train together; None: those started by Paddle's launcher.
        callbacks: called after each step in every process with the trainer and the step's losses
            by name as floats (empty for a skipped step). Numbers added to this dict are logged.
        learning: further arguments of Learner, such as ``extra_losses`` or ``networks``.

    Raises:
        UserError: configuration, scenes, weights and run folder do not fit each other, a file
            cannot be read, or another process has failed.
    """

    def __init__(
        self,
        config: Config,
        *,
        label_set: LabelSet,
        scenes: tuple[Sequence[Scene | Pair], Sequence[Scene | Pair]],
        run: Path,
        workers: Workers | None = None,
        callbacks: Sequence[Callable[[Trainer, Losses], None]] = (),
        **learning: Any,
    ) -> None:
        self.config = config
        self.label_set = label_set
        self.run = RunFolder(run)
        self.callbacks = callbacks
        self.workers = workers = workers or Workers.join()
        self.stopping = Stopping(workers)
        cache = functools.partial(
            SceneCache,
            label_set=label_set,
            options=config.data,
            multiple=config.generator.multiple,
            positions=config.knows_positions,
        )
        self.train_scenes, self.val_scenes = map(cache, scenes)
        common = {"config": config, "layout": SemanticLayout.of(config, len(label_set))}
        if "teacher" not in learning:
            learning["teacher"] = read_teacher(config, label_set, warn=workers.say)
        self.learner = Learner(config, num_labels=len(label_set), workers=workers, **learning)
        start_or_resume(self.learner, self.run, config=config, label_set=label_set, say=workers.say)
        networks = self.learner.networks
        self.feed = self.stopping.together(
            lambda: Feed(self.train_scenes, **common, networks=networks, workers=workers)
        )
        self.stopping.together(
            lambda: measure_projection(networks.discriminator, self.feed.batches)
        )
        left = max(config.total_images - self.learner.images_seen, 0)
        for count in (config.batch_size, left % config.batch_size):
            workers.share(0, count)  # raises now, not at the last batch, if it cannot be split
        self._validation: Validation | None = None
        if config.validation.judge_weights is not None:
            # in every process, so that all raise the same errors; only the first one scores
            self._validation = Validation(self.train_scenes, self.val_scenes, **common)
        self._reporter: Reporter | None = None
        self._bad_steps = BadSteps(
            run / "inspect" if workers.rank == 0 else None,
            recovery_options=self.run.recovery_options,
        )
        self._saved_at: int | None = None

    def train(self) -> bool:
        """Train until ``total_images``; return True when reached, False if asked to stop before.

        On SIGTERM or Ctrl-C the current step is finished and a checkpoint is saved; a second Ctrl-C
        ends the process immediately.

        Raises:
            DataError, LabelMapError: a photo or label map can no longer be read; a checkpoint was
                saved.
            ModelError: losses remain NaN or infinite; a checkpoint was saved.
            RunError: the run folder cannot be written, or another process has failed.
        """
        with self.stopping, self.feed:
            try:
                if self.workers.rank == 0:
                    with self._writing():
                        self._reporter = Reporter(
                            self.run,
                            config=self.config,
                            label_set=self.label_set,
                            images_seen=self.learner.images_seen,
                            processes=self.workers.size,
                            convolutions=str(self.learner.convolutions),
                        )
                while self.learner.images_seen < self.config.total_images:
                    before = self.learner.images_seen
                    if not self.step():
                        self._save()
                        return False
                    self._run_due_tasks(before)
                return True
            except UserError:
                self._save()
                raise
            finally:
                if self._reporter is not None:
                    self._reporter.close()

    def step(self) -> bool:
        """Run one training step and report it; return False if asked to stop instead."""
        before, started = self.learner.images_seen, time.monotonic()
        self.feed.wait(before, cancelled=self.stopping.requested)
        if self.stopping.agreed():
            return False
        parts = self.stopping.together(lambda: self.feed.take(before))
        losses: Losses = {}
        try:
            losses = self.learner.learn(list(self.feed.inputs(parts)))
        except NotFinite as error:
            self._save_bad_step(before, parts, error.losses)
        else:
            self._bad_steps.good()
        now, seconds = self.learner.images_seen, time.monotonic() - started
        self.learner.seconds += seconds
        if losses:
            losses["images_per_s"] = (now - before) / seconds
        for callback in self.callbacks:
            callback(self, losses)
        if self._reporter is not None:
            with self._writing():
                self._reporter.report(losses, before=before, now=now)
        return True

    def scores(self) -> dict[str, float]:
        """Score the current networks, by name; requires ``validation.judge_weights``."""
        with self.learner.exported() as averaged:
            return self._validation.score(self.learner.networks, averaged)

    def sample_sheet(self) -> np.ndarray:
        """Return the first validation scenes as label map | current generator | averaged
        generator | each teacher | photo, ``uint8`` [H, W, 3]."""
        with self.learner.exported() as averaged:
            both = [self.learner.networks, averaged]
            painters = both if self.config.ema_halflife_images else [averaged]
            return sample_sheet(
                [*painters, *self.learner.teachers],
                self.val_scenes,
                config=self.config,
                label_set=self.label_set,
            )

    def _run_due_tasks(self, before: int) -> None:
        """Write samples, scores, snapshots and checkpoints that are due; a collective call."""
        config, now = self.config, self.learner.images_seen
        last = now == config.total_images
        validate = last or is_due(config.sample_every_images, before, now)
        save = last or is_due(config.checkpoint_every_images, before, now)
        kept_every = config.validation.keep_snapshots_every_images
        keep = kept_every > 0 and is_due(kept_every, before, now)
        if (validate or save or keep) and config.ema_recalibration_images:
            images = config.ema_recalibration_images
            parts = self.stopping.together(lambda: self.feed.first(images))
            inputs = self.feed.inputs(parts)
            self.learner.statistics = measure_statistics(self.learner.averaged, inputs)
        if validate:
            self._validate(now)
        if keep and self._reporter is not None:
            with self._writing():
                self.run.keep(self.learner.state())
        if save:
            self._save()

    def _validate(self, images_seen: int) -> None:
        """Write sample pictures and scores, and save the best averaged weights."""
        reporter, has_judge = self._reporter, self._validation is not None
        picture, scores = self.stopping.together(
            lambda: (reporter and self.sample_sheet(), reporter and has_judge and self.scores())
        )
        if reporter is None:
            return
        with self._writing():
            reporter.log.picture(images_seen, "samples", picture)
            if scores:
                reporter.log.scalars(images_seen, scores)
                self.run.keep_if_best(self.learner.state(), scores, by=DECIDING)

    def _save_bad_step(self, images_seen: int, parts: list[Batch], losses: Losses) -> None:
        arrays = {
            "photo": to_pixels(np.concatenate([part.photo for part in parts])),
            "label_map": np.concatenate([part.label_map for part in parts]).astype(np.uint8),
            "files": np.concatenate([part.names for part in parts]),
        }
        with self._writing():
            self.workers.say(self._bad_steps.bad(images_seen, losses, arrays=arrays))

    def _save(self) -> None:
        """Write a checkpoint in the first process, unless it is already written."""
        images_seen = self.learner.images_seen
        if self._reporter is None or self._saved_at == images_seen:
            return
        with self._writing():
            self._reporter.write_pending(images_seen)
            self.run.save(self.learner.state())
        self._saved_at = images_seen

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Convert OSError, for example of a full disk, to RunError."""
        try:
            yield
        except OSError as error:
            saved = [int(path.stem) for path in self.run.checkpoints]
            state = f"the checkpoint of {saved[0]} images is intact; " if saved else ""
            raise RunError(
                f"{self.run.path}: cannot be written at {self.learner.images_seen} images: "
                f"{error.strerror or error}; {state}fix this, for example free disk space, and run "
                "the same command to resume",
                code="run_not_writable",
            ) from error
