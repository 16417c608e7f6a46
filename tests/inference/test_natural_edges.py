"""The edges of doodles become irregular, but only those that are so in nature."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from spade_paddle.data.label_sets import find_label_set
from spade_paddle.data.labels import DONT_CARE, LabelSet
from spade_paddle.inference.natural_edges import AMPLITUDES, CELLS, has_rough_edges, natural_edges

LANDSCAPE = find_label_set("landscape")
SKY, CLOUD, MOUNTAIN, TREE, GRASS, WATER, BUILDING, OTHER = map(
    LANDSCAPE.id_of, ("sky", "cloud", "mountain", "tree", "grass", "water", "building", "other")
)


def halves(upper: int, lower: int, side: int = 256) -> np.ndarray:
    """A label map of two labels with a straight edge between them."""
    return np.repeat([upper, lower], side // 2)[:, None].repeat(side, axis=1).astype(np.uint8)


def heights(label_map: np.ndarray, upper: int) -> np.ndarray:
    """How many pixels of each column are of the upper label, less one half, as a share."""
    return (label_map == upper).mean(axis=0) - 0.5


@pytest.mark.parametrize(
    ("upper", "lower"),
    [
        (SKY, WATER),
        (TREE, WATER),
        (SKY, BUILDING),
        (TREE, DONT_CARE),
        (SKY, OTHER),
    ],
)
def test_edges_of_water_buildings_and_unknown_pixels_stay(upper: int, lower: int) -> None:
    label_map = halves(upper, lower)
    assert np.array_equal(natural_edges(label_map, LANDSCAPE), label_map)


@pytest.mark.parametrize(
    ("upper", "lower", "group"),
    [(SKY, CLOUD, "sky"), (SKY, TREE, "plants"), (TREE, GRASS, "plants"), (SKY, MOUNTAIN, "land"),
     (MOUNTAIN, GRASS, "land")],
)  # fmt: skip
def test_an_edge_is_as_rough_as_its_smoother_side(upper: int, lower: int, group: str) -> None:
    expected = np.linalg.norm(AMPLITUDES[group])
    label_map = halves(upper, lower)
    edges = [natural_edges(label_map, LANDSCAPE, seed=seed) for seed in range(10)]
    edges += [natural_edges(label_map.T, LANDSCAPE, seed=seed).T for seed in range(10)]
    for some in (edges[:10], edges[10:]):
        spread = np.mean([heights(each, upper).std() for each in some])
        assert spread == pytest.approx(expected, rel=0.25)
    # either way is as likely
    assert abs(np.mean([heights(each, upper).mean() for each in edges])) < 0.3 * expected


def test_the_edge_has_details_finer_than_the_coarsest_noise() -> None:
    edge = heights(natural_edges(halves(SKY, TREE, side=512), LANDSCAPE), SKY)
    cell = 512 // CELLS
    coarse = np.convolve(edge, np.ones(cell) / cell, mode="valid")
    fine = edge[cell // 2 :][: len(coarse)] - coarse
    assert fine.std() > 0.25 * edge.std()


def test_the_edge_depends_on_the_seed_only_and_not_on_what_is_elsewhere() -> None:
    label_map = halves(SKY, TREE)
    natural = natural_edges(label_map, LANDSCAPE, seed=3)
    assert np.array_equal(natural, natural_edges(label_map, LANDSCAPE, seed=3))
    assert not np.array_equal(natural, natural_edges(label_map, LANDSCAPE, seed=4))
    assert np.array_equal(
        natural_edges(label_map, LANDSCAPE), natural_edges(label_map, LANDSCAPE, seed=0)
    )
    other = label_map.copy()
    other[:60, :60] = CLOUD
    changed = natural_edges(other, LANDSCAPE, seed=3) != natural
    assert changed[:50, :50].all() and not changed[80:].any() and not changed[:, 80:].any()


def test_a_larger_picture_has_the_same_edges() -> None:
    small = natural_edges(halves(SKY, TREE), LANDSCAPE)
    large = natural_edges(halves(SKY, TREE, side=512), LANDSCAPE)
    difference = heights(large, SKY).reshape(256, 2).mean(axis=1) - heights(small, SKY)
    assert difference.std() < 0.3 * heights(small, SKY).std()


@pytest.mark.parametrize("shape", [(64, 64), (100, 180), (300, 40), (32, 32768)])
def test_any_size_keeps_its_labels_and_the_map_given(shape: tuple[int, int]) -> None:
    label_map = np.random.default_rng(0).choice([SKY, TREE, WATER, DONT_CARE], shape)
    given = label_map.copy()
    natural = natural_edges(label_map, LANDSCAPE)
    assert (natural.dtype, natural.shape) == (np.uint8, shape)
    assert set(np.unique(natural)) <= set(np.unique(label_map))
    assert np.array_equal(label_map, given)
    assert np.array_equal(natural == WATER, label_map == WATER)


def test_labels_without_groups_keep_their_edges() -> None:
    labels = tuple(dataclasses.replace(label, group=None) for label in LANDSCAPE.labels)
    plain = LabelSet("plain", labels)
    assert has_rough_edges(LANDSCAPE) and not has_rough_edges(plain)
    label_map = halves(SKY, TREE)
    assert np.array_equal(natural_edges(label_map, plain), label_map)
