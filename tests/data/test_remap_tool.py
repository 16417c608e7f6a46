from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from spade_paddle.data.label_maps import write_label_map
from spade_paddle.data.label_pictures import read_ids, read_label_map
from spade_paddle.data.label_sets import find_label_set, find_remap
from spade_paddle.data.labels import DONT_CARE
from spade_paddle.data.remap import Remap
from spade_paddle.data.remap_folder import remap_folder
from spade_paddle.errors import DataError, LabelMapError
from tests.synthetic import MOUNTAIN, SKY, TREE, WATER, synthetic_scene

PINK = (255, 0, 255)


def run_tool(root, *arguments):
    command = [sys.executable, str(root / "tools" / "remap.py"), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture
def drawings(tmp_path, landscape):
    """A folder of two drawings in the colors of the landscape labels, and their ids."""
    folder = tmp_path / "drawn"
    folder.mkdir()
    ids = {}
    for seed, ending in enumerate(("png", "bmp")):
        ids[f"scene{seed}"] = synthetic_scene(seed, label_set=landscape).label_map
        picture = Image.fromarray(landscape.colorize(ids[f"scene{seed}"]))
        picture.save(folder / f"scene{seed}.{ending}")
    (folder / "readme.txt").write_text("no map", encoding="utf-8")
    return folder, ids


@pytest.fixture
def identity(landscape):
    return Remap.identity(landscape)


def test_a_written_label_map_holds_the_ids_and_shows_their_colors(tmp_path, landscape):
    label_map = np.array([[0, 12, 4], [DONT_CARE, 7, 7]], np.int64)
    path = tmp_path / "new" / "map.png"
    write_label_map(path, label_map, landscape)
    with Image.open(path) as image:
        assert (image.format, image.mode) == ("PNG", "P")
        assert np.asarray(image).tolist() == label_map.tolist()
        shown = np.asarray(image.convert("RGB"))
    assert (shown == landscape.colorize(label_map.astype(np.uint8))).all()
    assert read_label_map(path, landscape).tolist() == label_map.tolist()
    assert [item.name for item in path.parent.iterdir()] == ["map.png"]


@pytest.mark.parametrize("ids", [[[0, 1]], [[0, 0]], [list(range(149, 0, -1))]])
def test_few_or_many_labels_are_written_with_eight_bits(tmp_path, ids):
    label_set = find_label_set("ade20k")
    write_label_map(tmp_path / "map.png", np.array(ids), label_set)
    assert (tmp_path / "map.png").read_bytes()[24] == 8
    assert read_ids(tmp_path / "map.png").tolist() == ids


def test_a_label_map_with_unknown_ids_is_not_written(tmp_path, landscape):
    with pytest.raises(LabelMapError, match=r"map\.png: unknown label ids 13"):
        write_label_map(tmp_path / "map.png", np.array([[13]]), landscape)
    assert list(tmp_path.iterdir()) == []


def test_ids_of_a_folder_become_ids_of_the_other_set(tmp_path, landscape):
    ade20k = find_label_set("ade20k")
    names = [["sky", "hill", "palm"], ["sea", "pier", "bed"]]
    ids = np.array([[ade20k.id_of(name) for name in row] for row in names], np.uint8)
    (tmp_path / "maps").mkdir()
    Image.fromarray(ids).save(tmp_path / "maps" / "a.png")
    outcome = remap_folder(tmp_path / "maps", tmp_path / "out", remap=find_remap(ade20k, landscape))
    label_map = read_label_map(tmp_path / "out" / "a.png", landscape)
    expected = [landscape.id_of(name) for name in ("sky", "mountain", "tree", "water", "building")]
    assert label_map.ravel().tolist() == [*expected, DONT_CARE]
    assert (outcome.written, outcome.problems) == (1, ())
    assert np.flatnonzero(outcome.pixels).tolist() == sorted([*expected, DONT_CARE])
    assert outcome.pixels.sum() == 6


def test_drawings_become_label_maps_of_the_same_names(tmp_path, drawings, landscape, identity):
    folder, ids = drawings
    outcome = remap_folder(folder, tmp_path / "out", remap=identity, colors=True)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "scene0.png",
        "scene1.png",
    ]
    for stem, expected in ids.items():
        label_map = read_label_map(tmp_path / "out" / f"{stem}.png", landscape)
        assert (label_map == expected).all()
    assert (outcome.written, outcome.snapped, outcome.problems) == (2, 0, ())
    assert outcome.pixels.sum() == sum(label_map.size for label_map in ids.values())


