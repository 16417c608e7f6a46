"""What a configuration file says and what comes of it: lines in errors, YAML 1.2, the docs."""

from __future__ import annotations

import dataclasses
import json
import re

import pytest
import yaml

from spade_paddle import config_table
from spade_paddle.config import Config, DataConfig, load_config, read_config
from spade_paddle.errors import ConfigError
from spade_paddle.fields import entries


def names_of(section: object, prefix: str = "") -> set[str]:
    """The fields of a configuration by their dotted names."""
    names = set()
    for field in dataclasses.fields(section):
        value = getattr(section, field.name)
        inner = dataclasses.is_dataclass(value)
        names |= names_of(value, f"{field.name}.") if inner else {prefix + field.name}
    return names


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "seed: 1\ngenerator:\n  norm: spade\n  ngf: 0\n",
            ":4: 'generator.ngf' must be at least 1, ",
        ),
        ("seed: 1\n\ngenerator:\n  ngff: 3\n", ":4: unknown field 'generator.ngff'; did you mean "),
        ("# first\nsed: 1\n", ":2: unknown field 'sed'; did you mean 'seed'?"),
        ("seed: 1\ndata: 3\n", ":2: data must hold 'field: value' lines, got 3"),
        ("seed: 1\ndata:\n  crop_size: 100\n", ":3: 'data.crop_size' must be a multiple of 32"),
        # told of a field that is not in the file
        ("data:\n  crop_size: 320\n", ": 'data.load_size' must be at least 320"),
        ("data:\n  flip: yes\n", ":2: 'data.flip' must be of type bool, got 'yes'; write true or "),
        ("data:\n  flip: off\n", ":2: 'data.flip' must be of type bool, got 'off'"),
        ("seed: 1\nbatch_size: 2\nseed: 2\n", ':3: this is not YAML: found duplicate key "seed"'),
        ("data:\n  flip: true\n  flip: true\n", ":3: this is not YAML: found duplicate key"),
        ("seed: 1\ndata: [\n", ":3: this is not YAML: "),
        ("seed: 1\n--- \nseed: 1\n", ":2: this is not YAML: "),
        ("seed: !!python/name:os.system\n", ":1: this is not YAML: could not determine"),
        ("data: &all {flip: *all}\n", ": this is not YAML: "),
        ("? [1, 2]\n: 3\n", ": this is not YAML: "),
        ("\x00", ": this is not YAML: "),
        ("- 1\n", ": the file must hold 'field: value' lines, got [1]"),
    ],
)
def test_errors_in_a_file_name_the_line(tmp_path, text, message):
    path = tmp_path / "c.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as error:
        load_config(path)
    assert str(error.value).startswith(f"{path}{message}")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("widths", "got"),
    [
        ("[3, 4]", "[3, 4]"),
        ("{head_0: 3}", "3"),
        ("{head_0: [3, -1]}", "-1"),
        ("{head_0: [3, 1.5]}", "1.5"),
        ("{head_0: ['3']}", "'3'"),
    ],
)
def test_widths_that_are_no_lists_by_block_are_told_by_their_field(tmp_path, widths, got):
    path = tmp_path / "c.yaml"
    path.write_text(f"seed: 1\ngenerator:\n  widths: {widths}\n", encoding="utf-8")
    message = f"'generator.widths' must be lists of channels by block, got {got}"
    with pytest.raises(ConfigError) as error:
        load_config(path)
    assert str(error.value) == f"{path}:3: {message}"
    path.write_text("seed: 1\n", encoding="utf-8")
    with pytest.raises(ConfigError) as error:
        load_config(path, overrides=[f"generator.widths={widths}"])
    assert str(error.value) == f"--set generator.widths={widths}: {message}"


def test_a_file_of_other_bytes_is_no_yaml(tmp_path):
    path = tmp_path / "c.yaml"
    path.write_bytes(b"seed: 1 # \xff\n")
    with pytest.raises(ConfigError, match="this is not YAML"):
        load_config(path)


def test_an_overridden_value_is_told_by_its_option_not_by_a_line(tmp_path):
    path = tmp_path / "c.yaml"
    path.write_text("generator:\n  ngf: 7\n", encoding="utf-8")
    for overrides in (["generator.ngf=0"], ["generator.ngf=3", "generator.ngf=0"]):
        with pytest.raises(ConfigError) as error:
            load_config(path, overrides=overrides)
        assert str(error.value).startswith("--set generator.ngf=0: 'generator.ngf' must be at lea")
    with pytest.raises(ConfigError, match=r"^--set seed=\[: this is not YAML: "):
        load_config(path, overrides=["seed=["])
    with pytest.raises(
        ConfigError, match=r"^the place: 'generator\.ngf' must be at least 1, got 0"
    ):
        read_config({"generator": {"ngf": 0}}, where="the place")


def test_a_section_that_is_overridden_goes_with_its_lines(tmp_path):
    path = tmp_path / "c.yaml"
    path.write_text("data:\n  crop_size: 100\n  load_size: 320\n", encoding="utf-8")
    for option, told in (
        ("data={load_size: 9}", "--set data={load_size: 9}: 'data.load_size' must be at least 32"),
        ("data={crop_size: 320}", f"{path}: 'data.load_size' must be at least 320"),
        ("data=3", "--set data=3: data must hold"),
    ):
        with pytest.raises(ConfigError) as error:
            load_config(path, overrides=[option])
        assert str(error.value).startswith(told)


