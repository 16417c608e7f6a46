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

from spade_paddle.data_config import LOAD_MODES, RENAMED, DataConfig, data_problems
from spade_paddle.errors import ConfigError


@dataclass(frozen=True)
class GeneratorConfig:
    """The generator; the defaults are the article's."""

    norm: str = "spade"  # spade, clade or clade_icpe
    ngf: int = 24  # width of the last block; the coarse blocks are 16 times as wide
    max_width: Optional[int] = None  # no block is wider than this; null: no limit
    upsampling: str = "normal"  # normal, more or most: 5, 6 or 7 doublings
    kernel_size: int = 3  # of the convolutions inside SPADE
    nhidden: int = 128  # channels between the convolutions inside SPADE
    param_free_norm: str = "batch"  # batch, sync_batch or instance
    activation: str = "gelu"  # gelu or leaky_relu
    spectral_norm: bool = True  # on the convolutions of the residual blocks
    simam: bool = True  # attention on the output of every residual block
    noise: bool = False  # a noise map into every residual block (not in the article)
    latent_channels: Optional[int] = None  # of the features made of a style; null: 16 * ngf

    @property
    def multiple(self) -> int:
        """Height and width of every picture must be multiples of this many pixels."""
        return 2 ** {"normal": 5, "more": 6, "most": 7}[self.upsampling]


@dataclass(frozen=True)
class EncoderConfig:
    """The style encoder; the defaults are the public SPADE's, but for the style, which is off."""

    style_dim: int = 0  # length of the style vector, 256 in the public SPADE; 0: no style at all
    nef: int = 64  # width of the first convolution
    size: int = 256  # photos are resized to size x size; a power of two


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
    affine_norm: bool = True  # learned scale and shift, and biases before; false: neither


@dataclass(frozen=True)
class LossConfig:
    """The adversarial loss, which counts 1, and the weights of the generator's other losses."""

    gan_mode: str = "hinge"  # hinge, least_squares or original
    feature_matching: float = 10.0  # lambda_feat
    perceptual: float = 1.6  # lambda_vgg
    perceptual_network: str = "none"  # none, vgg19 or squeezenet
    perceptual_weights: Optional[str] = None  # weights file; null: vgg19 downloads Paddle's
    perceptual_resize: Optional[int] = 224  # vgg19 sees pictures of this side; null: as they are
    kl: float = 0.05  # lambda_kld, with a style


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
    initializer: str = "paddle"  # of the weights: paddle (its defaults) or xavier (gain 0.02)
    regenerate_fake: bool = True  # the discriminator step paints anew with the updated generator
    ema_halflife_images: int = 1000  # half-life of the averaged generator; 0: no averaging
    checkpoint_every_images: int = 1000  # how often everything is saved
    sample_every_images: int = 1000  # how often sample pictures are painted
    log_every_images: int = 40  # how often losses are written
    data: DataConfig = field(default_factory=DataConfig)
    generator: GeneratorConfig = field(default_factory=GeneratorConfig)
    encoder: EncoderConfig = field(default_factory=EncoderConfig)
    discriminator: DiscriminatorConfig = field(default_factory=DiscriminatorConfig)
    losses: LossConfig = field(default_factory=LossConfig)
    optimizer: OptimizerConfig = field(default_factory=OptimizerConfig)

    @property
    def knows_positions(self) -> bool:
        """The generator takes positional encodings."""
        return self.generator.norm == "clade_icpe"

    def to_dict(self) -> dict[str, Any]:
        """The plain nested dictionary that ``read_config`` accepts."""
        return dataclasses.asdict(self)


_CHOICES = {
    "initializer": ("paddle", "xavier"),
    "data.load_mode": LOAD_MODES,
    "generator.norm": ("spade", "clade", "clade_icpe"),
    "generator.upsampling": ("normal", "more", "most"),
    "generator.param_free_norm": ("batch", "sync_batch", "instance"),
    "generator.activation": ("gelu", "leaky_relu"),
    "discriminator.activation": ("gelu", "leaky_relu"),
    "losses.gan_mode": ("hinge", "least_squares", "original"),
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
    "data.load_size": 32,
    "data.load_size_min": 32,
    "data.cache_gib": 0.0,
    "data.drop_label_probability": 0.0,
    "generator.ngf": 1,
    "generator.max_width": 1,
    "generator.kernel_size": 1,
    "generator.nhidden": 1,
    "generator.latent_channels": 1,
    "encoder.style_dim": 0,
    "encoder.nef": 1,
    "encoder.size": 16,
    "discriminator.scales": 1,
    "discriminator.num_layers": 2,
    "discriminator.ndf": 1,
    "discriminator.max_width": 1,
    "losses.feature_matching": 0.0,
    "losses.perceptual": 0.0,
    "losses.perceptual_resize": 32,
    "losses.kl": 0.0,
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
        name = f"{prefix}{unknown[0]}"
        raise ConfigError(
            f"{where}: unknown field '{name}'; {_hint(name, prefix=prefix, known=list(hints))}",
            code="config_unknown_field",
        )
    values = {}
    for name, value in content.items():
        if dataclasses.is_dataclass(hints[name]):
            values[name] = _read_section(hints[name], value, where=where, prefix=f"{prefix}{name}.")
        else:
            values[name] = _read_value(hints[name], value, where=where, name=f"{prefix}{name}")
    return kind(**values)


def _hint(name: str, *, prefix: str, known: list[str]) -> str:
    """What a person may have meant by an unknown field."""
    if name in RENAMED:
        return f"it is called '{RENAMED[name]}' now"
    near = difflib.get_close_matches(name[len(prefix) :], known, n=1)
    return f"did you mean '{prefix}{near[0]}'?" if near else f"known: {', '.join(known)}"


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
    generator = config.generator
    if generator.kernel_size % 2 == 0:
        refuse("generator.kernel_size", "odd")
    if config.encoder.size & (config.encoder.size - 1):
        refuse("encoder.size", "a power of two")
    for name, expected in data_problems(
        config.data, multiple=generator.multiple, upsampling=generator.upsampling
    ):
        refuse(name, expected)
    if config.losses.perceptual_network == "squeezenet" and not config.losses.perceptual_weights:
        refuse("losses.perceptual_weights", "the path of a SqueezeNet 1.1 weights file (.npz)")