def test_drawings_in_the_colors_of_one_set_become_ids_of_another(tmp_path, landscape):
    cityscapes = find_label_set("cityscapes")
    drawn = np.full((20, 20), cityscapes.id_of("vegetation"), np.uint8)
    drawn[:10] = cityscapes.id_of("sky")
    (tmp_path / "maps").mkdir()
    Image.fromarray(cityscapes.colorize(drawn)).save(tmp_path / "maps" / "a.png")
    remap = find_remap(cityscapes, landscape)
    remap_folder(tmp_path / "maps", tmp_path / "out", remap=remap, colors=True)
    label_map = read_label_map(tmp_path / "out" / "a.png", landscape)
    assert (label_map[:10] == SKY).all()
    assert (label_map[10:] == TREE).all()


def test_a_folder_is_converted_the_same_way_twice(tmp_path, drawings, identity):
    folder, _ = drawings
    for name in ("one", "two"):
        remap_folder(folder, tmp_path / name, remap=identity, colors=True)
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes()


def test_files_that_are_not_right_are_told_and_the_rest_goes_on(tmp_path, landscape, identity):
    maps = tmp_path / "maps"
    maps.mkdir()
    good = np.full((4, 4), WATER, np.uint8)
    Image.fromarray(good).save(maps / "b.png")
    Image.fromarray(good + 200).save(maps / "a.png")  # unknown ids
    Image.fromarray(landscape.colorize(good)).save(maps / "c.png")  # colors
    Image.fromarray(good).save(maps / "d.jpg")
    (maps / "e.png").write_text("no picture", encoding="utf-8")
    Image.fromarray(good).save(maps / "f.png")
    outcome = remap_folder(maps, tmp_path / "out", remap=identity)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["b.png", "f.png"]
    assert outcome.written == 2
    told = dict(zip("acde", outcome.problems))
    assert len(outcome.problems) == 4
    assert "a.png: unknown label ids 207" in told["a"]
    assert "c.png: expected a gray or palette PNG" in told["c"]
    assert "d.jpg: a label map must not be a JPEG" in told["d"]
    assert "e.png: cannot be read" in told["e"]


def test_unknown_colors_are_told_and_become_dont_care(tmp_path, landscape, identity):
    maps = tmp_path / "maps"
    maps.mkdir()
    for name, colors in (("a", [PINK]), ("b", [(1, 254, 3), PINK])):
        pixels = landscape.colorize(np.full((20, 30), MOUNTAIN, np.uint8))
        for index, color in enumerate(colors):
            pixels[5:10, 5 + 10 * index : 10 + 10 * index] = color
        Image.fromarray(pixels).save(maps / f"{name}.png")
    outcome = remap_folder(maps, tmp_path / "out", remap=identity, colors=True)
    assert outcome.written == 2
    assert outcome.unknown == {PINK: 50, (1, 254, 3): 25}
    assert "a.png: 25 pixels are in colors of no label" in outcome.problems[0]
    assert "b.png: 50 pixels" in outcome.problems[1]
    assert "#ff00ff (25)" in outcome.problems[1]
    assert "#01fe03 (25)" in outcome.problems[1]
    label_map = read_label_map(tmp_path / "out" / "a.png", landscape)
    assert (label_map == DONT_CARE).sum() == 25
    assert outcome.pixels[DONT_CARE] == 75


