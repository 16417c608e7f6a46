"""What a run cannot begin with, and what is told then."""

from __future__ import annotations

import shutil

import numpy as np
import paddle
import pytest

from spade_paddle.data.labels import LabelSet
from spade_paddle.engine.resuming import check_same_networks, initialize_from, source_of
from spade_paddle.engine.run_folder import RunFolder
from spade_paddle.errors import ConfigError, ModelError
from tests.engine.small_runs import FINE, MOST, STYLE, Run, SmallRuns, build, numbers, tiny

SIDE_256 = {"data": {"crop_size": 256, "load_size": 256}}


@pytest.fixture(scope="module")
def folders(tmp_path_factory, landscape):
    return SmallRuns(tmp_path_factory.mktemp("runs"), landscape)


@pytest.mark.parametrize(
    ("name", "changes", "message"),
    [
        ("normal", {"generator": {"ngf": 3}}, "generator.ngf was 2, is 3, must be the same"),
        ("normal", {"generator": {"max_width": 9}}, "generator.max_width was 8, is 9"),
        ("normal", {"generator": {"norm": "clade"}}, "generator.norm was spade, is clade"),
        ("normal", {"generator": {"spectral_norm": False}}, "generator.spectral_norm was True"),
        ("normal", {"generator": {"simam": False}}, "generator.simam was True, is False"),
        ("normal", {"generator": {"noise": True}}, "generator.noise was False, is True"),
        ("normal", {"discriminator": {"ndf": 5}}, "discriminator.ndf was 4, is 5"),
        (
            "normal",
            {"discriminator": {"spectral_norm": False}},
            "discriminator.spectral_norm was True, is False, must be the same",
        ),
        (
            "normal",
            {"discriminator": {"scales": 1}},
            "discriminator.scales was 2, is 1, must be the same or more",
        ),
        (
            "normal",
            {"data": {"dont_care": False, "drop_label_probability": 0.0}},
            "data.dont_care was True, is False",
        ),
        ("normal", {"data": {"instance_edges": False}}, "data.instance_edges was True, is False"),
        ("normal", {"data": {"icpe_compatible": True}}, "data.icpe_compatible was False, is True"),
        (
            "most",
            {"generator": {"upsampling": "more"}},
            "generator.upsampling was most, is more, must be the same or a finer one",
        ),
        ("most", {}, "generator.upsampling was most, is normal"),
        ("more", {}, "generator.upsampling was more, is normal"),
        (
            "most",
            {**MOST, "fade_in_images": 9},
            "fade_in_images is 9, must be 0: the source already has the",
        ),
        ("fine", {}, "generator.fine_blocks was 1, is 0, must be the same or more"),
        (
            "fine",
            {**FINE, "fade_in_images": 9},
            "fade_in_images is 9, must be 0: the source already has the finest block, so there",
        ),
        (
            "normal",
            {"generator": {"fine_blocks": 2}, "fade_in_images": 9},
            "fade_in_images is 9, must be 0: 2 blocks are new, and only one can fade in",
        ),
        (
            "fine",
            {**SIDE_256, "generator": {"fine_blocks": 1, "upsampling": "most"}},
            "upsampling was normal, is most, must be the same: up_4 would be inserted before",
        ),
        ("style", {}, "encoder.style_dim was 3, is 0, must be the same"),
        ("style", {"encoder": {**STYLE["encoder"], "style_dim": 4}}, "style_dim was 3, is 4"),
        ("style", {"encoder": {**STYLE["encoder"], "nef": 3}}, "encoder.nef was 2, is 3"),
        ("style", {"encoder": {**STYLE["encoder"], "size": 32}}, "encoder.size was 16, is 32"),
        (
            "style",
            {**STYLE, "generator": {"latent_channels": 5}},
            "generator.latent_channels was None, is 5",
        ),
        ("converted style", {"encoder": {"style_dim": 2}}, "encoder.style_dim was 3, is 2"),
        ("converted", {"generator": {"ngf": 3}}, "generator.ngf was 2, is 3"),
    ],
)
def test_what_is_more_than_growing_is_refused_by_name(folders, landscape, name, changes, message):
    run, config = folders(name), tiny({"data": {"crop_size": 128, "load_size": 128}}, changes)
    with pytest.raises(ConfigError) as error:
        initialize_from({}, run.folder, config=config, label_set=landscape)
    assert error.value.code == "init_differs"
    assert message in str(error.value)
    assert str(error.value).startswith(f"{run.folder}: ")
    assert str(error.value).count(", must be ") == 1


def test_all_differences_are_told_at_once(folders, landscape):
    changes = {"generator": {"ngf": 3, "kernel_size": 1}, "discriminator": {"num_layers": 4}}
    fewer = LabelSet(name="fewer", labels=landscape.labels[:-1])
    with pytest.raises(ConfigError) as error:
        initialize_from({}, folders("normal").folder, config=tiny(changes), label_set=fewer)
    for words in (
        "generator.ngf was 2, is 3",
        "generator.kernel_size was 3, is 1",
        "discriminator.num_layers was 3, is 4",
        "the label set was 'landscape' (13 labels), is 'fewer' (12), must be the same",
    ):
        assert words in str(error.value)


