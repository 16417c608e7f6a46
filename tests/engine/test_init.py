"""tools/train.py --init: a new run that begins with converted weights, in real processes."""

from __future__ import annotations

import numpy as np
import paddle
import pytest

PARTS = ("generator", "encoder", "discriminator")
STYLE = ("encoder.style_dim=3", "encoder.nef=2", "encoder.size=16", "batch_size=1")
# nothing moves but running statistics
STILL = ("optimizer.generator_lr=0.0", "optimizer.discriminator_lr=0.0", "total_images=1")


@pytest.fixture(scope="module")
def folder(workshop):
    """A folder with weights to train on, as tools/convert.py writes them, and those weights."""
    result = workshop.train("before", *STYLE, "total_images=2")
    assert result.returncode == 0, result.stderr
    state = paddle.load(str(workshop.folder / "before" / "checkpoint" / "0000000002.pdparams"))
    weights = {part: state[part] for part in PARTS}
    folder = workshop.folder / "converted"
    folder.mkdir()
    paddle.save(weights, str(folder / "training.pdparams"))
    return folder, {
        part: {name: value.numpy() for name, value in weights[part].items()} for part in PARTS
    }


def test_a_new_run_begins_with_the_weights_of_the_folder(workshop, folder):
    path, expected = folder
    result = workshop.train("after", *STYLE, *STILL, "seed=77", init=path)
    assert result.returncode == 0, result.stderr
    state = paddle.load(
        str(workshop.folder / "after" / "checkpoint" / "0000000001.pdparams"), return_numpy=True
    )
    for part in PARTS:
        for name, value in expected[part].items():
            if name.endswith(("weight", "bias", "weight_orig")):
                assert np.array_equal(state[part][name], value), name


def test_a_run_that_goes_on_does_not_begin_again(workshop, folder):
    path, expected = folder
    moving = ("optimizer.generator_lr=0.01", "optimizer.discriminator_lr=0.01")
    assert workshop.train("on", *STYLE, *moving, "total_images=1", init=path).returncode == 0
    result = workshop.train("on", *STYLE, *STILL[:2], "total_images=2", init=path)
    assert "going on from 1 images" in result.stdout + result.stderr
    state = paddle.load(
        str(workshop.folder / "on" / "checkpoint" / "0000000002.pdparams"), return_numpy=True
    )
    name = "conv_img.weight"
    assert not np.array_equal(state["generator"][name], expected["generator"][name])


@pytest.mark.parametrize(
    ("options", "missing", "message"),
    [
        (STYLE, True, "there is no such file; --init takes a model folder of tools/convert.py"),
        ((*STYLE, "generator.ngf=3"), False, "training.pdparams, generator: these weights do not"),
    ],
)
def test_weights_that_are_missing_or_do_not_fit_are_told(
    workshop, folder, options, missing, message
):
    path = workshop.folder / "nowhere" if missing else folder[0]
    result = workshop.train("never", *options, init=path)
    assert result.returncode == 2
    assert message in result.stderr.strip().splitlines()[-1]
    assert not (workshop.folder / "never").exists()
