from __future__ import annotations

import numpy as np

from spade_paddle.data.sheet import sheet


def picture(value, height, width):
    return np.full((height, width, 3), value, np.uint8)


def test_pictures_of_different_sizes_lie_in_cells_of_the_largest_sides_on_white():
    canvas = sheet([[picture(1, 2, 5), picture(2, 3, 1)], [picture(3, 2, 2)]], gap=1)
    assert canvas.shape == (3 + 1 + 3, 5 + 1 + 5, 3)
    expected = np.full((7, 11), 255)
    expected[0:2, 0:5], expected[0:3, 6:7], expected[4:6, 0:2] = 1, 2, 3
    assert np.array_equal(canvas, np.repeat(expected[..., None], 3, axis=2))