def test_the_folder_that_is_read_is_never_written_to(drawings, identity):
    folder, _ = drawings
    with pytest.raises(DataError, match="this is the input folder") as e:
        remap_folder(folder, folder / ".." / "drawn", remap=identity, colors=True)
    assert e.value.code == "out_is_input"
    assert len(list(folder.iterdir())) == 3


def test_two_files_of_one_stem_are_refused_before_anything_is_written(tmp_path, drawings, identity):
    folder, _ = drawings
    (folder / "scene0.gif").write_bytes((folder / "scene0.png").read_bytes())
    with pytest.raises(DataError, match=r"scene0\.gif and scene0\.png differ only in"):
        remap_folder(folder, tmp_path / "out", remap=identity, colors=True)
    assert not (tmp_path / "out").exists()


def test_missing_and_empty_folders_are_named(tmp_path, identity):
    with pytest.raises(DataError, match="nowhere: there is no such folder"):
        remap_folder(tmp_path / "nowhere", tmp_path / "out", remap=identity)
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=r"empty: there is no \.png or .* file here"):
        remap_folder(tmp_path / "empty", tmp_path / "out", remap=identity)


def test_the_tool_prints_shares_and_ends_with_0(processes, tmp_path, root, drawings, landscape):
    folder, ids = drawings
    out = tmp_path / "out"
    result = run_tool(
        root,
        "--maps",
        folder,
        "--out",
        out,
        "--from",
        "landscape",
        "--to",
        "landscape",
        "--colors",
    )
    assert result.returncode == 0, result.stderr
    share = 100 * np.mean([label_map == SKY for label_map in ids.values()])
    rows = [line.split() for line in result.stdout.splitlines()]
    assert ["1", "sky", f"{share:.2f}"] in rows
    assert [row[0] for row in rows[1:5]] == ["1", "3", "5", "7"]
    assert "0 pixels (0.00 %) were not exactly in a label's color" in result.stdout
    assert f"2 label maps: {out}" in result.stdout
    assert "remap: 100%" in result.stderr
    label_map = read_label_map(out / "scene1.png", landscape)
    assert (label_map == ids["scene1"]).all()


def test_the_tool_tells_unknown_colors_and_ends_with_1(
    processes, tmp_path, root, drawings, landscape
):
    folder, _ = drawings
    Image.fromarray(np.full((5, 5, 3), PINK, np.uint8)).save(folder / "pink.png")
    result = run_tool(
        root, "--maps", folder, "--out", tmp_path / "out", "--from", "landscape", "--to",
        "landscape", "--colors",
    )  # fmt: skip
    assert result.returncode == 1
    assert "unknown color #ff00ff: 25 pixels" in result.stdout
    assert "3 label maps" in result.stdout
    assert "pink.png: 25 pixels are in colors of no label of 'landscape'" in result.stderr
    assert "Traceback" not in result.stderr


def test_the_tool_ends_with_1_for_ids_it_does_not_know(processes, tmp_path, root):
    (tmp_path / "maps").mkdir()
    for name, value in (("a", 150), ("b", 2)):
        Image.fromarray(np.full((4, 4), value, np.uint8)).save(tmp_path / "maps" / f"{name}.png")
    result = run_tool(
        root, "--maps", tmp_path / "maps", "--out", tmp_path / "out", "--from", "ade20k", "--to",
        "landscape",
    )  # fmt: skip
    assert result.returncode == 1
    assert "a.png: unknown label ids 150" in result.stderr
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["b.png"]


@pytest.mark.parametrize(
    ("source", "target", "message"),
    [
        ("ade", "landscape", "there is no label set 'ade'; did you mean 'ade20k'?"),
        ("landscape", "ade20k", "no remap from 'landscape' to 'ade20k'"),
    ],
)
def test_the_tool_says_in_one_line_what_is_missing(
    processes, tmp_path, root, source, target, message
):
    result = run_tool(
        root, "--maps", tmp_path, "--out", tmp_path / "out", "--from", source, "--to", target
    )
    assert result.returncode == 2
    assert result.stderr.startswith(f"error: {message}")
    assert len(result.stderr.splitlines()) == 1
