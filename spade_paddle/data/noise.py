"""What a generator is given by chance: the noise it turns into texture, and styles.

A convolutional generator without noise has nothing to make texture of inside a large uniform
label but the picture's border, and paints stripes there. One noise map a block cures that
(Karras et al. 2019, StyleGAN, section 3.2; not in the article).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def noise_maps(seed: int | list[int], *, channels: int, height: int, width: int) -> np.ndarray:
    """Standard normal noise, ``float32`` [channels, height, width], made from the seed alone."""
    rng = np.random.default_rng(seed)
    return rng.standard_normal((channels, height, width), dtype=np.float32)


def style_noise(seed: int | list[int], *, style_dim: int) -> np.ndarray:
    """A standard normal style vector, ``float32`` [style_dim], made from the seed alone."""
    # a stream of its own: noise and style of one seed have nothing in common
    seeds = [*seed, 1] if isinstance(seed, list) else [seed, 1]
    return np.random.default_rng(seeds).standard_normal(style_dim, dtype=np.float32)


def noise_pyramid(seed: int | list[int], *, sizes: Sequence[tuple[int, int]]) -> list[np.ndarray]:
    """Standard normal noise for each block of a generator at the block's own size, made from the
    seed alone.

    Every 2^k-th pixel of a noise map is a noise map again, so a generator learns the same from
    these as from ``noise_maps``, whose pixels are mostly thrown away: five times the time. The
    pictures of one seed are others, which training does not mind, but painters do.

    Args:
        seed: of the draws; a list is a sequence, as NumPy's generators take it.
        sizes: height and width of each block's maps. More blocks at the end change no map before.

    Returns:
        ``float32`` [1, h, w] for each.
    """
    rng = np.random.default_rng(seed)
    return [rng.standard_normal((1, *size), dtype=np.float32) for size in sizes]
