"""The configuration that builds what a weights file holds, and trains it on as its source did.

The flags must say what the weights say: every disagreement is an error that names both.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from spade_paddle.config import UPSAMPLINGS, Config, read_config
from spade_paddle.convert.flags import Flags
from spade_paddle.convert.sizes import (
    clipped,
    discriminator_fields,
    encoder_fields,
    generator_fields,
    seen_channels,
    semantic_channels,
    shows_edges,
    style_sizes,
)
from spade_paddle.convert.tensors import SourceTensors
from spade_paddle.data.labels import LABELS_FILE
from spade_paddle.errors import ConfigError

MARGIN = 30 / 256  # by which the public SPADE resizes square photos before the crop

# what is common to the public SPADE and CLADE; that of photopen are the defaults of Config
_PUBLIC_SECTIONS = ("initializer", "generator", "discriminator", "losses")
_PUBLIC_RATES = ("generator_lr", "discriminator_lr", "beta1", "beta2")


def configuration(flags: Flags, tensors: Mapping[str, SourceTensors]) -> Config:
    """The configuration of the networks of one model, given by part.

    Raises:
        ConfigError: the flags say something else than the weights, or the networks do not fit
            each other.
        ModelError: a tensor that tells a size is missing or of another form.
    """
    generator = tensors["generator"]
    content = Config().to_dict()
    if flags.source != "photopen":
        public = Config.preset("spade").to_dict()
        content |= {name: public[name] for name in _PUBLIC_SECTIONS}
        content["optimizer"] |= {name: public["optimizer"][name] for name in _PUBLIC_RATES}
    style_dim, _, cells = style_sizes(generator)
    content["generator"] |= generator_fields(generator)
    content["encoder"]["style_dim"] = style_dim
    _check_semantics(generator, flags)
    if "encoder" in tensors:
        content["encoder"] |= encoder_fields(tensors["encoder"])
        _check_styles(content["encoder"]["style_dim"], style_dim)
    if "discriminator" in tensors:
        content["discriminator"] |= discriminator_fields(tensors["discriminator"])
        seen, taken = seen_channels(tensors["discriminator"]), semantic_channels(generator)
        if seen != taken:
            raise _disagreement(
                f"the discriminator takes {seen} semantic channels (and 3 of the picture), the "
                f"generator {taken}; give the two files of one model"
            )
    options = content["generator"]
    options["upsampling"] = _upsampling(options["upsampling"] == "most", flags)
    compatible = flags.compatible and options["norm"] == "clade_icpe"
    content["data"] |= {
        "labels": LABELS_FILE,
        "dont_care": flags.dont_care,
        "instance_edges": flags.instances,
        "icpe_compatible": compatible,
        **_picture(_latent_size(cells, flags), multiple=2 ** UPSAMPLINGS[options["upsampling"]]),
    }
    return clipped(read_config(content, where="the configuration of these weights"), generator)


def _picture(latent_size: tuple[int, int] | None, *, multiple: int) -> dict[str, Any]:
    """The size that a style was trained for; without one the weights fit any: the usual one."""
    if latent_size is None:
        return {}
    height, width = (side * multiple for side in latent_size)
    # never a whole multiple more, so that whole pictures are as large as the crop
    margin = min(int(width * MARGIN), multiple - 1) if height == width else 0
    return {
        "crop_size": width,
        "aspect_ratio": width / height,
        "load_size": min(height, width) + margin,
    }


def _check_semantics(generator: SourceTensors, flags: Flags) -> None:
    """Labels, don't care and instance edges add up to the network's semantic channels."""
    edges, taken = shows_edges(generator), semantic_channels(generator)
    if edges is not None and edges != flags.instances:
        raise _disagreement(
            "the generator has an instance edge convolution, but --instances is not given; add it"
            if edges
            else "the generator has no instance edge convolution; leave --instances out"
        )
    if taken == flags.channels:
        return
    labels = taken - flags.channels + flags.num_labels
    keep = f"use --num-labels {labels} with the other flags as they are, or " if labels > 0 else ""
    raise _disagreement(
        f"the generator takes {taken} semantic channels, but the flags make "
        f"{flags.channels} ({flags.spelled()}); {keep}change --num-labels, --dont-care "
        "and --instances so that they add up"
    )


def _upsampling(is_most: bool, flags: Flags) -> str:
    """``most`` shows in the weights (up_4), ``normal`` and ``more`` do not."""
    if is_most and flags.upsampling not in (None, "most"):
        raise _disagreement(
            f"the generator has an up_4, as with --upsampling most, but --upsampling "
            f"{flags.upsampling} is given; use most or leave it out"
        )
    if flags.upsampling == "most" and not is_most:
        raise _disagreement(
            "--upsampling most: the generator has no up_4; use normal (5 doublings) or more (6), "
            "which the weights do not show"
        )
    return "most" if is_most else flags.upsampling or "normal"


def _latent_size(cells: int, flags: Flags) -> tuple[int, int] | None:
    """Height and width of the features made of a style; None without style."""
    if not cells:
        if flags.latent_size:
            raise _disagreement(
                "--latent-size: the generator has no style (its fc is a convolution); leave it out"
            )
        return None
    if flags.latent_size:
        height, width = flags.latent_size
        if height * width != cells:
            raise _disagreement(
                f"--latent-size {height}x{width} makes {height * width} cells, but the generator "
                f"makes {cells} of a style; give height x width of its coarsest features, "
                f"{cells} in all"
            )
        return height, width
    side = math.isqrt(cells)
    if side * side != cells:
        height = max(rows for rows in range(1, side + 1) if cells % rows == 0)
        raise _disagreement(
            f"the generator makes {cells} cells of a style, which is no square; give height x "
            f"width of its coarsest features, for example --latent-size {height}x{cells // height}"
        )
    return side, side


def _check_styles(made: int, taken: int) -> None:
    """An encoder needs a generator with a style of the same length."""
    if not taken:
        raise _disagreement(
            "--encoder: the generator has no style (its fc is a convolution, so it was trained "
            "without VAE); leave --encoder out or give the generator trained with it"
        )
    if made != taken:
        raise _disagreement(
            f"the encoder makes styles of {made} numbers, the generator takes {taken}; give the "
            "two files of one model"
        )


def _disagreement(message: str) -> ConfigError:
    return ConfigError(message, code="flags_disagree")
