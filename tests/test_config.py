from __future__ import annotations

import pytest
import yaml

from spade_paddle.config import Config, load_config, read_config
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


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"total_image": 3}, "unknown field 'total_image'; did you mean 'total_images'"),
        ({"generator": {"ngff": 3}}, "did you mean 'generator.ngf'"),
        ({"generator": {"zzz": 3}}, "known: norm, ngf"),
        ({"total_images": "many"}, "'total_images' must be of type int, got 'many'"),
        ({"total_images": True}, "must be of type int"),
        ({"total_images": 0}, "at least 1, got 0"),
        ({"optimizer": {"generator_lr": "2e-4"}}, "write 2.0e-4"),
        ({"generator": {"norm": "batch"}}, "'generator.norm' must be one of spade, clade"),
        ({"generator": {"kernel_size": 2}}, "must be odd"),
        ({"data": {"crop_size": 100}}, "a multiple of 32"),
        ({"data": {"crop_size": 320}}, "at most the short side"),
        ({"data": {"short_side_min": 300}}, "at most data.short_side"),
        ({"losses": {"perceptual_network": "squeezenet"}}, "losses.perceptual_weights"),
        ({"losses": {"gan_mode": "wasserstein"}}, "one of hinge, least_squares, original"),
        ({"initializer": "kaiming"}, "'initializer' must be one of paddle, xavier"),
        ({"encoder": {"size": 100}}, "'encoder.size' must be a power of two"),
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
        ({"short_side": 300}, 32, (256, 256), (288, 288)),
        ({"aspect_ratio": 2.0}, 32, (128, 256), (256, 544)),
        ({"aspect_ratio": 0.5}, 32, (512, 256), (544, 256)),
        ({"aspect_ratio": 2.0}, 128, (128, 256), (256, 512)),
    ],
)
def test_sizes_of_training_crops_and_whole_pictures(data, multiple, crop, picture):
    options = read_config({"data": data}).data
    assert (options.crop_height, options.crop_size) == crop
    assert options.picture_size(multiple) == picture
