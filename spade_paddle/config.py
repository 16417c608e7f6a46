"""Training configurations: frozen dataclasses, in which every field has its limits and meaning.

docs/configuration.md has them as a table. Imports neither paddle nor our networks.
"""

from __future__ import annotations

import copy
import dataclasses
import functools
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Literal, Optional

from annotated_types import Ge, Gt, Le, Predicate
from pydantic.dataclasses import dataclass

from spade_paddle.assets import find_config
from spade_paddle.config_checks import config_problems
from spade_paddle.data_config import DataConfig as DataConfig
from spade_paddle.distillation_config import DistillationConfig
from spade_paddle.errors import ConfigError
from spade_paddle.fields import (
    STRICT,
    AtLeast0,
    AtLeast1,
    AtLeast32,
    Probability,
    Share,
    Weight,
    of,
)
from spade_paddle.reading import build, override, read_yaml

REMOVED_FIELDS = {
    "data.short_side": "it is called 'data.load_size' now",
    "data.short_side_min": "it is called 'data.load_size_min' now",
    "compute.channels_last": "it was removed, for it gained nothing; leave it out",
    "compute.to_static": "it was removed, for it gained nothing; leave it out",
    "regularization.augment_color": "write augment_brightness: 0.5, augment_saturation: 1.0 and "
    "augment_contrast: 0.5, which it was",
}
"""Fields of earlier configurations, and what to do about them."""

UPSAMPLINGS = {"normal": 5, "more": 6, "most": 7}
"""How often a generator doubles from its first feature map to up_3 or up_4."""

Activation = Literal["gelu", "leaky_relu"]
Convolutions = Literal["auto", "onednn", "paddle"]
FeatureNetwork = Literal["squeezenet", "efficientnet_lite0", "vgg19"]
ParamFreeNorm = Literal["batch", "sync_batch", "instance"]
Block = Literal["plain", "inception"]
Brightness = Annotated[Share, "from 0 to 1 (half of the range)"]
Factor = Annotated[Share, "from 0 to 1 (factors from 0 to 2)"]
FineBlocks = Annotated[int, Ge(0), Le(2), "from 0 to 2 (four times the size)"]
Odd = Annotated[int, Ge(1), Predicate(lambda n: n % 2 == 1), "odd, at least 1"]
PowerOf2 = Annotated[int, Ge(16), Predicate(lambda n: n & (n - 1) == 0), "a power of two from 16"]
Channels = Annotated[dict[str, list[AtLeast0]], "lists of channels by block"]
Positive = Annotated[float, Gt(0)]
ShareOfImages = Annotated[Share, "from 0 to 1 (all images seen)"]
UpToHalf = Annotated[float, Ge(0), Le(0.5), "from 0 to 0.5 (half a picture)"]


@dataclass(frozen=True, config=STRICT)
class GeneratorConfig:
    """The generator; the defaults are the article's, the width photopen's."""

    norm: Literal["spade", "clade", "clade_icpe"] = of("spade", "how labels steer each norm")
    ngf: AtLeast1 = of(24, "width of the last block; the coarse blocks are 16 times as wide")
    max_width: Optional[AtLeast1] = of(None, "no block is wider than this; null: no limit")
    upsampling: Literal["normal", "more", "most"] = of("normal", "5, 6 or 7 doublings")
    fine_blocks: FineBlocks = of(0, "so many more, each with a block after the last, to grow with")
    kernel_size: Odd = of(3, "of the convolutions inside SPADE")
    nhidden: AtLeast1 = of(128, "channels between the convolutions inside SPADE")
    param_free_norm: ParamFreeNorm = of("batch", "what SPADE and CLADE scale and shift")
    activation: Activation = of("gelu", "of every block")
    spectral_norm: bool = of(True, "on the convolutions of the residual blocks")
    simam: bool = of(True, "attention on the output of every residual block")
    noise: bool = of(False, "a noise map into every residual block (not in the article)")
    smooth_doublings: AtLeast0 = of(0, "the coarsest so many are bilinear, not nearest neighbor")
    latent_channels: Optional[AtLeast1] = of(None, "channels made of a style; null: 16 * ngf")
    block: Block = of("plain", "residual blocks as in the article, or of CAT's six branches")
    extra_blocks: AtLeast0 = of(0, "so many more after each block, of its width")
    widths: Optional[Channels] = of(
        None, "of every block, as tools/compress.py writes them; null: by ngf and max_width"
    )

    @property
    def multiple(self) -> int:
        """Height and width of every picture must be multiples of this many pixels."""
        return 2 ** (UPSAMPLINGS[self.upsampling] + self.fine_blocks)

    @property
    def doublings(self) -> str:
        """What ``multiple`` comes from, in words."""
        fine = f" and fine_blocks {self.fine_blocks}" if self.fine_blocks else ""
        return f"upsampling {self.upsampling}{fine}"

    @property
    def added_blocks(self) -> int:
        """Blocks after up_3, which every generator has: of ``most``, and the fine ones."""
        return (self.upsampling == "most") + self.fine_blocks


