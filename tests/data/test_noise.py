"""Noise at the size of each block."""

from __future__ import annotations

import numpy as np

from spade_paddle.data.noise import noise_maps, noise_pyramid

SIZES = [(4, 8), (4, 8), (16, 32), (64, 128)]


def test_every_block_has_a_map_of_its_size():
    maps = noise_pyramid([1, 2, 3], sizes=SIZES)
    assert [level.shape for level in maps] == [(1, *size) for size in SIZES]
    assert all(level.dtype == np.float32 for level in maps)
    assert not np.array_equal(maps[0], maps[1])
    assert noise_pyramid(0, sizes=[]) == []


def test_maps_are_made_from_the_seed_alone_whatever_comes_after_them():
    maps, again = (noise_pyramid([1, 2, 3], sizes=SIZES) for _ in range(2))
    shorter = noise_pyramid([1, 2, 3], sizes=SIZES[:2])
    for level, same in zip(maps, again):
        assert np.array_equal(level, same)
    for level, same in zip(maps, shorter):
        assert np.array_equal(level, same)
    assert not np.array_equal(maps[3], noise_pyramid([1, 2, 4], sizes=SIZES)[3])


def test_they_are_spread_like_a_strided_map_of_the_full_size():
    # 400 maps of 32 pixels: the deviation of a mean is 0.009, of a quantile less than 0.02
    drawn = np.stack([noise_pyramid([5, k], sizes=SIZES)[1] for k in range(400)])
    strided = np.stack(
        [noise_maps([6, k], channels=1, height=64, width=128)[:, ::16, ::16] for k in range(400)]
    )
    assert drawn.shape == strided.shape
    shares = [0.05, 0.25, 0.5, 0.75, 0.95]
    assert np.abs(np.quantile(drawn, shares) - np.quantile(strided, shares)).max() < 0.08
    assert abs(drawn.std() - 1) < 0.03
    # neighbors, and blocks of one picture, have nothing in common
    pixels = drawn.reshape(400, -1)
    assert abs(np.corrcoef(pixels[:, :-1].ravel(), pixels[:, 1:].ravel())[0, 1]) < 0.04
    first = np.stack([noise_pyramid([5, k], sizes=SIZES)[0] for k in range(400)])
    assert abs(np.corrcoef(first.ravel(), drawn.ravel())[0, 1]) < 0.04
