"""Accumulation and choices for GPUs: none of them changes what is learned."""

from __future__ import annotations

import json

import numpy as np
import pytest

from spade_paddle.engine import compute

# instance norm, and rates so small that a rounding error does not grow
CALM = (
    *("generator.param_free_norm=instance", "batch_size=4", "total_images=12"),
    *("optimizer.generator_lr=1.0e-4", "optimizer.discriminator_lr=1.0e-4"),
)
PLAIN = ("generator.spectral_norm=false", "discriminator.spectral_norm=false")
STYLE = ("encoder.style_dim=3", "encoder.nef=2", "encoder.size=16")


def first_moments(workshop, run, images):
    """Of Adam: after one step, a tenth of the gradients."""
    state = workshop.weights(run, images)
    return {
        key: value
        for name in ("optimizer_g", "optimizer_d")
        for key, value in state[name].items()
        if "moment1" in key
    }


def assert_near(left, right):
    assert left.keys() == right.keys()
    for name, value in left.items():
        assert np.allclose(right[name], value, rtol=1e-3, atol=1e-4), name


@pytest.mark.parametrize("parts", [2, 4])
def test_gradients_of_parts_are_those_of_the_whole_batch(workshop, parts):
    """Without spectral norm, whose vectors every pass moves on."""
    runs = {"whole": 1, f"parts-{parts}": parts}
    for name, count in runs.items():
        options = (*CALM, *PLAIN, "total_images=4", f"compute.accumulation={count}")
        result = workshop.train(name, *options)
        assert result.returncode == 0, result.stderr
    assert_near(*(first_moments(workshop, name, 4) for name in runs))


def test_losses_of_parts_are_those_of_the_whole_batch_the_sum_over_styles_too(workshop):
    losses = []
    for count in (1, 2):
        options = (*CALM, *STYLE, "total_images=4", f"compute.accumulation={count}")
        assert workshop.train(f"styles-{count}", *options).returncode == 0
        metrics = workshop.folder / f"styles-{count}" / "metrics.jsonl"
        losses.append(json.loads(metrics.read_text(encoding="utf-8")))
    for name in ("g_gan", "g_feat", "g_vae", "d_fake", "d_real", "g_grad_norm", "d_grad_norm"):
        assert losses[1][name] == pytest.approx(losses[0][name], rel=0.02, abs=1e-3), name


def test_odd_last_batch_is_taken_in_parts_too(workshop):
    result = workshop.train("odd", *CALM, "compute.accumulation=2", "total_images=7")
    assert result.returncode == 0, result.stderr
    assert workshop.checkpoints("odd") == [4, 7]


def test_choices_for_gpus_are_told_to_have_no_effect_on_a_cpu(workshop):
    short = ("total_images=2", "checkpoint_every_images=2")
    result = workshop.train("gpu", *short, "compute.amp=float16")
    assert result.returncode == 0, result.stderr
    text = result.stdout + result.stderr
    assert "compute.amp has no effect on a CPU" in text
    assert workshop.train("no-gpu", *short).returncode == 0
    left, right = (workshop.weights(name, 2)["generator"] for name in ("gpu", "no-gpu"))
    assert all(np.array_equal(left[name], right[name]) for name in left)


@pytest.mark.parametrize(
    ("gpu", "said", "expected"),
    [
        (True, None, [{"FLAGS_cudnn_exhaustive_search": True}]),
        (True, "0", []),
        (True, "1", []),
        (False, None, []),
    ],
)
def test_on_gpus_cudnn_searches_unless_the_environment_says_something(
    gpu, said, expected, monkeypatch
):
    found = []
    monkeypatch.delenv(compute.EXHAUSTIVE_SEARCH, raising=False)
    if said is not None:
        monkeypatch.setenv(compute.EXHAUSTIVE_SEARCH, said)
    monkeypatch.setattr(compute, "on_gpu", lambda: gpu)
    monkeypatch.setattr(compute.paddle, "set_flags", found.append)
    compute.search_convolutions()
    assert found == expected
