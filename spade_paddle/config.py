"""Training configurations: frozen dataclasses, and the check of what their YAML form says.

Every field has a default and a one-line meaning; an unknown key, a wrong type or a value out of
range is a ConfigError that names the field. Imports neither paddle nor our networks.
"""

from __future__ import annotations

import dataclasses
import typing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable, Optional

from spade_paddle.data_config import LOAD_MODES, RENAMED, DataConfig, data_problems
from spade_paddle.errors import ConfigError
from spade_paddle.strict_yaml import apply_overrides, read_section, read_yaml


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
    """The multi-scale discriminator; the defaults are the article's.

    Beside it, or in its place, heads on the frozen features of an ImageNet network (Sauer et al.
    2021, Projected GANs), which need few photos and few hours.
    """

    kind: str = "patch"  # patch, projected or both
    scales: int = 4  # discriminators, each on a picture half as large as the one before
    num_layers: int = 6  # convolutions before the logits
    ndf: int = 128  # width of the first one
    max_width: int = 512  # no convolution is wider
    activation: str = "gelu"  # gelu or leaky_relu
    spectral_norm: bool = True  # on the convolutions between the first and the last
    simam: bool = True  # attention on every stage's output
    affine_norm: bool = True  # learned scale and shift, and biases before; false: neither
    projected_network: str = "squeezenet"  # whose features: squeezenet or vgg19
    projected_weights: Optional[str] = None  # its file; null: losses.perceptual_weights if the same
    projected_width: int = 96  # of the heads


@dataclass(frozen=True)
class LossConfig:
    """The adversarial loss, which counts 1, and the weights of the other losses."""

    gan_mode: str = "hinge"  # hinge, least_squares or original
    projected: float = 1.0  # what projected heads count beside the patch scales
    feature_matching: float = 10.0  # lambda_feat
    perceptual: float = 1.6  # lambda_vgg
    perceptual_network: str = "none"  # none, vgg19 or squeezenet
    perceptual_weights: Optional[str] = None  # weights file; null: vgg19 downloads Paddle's
    perceptual_resize: Optional[int] = 224  # vgg19 sees pictures of this side; null: as they are
    perceptual_layers: Optional[str] = None  # "relu1_1 relu2_1": these alone, each counts 1
    perceptual_shift: int = 0  # both pictures move down and right by up to so many pixels; try 7
    kl: float = 0.05  # lambda_kld, with a style

    @property
    def kinds(self) -> dict[str, float]:
        """What each kind of discriminator counts in the adversarial loss."""
        return {"patch": 1.0, "projected": self.projected}


@dataclass(frozen=True)
class OptimizerConfig:
    """Adam for both networks, each with its own learning rate."""

    generator_lr: float = 4.0e-4  # the article's rate
    discriminator_lr: float = 1.0e-4  # the article's rate
    beta1: float = 0.9  # decay of the first moment
    beta2: float = 0.999  # decay of the second moment
    decay_start_images: Optional[int] = None  # from here the rates fall linearly; null: never
    decay_end_images: Optional[int] = None  # here they reach decay_floor; null: at total_images
    decay_floor: float = 0.01  # the share of the rates that is left; 0 in the public SPADE
    gradient_clip: Optional[float] = None  # most norm of each network's gradient; null: no limit


@dataclass(frozen=True)
class RegularizationConfig:
    """Against overfitting of the discriminator on few photos; all off by default.

    The first three change the discriminator's pictures, real and generated alike (DiffAugment,
    Zhao et al. 2020); R1 is a penalty on its gradient (Mescheder et al. 2018), every so many
    images and then so much stronger (Karras et al. 2020).
    """

    augment_colour: bool = False  # brightness, saturation and contrast
    augment_translation: float = 0.0  # moved by up to this share of height and width; try 0.125
    augment_cutout: float = 0.0  # a hole with sides of this share; try 0.5
    r1_gamma: float = 0.0  # weight of R1, times one half; try 1 to 10
    r1_every_images: int = 64  # how often R1 is counted


