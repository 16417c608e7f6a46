"""Which size a training picture gets: the arithmetic of the load modes (data_config.py).

A photo is loaded first: resized at the full ``load_size``, the same way each time, so that it can
be kept. Views are made of that: shrunk where a smaller load size was drawn, but not to less than a
crop needs, or brought to multiples where there is no crop.

Sizes are (height, width) in pixels.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path

from spade_paddle.config import DataConfig
from spade_paddle.errors import ConfigError, DataError

Size = tuple[int, int]


def loaded_size(size: Size, options: DataConfig, *, multiple: int) -> Size:
    """The size to which a photo of this size is resized once, before all random changes.

    Without a crop and without ``load_size_min`` no change follows, and the sides are multiples of
    ``multiple``.
    """
    mode, crop = options.load_mode, (options.crop_height, options.crop_size)
    if mode == "fixed":
        return crop
    if mode == "resize_and_crop":
        return options.load_size, options.load_size
    full = size[1] if mode.startswith("scale_width") else min(size)
    side = options.load_size if options.has_load_size else full
    # in the oldest mode, photos too small for a crop are enlarged in view_size instead, so that
    # resumed runs continue with exactly the same pictures
    if options.crops and mode != "scale_shortside_and_crop":
        return size_to_cover(size, side, full=full, cover=crop)
    final = not options.crops and options.load_size_min is None
    return scaled_size(size, side / full, multiple=multiple if final else 1)


def view_size(size: Size, options: DataConfig, *, load_size: int, multiple: int) -> Size:
    """The size to which a loaded scene of this size is resized for one view, before the crop.

    Args:
        size: of the loaded scene.
        options: the load mode and its sizes.
        load_size: drawn for this view, at most ``options.load_size``.
        multiple: pixels that both sides must be a multiple of in modes without a crop.
    """
    full = options.load_size if options.has_load_size else min(size)
    side = load_size if options.has_load_size else full
    if options.crops:
        crop = (options.crop_height, options.crop_size)
        return size_to_cover(size, side, full=full, cover=crop)
    return scaled_size(size, side / full, multiple=multiple)


def size_to_cover(size: Size, side: int, *, full: int, cover: Size) -> Size:
    """Scale a size so that ``full`` pixels become ``side``, or more if needed to contain ``cover``.

    The aspect ratio is kept to the nearest pixel.
    """
    needed = max(cover[0] / size[0], cover[1] / size[1]) * full
    return scaled_size(size, max(side, math.ceil(needed)) / full)


def scaled_size(size: Size, scale: float, *, multiple: int = 1) -> Size:
    """Both sides times ``scale``, rounded to the nearest multiple, at least one."""
    height, width = (max(1, round(side * scale / multiple)) * multiple for side in size)
    return height, width


def check_one_size(
    photos: Iterable[tuple[Path | str, Size]], options: DataConfig, *, multiple: int, pictures: int
) -> None:
    """Check that all pictures of a batch have the same size.

    Args:
        photos: name and size of each photo; consumed up to the first that differs, and not at all
            in modes with a fixed size.
        options: the load mode and its sizes.
        multiple: pixels that both sides of a picture must be a multiple of.
        pictures: number of pictures that a process computes at once.

    Raises:
        ConfigError: the sizes are random.
        DataError: two photos get different sizes.
    """
    if pictures < 2 or options.crops or options.load_mode == "fixed":
        return
    advice = (
        "choose a batch_size that gives every process one picture, or a data.load_mode that "
        "ends in crop, or fixed"
    )
    if options.load_size_min is not None:
        raise ConfigError(
            f"data.load_size_min: with data.load_mode {options.load_mode} every picture has a "
            f"random size, but a batch of {pictures} must have one size; {advice}",
            code="sizes_in_batch",
        )
    sizes = ((name, loaded_size(size, options, multiple=multiple)) for name, size in photos)
    first, expected = next(sizes)
    for photo, size in sizes:
        if size != expected:
            raise DataError(
                f"{first} becomes {expected[1]}x{expected[0]} pixels with data.load_mode "
                f"{options.load_mode} but {photo} {size[1]}x{size[0]}, and a batch of {pictures} "
                f"must have one size; {advice}",
                code="sizes_in_batch",
            )
