"""The ``data`` section of a configuration: how training pictures are made from photos.

A photo is resized according to ``load_mode`` and then, in the modes with a crop, cropped at random:

    mode                        resized to                                          then
    scale_shortside_and_crop    short side load_size, aspect ratio kept             crop
    scale_shortside             the same                                            multiples
    scale_width_and_crop        width load_size, aspect ratio kept                  crop
    scale_width                 the same                                            multiples
    resize_and_crop             load_size x load_size, aspect ratio not kept        crop
    crop                        not resized                                         crop
    fixed                       crop_size x crop_height, aspect ratio not kept      -
    none                        not resized                                         multiples

A photo that is smaller than the crop is enlarged to contain it. Without a crop both sides are
rounded to the nearest multiple that the generator accepts (2^5 to 2^9 pixels), at least one.

Imports neither paddle nor our networks.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal, Optional, get_args

from annotated_types import Ge, Le
from pydantic import AllowInfNan
from pydantic.dataclasses import dataclass

from spade_paddle.fields import STRICT, AtLeast32, Probability, Share, of

LoadMode = Literal[
    "resize_and_crop",
    "scale_width",
    "scale_width_and_crop",
    "scale_shortside",
    "scale_shortside_and_crop",
    "crop",
    "fixed",
    "none",
]
LOAD_MODES = get_args(LoadMode)
# infinite: no limit
Gib = Annotated[float, AllowInfNan(), Ge(0)]
ValShare = Annotated[float, Ge(0), Le(0.9)]
Ratio = Annotated[float, Ge(1 / 8), Le(8), "from 1/8 to 8"]
Balance = Annotated[Share, "from 0 (every photo alike) to 1"]
VAL_SHARE = 0.1


@dataclass(frozen=True, config=STRICT)
class DataConfig:
    """The label set, and how photos become training pictures."""

    labels: str = of("labels/landscape.yaml", "label set file, beside the configuration file")
    val_share: ValShare = of(VAL_SHARE, "fraction held out if there is no train/ and val/")
    load_mode: LoadMode = of("scale_shortside_and_crop", "how photos are resized")
    load_size: AtLeast32 = of(286, "pixels of the short side, width or both sides, by load_mode")
    load_size_min: Optional[AtLeast32] = of(
        None, "if given, the size is random from this to load_size"
    )
    crop_size: AtLeast32 = of(256, "width of the training pictures in pixels")
    aspect_ratio: Ratio = of(1.0, "width / height of the training pictures")
    flip: bool = of(True, "random horizontal flips")
    dont_care: bool = of(True, "input channel for 'don't care' (255)")
    drop_label_probability: Probability = of(0.0, "probability that one label becomes 'don't care'")
    coarse_label_probability: Probability = of(0.0, "probability that a label map is made coarse")
    label_balance: Balance = of(0.0, "0: every photo once per epoch; 1: rare labels more often")
    instance_edges: bool = of(True, "input channel for instance edges")
    icpe_compatible: bool = of(False, "clade_icpe: positions as in the public code")
    cache_gib: Gib = of(2.0, "cache for photos, GiB per process; 0: no cache")

    @property
    def crop_height(self) -> int:
        """Height of the training pictures in pixels."""
        return round(self.crop_size / self.aspect_ratio)

    @property
    def crops(self) -> bool:
        """Whether pictures are random crops, which all have the same size."""
        return self.load_mode.endswith("crop")

    @property
    def has_load_size(self) -> bool:
        """Whether photos are resized by ``load_size``."""
        return self.load_mode.startswith(("resize", "scale"))

    def picture_size(self, multiple: int) -> tuple[int, int]:
        """Height and width of whole pictures at the training scale, for which a model is intended.

        Photos that keep their aspect ratio are assumed to have ``aspect_ratio``; without a load
        size, pictures are assumed to be as large as a crop. Of random load sizes it is the smallest
        that counts, as such pictures take the least time. With a load size, sides are rounded to
        multiples: down in modes with a crop, else to the nearest.

        Args:
            multiple: pixels that both sides must be a multiple of.
        """
        if not self.has_load_size:
            return self.crop_height, self.crop_size
        size = self.load_size_min or self.load_size
        if self.load_mode == "resize_and_crop":
            sides: list[float] = [size, size]
        elif self.load_mode.startswith("scale_width"):
            sides = [size / self.aspect_ratio, size]
        else:
            long_side = size * max(self.aspect_ratio, 1 / self.aspect_ratio)
            sides = [size, long_side]
            if self.aspect_ratio < 1:
                sides.reverse()
        if self.crops:
            height, width = (int(side) // multiple for side in sides)
        else:
            height, width = (round(side / multiple) for side in sides)
        return max(height, 1) * multiple, max(width, 1) * multiple


def data_problems(
    options: DataConfig, *, multiple: int, doublings: str
) -> Iterator[tuple[str, str]]:
    """Yield the problems: the name of a field and what it must be.

    Args:
        options: its single values are valid.
        multiple: pixels that both sides of every picture must be a multiple of.
        doublings: the fields of the generator that determine ``multiple``, for messages.
    """
    if options.drop_label_probability > 0 and not options.dont_care:
        yield "data.drop_label_probability", "0 when data.dont_care is false"
    yield from _load_size_problems(options, multiple=multiple, doublings=doublings)
    if options.crop_size % multiple:
        yield "data.crop_size", f"a multiple of {multiple} ({doublings})"
    if options.crop_height % multiple:
        yield (
            "data.aspect_ratio",
            f"such that crop_size / aspect_ratio, here {options.crop_height}, is a multiple of "
            f"{multiple} ({doublings})",
        )


def _load_size_problems(
    options: DataConfig, *, multiple: int, doublings: str
) -> Iterator[tuple[str, str]]:
    mode = options.load_mode
    if not options.has_load_size:
        if options.load_size_min is not None:
            yield "data.load_size_min", f"null with load_mode {mode}, which has no load size"
        return
    smallest = options.load_size_min or options.load_size
    if smallest > options.load_size:
        yield "data.load_size_min", f"at most data.load_size ({options.load_size})"
    crop = (options.crop_height, options.crop_size)
    least, what = {
        "resize_and_crop": (max(crop), "the crop's longer side"),
        "scale_width_and_crop": (options.crop_size, "the crop's width"),
        "scale_shortside_and_crop": (min(crop), "the crop's shorter side"),
    }.get(mode, (multiple, f"the smallest side with {doublings}"))
    if smallest < least:
        name = "data.load_size" if options.load_size_min is None else "data.load_size_min"
        yield name, f"at least {least}, {what}, with load_mode {mode}"