@dataclass(frozen=True)
class ComputeConfig:
    """How a step is computed; none of it is needed for the results to be right."""

    accumulation: int = 1  # a step's pictures pass in so many parts, one after the other
    amp: bool = False  # half precision with loss scaling where it is safe (O1); GPU only
    channels_last: bool = False  # lets Paddle change convolutions to NHWC; GPU only
    to_static: bool = False  # generator and discriminator run as compiled programs
    convolutions: str = "auto"  # on a CPU: onednn, paddle, or auto: the first where it can be had
    bfloat16: bool = False  # inputs of onednn's convolutions are rounded, sums stay float32


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
    ema_recalibration_images: int = 0  # the average's batch norm is measured anew on so many
    init_from: Optional[str] = None  # a run or model folder whose weights a new run begins with
    fade_in_images: int = 0  # its new finest block (most) comes in over so many; 0: at once
    data: DataConfig = field(default_factory=DataConfig)
    generator: GeneratorConfig = field(default_factory=GeneratorConfig)
    encoder: EncoderConfig = field(default_factory=EncoderConfig)
    discriminator: DiscriminatorConfig = field(default_factory=DiscriminatorConfig)
    losses: LossConfig = field(default_factory=LossConfig)
    optimizer: OptimizerConfig = field(default_factory=OptimizerConfig)
    regularization: RegularizationConfig = field(default_factory=RegularizationConfig)
    compute: ComputeConfig = field(default_factory=ComputeConfig)

    @property
    def knows_positions(self) -> bool:
        """The generator takes positional encodings."""
        return self.generator.norm == "clade_icpe"

    @property
    def projected_weights(self) -> Optional[str]:
        """The weights file of the projected heads' network; None: there is none to be read."""
        options, losses = self.discriminator, self.losses
        same = options.projected_network == losses.perceptual_network
        shared = losses.perceptual_weights if same else None
        return shared if options.projected_weights is None else options.projected_weights

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
    "discriminator.kind": ("patch", "projected", "both"),
    "discriminator.projected_network": ("squeezenet", "vgg19"),
    "losses.gan_mode": ("hinge", "least_squares", "original"),
    "losses.perceptual_network": ("none", "vgg19", "squeezenet"),
    "compute.convolutions": ("auto", "onednn", "paddle"),
}
_AT_LEAST = {
    "total_images": 1,
    "batch_size": 1,
    "seed": 0,
    "ema_halflife_images": 0,
    "checkpoint_every_images": 1,
    "sample_every_images": 1,
    "log_every_images": 1,
    "ema_recalibration_images": 0,
    "fade_in_images": 0,
    "data.crop_size": 32,
    "data.load_size": 32,
    "data.load_size_min": 32,
    "data.cache_gib": 0.0,
    "data.drop_label_probability": 0.0,
    "data.coarse_label_probability": 0.0,
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
    "discriminator.projected_width": 1,
    "losses.projected": 0.0,
    "losses.feature_matching": 0.0,
    "losses.perceptual": 0.0,
    "losses.perceptual_resize": 32,
    "losses.perceptual_shift": 0,
    "losses.kl": 0.0,
    "optimizer.generator_lr": 0.0,
    "optimizer.discriminator_lr": 0.0,
    "optimizer.beta1": 0.0,
    "optimizer.beta2": 0.0,
    "optimizer.decay_start_images": 0,
    "optimizer.decay_end_images": 1,
    "optimizer.decay_floor": 0.0,
    "regularization.augment_translation": 0.0,
    "regularization.augment_cutout": 0.0,
    "regularization.r1_gamma": 0.0,
    "regularization.r1_every_images": 1,
    "compute.accumulation": 1,
}


def load_config(path: str | Path, *, overrides: typing.Sequence[str] = ()) -> Config:
    """Read a YAML configuration and apply ``--set`` overrides such as ``generator.ngf=32``.

    Raises:
        ConfigError: no such file, not YAML, unknown keys, wrong types or values.
    """
    content = read_yaml(Path(path), overrides=overrides)
    return read_config(content, where=str(path))


def read_config(
    content: Any, *, where: str = "configuration", overrides: typing.Sequence[str] = ()
) -> Config:
    """Build a Config from parsed YAML; ``where`` names the source in errors, ``overrides`` are as
    in load_config."""
    content = apply_overrides(content, overrides)
    config = read_section(Config, content, where=where, renamed=RENAMED)
    _check_values(config, where=where)
    return config


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
    for name in ("regularization.augment_translation", "regularization.augment_cutout"):
        if value_of(name) > 0.5:
            refuse(name, "at most 0.5, half a picture")
    if config.losses.perceptual_shift >= config.data.crop_size // 2:
        refuse("losses.perceptual_shift", "less than half of data.crop_size")
    clip = config.optimizer.gradient_clip
    if clip is not None and clip <= 0:
        refuse("optimizer.gradient_clip", "above 0, or null for no limit")
    if config.fade_in_images and generator.upsampling != "most":
        refuse("fade_in_images", "0 unless generator.upsampling is most, which adds a block")
    if config.compute.bfloat16 and config.compute.convolutions == "paddle":
        refuse("compute.bfloat16", "false with compute.convolutions paddle, which has no bfloat16")
    if config.discriminator.kind != "patch":
        _check_projected(config, refuse)
    if config.compute.to_static:
        _check_compilable(config, refuse)
    if config.batch_size % config.compute.accumulation:
        refuse("compute.accumulation", f"a divisor of batch_size ({config.batch_size})")
    if config.losses.perceptual_network == "squeezenet" and not config.losses.perceptual_weights:
        refuse("losses.perceptual_weights", "the path of a SqueezeNet 1.1 weights file (.npz)")


def _check_projected(config: Config, refuse: Callable[[str, str], None]) -> None:
    """What projected heads need, and what cannot be had without the patch scales."""
    if config.discriminator.projected_network != "vgg19" and not config.projected_weights:
        refuse(
            "discriminator.projected_weights",
            f"the path of a weights file of {config.discriminator.projected_network} (.npz) with "
            f"discriminator.kind {config.discriminator.kind}",
        )
    if config.discriminator.kind == "projected":
        if config.losses.feature_matching:
            refuse(
                "losses.feature_matching",
                "0 with discriminator.kind projected, which has no stages to match (or take both)",
            )
        if config.regularization.r1_gamma:
            refuse(
                "regularization.r1_gamma",
                "0 with discriminator.kind projected: R1 is of the patch scales (or take both)",
            )


def _check_compilable(config: Config, refuse: Callable[[str, str], None]) -> None:
    """What Paddle's compiled programs cannot do, or get wrong without a word, is refused."""
    for name, section in (("generator", config.generator), ("discriminator", config.discriminator)):
        if section.spectral_norm:  # gradients of its weights come out wrong (Paddle 2.6 and 3.2)
            refuse(f"{name}.spectral_norm", "false with compute.to_static")
    if config.knows_positions:  # arguments given by name hold no memory (Paddle 3.2)
        refuse("generator.norm", "spade or clade with compute.to_static")
    if config.encoder.style_dim:
        refuse("encoder.style_dim", "0 with compute.to_static")
    if config.discriminator.kind != "patch":
        refuse("discriminator.kind", "patch with compute.to_static")
    if config.regularization.r1_gamma:  # nothing would be learned from the penalty
        refuse("regularization.r1_gamma", "0 with compute.to_static")
    if config.fade_in_images:  # the first mix would be compiled in
        refuse("fade_in_images", "0 with compute.to_static")
