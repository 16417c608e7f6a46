"""Low resolution first, then high: what carries over from a smaller run, and what it paints."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from spade_paddle.engine.ema import WeightAverage
from spade_paddle.engine.resuming import initialize_from
from spade_paddle.engine.schedule import fade_in
from spade_paddle.networks.build import build_generator
from tests.engine.small_runs import (
    MORE,
    MOST,
    STYLE,
    Run,
    SmallRuns,
    assert_carried,
    build,
    grow,
    numbers,
    picture,
    segmap_of,
    tiny,
)


@pytest.fixture(scope="module")
def folders(tmp_path_factory, landscape):
    return SmallRuns(tmp_path_factory.mktemp("runs"), landscape)


@pytest.mark.parametrize("to", [(), MORE], ids=["normal", "more"])
def test_normal_and_more_have_the_same_layers_and_all_of_them_carry_over(folders, landscape, to):
    run = folders("normal")
    networks, before, lines = grow(run, tiny(*([to] if to else [])), landscape)
    for part in ("generator", "discriminator"):
        assert_carried(networks, run, part)
        assert not np.array_equal(
            before[part][next(iter(before[part]))],
            numbers(networks, part)[next(iter(before[part]))],
        )
    children = "fc, head_0, G_middle_0, G_middle_1, up_0, up_1, up_2, up_3, conv_img"
    assert [line.replace(str(run.folder), "RUN") for line in lines] == [
        f"generator: all 82 layers carry over from RUN (26000 images): {children}",
        "discriminator: all 12 layers carry over from RUN (26000 images): nld_0, nld_1",
    ]


def test_the_finest_block_of_most_and_its_picture_layer_are_fresh(folders, landscape):
    run = folders("normal")
    networks, before, lines = grow(run, tiny(MOST), landscape)
    assert_carried(networks, run, "generator", fresh=("up_4", "conv_img"), before=before)
    assert lines[0].endswith("up_0, up_1, up_2, up_3; new: up_4, conv_img")
    assert lines[0].startswith("generator: 81 of 97 layers carry over from ")
    assert "conv_img_before" not in dict(networks["generator"].named_children())


def test_picture_layer_of_most_is_fresh_even_where_its_shape_is_the_same(tmp_path, landscape):
    narrow = {"generator": {"ngf": 1}}
    run = Run(tmp_path / "run", tiny(narrow), landscape)
    networks, before, _ = grow(run, tiny(narrow, MOST), landscape)
    assert before["generator"]["conv_img.weight"].shape == (3, 1, 3, 3)
    assert_carried(networks, run, "generator", fresh=("up_4", "conv_img"), before=before)


def test_more_scales_are_fresh_and_the_others_carry_over(folders, landscape):
    run = folders("normal")
    networks, before, lines = grow(run, tiny({"discriminator": {"scales": 3}}), landscape)
    assert_carried(networks, run, "discriminator", fresh=("nld_2",), before=before)
    assert lines[1].startswith("discriminator: 12 of 18 layers carry over from ")
    assert lines[1].endswith("nld_0, nld_1; new: nld_2")


def test_at_fade_0_the_picture_is_the_coarser_generators_enlarged(folders, landscape):
    run = folders("more")
    config = tiny(MOST, {"fade_in_images": 100})
    networks, before, lines = grow(run, config, landscape)
    fresh = ("up_4", "conv_img", "conv_img_before")
    assert_carried(
        networks, run, "generator", fresh=fresh, before=numbers_with_old_image(run, before)
    )
    segmap = segmap_of(config, side=128)
    small = picture(run.config, run.networks, segmap)
    enlarged = segmap.repeat_interleave(2, axis=2).repeat_interleave(2, axis=3)
    large = picture(config, networks, enlarged, fade=0.0)
    assert small.std() > 0.01
    assert np.array_equal(large, small.repeat(2, axis=2).repeat(2, axis=3))
    assert lines[0].endswith(
        "new: up_4, conv_img; conv_img_before is the source's conv_img, which up_4 and conv_img "
        "replace over 100 images"
    )


def numbers_with_old_image(run: Run, before: dict) -> dict:
    """The numbers before, but the run's conv_img as conv_img_before."""
    old = numbers(run.networks, "generator")
    image = {f"conv_img_before.{name}": old[f"conv_img.{name}"] for name in ("weight", "bias")}
    return {"generator": {**before["generator"], **image}}


