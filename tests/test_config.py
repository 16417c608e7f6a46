from __future__ import annotations

import pytest
import yaml

from spade_paddle.config import Config, DataConfig, load_config, read_config
from spade_paddle.errors import ConfigError


def test_every_shipped_config_is_complete_and_loads(root):
    names = sorted((root / "configs").glob("*.yaml"))
    assert names
    for path in names:
        config = load_config(path)
        assert (path.parent / config.data.labels).is_file()
        written = yaml.safe_load(path.read_text(encoding="utf-8"))
        assert read_config(config.to_dict()) == config
        assert names_of(written) == names_of(config.to_dict()), f"{path} leaves fields out"


def names_of(content: dict) -> set[str]:
    """The fields of a configuration, those of its sections included."""
    return {
        f"{name}.{inner}" if inner else name
        for name, value in content.items()
        for inner in (names_of(value) if isinstance(value, dict) else [""])
    }


def test_override_reaches_nested_fields(tmp_path):
    path = tmp_path / "c.yaml"
    path.write_text("total_images: 5\n", encoding="utf-8")
    config = load_config(path, overrides=["generator.ngf=7", "total_images=9", "data.flip=false"])
    assert (config.generator.ngf, config.total_images, config.data.flip) == (7, 9, False)


def mode(name, *, upsampling="normal", **data):
    return {"data": {"load_mode": name, **data}, "generator": {"upsampling": upsampling}}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"total_image": 3}, "unknown field 'total_image'; did you mean 'total_images'"),
        ({"generator": {"ngff": 3}}, "did you mean 'generator.ngf'"),
        ({"generator": {"zzz": 3}}, "known: norm, ngf"),
        ({"total_images": "many"}, "'total_images' must be of type int, got 'many'"),
        ({"total_images": True}, "must be of type int"),
        ({"total_images": 0}, "at least 1, got 0"),
        (
            {"optimizer": {"generator_lr": "2e-4"}},
            "of type float, got '2e-4'; write it without quotes",
        ),
        ({"generator": {"norm": "batch"}}, "'generator.norm' must be one of spade, clade"),
        ({"generator": {"kernel_size": 2}}, "must be odd"),
        ({"data": {"crop_size": 100}}, "a multiple of 32"),
        ({"data": {"crop_size": 320}}, "'data.load_size' must be at least 320, the crop's shorter"),
        (
            {"data": {"load_size": 250}},
            "at least 256, the crop's shorter side, with load_mode scale",
        ),
        ({"data": {"load_size_min": 250}}, "'data.load_size_min' must be at least 256"),
        (mode("resize_and_crop", aspect_ratio=0.5), "at least 512, the crop's longer side"),
        (
            mode("scale_width_and_crop", load_size=250, aspect_ratio=2.0),
            "at least 256, the crop's width",
        ),
        (mode("scale_width", load_size=100, upsampling="most"), "at least 128, the smallest side"),
        (mode("scale_shortside", load_size_min=33, upsampling="more"), "load_size_min' must be at"),
        (mode("crop", load_size_min=260), "must be null with load_mode crop, which has no load"),
        (mode("fixed", load_size_min=260), "null with load_mode fixed"),
        (mode("none", load_size_min=260), "null with load_mode none"),
        (mode("fixed", crop_size=100), "'data.crop_size' must be a multiple of 32"),
        (mode("fixed", aspect_ratio=1.5), "here 171, is a multiple of 32"),
        (mode("zoom"), "'data.load_mode' must be one of resize_and_crop, scale_width, "),
        (mode(None), "'data.load_mode' must be of type str, got None"),
        ({"data": {"val_share": 0.95}}, "'data.val_share' must be from 0 to 0.9, got 0.95"),
        ({"data": {"val_share": -0.1}}, "'data.val_share' must be from 0 to 0.9"),
        ({"data": {"val_share": float("nan")}}, "'data.val_share' must be from 0 to 0.9"),
        (
            {"data": {"label_balance": 1.5}},
            "'data.label_balance' must be from 0 (every photo alike",
        ),
        ({"ema_halflife_share": 1.5}, "'ema_halflife_share' must be from 0 to 1 (all images seen)"),
        ({"ema_halflife_share": -0.1}, "'ema_halflife_share' must be from 0 to 1 "),
        ({"data": {"label_balance": -0.5}}, "'data.label_balance' must be from 0 (every photo"),
        ({"data": {"cache_gib": -1}}, "'data.cache_gib' must be at least 0, got -1"),
        (
            {"data": {"short_side": 286}},
            "unknown field 'data.short_side'; it was renamed to 'data.load",
        ),
        ({"data": {"short_side_min": 9}}, "it was renamed to 'data.load_size_min'"),
        ({"data": {"short_sides": 286}}, "unknown field 'data.short_sides'; "),
        ({"data": {"load_size_min": 300}}, "at most data.load_size"),
        ({"losses": {"gan_mode": "wasserstein"}}, "one of hinge, least_squares, original"),
        (
            {"losses": {"perceptual_shift": 128}},
            "'losses.perceptual_shift' must be less than half of data.crop_size",
        ),
        ({"fade_in_images": 9}, "'fade_in_images' must be 0 unless generator.upsampling is most"),
        (
            {"batch_size": 4, "compute": {"accumulation": 3}},
            "'compute.accumulation' must be a divisor of batch_size (4)",
        ),
        (
            {"compute": {"bfloat16": True, "convolutions": "paddle"}},
            "'compute.bfloat16' must be false with compute.convolutions paddle",
        ),
        (
            {"data": {"dont_care": False, "drop_label_probability": 0.1}},
            "'data.drop_label_probability' must be 0 when data.dont_care is false",
        ),
        (
            {
                "discriminator": {
                    "kind": "both",
                    "projected_network": "efficientnet_lite0",
                    "projected_weights": "w.npz",
                },
                "validation": {"judge_weights": "w.npz"},
            },
            "'validation.judge_weights' must be null with discriminator.projected_network eff",
        ),
        (
            {
                "discriminator": {"kind": "both", "projected_2_network": "efficientnet_lite0"},
                "validation": {"judge_weights": "w.npz"},
            },
            "'validation.judge_weights' must be null with discriminator.projected_2_network eff",
        ),
        (
            {"discriminator": {"kind": "both", "projected_2_network": "squeezenet"}},
            "'discriminator.projected_2_network' must be null or another network",
        ),
        ({"discriminator": {"kind": "vision"}}, "one of patch, projected, both"),
        ({"compute": {"to_static": True}}, "unknown field 'compute.to_static'; it was removed"),
        (
            {"regularization": {"augment_color": True}},
            "unknown field 'regularization.augment_color'; replace it by augment_brightness: 0.5",
        ),
        (
            {"discriminator": {"kind": "projected", "projected_weights": "w.npz"}},
            "'losses.feature_matching' must be 0 with discriminator.kind projected",
        ),
        (
            {
                "discriminator": {"kind": "projected", "projected_weights": "w.npz"},
                "losses": {"feature_matching": 0.0},
                "regularization": {"r1_gamma": 1.0},
            },
            "'regularization.r1_gamma' must be 0 with discriminator.kind projected",
        ),
        (
            {"regularization": {"augment_saturation": 1.5}},
            "augment_saturation' must be from 0 to 1 (factors from 0 to 2), got 1.5",
        ),
        (
            {"regularization": {"augment_cutout_probability": 2}},
            "must be a probability, from 0 to 1, got 2",
        ),
        (
            {"regularization": {"augment_brightness": -0.1}},
            "from 0 to 1 (half of the range), got -0.1",
        ),
        ({"regularization": {"augment_cutout": 0.6}}, "from 0 to 0.5 (half a picture), got 0.6"),
        ({"generator": {"fine_blocks": 3}}, "from 0 to 2 (four times the size), got 3"),
        ({"generator": {"kernel_size": "3"}}, "of type int, got '3'; write it without quotes"),
        (
            {"generator": {"max_width": 0}},
            "'generator.max_width' must be at least 1, or null, got 0",
        ),
        ({"optimizer": {"gradient_clip": 0}}, "must be above 0, or null, got 0"),
        ({"optimizer": {"beta1": float("inf")}}, "'optimizer.beta1' must be at least 0, got inf"),
        ({"data": {"cache_gib": float("nan")}}, "'data.cache_gib' must be at least 0, got nan"),
        ({"seed": 1.0}, "'seed' must be of type int, got 1.0"),
        ({"data": {"flip": "yes"}}, "'data.flip' must be of type bool, got 'yes'; write true or"),
        ({"data": {"flip": 1}}, "'data.flip' must be of type bool, got 1"),
        ({"optimizer": {"beta1": True}}, "'optimizer.beta1' must be of type float, got True"),
        ({"init_from": 3}, "'init_from' must be of type str, got 3"),
        ({7: 1}, "unknown field '7'; known: total_images, "),
        ({"data": None}, "data must hold 'field: value' lines, got None"),
        ({"initializer": "kaiming"}, "'initializer' must be one of paddle, xavier"),
        ({"encoder": {"size": 100}}, "'encoder.size' must be a power of two from 16, got 100"),
        ({"encoder": {"size": 8}}, "'encoder.size' must be a power of two from 16, got 8"),
        ({"data": {"aspect_ratio": 100.0}}, "from 1/8 to 8"),
        ({"data": {"aspect_ratio": 1.5}}, "here 171, is a multiple of 32"),
        ({"generator": 3}, "generator must hold"),
        ([1], "the file must hold"),
    ],
)
def test_wrong_configurations_name_the_field_and_what_is_expected(content, message):
    with pytest.raises(ConfigError) as error:
        read_config(content, where="my.yaml")
    assert message in str(error.value)
    assert str(error.value).startswith("my.yaml: ")


