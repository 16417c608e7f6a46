"""Resizing for FID: weights of the filters worked out by hand, and no rounding anywhere."""

from __future__ import annotations

import numpy as np
import pytest

from spade_paddle.data.clean_resize import clean_resize


def rows(values):
    """A picture whose rows are all the same, [n, n, 3]."""
    return np.broadcast_to(np.uint8(values)[None, :, None], (len(values), len(values), 3))


def test_half_the_size_is_a_mean_over_a_triangle_of_twice_the_width():
    # of the places -1.5, -0.5, 0.5, 1.5 pixels from the middle: 1/8, 3/8, 3/8, 1/8
    resized = clean_resize(rows([0, 0, 0, 200, 0, 0, 0, 0]), 4, kernel="bilinear")
    assert resized[0, :, 0] == pytest.approx([0, 75, 25, 0], abs=1e-4)


def cubic(x):
    """Keys 1981 with a = -1/2."""
    x = abs(x)
    if x < 1:
        return 1.5 * x**3 - 2.5 * x**2 + 1
    return -0.5 * (x**3 - 5 * x**2 + 8 * x - 4) if x < 2 else 0


def test_bicubic_is_keyss_kernel_widened_by_the_factor():
    source = np.random.default_rng(0).integers(60, 190, 16)  # so that nothing is cut off
    resized = clean_resize(rows(source), 8)
    for place in range(8):
        distances = (np.arange(16) + 0.5 - 2 * (place + 0.5)) / 2
        weights = np.array([cubic(distance) for distance in distances])
        expected = weights @ source / weights.sum()
        assert resized[3, place] == pytest.approx(expected, abs=2e-4)


def test_nothing_is_rounded_and_stripes_finer_than_the_result_are_gray():
    stripes = rows([0, 255] * 16)
    for kernel in ("bilinear", "bicubic"):
        resized = clean_resize(stripes, 16, kernel=kernel)
        assert resized.dtype == np.float32
        assert resized[:, 2:-2] == pytest.approx(127.5, abs=1e-3)


def test_enlarging_is_not_smoothed():
    resized = clean_resize(rows([10, 20]), 4, kernel="bilinear")
    assert resized[0, :, 0] == pytest.approx([10, 12.5, 17.5, 20])


def test_overshoot_is_cut_off_and_channels_do_not_mix():
    picture = np.zeros((8, 8, 3), np.uint8)
    picture[:, 4:, 1] = 255
    resized = clean_resize(picture, 23)
    assert (resized[..., 1].min(), resized[..., 1].max()) == (0, 255)
    assert not resized[..., ::2].any()
    assert resized.shape == (23, 23, 3)
    # of each axis its own
    assert np.array_equal(clean_resize(picture.swapaxes(0, 1), 23), resized.swapaxes(0, 1))