@dataclass(frozen=True, config=STRICT)
class EncoderConfig:
    """The style encoder; the defaults are the public SPADE's, but for the style, which is off."""

    style_dim: AtLeast0 = of(0, "length of the style vector, 256 in the public SPADE; 0: no style")
    nef: AtLeast1 = of(64, "width of the first convolution")
    size: PowerOf2 = of(256, "photos are resized to size x size")


@dataclass(frozen=True, config=STRICT)
class DiscriminatorConfig:
    """The multi-scale discriminator; the defaults are photopen's.

    Beside it, or in its place, heads on the frozen features of an ImageNet network (Sauer et al.
    2021, Projected GANs), which need few photos and few hours.
    """

    kind: Literal["patch", "projected", "both"] = of("patch", "patch scales, heads or both")
    scales: AtLeast1 = of(4, "discriminators, each on a picture half as large as the one before")
    num_layers: Annotated[int, Ge(2)] = of(6, "convolutions before the logits")
    ndf: AtLeast1 = of(128, "width of the first one")
    max_width: AtLeast1 = of(512, "no convolution is wider")
    activation: Activation = of("gelu", "of every stage")
    spectral_norm: bool = of(True, "on the convolutions between the first and the last")
    simam: bool = of(True, "attention on every stage's output")
    affine_norm: bool = of(True, "learned scale and shift, and biases before; false: neither")
    projected_network: FeatureNetwork = of("squeezenet", "what the heads look through")
    projected_weights: Optional[str] = of(
        None, "its file; null: losses.perceptual_weights for the same network, else Paddle's"
    )
    projected_width: AtLeast1 = of(96, "of the heads")


@dataclass(frozen=True, config=STRICT)
class LossConfig:
    """The adversarial loss, which counts 1, and the weights of the other losses."""

    gan_mode: Literal["hinge", "least_squares", "original"] = of("hinge", "adversarial loss")
    projected: Weight = of(1.0, "what projected heads count beside the patch scales")
    feature_matching: Weight = of(10.0, "lambda_feat")
    perceptual: Weight = of(1.6, "lambda_vgg")
    perceptual_network: Literal["none", "vgg19", "vgg19_pools", "squeezenet"] = of(
        "none", "its network; vgg19_pools is vgg19 with photopen's layers"
    )
    perceptual_weights: Optional[str] = of(
        None, "its file; null: Paddle's is downloaded. An .npz of vgg19 has its first blocks alone"
    )
    perceptual_resize: Optional[AtLeast32] = of(224, "vgg19 sees this side; null: as they are")
    perceptual_layers: Optional[str] = of(None, "'relu1_1 relu2_1': these alone, each counts 1")
    perceptual_shift: AtLeast0 = of(0, "both pictures move down and right by up to so much; try 7")
    kl: Weight = of(0.05, "lambda_kld, with a style")

    @property
    def kinds(self) -> dict[str, float]:
        """What each kind of discriminator counts in the adversarial loss."""
        return {"patch": 1.0, "projected": self.projected}


