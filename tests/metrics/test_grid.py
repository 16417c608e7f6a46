"""The grid energy: a pattern locked to 8 pixels, noise, and what lies between."""

from __future__ import annotations

import numpy as np
import pytest

from spade_paddle.metrics.grid import grid_energy


def noise(height, width, *, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


@pytest.mark.parametrize("period", [2, 4, 8])
@pytest.mark.parametrize("shift", [0, 3])
def test_patterns_that_repeat_every_8_pixels_are_all_grid(period, shift):
    tiles = np.tile(noise(period, period), (64 // period, 96 // period, 1))
    assert grid_energy(np.roll(tiles, shift, axis=(0, 1))) == pytest.approx(1, abs=1e-9)


def test_stripes_of_period_8_are_grid_and_stripes_of_period_7_are_not():
    columns = np.arange(128)
    for period, expected in ((8, 1), (7, 0)):
        wave = 128 + 100 * np.cos(2 * np.pi * columns / period)
        picture = np.repeat(np.broadcast_to(wave, (128, 128))[..., None], 3, axis=2)
        assert grid_energy(picture.astype(np.uint8)) == pytest.approx(expected, abs=1e-3)


def test_white_noise_gives_the_share_of_its_frequencies():
    share = grid_energy(noise(680, 680))  # 12 x 12 windows
    assert share == pytest.approx(63 / 56**2, rel=0.1)


def test_it_is_the_share_of_the_power_spectrum_at_multiples_of_an_eighth():
    picture = noise(64, 130).astype(np.float64)  # 56 x 122 pixels have all their neighbors
    gray = picture @ [0.299, 0.587, 0.114]
    high = np.array(
        [
            [gray[y, x] - gray[y - 4 : y + 5, x - 4 : x + 5].mean() for x in range(4, 126)]
            for y in range(4, 60)
        ]
    )
    shares = []
    for window in (high[:, :56], high[:, 56:112]):
        power = np.abs(np.fft.fft2(window)) ** 2
        power[0, 0] = 0
        shares.append(power[::7, ::7].sum() / power.sum())  # of 56 frequencies every eighth part
    assert grid_energy(picture) == pytest.approx(np.mean(shares), rel=1e-9)


def test_windows_count_alike_however_strong_their_texture():
    weave = np.tile(noise(8, 8), (8, 8, 1))
    both = np.concatenate([weave // 64, noise(64, 64), noise(64, 64)[:, :10]], axis=1)
    assert 0.3 < grid_energy(both) < 0.7


def test_a_weave_over_noise_gives_its_share_of_the_energy():
    weave = np.tile(noise(8, 8, seed=1) // 4, (32, 32, 1))
    shares = [grid_energy(noise(256, 256) // 2 + weave * times) for times in (0, 1, 2)]
    assert shares[0] < 0.03
    assert 0.1 < shares[1] < shares[2] < 1


def test_slow_changes_and_brightness_do_not_count():
    slope = np.broadcast_to(np.arange(128, dtype=np.uint8)[:, None, None], (128, 128, 3))
    assert grid_energy(slope) == 0
    assert grid_energy(np.full((64, 64, 3), 77, np.uint8)) == 0
    textured = noise(128, 128) // 4
    assert grid_energy(textured + 100) == pytest.approx(grid_energy(textured), rel=1e-9)
    # the whole picture's changes would drown the weave if they counted
    weave = np.tile(noise(8, 8) // 16, (16, 16, 1)) + slope
    assert grid_energy(weave) == pytest.approx(1, abs=1e-6)
