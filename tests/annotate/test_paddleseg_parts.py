"""Our parts of a PaddleSeg training: views, random colors, loss."""

from __future__ import annotations

import numpy as np
import paddle
import pytest

from spade_paddle.annotate.paddleseg_parts import (
    EfficientNetLite1Backbone,
    PixelCrossEntropy,
    Scenes,
    ignore_borders,
    recolor,
)
from spade_paddle.data.dataset import Scene
from spade_paddle.features.efficientnet import EfficientNetLite1
from tests.features.efficientnet import lite1_file
from tests.numeric import assert_same
from tests.synthetic import write_scene, write_synthetic_dataset


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


def test_views_can_ignore_borders_between_labels(make_scenes):
    plain, ignoring = make_scenes(), make_scenes(ignored_border=1)
    changed = [(plain[k]["label"] != ignoring[k]["label"]).sum() for k in range(8)]
    assert max(changed) > 0
    for k in range(8):
        expected = ignore_borders(plain[k]["label"].astype(np.uint8), width=1)
        assert np.array_equal(ignoring[k]["label"], expected)


def test_scenes_with_rare_labels_are_shown_more_often(tmp_path, landscape):
    """Nine scenes of sky and one of snow: by default it is a tenth of the views."""
    for index in range(10):
        label_map = np.full((40, 40), 4 if index == 0 else 1, np.uint8)
        scene = Scene(landscape.colorize(label_map), label_map)
        write_scene(tmp_path / "train", f"s{index}", scene)
    sizes = {"crop_size": 32, "load_size_min": 40, "load_size": 40}

    def share(**options) -> float:
        views = Scenes(str(tmp_path), labels="landscape", length=40, **sizes, **options)
        return np.mean([views[k]["label"].max() == 4 for k in range(40)])

    assert share() == 0.1
    assert share(label_balance=0.5) > 0.2


@pytest.mark.parametrize("width", [0, 1, 2])
def test_ignored_borders_are_those_of_a_slow_search(width):
    label_map = np.random.default_rng(2).choice([1, 5, 255], size=(4, 3), p=[0.5, 0.4, 0.1])
    label_map = label_map.repeat(4, axis=0).repeat(5, axis=1).astype(np.uint8)
    expected = label_map.copy()
    for row, column in np.ndindex(*label_map.shape):
        rows, columns = (slice(max(at - width, 0), at + width + 1) for at in (row, column))
        if len(np.unique(label_map[rows, columns])) > 1:
            expected[row, column] = 255
    assert np.array_equal(ignore_borders(label_map, width=width), expected)


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


# --- the backbone ---


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    return lite1_file(tmp_path_factory.mktemp("lite1"))


def test_backbone_gives_the_network_s_last_maps_of_every_size(weights):
    backbone = EfficientNetLite1Backbone(pretrained=str(weights))
    picture = paddle.to_tensor(np.random.default_rng(0).uniform(-1, 1, (1, 3, 64, 96)), "float32")
    maps = backbone(picture)
    assert [found.shape for found in maps] == [
        [1, channels, 64 // stride, 96 // stride]
        for channels, stride in zip(backbone.feat_channels, (2, 4, 8, 16, 32))
    ]
    network = EfficientNetLite1(weights=weights)
    channels = [network.channels[name] for name in backbone.layers]
    assert backbone.feat_channels == channels
    for name, found in zip(backbone.layers, maps):
        assert_same(found.numpy(), network(picture, [name])[name].numpy())
        # the next block halves the picture or there is none: no later map has this size
        after = list(network.channels)[list(network.channels).index(name) + 1 :][:1]
        for later in after:
            assert network(picture, [later])[later].shape[2:] != found.shape[2:]


def test_backbone_trains_all_but_the_frozen_blocks(weights):
    def trained(**options):
        backbone = EfficientNetLite1Backbone(pretrained=str(weights), **options)
        names = {n.split(".")[1] for n, p in backbone.named_parameters() if not p.stop_gradient}
        return names

    every = {"stem", *(f"block{index}" for index in range(21))}
    assert trained() == every
    assert trained(frozen_blocks=2) == every - {"stem", "block0", "block1"}


def test_backbone_without_weights_takes_them_later(weights):
    given = EfficientNetLite1Backbone(pretrained=str(weights))
    later = EfficientNetLite1Backbone()
    later.set_state_dict(given.state_dict())
    picture = paddle.ones([1, 3, 32, 32])
    assert_same(later(picture)[-1].numpy(), given(picture)[-1].numpy())
