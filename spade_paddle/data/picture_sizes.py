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
    """What a photo of this size is resized to once, before anything is drawn by chance.

    It is final, that is of the multiple, where nothing changes it any more: without a crop and
    without ``load_size_min``.
    """
    mode, crop = options.load_mode, (options.crop_height, options.crop_size)
    if mode == "fixed":
        return crop
    if mode == "resize_and_crop":
        return options.load_size, options.load_size
    full = size[1] if mode.startswith("scale_width") else min(size)
    side = options.load_size if options.has_load_size else full
    # in the oldest mode photos too small for a crop are enlarged later, as views: otherwise runs
    # would go on with slightly other pictures than they began with
    if options.crops and mode != "scale_shortside_and_crop":
        return size_to_cover(size, side, full=full, cover=crop)
    final = not options.crops and options.load_size_min is None
    return scaled_size(size, side / full, multiple=multiple if final else 1)


def view_size(size: Size, options: DataConfig, *, load_size: int, multiple: int) -> Size:
    """What a loaded scene of this size is resized to for one view, before the crop if there is one.

    Args:
        size: of the loaded scene.
        options: the mode.
        load_size: what was drawn, at most ``options.load_size``.
        multiple: of pixels, for the modes without a crop.
    """
    full = options.load_size if options.has_load_size else min(size)
    side = load_size if options.has_load_size else full
    if options.crops:
        crop = (options.crop_height, options.crop_size)
        return size_to_cover(size, side, full=full, cover=crop)
    return scaled_size(size, side / full, multiple=multiple)


def size_to_cover(size: Size, side: int, *, full: int, cover: Size) -> Size:
    """The size at which ``full`` pixels are ``side``, or more where ``cover`` would not fit.

    The aspect ratio is kept to the nearest pixel.
    """
    needed = max(cover[0] / size[0], cover[1] / size[1]) * full
    return scaled_size(size, max(side, math.ceil(needed)) / full)


def scaled_size(size: Size, scale: float, *, multiple: int = 1) -> Size:
    """Both sides times ``scale``, to the nearest multiple; at least one."""
    height, width = (max(1, round(side * scale / multiple)) * multiple for side in size)
    return height, width


def check_one_size(
    photos: Iterable[tuple[Path | str, Size]], options: DataConfig, *, multiple: int, pictures: int
) -> None:
    """Refuse a batch of ``pictures`` where they would have different sizes.

    The photos, each its name and size, are asked for up to the first that differs; none in most
    modes.

    Raises:
        ConfigError: the sizes are drawn by chance.
        DataError: two photos get different sizes; both are named.
    """
    if pictures < 2 or options.crops or options.load_mode == "fixed":
        return
    advice = (
        "choose a batch_size that gives every process one picture, or a data.load_mode that "
        "ends in crop, or fixed"
    )
    if options.load_size_min is not None:
        raise ConfigError(
            f"data.load_size_min: with data.load_mode {options.load_mode} every picture gets a "
            f"size of its own, and a batch of {pictures} needs one size; {advice}",
            code="sizes_in_batch",
        )
    sizes = ((name, loaded_size(size, options, multiple=multiple)) for name, size in photos)
    first, expected = next(sizes)
    for photo, size in sizes:
        if size != expected:
            raise DataError(
                f"{first} becomes {expected[1]}x{expected[0]} pixels with data.load_mode "
                f"{options.load_mode} but {photo} {size[1]}x{size[0]}, and a batch of {pictures} "
                f"needs one size; {advice}",
                code="sizes_in_batch",
            )
