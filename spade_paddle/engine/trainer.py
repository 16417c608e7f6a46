"""The training run: a configuration and a data set in, a run folder out.

The same command again goes on from the newest checkpoint; engine/reporter.py lists the files.
"""

from __future__ import annotations

import dataclasses
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Callable, TypeVar

import numpy as np
from tqdm import tqdm

from spade_paddle.config import Config
from spade_paddle.data.batches import Batch, BatchSource, to_pixels
from spade_paddle.data.labels import LabelSet
from spade_paddle.doctor.examine import check_before_training
from spade_paddle.engine.checkpoint import checkpoints, load_latest, save_checkpoint
from spade_paddle.engine.compute import on_gpu
from spade_paddle.engine.distributed import Workers
from spade_paddle.engine.guard import BadSteps
from spade_paddle.engine.inputs import step_input, step_inputs
from spade_paddle.engine.learner import Learner
from spade_paddle.engine.overfitting import measure_overfitting
from spade_paddle.engine.recalibrate import measure_statistics, statistics
from spade_paddle.engine.reporter import ENVIRONMENT_FILE, Reporter
from spade_paddle.engine.samples import sample_sheet
from spade_paddle.engine.scenes import scenes_of
from spade_paddle.engine.schedule import passed
from spade_paddle.engine.snapshots import Snapshots, ways_back
from spade_paddle.engine.start import (
    begin_with,
    check_same_networks,
    settle_projection,
    source_of,
)
from spade_paddle.engine.steps import Losses, StepInput
from spade_paddle.engine.stopping import StopRequest
from spade_paddle.engine.updates import NotFinite
from spade_paddle.engine.validation import DECIDING, Validation
from spade_paddle.errors import RunError, UserError

Result = TypeVar("Result")


