"""Low resolution first, then high: what carries over from a smaller run, and what is refused."""

from __future__ import annotations

import copy
import shutil

import numpy as np
import paddle
import pytest
import yaml

from spade_paddle.config import Config, read_config
from spade_paddle.data.labels import LABELS_FILE, LabelSet
from spade_paddle.engine.checkpoint import save_checkpoint
from spade_paddle.engine.ema import WeightAverage
from spade_paddle.engine.schedule import fade_in
from spade_paddle.engine.start import begin_with, check_same_networks, source_of
from spade_paddle.errors import ConfigError, ModelError
from spade_paddle.networks.build import build_discriminator, build_encoder, build_generator
from spade_paddle.networks.semantics import semantic_input
from tests.engine.conftest import TINY

PARTS = ("generator", "encoder", "discriminator")
STYLE = {"encoder": {"style_dim": 3, "nef": 2, "size": 16}}
MORE = {"generator": {"upsampling": "more"}, "data": {"crop_size": 64, "load_size": 64}}
MOST = {"generator": {"upsampling": "most"}, "data": {"crop_size": 128, "load_size": 128}}


def tiny(*changes: dict) -> Config:
    content = copy.deepcopy(TINY)
    for change in changes:
        for name, value in change.items():
            if isinstance(value, dict):
                content.setdefault(name, {}).update(value)
            else:
                content[name] = value
    return read_config(content)


def build(config: Config, *, seed: int) -> dict[str, paddle.nn.Layer]:
    """The networks; their running statistics have seen a picture and so are none of a new one."""
    paddle.seed(seed)
    np.random.seed(seed)
    networks = {
        "generator": build_generator(config, num_labels=13),
        "encoder": build_encoder(config),
        "discriminator": build_discriminator(config, num_labels=13),
    }
    side = 2 * config.generator.multiple
    with paddle.no_grad():
        networks["generator"](semantics_of(config, side=side), style=style_of(config))
    return {name: network for name, network in networks.items() if network is not None}


