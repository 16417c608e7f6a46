from __future__ import annotations

import numpy as np
import paddle
import pytest

from spade_paddle.data.augmentation import (
    BRIGHTNESS,
    CONTRAST,
    DOWN,
    HOLE_COLUMN,
    HOLE_ROW,
    HOLE_SIDE,
    IDENTITY,
    RIGHT,
    SATURATION,
    draw_augmentation,
)
from spade_paddle.losses.diff_augment import diff_augment
from tests.numeric import (
    assert_differs,
    assert_gradients,
    assert_same,
    normal,
    tensor,
    weighted_sum,
)

pytestmark = pytest.mark.usefixtures("float64")


def row(**values: float) -> np.ndarray:
    """A row that does nothing but what is named."""
    numbers = np.array(IDENTITY, np.float32)
    for name, value in values.items():
        numbers[globals()[name.upper()]] = value
    return numbers[None]


def drawn(count: int, *, seed: int = 0, color=True, translation=0.4, cutout=0.5) -> np.ndarray:
    strengths = {"brightness": 0.5, "saturation": 1.0, "contrast": 0.5} if color else {}
    rows = [
        draw_augmentation([seed, k], **strengths, translation=translation, cutout=cutout)
        for k in range(count)
    ]
    return np.stack(rows)


def reflected(place: int, size: int) -> int:
    """The pixel that is seen at a place beyond the border, which is not doubled."""
    place = abs(place)
    return min(place, 2 * (size - 1) - place)


def reference(pictures, rows, *, sign=1, segmap_too=False, zeros=False):
    """The definition, pixel by pixel; the other arguments make wrong ones."""
    out = np.zeros_like(pictures)
    height, width = pictures.shape[2:]
    for index, numbers in enumerate(rows.astype(np.float64)):
        picture = pictures[index].copy()
        photo = picture if segmap_too else picture[-3:]
        photo += numbers[BRIGHTNESS]
        for column in (SATURATION, CONTRAST):
            mean = photo.mean(axis=0) if column == SATURATION else photo.mean()
            photo[:] = mean + numbers[column] * (photo - mean)
        down, right = (round(sign * numbers[k] * n) for k, n in ((DOWN, height), (RIGHT, width)))
        sides = [round(numbers[HOLE_SIDE] * length) for length in (height, width)]
        top = int(numbers[HOLE_ROW] * height) - sides[0] // 2
        left = int(numbers[HOLE_COLUMN] * width) - sides[1] // 2
        for r in range(height):
            for c in range(width):
                hole = top <= r < top + sides[0] and left <= c < left + sides[1]
                outside = not (0 <= r - down < height and 0 <= c - right < width)
                if not (hole or (zeros and outside)):
                    place = reflected(r - down, height), reflected(c - right, width)
                    out[index, :, r, c] = picture[:, place[0], place[1]]
    return out


def augmented(pictures: np.ndarray, rows: np.ndarray) -> np.ndarray:
    return diff_augment(tensor(pictures), rows).numpy()


def test_colors_by_hand():
    # one label channel and a photo of two pixels, (1, 2, 3) and (5, 5, 5)
    picture = np.array([7, 7, 1, 5, 2, 5, 3, 5], float).reshape(1, 4, 1, 2)

    def result(**values: float) -> list[float]:
        return augmented(picture, row(**values)).ravel().round(12).tolist()

    assert result(brightness=0.5) == [7, 7, 1.5, 5.5, 2.5, 5.5, 3.5, 5.5]
    # about the mean of each pixel, 2 and 5: gray at 0, twice as colorful at 2
    assert result(saturation=0) == [7, 7, 2, 5, 2, 5, 2, 5]
    assert result(saturation=2) == [7, 7, 0, 5, 2, 5, 4, 5]
    # about the mean of the picture, 3.5
    assert result(contrast=0.5) == [7, 7, 2.25, 4.25, 2.75, 4.25, 3.25, 4.25]
    assert result(contrast=1.5) == [7, 7, -0.25, 5.75, 1.25, 5.75, 2.75, 5.75]


def test_moves_by_hand():
    picture = np.tile(np.arange(1.0, 17).reshape(1, 1, 4, 4), (1, 4, 1, 1))
    moved = augmented(picture, row(down=0.25))[0, 0]
    assert moved.tolist() == [[5, 6, 7, 8], [1, 2, 3, 4], [5, 6, 7, 8], [9, 10, 11, 12]]
    moved = augmented(picture, row(down=-0.25, right=0.5))[0, 3]
    assert moved.tolist() == [[7, 6, 5, 6], [11, 10, 9, 10], [15, 14, 13, 14], [11, 10, 9, 10]]
    # whole pixels: 0.1 of 4 is none, 0.2 is one
    assert augmented(picture, row(right=0.1)).tolist() == picture.tolist()
    assert augmented(picture, row(right=-0.2))[0, 0, 0].tolist() == [2, 3, 4, 3]


