from __future__ import annotations

import functools

import numpy as np
import pytest
import yaml

from spade_paddle.data import label_sets
from spade_paddle.data.label_sets import FOLDER, find_label_set, find_remap
from spade_paddle.data.labels import DONT_CARE, Label, LabelSet
from spade_paddle.data.remap import Remap
from spade_paddle.errors import ConfigError, LabelMapError

FILES = sorted((FOLDER / "remaps").glob("*.yaml"))
SOURCES = ["ade20k", "ade20k_raw", "coco_stuff", "coco_stuff_raw", "coco_stuff_171"]
SOURCES += ["cityscapes", "cityscapes_train"]


@functools.cache
def shipped(name):
    return find_label_set(name)


def small(name, *labels):
    """A label set of these English names."""
    colors = [(i, 0, 0) for i in range(len(labels))]
    return LabelSet(name, tuple(Label(i, text, text, colors[i]) for i, text in enumerate(labels)))


WOOD = small("wood", "oak", "fir", "moss", "owl")
PLAIN = small("plain", "other", "tree", "moss")


def remap(content, source=WOOD, target=PLAIN):
    return Remap.from_dict(
        {"from": source.name, "to": target.name, **content},
        source=source,
        target=target,
        where="wood.yaml",
    )


def by_name(source, target):
    """What each source label becomes: English name or None for don't care."""
    found = find_remap(shipped(source), shipped(target))
    names = {label.id: label.name_en for label in shipped(target).labels}
    return {
        label.name_en: names.get(int(found.table[label.id])) for label in shipped(source).labels
    }


def test_listed_labels_become_their_target_and_all_others_the_default():
    found = remap({"labels": {"tree": ["oak", "fir"]}, "default": "other"})
    label_map = np.array([[0, 1, 2, 3, DONT_CARE]], np.uint8)
    assert found.apply(label_map).tolist() == [[1, 1, 0, 0, DONT_CARE]]
    assert found.apply(label_map).dtype == np.uint8


def test_dont_care_is_a_target_and_a_default():
    found = remap({"labels": {"dont_care": ["owl"], "tree": ["fir"]}, "default": "other"})
    assert found.table[:4].tolist() == [0, 1, 0, DONT_CARE]
    found = remap({"labels": {"tree": ["fir"]}, "default": "dont_care"})
    assert found.table[:4].tolist() == [DONT_CARE, 1, DONT_CARE, DONT_CARE]


def test_same_names_go_to_each_other_where_the_lists_say_nothing():
    found = remap({"same_names": True, "labels": {"tree": ["oak"]}, "default": "dont_care"})
    assert found.table[:4].tolist() == [1, DONT_CARE, 2, DONT_CARE]
    found = remap({"same_names": True, "labels": {"tree": ["moss"]}, "default": "dont_care"})
    assert found.table[2] == 1
    found = remap({"labels": {"tree": ["oak"]}, "default": "dont_care"})
    assert found.table[2] == DONT_CARE


@pytest.mark.parametrize("dtype", [np.uint8, np.int64, np.uint16])
def test_every_id_goes_its_own_way_whatever_the_type(dtype):
    found = find_remap(shipped("ade20k"), shipped("landscape"))
    label_map = np.append(np.arange(150), DONT_CARE).reshape(1, -1).astype(dtype)
    expected = [[*found.table[:150], DONT_CARE]]
    assert found.apply(label_map).tolist() == np.array(expected).tolist()


def test_a_label_map_is_not_changed_in_place():
    label_map = np.array([[0, 3]], np.uint8)
    remap({"labels": {"tree": ["oak"]}, "default": "other"}).apply(label_map)
    assert label_map.tolist() == [[0, 3]]


def test_the_table_cannot_be_written():
    with pytest.raises(ValueError, match="read-only"):
        Remap.identity(WOOD).table[0] = 1


