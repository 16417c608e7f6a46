"""What a generator is given by chance: the noise it turns into texture, and styles.

A convolutional generator without noise has nothing to make texture of inside a large uniform
label but the picture's border, and paints stripes there. One noise map a block cures that
(Karras et al. 2019, StyleGAN, section 3.2; not in the article).
"""

from __future__ import annotations

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
