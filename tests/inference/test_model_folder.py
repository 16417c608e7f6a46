"""Export and painter: the exported model paints what the trained network paints."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import paddle
import pytest

from spade_paddle.config import Config, DataConfig, GeneratorConfig
from spade_paddle.data.noise import noise_maps
from spade_paddle.data.synthetic import synthetic_scene
from spade_paddle.errors import LabelMapError, ModelError
from spade_paddle.inference.export import export_generator, export_run
from spade_paddle.inference.painter import Painter
from spade_paddle.layers.spectral import effective_state
from spade_paddle.networks.build import build_generator
from spade_paddle.networks.semantics import semantic_input

SPADE_CONFIG = Config(
    data=DataConfig(crop_size=64, short_side=64, instance_edges=True),
    generator=GeneratorConfig(ngf=3, max_width=12, nhidden=8, simam=True),
)
CLADE_CONFIG = Config(
    data=DataConfig(crop_size=64, short_side=64, instance_edges=False),
    generator=GeneratorConfig(
        norm="clade", ngf=3, activation="leaky_relu", simam=False, noise=True
    ),
)


def trained_generator(config, label_set):
    """A generator with spectral norm whose statistics have seen some pictures."""
    paddle.seed(3)
    generator = build_generator(config, num_labels=len(label_set))
    generator.train()
    with paddle.no_grad():
        for seed in range(4):
            labels = scene_labels(seed, label_set, 64, 64)
            generator(semantics(config, labels, label_set), noise(generator, 64, 64))
        if generator.noise_channels:
            generator.up_3.noise_strength.set_value(paddle.full([6, 1, 1], 0.3))
    generator.eval()
    return generator


def scene_labels(seed, label_set, height, width):
    return synthetic_scene(seed, label_set=label_set, height=height, width=width).label_map


def semantics(config, label_map, label_set):
    return semantic_input(
        paddle.to_tensor(label_map.astype(np.int32)[None]),
        num_labels=len(label_set),
        dont_care=config.data.dont_care,
        edges=config.data.instance_edges,
    )


def noise(generator, height, width, seed=0):
    channels = generator.noise_channels
    maps = noise_maps(seed, channels=channels, height=height, width=width)
    return paddle.to_tensor(maps[None]) if channels else None


def export(config, generator, label_set, folder):
    return export_generator(
        effective_state(generator),
        folder,
        config=config,
        label_set=label_set,
        name="tiny",
        version="7",
        training={},
    )


@pytest.fixture(scope="module", params=[SPADE_CONFIG, CLADE_CONFIG], ids=["spade", "clade"])
def exported(request, landscape, tmp_path_factory):
    generator = trained_generator(request.param, landscape)
    folder = tmp_path_factory.mktemp("export") / "model"
    export(request.param, generator, landscape, folder)
    return request.param, generator, folder


@pytest.fixture(scope="module")
def painter(exported):
    return Painter.load(exported[2], threads=1)


@pytest.mark.parametrize("size", [(64, 64), (96, 32), (128, 160)])
def test_painter_paints_what_the_trained_network_paints(exported, painter, landscape, size):
    config, generator, _ = exported
    label_map = scene_labels(9, landscape, *size)
    label_map[:8, :8] = 255
    with paddle.no_grad():
        seg = semantics(config, label_map, landscape)
        expected = generator(seg, noise(generator, *size, seed=5)).numpy()[0]
    expected = (expected.transpose(1, 2, 0) + 1) * 127.5
    picture = painter.paint(label_map, seed=5)
    assert picture.dtype == np.uint8
    assert picture.shape == (*size, 3)
    assert np.abs(picture - expected).max() <= 0.5 + 0.02  # rounding, and float sums


def test_different_label_maps_give_different_pictures(painter, landscape):
    one, other = (painter.paint(scene_labels(s, landscape, 64, 64)) for s in (1, 2))
    assert not np.array_equal(one, other)


def test_seed_changes_the_picture_of_a_model_with_noise_only(exported, painter, landscape):
    label_map = scene_labels(1, landscape, 64, 64)
    default, same, other = (painter.paint(label_map, seed=seed) for seed in (None, 0, 1))
    assert np.array_equal(default, same)
    assert np.array_equal(default, other) == (exported[1].noise_channels == 0)


def test_odd_sizes_are_painted_on_the_padded_map_and_cut_back(painter, landscape):
    label_map = scene_labels(4, landscape, 50, 70)
    assert painter.padded_size(50, 70) == (64, 96)
    padded = np.pad(label_map, ((0, 14), (0, 26)), mode="edge")
    assert np.array_equal(painter.paint(label_map), painter.paint(padded)[:50, :70])


def test_model_json_describes_the_model(exported, painter, landscape):
    model = json.loads((exported[2] / "model.json").read_text(encoding="utf-8"))
    assert (model["name"], model["version"]) == ("tiny", "7")
    assert (painter.height, painter.width, painter.multiple) == (64, 64, 32)
    assert painter.label_set == landscape
    program = "generator.pdmodel" if paddle.__version__.startswith("2.") else "generator.json"
    assert set(model["files"]) == {program, "generator.pdiparams"}
    assert {path.name for path in exported[2].iterdir()} == {"model.json", *model["files"]}


@pytest.mark.parametrize(
    ("label_map", "code"),
    [
        (np.full((64, 64), 13, np.uint8), "label_unknown"),
        (np.zeros((64, 64, 3), np.uint8), "label_map_shape"),
        (np.zeros((1, 1), np.uint8), "label_map_too_small"),
        (np.zeros((31, 64), np.uint8), "label_map_too_small"),
        (np.zeros((1025, 1024), np.uint8), "label_map_too_large"),
    ],
)
def test_unpaintable_maps_are_refused(painter, label_map, code):
    with pytest.raises(LabelMapError) as error:
        painter.paint(label_map)
    assert error.value.code == code


def test_style_is_refused_by_a_model_without_styles(painter):
    with pytest.raises(LabelMapError, match="takes no style picture"):
        painter.paint(np.zeros((64, 64), np.uint8), style=np.zeros((8, 8, 3), np.uint8))


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda f: (f / "model.json").unlink(), "not a model folder"),
        (lambda f: (f / "model.json").write_text("{"), "damaged"),
        (lambda f: (f / "generator.pdiparams").unlink(), "pdiparams: missing"),
        (lambda f: (f / "generator.pdiparams").write_bytes(b"x"), "not the file that was exported"),
        (
            lambda f: (f / "model.json").write_text(
                (f / "model.json").read_text().replace('"format": 2', '"format": 99')
            ),
            "format 99",
        ),
    ],
)
def test_damaged_model_folders_are_named(exported, tmp_path, damage, message):
    import shutil

    folder = tmp_path / "model"
    shutil.copytree(exported[2], folder)
    damage(folder)
    with pytest.raises(ModelError, match=message):
        Painter.load(folder)


def test_export_replaces_a_folder_only_when_it_has_worked(exported, tmp_path, landscape):
    config, generator, _ = exported
    folder = tmp_path / "model"
    export(config, generator, landscape, folder)
    before = (folder / "model.json").read_text(encoding="utf-8")
    other = dataclasses.replace(
        config, generator=dataclasses.replace(config.generator, ngf=config.generator.ngf + 1)
    )
    with pytest.raises(ModelError, match="do not fit the network"):
        export(other, generator, landscape, folder)
    assert (folder / "model.json").read_text(encoding="utf-8") == before
    assert list(tmp_path.iterdir()) == [folder]


def test_run_without_checkpoint_is_named(tmp_path):
    with pytest.raises(ModelError, match="there is no checkpoint here"):
        export_run(tmp_path / "none", tmp_path / "out", name="x", version="1")
