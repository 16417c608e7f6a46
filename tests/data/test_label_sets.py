from __future__ import annotations

import functools
import json

import numpy as np
import pytest

from spade_paddle.data.label_sets import FOLDER, find_label_set, label_set_names, own_label_set
from spade_paddle.data.labels import LabelSet
from spade_paddle.errors import ConfigError

SIZES = {
    "ade20k": 150,
    "ade20k_raw": 151,
    "cityscapes": 34,
    "cityscapes_train": 19,
    "coco_stuff": 182,
    "coco_stuff_171": 171,
    "coco_stuff_raw": 183,
    "landscape": 13,
    "photopen": 13,
}
# in COCO's list of things, but in no label map of COCO-Stuff; with their numbers there
UNUSED = {
    "street sign": 12,
    "hat": 26,
    "shoe": 29,
    "eye glasses": 30,
    "plate": 45,
    "mirror": 66,
    "window": 68,
    "desk": 69,
    "door": 71,
    "blender": 83,
    "hair brush": 91,
}


@functools.cache
def contents(name):
    """Labels without their ids."""
    labels = find_label_set(name).labels
    return [(label.name_en, label.name_zh, label.color) for label in labels]


def test_these_label_sets_are_shipped_with_so_many_labels():
    assert {name: len(find_label_set(name)) for name in label_set_names()} == SIZES


@pytest.mark.parametrize("name", SIZES)
def test_a_set_is_named_as_its_file(name):
    assert find_label_set(name).name == name


@pytest.mark.parametrize("name", SIZES)
def test_names_and_colors_tell_the_labels_of_a_set_apart(name):
    for column in zip(*contents(name)):
        assert len(set(column)) == SIZES[name]


@pytest.mark.parametrize("name", SIZES)
def test_every_label_has_a_chinese_name(name):
    for _, name_zh, _ in contents(name):
        assert any("\u4e00" <= letter <= "\u9fff" for letter in name_zh), name_zh


@pytest.mark.parametrize("name", SIZES)
def test_every_file_says_which_ids_it_holds(name):
    comment = (FOLDER / f"{name}.yaml").read_text(encoding="utf-8").partition("\nname:")[0]
    assert all(line.startswith("# ") for line in comment.splitlines())


def test_raw_ade20k_is_unknown_and_then_ade20k():
    assert contents("ade20k_raw")[0][0] == "unknown"
    assert contents("ade20k_raw")[1:] == contents("ade20k")


def test_raw_coco_stuff_is_unlabeled_and_then_coco_stuff():
    assert contents("coco_stuff_raw")[0][0] == "unlabeled"
    assert contents("coco_stuff_raw")[1:] == contents("coco_stuff")


def test_the_171_labels_are_those_of_coco_stuff_without_the_unused_in_their_order():
    expected = [label for label in contents("coco_stuff") if label[0] not in UNUSED]
    assert contents("coco_stuff_171") == expected


def test_train_ids_of_cityscapes_are_labels_of_cityscapes_in_their_order():
    train = contents("cityscapes_train")
    assert [label for label in contents("cityscapes") if label in train] == train


@pytest.mark.parametrize(
    ("name", "ids"),
    [
        # ends, and labels behind which a missing or doubled one would shift all others
        ("ade20k", {"wall": 0, "sky": 2, "tree": 4, "grass": 9, "mountain": 16, "water": 21}),
        ("ade20k", {"sand": 46, "river": 60, "palm": 72, "waterfall": 113, "lake": 128}),
        ("ade20k", {"pier": 140, "flag": 149}),
        ("ade20k_raw", {"unknown": 0, "wall": 1, "sky": 3, "flag": 150}),
        ("coco_stuff_raw", {**UNUSED, "person": 1, "toothbrush": 90, "banner": 92}),
        ("coco_stuff_raw", {"clouds": 106, "sea": 155, "sky-other": 157, "wood": 182}),
        ("coco_stuff", {"person": 0, "grass": 123, "mountain": 134, "tree": 168, "wood": 181}),
        ("coco_stuff_171", {"person": 0, "stop sign": 11, "banner": 80, "wood": 170}),
        ("cityscapes", {"road": 7, "building": 11, "vegetation": 21, "sky": 23, "bicycle": 33}),
        ("cityscapes_train", {"road": 0, "vegetation": 8, "sky": 10, "bicycle": 18}),
    ],
)
def test_well_known_labels_have_their_well_known_ids(name, ids):
    label_set = find_label_set(name)
    assert {label: label_set.id_of(label) for label in ids} == ids