class Trainer:
    """Trains in a run folder; goes on where an earlier run there stopped.

    Args:
        config: the configuration.
        label_set: the labels of the data set.
        data: the data set (see data/dataset.py).
        run: the run folder; made when it is not there.
        start: a run folder, or a model folder of tools/convert.py: a new run begins with its
            weights. Goes before ``config.init_from``.
    """

    def __init__(
        self,
        config: Config,
        *,
        label_set: LabelSet,
        data: Path,
        run: Path,
        start: Path | None = None,
    ) -> None:
        start = source_of(config, init=start)
        if start is not None:  # the run's own configuration tells where it came from
            config = dataclasses.replace(config, init_from=str(start))
        self.config = config
        self.label_set = label_set
        self.run = run
        self._stop = StopRequest()
        self.workers = Workers.join()
        check_before_training(data, label_set, config=config, warn=self._say)
        if config.compute.amp and not on_gpu():
            self._say("compute.amp is for GPUs; on this CPU everything stays as it is")
        self.train_scenes, self.val_scenes = scenes_of(
            data, config=config, label_set=label_set, processes=self.workers.size
        )
        self.learner = Learner(config, num_labels=len(label_set), workers=self.workers)
        self._say(self.learner.convolutions.line())
        if start is not None and not checkpoints(self._checkpoints):
            self._begin_with(start)
        self.batches = BatchSource(
            self.train_scenes,
            options=config.data,
            seed=config.seed,
            multiple=config.generator.multiple,
            noise_strides=self.learner.networks.generator.noise_strides,
            style_dim=config.encoder.style_dim,
            augmentation=config.regularization,
            weights=self._read(self.train_scenes.weights),
            shift=config.losses.perceptual_shift,
        )
        self._resume()
        self._read(lambda: settle_projection(self.learner.networks.discriminator, self.batches))
        self.workers.check_batches(
            config.batch_size, left=config.total_images - self.learner.images_seen
        )
        self._reporter: Reporter | None = None
        # in every process, so that all are told what is wrong; the first one alone judges
        self._validation = Validation.of(
            config, train_scenes=self.train_scenes, val_scenes=self.val_scenes, label_set=label_set
        )
        self._snapshots = Snapshots(run)
        self._bad_steps = BadSteps(
            run / "inspect" if self.workers.rank == 0 else None,
            ways_back=lambda: ways_back(run),
        )
        self._saved_at: int | None = None

    def train(self) -> bool:
        """Train until ``total_images``; True when reached, False when asked to stop before.

        On SIGTERM or Ctrl-C the step that runs is finished and everything is saved; a second Ctrl-C
        ends the process at once.

        Raises:
            DataError, LabelMapError: a photo or label map cannot be read any more; everything up
                to there is saved.
            ModelError: losses stay NaN or infinite.
            RunError: the run folder cannot be written, or another process has failed.
        """
        with self._stop:
            try:
                if self.workers.rank == 0:
                    with self._writing():
                        self._reporter = self._new_reporter()
                return self._train()
            finally:
                if self._reporter is not None:
                    self._reporter.close()

    @property
    def stop_signal(self) -> int:
        """The signal that asked to stop, 15 for SIGTERM; 0: none did."""
        return self._stop.signal

    def _train(self) -> bool:
        config = self.config
        while self.learner.images_seen < config.total_images:
            self._stop.check()
            if self.workers.orphaned:
                self._stop.ask(signal.SIGTERM)
            if self.workers.any(self.stop_signal != 0):
                self._save()
                return False
            before = self.learner.images_seen
            self.step()
            now = self.learner.images_seen
            last = now == config.total_images
            look = last or passed(config.sample_every_images, before, now)
            save = last or passed(config.checkpoint_every_images, before, now)
            kept_every = config.validation.keep_snapshots_every_images
            keep = kept_every > 0 and passed(kept_every, before, now)
            if look or save or keep:
                self._recalibrate()
            if look:
                self._show(now)
                self._judge(now)
            if keep and self._reporter is not None:
                with self._writing():
                    self._snapshots.keep(self.learner.state())
            if save:
                self._save()
        return True

    def step(self) -> None:
        """Learn from the next pictures, and report it."""
        before, started = self.learner.images_seen, time.monotonic()
        count = min(self.config.batch_size, self.config.total_images - before)
        batch = self._read(lambda: self.batches.at(*self.workers.share(before, count)))
        losses: Losses = {}
        try:
            losses = self.learner.learn(self._step_inputs(batch))
        except NotFinite as error:
            self._tell_bad(before, batch, error.losses)
        else:
            self._bad_steps.good()
        seconds = time.monotonic() - started
        self.learner.seconds += seconds
        if self._reporter is not None:
            if losses:
                losses["images_per_s"] = count / seconds
            with self._writing():
                self._reporter.report(losses, before=before, now=before + count)

    def _read(self, read: Callable[[], Result]) -> Result:
        """What ``read`` gives; if it fails in any process, all save and stop."""
        result, problem = None, None
        try:
            result = read()
        except UserError as error:
            problem = error
        if self.workers.any(problem is not None):
            self._save()
            raise problem or RunError(
                "another process has stopped; its log says why", code="peer_failed"
            )
        return result

    def _tell_bad(self, images_seen: int, batch: Batch, losses: Losses) -> None:
        arrays = {
            "photo": to_pixels(batch.photo),
            "label_map": batch.label_map.astype(np.uint8),
            "files": np.array(self.batches.stems(images_seen, len(batch.photo))),
        }
        try:
            with self._writing():
                line = self._bad_steps.bad(images_seen, losses, arrays=arrays)
        except UserError:
            self._save()
            raise
        self._say(line)

    def _recalibrate(self) -> None:
        """Measure the statistics of the averaged generator; every process must come here."""
        size = self.config.batch_size
        starts = range(0, self.config.ema_recalibration_images, size)
        batches = self._read(
            lambda: [self.batches.at(*self.workers.share(start, size)) for start in starts]
        )
        if batches:
            inputs = (part for batch in batches for part in self._step_inputs(batch))
            self.learner.statistics = measure_statistics(self.learner.averaged, inputs)

    def _show(self, images_seen: int) -> None:
        """Write sample pictures; every process must come here."""
        reporter = self._reporter
        picture = self._read(lambda: None if reporter is None else self.sample_sheet())
        if reporter is not None:
            with self._writing():
                reporter.picture(images_seen, picture)

    def _judge(self, images_seen: int) -> None:
        """Write the scores and keep the best averages; every process must come here."""
        if self._validation is None:
            return
        reporter = self._reporter
        scores = self._read(lambda: None if reporter is None else self._scores())
        if reporter is not None:
            with self._writing():
                reporter.scores(images_seen, scores)
                self._snapshots.keep_if_best(self.learner.state(), scores, by=DECIDING)

    def _scores(self) -> dict[str, float]:
        averaged, parts = (
            self.learner.averaged,
            {"train": self.train_scenes, "val": self.val_scenes},
        )
        with statistics(averaged.generator, self.learner.statistics):
            scores = self._validation.score(averaged)
        return scores | measure_overfitting(
            self.learner.networks, **parts, config=self.config, num_labels=len(self.label_set)
        )

    def sample_sheet(self) -> np.ndarray:
        """The first validation scenes as label map | painted | painted by the average | photo."""
        averaged = self.learner.averaged
        painters = [self.learner.networks, averaged]
        with statistics(averaged.generator, self.learner.statistics):
            return sample_sheet(
                painters if self.config.ema_halflife_images else painters[1:],
                self.val_scenes,
                config=self.config,
                label_set=self.label_set,
            )

    def _step_inputs(self, batch: Batch) -> list[StepInput]:
        return step_inputs(
            batch, most=self._part_size, config=self.config, num_labels=len(self.label_set)
        )

    def first_picture(self) -> StepInput:
        """A training picture as the networks take it: what pictures of this run are like."""
        return step_input(self.batches.at(0, 1), config=self.config, num_labels=len(self.label_set))

    @property
    def _part_size(self) -> int:
        """Pictures that go through the networks at once, in this process."""
        config = self.config
        return max(config.batch_size // (self.workers.size * config.compute.accumulation), 1)

    def _save(self) -> None:
        """Write a checkpoint, unless there is one of now or this is not the first process."""
        images_seen = self.learner.images_seen
        if self._reporter is None or self._saved_at == images_seen:
            return
        with self._writing():
            self._reporter.write_pending(images_seen)
            save_checkpoint(self._checkpoints, self.learner.state(), images_seen=images_seen)
        self._saved_at = images_seen

    @property
    def _checkpoints(self) -> Path:
        return self.run / "checkpoint"

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Within it a full disk and the like become an error for people."""
        try:
            yield
        except OSError as error:
            whole = [int(path.stem) for path in checkpoints(self._checkpoints)]
            state = f"the checkpoint of {whole[0]} images is whole" if whole else "nothing is lost"
            raise RunError(
                f"{self.run}: cannot be written at {self.learner.images_seen} images: "
                f"{error.strerror or error}; {state}: make room, and the same command goes on",
                code="run_not_writable",
            ) from error

    def _new_reporter(self) -> Reporter:
        return Reporter(
            self.run,
            config=self.config,
            label_set=self.label_set,
            images_seen=self.learner.images_seen,
            processes=self.workers.size,
            convolutions=str(self.learner.convolutions),
        )

    def _begin_with(self, start: Path) -> None:
        lines = begin_with(
            dict(self.learner.networks.trained()),
            start,
            config=self.config,
            label_set=self.label_set,
        )
        self.learner.start_averages()
        self._say(*lines)

    def _say(self, *lines: str) -> None:
        """Print lines, once for all processes."""
        if self.workers.rank == 0:
            for line in lines:
                tqdm.write(line)

    def _resume(self) -> None:
        state = load_latest(self._checkpoints, warn=self._say)
        if state is None:
            return
        check_same_networks(self.run, self.config, self.label_set)
        self.learner.load(state)
        self._say(*self.learner.convolutions.change_since(self.run / ENVIRONMENT_FILE))
        self._say(f"going on from {self.learner.images_seen} images in {self.run}")
