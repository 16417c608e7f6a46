"""Export and painter: the exported model paints what the trained network paints."""

from __future__ import annotations

import dataclasses
import json
import shutil
import threading

import numpy as np
import paddle
import pytest

from spade_paddle.data.noise import style_noise
from spade_paddle.engine.training_weights import TrainingWeights
from spade_paddle.errors import LabelMapError, ModelError
from spade_paddle.inference.export import export_run
from spade_paddle.inference.painter import Painter
from tests.inference.conftest import CONFIGS, export, photo, scene_labels


@pytest.fixture(scope="module", params=CONFIGS)
def exported(request, make_exported):
    return make_exported(request.param)


@pytest.fixture(scope="module")
def painter(exported):
    return Painter.load(exported[1], threads=1)


@pytest.fixture(scope="module")
def stylist(make_exported):
    """The trained model with style, and its painter."""
    trained, folder = make_exported("style")
    return trained, Painter.load(folder, threads=1)


def assert_painted(picture, expected):
    assert picture.dtype == np.uint8
    assert picture.shape == expected.shape
    assert np.abs(picture - expected).max() <= 0.5 + 0.02  # rounding, and float sums
    assert picture.std() > 1


@pytest.mark.parametrize("size", [(64, 64), (96, 32), (128, 160)])
def test_painter_paints_what_the_trained_network_paints(exported, painter, landscape, size):
    trained, _ = exported
    label_map = scene_labels(9, landscape, *size)
    if trained.config.data.dont_care:
        label_map[:8, :8] = 255
    assert_painted(
        painter.paint(label_map, seed=5 if painter.style_dim == 0 else None),
        trained.paint(label_map, seed=5),
    )


@pytest.mark.parametrize("size", [(64, 64), (50, 70)])
def test_maps_painted_together_are_those_painted_one_by_one(painter, landscape, size):
    label_maps = [scene_labels(number, landscape, *size) for number in (1, 2, 3)]
    styles = [None, None, None]
    if painter.style_dim:
        styles = [None, np.ones(painter.style_dim), photo()]
    seeds = [None, 5, 6]
    together = painter.paint_many(label_maps, seeds=seeds, styles=styles)
    assert len(together) == 3
    for label_map, seed, style, picture in zip(label_maps, seeds, styles, together):
        alone = painter.paint(label_map, seed=seed, style=style)
        assert picture.dtype == np.uint8 and picture.shape == (*size, 3)
        assert np.abs(picture.astype(int) - alone).max() <= 1
    assert not np.array_equal(together[0], together[1])


def test_a_photo_gives_its_style_the_mean_of_the_encoder(stylist, landscape):
    trained, painter = stylist
    label_map = scene_labels(2, landscape, 64, 96)
    style = trained.style_of(photo())
    assert painter.has_styles
    assert np.allclose(painter.style_of(photo()), style.numpy()[0], atol=1e-4)
    assert_painted(painter.paint(label_map, style=photo()), trained.paint(label_map, style=style))
    kept = painter.style_of(photo())
    assert np.array_equal(
        painter.paint(label_map, style=kept), painter.paint(label_map, style=photo())
    )
    assert not np.array_equal(
        painter.paint(label_map, style=photo(1)), painter.paint(label_map, style=photo())
    )


def test_a_seed_draws_a_style_and_without_one_it_is_the_average(stylist, landscape):
    trained, painter = stylist
    label_map = scene_labels(2, landscape, 64, 64)
    drawn = paddle.to_tensor(style_noise(3, style_dim=4)[None])
    assert_painted(painter.paint(label_map, seed=3), trained.paint(label_map, style=drawn))
    assert_painted(painter.paint(label_map), trained.paint(label_map))
    assert not np.array_equal(painter.paint(label_map, seed=3), painter.paint(label_map, seed=4))
    # a style that is given is not changed by the seed
    one, other = (painter.paint(label_map, style=photo(), seed=seed) for seed in (1, 2))
    assert np.array_equal(one, other)


def test_instances_make_edges_inside_a_label(stylist, landscape):
    trained, painter = stylist
    label_map = scene_labels(2, landscape, 64, 64)
    instances = label_map.astype(np.int32)
    instances[:, 20:] += 1000
    assert_painted(
        painter.paint(label_map, instance_map=instances),
        trained.paint(label_map, instance_map=instances),
    )
    same = painter.paint(label_map, instance_map=label_map)
    assert np.array_equal(painter.paint(label_map), same)  # the labels stand in
    assert not np.array_equal(painter.paint(label_map, instance_map=instances), same)


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"style": np.zeros((8, 8), np.uint8)}, "style_shape"),
        ({"style": np.zeros(3)}, "style_shape"),
        ({"style": np.full(4, np.nan)}, "style_shape"),
        ({"style": np.zeros((8, 8, 4), np.uint8)}, "style_shape"),
        ({"style": np.zeros((8, 8, 3))}, "style_shape"),
        ({"instance_map": np.zeros((64, 65), np.int32)}, "instance_map_shape"),
        ({"instance_map": np.zeros((64, 64))}, "instance_map_shape"),
    ],
)
def test_styles_and_instances_that_do_not_fit_are_refused(stylist, options, code):
    with pytest.raises(LabelMapError) as error:
        stylist[1].paint(np.zeros((64, 64), np.uint8), **options)
    assert error.value.code == code


