"""Training configurations: frozen dataclasses, and the check of what their YAML form says.

Every field has a default and a one-line meaning; an unknown key, a wrong type or a value out of
range is a ConfigError that names the field. Imports neither paddle nor our networks.
"""

from __future__ import annotations

import copy
import dataclasses
import functools
import typing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Optional

from spade_paddle.config_checks import config_problems
from spade_paddle.data_config import DataConfig
from spade_paddle.errors import ConfigError
from spade_paddle.strict_yaml import apply_overrides, read_section, read_yaml

EARLIER = {
    "data.short_side": "it is called 'data.load_size' now",
    "data.short_side_min": "it is called 'data.load_size_min' now",
    "compute.channels_last": "it was removed, for it gained nothing; leave it out",
    "compute.to_static": "it was removed, for it gained nothing; leave it out",
    "regularization.augment_colour": "write augment_brightness: 0.5, augment_saturation: 1.0 and "
    "augment_contrast: 0.5, which it was",
}
"""Fields of earlier configurations, and what to do about them."""


@dataclass(frozen=True)
class GeneratorConfig:
    """The generator; the defaults are the article's."""

    norm: str = "spade"  # spade, clade or clade_icpe
    ngf: int = 24  # width of the last block; the coarse blocks are 16 times as wide
    max_width: Optional[int] = None  # no block is wider than this; null: no limit
    upsampling: str = "normal"  # normal, more or most: 5, 6 or 7 doublings
    fine_blocks: int = 0  # so many more, each with a block after the last: 0 to 2, to grow with
    kernel_size: int = 3  # of the convolutions inside SPADE
    nhidden: int = 128  # channels between the convolutions inside SPADE
    param_free_norm: str = "batch"  # batch, sync_batch or instance
    activation: str = "gelu"  # gelu or leaky_relu
    spectral_norm: bool = True  # on the convolutions of the residual blocks
    simam: bool = True  # attention on the output of every residual block
    noise: bool = False  # a noise map into every residual block (not in the article)
    smooth_doublings: int = 0  # so many, coarsest first, are bilinear instead of nearest neighbor
    latent_channels: Optional[int] = None  # of the features made of a style; null: 16 * ngf

    @property
    def multiple(self) -> int:
        """Height and width of every picture must be multiples of this many pixels."""
        return 2 ** ({"normal": 5, "more": 6, "most": 7}[self.upsampling] + self.fine_blocks)

    @property
    def doublings(self) -> str:
        """What ``multiple`` comes from, in words."""
        fine = f" and fine_blocks {self.fine_blocks}" if self.fine_blocks else ""
        return f"upsampling {self.upsampling}{fine}"

    @property
    def added_blocks(self) -> int:
        """Blocks after up_3, which every generator has: of ``most``, and the fine ones."""
        return (self.upsampling == "most") + self.fine_blocks


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
    projected_network: str = "squeezenet"  # squeezenet, efficientnet_lite0 or vgg19
    # its file; null: that of losses.perceptual_weights if the network is the same, else Paddle's
    projected_weights: Optional[str] = None
    projected_width: int = 96  # of the heads


