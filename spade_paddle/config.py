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
    "data.short_side": "it was renamed to 'data.load_size'",
    "data.short_side_min": "it was renamed to 'data.load_size_min'",
    "compute.channels_last": "it was removed because it had no benefit; delete it",
    "compute.to_static": "it was removed because it had no benefit; delete it",
    "regularization.augment_color": "replace it by augment_brightness: 0.5, "
    "augment_saturation: 1.0 and augment_contrast: 0.5",
}
"""Fields of earlier versions, and what to do about them."""

UPSAMPLINGS = {"normal": 5, "more": 6, "most": 7}
"""Number of upsamplings by 2 up to the last block, without fine blocks."""

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
    """The generator; the defaults are those of the article, the width that of photopen."""

    norm: Literal["spade", "clade", "clade_icpe"] = of("spade", "conditional normalization")
    ngf: AtLeast1 = of(24, "width of the last block; the coarse blocks are 16 times as wide")
    max_width: Optional[AtLeast1] = of(None, "no block is wider than this; null: no limit")
    upsampling: Literal["normal", "more", "most"] = of("normal", "5, 6 or 7 upsamplings by 2")
    fine_blocks: FineBlocks = of(0, "additional upsamplings at the end, each followed by a block")
    kernel_size: Odd = of(3, "of the convolutions inside SPADE")
    nhidden: AtLeast1 = of(128, "channels between the convolutions inside SPADE")
    param_free_norm: ParamFreeNorm = of("batch", "the norm that SPADE or CLADE modulates")
    activation: Activation = of("gelu", "in every block")
    spectral_norm: bool = of(True, "on the convolutions of the residual blocks")
    simam: bool = of(True, "attention on the output of every residual block")
    noise: bool = of(False, "a noise map for every residual block (not in the article)")
    smooth_doublings: AtLeast0 = of(0, "number of bilinear upsamplings, from the coarsest on")
    latent_channels: Optional[AtLeast1] = of(None, "channels of the style; null: 16 * ngf")
    block: Block = of("plain", "residual blocks of the article, or of CAT (six branches)")
    extra_blocks: AtLeast0 = of(0, "additional blocks of the same width after each block")
    widths: Optional[Channels] = of(
        None, "of every block, as written by tools/compress.py; null: from ngf and max_width"
    )

    @property
    def multiple(self) -> int:
        """Number of pixels that height and width of every picture must be multiples of."""
        return 2 ** (UPSAMPLINGS[self.upsampling] + self.fine_blocks)

    @property
    def doublings(self) -> str:
        """The fields that determine ``multiple``, for messages."""
        fine = f" and fine_blocks {self.fine_blocks}" if self.fine_blocks else ""
        return f"upsampling {self.upsampling}{fine}"

    @property
    def added_blocks(self) -> int:
        """Number of blocks after up_3: up_4 with ``most``, and the fine blocks."""
        return (self.upsampling == "most") + self.fine_blocks


@dataclass(frozen=True, config=STRICT)
class EncoderConfig:
    """The style encoder; the defaults are those of the public SPADE, except that it is off."""

    style_dim: AtLeast0 = of(0, "length of the style vector, 256 in the public SPADE; 0: no style")
    nef: AtLeast1 = of(64, "width of the first convolution")
    size: PowerOf2 = of(256, "photos are resized to size x size")


@dataclass(frozen=True, config=STRICT)
class DiscriminatorConfig:
    """The multi-scale patch discriminator; the defaults are those of photopen.

    In addition to it, or instead of it, projected heads: discriminator heads on the frozen features
    of an ImageNet network (Sauer et al. 2021, Projected GANs), which need few photos and few hours.
    """

    kind: Literal["patch", "projected", "both"] = of("patch", "patch scales, projected heads, both")
    scales: AtLeast1 = of(4, "patch discriminators, each at half the resolution of the one before")
    num_layers: Annotated[int, Ge(2)] = of(6, "convolutions before the logits")
    ndf: AtLeast1 = of(128, "width of the first convolution")
    max_width: AtLeast1 = of(512, "largest width of a convolution")
    activation: Activation = of("gelu", "in every stage")
    spectral_norm: bool = of(True, "on the convolutions between the first and the last")
    simam: bool = of(True, "attention on the output of every stage")
    affine_norm: bool = of(True, "scale and shift in norms and biases before; false: neither")
    projected_network: FeatureNetwork = of("squeezenet", "feature network of the projected heads")
    projected_weights: Optional[str] = of(
        None, "its file; null: losses.perceptual_weights for the same network, else Paddle's"
    )
    projected_width: AtLeast1 = of(96, "channels of the projected heads")


