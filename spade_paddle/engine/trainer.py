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
from spade_paddle.engine.resuming import begin, settle_projection
from spade_paddle.engine.run_folder import RunFolder
from spade_paddle.engine.samples import sample_sheet
from spade_paddle.engine.schedule import passed
from spade_paddle.engine.steps import Losses
from spade_paddle.engine.stopping import Stopping
from spade_paddle.engine.teachers import read_teacher
from spade_paddle.engine.validation import DECIDING, Validation
from spade_paddle.errors import RunError, UserError
from spade_paddle.networks.semantics import SemanticLayout


class Trainer:
    """Trains in a run folder; goes on where an earlier run there stopped.

    Args:
        config: the configuration.
        label_set: the labels of the scenes.
        scenes: those to train on, and those to look at the results; each a Scene, or the Pair of
            its files. Of each sequence every process must have the same.
        run: the run folder; made when it is not there.
        workers: the processes that train together; None: those that Paddle's launcher has started.
        callbacks: each is called after each step in every process, with the trainer and the step's
            losses by name as floats, none for a step that was left out. Numbers that it adds to
            them are logged.
        learning: ``extra_losses``, ``networks`` and what else Learner takes.

    Raises:
        UserError: configuration, scenes, weights or what is in the run folder do not fit each
            other, a file cannot be read, or another process has failed.
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
        begin(self.learner, self.run, config=config, label_set=label_set, say=workers.say)
        networks = self.learner.networks
        self.feed = self.stopping.together(
            lambda: Feed(self.train_scenes, **common, networks=networks, workers=workers)
        )
        self.stopping.together(lambda: settle_projection(networks.discriminator, self.feed.batches))
        left = max(config.total_images - self.learner.images_seen, 0)
        for count in (config.batch_size, left % config.batch_size):
            workers.share(0, count)  # what cannot be shared is told now, not with the last batch
        self._validation: Validation | None = None
        if config.validation.judge_weights is not None:
            # in every process, so that all are told what is wrong; the first one alone judges
            self._validation = Validation(self.train_scenes, self.val_scenes, **common)
        self._reporter: Reporter | None = None
        self._bad_steps = BadSteps(
            run / "inspect" if workers.rank == 0 else None, ways_back=self.run.ways_back
        )
        self._saved_at: int | None = None

    def train(self) -> bool:
        """Train until ``total_images``; True when reached, False when asked to stop before.

        On SIGTERM or Ctrl-C the step that runs is finished and everything is saved; a second Ctrl-C
        ends the process at once.

        Raises:
            DataError, LabelMapError: a photo or label map cannot be read any more; everything up
                to there is saved.
            ModelError: losses stay NaN or infinite; everything is saved.
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
                    self._look(before)
                return True
            except UserError:
                self._save()
                raise
            finally:
                if self._reporter is not None:
                    self._reporter.close()

    def step(self) -> bool:
        """Learn from the next pictures, and report it; False: asked to stop instead."""
        before, started = self.learner.images_seen, time.monotonic()
        self.feed.wait(before, unless=self.stopping.asked)
        if self.stopping.agreed():
            return False
        parts = self.stopping.together(lambda: self.feed.take(before))
        losses: Losses = {}
        try:
            losses = self.learner.learn(list(self.feed.inputs(parts)))
        except NotFinite as error:
            self._keep_bad_step(before, parts, error.losses)
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
        """What the judge says of the networks of now, by name; needs one in the configuration."""
        with self.learner.exported() as averaged:
            return self._validation.score(self.learner.networks, averaged)

    def sample_sheet(self) -> np.ndarray:
        """The first validation scenes as label map | painted | by the average | by each teacher |
        photo."""
        with self.learner.exported() as averaged:
            both = [self.learner.networks, averaged]
            painters = both if self.config.ema_halflife_images else [averaged]
            return sample_sheet(
                [*painters, *self.learner.teachers],
                self.val_scenes,
                config=self.config,
                label_set=self.label_set,
            )

    def _look(self, before: int) -> None:
        """After a step: show, judge, keep and save what is due; every process must come here."""
        config, now = self.config, self.learner.images_seen
        last = now == config.total_images
        show = last or passed(config.sample_every_images, before, now)
        save = last or passed(config.checkpoint_every_images, before, now)
        kept_every = config.validation.keep_snapshots_every_images
        keep = kept_every > 0 and passed(kept_every, before, now)
        if (show or save or keep) and config.ema_recalibration_images:
            images = config.ema_recalibration_images
            parts = self.stopping.together(lambda: self.feed.first(images))
            inputs = self.feed.inputs(parts)
            self.learner.statistics = measure_statistics(self.learner.averaged, inputs)
        if show:
            self._show(now)
        if keep and self._reporter is not None:
            with self._writing():
                self.run.keep(self.learner.state())
        if save:
            self._save()

    def _show(self, images_seen: int) -> None:
        """Write sample pictures and scores, and keep the best averages."""
        reporter, judges = self._reporter, self._validation is not None
        picture, scores = self.stopping.together(
            lambda: (reporter and self.sample_sheet(), reporter and judges and self.scores())
        )
        if reporter is None:
            return
        with self._writing():
            reporter.log.picture(images_seen, "samples", picture)
            if scores:
                reporter.log.scalars(images_seen, scores)
                self.run.keep_if_best(self.learner.state(), scores, by=DECIDING)

    def _keep_bad_step(self, images_seen: int, parts: list[Batch], losses: Losses) -> None:
        arrays = {
            "photo": to_pixels(np.concatenate([part.photo for part in parts])),
            "label_map": np.concatenate([part.label_map for part in parts]).astype(np.uint8),
            "files": np.concatenate([part.names for part in parts]),
        }
        with self._writing():
            self.workers.say(self._bad_steps.bad(images_seen, losses, arrays=arrays))

    def _save(self) -> None:
        """Write a checkpoint, unless there is one of now or this is not the first process."""
        images_seen = self.learner.images_seen
        if self._reporter is None or self._saved_at == images_seen:
            return
        with self._writing():
            self._reporter.write_pending(images_seen)
            self.run.save(self.learner.state())
        self._saved_at = images_seen

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Within it a full disk and the like become an error for people."""
        try:
            yield
        except OSError as error:
            whole = [int(path.stem) for path in self.run.checkpoints]
            state = f"the checkpoint of {whole[0]} images is whole" if whole else "nothing is lost"
            raise RunError(
                f"{self.run.path}: cannot be written at {self.learner.images_seen} images: "
                f"{error.strerror or error}; {state}: make room, and the same command goes on",
                code="run_not_writable",
            ) from error
