"""Growing at the fine end: every block and every patch scale keeps the scale it has learned."""

from __future__ import annotations

import numpy as np
import paddle
import pytest

from spade_paddle.config import Config
from spade_paddle.engine.grown_weights import grown_discriminator
from spade_paddle.engine.growth import added_blocks, finer_scales, new_layers
from spade_paddle.engine.resuming import check_same_networks, initialize_from
from spade_paddle.engine.run_folder import RunFolder
from spade_paddle.errors import ConfigError
from spade_paddle.networks.discriminator import scale_name
from tests.engine.small_runs import (
    FINE,
    STYLE,
    SmallRuns,
    assert_carried,
    build,
    grow,
    numbers,
    picture,
    segmap_of,
    tiny,
)

FINER = {"generator": {"fine_blocks": 2}, "data": {"crop_size": 128, "load_size": 128}}
SCALES = {"discriminator": {"scales": 3}}
FADING = {"fade_in_images": 100}


@pytest.fixture(scope="module")
def folders(tmp_path_factory, landscape):
    return SmallRuns(tmp_path_factory.mktemp("runs"), landscape)


@pytest.mark.parametrize(
    "source, changes, fresh",
    [
        ("normal", FINE, ("up_fine_0", "conv_img")),
        ("normal", FINER, ("up_fine_0", "up_fine_1", "conv_img")),
        ("fine", FINER, ("up_fine_1", "conv_img")),
        (
            "normal",
            {"generator": {"upsampling": "most", "fine_blocks": 1}, "data": {"crop_size": 256}},
            ("up_4", "up_fine_0", "conv_img"),
        ),
        (
            "more",
            {"generator": {"upsampling": "more", "fine_blocks": 1}},
            ("up_fine_0", "conv_img"),
        ),
    ],
)
def test_only_the_new_blocks_and_the_picture_layer_are_fresh(
    folders, landscape, source, changes, fresh
):
    run = folders(source)
    config = tiny({"data": {"crop_size": 256, "load_size": 256}}, changes)
    networks, before, lines = grow(run, config, landscape)
    assert_carried(networks, run, "generator", fresh=fresh, before=before)
    assert lines[0].endswith(f"; new: {', '.join(fresh)}")
    assert lines[1].endswith(f"carry over from {run.folder} (26000 images): nld_0, nld_1")


def test_with_the_same_blocks_all_layers_carry_over(folders, landscape):
    run = folders("fine")
    networks, _, lines = grow(run, tiny(FINE), landscape)
    assert_carried(networks, run, "generator")
    assert_carried(networks, run, "discriminator")
    assert "fresh" not in lines[0] + lines[1]


@pytest.mark.parametrize("source, changes", [("normal", FINE), ("fine", FINER)])
def test_at_fade_0_the_picture_is_that_of_half_the_size_enlarged(
    folders, landscape, source, changes
):
    run = folders(source)
    config = tiny(changes, FADING)
    networks, _, lines = grow(run, config, landscape)
    large = segmap_of(config, side=2 * config.generator.multiple)
    small = picture(run.config, run.networks, large[:, :, ::2, ::2])
    assert small.std() > 0.01
    painted = picture(config, networks, large, fade=0.0)
    assert np.array_equal(painted, small.repeat(2, axis=2).repeat(2, axis=3))
    assert not np.allclose(picture(config, networks, large, fade=0.5), painted, atol=1e-3)
    last = f"up_fine_{config.generator.fine_blocks - 1}"
    assert f"; new: {last}, conv_img; conv_img_before is the source's conv_img" in lines[0]
    assert lines[0].endswith(f", which {last} and conv_img replace over 100 images")


def test_after_one_block_has_faded_in_the_next_one_can(folders, landscape):
    run = folders("fading fine")
    networks, _, lines = grow(run, tiny(FINER, FADING), landscape)
    old, now = numbers(run.networks, "generator"), numbers(networks, "generator")
    for name in ("weight", "bias"):
        # conv_img of the source, not its conv_img_before
        assert np.array_equal(now[f"conv_img_before.{name}"], old[f"conv_img.{name}"])
    assert now["conv_img_before.weight"].shape != old["conv_img_before.weight"].shape
    assert "conv_img_before is removed; conv_img_before is the source's conv_img" in lines[0]