@dataclass(frozen=True, config=STRICT)
class LossConfig:
    """The adversarial loss, which has weight 1, and the weights of the other losses."""

    gan_mode: Literal["hinge", "least_squares", "original"] = of("hinge", "adversarial loss")
    projected: Weight = of(1.0, "weight of projected heads; patch scales have 1")
    feature_matching: Weight = of(10.0, "lambda_feat")
    perceptual: Weight = of(1.6, "lambda_vgg")
    perceptual_network: Literal["none", "vgg19", "vgg19_pools", "squeezenet"] = of(
        "none", "feature network; vgg19_pools is vgg19 with the layers of photopen"
    )
    perceptual_weights: Optional[str] = of(
        None, "its file; null: download Paddle's. An .npz of vgg19 has only the first blocks"
    )
    perceptual_resize: Optional[AtLeast32] = of(224, "side of vgg19's input; null: no resizing")
    perceptual_layers: Optional[str] = of(None, "only these, with weight 1: 'relu1_1 relu2_1'")
    perceptual_shift: AtLeast0 = of(0, "largest random translation of both pictures; try 7")
    kl: Weight = of(0.05, "lambda_kld, for models with style")

    @property
    def kinds(self) -> dict[str, float]:
        """The weight of each kind of discriminator in the adversarial loss."""
        return {"patch": 1.0, "projected": self.projected}


@dataclass(frozen=True, config=STRICT)
class OptimizerConfig:
    """Adam for both networks, each with its own learning rate."""

    generator_lr: Weight = of(4.0e-4, "learning rate, as in photopen")
    discriminator_lr: Weight = of(1.0e-4, "learning rate, as in photopen")
    beta1: Weight = of(0.9, "decay of the first moment")
    beta2: Weight = of(0.999, "decay of the second moment")
    decay_start_images: Optional[AtLeast0] = of(
        None, "start of the linear decay of the learning rates; null: no decay"
    )
    decay_end_images: Optional[AtLeast1] = of(None, "end of the decay; null: total_images")
    decay_floor: Weight = of(0.01, "factor at the end of the decay; 0 in the public SPADE")
    gradient_clip: Optional[Positive] = of(
        None, "largest norm of a network's gradient; null: no clipping"
    )


@dataclass(frozen=True, config=STRICT)
class RegularizationConfig:
    """Against overfitting of the discriminator to few photos; all off by default.

    Augmentations of the discriminator's real and generated pictures (DiffAugment, Zhao et al. 2020,
    with strengths 0.5, 1.0, 0.5, 0.125 and 0.5), and R1, a penalty on the discriminator's gradient
    (Mescheder et al. 2018), as lazy regularization (Karras et al. 2020).
    """

    augment_brightness: Brightness = of(0.0, "largest offset; pictures are in -1..1")
    augment_saturation: Factor = of(0.0, "largest change of the factor; 1.0: from 0 to 2")
    augment_contrast: Factor = of(0.0, "largest change of the factor; 0.5: from 0.5 to 1.5")
    augment_translation: UpToHalf = of(0.0, "largest translation, share of the sides; try 0.125")
    augment_cutout: UpToHalf = of(0.0, "side of the hole, share of the sides; try 0.3")
    augment_cutout_probability: Probability = of(1.0, "how often there is a hole")
    r1_gamma: Weight = of(0.0, "R1 has the weight r1_gamma / 2; try 1 to 10")
    r1_every_images: AtLeast1 = of(64, "how often R1 is computed, with its weight scaled up")


@dataclass(frozen=True, config=STRICT)
class ValidationConfig:
    """Scores of the averaged generator during training, and which of its states are kept.

    With a judge, validation scenes (the first of the half ``choose``, data/split.py) are generated
    every ``sample_every_images`` and scored, and the best averages so far are kept.
    """

    judge_weights: Optional[str] = of(
        None, "weights file of EfficientNet-Lite0 (docs/evaluation.md); null: no judge"
    )
    judge_scenes: Annotated[int, Ge(2)] = of(16, "number of scenes that are scored")
    keep_snapshots_every_images: AtLeast0 = of(0, "how often averages are kept for good; 0: never")


