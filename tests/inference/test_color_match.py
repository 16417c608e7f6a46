"""Large pictures in the colors of small ones."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from spade_paddle.data.transforms import resize_nearest
from spade_paddle.inference.color_match import match_colors, shrunken_size

HEIGHT, WIDTH = 160, 224


@pytest.fixture
def label_map():
    """Label 1 above a wavy line, 7 below; a patch of 255 and single pixels of 12."""
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    ids = np.where(rows < 80 + 9 * np.sin(columns / 20), 1, 7).astype(np.uint8)
    ids[120:150, 30:60] = 255
    ids[::37, ::41] = 12
    return ids


@pytest.fixture
def picture():
    return np.random.default_rng(0).integers(90, 160, (HEIGHT, WIDTH, 3)).astype(np.uint8)


def shrunk(values: np.ndarray) -> np.ndarray:
    """Single pixels at half the size: colors of neighboring regions do not mix."""
    return resize_nearest(values, HEIGHT // 2, WIDTH // 2)


@pytest.mark.parametrize(
    "height, width, area, expected",
    [
        (512, 512, 65536, (256, 256)),
        (256, 1024, 65536, (128, 512)),
        (512, 300, 65536, (334, 196)),
        (33, 4000, 4096, (6, 705)),
        (64, 64, 4096, (64, 64)),
    ],
)
def test_the_shrunken_size_keeps_the_proportions(height, width, area, expected):
    assert shrunken_size(height, width, area=area) == expected


def test_a_picture_in_its_own_colors_stays(label_map):
    smooth = np.full((HEIGHT, WIDTH, 3), (10, 128, 250), np.uint8)
    assert np.array_equal(match_colors(smooth, shrunk(smooth), label_map), smooth)


def test_each_label_gets_its_own_color_up_to_its_edge(label_map, picture):
    """Known answer: the small picture is plain in each region, and so the means of the large one
    become these colors, while its texture stays; nothing leaks over an edge."""
    colors = np.zeros((256, 3), np.uint8)
    colors[[1, 7, 255, 12]] = (120, 130, 200), (80, 140, 60), (150, 100, 100), (100, 100, 100)
    plain = colors[label_map]
    flat = np.full_like(picture, 128)
    # a bilinear enlargement mixes two colors at an edge, so the small picture is given at full size
    assert np.array_equal(match_colors(flat, plain, label_map), plain)
    matched = match_colors(picture, plain, label_map).astype(float)
    for label in (1, 7, 255):
        region = cv2.erode((label_map == label).astype(np.uint8), np.ones((9, 9))) > 0
        assert matched[region].mean(axis=0) == pytest.approx(colors[label], abs=1.5)
        rest = matched[region] - picture[region]
        assert rest.std(axis=0) == pytest.approx(0, abs=2.5)  # that of the texture is 20


def test_a_gradient_is_followed(label_map):
    """A sky that brightens to the right in the small picture does so in the large one."""
    ramp = np.broadcast_to(np.linspace(40, 200, WIDTH)[None, :, None], (HEIGHT, WIDTH, 3))
    flat = np.full((HEIGHT, WIDTH, 3), 120, np.uint8)
    matched = match_colors(flat, shrunk(ramp.astype(np.uint8)), label_map)
    inner = np.s_[:, 40:-40]
    assert np.abs(matched[inner].astype(float) - ramp[inner])[label_map[inner] != 12].max() < 8


def test_the_result_is_smooth_inside_a_region():
    """No blocks of the grid: between a dark and a bright half no step is visible."""
    label_map = np.zeros((HEIGHT, WIDTH), np.uint8)
    small = np.full((80, 112, 3), 100, np.uint8)
    small[:, 56:] = 200
    matched = match_colors(np.full((HEIGHT, WIDTH, 3), 99, np.uint8), small, label_map)
    steps = np.diff(matched[80, :, 0].astype(int))
    assert matched[80, 0, 0] == 100 and matched[80, -1, 0] == 200
    assert steps.min() >= 0 and steps.max() <= 5  # a cell is 2.5 pixels wide


def test_colors_stay_in_range(label_map, picture):
    """Half of the pixels are black and half white: their mean is 127 too dark, or too bright."""
    is_white = picture[..., 0] > 125
    mixed = np.repeat(np.where(is_white, 255, 0).astype(np.uint8)[..., None], 3, axis=2)
    white = np.full((80, 112, 3), 255, np.uint8)
    assert (match_colors(mixed, white, label_map)[is_white] == 255).all()
    assert (match_colors(mixed, white * 0, label_map)[~is_white] == 0).all()


def test_patches_of_brightness_stay_and_patches_of_color_vanish():
    """Stripes 32 pixels wide, the small picture is gray; pink and green are equally bright."""
    label_map = np.zeros((512, 512), np.uint8)
    stripes = (np.arange(512) // 32 % 2)[None, :, None]
    gray = np.full((256, 256, 3), 128, np.uint8)

    def contrast(*colors: tuple[int, int, int]) -> np.ndarray:
        """Difference of the middles of two neighboring stripes, after and before."""
        picture = np.broadcast_to(np.where(stripes, *np.array(colors, np.uint8)), (512, 512, 3))
        matched = match_colors(picture, gray, label_map)
        middles = [each[256, [240, 272]].astype(int) for each in (matched, picture)]
        return np.abs([np.diff(each, axis=0)[0] for each in middles])

    after, before = contrast((150, 150, 150), (106, 106, 106))
    assert (after > 0.9 * before).all()
    after, before = contrast((168, 108, 132), (88, 149, 124))
    assert before.max() == 80 and after.max() < 12


def test_a_very_long_picture():
    picture, label_map = np.full((8, 40000, 3), 50, np.uint8), np.zeros((8, 40000), np.uint8)
    label_map[:, 20000:] = 1
    small = np.full((2, 9000, 3), 90, np.uint8)
    assert (match_colors(picture, small, label_map) == 90).all()