@pytest.mark.parametrize(
    "content",
    [
        mode("resize_and_crop", aspect_ratio=2.0),
        mode("scale_width_and_crop", load_size=256, load_size_min=256, aspect_ratio=0.5),
        mode("scale_width", load_size=64, crop_size=512),  # no crop has to fit
        mode("scale_shortside", load_size=128, load_size_min=128, upsampling="most"),
        mode("crop", load_size=32),
        mode("fixed", aspect_ratio=2.0, load_size=32),
        mode("none"),
        {"data": {"val_share": 0, "cache_gib": 0}},
        {"data": {"cache_gib": float("inf")}},
    ],
)
def test_load_modes_ask_of_the_load_size_only_what_they_need(content):
    assert read_config(content).data == DataConfig(**content["data"])


def test_switches_that_were_removed_are_read_where_they_are_off():
    content = {
        "compute": {"to_static": False, "channels_last": False, "accumulation": 2},
        "regularization": {"augment_color": False},
    }
    assert read_config(content) == read_config({"compute": {"accumulation": 2}})
    assert "to_static" in content["compute"]


def test_projected_heads_share_the_file_of_the_perceptual_loss_where_the_network_is_the_same():
    def weights(**discriminator):
        losses = {"perceptual_network": "squeezenet", "perceptual_weights": "p.npz"}
        content = {"discriminator": {"kind": "both", **discriminator}, "losses": losses}
        config = read_config(content)
        return [config.weights_of_heads(part) for part in config.discriminator.heads]

    assert weights() == ["p.npz"]
    assert weights(projected_weights="d.npz") == ["d.npz"]
    assert weights(projected_network="vgg19") == [None]  # Paddle's own
    first = {"projected_network": "efficientnet_lite1", "projected_weights": "d.npz"}
    assert weights(**first, projected_2_network="squeezenet") == ["d.npz", "p.npz"]
    assert weights(**first, projected_2_network="vgg19", projected_2_weights="v") == ["d.npz", "v"]