@dataclass(frozen=True, config=STRICT)
class ComputeConfig:
    """How a step is computed, which affects speed and memory."""

    accumulation: AtLeast1 = of(1, "gradient accumulation: parts of the batch, one after the other")
    amp: Literal[False, "float16", "bfloat16"] = of(
        False, "mixed precision (O1), for float16 with loss scaling; GPU only"
    )
    convolutions: Convolutions = of("auto", "implementation on a CPU; auto: onednn if available")
    bfloat16: bool = of(False, "onednn rounds inputs of convolutions, and accumulates in float32")


@dataclass(frozen=True, config=STRICT)
class Config:
    """A training run. Progress is counted in images, so batch_size changes no schedule."""

    total_images: AtLeast1 = of(100_000, "training ends after this many images")
    batch_size: AtLeast1 = of(4, "images per step")
    seed: AtLeast0 = of(1, "of the initial weights, the order of the photos and the crops")
    initializer: Literal["paddle", "xavier"] = of("paddle", "of the weights; xavier has gain 0.02")
    regenerate_fake: bool = of(
        True, "generate new pictures for the discriminator step, with the updated generator"
    )
    ema_halflife_images: AtLeast0 = of(1000, "half-life of the averaged generator; 0: no averaging")
    ema_halflife_share: ShareOfImages = of(
        0.0, "half-life / images seen, up to ema_halflife_images; try 0.05; 0: off"
    )
    checkpoint_every_images: AtLeast1 = of(1000, "how often a checkpoint is saved")
    sample_every_images: AtLeast1 = of(1000, "how often sample pictures are generated")
    log_every_images: AtLeast1 = of(40, "how often losses are logged")
    ema_recalibration_images: AtLeast0 = of(0, "for batch norm statistics of the average; 0: off")
    init_from: Optional[str] = of(None, "run or model folder with the initial weights of a new run")
    fade_in_images: AtLeast0 = of(0, "images over which a new finest block fades in; 0: at once")
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
        """Whether the generator takes positional encodings."""
        return self.generator.norm == "clade_icpe"

    @property
    def latent_size(self) -> tuple[int, int]:
        """Height and width of the coarse features that are computed from a style."""
        multiple = self.generator.multiple
        return self.data.crop_height // multiple, self.data.crop_size // multiple

    @property
    def projected_weights(self) -> Optional[str]:
        """The weights file of the projected heads' network; None: Paddle's weights."""
        options, losses = self.discriminator, self.losses
        same = options.projected_network == losses.perceptual_network
        shared = losses.perceptual_weights if same else None
        return shared if options.projected_weights is None else options.projected_weights

    @classmethod
    def preset(cls, name: str, *overrides: str) -> Config:
        """Load an included configuration, such as ``landscape_cpu``; overrides as in load_config.

        Raises:
            ConfigError: there is no such configuration, or an override is invalid.
        """
        return load_config(find_config(name), overrides=overrides)

    def value(self, name: str) -> Any:
        """The value of a field by its dotted name, such as ``generator.ngf``."""
        return functools.reduce(getattr, name.split("."), self)

    def to_dict(self) -> dict[str, Any]:
        """Convert to the nested dictionary that ``read_config`` accepts."""
        return dataclasses.asdict(self)


def load_config(path: str | Path, *, overrides: Sequence[str] = ()) -> Config:
    """Read a YAML configuration and apply ``--set`` overrides such as ``generator.ngf=32``.

    Raises:
        ConfigError: the file is missing or not YAML, or it has unknown keys or invalid values.
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
        content: the parsed YAML; it is not changed.
        where: name of the source in errors.
        overrides: as in load_config.
        places: FILE:LINE of fields by their dotted names, to be used instead of ``where``.
    """
    content = copy.deepcopy(content)
    if isinstance(content, dict):
        places = override(content, overrides, places)
        for section, name in (earlier.split(".") for earlier in REMOVED_FIELDS):
            options = content.get(section)
            if isinstance(options, dict) and options.get(name) is False:
                del options[name]  # a removed option that was off; earlier runs saved all fields

    def place(name: str) -> str:
        return places.get(name, where)

    config = build(Config, content, place=place, advice=REMOVED_FIELDS)
    for name, expected in config_problems(config):
        problem = f"'{name}' must be {expected}, got {config.value(name)!r}"
        raise ConfigError(f"{place(name)}: {problem}", code="config_value", field=name)
    return config