@dataclass(frozen=True, config=STRICT)
class OptimizerConfig:
    """Adam for both networks, each with its own learning rate."""

    generator_lr: Weight = of(4.0e-4, "photopen's rate")
    discriminator_lr: Weight = of(1.0e-4, "photopen's rate")
    beta1: Weight = of(0.9, "decay of the first moment")
    beta2: Weight = of(0.999, "decay of the second moment")
    decay_start_images: Optional[AtLeast0] = of(
        None, "from here the rates fall linearly; null: never"
    )
    decay_end_images: Optional[AtLeast1] = of(
        None, "here they reach decay_floor; null: at total_images"
    )
    decay_floor: Weight = of(0.01, "the share of the rates that is left; 0 in public SPADE")
    gradient_clip: Optional[Positive] = of(
        None, "most norm of a network's gradient; null: no limit"
    )


@dataclass(frozen=True, config=STRICT)
class RegularizationConfig:
    """Against overfitting of the discriminator on few photos; all off by default.

    The first change the discriminator's pictures, real and generated alike (DiffAugment, Zhao et
    al. 2020, whose strengths are 0.5, 1.0, 0.5, 0.125 and 0.5); R1 is a penalty on its gradient
    (Mescheder et al. 2018), every so many images and then so much stronger (Karras et al. 2020).
    """

    augment_brightness: Brightness = of(0.0, "most that is added, either way; pictures are -1..1")
    augment_saturation: Factor = of(0.0, "of the factor: 1.0 is from 0 to 2")
    augment_contrast: Factor = of(0.0, "of the factor: 0.5 is from 0.5 to 1.5")
    augment_translation: UpToHalf = of(0.0, "moved by up to this share of the sides; try 0.125")
    augment_cutout: UpToHalf = of(0.0, "a hole with sides of this share; try 0.3")
    augment_cutout_probability: Probability = of(1.0, "how often there is a hole")
    r1_gamma: Weight = of(0.0, "weight of R1, times one half; try 1 to 10")
    r1_every_images: AtLeast1 = of(64, "how often R1 is counted")


@dataclass(frozen=True, config=STRICT)
class ValidationConfig:
    """How good the averaged generator is meanwhile, and which of its states are kept.

    With a judge the first validation scenes of the half to choose by (data/split.py) are painted
    every ``sample_every_images``, and the best averages so far are kept.
    """

    judge_weights: Optional[str] = of(
        None, "EfficientNet-Lite0's file (docs/evaluation.md); null: no judge"
    )
    judge_scenes: Annotated[int, Ge(2)] = of(16, "so many are painted and judged")
    keep_snapshots_every_images: AtLeast0 = of(0, "averages are kept for good so often; 0: never")


@dataclass(frozen=True, config=STRICT)
class ComputeConfig:
    """How a step is computed; none of it is needed for the results to be right."""

    accumulation: AtLeast1 = of(1, "a step's pictures pass in so many parts, one after the other")
    amp: Literal[False, "float16", "bfloat16"] = of(
        False, "half precision where it is safe (O1), float16 with loss scaling; GPU only"
    )
    convolutions: Convolutions = of("auto", "whose, on a CPU; auto: onednn where it can be had")
    bfloat16: bool = of(False, "onednn rounds inputs of convolutions, sums stay float32")