def test_another_label_set_of_the_same_length_is_refused(folders, landscape):
    first, *others = landscape.labels
    renamed = (type(first)(0, "ether", first.name_zh, first.color), *others)
    other = LabelSet(name="landscape", labels=renamed)
    with pytest.raises(ConfigError, match="the label set was 'landscape'"):
        initialize_from({}, folders("normal").folder, config=tiny(), label_set=other)


def test_nothing_is_set_when_something_is_refused(folders, landscape):
    config = tiny({"generator": {"simam": False}})  # every shape would fit
    networks = build(config, seed=2)
    before = numbers(networks, "generator")
    with pytest.raises(ConfigError):
        initialize_from(networks, folders("normal").folder, config=config, label_set=landscape)
    now = numbers(networks, "generator")
    assert all(np.array_equal(value, now[name]) for name, value in before.items())


def changed(run: Run, folder, change) -> None:
    """A copy of a run whose checkpoint was changed."""
    shutil.copytree(run.folder, folder)
    path = folder / "checkpoint" / "0000026000.pdparams"
    state = paddle.load(str(path))
    change(state)
    paddle.save(state, str(path))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda state: state["generator"].pop("conv_img.bias"),
            r"generator: these weights .* conv_img.bias: expected \(3,\), got nothing",
        ),
        (
            lambda state: state["discriminator"].update({"nld_2.x": paddle.zeros([2])}),
            r"discriminator: these weights .* nld_2.x: expected nothing, got \(2,\)",
        ),
        (
            lambda state: state["generator"].update({"fc.bias": paddle.zeros([9])}),
            r"generator: these weights .* fc.bias: expected \(8,\), got \(9,\)",
        ),
    ],
)
def test_weights_that_do_not_fit_their_own_configuration_are_named(
    folders, landscape, tmp_path, change, message
):
    changed(folders("normal"), tmp_path / "run", change)
    networks = build(tiny(), seed=2)
    with pytest.raises(ModelError, match=message):
        initialize_from(networks, tmp_path / "run", config=tiny(), label_set=landscape)


def test_style_weights_of_another_size_than_their_configuration_says_are_named(
    folders, landscape, tmp_path
):
    def change(state):
        state["generator"]["fc.weight"] = paddle.zeros([3, 7])

    changed(folders("style"), tmp_path / "run", change)
    config = tiny(STYLE, {"data": {"crop_size": 128, "load_size": 128}})
    with pytest.raises(ModelError, match=r"fc.weight: expected \(3, 128\), got \(3, 7\)"):
        initialize_from(build(config, seed=2), tmp_path / "run", config=config, label_set=landscape)


def test_a_folder_without_weights_is_told_with_what_to_give(tmp_path, landscape):
    with pytest.raises(ModelError) as error:
        initialize_from({}, tmp_path / "none", config=tiny(), label_set=landscape)
    assert error.value.code == "weights_missing"
    assert "none: there are no weights to start from; expected a run folder" in str(error.value)


def test_a_damaged_file_is_told(folders, tmp_path, landscape):
    folder = tmp_path / "model"
    shutil.copytree(folders("converted").folder, folder)
    (folder / "training.pdparams").write_bytes(b"no weights")
    with pytest.raises(ModelError, match=r"training\.pdparams: damaged"):
        initialize_from({}, folder, config=tiny(), label_set=landscape)


def test_command_line_wins_over_the_configuration_and_fading_needs_either(tmp_path):
    fading = tiny(MOST, {"fade_in_images": 5})
    with pytest.raises(ConfigError, match="fade_in_images is 5, but the run starts from new"):
        source_of(fading, init=None)
    assert source_of(tiny(), init=None) is None
    named = tiny(MOST, {"fade_in_images": 5, "init_from": str(tmp_path / "a")})
    assert source_of(named, init=None) == tmp_path / "a"
    assert source_of(named, init=tmp_path / "b") == tmp_path / "b"
    assert source_of(fading, init=tmp_path / "b") == tmp_path / "b"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"fade_in_images": 5},
            "'fade_in_images' must be 0 unless generator.upsampling is most or generator.fine_blo",
        ),
    ],
)
def test_fading_that_cannot_be_is_refused_with_the_configuration(changes, message):
    with pytest.raises(ConfigError, match=message):
        tiny(changes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"fade_in_images": 0}, "fade_in_images was 50, is 0"),
        (
            {**SIDE_256, "fade_in_images": 50, "generator": {"fine_blocks": 1}},
            "fine_blocks was 0, is 1",
        ),
        ({"fade_in_images": 50, "generator": {**MOST["generator"], "ngf": 3}}, "ngf was 2, is 3"),
        ({"fade_in_images": 50}, None),
        ({"fade_in_images": 70}, None),  # the same layers, only slower
    ],
)
def test_a_run_goes_on_only_with_the_same_layers(folders, landscape, changes, message):
    run, config = folders("fading").folder, tiny(MOST, changes)
    if message is None:
        check_same_networks(RunFolder(run), config, landscape)
        return
    with pytest.raises(ConfigError, match=message):
        check_same_networks(RunFolder(run), config, landscape)
