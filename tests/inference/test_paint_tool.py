"""tools/paint.py as people run it, in processes of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from spade_paddle.inference.natural_edges import natural_edges
from spade_paddle.inference.painter import Painter
from tests.inference.conftest import photo, scene_labels


class Studio:
    """A folder with a model that knows styles and instances, and everything it can be given."""

    def __init__(self, folder, root, model, label_set):
        self.folder, self.root, self.model = folder, root, model
        self.label_map = scene_labels(3, label_set, 64, 96)
        self.instances = self.label_map.astype(np.uint16)
        self.instances[:, 40:] += 700
        self.photo = photo()
        Image.fromarray(self.label_map).save(folder / "map.png")
        Image.fromarray(self.instances).save(folder / "inst.png")
        Image.fromarray(self.photo).save(folder / "style.png")
        self.painter = Painter.load(model, threads=1)

    def paint(self, *options, labels="map.png", out="out.png"):
        command = [sys.executable, str(self.root / "tools" / "paint.py"), "--model", self.model]
        return subprocess.run(
            [*command, "--label-map", labels, "--out", out, *options],
            cwd=self.folder,
            capture_output=True,
            text=True,
            env={**os.environ, "PYTHONPATH": str(self.root)},
            timeout=120,
            check=False,
        )

    def picture(self, name="out.png"):
        return np.asarray(Image.open(self.folder / name))


@pytest.fixture(scope="module")
def studio(processes, make_exported, landscape, root, tmp_path_factory):
    return Studio(tmp_path_factory.mktemp("studio"), root, make_exported("style")[1], landscape)


def close(one, other):
    """Equal but for the last bit: two processes may use different numbers of threads."""
    assert one.shape == other.shape
    return np.abs(one.astype(int) - other).max() <= 1


def test_a_style_photo_and_instances_are_painted_at_the_size_of_the_map(studio):
    options = ("--style", "style.png", "--instances", "inst.png", "--save-style", "kept.npy")
    result = studio.paint(*options)
    assert result.returncode == 0, result.stderr
    assert "96 x 64 pixels: out.png" in result.stdout
    instances = studio.instances.astype(np.int32)
    expected = studio.painter.paint(studio.label_map, style=studio.photo, instance_map=instances)
    assert close(studio.picture(), expected)
    # and the saved style paints the same
    again = studio.paint("--style", "kept.npy", "--instances", "inst.png", out="deeper/again.png")
    assert again.returncode == 0, again.stderr
    assert close(studio.picture("deeper/again.png"), expected)
    assert np.load(studio.folder / "kept.npy").shape == (4,)


def test_a_seed_paints_its_style(studio):
    assert studio.paint("--seed", "7", out="seed.png").returncode == 0
    assert close(studio.picture("seed.png"), studio.painter.paint(studio.label_map, seed=7))


def test_edges_may_be_natural(studio):
    assert studio.paint("--edges", "natural", "--seed", "7", out="edges.png").returncode == 0
    label_map = natural_edges(studio.label_map, studio.painter.label_set, seed=7)
    assert (label_map != studio.label_map).any()
    assert close(studio.picture("edges.png"), studio.painter.paint(label_map, seed=7))
    result = studio.paint("--edges", "natural", "--instances", "inst.png", out="no.png")
    assert result.returncode == 2 and "leave one of the two out" in result.stderr


def test_a_folder_of_label_maps_becomes_a_folder_of_pictures_of_their_names(studio):
    maps, instances = studio.folder / "maps", studio.folder / "instances"
    maps.mkdir()
    instances.mkdir()
    turned = studio.label_map[:, ::-1]
    Image.fromarray(studio.label_map).save(maps / "lake.png")
    Image.fromarray(turned).save(maps / "turned.png")
    Image.fromarray(np.full((64, 96), 200, np.uint8)).save(maps / "of another set.png")
    Image.fromarray(studio.instances).save(instances / "lake.png")
    Image.fromarray(studio.instances).save(instances / "turned.png")
    options = ("--seed", "3", "--instances", "instances")
    result = studio.paint(*options, labels="maps", out="new/pictures")
    assert result.returncode == 1
    (error,) = re.findall("^error: .*", result.stderr, re.MULTILINE)
    assert error.startswith("error: maps/of another set.png: ")
    assert result.stdout.splitlines()[-1] == "2 of 3 label maps painted"
    written = {path.name for path in (studio.folder / "new/pictures").iterdir()}
    assert written == {"lake.png", "turned.png"}
    ids = studio.instances.astype(np.int32)
    expected = studio.painter.paint(turned, seed=3, instance_map=ids)
    assert close(studio.picture("new/pictures/turned.png"), expected)

    (maps / "of another set.png").unlink()
    (studio.folder / "new/pictures/turned.png").write_bytes(b"mine")
    (studio.folder / "new/pictures/lake.png").unlink()
    result = studio.paint(*options, labels="maps", out="new/pictures")
    assert result.returncode == 1
    assert "turned.png: this exists already; --overwrite replaces it" in result.stderr
    assert (studio.folder / "new/pictures/turned.png").read_bytes() == b"mine"
    assert (studio.folder / "new/pictures/lake.png").is_file()
    options = (*options, "--overwrite")
    result = studio.paint(*options, labels="maps", out="new/pictures")
    assert (result.returncode, result.stderr) == (0, "")
    assert close(studio.picture("new/pictures/turned.png"), expected)
    result = studio.paint(*options, "--format", "jpg", labels="maps", out="new/pictures")
    assert result.returncode == 0
    assert Image.open(studio.folder / "new/pictures/turned.jpg").format == "JPEG"


def test_pictures_never_replace_their_label_maps(studio):
    (studio.folder / "only maps").mkdir(exist_ok=True)
    path = studio.folder / "only maps" / "a.png"
    Image.fromarray(studio.label_map).save(path)
    result = studio.paint("--overwrite", labels="only maps", out="only maps")
    assert result.returncode == 2
    assert "would replace the label maps; choose another folder" in result.stderr
    assert np.array_equal(np.asarray(Image.open(path)), studio.label_map)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--style", "none.jpg"], "none.jpg: cannot be read as a photo"),
        (["--style", "map.npy"], "not a saved style"),
        (["--seed", "-1"], "expected 0, 1, 2, ..., got '-1'"),
        (["--save-style", "kept.npy"], "together with --style PHOTO"),
        (["--style", "style.png", "--save-style", "kept.txt"], "ends in .npy"),
        (["--out", "picture.doc"], "is not a picture format; use .png or .jpg"),
        (["--label-map", "style.png"], "colors are not ids"),
        (["--model", "nowhere"], "not a model folder"),
        (["--instances", "."], "expected a file, because --label-map is one"),
        (["--label-map", ".", "--out", "map.png"], "expected a folder, because --label-map is one"),
    ],
)
def test_mistakes_are_one_line_exit_code_2_and_no_file(studio, options, message):
    before = sorted(studio.folder.iterdir())
    result = studio.paint(*options, out="wrong.png")
    assert result.returncode == 2
    assert message in result.stderr.strip().splitlines()[-1]
    assert "Traceback" not in result.stderr
    assert sorted(studio.folder.iterdir()) == before