@pytest.mark.parametrize("text", ["2e-4", "2.0e-4", "2.0e-04", "0.0002", "2E-4", "+2e-4"])
def test_every_way_to_write_a_float_is_one(tmp_path, text):
    path = tmp_path / "c.yaml"
    path.write_text(f"optimizer:\n  generator_lr: {text}\n", encoding="utf-8")
    assert load_config(path).optimizer.generator_lr == 2e-4
    override = f"optimizer.generator_lr={text}"
    assert read_config({}, overrides=[override]).optimizer.generator_lr == 2e-4


def test_words_and_dates_are_texts(tmp_path):
    path = tmp_path / "c.yaml"
    for text in ("yes", "on", "2024-01-31", "2024-01-31T10:00:00Z", "2024-99-99"):
        path.write_text(f"init_from: {text}\n", encoding="utf-8")
        assert load_config(path).init_from == text
    assert load_config(path, overrides=["init_from="]).init_from is None


def test_what_earlier_runs_wrote_reads_the_same(tmp_path):
    values = {
        "init_from": "yes",
        "losses": {"kl": 1e-05, "perceptual_layers": "relu1_1 relu2_1", "projected": 1e20},
        "optimizer": {"generator_lr": 2e-4, "beta1": 0.0, "beta2": 1 / 3, "gradient_clip": 1e3},
        "data": {"labels": "labels/Küste: 1.yaml", "cache_gib": 1e16},
    }
    config = read_config(values)
    path = tmp_path / "config.yaml"
    path.write_text(yaml.safe_dump(config.to_dict(), sort_keys=False), encoding="utf-8")
    assert load_config(path) == config
    assert config.optimizer.beta2 == 1 / 3 and config.losses.kl == 1e-05


def test_overrides_leave_what_was_given_alone():
    content = {"data": {"flip": True}}
    changed = read_config(content, overrides=["data.flip=false", "generator.ngf=3"])
    assert (changed.data.flip, changed.generator.ngf) == (False, 3)
    assert content == {"data": {"flip": True}}


def test_an_alias_is_overridden_alone(tmp_path):
    path = tmp_path / "c.yaml"
    path.write_text("generator: &one {spectral_norm: true}\ndiscriminator: *one\n", "utf-8")
    config = load_config(path, overrides=["generator.spectral_norm=false"])
    assert (config.generator.spectral_norm, config.discriminator.spectral_norm) == (False, True)


def test_values_are_held_to_their_limits_wherever_they_are_made():
    with pytest.raises(ValueError, match="greater than or equal to 32"):
        DataConfig(crop_size=31)
    with pytest.raises(ValueError, match="load_mode"):
        dataclasses.replace(DataConfig(), load_mode="zoom")
    whole = DataConfig(val_share=0)
    assert isinstance(whole.val_share, float)


def test_every_field_says_what_it_means_and_what_it_must_be():
    told = {entry.name: entry for entry in entries(Config)}
    assert set(told) == names_of(Config())
    assert all(entry.meaning for entry in told.values())
    assert all(entry.limits for entry in told.values() if entry.kind in (int, float))
    assert all(Config().value(name) == entry.default for name, entry in told.items())


def test_the_limits_that_are_told_are_those_that_hold():
    numbers = [entry for entry in entries(Config) if entry.kind in (int, float)]
    assert len(numbers) > 50
    for entry in numbers:
        least, most = re.fullmatch(
            r"\D*([\d.]+)(?:/\d)?(?:\D*? to ([\d.]+))?.*", entry.limits
        ).groups()
        outside = [-1, float(least) - 1, *([float(most) + 1] if most else [])]
        for value in map(entry.kind, outside):
            *section, name = entry.name.split(".")
            content = {section[0]: {name: value}} if section else {name: value}
            with pytest.raises(ConfigError) as error:
                read_config(content)
            assert f"'{entry.name}' must be {entry.limits}, got" in str(error.value)
            assert error.value.code == "config_value"


def test_codes_and_names_of_errors_are_for_programs():
    for content, code, name in (
        ({"sed": 1}, "config_unknown_field", "sed"),
        ({"generator": {"ngf": 0}}, "config_value", "generator.ngf"),
        ({"data": {"crop_size": 100}}, "config_value", "data.crop_size"),
        ({"generator": 3}, "config_syntax", "generator"),
    ):
        with pytest.raises(ConfigError) as error:
            read_config(content)
        assert (error.value.code, error.value.details) == (code, {"field": name})


def test_the_table_in_the_docs_is_up_to_date(root):
    page = (root / "docs" / "configuration.md").read_text(encoding="utf-8")
    advice = "run: python -m spade_paddle.config_table > docs/configuration.md"
    assert page == config_table.table(), advice
    for name in names_of(Config()):
        assert page.count(f"| `{name}` |") == 1
    assert "| `generator.ngf` | int, at least 1 | `24` | channels of the last block; " in page
    assert "| `data.flip` | bool | `true` | " in page


def test_the_schema_for_editors_has_limits_and_meanings(capsys, monkeypatch):
    monkeypatch.setattr("sys.argv", ["config_table", "--schema"])
    assert config_table.main() == 0
    generator = json.loads(capsys.readouterr().out)["$defs"]["GeneratorConfig"]
    ngf, norm = generator["properties"]["ngf"], generator["properties"]["norm"]
    assert (ngf["minimum"], ngf["default"], norm["enum"][0]) == (1, 24, "spade")
    assert ngf["description"].startswith("channels of the last block")
    assert generator["additionalProperties"] is False