def test_a_style_keeps_its_features(folders, landscape):
    # 64 pixels of 5 doublings and 128 of 6: 2 x 2 places
    run = folders("style")
    size = {"crop_size": 128, "load_size": 128}
    config = tiny(STYLE, {"generator": FINE["generator"], "data": size}, FADING)
    networks, _, lines = grow(run, config, landscape)
    assert networks["generator"].latent_size == (2, 2)
    assert "resized" not in lines[0]
    assert_carried(networks, run, "encoder")
    large = segmap_of(config, side=128)
    small = picture(run.config, run.networks, large[:, :, ::2, ::2])
    painted = picture(config, networks, large, fade=0.0)
    assert np.array_equal(painted, small.repeat(2, axis=2).repeat(2, axis=3))


def test_each_patch_scale_moves_on_by_one_and_the_finest_is_fresh(folders, landscape):
    run = folders("normal")
    networks, before, lines = grow(run, tiny(FINE, SCALES), landscape)
    new, old = networks["discriminator"], run.networks["discriminator"]
    for place in (0, 1):
        theirs = getattr(old, f"nld_{place}")[-1].state_dict()
        ours = getattr(new, f"nld_{place + 1}")[-1].state_dict()
        assert theirs.keys() == ours.keys() and theirs
        assert all(np.array_equal(ours[name].numpy(), theirs[name].numpy()) for name in theirs)
    now = numbers(networks, "discriminator")
    finest = [name for name in now if name.startswith("nld_0.")]
    assert all(np.array_equal(now[name], before["discriminator"][name]) for name in finest)
    assert "12 of 18 layers carry over" in lines[1]
    assert lines[1].endswith(
        "nld_1, nld_2; new: nld_0; nld_0 of the source becomes nld_1, and so on, to keep its scale"
    )


@paddle.no_grad()
def test_the_scales_of_the_source_judge_a_picture_pooled_once_as_they_did(folders, landscape):
    run = folders("normal")
    networks, _, _ = grow(run, tiny(FINE, SCALES), landscape)
    new, old = networks["discriminator"], run.networks["discriminator"]
    new.eval(), old.eval()
    large = paddle.rand([1, 13 + 1 + 1 + 3, 64, 64])
    small = paddle.nn.AvgPool2D(3, 2, 1)(large)
    for expected, actual in zip(old(small)["patch"], new(large)["patch"][1:]):
        for one, other in zip(expected, actual):
            assert np.array_equal(one.numpy(), other.numpy())


def both_ways(fine: tuple[int, int], scales: tuple[int, int], kinds=("patch", "patch")):
    """Configurations of a source and of the run that grows from it."""
    weights = {"projected_network": "vgg19"}
    return [
        tiny(
            {
                "generator": {"fine_blocks": fine[i]},
                "discriminator": {"scales": scales[i], "kind": kinds[i], **weights},
                "data": {"crop_size": 128, "load_size": 128},
                "losses": {"feature_matching": 0.0},
            }
        )
        for i in (0, 1)
    ]


@pytest.mark.parametrize(
    "fine, scales, kinds, finer, fresh",
    [
        ((0, 1), (2, 3), ("patch", "patch"), 1, ["nld_0"]),
        ((1, 2), (1, 2), ("patch", "patch"), 1, ["nld_0"]),
        ((0, 2), (1, 3), ("patch", "patch"), 2, ["nld_0", "nld_1"]),
        ((0, 1), (2, 3), ("patch", "both"), 1, ["projected", "nld_0"]),
        ((0, 1), (2, 3), ("both", "both"), 1, ["nld_0"]),
        ((0, 1), (2, 3), ("both", "patch"), 1, ["nld_0"]),
        # otherwise the new ones come after the others
        ((0, 1), (2, 2), ("patch", "patch"), 0, []),
        ((0, 1), (2, 4), ("patch", "patch"), 0, ["nld_2", "nld_3"]),
        ((0, 2), (2, 3), ("patch", "patch"), 0, ["nld_2"]),
        ((0, 0), (2, 3), ("patch", "patch"), 0, ["nld_2"]),
        ((1, 1), (2, 3), ("patch", "patch"), 0, ["nld_2"]),
        ((0, 1), (2, 3), ("projected", "both"), 0, ["nld_0", "nld_1", "nld_2"]),
        ((0, 1), (2, 3), ("projected", "projected"), 0, []),
    ],
)
def test_scales_move_on_where_as_many_come_as_fine_blocks(fine, scales, kinds, finer, fresh):
    old, new = both_ways(fine, scales, kinds)
    assert finer_scales(old, new) == finer
    assert new_layers("discriminator", paddle.nn.Layer(), old=old, new=new) == fresh