@pytest.mark.parametrize(
    ("name", "colors"),
    [
        ("ade20k", {"wall": "#787878", "sky": "#06e6e6", "tree": "#04c803", "road": "#8c8c8c"}),
        ("ade20k", {"mountain": "#8fff8c", "water": "#3de6fa", "flag": "#5c00ff"}),
        ("cityscapes", {"road": "#804080", "sky": "#4682b4", "person": "#dc143c"}),
        ("coco_stuff_raw", {"unlabeled": "#000000", "person": "#800000", "bicycle": "#008000"}),
    ],
)
def test_well_known_labels_have_their_usual_colors(name, colors):
    label_set = find_label_set(name)
    palette = {label.name_en: label.hex_color for label in label_set.labels}
    assert {label: palette[label] for label in colors} == colors


def test_colors_that_are_not_the_usual_ones_are_far_from_all_others():
    changed = {
        "ade20k": ["skyscraper"],
        "cityscapes": ["ego vehicle", "rectification border", "out of roi", "static", "polegroup"],
    }
    for name, labels in changed.items():
        label_set = find_label_set(name)
        palette = label_set.palette()[: len(label_set)].astype(int)
        for label in labels:
            index = label_set.id_of(label)
            difference = np.abs(np.delete(palette, index, axis=0) - palette[index]).max(axis=1)
            assert difference.min() > 24, label


def test_coco_stuff_has_the_voc_colors_of_its_numbers():
    """Bits 0, 1, 2 of a number are the highest bits of red, green and blue, bits 3, 4, 5 the next
    ones, and so on."""
    for label in find_label_set("coco_stuff_raw").labels:
        bits = f"{label.id:024b}"[::-1]
        expected = tuple(int(bits[channel::3], 2) for channel in range(3))
        assert label.color == expected


def test_a_file_is_read_where_a_path_is_given(tmp_path, landscape, monkeypatch):
    path = tmp_path / "own.yaml"
    path.write_text((FOLDER / "landscape.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    assert find_label_set(path) == landscape
    assert find_label_set(str(path)) == landscape
    monkeypatch.chdir(tmp_path)
    assert find_label_set("own.yaml") == landscape
    assert find_label_set("./own.yaml") == landscape


def test_a_file_of_json_is_read_too(tmp_path, landscape):
    path = tmp_path / "own.json"
    path.write_text(json.dumps(landscape.to_dict()), encoding="utf-8")
    assert find_label_set(path) == landscape


def test_a_misspelt_name_is_told_the_nearest_and_all(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # names do not depend on where one is
    with pytest.raises(ConfigError, match=r"no label set 'ade20'; did you mean 'ade20k'") as e:
        find_label_set("ade20")
    assert all(name in str(e.value) for name in SIZES)
    assert e.value.code == "label_set_unknown"


def test_a_name_is_never_read_as_a_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine").write_text("name: mine", encoding="utf-8")
    with pytest.raises(ConfigError, match="no label set 'mine'"):
        find_label_set("mine")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"none\.yaml: there is no such label set"):
        find_label_set(tmp_path / "none.yaml")


def test_a_name_like_no_other_is_answered_by_all_there_are():
    with pytest.raises(ConfigError, match=r"choose from .*landscape, photopen, or give the path"):
        find_label_set("xyz")


def test_landscape_by_name_is_the_one_of_the_configurations(root):
    assert find_label_set("landscape") == LabelSet.load(root / "configs/labels/landscape.yaml")


LABEL = {"id": 0, "name_en": "moss", "name_zh": "苔", "color": "#102030"}


def own(folder, content):
    (folder / "labels.json").write_text(
        content if isinstance(content, str) else json.dumps(content), encoding="utf-8"
    )
    return own_label_set(folder)


def test_a_data_set_without_labels_json_has_no_label_set_of_its_own(tmp_path):
    assert own_label_set(tmp_path) is None


def test_a_list_of_labels_is_named_as_the_label_set_with_the_same_ones(tmp_path, landscape):
    labels = json.loads(landscape.to_json())["labels"]
    assert own(tmp_path, labels) == landscape
    assert own(tmp_path, landscape.to_json()) == landscape


def test_a_list_of_other_labels_is_named_as_its_folder(tmp_path):
    found = own(tmp_path, [LABEL])
    assert found.name == tmp_path.name
    assert [label.name_en for label in found.labels] == ["moss"]


def test_a_broken_labels_json_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"labels\.json: this is not JSON"):
        own(tmp_path, "[{")
    with pytest.raises(ConfigError, match=f"'{tmp_path.name}': ids must be 0, 1, 2"):
        own(tmp_path, [{**LABEL, "id": 3}])