def test_projected_heads_are_on_one_or_two_networks():
    def heads(**discriminator):
        return read_config({"discriminator": discriminator}).discriminator.heads

    assert heads(kind="both") == {"projected": "squeezenet"}
    two = {"projected_2_network": "vgg19"}
    assert heads(kind="both", **two) == {"projected": "squeezenet", "projected_2": "vgg19"}
    assert heads(kind="patch", **two) == {}
    losses = read_config({"losses": {"projected": 0.5}}).losses
    assert losses.kinds == {"patch": 1.0, "projected": 0.5, "projected_2": 0.5}


def test_the_modes_are_words_in_yaml(tmp_path):
    path = tmp_path / "c.yaml"
    path.write_text("data:\n  load_mode: none\n", encoding="utf-8")
    assert load_config(path).data.load_mode == "none"
    assert load_config(path, overrides=["data.load_mode=crop"]).data.load_mode == "crop"


def test_an_old_name_is_told_apart_wherever_it_comes_from(tmp_path):
    path = tmp_path / "c.yaml"
    path.write_text("seed: 1\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"renamed to 'data\.load_size'"):
        load_config(path, overrides=["data.short_side=300"])


@pytest.mark.parametrize("override", ["total_images", "=3", "seed.x=1"])
def test_wrong_overrides_are_refused(tmp_path, override):
    path = tmp_path / "c.yaml"
    path.write_text("seed: 1\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="--set"):
        load_config(path, overrides=[override])


def test_missing_and_broken_files_are_named(tmp_path):
    with pytest.raises(ConfigError, match="no such configuration file"):
        load_config(tmp_path / "none.yaml")
    (tmp_path / "broken.yaml").write_text("a: [", encoding="utf-8")
    with pytest.raises(ConfigError, match="not YAML"):
        load_config(tmp_path / "broken.yaml")


def test_defaults_are_the_articles_sizes():
    config = Config()
    assert (config.generator.ngf, config.generator.activation) == (24, "gelu")
    assert (config.discriminator.scales, config.discriminator.num_layers) == (4, 6)


@pytest.mark.parametrize(
    ("data", "multiple", "crop", "picture"),
    [
        ({}, 32, (256, 256), (256, 256)),
        ({"load_size": 300}, 32, (256, 256), (288, 288)),
        ({"load_size": 600, "load_size_min": 300}, 32, (256, 256), (288, 288)),
        ({"aspect_ratio": 2.0}, 32, (128, 256), (256, 544)),
        ({"aspect_ratio": 0.5}, 32, (512, 256), (544, 256)),
        ({"aspect_ratio": 2.0}, 128, (128, 256), (256, 512)),
        # without a crop the nearest multiple, as the training pictures have it
        ({"load_mode": "scale_shortside", "aspect_ratio": 2.0}, 32, (128, 256), (288, 576)),
        ({"load_mode": "scale_shortside", "aspect_ratio": 0.5}, 32, (512, 256), (576, 288)),
        ({"load_mode": "scale_width", "aspect_ratio": 2.0}, 32, (128, 256), (128, 288)),
        ({"load_mode": "scale_width_and_crop", "aspect_ratio": 2.0}, 32, (128, 256), (128, 256)),
        ({"load_mode": "resize_and_crop", "aspect_ratio": 2.0}, 32, (128, 256), (256, 256)),
        # nothing tells how large photos are: as large as a crop
        ({"load_mode": "crop", "load_size": 900}, 32, (256, 256), (256, 256)),
        ({"load_mode": "fixed", "aspect_ratio": 2.0}, 32, (128, 256), (128, 256)),
        ({"load_mode": "none", "aspect_ratio": 0.5}, 32, (512, 256), (512, 256)),
    ],
)
def test_sizes_of_training_crops_and_whole_pictures(data, multiple, crop, picture):
    options = read_config({"data": data}).data
    assert (options.crop_height, options.crop_size) == crop
    assert options.picture_size(multiple) == picture


CAT = {"method": "cat", "teacher": "runs/teacher"}
OMGD = {"method": "omgd"}
FADING = {"fade_in_images": 100, "data": {"crop_size": 128}}
NO_NETWORK = "'losses.perceptual_network' must be vgg19 or squeezenet with distillation.gram or dis"


def blocks(**generator) -> dict:
    """Of six branches, which have no spectral norm."""
    return {"generator": {"block": "inception", "spectral_norm": False, **generator}}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (blocks(spectral_norm=True), "'generator.spectral_norm' must be false with generator.bloc"),
        (blocks(block="mixed"), "'generator.block' must be one of plain, inception, got 'mixed'"),
        (blocks(extra_blocks=-1), "'generator.extra_blocks' must be at least 0, got -1"),
        (
            {**FADING, "generator": {"fine_blocks": 1, "extra_blocks": 1}},
            "'fade_in_images' must be 0 with generator.extra_blocks: only a single block can fade",
        ),
        (
            {**FADING, "generator": {"fine_blocks": 1}, "distillation": CAT},
            "'fade_in_images' must be 0 with distillation, since teachers have no block that ",
        ),
        (
            {"distillation": {"method": "cat"}},
            "'distillation.teacher' must be the teacher's run folder, or a model folder that can "
            "be trained, with distillation.method cat, got None",
        ),
        (
            {"distillation": CAT, "batch_size": 1},
            "'batch_size' must be at least 2 with distillation.alignment, which compares the",
        ),
        (
            {"distillation": CAT, "batch_size": 4, "compute": {"accumulation": 2}},
            "'compute.accumulation' must be 1 with distillation.alignment, which needs the whole",
        ),
        ({"distillation": OMGD}, NO_NETWORK),
        ({"distillation": {**OMGD, "gram": 0.0}}, NO_NETWORK),
        ({"distillation": {**OMGD, "feature": 0.0}}, NO_NETWORK),
    ],
)
def test_blocks_and_distillation_are_refused_where_they_cannot_work(content, message):
    with pytest.raises(ConfigError) as error:
        read_config(content, where="my.yaml")
    assert str(error.value).startswith("my.yaml: ")
    assert message in str(error.value)