def test_ids_that_the_source_does_not_have_are_refused_by_file():
    found = remap({"default": "other"})
    with pytest.raises(LabelMapError, match=r"a\.png: unknown label ids 4, 254.*'wood'") as e:
        found.apply(np.array([[0, 4, 254, DONT_CARE]], np.uint8), where="a.png")
    assert e.value.code == "label_unknown"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"labels": {"treee": ["oak"]}, "default": "other"}, "'plain' has no label 'treee'; did "
         "you mean 'tree'"),
        ({"labels": {"tree": ["oka"]}, "default": "other"}, "'tree' lists 'oka', which 'wood' "
         "does not have; did you mean 'oak'"),
        ({"labels": {"tree": ["oak"], "other": ["oak"]}, "default": "other"}, "'oak' is listed "
         "twice"),
        ({"labels": {"tree": ["oak", "oak"]}, "default": "other"}, "'oak' is listed twice"),
        ({"labels": {"tree": ["oak"]}, "default": "othr"}, "no label 'othr'; did you mean 'other'"),
        ({"labels": {"tree": ["oak"]}, "default": "dontcare"}, "did you mean 'dont_care'"),
        ({"labels": {"tree": ["oak", "fir"]}}, "2 labels of 'wood' are not listed: moss, owl; list "
         "them, or give a default"),
        ({"lables": {}, "default": "other"}, "unknown field 'lables'; did you mean 'labels'"),
        ({"labels": {"tree": "oak"}, "default": "other"}, "expected 'labels: {target name"),
        ({"labels": {"tree": [["oak"]]}, "default": "other"}, "expected 'labels: {target name"),
        ({"labels": ["oak"], "default": "other"}, "expected 'labels: {target name"),
        ({"same_names": "yes", "default": "other"}, "same_names: true"),
        ({"from": "forest", "default": "other"}, "'from' is 'forest', but the label set is 'wood'"),
        ({"to": None, "default": "other"}, "'to' is None, but the label set is 'plain'"),
    ],
)  # fmt: skip
def test_mistakes_in_a_file_are_named_with_what_was_meant(content, message):
    with pytest.raises(ConfigError) as e:
        remap(content)
    assert str(e.value).startswith("wood.yaml: ")
    assert message in str(e.value)
    assert e.value.code == "remap_invalid"


@pytest.mark.parametrize("content", [None, [], "tree"])
def test_a_file_without_fields_is_refused(content):
    with pytest.raises(ConfigError, match=r"expected \{from, to, labels, default\}"):
        Remap.from_dict(content, source=WOOD, target=PLAIN)


def test_by_names_needs_a_counterpart_for_every_label():
    assert Remap.by_names(WOOD, PLAIN) is None
    more = small("more", "owl", "moss", "ash", "fir", "oak")
    assert Remap.by_names(WOOD, more).table[:5].tolist() == [4, 3, 1, 0, DONT_CARE]


def test_equal_sets_need_no_file():
    found = find_remap(WOOD, small("forest", "oak", "fir", "moss", "owl"))
    assert found.table[:4].tolist() == [0, 1, 2, 3]
    twice = small("twice", "label", "label")  # names are no help here
    assert find_remap(twice, twice).table[:2].tolist() == [0, 1]


def test_a_missing_remap_is_told_with_the_file_to_write():
    with pytest.raises(ConfigError, match="3 labels have no counterpart") as e:
        find_remap(WOOD, PLAIN)
    message = str(e.value)
    assert str(FOLDER / "remaps" / "wood_to_plain.yaml") in message
    assert "'labels: {other: [oak]}'" in message
    assert e.value.code == "remap_missing"


def test_the_file_that_the_error_tells_to_write_works(tmp_path, monkeypatch):
    monkeypatch.setattr(label_sets, "FOLDER", tmp_path)
    (tmp_path / "remaps").mkdir()
    (tmp_path / "remaps" / "wood_to_plain.yaml").write_text(
        "from: wood\nto: plain\nlabels: {other: [oak]}\ndefault: dont_care\n", encoding="utf-8"
    )
    assert find_remap(WOOD, PLAIN).table[:4].tolist() == [0, DONT_CARE, DONT_CARE, DONT_CARE]


def test_names_with_separators_reach_no_other_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(label_sets, "FOLDER", tmp_path / "labels")
    (tmp_path / "labels" / "remaps").mkdir(parents=True)
    (tmp_path / "labels" / "outside_to_plain.yaml").write_text("nonsense", encoding="utf-8")
    with pytest.raises(ConfigError, match="no remap from"):
        find_remap(small("../outside", "oak"), PLAIN)


def test_a_remap_that_is_not_yaml_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(label_sets, "FOLDER", tmp_path)
    (tmp_path / "remaps").mkdir()
    (tmp_path / "remaps" / "wood_to_plain.yaml").write_text("labels: [", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"wood_to_plain\.yaml: this is not YAML"):
        find_remap(WOOD, PLAIN)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_shipped_remap_fits_its_label_sets_and_its_name(path):
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    source, target = content["from"], content["to"]
    assert path.stem == f"{source}_to_{target}"
    find_remap(shipped(source), shipped(target))


