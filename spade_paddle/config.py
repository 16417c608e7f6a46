"""Training configurations: frozen dataclasses and the strict reader of their YAML form.

Every field has a default and a one-line meaning; an unknown key, a wrong type or a value out of
range is a ConfigError that names the field. Imports neither paddle nor our networks.
"""

from __future__ import annotations

import dataclasses
import difflib
import typing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Optional

import yaml

from spade_paddle.errors import ConfigError


@dataclass(frozen=True)
class DataConfig:
    """Which label set the photos have and how a training picture is cut from them."""

    labels: str = "labels/landscape.yaml"  # label set file, beside the configuration file
    crop_size: int = 256  # training pictures are crop_size x crop_size pixels
    short_side: int = 286  # photos are resized to this short side before the crop
    short_side_min: Optional[int] = (
        None  # if given, the short side is drawn from this to short_side
    )
    flip: bool = True  # mirror half of the pictures left to right
    dont_care: bool = True  # the networks have a channel for "don't care" (255)
    drop_label_probability: float = 0.0  # how often one label of a picture becomes "don't care"
    instance_edges: bool = True  # the networks have an instance edge channel


@dataclass(frozen=True)
class GeneratorConfig:
    """The generator; the defaults are the article's."""

    norm: str = "spade"  # spade or clade
    ngf: int = 24  # width of the last block; the coarse blocks are 16 times as wide
    max_width: Optional[int] = None  # no block is wider than this; null: no limit
    upsampling: str = "normal"  # normal, more or most: 5, 6 or 7 doublings
    kernel_size: int = 3  # of the convolutions inside SPADE
    nhidden: int = 128  # channels between the convolutions inside SPADE
    param_free_norm: str = "batch"  # batch or instance
    activation: str = "gelu"  # gelu or leaky_relu
    spectral_norm: bool = True  # on the convolutions of the residual blocks
    simam: bool = True  # attention on the output of every residual block
    noise: bool = False  # a noise map into every residual block (not in the article)


@dataclass(frozen=True)
class DiscriminatorConfig:
    """The multi-scale discriminator; the defaults are the article's."""

    scales: int = 4  # discriminators, each on a picture half as large as the one before
    num_layers: int = 6  # convolutions before the logits
    ndf: int = 128  # width of the first one
    max_width: int = 512  # no convolution is wider
    activation: str = "gelu"  # gelu or leaky_relu
    spectral_norm: bool = True  # on the convolutions between the first and the last
    simam: bool = True  # attention on every stage's output
    affine_norm: bool = True  # the instance norms learn scale and shift


@dataclass(frozen=True)
class LossConfig:
    """Weights of the generator's losses beside the adversarial one (which counts 1)."""

    feature_matching: float = 10.0  # lambda_feat
    perceptual: float = 1.6  # lambda_vgg
    perceptual_network: str = "none"  # none, vgg19 or squeezenet
    perceptual_weights: Optional[str] = None  # weights file; null: vgg19 downloads Paddle's


@dataclass(frozen=True)
class OptimizerConfig:
    """Adam for both networks, each with its own learning rate."""

    generator_lr: float = 4.0e-4  # the article's rate
    discriminator_lr: float = 1.0e-4  # the article's rate
    beta1: float = 0.9  # decay of the first moment
    beta2: float = 0.999  # decay of the second moment
    decay_start_images: Optional[int] = None  # from here the rates fall linearly; null: never
    decay_end_images: Optional[int] = None  # here they reach a hundredth; null: at total_images


@dataclass(frozen=True)
class Config:
    """A whole training run. Progress is counted in images: batch_size changes no schedule."""

    total_images: int = 100_000  # training ends after this many pictures
    batch_size: int = 4  # pictures a step
    seed: int = 1  # of the initial weights, the order of the photos and the crops
    regenerate_fake: bool = True  # the discriminator step paints anew with the updated generator
    ema_halflife_images: int = 1000  # half-life of the averaged generator; 0: no averaging
    checkpoint_every_images: int = 1000  # how often everything is saved
    sample_every_images: int = 1000  # how often sample pictures are painted
    log_every_images: int = 40  # how often losses are written
    data: DataConfig = field(default_factory=DataConfig)
    generator: GeneratorConfig = field(default_factory=GeneratorConfig)
    discriminator: DiscriminatorConfig = field(default_factory=DiscriminatorConfig)
    losses: LossConfig = field(default_factory=LossConfig)
    optimizer: OptimizerConfig = field(default_factory=OptimizerConfig)

    def to_dict(self) -> dict[str, Any]:
        """The plain nested dictionary that ``read_config`` accepts."""
        return dataclasses.asdict(self)


_CHOICES = {
    "generator.norm": ("spade", "clade"),
    "generator.upsampling": ("normal", "more", "most"),
    "generator.param_free_norm": ("batch", "instance"),
    "generator.activation": ("gelu", "leaky_relu"),
    "discriminator.activation": ("gelu", "leaky_relu"),
    "losses.perceptual_network": ("none", "vgg19", "squeezenet"),
}
_AT_LEAST = {
    "total_images": 1,
    "batch_size": 1,
    "seed": 0,
    "ema_halflife_images": 0,
    "checkpoint_every_images": 1,
    "sample_every_images": 1,
    "log_every_images": 1,
    "data.crop_size": 32,
    "data.short_side": 32,
    "data.short_side_min": 32,
    "data.drop_label_probability": 0.0,
    "generator.ngf": 1,
    "generator.max_width": 1,
    "generator.kernel_size": 1,
    "generator.nhidden": 1,
    "discriminator.scales": 1,
    "discriminator.num_layers": 2,
    "discriminator.ndf": 1,
    "discriminator.max_width": 1,
    "losses.feature_matching": 0.0,
    "losses.perceptual": 0.0,
    "optimizer.generator_lr": 0.0,
    "optimizer.discriminator_lr": 0.0,
    "optimizer.beta1": 0.0,
    "optimizer.beta2": 0.0,
    "optimizer.decay_start_images": 0,
    "optimizer.decay_end_images": 1,
}


