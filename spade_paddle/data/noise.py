"""Random inputs of the generator: noise maps and styles.

Inside of a large uniform label, a convolutional generator without noise can derive texture only
from the border of the picture, and produces stripes. A noise map per block solves this (Karras et
al. 2019, StyleGAN, section 3.2; not in the article).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def noise_maps(seed: int | list[int], *, channels: int, height: int, width: int) -> np.ndarray:
    """Draw standard normal noise, ``float32`` [channels, height, width], from the seed alone."""
    rng = np.random.default_rng(seed)
    return rng.standard_normal((channels, height, width), dtype=np.float32)


def style_noise(seed: int | list[int], *, style_dim: int) -> np.ndarray:
    """Draw a standard normal style vector, ``float32`` [style_dim], from the seed alone."""
    # a random stream of its own, independent of the noise of the same seed
    seeds = [*seed, 1] if isinstance(seed, list) else [seed, 1]
    return np.random.default_rng(seeds).standard_normal(style_dim, dtype=np.float32)


def noise_pyramid(seed: int | list[int], *, sizes: Sequence[tuple[int, int]]) -> list[np.ndarray]:
    """Draw a standard normal noise map for each block of a generator, from the seed alone.

    Subsampled noise is again noise of the same distribution, so for training this is equivalent to
    ``noise_maps``, most of whose pixels are discarded, and takes a fifth of the time. The same seed
    gives other pictures, so inference uses ``noise_maps``.

    Args:
        seed: an integer or a sequence of them, as for NumPy's generators.
        sizes: height and width of each block's map. Additional sizes at the end do not change the
            maps before.

    Returns:
        ``float32`` [1, h, w] for each.
    """
    rng = np.random.default_rng(seed)
    return [rng.standard_normal((1, *size), dtype=np.float32) for size in sizes]