@pytest.mark.parametrize("source", SOURCES)
def test_every_data_set_has_a_way_to_landscape(source):
    found = by_name(source, "landscape")
    assert {"sky", "tree", "grass", "earth", "building", "other"} <= set(found.values())


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("ade20k", {"hill": "mountain", "palm": "tree", "plant": "tree", "field": "grass"}),
        ("ade20k", dict.fromkeys(["sea", "river", "lake", "waterfall", "swimming pool"], "water")),
        ("ade20k", dict.fromkeys(["land", "path", "dirt track", "road", "sidewalk"], "earth")),
        ("ade20k", dict.fromkeys(["bridge", "pier", "tower", "wall", "fence"], "building")),
        ("ade20k", {"person": "other", "animal": "other", "ceiling": None, "bed": None}),
        ("ade20k_raw", {"unknown": None, "wall": "building", "flag": "other"}),
        ("coco_stuff", {"clouds": "cloud", "fog": "cloud", "sky-other": "sky", "snow": "snow"}),
        ("coco_stuff", {"sand": "sand", "rock": "rock", "stone": "rock", "moss": "grass"}),
        ("coco_stuff", {"bush": "tree", "leaves": "tree", "sea": "water", "gravel": "earth"}),
        ("coco_stuff", {"zebra": "other", "pizza": None, "ceiling-tile": None, "wood": None}),
        ("coco_stuff_raw", {"unlabeled": None}),
        ("cityscapes", {"vegetation": "tree", "ego vehicle": None, "unlabeled": None}),
    ],
)
def test_labels_become_what_they_are_in_a_landscape(source, expected):
    found = by_name(source, "landscape")
    assert {name: found[name] for name in expected} == expected


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ade20k", "ade20k_raw"),
        ("coco_stuff", "coco_stuff_raw"),
        ("coco_stuff", "coco_stuff_171"),
        ("cityscapes", "cityscapes_train"),
    ],
)
def test_sets_of_one_data_set_go_the_same_way_to_landscape(one, other):
    first, second = by_name(one, "landscape"), by_name(other, "landscape")
    shared = first.keys() & second.keys()
    assert len(shared) == min(len(first), len(second))
    assert {name: first[name] for name in shared} == {name: second[name] for name in shared}


@pytest.mark.parametrize(
    ("raw", "counted", "size"),
    [("ade20k_raw", "ade20k", 150), ("coco_stuff_raw", "coco_stuff", 182)],
)
def test_raw_ids_are_the_others_plus_one_both_ways(raw, counted, size):
    there = find_remap(shipped(raw), shipped(counted)).table
    assert there[: size + 1].tolist() == [DONT_CARE, *range(size)]
    back = find_remap(shipped(counted), shipped(raw)).table
    assert back[:size].tolist() == list(range(1, size + 1))
    assert there[DONT_CARE] == back[DONT_CARE] == DONT_CARE


def test_the_171_labels_come_out_of_coco_stuff_and_back():
    there = find_remap(shipped("coco_stuff"), shipped("coco_stuff_171"))
    back = find_remap(shipped("coco_stuff_171"), shipped("coco_stuff"))
    every = np.arange(171, dtype=np.uint8).reshape(1, -1)
    assert there.apply(back.apply(every)).tolist() == every.tolist()
    assert (there.table[:182] == DONT_CARE).sum() == 11


def test_cityscapes_ids_become_the_official_train_ids():
    table = find_remap(shipped("cityscapes"), shipped("cityscapes_train")).table
    kept = {7: 0, 8: 1, 11: 2, 12: 3, 13: 4, 17: 5, 19: 6, 20: 7, 21: 8, 22: 9, 23: 10, 24: 11}
    kept.update({25: 12, 26: 13, 27: 14, 28: 15, 31: 16, 32: 17, 33: 18})
    assert {value: int(table[value]) for value in range(34) if table[value] != DONT_CARE} == kept


def test_nobody_knows_the_labels_of_photopen_so_none_of_them_has_a_way_to_landscape():
    with pytest.raises(ConfigError, match=r"no remap from 'photopen' to 'landscape'"):
        find_remap(shipped("photopen"), shipped("landscape"))