@pytest.mark.parametrize(
    "content",
    [
        blocks(extra_blocks=2, widths={"head_0": [1, 0]}),
        {"generator": {"extra_blocks": 1}},  # and nothing fades in
        {**FADING, "generator": {"fine_blocks": 1}},
        {"distillation": {**CAT, "method": "none"}, "batch_size": 1},
        {"distillation": CAT},
        {"distillation": {**CAT, "alignment": 0.0}, "batch_size": 1},
        {"distillation": {**CAT, "alignment": 0.0}, "compute": {"accumulation": 2}},
        {"distillation": {**OMGD, "gram": 0.0, "feature": 0.0}, "batch_size": 1},
        {"distillation": OMGD, "losses": {"perceptual_network": "vgg19"}},
    ],
)
def test_blocks_and_distillation_that_can_work_are_taken(content):
    config = read_config(content)
    for section in ("generator", "distillation"):
        for name, value in content.get(section, {}).items():
            assert config.value(f"{section}.{name}") == value


def test_outputs_are_compared_after_the_blocks_of_the_method_or_of_the_configuration():
    def compared(**options) -> tuple[str, ...]:
        content = {"distillation": options, "losses": {"perceptual_network": "vgg19"}}
        return read_config(content).distillation.compared

    assert compared(**CAT) == ("head_0", "G_middle_1", "up_1")
    assert compared(**OMGD) == ("head_0", "G_middle_1", "up_1", "up_3")
    assert compared(**OMGD, layers="up_0 head_0") == ("up_0", "head_0")
    assert Config().distillation.method == "none"