def test_dont_care_is_refused_by_a_model_that_knows_none(stylist):
    label_map = np.zeros((64, 64), np.uint8)
    label_map[3, 4] = 255
    with pytest.raises(LabelMapError, match=r"does not support .don't care."):
        stylist[1].paint(label_map)


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"style": photo()}, "no_styles"),
        ({"style": np.zeros(4)}, "no_styles"),
        ({"instance_map": np.zeros((64, 64), np.int32)}, "no_instances"),
    ],
)
def test_styles_and_instances_are_refused_by_a_model_without(make_exported, options, code):
    painter = Painter.load(make_exported("clade")[1], threads=1)
    assert not painter.has_styles
    with pytest.raises(LabelMapError) as error:
        painter.paint(np.zeros((64, 64), np.uint8), **options)
    assert error.value.code == code


def test_different_label_maps_give_different_pictures(painter, landscape):
    one, other = (painter.paint(scene_labels(s, landscape, 64, 64)) for s in (1, 2))
    assert not np.array_equal(one, other)


@pytest.mark.parametrize(("name", "changes"), [("spade", False), ("clade", True)])
def test_seed_changes_a_picture_without_style_only_by_its_noise(
    make_exported, landscape, name, changes
):
    painter = Painter.load(make_exported(name)[1], threads=1)
    label_map = scene_labels(1, landscape, 64, 64)
    default, same, other = (painter.paint(label_map, seed=seed) for seed in (None, 0, 1))
    assert np.array_equal(default, same)
    assert np.array_equal(default, other) == (not changes)


def test_odd_sizes_are_painted_on_the_padded_map_and_cut_back(painter, landscape):
    label_map = scene_labels(4, landscape, 50, 70)
    assert painter.padded_size(50, 70) == (64, 96)
    padded = np.pad(label_map, ((0, 14), (0, 26)), mode="edge")
    assert np.array_equal(painter.paint(label_map), painter.paint(padded)[:50, :70])


def test_model_json_describes_the_model(exported, painter, landscape):
    trained, folder = exported
    model = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    assert (model["name"], model["version"]) == ("tiny", "7")
    assert (painter.height, painter.width, painter.multiple) == (64, 64, 32)
    assert painter.label_set == landscape
    program = "generator.pdmodel" if paddle.__version__.startswith("2.") else "generator.json"
    files = {program, "generator.pdiparams"}
    if trained.encoder is not None:
        files |= {name.replace("generator", "encoder") for name in files}
    assert set(model["files"]) == files
    assert {path.name for path in folder.iterdir()} == {"model.json", *model["files"]}
    assert model["positions"] == ("icpe" if trained.config.knows_positions else None)
    assert model["style_dim"] == trained.config.encoder.style_dim


@pytest.mark.parametrize(
    "damage", [lambda path: path.write_bytes(b"x"), lambda path: path.unlink()]
)
def test_painting_reads_nothing_of_what_training_needs(make_exported, landscape, tmp_path, damage):
    trained, plain = make_exported("clade")
    folder = tmp_path / "model"
    weights = TrainingWeights({"generator": trained.generator.state_dict()})
    export(trained, folder, training_weights=weights)
    model = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    assert list(model["training_files"]) == ["training.pdparams"]
    assert set(model["files"]) == set(Painter.load(plain, threads=1).card.files)
    damage(folder / "training.pdparams")
    label_map = scene_labels(1, landscape, 64, 64)
    assert_painted(Painter.load(folder, threads=1).paint(label_map), trained.paint(label_map))


def test_a_model_folder_of_format_1_is_still_read(make_exported, landscape, tmp_path):
    trained, folder = make_exported("clade")
    old = shutil.copytree(folder, tmp_path / "model")
    model = json.loads((old / "model.json").read_text(encoding="utf-8"))
    for key in ("positions", "style_dim"):
        del model[key]
    (old / "model.json").write_text(json.dumps({**model, "format": 1}), encoding="utf-8")
    label_map = scene_labels(1, landscape, 64, 64)
    assert_painted(Painter.load(old, threads=1).paint(label_map), trained.paint(label_map))


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
    folder = shutil.copytree(exported[1], tmp_path / "model")
    damage(folder)
    with pytest.raises(ModelError, match=message):
        Painter.load(folder)


def test_export_replaces_a_folder_only_when_it_has_worked(exported, tmp_path):
    trained, _ = exported
    folder = tmp_path / "model"
    export(trained, folder)
    before = (folder / "model.json").read_text(encoding="utf-8")
    wider = dataclasses.replace(trained.config.generator, ngf=trained.config.generator.ngf + 1)
    with pytest.raises(ModelError, match="do not fit SPADEGenerator"):
        export(trained, folder, config=dataclasses.replace(trained.config, generator=wider))
    assert (folder / "model.json").read_text(encoding="utf-8") == before
    assert list(tmp_path.iterdir()) == [folder]


def test_run_without_checkpoint_is_named(tmp_path):
    with pytest.raises(ModelError, match="there is no checkpoint here"):
        export_run(tmp_path / "none", tmp_path / "out", name="x", version="1")


def test_generator_and_encoder_run_in_turn_from_changing_threads(stylist, landscape):
    # as a server's requests do; Paddle's predictors failed there about one time in five
    _, painter = stylist
    label_map = scene_labels(2, landscape, 64, 64)
    expected = painter.paint(label_map, style=photo())
    pictures = []

    def request():
        pictures.append(painter.paint(label_map))
        pictures.append(painter.paint(label_map, style=photo()))

    for _ in range(15):
        thread = threading.Thread(target=request)
        thread.start()
        thread.join()
    assert len(pictures) == 30
    assert all(np.array_equal(picture, expected) for picture in pictures[1::2])
