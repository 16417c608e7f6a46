"""Trains as on a GPU in half precision; ``python half_precision_run.py RUN IMAGES TYPE``.

On a CPU Paddle's autocast does nothing. Here it gives what ``matmul`` and ``mv`` return in half
precision; the CPU has no kernels for more. The losses of the step after 20 images are NaN; in
float16 the gradient after 28 is too large for the scale.
"""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from unittest import mock

import paddle

from spade_paddle.config import Config
from spade_paddle.data.label_sets import find_label_set
from spade_paddle.engine.trainer import Trainer
from tests.synthetic import synthetic_scene

SPADE = (
    *("data.crop_size=32", "data.load_size=40", "generator.ngf=2", "generator.max_width=8"),
    *("generator.nhidden=4", "discriminator.ndf=4", "discriminator.max_width=8"),
    *("discriminator.num_layers=3", "losses.perceptual=0", "batch_size=2", "log_every_images=2"),
    *("checkpoint_every_images=20", "sample_every_images=1000"),
)
kinds = [None]  # what autocast is on to, of the innermost context


@contextlib.contextmanager
def auto_cast(enable=True, dtype="float16", **_):
    kinds.append(dtype if enable else None)
    try:
        yield
    finally:
        kinds.pop()


def halved(function):
    def call(*tensors, **options):
        result = function(*tensors, **options)
        return result.astype(kinds[-1]) if kinds[-1] else result

    return call


def poison(networks, part, fake):
    """A loss of 0; once NaN, and once with a gradient that the scale makes infinite."""
    weights = {20: float("nan"), **({28: 1e38} if kind == "float16" else {})}
    return {"g_more": fake.mean() * weights.get(trainer.learner.images_seen, 0.0)}


run, images, kind = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
config = Config.preset("spade", *SPADE, f"total_images={images}", f"compute.amp={kind}")
labels = find_label_set("landscape")
scenes = [synthetic_scene(seed, label_set=labels) for seed in range(5)]
with contextlib.ExitStack() as stack:
    for name, value in {
        "paddle.amp.auto_cast": auto_cast,
        "paddle.matmul": halved(paddle.matmul),
        "paddle.mv": halved(paddle.mv),
        "spade_paddle.engine.adam.on_gpu": lambda: True,
        "spade_paddle.engine.descent.on_gpu": lambda: True,
        "spade_paddle.engine.resuming.on_gpu": lambda: True,
    }.items():
        stack.enter_context(mock.patch(name, value))
    trainer = Trainer(
        config, label_set=labels, scenes=(scenes[:4], scenes[4:]), run=run, extra_losses=[poison]
    )
    trainer.train()
