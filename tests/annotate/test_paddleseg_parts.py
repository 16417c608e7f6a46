"""Our parts of a PaddleSeg training: views, random colors, loss."""

from __future__ import annotations

import numpy as np
import paddle
import pytest

from spade_paddle.annotate.paddleseg_parts import PixelCrossEntropy, Scenes, recolor
from tests.synthetic import write_synthetic_dataset


@pytest.fixture
def make_scenes(tmp_path, landscape):
    write_synthetic_dataset(tmp_path, label_set=landscape, train=3, val=1)

    def make(**options):
        sizes = {"crop_size": 32, "load_size_min": 40, "load_size": 64}
        return Scenes(str(tmp_path), labels="landscape", length=12, **sizes, **options)

    return make


def reference_loss(logits, label_map, weight):
    """The textbook formula, pixel by pixel."""
    total, weights = 0.0, 0.0
    for n, row, column in np.ndindex(*label_map.shape):
        label = label_map[n, row, column]
        if label != 255:
            scores = logits[n, :, row, column].astype(np.float64)
            log_probability = scores[label] - np.log(np.exp(scores).sum())
            total -= weight[label] * log_probability
            weights += weight[label]
    return total / weights


@pytest.mark.parametrize("weight", [None, [1.0, 2.0, 0.5]])
def test_loss_is_the_textbook_cross_entropy_without_dont_care(weight):
    rng = np.random.default_rng(3)
    logits = rng.normal(size=(2, 3, 4, 5)).astype(np.float32)
    label_map = rng.choice([0, 1, 2, 255], size=(2, 4, 5))
    loss = PixelCrossEntropy(weight=weight)(paddle.to_tensor(logits), paddle.to_tensor(label_map))
    assert loss.shape == [1]  # PaddleSeg's trainer indexes it
    expected = reference_loss(logits, label_map, weight or [1.0] * 3)
    assert float(loss[0]) == pytest.approx(expected, rel=1e-5)


def test_views_depend_on_seed_and_number_only(make_scenes):
    first, again, later = make_scenes(), make_scenes(), make_scenes(first=5)
    for key in ("img", "label"):
        assert np.array_equal(first[7][key], again[7][key])
        assert np.array_equal(first[7][key], later[2][key])
    assert not np.array_equal(first[7]["img"], make_scenes(seed=2)[7]["img"])


def test_view_has_the_form_that_paddleseg_expects(make_scenes):
    view = make_scenes()[0]
    assert view["img"].shape == (3, 32, 32)
    assert view["img"].dtype == np.float32
    assert np.abs(view["img"]).max() <= 1
    assert view["label"].shape == (32, 32)
    assert view["label"].dtype == np.int64


def test_recoloring_without_strength_changes_nothing():
    photo = np.random.default_rng(0).integers(0, 256, (6, 7, 3)).astype(np.uint8)
    for seed in range(5):
        same = recolor(photo, np.random.default_rng(seed), strength=0.0)
        assert np.allclose(same, photo, atol=1e-3)


def test_recolored_photos_differ_and_stay_in_range():
    photo = np.random.default_rng(0).integers(0, 256, (6, 7, 3)).astype(np.uint8)
    made = [recolor(photo, np.random.default_rng(seed), strength=1.0) for seed in range(20)]
    assert min(picture.min() for picture in made) >= 0
    assert max(picture.max() for picture in made) <= 255
    brightness = [picture.mean() for picture in made]
    assert max(brightness) > 1.5 * min(brightness)