def test_projected_heads_stay_beside_scales_that_move_on():
    weights = {"nld_0.0.a.weight": 1, "nld_1.1.a.weight": 2, "projected.heads.0.weight": 3}
    old, new = both_ways((0, 1), (2, 3), ("both", "both"))
    moved, _ = grown_discriminator(weights, old=old, new=new)
    expected = {"nld_1.1.a.weight": 1, "nld_2.2.a.weight": 2, "projected.heads.0.weight": 3}
    assert moved == expected
    old, new = both_ways((0, 1), (2, 3), ("both", "patch"))
    moved, notes = grown_discriminator(weights, old=old, new=new)
    assert moved == {name: expected[name] for name in list(expected)[:2]}
    assert notes[0] == "the heads on vgg19 are removed" and len(notes) == 2
    old, new = both_ways((0, 2), (2, 4), ("both", "both"))
    moved, _ = grown_discriminator(weights, old=old, new=new)
    assert moved == {"nld_2.2.a.weight": 1, "nld_3.3.a.weight": 2, "projected.heads.0.weight": 3}


def test_scale_names_by_hand():
    assert scale_name("nld_0.0.layer_0.0.weight", further=1) == "nld_1.1.layer_0.0.weight"
    assert scale_name("nld_9.9.layer_1.bias", further=2) == "nld_11.11.layer_1.bias"
    assert scale_name("projected.nld_0.0.weight", further=1) == "projected.nld_0.0.weight"


def test_added_blocks_by_hand():
    def config(upsampling: str, fine_blocks: int) -> Config:
        generator = {"upsampling": upsampling, "fine_blocks": fine_blocks}
        return tiny({"generator": generator, "data": {"crop_size": 512, "load_size": 512}})

    assert added_blocks(config("normal", 0), config("more", 0)) == []
    assert added_blocks(config("more", 0), config("most", 2)) == ["up_4", "up_fine_0", "up_fine_1"]
    assert added_blocks(config("most", 1), config("most", 2)) == ["up_fine_1"]
    assert config("most", 2).generator.added_blocks == 3
    assert config("more", 1).generator.added_blocks == 1


@pytest.mark.parametrize(
    "changes, message",
    [
        ({}, "generator.fine_blocks was 1, is 0"),
        (FINER, "generator.fine_blocks was 1, is 2"),
        ({**FINE, **FADING}, "fade_in_images was 0, is 100"),
        (FINE, None),
    ],
)
def test_a_run_goes_on_only_with_the_same_fine_blocks(folders, landscape, changes, message):
    run = folders("fine").folder
    if message is None:
        check_same_networks(RunFolder(run), tiny(changes), landscape)
        return
    with pytest.raises(ConfigError, match=message):
        check_same_networks(RunFolder(run), tiny(changes), landscape)


def test_a_converted_generator_grows_without_its_discriminator(folders, landscape):
    run = folders("converted")
    config = tiny(FINE, SCALES)
    networks = build(config, seed=2)
    before = numbers(networks, "discriminator")
    lines = initialize_from(networks, run.folder, config=config, label_set=landscape)
    assert (
        lines[1]
        == f"discriminator: all layers are newly initialized, {run.folder} has no discriminator"
    )
    now = numbers(networks, "discriminator")
    assert all(np.array_equal(now[name], value) for name, value in before.items())