@dataclass(frozen=True)
class LossConfig:
    """The adversarial loss, which counts 1, and the weights of the other losses."""

    gan_mode: str = "hinge"  # hinge, least_squares or original
    projected: float = 1.0  # what projected heads count beside the patch scales
    feature_matching: float = 10.0  # lambda_feat
    perceptual: float = 1.6  # lambda_vgg
    perceptual_network: str = "none"  # none, vgg19 or squeezenet
    # its file; null: Paddle's is downloaded. An .npz of vgg19 holds its first blocks alone
    perceptual_weights: Optional[str] = None
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

    The first change the discriminator's pictures, real and generated alike (DiffAugment, Zhao et
    al. 2020, whose strengths are 0.5, 1.0, 0.5, 0.125 and 0.5); R1 is a penalty on its gradient
    (Mescheder et al. 2018), every so many images and then so much stronger (Karras et al. 2020).
    """

    augment_brightness: float = 0.0  # so much is added at most, either way; pictures are -1..1
    augment_saturation: float = 0.0  # of the factor: 1.0 is from 0 to 2
    augment_contrast: float = 0.0  # of the factor: 0.5 is from 0.5 to 1.5
    augment_translation: float = 0.0  # moved by up to this share of height and width; try 0.125
    augment_cutout: float = 0.0  # a hole with sides of this share; try 0.3
    augment_cutout_probability: float = 1.0  # how often there is a hole
    r1_gamma: float = 0.0  # weight of R1, times one half; try 1 to 10
    r1_every_images: int = 64  # how often R1 is counted


@dataclass(frozen=True)
class ValidationConfig:
    """How good the averaged generator is meanwhile, and which of its states are kept.

    With a judge the first validation scenes of the half to choose by (data/split.py) are painted
    every ``sample_every_images``, and the best averages so far are kept.
    """

    judge_weights: Optional[str] = None  # EfficientNet-Lite0's .npz file; null: no judge
    judge_scenes: int = 16  # so many are painted and judged; 2 or more
    keep_snapshots_every_images: int = 0  # how often the averages are kept for good; 0: never


@dataclass(frozen=True)
class ComputeConfig:
    """How a step is computed; none of it is needed for the results to be right."""

    accumulation: int = 1  # a step's pictures pass in so many parts, one after the other
    amp: bool = False  # half precision with loss scaling where it is safe (O1); GPU only
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
    ema_halflife_share: float = 0.0  # of the images seen, up to that half-life; try 0.05; 0: off
    checkpoint_every_images: int = 1000  # how often everything is saved
    sample_every_images: int = 1000  # how often sample pictures are painted
    log_every_images: int = 40  # how often losses are written
    ema_recalibration_images: int = 0  # the average's batch norm is measured anew on so many
    init_from: Optional[str] = None  # a run or model folder whose weights a new run begins with
    fade_in_images: int = 0  # its new finest block comes in over so many; 0: at once
    data: DataConfig = field(default_factory=DataConfig)
    generator: GeneratorConfig = field(default_factory=GeneratorConfig)
    encoder: EncoderConfig = field(default_factory=EncoderConfig)
    discriminator: DiscriminatorConfig = field(default_factory=DiscriminatorConfig)
    losses: LossConfig = field(default_factory=LossConfig)
    optimizer: OptimizerConfig = field(default_factory=OptimizerConfig)
    regularization: RegularizationConfig = field(default_factory=RegularizationConfig)
    validation: ValidationConfig = field(default_factory=ValidationConfig)
    compute: ComputeConfig = field(default_factory=ComputeConfig)

    @property
    def knows_positions(self) -> bool:
        """The generator takes positional encodings."""
        return self.generator.norm == "clade_icpe"

    @property
    def projected_weights(self) -> Optional[str]:
        """The weights file of the projected heads' network; None: Paddle's are downloaded."""
        options, losses = self.discriminator, self.losses
        same = options.projected_network == losses.perceptual_network
        shared = losses.perceptual_weights if same else None
        return shared if options.projected_weights is None else options.projected_weights

    def value(self, name: str) -> Any:
        """The value of a field by its dotted name, such as ``generator.ngf``."""
        return functools.reduce(getattr, name.split("."), self)

    def to_dict(self) -> dict[str, Any]:
        """The plain nested dictionary that ``read_config`` accepts."""
        return dataclasses.asdict(self)


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
    content = _without_removed(apply_overrides(content, overrides))
    config = read_section(Config, content, where=where, advice=EARLIER)
    for name, expected in config_problems(config):
        raise ConfigError(
            f"{where}: '{name}' must be {expected}, got {config.value(name)!r}", code="config_value"
        )
    return config


def _without_removed(content: Any) -> Any:
    """Without switches that were removed, where they are off: earlier runs wrote them all."""
    content = copy.deepcopy(content)
    for section, name in (earlier.split(".") for earlier in EARLIER):
        options = content.get(section) if isinstance(content, dict) else None
        if isinstance(options, dict) and options.get(name) is False:
            del options[name]
    return content
