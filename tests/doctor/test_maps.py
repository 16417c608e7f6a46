"""Faults of label maps and instance maps, one planted at a time: it is named, nothing else is."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from PIL import Image

from spade_paddle.config import Config, DataConfig
from spade_paddle.data.labels import LabelSet
from spade_paddle.doctor.map_checks import MANY_RAMPS, check_labels
from spade_paddle.doctor.map_facts import MapFacts, in_several_labels, ramp_share
from spade_paddle.doctor.numbering import numbering_of
from spade_paddle.doctor.summary import summarize
from spade_paddle.doctor.survey import take_survey

NAME = "train/labels/0003.png"
TRAIN = tuple(f"train/labels/{i:04d}.png" for i in range(6))
VAL = tuple(f"val/labels/{i:04d}.png" for i in range(2))


def test_truncated_label_map_is_named(dataset):
    path = dataset / NAME
    path.write_bytes(path.read_bytes()[:-60])
    assert dataset.found() == {"label_map_unreadable": (NAME,)}


def test_label_map_without_a_byte_is_named(dataset):
    (dataset / NAME).write_bytes(b"")
    assert dataset.found() == {"label_map_unreadable": (NAME,)}
    assert "empty, 0 bytes" in dataset.message("label_map_unreadable")


def test_jpeg_under_the_ending_of_a_png_is_named(dataset):
    dataset.write(NAME, dataset.ids(NAME), kind="JPEG")
    assert dataset.found() == {"label_map_jpeg": (NAME,)}


def test_colors_of_the_label_set_are_recognized(dataset):
    dataset.write(NAME, dataset.label_set.colorize(dataset.ids(NAME)))
    assert dataset.found() == {"label_map_color": (NAME,)}
    assert "the colors of the label set 'eight'" in dataset.message("label_map_color")


def test_ids_saved_as_gray_colors_are_recognized(dataset):
    dataset.write(NAME, np.repeat(dataset.ids(NAME)[..., None], 3, axis=2))
    assert dataset.found() == {"label_map_color": (NAME,)}
    assert "gray saved as color" in dataset.message("label_map_color")


def test_a_photo_in_place_of_a_map_is_not_called_a_palette(dataset):
    dataset.write(NAME, dataset.ids("train/images/0003.png"))
    assert dataset.found() == {"label_map_color": (NAME,)}
    assert "the colors of" not in dataset.message("label_map_color")


def test_unknown_ids_are_named(dataset):
    label_map = dataset.ids(NAME)
    label_map[40:50, 40:50] = 9
    label_map[50:52, 40:50] = 200
    dataset.write(NAME, label_map)
    assert dataset.found() == {"label_unknown": (NAME,)}
    assert "unknown label ids 9, 200 (2.0%" in dataset.message("label_unknown")


def test_multiplied_ids_are_recognized(dataset):
    dataset.write(NAME, dataset.ids(NAME) * 20)
    assert dataset.found() == {"ids_multiplied": (NAME,)}
    assert "look multiplied, as if to see them as gray: 0 for 0, 20 for 1" in dataset.message(
        "ids_multiplied"
    )


def test_ids_spread_over_all_of_255_are_recognized(dataset):
    dataset.change_maps(lambda ids: np.floor(ids * (255 / 7)).astype(np.uint8))
    assert dataset.found() == {"ids_multiplied": TRAIN + VAL}
    assert "36 for 1, 72 for 2" in dataset.message("ids_multiplied")


def test_black_and_white_mask_is_recognized(dataset):
    dataset.write(NAME, np.where(dataset.ids(NAME) > 2, 255, 0).astype(np.uint8))
    found = dataset.found()
    found.pop("dont_care_much", None)  # as the white is
    assert found == {"label_map_mask": (NAME,)}
    assert "ids look multiplied" in dataset.message("label_map_mask")


def test_maps_that_count_from_one_are_recognized(dataset):
    dataset.change_maps(lambda ids: ids + 1)
    assert dataset.found() == {"ids_off_by_one": TRAIN + VAL}
    assert "tools/remap.py" in dataset.message("ids_off_by_one")


def facts(*ids):
    return MapFacts(counts=dict.fromkeys(ids, 10))


@pytest.mark.parametrize(
    ("ids", "stretched", "from_one"),
    [
        ([{0, 20, 40}, {0, 1, 2}], 1, False),
        ([{0, 40, 80}, {0, 20, 60}, {0, 20}], 3, False),  # the factor is that of all of them
        ([{0, 21, 42, 255}], 1, False),  # 0..12 over 0..255, and no don't care
        ([{5, 20}], 0, False),  # one wrong id
        ([{99}], 0, False),
        ([{2, 4, 200}], 0, False),
        ([{1, 2, 3, 4, 5, 6, 13}], 0, True),
        ([{1, 2, 3, 4, 5, 6, 13, 255}], 0, True),
        ([{0, 1, 2, 3, 4, 5, 6, 13}], 0, False),  # 0 occurs
        ([{1, 2, 13}], 0, False),  # too little to go by
        ([{1, 2, 3, 4, 5, 6, 14}], 0, False),
        ([{0, 1, 2}, {3, 4, 255}], 0, False),
    ],
)
def test_numbering_is_told_from_the_ids_of_13_labels(ids, stretched, from_one):
    maps = {str(index): facts(*values) for index, values in enumerate(ids)}
    numbering = numbering_of(maps, num_labels=13)
    assert (len(numbering.scaled_maps), numbering.from_one) == (stretched, from_one)


def test_map_without_a_label_is_named(dataset):
    dataset.write(NAME, np.full_like(dataset.ids(NAME), 255))
    assert dataset.found() == {"dont_care_whole": (NAME,)}


def test_map_with_few_labels_is_named(dataset):
    label_map = dataset.ids(NAME)
    label_map[20:] = 255
    dataset.write(NAME, label_map)
    assert dataset.found() == {"dont_care_much": (NAME,)}
    assert "up to 69%" in dataset.message("dont_care_much")


def test_dont_care_without_a_channel_for_it_is_named(dataset):
    label_map = dataset.ids(NAME)
    label_map[50:] = 255
    dataset.write(NAME, label_map)
    without = Config(data=DataConfig(dont_care=False, crop_size=64, load_size=64))
    assert dataset.found(config=without) == {"dont_care_off": (NAME,)}
    assert dataset.found() == {}


def test_16_bit_label_map_is_told(dataset):
    dataset.write(NAME, dataset.ids(NAME).astype(np.uint16))
    assert dataset.found() == {"label_map_mode": (NAME,)}


def test_palette_of_four_bits_is_fine(dataset):
    image = Image.fromarray(dataset.ids(NAME), mode="P")
    image.putpalette(dataset.label_set.palette()[:16].flatten().tolist())
    image.save(dataset / NAME, bits=4)
    assert dataset.found() == {}


@pytest.mark.parametrize("interpolation", [cv2.INTER_LINEAR, cv2.INTER_AREA, cv2.INTER_CUBIC])
def test_interpolated_label_map_is_named(dataset, interpolation):
    shrunk = cv2.resize(dataset.ids(NAME), (60, 40), interpolation=interpolation)
    dataset.write(NAME, np.minimum(shrunk, 7))  # cubic shoots over
    dataset.write(
        "train/images/0003.png", cv2.resize(dataset.ids("train/images/0003.png"), (60, 40))
    )
    assert dataset.found() == {"label_map_interpolated": (NAME,)}


def test_thin_things_are_no_interpolation():
    rng = np.random.default_rng(0)
    stripes = rng.permutation(np.arange(48) % 12).repeat(6)
    stripes[::6] = rng.integers(0, 12, 48)  # a pole of any label between any two areas
    label_map = np.tile(stripes.astype(np.uint8), (60, 1))
    assert ramp_share(label_map) < MANY_RAMPS


def test_palette_that_contradicts_the_ids_is_named(dataset):
    label_map = dataset.ids(NAME)
    image = Image.fromarray(7 - label_map, mode="P")  # its palette shows the true labels
    image.putpalette(dataset.label_set.palette()[:8][::-1].flatten().tolist())
    image.save(dataset / NAME)
    assert dataset.found() == {"label_map_palette": (NAME,)}
    assert "value 0 has the color of 7 (water)" in dataset.message("label_map_palette")


def test_palette_in_which_two_labels_changed_places_is_named(dataset):
    label_map, palette = dataset.ids(NAME), dataset.label_set.palette()
    palette[[1, 3]] = palette[[3, 1]]
    image = Image.fromarray(label_map, mode="P")
    image.putpalette(palette.flatten().tolist())
    image.save(dataset / NAME)
    assert dataset.found() == {"label_map_palette": (NAME,)}
    assert "value 1 has the color of 3 (mountain)" in dataset.message("label_map_palette")


def test_palette_of_the_label_set_or_a_foreign_one_is_fine(dataset):
    for index, palette in enumerate((dataset.label_set.palette(), np.arange(768) // 3)):
        name = f"train/labels/{index:04d}.png"
        image = Image.fromarray(dataset.ids(name), mode="P")
        image.putpalette(np.asarray(palette).flatten().tolist())
        image.save(dataset / name)
    assert dataset.found() == {}


def test_different_photos_with_one_map_are_named(dataset):
    dataset.write(NAME, dataset.ids("train/labels/0001.png"))
    assert dataset.found() == {"label_maps_duplicate": ("train/labels/0001.png", NAME)}


def test_labels_that_no_map_has_are_told(dataset, landscape):
    dataset.label_set = LabelSet("nine", landscape.labels[:9])
    assert dataset.found() == {"labels_empty": ()}
    assert "8 (sand)" in dataset.message("labels_empty")


def test_labels_that_few_maps_have_are_told(dataset, eight):
    survey = take_survey(dataset.folder, eight, config=None, quick=False)
    everywhere = dict.fromkeys(range(7), 10)
    counts = [everywhere | {7: 1} for _ in range(4)] + [everywhere] * 56
    train = summarize("train", sizes=[(9, 9)] * 60, counts=counts, num_labels=8)
    (issue,) = check_labels(survey, train)
    assert issue.code == "labels_rare"
    assert "water in 4" in issue.detail
    counts = [everywhere | {7: 1} for _ in range(5)] + [everywhere] * 55
    train = summarize("train", sizes=[(9, 9)] * 60, counts=counts, num_labels=8)
    assert list(check_labels(survey, train)) == []


INSTANCES = "train/instances/0003.png"


def test_instance_map_of_another_size_is_named(with_instances):
    with_instances.write(INSTANCES, with_instances.ids(INSTANCES)[1:])
    assert with_instances.found() == {"sizes_differ": (INSTANCES,)}


def test_instance_map_cut_to_8_bits_is_named(with_instances):
    cut = np.minimum(with_instances.ids(INSTANCES), 255).astype(np.uint8)
    with_instances.write(INSTANCES, cut)
    assert with_instances.found() == {"instances_overflow": (INSTANCES,)}


def test_8_bit_instance_map_with_numbers_for_all_is_fine(with_instances):
    _, numbers = np.unique(with_instances.ids(INSTANCES), return_inverse=True)
    label_map = with_instances.ids(NAME)
    numbers = numbers.reshape(label_map.shape)
    numbers[np.isin(label_map, (0, 2, 4, 6))] = 0  # squares that no instance map knows
    with_instances.write(INSTANCES, numbers.astype(np.uint8))
    assert with_instances.found() == {}


def test_colored_instance_map_is_named(with_instances):
    colors = np.zeros((64, 96, 3), np.uint8)
    with_instances.write(INSTANCES, colors)
    assert with_instances.found() == {"instance_map_unreadable": (INSTANCES,)}


@pytest.mark.parametrize(("pixels", "shared"), [(30, ()), (60, (5,))])
def test_instance_lies_in_two_labels_when_a_twentieth_does(pixels, shared):
    label_map, instances = np.ones((40, 40), np.uint8), np.zeros((40, 40), np.int64)
    instances[:25] = 5  # 1000 pixels
    label_map.ravel()[:pixels] = 2
    assert in_several_labels(instances, label_map) == shared
