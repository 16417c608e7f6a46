"""tools/train.py --init: a new run that begins with converted weights, in real processes."""

from __future__ import annotations

import re
import shutil

import numpy as np
import paddle
import pytest
import yaml

from tests.engine.conftest import assert_same_state

PARTS = ("generator", "encoder", "discriminator")
STYLE = ("encoder.style_dim=3", "encoder.nef=2", "encoder.size=16", "batch_size=1")
# nothing moves but running statistics
STILL = ("optimizer.generator_lr=0.0", "optimizer.discriminator_lr=0.0", "total_images=1")


@pytest.fixture(scope="module")
def folder(workshop):
    """A folder with weights to train on, as tools/convert.py writes them, and those weights."""
    result = workshop.train("before", *STYLE, "total_images=2")
    assert result.returncode == 0, result.stderr
    run = workshop.folder / "before"
    state = paddle.load(str(run / "checkpoint" / "0000000002.pdparams"))
    weights = {part: state[part] for part in PARTS}
    folder = workshop.folder / "converted"
    folder.mkdir()
    paddle.save(weights, str(folder / "training.pdparams"))
    for name in ("config.yaml", "labels.json"):
        shutil.copy(run / name, folder)
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
    assert "resuming from 1 images" in result.stdout + result.stderr
    state = paddle.load(
        str(workshop.folder / "on" / "checkpoint" / "0000000002.pdparams"), return_numpy=True
    )
    name = "conv_img.weight"
    assert not np.array_equal(state["generator"][name], expected["generator"][name])


@pytest.mark.parametrize(
    ("options", "missing", "message"),
    [
        (STYLE, True, "nowhere: there are no weights to start from; expected a run folder of"),
        ((*STYLE, "generator.ngf=3"), False, "generator.ngf was 2, is 3, must be the same"),
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


def test_a_run_grows_from_normal_to_most_and_its_new_block_fades_in(workshop):
    assert workshop.train("small", "total_images=4").returncode == 0
    larger = (
        *("generator.upsampling=most", "data.crop_size=128", "data.load_size=128"),
        *("fade_in_images=4", f"init_from={workshop.folder / 'small'}"),
        "checkpoint_every_images=2",
    )
    straight = workshop.train("large", *larger)
    assert straight.returncode == 0, straight.stderr
    text = straight.stdout + straight.stderr
    assert re.search(r"generator: \d+ of \d+ layers carry over from .*small \(4 images\)", text)
    assert "new: up_4, conv_img" in text
    assert "discriminator: all" in text
    # stopped in the middle of fading in, and after it, it ends the same
    for end in (2, 6):
        assert workshop.train("parts", *larger, f"total_images={end}").returncode == 0
    again = workshop.train("parts", *larger)
    assert "resuming from 6 images" in again.stdout + again.stderr
    assert "carry over" not in again.stdout + again.stderr
    left, right = workshop.weights("large", 8), workshop.weights("parts", 8)
    # no gradient reaches conv_img_before after fading; Adam forgets its moments with a restart
    for name in ("optimizer_g", "optimizer_d"):
        assert right[name].keys() <= left[name].keys()
        left[name] = {key: left[name][key] for key in right[name]}
    assert_same_state(left, right)
    before = workshop.weights("small", 4)["generator"]["conv_img.weight"]
    assert not np.array_equal(left["generator"]["conv_img_before.weight"], before)  # it learned


def test_a_source_given_on_the_command_line_is_kept_in_the_configuration(workshop, folder):
    path, _ = folder
    assert workshop.train("kept", *STYLE, "total_images=1", init=path).returncode == 0
    config = yaml.safe_load((workshop.folder / "kept" / "config.yaml").read_text(encoding="utf-8"))
    assert config["init_from"] == str(path)
