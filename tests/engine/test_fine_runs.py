"""tools/train.py with fine blocks, in real processes: fresh, grown, stopped and exported."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import numpy as np
import pytest

from spade_paddle.inference.export import export_run
from spade_paddle.inference.painter import Painter
from tests.engine.conftest import assert_same_state, environment
from tests.synthetic import synthetic_scene

NOISY = ("generator.noise=true", "generator.norm=clade")
LARGER = (
    *NOISY,
    *("generator.fine_blocks=1", "data.crop_size=64", "data.load_size=80"),
    *("discriminator.scales=3", "fade_in_images=4", "checkpoint_every_images=2"),
)


@pytest.fixture(scope="module")
def grown(workshop):
    """A run of 32 pixels, one of 64 that goes on from it, and what the latter said."""
    result = workshop.train("small", *NOISY, "total_images=4")
    assert result.returncode == 0, result.stderr
    result = workshop.train("large", *LARGER, init=workshop.folder / "small")
    assert result.returncode == 0, result.stderr
    return result.stdout + result.stderr


def test_a_new_run_with_a_fine_block_trains_at_128_pixels(workshop):
    options = (*NOISY, "generator.fine_blocks=1", "data.crop_size=128", "data.load_size=128")
    result = workshop.train("fresh", *options, "total_images=2")
    assert result.returncode == 0, result.stderr
    generator = workshop.weights("fresh", 2)["generator"]
    assert any(name.startswith("up_fine_0.") for name in generator)


def test_a_run_grows_by_a_fine_block_and_a_scale(workshop, grown):
    assert re.search(r"generator: \d+ of \d+ layers carry over from .*small \(4 images\)", grown)
    assert "new: up_fine_0, conv_img; conv_img_before is the source's conv_img" in grown
    assert re.search(
        r"nld_1, nld_2; new: nld_0; nld_0 of the source becomes nld_1, and so on", grown
    )
    large, small = workshop.weights("large", 8), workshop.weights("small", 4)
    learned = large["generator"]["conv_img_before.weight"]
    assert learned.shape == small["generator"]["conv_img.weight"].shape
    assert not np.array_equal(learned, small["generator"]["conv_img.weight"])


def test_stopped_in_the_middle_of_fading_in_it_ends_the_same(workshop, grown):
    small = workshop.folder / "small"
    for end in (2, 8):
        result = workshop.train("parts", *LARGER, f"total_images={end}", init=small)
        assert result.returncode == 0, result.stderr
    assert "resuming from 2 images" in result.stdout + result.stderr
    left, right = workshop.weights("large", 8), workshop.weights("parts", 8)
    for name in ("optimizer_g", "optimizer_d"):
        assert right[name].keys() <= left[name].keys()
        left[name] = {key: left[name][key] for key in right[name]}
    assert_same_state(left, right)


def test_the_grown_generator_is_exported_and_paints(workshop, grown, landscape):
    out = export_run(workshop.folder / "large", workshop.folder / "out", name="t", version="1")
    model = json.loads((out / "model.json").read_text(encoding="utf-8"))
    assert (model["multiple"], model["noise_channels"]) == (64, 8)
    scene = synthetic_scene(3, label_set=landscape, height=70, width=130)
    painted = Painter.load(out, threads=1).paint(scene.label_map, seed=2)
    assert painted.shape == (70, 130, 3)
    assert painted.std() > 0


def test_a_dry_run_of_growing_tells_the_larger_networks(workshop, grown):
    command = workshop.command("never", *LARGER, init=workshop.folder / "small")
    result = subprocess.run(
        [sys.executable, *command, "--dry-run"],
        capture_output=True,
        text=True,
        env=environment(workshop.root),
        timeout=300,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.count("GMAC for a picture of 64 x 64") == 2
    assert not (workshop.folder / "never").exists()


@pytest.mark.parametrize(
    "options, message",
    [
        (LARGER, "fade_in_images is 4, but the run starts from new weights"),
        (
            ("encoder.style_dim=4", "optimizer.train_encoder=false"),
            "optimizer.train_encoder is false, but the run starts from new weights",
        ),
        (
            ("generator.fine_blocks=1", "data.crop_size=96", "data.load_size=96"),
            "'data.crop_size' must be a multiple of 64 (upsampling normal and fine_blocks 1)",
        ),
    ],
)
def test_what_cannot_be_is_told_in_one_line(workshop, options, message):
    result = workshop.train("never", *options)
    assert result.returncode == 2
    assert message in result.stderr.strip().splitlines()[-1]