def semantics_of(config: Config, *, side: int) -> paddle.Tensor:
    """The semantic map of rectangles of 8 x 8 pixels."""
    ids = np.random.default_rng(3).integers(0, 13, (1, side // 8, side // 8))
    return semantic_input(
        paddle.to_tensor(ids.repeat(8, 1).repeat(8, 2).astype(np.int32)),
        num_labels=13,
        dont_care=config.data.dont_care,
        edges=config.data.instance_edges,
    )


def style_of(config: Config) -> paddle.Tensor | None:
    size = config.encoder.style_dim
    return paddle.to_tensor(np.linspace(-1, 1, size, dtype=np.float32)[None]) if size else None


def picture(
    config: Config, networks: dict, semantics: paddle.Tensor, *, fade: float = 1.0
) -> np.ndarray:
    generator = networks["generator"]
    generator.eval()
    generator.fade = fade
    with paddle.no_grad():
        return generator(semantics, style=style_of(config)).numpy()


def numbers(networks: dict, part: str) -> dict[str, np.ndarray]:
    return {name: value.numpy() for name, value in networks[part].state_dict().items()}


class Run:
    """A run folder with one checkpoint, or a converted model folder, and the networks in it."""

    def __init__(self, folder, config: Config, label_set: LabelSet, *, parts=PARTS) -> None:
        self.folder = folder
        self.config = config
        self.networks = build(config, seed=1)
        folder.mkdir()
        states = {
            part: network.state_dict() for part, network in self.networks.items() if part in parts
        }
        if parts == PARTS:
            state = {**states, "average": {}, "images_seen": 26000}
            save_checkpoint(folder / "checkpoint", state, images_seen=26000)
        else:
            paddle.save(states, str(folder / "training.pdparams"))
        (folder / "config.yaml").write_text(yaml.safe_dump(config.to_dict()), encoding="utf-8")
        (folder / LABELS_FILE).write_text(label_set.to_json(), encoding="utf-8")


@pytest.fixture(scope="module")
def folders(tmp_path_factory, landscape):
    """Small runs by name, made when they are first asked for."""
    parent, made = tmp_path_factory.mktemp("runs"), {}
    kinds = {
        "normal": (tiny(), PARTS),
        "more": (tiny(MORE), PARTS),
        "most": (tiny(MOST), PARTS),
        "fading": (tiny(MOST, {"fade_in_images": 50}), PARTS),
        "style": (tiny(STYLE, {"data": {"crop_size": 64, "load_size": 64}}), PARTS),
        "converted": (tiny(), ("generator",)),
        "converted style": (tiny(STYLE), ("generator",)),
    }

    def make(name: str) -> Run:
        if name not in made:
            config, parts = kinds[name]
            made[name] = Run(parent / name, config, landscape, parts=parts)
        return made[name]

    return make


def grow(run: Run, config: Config, label_set: LabelSet) -> tuple[dict, dict, list[str]]:
    """The networks that began with a run, as they were before, and the lines of the report."""
    networks = build(config, seed=2)
    before = {part: numbers(networks, part) for part in networks}
    lines = begin_with(networks, run.folder, config=config, label_set=label_set)
    return networks, before, lines


def assert_carried(networks, run, part, *, fresh=(), before=None):
    """All but the fresh layers are the run's, bit for bit; the fresh ones are as they were."""
    now, old = numbers(networks, part), numbers(run.networks, part)
    assert now
    for name, value in now.items():
        expected = before[part] if name.split(".")[0] in fresh else old
        assert np.array_equal(value, expected[name]), name


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
    assert lines[0].endswith("up_0, up_1, up_2, up_3; fresh: up_4, conv_img")
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
    assert lines[1].endswith("nld_0, nld_1; fresh: nld_2")


def test_at_fade_0_the_picture_is_the_coarser_generators_enlarged(folders, landscape):
    run = folders("more")
    config = tiny(MOST, {"fade_in_images": 100})
    networks, before, lines = grow(run, config, landscape)
    fresh = ("up_4", "conv_img", "conv_img_before")
    assert_carried(
        networks, run, "generator", fresh=fresh, before=numbers_with_old_image(run, before)
    )
    semantics = semantics_of(config, side=128)
    small = picture(run.config, run.networks, semantics)
    enlarged = semantics.repeat_interleave(2, axis=2).repeat_interleave(2, axis=3)
    large = picture(config, networks, enlarged, fade=0.0)
    assert small.std() > 0.01
    assert np.array_equal(large, small.repeat(2, axis=2).repeat(2, axis=3))
    assert lines[0].endswith(
        "fresh: up_4, conv_img; conv_img_before is the source's conv_img; in 100 images up_4 and "
        "conv_img take its place"
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
    semantics = semantics_of(config, side=128)
    for fade in (0.0, 0.3):
        expected = picture(config, networks, semantics, fade=fade)
        actual = picture(config, {"generator": average}, semantics, fade=fade)
        assert np.allclose(actual, expected, atol=1e-5)


def test_a_run_after_a_faded_one_leaves_the_old_picture_layer_behind(folders, landscape):
    run = folders("fading")
    networks, _, lines = grow(run, tiny(MOST), landscape)
    assert_carried(networks, run, "generator")
    assert lines[0].endswith("conv_img; conv_img_before is left out")


@pytest.mark.parametrize("side, ratio", [(128, 1.0), (32, 1.0), (64, 2.0)])
def test_a_style_paints_at_the_new_size_as_it_did_when_resized(folders, landscape, side, ratio):
    # the old generator resizes its features of 2 x 2 places, the new one has layers of that size
    run = folders("style")
    size = {"crop_size": side, "load_size": 128, "aspect_ratio": ratio}
    config = tiny(STYLE, {"data": size})
    networks, _, lines = grow(run, config, landscape)
    assert list(networks["generator"].latent_size) == [side / ratio // 32, side // 32]
    rows = int(side / ratio)
    semantics = semantics_of(config, side=side)[:, :, :rows]
    expected = picture(run.config, run.networks, semantics)
    actual = picture(config, networks, semantics)
    assert np.abs(actual - expected).max() < 1e-4
    assert expected.std() > 0.01
    before = numbers(run.networks, "generator")
    del before["fc.weight"], before["fc.bias"]
    now = numbers(networks, "generator")
    assert all(np.array_equal(now[name], value) for name, value in before.items())
    assert lines[0].endswith(f"; fc is resized from 2 x 2 to {side // 32} x {rows // 32} places")
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
    assert f"; fresh: {', '.join(fresh)}" in lines[0]
    assert lines[1] == f"encoder: all layers are fresh, {run.folder} (26000 images) has no encoder"
    now = numbers(networks, "encoder")
    assert all(np.array_equal(value, now[name]) for name, value in before["encoder"].items())


def test_a_converted_generator_leaves_the_other_networks_free(folders, landscape):
    run = folders("converted style")
    other = {"discriminator": {"scales": 1, "ndf": 3}, "encoder": {"style_dim": 3, "nef": 1}}
    networks, before, lines = grow(run, tiny(STYLE, other), landscape)
    assert_carried(networks, run, "generator")
    for part, line in zip(("encoder", "discriminator"), lines[1:]):
        assert line == f"{part}: all layers are fresh, {run.folder} has no {part}"
        now = numbers(networks, part)
        assert all(np.array_equal(value, now[name]) for name, value in before[part].items())


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
        ("most", {**MOST, "fade_in_images": 9}, "fade_in_images is 9, must be 0: with 'most' the"),
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
        begin_with({}, run.folder, config=config, label_set=landscape)
    assert error.value.code == "init_differs"
    assert message in str(error.value)
    assert str(error.value).startswith(f"{run.folder}: ")
    assert str(error.value).count(", must be ") == 1


def test_all_differences_are_told_at_once(folders, landscape):
    changes = {"generator": {"ngf": 3, "kernel_size": 1}, "discriminator": {"num_layers": 4}}
    fewer = LabelSet(name="fewer", labels=landscape.labels[:-1])
    with pytest.raises(ConfigError) as error:
        begin_with({}, folders("normal").folder, config=tiny(changes), label_set=fewer)
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
        begin_with({}, folders("normal").folder, config=tiny(), label_set=other)


def test_nothing_is_set_when_something_is_refused(folders, landscape):
    config = tiny({"generator": {"simam": False}})  # every shape would fit
    networks = build(config, seed=2)
    before = numbers(networks, "generator")
    with pytest.raises(ConfigError):
        begin_with(networks, folders("normal").folder, config=config, label_set=landscape)
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
        begin_with(networks, tmp_path / "run", config=tiny(), label_set=landscape)


def test_style_weights_of_another_size_than_their_configuration_says_are_named(
    folders, landscape, tmp_path
):
    def change(state):
        state["generator"]["fc.weight"] = paddle.zeros([3, 7])

    changed(folders("style"), tmp_path / "run", change)
    config = tiny(STYLE, {"data": {"crop_size": 128, "load_size": 128}})
    with pytest.raises(ModelError, match=r"fc.weight: expected \(3, 128\), got \(3, 7\)"):
        begin_with(build(config, seed=2), tmp_path / "run", config=config, label_set=landscape)


def test_a_folder_without_weights_is_told_with_what_to_give(tmp_path, landscape):
    with pytest.raises(ModelError) as error:
        begin_with({}, tmp_path / "none", config=tiny(), label_set=landscape)
    assert error.value.code == "weights_missing"
    assert "none: there are no weights to begin with; expected a run folder" in str(error.value)


def test_a_damaged_file_is_told(folders, tmp_path, landscape):
    folder = tmp_path / "model"
    shutil.copytree(folders("converted").folder, folder)
    (folder / "training.pdparams").write_bytes(b"no weights")
    with pytest.raises(ModelError, match=r"training\.pdparams: damaged"):
        begin_with({}, folder, config=tiny(), label_set=landscape)


def test_the_newest_whole_checkpoint_is_taken_and_a_broken_one_told(folders, tmp_path, landscape):
    run = folders("normal")
    shutil.copytree(run.folder, tmp_path / "run")
    (tmp_path / "run" / "checkpoint" / "0000027000.pdparams").write_bytes(b"broken")
    networks = build(tiny(), seed=2)
    lines = begin_with(networks, tmp_path / "run", config=tiny(), label_set=landscape)
    assert_carried(networks, run, "generator")
    assert "0000027000.pdparams is damaged" in lines[0]
    assert "(26000 images)" in lines[1]


def test_command_line_wins_over_the_configuration_and_fading_needs_either(tmp_path):
    fading = tiny(MOST, {"fade_in_images": 5})
    with pytest.raises(ConfigError, match="fade_in_images is 5, but the run begins with fresh"):
        source_of(fading, init=None)
    assert source_of(tiny(), init=None) is None
    named = tiny(MOST, {"fade_in_images": 5, "init_from": str(tmp_path / "a")})
    assert source_of(named, init=None) == tmp_path / "a"
    assert source_of(named, init=tmp_path / "b") == tmp_path / "b"
    assert source_of(fading, init=tmp_path / "b") == tmp_path / "b"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"fade_in_images": 5}, "'fade_in_images' must be 0 unless generator.upsampling is most"),
        ({**MOST, "fade_in_images": 5, "compute": {"to_static": True}}, "0 with compute.to_static"),
    ],
)
def test_fading_that_cannot_be_is_refused_with_the_configuration(changes, message):
    with pytest.raises(ConfigError, match=message):
        tiny(changes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"fade_in_images": 0}, "fade_in_images was 50, is 0"),
        ({"fade_in_images": 50, "generator": {**MOST["generator"], "ngf": 3}}, "ngf was 2, is 3"),
        ({"fade_in_images": 50}, None),
        ({"fade_in_images": 70}, None),  # the same layers, only slower
    ],
)
def test_a_run_goes_on_only_with_the_same_layers(folders, landscape, changes, message):
    run, config = folders("fading").folder, tiny(MOST, changes)
    if message is None:
        check_same_networks(run, config, landscape)
        return
    with pytest.raises(ConfigError, match=message):
        check_same_networks(run, config, landscape)


def test_fade_in_by_hand():
    assert [fade_in(seen, over=200) for seen in (0, 50, 200, 900)] == [0.0, 0.25, 1.0, 1.0]
    assert fade_in(0, over=0) == 1.0
