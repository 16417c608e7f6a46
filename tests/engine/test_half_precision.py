"""Half precision as on a GPU, by a stand-in for autocast; see half_precision_run.py."""

from __future__ import annotations

import json
import subprocess
import sys
from unittest import mock

import numpy as np
import paddle
import pytest

from spade_paddle.engine.loss_scale import GROWS_AFTER, LossScale
from spade_paddle.layers.norm import ParamFreeSyncBatchNorm
from tests.engine.conftest import environment


def train(root, run, images, kind):
    command = [sys.executable, str(root / "tests/engine/half_precision_run.py"), str(run)]
    return subprocess.run(
        [*command, str(images), kind],
        capture_output=True,
        text=True,
        env=environment(root),
        timeout=300,
        check=False,
    )


@pytest.mark.parametrize("kind", ["float16", "bfloat16"])
def test_a_nan_in_the_middle_and_a_resume_after_it_end_finite(processes, root, tmp_path, kind):
    run = tmp_path / "run"
    results = [train(root, run, images, kind) for images in (24, 40)]
    for result in results:
        assert result.returncode == 0, result.stdout + result.stderr
    assert "at 20 images g_more, " in results[0].stdout
    assert "resuming from 24 images" in results[1].stdout
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    assert [line["images"] for line in lines if "g_gan" in line] == [
        images for images in range(2, 42, 2) if images != 22
    ]
    state = paddle.load(str(run / "checkpoint" / "0000000040.pdparams"), return_numpy=True)
    for part in ("generator", "discriminator", "optimizer_g", "optimizer_d"):
        for name, value in state[part].items():
            assert np.isfinite(np.asarray(value, dtype=np.float32)).all(), name
    vectors = [v for k, v in state["generator"].items() if k.endswith(("weight_u", "weight_v"))]
    assert vectors and all(vector.dtype == np.float32 for vector in vectors)
    if kind == "float16":  # the one gradient that was too large, in the generator's step
        assert state["scale_g"] == {"factor": 2.0**15, "good_steps": 5}
        assert state["scale_d"] == {"factor": 2.0**16, "good_steps": 19}
    else:
        assert state["scale_g"] == {}


def test_the_scale_halves_after_an_overflow_and_doubles_after_many_good_steps():
    scale = LossScale(enabled=True)
    scale.update(overflow=True)
    for step in range(GROWS_AFTER):
        assert scale.factor == 2.0**15, step
        scale.update(overflow=False)
    assert scale.factor == 2.0**16
    other = LossScale(enabled=True)
    other.set_state_dict(scale.state_dict())
    assert (other.factor, other.state_dict()) == (2.0**16, scale.state_dict())


def test_without_scaling_nothing_is_scaled_or_kept():
    scale = LossScale(enabled=False)
    scale.update(overflow=False)
    assert scale.factor == 1.0 and scale.state_dict() == {}
    scale.set_state_dict({"factor": 8.0, "good_steps": 1})  # of a run in float16
    assert scale.factor == 1.0


@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_synchronized_norm_counts_more_pixels_than_float16_can(dtype):
    values = np.random.default_rng(0).normal(3, 2, (1, 2, 300, 300)).astype(np.float32)
    norm = ParamFreeSyncBatchNorm(2)
    with mock.patch("spade_paddle.layers.norm.sum_over_processes", lambda values: values):
        result = norm(paddle.to_tensor(values).astype(dtype))
    assert result.dtype == getattr(paddle, dtype)
    expected = (values - values.mean((2, 3), keepdims=True)) / values.std((2, 3), keepdims=True)
    assert np.allclose(result.astype("float32").numpy(), expected, atol=2e-2)
    assert np.allclose(norm._variance.numpy(), 0.9 + 0.1 * values.var((0, 2, 3)), rtol=1e-3)
