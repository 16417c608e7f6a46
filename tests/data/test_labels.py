from __future__ import annotations

import json

import numpy as np
import pytest

from spade_paddle.data.labels import DONT_CARE, LabelSet
from spade_paddle.errors import ConfigError, LabelMapError


def test_landscape_set_has_the_thirteen_documented_labels(landscape):
    names = "other sky cloud mountain snow tree grass water sand rock earth building flower"
    assert [label.name_en for label in landscape.labels] == names.split()
    assert all(label.name_zh for label in landscape.labels)
    assert landscape.id_of("water") == 7


def test_every_color_tells_its_label_apart(landscape):
    palette = landscape.palette()[: len(landscape)].astype(int)
    distances = np.abs(palette[:, None] - palette[None]).max(axis=2)
    assert distances[~np.eye(len(landscape), dtype=bool)].min() > 24  # the service's snapping


def test_dictionary_form_reads_back_as_the_same_set(landscape):
    again = LabelSet.from_dict(json.loads(json.dumps(landscape.to_dict())))
    assert again == landscape
    assert again.fingerprint() == landscape.fingerprint()


def test_every_landscape_label_has_a_group_for_the_page(landscape):
    groups = {label.name_en: label.group for label in landscape.labels}
    assert (groups["cloud"], groups["flower"], groups["snow"]) == ("sky", "plants", "land")
    assert None not in groups.values()


def test_a_group_is_optional_and_a_wrong_one_is_named():
    content = {
        "name": "one",
        "labels": [{"id": 0, "name_en": "a", "name_zh": "b", "color": "#000000"}],
    }
    assert "group" not in LabelSet.from_dict(content).to_dict()["labels"][0]
    content["labels"][0]["group"] = "clouds"
    with pytest.raises(ConfigError, match=r"group 'clouds' is none of sky, water"):
        LabelSet.from_dict(content)


def test_check_accepts_all_ids_and_dont_care(landscape):
    landscape.check(np.array([[0, 12], [DONT_CARE, 5]], np.uint8))


def test_unknown_ids_are_named_with_the_known_range(landscape):
    with pytest.raises(LabelMapError, match=r"photo.png: unknown label ids 13, 200.*0\.\.12") as e:
        landscape.check(np.array([[13, 200]], np.uint8), where="photo.png")
    assert e.value.code == "label_unknown"
    assert e.value.details == {"ids": [13, 200], "highest": 12}


@pytest.mark.parametrize(
    ("dtype", "ids"),
    [
        *((dtype, [13, 254]) for dtype in (np.uint8, np.uint16, np.int16, np.uint32, np.int64)),
        (np.uint16, [256, 65535]),
        *((dtype, [-128, -1, 13]) for dtype in (np.int8, np.int32, np.int64)),
        (np.int64, [-(2**40), 2**40]),
    ],
)
def test_unknown_ids_of_every_type_are_named_in_order(landscape, dtype, ids):
    label_map = np.array([[3, *reversed(ids), 0], [12, *ids, ids[0]]], dtype)
    for given in (label_map, label_map[:, ::-1], np.asfortranarray(label_map)):
        with pytest.raises(LabelMapError) as error:
            landscape.check(given)
        assert error.value.details == {"ids": ids, "highest": 12}
    landscape.check(np.where(np.isin(label_map, ids), 5, label_map).astype(dtype))
    landscape.check(label_map[:0])


@pytest.mark.parametrize("wrong", [np.zeros((2, 2, 3), np.uint8), np.zeros((2, 2), np.float32)])
def test_color_or_float_arrays_are_not_label_maps(landscape, wrong):
    with pytest.raises(LabelMapError, match="expected a gray picture of label ids"):
        landscape.check(wrong)


def test_ids_with_a_gap_are_refused():
    entry = {"name_en": "a", "name_zh": "a", "color": "#000000"}
    with pytest.raises(ConfigError, match="ids must be 0, 1, 2"):
        LabelSet.from_dict({"name": "x", "labels": [{"id": 0, **entry}, {"id": 2, **entry}]})


@pytest.mark.parametrize(
    ("text", "message"),
    [("labels: [", "not YAML"), ("name: x", "expected"), ("- 1", "expected")],
)
def test_broken_label_files_say_what_is_expected(tmp_path, text, message):
    path = tmp_path / "labels.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=message):
        LabelSet.load(path)


def test_missing_label_file_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"nowhere\.yaml: there is no such label set"):
        LabelSet.load(tmp_path / "nowhere.yaml")


def test_colorize_shows_ids_in_their_colors(landscape):
    picture = landscape.colorize(np.array([[1, DONT_CARE]], np.uint8))
    assert picture.tolist() == [[list(landscape.labels[1].color), [235, 235, 235]]]
