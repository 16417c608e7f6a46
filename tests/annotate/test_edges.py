"""Edges of label maps on those of the photos."""

from __future__ import annotations

import numpy as np
import pytest

from spade_paddle.annotate.edges import snap_to_edges

HEIGHT, WIDTH = 96, 128


def zigzag(shift: float = 0.0) -> np.ndarray:
    """Ridge of a mountain: where it is [H, W]."""
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    return rows > 48 + shift + 3 * np.abs((columns / 8) % 2 - 1)


@pytest.fixture
def photo():
    """A blue sky and a brown mountain, both with some noise."""
    noise = np.random.default_rng(0).normal(0, 6, (HEIGHT, WIDTH, 3))
    colors = np.where(zigzag()[..., None], (120, 90, 60), (130, 170, 220))
    return np.clip(colors + noise, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("turned", [False, True])
def test_a_straight_edge_becomes_the_ridge_of_the_photo(photo, turned):
    truth = np.where(zigzag(), 3, 1).astype(np.uint8)
    rough = np.where(np.arange(HEIGHT)[:, None] > 46, 3, 1) * np.ones((1, WIDTH))
    rough = rough.astype(np.uint8)
    if turned:  # the two sides of an edge are alike, and rows and columns
        photo, truth, rough = (each[::-1].swapaxes(0, 1).copy() for each in (photo, truth, rough))
    assert (rough != truth).mean() > 0.02
    snapped = snap_to_edges(photo, rough, reach=8)
    assert snapped.dtype == np.uint8
    assert (snapped != truth).mean() < 0.005  # about one pixel along the edge
    assert (snapped[:, [0, -1]] != truth[:, [0, -1]]).mean() < 0.03  # up to the picture's border


def test_an_edge_moves_no_farther_than_the_reach(photo):
    rough = np.where(np.arange(HEIGHT)[:, None] > 20, 3, 1) * np.ones((1, WIDTH))
    snapped = snap_to_edges(photo, rough.astype(np.uint8), reach=5)
    assert (snapped[:15] == 1).all() and (snapped[27:] == 3).all()


def test_the_border_of_the_picture_is_no_edge():
    """A strip of sky reaches beyond the picture, so its edge may move nearly to the border."""
    rows = np.arange(HEIGHT)[:, None] * np.ones((1, WIDTH), int)
    photo = np.where(rows[..., None] < 5, (130, 170, 220), (120, 90, 60)).astype(np.uint8)
    snapped = snap_to_edges(photo, np.where(rows < 12, 1, 3).astype(np.uint8), reach=8)
    assert (snapped[:4] == 1).all() and (snapped[6:] == 3).all()


def test_a_right_edge_stays(photo):
    truth = np.where(zigzag(), 255, 0).astype(np.uint8)  # 255 is a region like others
    assert (snap_to_edges(photo, truth, reach=8) != truth).mean() < 0.005


@pytest.mark.parametrize("flat", [False, True])
def test_no_region_is_lost(photo, flat):
    """Lines and points, also at the border and in corners, keep their place."""
    if flat:
        photo = np.full_like(photo, 77)
    label_map = np.where(zigzag(), 3, 1).astype(np.uint8)
    label_map[:, 20] = 4
    label_map[30, 40:90] = 5
    label_map[0, 100] = 6
    label_map[-1, -1] = 7
    label_map[70, 60] = 8
    snapped = snap_to_edges(photo, label_map, reach=8)
    for label in (4, 5, 6, 7, 8):
        assert (snapped[label_map == label] == label).all()
    assert set(np.unique(snapped)) == set(np.unique(label_map))


def test_one_label_and_noise_are_valid_inputs(photo):
    plain = np.full((HEIGHT, WIDTH), 9, np.uint8)
    assert np.array_equal(snap_to_edges(photo, plain, reach=8), plain)
    noise = np.random.default_rng(1).integers(0, 13, (HEIGHT, WIDTH)).astype(np.uint8)
    assert set(np.unique(snap_to_edges(photo, noise, reach=8))) <= set(range(13))
    tiny = np.array([[1, 2, 2]], np.uint8)
    assert snap_to_edges(photo[:1, :3], tiny, reach=8).shape == (1, 3)