@dataclass(frozen=True, config=STRICT)
class Config:
    """A whole training run. Progress is counted in images: batch_size changes no schedule."""

    total_images: AtLeast1 = of(100_000, "training ends after this many pictures")
    batch_size: AtLeast1 = of(4, "pictures a step")
    seed: AtLeast0 = of(1, "of the initial weights, the order of the photos and the crops")
    initializer: Literal["paddle", "xavier"] = of("paddle", "of the weights; xavier has gain 0.02")
    regenerate_fake: bool = of(
        True, "the discriminator step paints anew with the updated generator"
    )
    ema_halflife_images: AtLeast0 = of(1000, "half-life of the averaged generator; 0: no averaging")
    ema_halflife_share: ShareOfImages = of(
        0.0, "of the images seen, up to that half-life; try 0.05; 0: off"
    )
    checkpoint_every_images: AtLeast1 = of(1000, "how often everything is saved")
    sample_every_images: AtLeast1 = of(1000, "how often sample pictures are painted")
    log_every_images: AtLeast1 = of(40, "how often losses are written")
    ema_recalibration_images: AtLeast0 = of(0, "so many measure the average's batch norm anew")
    init_from: Optional[str] = of(None, "run or model folder whose weights a new run begins with")
    fade_in_images: AtLeast0 = of(0, "its new finest block comes in over so many; 0: at once")
    data: DataConfig = DataConfig()
    generator: GeneratorConfig = GeneratorConfig()
    encoder: EncoderConfig = EncoderConfig()
    discriminator: DiscriminatorConfig = DiscriminatorConfig()
    losses: LossConfig = LossConfig()
    optimizer: OptimizerConfig = OptimizerConfig()
    regularization: RegularizationConfig = RegularizationConfig()
    distillation: DistillationConfig = DistillationConfig()
    validation: ValidationConfig = ValidationConfig()
    compute: ComputeConfig = ComputeConfig()

    @property
    def knows_positions(self) -> bool:
        """The generator takes positional encodings."""
        return self.generator.norm == "clade_icpe"

    @property
    def latent_size(self) -> tuple[int, int]:
        """Height and width of the coarse features that are made of a style."""
        multiple = self.generator.multiple
        return self.data.crop_height // multiple, self.data.crop_size // multiple

    @property
    def projected_weights(self) -> Optional[str]:
        """The weights file of the projected heads' network; None: Paddle's are downloaded."""
        options, losses = self.discriminator, self.losses
        same = options.projected_network == losses.perceptual_network
        shared = losses.perceptual_weights if same else None
        return shared if options.projected_weights is None else options.projected_weights

    @classmethod
    def preset(cls, name: str, *overrides: str) -> Config:
        """A configuration that comes along, such as ``landscape_cpu``; overrides as in load_config.

        Raises:
            ConfigError: there is none of that name, or an override is wrong.
        """
        return load_config(find_config(name), overrides=overrides)

    def value(self, name: str) -> Any:
        """The value of a field by its dotted name, such as ``generator.ngf``."""
        return functools.reduce(getattr, name.split("."), self)

    def to_dict(self) -> dict[str, Any]:
        """The plain nested dictionary that ``read_config`` accepts."""
        return dataclasses.asdict(self)


def load_config(path: str | Path, *, overrides: Sequence[str] = ()) -> Config:
    """Read a YAML configuration and apply ``--set`` overrides such as ``generator.ngf=32``.

    Raises:
        ConfigError: no such file, not YAML, unknown keys, wrong types or values.
    """
    content, places = read_yaml(Path(path))
    return read_config(content, where=str(path), overrides=overrides, places=places)


def read_config(
    content: Any,
    *,
    where: str = "configuration",
    overrides: Sequence[str] = (),
    places: Mapping[str, str] = MappingProxyType({}),
) -> Config:
    """Build a Config from parsed YAML; overrides and errors are as in load_config.

    Args:
        where: names the source in errors.
        places: does so more exactly, by the dotted names of fields.
    """
    content = copy.deepcopy(content)
    if isinstance(content, dict):
        places = override(content, overrides, places)
        for section, name in (earlier.split(".") for earlier in REMOVED_FIELDS):
            options = content.get(section)
            if isinstance(options, dict) and options.get(name) is False:
                del options[name]  # a switch that was removed: earlier runs wrote them all

    def place(name: str) -> str:
        return places.get(name, where)

    config = build(Config, content, place=place, advice=REMOVED_FIELDS)
    for name, expected in config_problems(config):
        problem = f"'{name}' must be {expected}, got {config.value(name)!r}"
        raise ConfigError(f"{place(name)}: {problem}", code="config_value", field=name)
    return config
