"""A model chooses a style by what a label map shows."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
from PIL import Image

from spade_paddle.data.dataset import Scene
from spade_paddle.data.photos import read_photo, shrink
from spade_paddle.data.transforms import whole_picture
from spade_paddle.errors import ModelError
from spade_paddle.evaluation.contenders import open_contenders
from spade_paddle.inference.gallery import (
    BANDS,
    GALLERY,
    Gallery,
    brightness,
    layout,
)
from spade_paddle.inference.painter import Painter
from spade_paddle.inference.styles import add_gallery
from tests.inference.conftest import photo
from tests.numeric import assert_same
from tests.synthetic import write_synthetic_dataset


def test_layout_is_the_share_of_every_label_in_each_band():
    label_map = np.array([[1, 1], [1, 2], [0, 255], [2, 2], [2, 0], [2, 2], [1, 0], [1, 0]])
    shares = layout(label_map.astype(np.uint8), num_labels=3)
    expected = [[0, 0.75, 0.25], [0.25, 0, 0.5], [0.25, 0, 0.75], [0.5, 0.5, 0]]
    assert BANDS == 4
    assert np.allclose(shares, expected)


@pytest.mark.parametrize("size", [(64, 96), (37, 51), (3, 2)])
def test_layout_hardly_depends_on_the_size(size):
    rows = (np.arange(size[0]) * 2 // size[0]).astype(np.uint8)
    shares = layout(np.repeat(rows[:, None], size[1], axis=1), num_labels=2)
    assert shares.shape == (BANDS, 2)
    assert np.allclose(shares[0], [1, 0])
    if size[0] % 4 == 0:
        assert np.allclose(shares, [[1, 0], [1, 0], [0, 1], [0, 1]])


def test_brightness_is_of_the_strongest_color_and_every_label_counts_the_same():
    photo = np.array([[[0, 10, 200], [200, 0, 0], [0, 200, 200], [100, 0, 0]]], np.uint8)
    assert brightness(photo, np.zeros((1, 4), np.uint8)) == 175
    assert brightness(photo, np.array([[1, 1, 1, 0]], np.uint8)) == 150
    assert brightness(photo, np.array([[1, 1, 255, 255]], np.uint8)) == 200
    assert brightness(photo, np.full((1, 4), 255, np.uint8)) == 175


def test_a_few_pixels_of_a_label_do_not_count_for_the_brightness():
    photo = np.full((10, 20, 3), 100, np.uint8)
    label_map = np.zeros((10, 20), np.uint8)
    photo[0, :3], label_map[0, :3] = 0, 4
    assert brightness(photo, label_map) == 100
    photo[0, 3], label_map[0, 3] = 0, 4  # 4 of 200 pixels are the least share
    assert brightness(photo, label_map) == 50


def random_gallery(count=30, labels=5):
    rng = np.random.default_rng(0)
    maps = rng.integers(0, labels, (count, 8, 8)).astype(np.uint8)
    layouts = np.stack([layout(label_map, num_labels=labels) for label_map in maps])
    vectors, lights = rng.normal(size=(count, 4)), rng.uniform(0, 255, count)
    return maps, Gallery(vectors.astype(np.float32), layouts, lights.astype(np.float32))


def reference_style(gallery, label_map, *, seed=None):
    """The definition, scene by scene."""
    if seed is None:
        center = reference_mean(gallery, label_map, seed=None, similarity=np.inf)
        return center + 1.5 * (reference_mean(gallery, label_map, seed=None) - center)
    return reference_mean(gallery, label_map, seed=seed)


def reference_mean(gallery, label_map, *, seed, similarity=0.1):
    query = layout(label_map, num_labels=gallery.layouts.shape[2])
    noise = None if seed is None else np.random.default_rng(seed).gumbel(size=len(gallery.vectors))
    total, weights = 0.0, 0.0
    for index, vector in enumerate(gallery.vectors.astype(np.float64)):
        distance = np.mean([np.abs(a - b).sum() for a, b in zip(gallery.layouts[index], query)])
        if seed is None:
            score = gallery.brightness[index] / 20 - distance / similarity
        else:
            score = (noise[index] - distance / 0.1) / 0.25
        total, weights = total + np.exp(score) * vector, weights + np.exp(score)
    return total / weights


@pytest.mark.parametrize("seed", [None, 0, 5])
def test_style_is_the_weighted_mean_moved_away_from_that_of_all(seed):
    maps, gallery = random_gallery()
    for index in (0, 7, 29):
        style = gallery.style_for(maps[index], seed=seed)
        assert style.dtype == np.float32
        assert_same(style, reference_style(gallery, maps[index], seed=seed), rtol=1e-4)


def two_scenes(brightness):
    """Two scenes, sky above water and the reverse, with the styles 0 and 1."""
    maps = [np.repeat(rows, 4)[:, None].astype(np.uint8) for rows in ([0, 1], [1, 0])]
    layouts = np.stack([layout(label_map, num_labels=2) for label_map in maps])
    vectors = np.array([[0.0], [1.0]], np.float32)
    return maps, Gallery(vectors, layouts, np.array(brightness, np.float32))


def test_the_similar_scene_lends_its_style_unless_the_other_is_much_brighter():
    maps, gallery = two_scenes([100, 100])
    assert gallery.style_for(maps[0]) == pytest.approx(-0.25, abs=0.01)  # 1.5 times as far from 0.5
    assert gallery.style_for(maps[1]) == pytest.approx(1.25, abs=0.01)
    halfway = np.array([[0], [1], [0], [1], [0], [1], [0], [1]], np.uint8)
    assert gallery.style_for(halfway) == pytest.approx(0.5)
    _, darker = two_scenes([100, 160])
    assert darker.style_for(halfway) == pytest.approx(1 / (1 + np.exp(-60 / 20)))


@pytest.mark.parametrize("seed", [None, 3])
def test_a_few_pixels_do_not_change_the_style_much(seed):
    """A doodle turns into that of another scene, 2 % of its pixels at a time."""
    maps, gallery = random_gallery(count=300)
    start, end = maps[0].repeat(8, axis=0).repeat(8, axis=1), maps[1].repeat(8, 0).repeat(8, 1)
    order = np.random.default_rng(4).permutation(start.size)
    styles = []
    for changed in np.linspace(0, start.size, 51).astype(int):
        label_map = start.copy()
        label_map.flat[order[:changed]] = end.flat[order[:changed]]
        styles.append(gallery.style_for(label_map, seed=seed))
    steps = np.linalg.norm(np.diff(styles, axis=0), axis=1)
    spread = np.linalg.norm(gallery.vectors - gallery.vectors.mean(axis=0), axis=1).mean()
    assert steps.max() < 0.5 * spread


def test_seeds_draw_different_similar_scenes():
    maps, gallery = random_gallery()
    drawn = np.array([gallery.style_for(maps[0], seed=seed) for seed in range(200)])
    assert np.array_equal(drawn[5], gallery.style_for(maps[0], seed=5))
    distances = np.abs(gallery.layouts - gallery.layouts[0]).sum(axis=2).mean(axis=1)
    closest = [np.linalg.norm(gallery.vectors - style, axis=1).argmin() for style in drawn]
    assert len(set(closest)) > 5
    assert distances[closest].mean() < distances.mean()
    assert np.bincount(closest, minlength=30).argmax() == 0  # the scene itself most often


@pytest.fixture(scope="module")
def chooser(make_exported, landscape, tmp_path_factory):
    """A model folder with a gallery of five synthetic scenes, and the data set."""
    folder = tmp_path_factory.mktemp("chooser")
    data = write_synthetic_dataset(folder / "data", label_set=landscape, train=5)
    shutil.copytree(make_exported("style")[1], folder / "model")
    assert add_gallery(folder / "model", data) == 5
    return folder


def test_what_is_kept_is_of_the_photos_and_the_painter_takes_it(chooser):
    painter = Painter.load(chooser / "model", threads=1)
    gallery = painter.gallery
    for index in (1, 3):
        name = f"{index:04d}.png"
        label_map = np.asarray(Image.open(chooser / "data" / "train" / "labels" / name))
        whole = read_photo(chooser / "data" / "train" / "images" / name)
        # of the middle of the photo at the model's size; kept with half the digits
        scene = whole_picture(Scene(photo=whole, label_map=label_map), 64, 64)
        near = {"rtol": 1e-3, "atol": 1e-3}
        assert np.allclose(gallery.vectors[index], painter.style_of(scene.photo), **near)
        assert np.allclose(gallery.layouts[index], layout(label_map, num_labels=13), **near)
        light = brightness(scene.photo, scene.label_map)
        assert np.isclose(gallery.brightness[index], light, rtol=1e-3)
        vector = gallery.style_for(label_map)
        picture = painter.paint(label_map)
        assert np.array_equal(picture, painter.paint(label_map, style=vector))
    pictures = {painter.paint(label_map, seed=seed).tobytes() for seed in range(30)}
    assert len(pictures) > 2


def test_the_chosen_style_is_a_contender(chooser):
    contenders = open_contenders([chooser / "model"])
    assert [contender.style for contender in contenders] == ["chosen", "drawn", "own"]


def test_a_gallery_that_was_changed_is_refused(chooser, tmp_path):
    shutil.copytree(chooser / "model", tmp_path / "model")
    path = tmp_path / "model" / GALLERY
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(ModelError, match=r"styles\.npz: missing or not the file"):
        Painter.load(tmp_path / "model", threads=1)


def test_a_gallery_of_another_model_is_refused(tmp_path):
    Gallery(np.zeros((3, 7)), np.zeros((3, BANDS, 5)), np.zeros(3)).save(tmp_path)
    with pytest.raises(ModelError, match=r"of shapes \[\(3, 4\)"):
        Gallery.load(tmp_path, style_dim=4, num_labels=5)


def test_adding_twice_replaces(chooser, landscape, tmp_path):
    shutil.copytree(chooser / "model", tmp_path / "model")
    data = write_synthetic_dataset(tmp_path / "data", label_set=landscape, train=2)
    assert add_gallery(tmp_path / "model", data) == 2
    assert len(Painter.load(tmp_path / "model", threads=1).gallery.vectors) == 2
    model = json.loads((tmp_path / "model" / "model.json").read_text(encoding="utf-8"))
    assert GALLERY in model["files"]


def test_large_photos_are_shrunk_by_area_before_the_encoder(chooser):
    painter = Painter.load(chooser / "model", threads=1)
    large = photo(3, height=640, width=960)
    assert np.array_equal(painter.style_of(large), painter.style_of(shrink(large, 64)))