def test_holes_by_hand():
    ones = np.ones((1, 4, 4, 6))
    hole = augmented(ones, row(hole_side=0.5))[0]
    assert (hole == hole[0]).all()
    inner = [1, 1, 0, 0, 0, 1]  # a side of 3 around column 3
    assert hole[0].tolist() == [[1] * 6, inner, inner, [1] * 6]
    # a hole in the corner is cut off by the border
    corner = augmented(ones, row(hole_side=0.5, hole_row=0, hole_column=0.99))[0, 0]
    assert corner.tolist() == [[1, 1, 1, 1, 0, 0], [1] * 6, [1] * 6, [1] * 6]


@pytest.mark.parametrize("color", [True, False])
@pytest.mark.parametrize("translation", [0.4, 0.0])
@pytest.mark.parametrize("cutout", [0.5, 0.0])
def test_every_combination_agrees_with_the_definition(color, translation, cutout):
    pictures = normal(6, 5, 9, 14)
    rows = drawn(6, color=color, translation=translation, cutout=cutout)
    assert_same(augmented(pictures, rows), reference(pictures, rows))


def test_wrong_definitions_are_told_from_the_right_one():
    pictures, rows = normal(4, 5, 9, 14), drawn(4)
    actual = augmented(pictures, rows)
    assert_differs(actual, reference(pictures, rows, sign=-1))
    assert_differs(actual, reference(pictures, rows, zeros=True))
    assert_differs(actual, reference(pictures, rows, segmap_too=True))
    assert_differs(actual, reference(pictures, np.roll(rows, 1, axis=0)))


def test_pictures_whose_row_is_the_identity_come_back_exactly():
    pictures = normal(3, 5, 16, 12).astype(np.float32)
    rows = drawn(3)
    rows[1] = IDENTITY
    out = diff_augment(paddle.to_tensor(pictures), rows)
    assert out.dtype == paddle.float32
    assert np.array_equal(out.numpy()[1], pictures[1])
    assert not np.array_equal(out.numpy()[0], pictures[0])
    rows[:] = IDENTITY
    assert np.array_equal(diff_augment(paddle.to_tensor(pictures), rows).numpy(), pictures)


def test_map_and_photo_move_and_are_cut_together_and_the_map_keeps_its_values():
    labels = (normal(8, 1, 16, 16) > 0).astype(float)
    pictures = np.concatenate([labels, 1 - labels, labels, labels, labels], axis=1)
    rows = drawn(8, color=False)
    out = augmented(pictures, rows)
    for channel in (2, 3, 4):
        assert np.array_equal(out[:, channel], out[:, 0])
    assert (out[:, 0] + out[:, 1] != 1).any()  # neither label: nothing is there
    colored = augmented(pictures, drawn(8))
    assert np.array_equal(colored[:, :2], out[:, :2])
    assert not np.array_equal(colored[:, 2:], out[:, 2:])


def test_each_picture_is_changed_by_its_own_row_alone():
    pictures, rows = normal(4, 5, 8, 8), drawn(4)
    together = augmented(pictures, rows)
    for index in (2, 0, 3, 1):
        one = slice(index, index + 1)
        assert_same(augmented(pictures[one], rows[one])[0], together[index])


def test_rows_may_be_a_tensor():
    pictures, rows = normal(2, 5, 8, 8), drawn(2)
    out = diff_augment(tensor(pictures), paddle.to_tensor(rows))
    assert np.array_equal(out.numpy(), augmented(pictures, rows))


def test_rows_serve_pictures_of_any_size():
    # a picture twice as large moves twice as far, and its hole is twice as large
    small = np.ones((1, 4, 8, 8))
    rows = row(down=0.25, right=-0.25, hole_side=0.5, hole_row=0.75, hole_column=0.25)
    large = augmented(small.repeat(2, axis=2).repeat(2, axis=3), rows)
    assert_same(large, augmented(small, rows).repeat(2, axis=2).repeat(2, axis=3))


def test_gradient_is_the_slope():
    pictures = tensor(normal(3, 5, 6, 7), differentiable=True)
    rows = drawn(3, seed=5)
    assert_gradients(lambda: weighted_sum(diff_augment(pictures, rows)), [pictures], places=80)


def test_pixels_that_left_the_picture_get_no_gradient_and_those_seen_twice_get_both():
    pictures = tensor(normal(1, 4, 5, 4), differentiable=True)
    diff_augment(pictures, row(down=0.4)).sum().backward()
    # rows 2 1 | 0 1 2: row 0 is the border and is not doubled
    assert (pictures.grad.numpy() == np.reshape([1, 2, 2, 0, 0], (1, 1, 5, 1))).all()


def test_a_move_by_half_a_picture_is_still_a_reflection():
    picture = np.tile(np.arange(4.0).reshape(1, 1, 1, 4), (1, 4, 2, 1))
    assert augmented(picture, row(right=0.5))[0, 0, 0].tolist() == [2, 1, 0, 1]
    assert augmented(picture, row(right=-0.5))[0, 0, 0].tolist() == [2, 3, 2, 1]


def test_a_gradient_of_the_gradient_is_its_slope_as_r1_needs_it():
    pictures = tensor(normal(2, 4, 5, 6), differentiable=True)
    rows = drawn(2, seed=5)

    def penalty():
        with paddle.enable_grad():
            value = weighted_sum(diff_augment(pictures, rows) ** 3)
            (gradient,) = paddle.grad(value, [pictures], create_graph=True)
            return (gradient**2).sum()

    assert_gradients(penalty, [pictures], places=30)
