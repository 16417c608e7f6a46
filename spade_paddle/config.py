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
    Probability,
    Share,
    Weight,
    of,
)
from spade_paddle.loss_config import LossConfig as LossConfig
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
FeatureNetwork = Literal["squeezenet", "efficientnet_lite0", "efficientnet_lite1", "vgg19"]
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

    norm: Literal["spade", "clade", "clade_icpe"] = of("spade", "conditional norm layer")
    ngf: AtLeast1 = of(24, "channels of the last block; the coarsest blocks have 16 times as many")
    max_width: Optional[AtLeast1] = of(None, "maximum channels of a block; null: no limit")
    upsampling: Literal["normal", "more", "most"] = of("normal", "5, 6 or 7 upsamplings by 2")
    fine_blocks: FineBlocks = of(0, "upsamplings appended for growing, each with a block")
    kernel_size: Odd = of(3, "kernel size of the convolutions in SPADE")
    nhidden: AtLeast1 = of(128, "hidden channels in SPADE")
    param_free_norm: ParamFreeNorm = of("batch", "norm modulated by SPADE and CLADE")
    activation: Activation = of("gelu", "activation of every block")
    spectral_norm: bool = of(True, "spectral norm on the convolutions of the residual blocks")
    simam: bool = of(True, "SimAM attention on the output of every residual block")
    noise: bool = of(False, "noise map in every residual block (not in the article)")
    smooth_doublings: AtLeast0 = of(0, "number of first upsamplings that are bilinear")
    latent_channels: Optional[AtLeast1] = of(None, "channels computed from a style; null: 16 * ngf")
    block: Block = of("plain", "plain: as in the article; inception: CAT's six branches")
    extra_blocks: AtLeast0 = of(0, "additional blocks after each block, equally wide")
    widths: Optional[Channels] = of(
        None, "channels of every block, from tools/compress.py; null: from ngf and max_width"
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
    """The style encoder; the defaults are the public SPADE's, except that the style is off."""

    style_dim: AtLeast0 = of(0, "length of the style vector; public SPADE: 256; 0: no style")
    nef: AtLeast1 = of(64, "channels of the first convolution")
    size: PowerOf2 = of(256, "photos are resized to size x size")


@dataclass(frozen=True, config=STRICT)
class DiscriminatorConfig:
    """The multi-scale patch discriminator; the defaults are those of photopen.

    In addition to it or instead of it, heads on frozen features of one or two ImageNet networks can
    be used (Sauer et al. 2021, Projected GANs), which need fewer photos and less training time.
    """

    kind: Literal["patch", "projected", "both"] = of(
        "patch", "patch scales, projected heads, or both"
    )
    scales: AtLeast1 = of(4, "number of patch scales, each at half the resolution of the previous")
    num_layers: Annotated[int, Ge(2)] = of(6, "layers before the logits")
    ndf: AtLeast1 = of(128, "channels of the first layer")
    max_width: AtLeast1 = of(512, "maximum channels of a layer")
    activation: Activation = of("gelu", "activation of every stage")
    spectral_norm: bool = of(True, "spectral norm on all layers but the first and the last")
    simam: bool = of(True, "SimAM attention on every stage's output")
    affine_norm: bool = of(
        True, "instance norm with scale and shift, biases before; false: neither"
    )
    projected_network: FeatureNetwork = of("squeezenet", "feature network of the heads")
    projected_weights: Optional[str] = of(
        None, "its weights; null: losses.perceptual_weights, if the same network, or the default"
    )
    projected_2_network: Optional[FeatureNetwork] = of(
        None, "a second network, with heads of its own; null: none"
    )
    projected_2_weights: Optional[str] = of(None, "its weights, as those of the first")
    projected_width: AtLeast1 = of(96, "channels of the heads")

    @property
    def heads(self) -> dict[str, str]:
        """The feature networks of the projected heads, by the names of the discriminator's parts:
        ``projected`` and ``projected_2``, as far as it has them."""
        networks = {"projected": self.projected_network, "projected_2": self.projected_2_network}
        return {part: name for part, name in networks.items() if name and self.kind != "patch"}


@dataclass(frozen=True, config=STRICT)
class OptimizerConfig:
    """Adam for both networks, each with its own learning rate."""

    generator_lr: Weight = of(4.0e-4, "learning rate of the generator; default: photopen's")
    discriminator_lr: Weight = of(1.0e-4, "that of the discriminator; default: photopen's")
    beta1: Weight = of(0.9, "Adam: decay of the first moment")
    beta2: Weight = of(0.999, "Adam: decay of the second moment")
    decay_start_images: Optional[AtLeast0] = of(
        None, "start of linear learning rate decay; null: no decay"
    )
    decay_end_images: Optional[AtLeast1] = of(None, "its end, at decay_floor; null: total_images")
    decay_floor: Weight = of(0.01, "final fraction of the learning rates; public SPADE: 0")
    gradient_clip: Optional[Positive] = of(
        None, "maximum gradient norm of each network; null: no limit"
    )
    train_encoder: bool = of(
        True, "false: the style encoder keeps the weights of init_from, and styles their meaning"
    )


@dataclass(frozen=True, config=STRICT)
class RegularizationConfig:
    """Against overfitting of the discriminator to few photos; all off by default.

    DiffAugment (Zhao et al. 2020; its strengths are 0.5, 1.0, 0.5, 0.125 and 0.5) augments real and
    generated pictures for the discriminator. R1 (Mescheder et al. 2018) penalizes its gradient; it
    is applied at intervals and scaled up accordingly (Karras et al. 2020).
    """

    augment_brightness: Brightness = of(0.0, "maximum offset, up or down; pictures are in -1..1")
    augment_saturation: Factor = of(0.0, "range of the factor: 1.0 is 0 to 2")
    augment_contrast: Factor = of(0.0, "range of the factor: 0.5 is 0.5 to 1.5")
    augment_translation: UpToHalf = of(0.0, "maximum shift, as a fraction of the sides; try 0.125")
    augment_cutout: UpToHalf = of(0.0, "sides of a hole, as a fraction; try 0.3")
    augment_cutout_probability: Probability = of(1.0, "probability of a hole")
    r1_gamma: Weight = of(0.0, "R1 is gamma / 2 times the squared gradient norm; try 1 to 10")
    r1_every_images: AtLeast1 = of(64, "interval of R1")


@dataclass(frozen=True, config=STRICT)
class ValidationConfig:
    """Scores of the averaged generator during training, and which averages are kept.

    With a judge, the first validation scenes of the half for model selection (data/split.py) are
    painted every ``sample_every_images``, and the best averages so far are kept.
    """

    judge_weights: Optional[str] = of(
        None, "EfficientNet-Lite0's weights file (docs/evaluation.md); null: no judge"
    )
    judge_scenes: Annotated[int, Ge(2)] = of(16, "number of scenes for the judge")
    keep_snapshots_every_images: AtLeast0 = of(0, "how often an average is kept; 0: never")


@dataclass(frozen=True, config=STRICT)
class ComputeConfig:
    """How a step is computed; the results do not depend on it beyond rounding and batch norm."""

    accumulation: AtLeast1 = of(1, "gradient accumulation: number of parts of a batch")
    amp: Literal[False, "float16", "bfloat16"] = of(
        False, "automatic mixed precision (O1), float16 with loss scaling; GPU only"
    )
    convolutions: Convolutions = of("auto", "implementation on a CPU; auto: onednn if available")
    bfloat16: bool = of(False, "round inputs of oneDNN convolutions; sums stay float32")


@dataclass(frozen=True, config=STRICT)
class Config:
    """A training run. Progress is counted in images, so batch_size changes no schedule."""

    total_images: AtLeast1 = of(100_000, "training ends after this many pictures")
    batch_size: AtLeast1 = of(4, "pictures per step, over all processes")
    seed: AtLeast0 = of(1, "seed of initial weights, order of photos, and crops")
    initializer: Literal["paddle", "xavier"] = of(
        "paddle", "weight initialization; xavier: gain 0.02"
    )
    regenerate_fake: bool = of(
        True, "generate fakes again for the discriminator step, with the updated generator"
    )
    ema_halflife_images: AtLeast0 = of(1000, "half-life of the averaged generator; 0: no averaging")
    ema_halflife_share: ShareOfImages = of(
        0.0, "fraction of the images seen, at most ema_halflife_images; try 0.05; 0: off"
    )
    checkpoint_every_images: AtLeast1 = of(1000, "how often a checkpoint is saved")
    sample_every_images: AtLeast1 = of(1000, "how often sample pictures are painted")
    log_every_images: AtLeast1 = of(40, "how often losses are logged")
    ema_recalibration_images: AtLeast0 = of(
        0, "pictures to recompute the average's batch norm; 0: off"
    )
    init_from: Optional[str] = of(None, "run or model folder to start from")
    fade_in_images: AtLeast0 = of(0, "a new finest block fades in over this many; 0: at once")
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

    def weights_of_heads(self, part: str) -> Optional[str]:
        """The weights file of the network of one of ``discriminator.heads``; None: see
        feature_network."""
        given = getattr(self.discriminator, f"{part}_weights")
        same = self.discriminator.heads[part] == self.losses.perceptual_network
        shared = self.losses.perceptual_weights if same else None
        return shared if given is None else given

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
