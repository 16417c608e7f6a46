"""Styles that come with a model: by name, by default, by seed."""

from __future__ import annotations

import dataclasses
import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from spade_paddle.errors import LabelMapError
from spade_paddle.inference.painter import Painter
from spade_paddle.inference.styles import add_styles
from tests.engine.conftest import environment
from tests.inference.conftest import photo, scene_labels

NAMES = ("bright", "gray", "sunset")


@pytest.fixture(scope="module")
def photos(tmp_path_factory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("photos")
    paths = {name: folder / f"{name}.png" for name in NAMES}
    for seed, path in enumerate(paths.values()):
        Image.fromarray(photo(seed)).save(path)
    return paths


@pytest.fixture(scope="module")
def painter(make_exported, photos, tmp_path_factory) -> Painter:
    folder = tmp_path_factory.mktemp("model") / "styled"
    shutil.copytree(make_exported("style")[1], folder)
    add_styles(folder, photos)
    return Painter.load(folder, threads=1)


@pytest.fixture
def label_map(landscape):
    return scene_labels(3, landscape, 64, 64)


def test_a_name_paints_as_its_photo_does(painter, photos, label_map):
    assert list(painter.styles) == list(NAMES)
    pictures = []
    for name, path in photos.items():
        vector = painter.style_of(np.asarray(Image.open(path)))
        assert np.allclose(painter.styles[name], vector, atol=1e-4)
        pictures.append(painter.paint(label_map, style=name))
        by_photo = painter.paint(label_map, style=np.asarray(Image.open(path)))
        assert np.abs(pictures[-1].astype(int) - by_photo).max() <= 1
    assert not np.array_equal(pictures[0], pictures[1])


def test_the_first_is_the_default_and_seeds_draw_among_all(painter, label_map):
    assert np.array_equal(painter.paint(label_map), painter.paint(label_map, style="bright"))
    by_name = [painter.paint(label_map, style=name).tobytes() for name in NAMES]
    drawn = [painter.paint(label_map, seed=seed).tobytes() for seed in range(12)]
    assert set(drawn) == set(by_name)  # this model has no noise, so a seed draws nothing else
    assert painter.paint(label_map, seed=3).tobytes() == drawn[3]


def test_a_name_it_has_not_is_told_with_those_it_has(painter, label_map, make_exported):
    with pytest.raises(LabelMapError, match="no style 'dark'; it has bright, gray, sunset"):
        painter.paint(label_map, style="dark")
    plain = Painter.load(make_exported("style")[1], threads=1)
    with pytest.raises(LabelMapError, match="no style 'bright'; it has no named styles"):
        plain.paint(label_map, style="bright")


def test_a_model_without_styles_takes_none(make_exported, photos, tmp_path):
    shutil.copytree(make_exported("clade")[1], tmp_path / "model")
    before = (tmp_path / "model" / "model.json").read_bytes()
    with pytest.raises(LabelMapError, match="has no style input"):
        add_styles(tmp_path / "model", photos)
    assert (tmp_path / "model" / "model.json").read_bytes() == before


def test_the_tool_paints_with_a_name_and_says_what_a_wrong_option_lacks(
    processes, painter, photos, label_map, root, tmp_path, make_exported
):
    folder = tmp_path / "styled"
    shutil.copytree(make_exported("style")[1], folder)
    add_styles(folder, photos)
    assert [s["name"] for s in json.loads((folder / "model.json").read_text())["styles"]] == [
        *NAMES
    ]
    Image.fromarray(label_map).save(tmp_path / "map.png")

    def tool(name, *options):
        return subprocess.run(
            [sys.executable, str(root / "tools" / f"{name}.py"), *options],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            env=environment(root),
            timeout=120,
            check=False,
        )

    result = tool(
        *("paint", "--model", "styled", "--label-map", "map.png", "--out", "o.png"),
        *("--style", "sunset"),
    )
    assert result.returncode == 0, result.stderr
    picture = np.asarray(Image.open(tmp_path / "o.png")).astype(int)
    assert np.abs(picture - painter.paint(label_map, style="sunset")).max() <= 1
    result = tool("export", "--run", "r", "--out", "m", "--style", "bright")
    assert result.returncode == 2
    assert "expected NAME=PHOTO, got 'bright'" in result.stderr


def test_a_model_tells_whether_a_seed_changes_its_pictures(make_exported, painter, label_map):
    for name, has_seeds in (("spade", False), ("clade", True), ("style", True)):
        other = Painter.load(make_exported(name)[1], threads=1)
        first, second = (other.paint(label_map, seed=seed) for seed in (1, 2))
        assert other.has_seeds is has_seeds is not np.array_equal(first, second)
    one_style = dataclasses.replace(painter.card, styles=painter.card.styles[:1])
    assert not Painter(one_style, painter._generator).has_seeds