def load_config(path: str | Path, *, overrides: typing.Sequence[str] = ()) -> Config:
    """Read a YAML configuration and apply ``--set`` overrides such as ``generator.ngf=32``.

    Raises:
        ConfigError: no such file, not YAML, unknown keys, wrong types or values.
    """
    path = Path(path)
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except FileNotFoundError as error:
        raise ConfigError(
            f"{path}: there is no such configuration file; configs/ has some to start from",
            code="config_missing",
        ) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: this is not YAML: {error}", code="config_syntax") from error
    for override in overrides:
        _apply_override(content, override)
    return read_config(content, where=str(path))


def read_config(content: Any, *, where: str = "configuration") -> Config:
    """Build a Config from parsed YAML; ``where`` names the source in errors."""
    config = _read_section(Config, content, where=where, prefix="")
    _check_values(config, where=where)
    return config


def _apply_override(content: dict[str, Any], override: str) -> None:
    key, separator, text = override.partition("=")
    if not separator or not key:
        raise ConfigError(
            f"--set {override}: expected FIELD=VALUE, for example --set total_images=1000",
            code="config_syntax",
        )
    *sections, name = key.strip().split(".")
    for section in sections:
        content = content.setdefault(section, {})
        if not isinstance(content, dict):
            raise ConfigError(
                f"--set {override}: '{section}' is a single value, not a section",
                code="config_syntax",
            )
    content[name] = yaml.safe_load(text)


def _read_section(kind: type, content: Any, *, where: str, prefix: str) -> Any:
    if not isinstance(content, dict):
        raise ConfigError(
            f"{where}: {prefix.rstrip('.') or 'the file'} must hold 'field: value' lines, "
            f"got {content!r}",
            code="config_syntax",
        )
    hints = typing.get_type_hints(kind)
    unknown = [key for key in content if key not in hints]
    if unknown:
        near = difflib.get_close_matches(str(unknown[0]), hints, n=1)
        hint = f"did you mean '{prefix}{near[0]}'?" if near else f"known: {', '.join(hints)}"
        raise ConfigError(
            f"{where}: unknown field '{prefix}{unknown[0]}'; {hint}", code="config_unknown_field"
        )
    values = {}
    for name, value in content.items():
        if dataclasses.is_dataclass(hints[name]):
            values[name] = _read_section(hints[name], value, where=where, prefix=f"{prefix}{name}.")
        else:
            values[name] = _read_value(hints[name], value, where=where, name=f"{prefix}{name}")
    return kind(**values)


def _read_value(hint: Any, value: Any, *, where: str, name: str) -> Any:
    kinds = typing.get_args(hint) or (hint,)
    if value is None and type(None) in kinds:
        return None
    kind = kinds[0]
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if type(value) is kind:
        return value
    advice = ""
    if kind is float and isinstance(value, str):
        advice = "; YAML reads 2e-4 as text, write 2.0e-4"
    raise ConfigError(
        f"{where}: '{name}' must be of type {kind.__name__}, got {value!r}{advice}",
        code="config_value",
    )


def _check_values(config: Config, *, where: str) -> None:
    def value_of(name: str) -> Any:
        value: Any = config
        for part in name.split("."):
            value = getattr(value, part)
        return value

    def refuse(name: str, expected: str) -> typing.NoReturn:
        raise ConfigError(
            f"{where}: '{name}' must be {expected}, got {value_of(name)!r}", code="config_value"
        )

    for name, choices in _CHOICES.items():
        if value_of(name) not in choices:
            refuse(name, "one of " + ", ".join(choices))
    for name, lowest in _AT_LEAST.items():
        if value_of(name) is not None and value_of(name) < lowest:
            refuse(name, f"at least {lowest}")
    if config.generator.kernel_size % 2 == 0:
        refuse("generator.kernel_size", "odd")
    if config.data.drop_label_probability > 0 and not config.data.dont_care:
        refuse("data.drop_label_probability", "0 when data.dont_care is false")
    if (config.data.short_side_min or config.data.short_side) > config.data.short_side:
        refuse("data.short_side_min", f"at most data.short_side ({config.data.short_side})")
    if config.data.crop_size > (config.data.short_side_min or config.data.short_side):
        refuse("data.crop_size", "at most the short side the photos are resized to")
    multiple = 2 ** {"normal": 5, "more": 6, "most": 7}[config.generator.upsampling]
    if config.data.crop_size % multiple:
        refuse(
            "data.crop_size", f"a multiple of {multiple} (upsampling {config.generator.upsampling})"
        )
    if config.losses.perceptual_network == "squeezenet" and not config.losses.perceptual_weights:
        refuse("losses.perceptual_weights", "the path of a SqueezeNet 1.1 weights file (.npz)")
    if config.generator.norm == "clade" and config.data.instance_edges:
        refuse("data.instance_edges", "false for generator.norm clade, which knows classes only")
