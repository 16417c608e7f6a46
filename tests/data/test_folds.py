"""Folds by groups of photos, and tools/split.py in a process of its own."""

from __future__ import annotations

import subprocess
import sys

import pytest

from spade_paddle.data.dataset import find_pairs
from spade_paddle.data.folds import assign_folds, read_groups, write_fold
from spade_paddle.errors import DataError
from tests.engine.conftest import environment
from tests.synthetic import synthetic_scene, write_scene

GROUPS = {"a1": "lakes", "a2": "lakes", "a3": "lakes", "b1": "hills", "b2": "hills", "c1": "sea"}


@pytest.fixture
def data(tmp_path, landscape):
    """Six scenes of three photographers, one of them in val/."""
    for index, stem in enumerate(GROUPS):
        part = "val" if stem == "b2" else "train"
        scene = synthetic_scene(index, label_set=landscape, height=32, width=32, instances=True)
        write_scene(tmp_path / "data" / part, stem, scene)
    (tmp_path / "data" / "labels.json").write_text(landscape.to_json(), encoding="utf-8")
    return tmp_path / "data"


@pytest.fixture
def table(tmp_path):
    def write(text):
        path = tmp_path / "groups.csv"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def stems(data, part):
    return {pair.stem for pair in find_pairs(data, part)}


# --- the assignment ---


def test_groups_fill_the_smallest_fold_the_largest_first():
    sizes = {"e": 1, "d": 2, "c": 3, "b": 4, "a": 4}
    # a -> 0, b -> 1, c -> 0 or 1 of the equal ones: 0, d -> 1, e -> 1
    assert assign_folds(sizes, count=2) == {"a": 0, "b": 1, "c": 0, "d": 1, "e": 1}


def test_every_fold_has_a_group():
    folds = assign_folds({"big": 90, "a": 1, "b": 1}, count=3)
    assert sorted(folds.values()) == [0, 1, 2]


def test_fewer_groups_than_folds_are_told():
    with pytest.raises(DataError, match="at least 4 groups of photos for 4 folds, got 3"):
        assign_folds({"a": 1, "b": 1, "c": 1}, count=4)


# --- the table ---


def test_table_gives_the_group_of_every_stem(table):
    path = table("file,author,source\ntrain/images/a1.jpg,x,lakes\nval/images/b2.jpg,y,hills\n")
    groups = read_groups(path, file_column="file", group_column="source")
    assert groups == {"a1": "lakes", "b2": "hills"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("file,source\na1.jpg,lakes\n", "no column 'group'; its columns are: file, source"),
        ("file,group\n", "no column 'file'; its columns are: none"),
        ("file,group\na.jpg,x\nother/a.png,y\n", "a is in the groups 'x' and 'y'"),
    ],
    ids=["column", "empty", "two groups"],
)
def test_what_is_wrong_with_a_table_is_told(table, text, message):
    with pytest.raises(DataError, match=message):
        read_groups(table(text), file_column="file", group_column="group")


def test_a_table_that_is_missing_is_told(tmp_path):
    with pytest.raises(DataError, match=r"none\.csv: cannot be read as a CSV table"):
        read_groups(tmp_path / "none.csv", file_column="file", group_column="group")


# --- the data set ---


@pytest.mark.parametrize("fold", range(3))
def test_no_group_is_in_both_parts(data, tmp_path, fold):
    written = write_fold(data, tmp_path / "out", groups=GROUPS, fold=fold, count=3)
    val, train = stems(tmp_path / "out", "val"), stems(tmp_path / "out", "train")
    held_out = [{"a1", "a2", "a3"}, {"b1", "b2"}, {"c1"}][fold]
    assert val == held_out
    assert train == set(GROUPS) - held_out
    assert written == {"train": len(train), "val": len(val)}
    for part in ("train", "val"):
        for pair in find_pairs(tmp_path / "out", part):
            assert len(pair.files) == 3
            for file in pair.files:
                source = "val" if pair.stem == "b2" else "train"
                original = data / source / file.parent.name / file.name
                assert file.read_bytes() == original.read_bytes()
    assert (tmp_path / "out" / "labels.json").is_file()


def test_files_are_copied_where_there_are_no_links(data, tmp_path, monkeypatch):
    def fails(source, target):
        raise OSError("links are not supported")

    monkeypatch.setattr("spade_paddle.data.folds.os.link", fails)
    write_fold(data, tmp_path / "out", groups=GROUPS, fold=2, count=3)
    assert stems(tmp_path / "out", "val") == {"c1"}


def test_a_folder_that_exists_is_left_alone(data, tmp_path):
    (tmp_path / "out").mkdir()
    with pytest.raises(DataError, match="exists already"):
        write_fold(data, tmp_path / "out", groups=GROUPS, fold=0, count=3)
    assert not list((tmp_path / "out").iterdir())


def test_photos_without_a_group_are_told(data, tmp_path):
    some = {stem: group for stem, group in GROUPS.items() if group != "hills"}
    with pytest.raises(DataError, match="2 photos have no row in the table of groups: b1, b2"):
        write_fold(data, tmp_path / "out", groups=some, fold=0, count=2)


def test_one_name_in_both_parts_is_told(data, tmp_path, landscape):
    scene = synthetic_scene(9, label_set=landscape, height=32, width=32, instances=True)
    write_scene(data / "val", "a1", scene)
    with pytest.raises(DataError, match="a1 occur in train/ and in val/"):
        write_fold(data, tmp_path / "out", groups=GROUPS, fold=0, count=3)


# --- the tool ---


def run_tool(root, *options):
    return subprocess.run(
        [sys.executable, str(root / "tools" / "split.py"), *map(str, options)],
        env=environment(root),
        capture_output=True,
        text=True,
        check=False,
    )


def test_tool_writes_one_fold(processes, root, data, table, tmp_path):
    rows = "".join(f"images/{stem}.png,{group}\n" for stem, group in GROUPS.items())
    options = ("--groups", table("photo,source\n" + rows), "--group-column", "source")
    options += ("--file-column", "photo", "--data", data, "--out", tmp_path / "out")
    result = run_tool(root, *options, "--fold", "2/3")
    assert result.returncode == 0, result.stderr
    assert result.stdout.endswith("out: 4 scenes in train/, 2 in val/\n")
    assert stems(tmp_path / "out", "val") == {"b1", "b2"}


@pytest.mark.parametrize("fold", ["0/3", "4/3", "1/1", "half"])
def test_tool_refuses_what_is_no_fold(processes, root, fold):
    result = run_tool(root, "--fold", fold, "--data", "a", "--out", "b", "--groups", "c")
    assert result.returncode == 2
    assert f"expected K/N, such as 1/5, got '{fold}'" in result.stderr
