"""The noise that a generator turns into texture.

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
