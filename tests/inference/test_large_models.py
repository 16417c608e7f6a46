"""A model folder with another model in it, for large pictures."""

from __future__ import annotations

import dataclasses
import json
import shutil

import numpy as np
import pytest
from PIL import Image

from spade_paddle.data.transforms import resize_nearest
from spade_paddle.errors import ModelError
from spade_paddle.inference.color_match import match_colors, shrunken_size
from spade_paddle.inference.painter import Painter
from spade_paddle.inference.styles import add_styles
from spade_paddle.model_card import LARGE
from tests.inference.conftest import STYLE_CONFIG, Trained, export, photo, scene_labels

SIDE = 128


@pytest.fixture(scope="module")
def folder(make_exported, landscape, tmp_path_factory):
    """The model folder of a generator for 64 pixels, and in it that of one for 128."""
    folder = tmp_path_factory.mktemp("sizes") / "model"
    shutil.copytree(make_exported("style")[1], folder)
    data = dataclasses.replace(STYLE_CONFIG.data, crop_size=SIDE, load_size=SIDE)
    export(Trained(dataclasses.replace(STYLE_CONFIG, data=data), landscape), folder / LARGE)
    for seed, model in enumerate((folder, folder / LARGE)):
        path = folder.parent / f"{seed}.png"
        Image.fromarray(photo(seed)).save(path)
        add_styles(model, {"dusk": path})
    return folder


@pytest.fixture(scope="module")
def painter(folder):
    return Painter.load(folder, threads=1)


@pytest.fixture(scope="module")
def parts(folder, tmp_path_factory):
    """Both models, each opened on its own."""
    alone = tmp_path_factory.mktemp("alone") / "model"
    shutil.copytree(folder, alone, ignore=shutil.ignore_patterns(LARGE))
    return Painter.load(alone, threads=1), Painter.load(folder / LARGE, threads=1)


@pytest.mark.parametrize(
    "height, width, is_large",
    [(64, 64, False), (90, 91, False), (64, 128, True), (91, 91, True), (128, 128, True)],
)
@pytest.mark.parametrize("style", [None, "dusk", photo(5), np.ones(4, np.float32)])
def test_a_map_is_painted_by_the_model_of_the_closer_size(
    painter, parts, landscape, height, width, is_large, style
):
    label_map = scene_labels(0, landscape, height, width)
    picture = painter.paint(label_map, seed=3, style=style)
    pictures = [part.paint(label_map, seed=3, style=style) for part in parts]
    assert (pictures[0] != pictures[1]).any()
    if is_large:  # in the colors of the other model, which paints at its own size
        if style is None:
            style = parts[1].chosen_style(label_map, seed=3)
        small_map = resize_nearest(label_map, *shrunken_size(height, width, area=64 * 64))
        small = parts[0].paint(small_map, seed=3, style=style)
        pictures[1] = match_colors(pictures[1], small, label_map)
    assert np.array_equal(picture, pictures[is_large])
    (same,) = painter.paint_many([label_map], seeds=[3], styles=[style])
    assert np.array_equal(picture, same)
    chosen = [part.chosen_style(label_map) for part in parts]
    assert np.array_equal(painter.chosen_style(label_map), chosen[is_large])


def test_a_folder_with_one_model_paints_all_sizes_with_it(parts):
    assert parts[0].large is None
    assert parts[0].for_size(2000, 2000) is parts[0]


@pytest.mark.parametrize(
    "changes, named",
    [
        ({"styles": []}, "styles"),
        ({"style_dim": 0, "styles": []}, "inputs, style_dim, styles"),
        ({"multiple": 64}, "multiple"),
        ({"dont_care": True}, "don't care"),
    ],
)
def test_a_large_model_for_other_inputs_is_refused(folder, tmp_path, changes, named):
    shutil.copytree(folder, tmp_path / "model")
    path = tmp_path / "model" / LARGE / "model.json"
    card = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**card, **changes}), encoding="utf-8")
    with pytest.raises(ModelError, match=f"differs in: {named};") as caught:
        Painter.load(tmp_path / "model", threads=1, engine="paddle")
    assert caught.value.code == "large_model_differs"


def test_a_large_model_for_pictures_of_the_same_size_is_refused(make_exported, tmp_path):
    shutil.copytree(make_exported("style")[1], tmp_path / "model")
    shutil.copytree(make_exported("style")[1], tmp_path / "model" / LARGE)
    with pytest.raises(ModelError, match="larger than 64 x 64, got one for 64 x 64"):
        Painter.load(tmp_path / "model", threads=1)


def test_a_damaged_large_model_is_told_when_the_folder_is_opened(folder, tmp_path):
    shutil.copytree(folder, tmp_path / "model")
    (tmp_path / "model" / LARGE / "generator.pdiparams").write_bytes(b"")
    with pytest.raises(ModelError, match=r"large/generator\.pdiparams: missing or not"):
        Painter.load(tmp_path / "model", threads=1)