def test_average_of_a_fading_generator_paints_the_same(folders, landscape):
    config = tiny(MOST, {"fade_in_images": 100})
    networks, _, _ = grow(folders("more"), config, landscape)
    average = build_generator(config, num_labels=13, spectral_norm=False)
    WeightAverage(networks["generator"], average, halflife_images=8)
    segmap = segmap_of(config, side=128)
    for fade in (0.0, 0.3):
        expected = picture(config, networks, segmap, fade=fade)
        actual = picture(config, {"generator": average}, segmap, fade=fade)
        assert np.allclose(actual, expected, atol=1e-5)


def test_a_run_after_a_faded_one_leaves_the_old_picture_layer_behind(folders, landscape):
    run = folders("fading")
    networks, _, lines = grow(run, tiny(MOST), landscape)
    assert_carried(networks, run, "generator")
    assert lines[0].endswith("conv_img; conv_img_before is removed")


@pytest.mark.parametrize("side, ratio", [(128, 1.0), (32, 1.0), (64, 2.0)])
def test_a_style_paints_at_the_new_size_as_it_did_when_resized(folders, landscape, side, ratio):
    # the old generator resizes its features of 2 x 2 places, the new one has layers of that size
    run = folders("style")
    size = {"crop_size": side, "load_size": 128, "aspect_ratio": ratio}
    config = tiny(STYLE, {"data": size})
    networks, _, lines = grow(run, config, landscape)
    assert list(networks["generator"].latent_size) == [side / ratio // 32, side // 32]
    rows = int(side / ratio)
    segmap = segmap_of(config, side=side)[:, :, :rows]
    expected = picture(run.config, run.networks, segmap)
    actual = picture(config, networks, segmap)
    assert np.abs(actual - expected).max() < 1e-4
    assert expected.std() > 0.01
    before = numbers(run.networks, "generator")
    del before["fc.weight"], before["fc.bias"]
    now = numbers(networks, "generator")
    assert all(np.array_equal(now[name], value) for name, value in before.items())
    assert lines[0].endswith(f"; fc is resized from 2 x 2 to {side // 32} x {rows // 32} features")
    assert_carried(networks, run, "encoder")


def test_style_features_are_carried_untouched_where_their_size_stays(folders, landscape):
    # 64 pixels of normal and 128 of more: 2 x 2 places
    run = folders("style")
    config = tiny(STYLE, {"generator": {"upsampling": "more"}, "data": MOST["data"]})
    networks, _, lines = grow(run, config, landscape)
    assert_carried(networks, run, "generator")
    assert "resized" not in lines[0]


@pytest.mark.parametrize("latent_channels, fresh", [(None, ("fc",)), (6, ("fc", "head_0"))])
def test_a_style_can_be_added(folders, landscape, latent_channels, fresh):
    run = folders("normal")
    config = tiny(STYLE, {"generator": {"latent_channels": latent_channels}})
    networks, before, lines = grow(run, config, landscape)
    assert_carried(networks, run, "generator", fresh=fresh, before=before)
    assert f"; new: {', '.join(fresh)}" in lines[0]
    assert (
        lines[1]
        == f"encoder: all layers are newly initialized, {run.folder} (26000 images) has no encoder"
    )
    now = numbers(networks, "encoder")
    assert all(np.array_equal(value, now[name]) for name, value in before["encoder"].items())


def test_a_converted_generator_leaves_the_other_networks_free(folders, landscape):
    run = folders("converted style")
    other = {"discriminator": {"scales": 1, "ndf": 3}, "encoder": {"style_dim": 3, "nef": 1}}
    networks, before, lines = grow(run, tiny(STYLE, other), landscape)
    assert_carried(networks, run, "generator")
    for part, line in zip(("encoder", "discriminator"), lines[1:]):
        assert line == f"{part}: all layers are newly initialized, {run.folder} has no {part}"
        now = numbers(networks, part)
        assert all(np.array_equal(value, now[name]) for name, value in before[part].items())


def test_the_newest_whole_checkpoint_is_taken_and_a_broken_one_told(folders, tmp_path, landscape):
    run = folders("normal")
    shutil.copytree(run.folder, tmp_path / "run")
    (tmp_path / "run" / "checkpoint" / "0000027000.pdparams").write_bytes(b"broken")
    networks = build(tiny(), seed=2)
    lines = initialize_from(networks, tmp_path / "run", config=tiny(), label_set=landscape)
    assert_carried(networks, run, "generator")
    assert "0000027000.pdparams is damaged" in lines[0]
    assert "(26000 images)" in lines[1]


def test_fade_in_by_hand():
    assert [fade_in(seen, over=200) for seen in (0, 50, 200, 900)] == [0.0, 0.25, 1.0, 1.0]
    assert fade_in(0, over=0) == 1.0
