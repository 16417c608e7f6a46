"""--fix: a repaired copy, in which the doctor finds nothing any more."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from spade_paddle.data.dataset import find_pairs, read_photo, read_scene
from spade_paddle.data.label_pictures import read_ids
from spade_paddle.data.labels import LabelSet
from spade_paddle.doctor.examine import examine, report_of
from spade_paddle.doctor.repair import repair
from spade_paddle.doctor.survey import take_survey
from spade_paddle.errors import DataError

PHOTO, LABELS = "train/images/0002.png", "train/labels/0002.png"
PHOTOS, MAPS = "train/images", "train/labels"


def repaired(dataset, out):
    """Repair; what was done with each file, by the file's name."""
    survey = take_survey(dataset.folder, dataset.label_set)
    actions = repair(survey, report_of(survey), out)
    return {name: action for action in actions for name in action.files}


def assert_clean(dataset, out, *, train=6, val=2):
    report = examine(out, dataset.label_set)
    assert report.findings == ()
    assert [len(find_pairs(out, part)) for part in ("train", "val")] == [train, val]


def contents(folder):
    return {path.relative_to(folder): path.read_bytes() for path in sorted(folder.rglob("*.*"))}


def test_a_clean_data_set_is_copied(dataset, tmp_path):
    before = contents(dataset.folder)
    done = repaired(dataset, tmp_path / "out")
    assert {action.done for action in done.values()} == {"copied"}
    assert contents(dataset.folder) == before
    assert_clean(dataset, tmp_path / "out")
    for pair, copy in zip(
        find_pairs(dataset.folder, "train"), find_pairs(tmp_path / "out", "train")
    ):
        assert copy.photo.read_bytes() == pair.photo.read_bytes()
        assert np.array_equal(read_ids(copy.label_map), read_ids(pair.label_map))
        with Image.open(copy.label_map) as image:
            assert image.mode == "P"


def test_a_palette_map_is_copied_with_the_text_in_it(dataset, tmp_path):
    text = PngInfo()
    text.add_text("record", "drawn by hand")
    image = Image.fromarray(dataset.ids(LABELS), mode="P")
    image.putpalette(dataset.label_set.palette().flatten().tolist())
    image.save(dataset / LABELS, pnginfo=text)
    repaired(dataset, tmp_path / "out")
    assert (tmp_path / "out" / LABELS).read_bytes() == (dataset / LABELS).read_bytes()


def test_a_palette_map_that_needs_a_change_is_not_copied(dataset, tmp_path):
    ids = dataset.ids(LABELS)
    image = Image.fromarray(ids * 20, mode="P")
    image.putpalette(dataset.label_set.palette().flatten().tolist())
    image.save(dataset / LABELS)
    other = "train/labels/0003.png"
    image = Image.fromarray(dataset.ids(other), mode="P")
    image.putpalette(dataset.label_set.palette().flatten().tolist())
    image.save((dataset / other).with_suffix(".gif"))
    expected = dataset.ids(other)
    (dataset / other).unlink()
    repaired(dataset, tmp_path / "out")
    assert np.array_equal(read_ids(tmp_path / "out" / LABELS), ids)
    with Image.open(tmp_path / "out" / other) as image:
        assert image.format == "PNG"
        assert np.array_equal(np.asarray(image), expected)
    assert_clean(dataset, tmp_path / "out")


def test_colors_become_ids(dataset, tmp_path):
    ids = dataset.ids(LABELS)
    dataset.write(LABELS, dataset.label_set.colorize(ids))
    assert repaired(dataset, tmp_path / "out")[LABELS].done == "changed"
    assert np.array_equal(read_ids(tmp_path / "out" / LABELS), ids)
    assert_clean(dataset, tmp_path / "out")


def test_a_jpeg_in_the_colors_of_the_label_set_becomes_ids(dataset, tmp_path):
    ids = dataset.ids(LABELS)
    dataset.write("train/labels/0002.jpg", dataset.label_set.colorize(ids), kind="JPEG")
    (dataset / LABELS).unlink()
    assert repaired(dataset, tmp_path / "out")[PHOTO].done == "changed"
    assert (read_ids(tmp_path / "out" / LABELS) == ids).mean() > 0.95


def test_ids_saved_as_gray_colors_become_ids(dataset, tmp_path):
    ids = dataset.ids(LABELS)
    dataset.write(LABELS, np.repeat(ids[..., None], 3, axis=2))
    repaired(dataset, tmp_path / "out")
    assert np.array_equal(read_ids(tmp_path / "out" / LABELS), ids)
    assert_clean(dataset, tmp_path / "out")


@pytest.mark.parametrize(
    ("spoil", "note"),
    [
        (lambda ids: ids * 20, "ids divided"),
        (lambda ids: np.floor(ids * (255 / 7)).astype(np.uint8), "ids divided"),
        (lambda ids: ids + 1, "1 subtracted from the ids"),
        (lambda ids: ids.astype(np.uint16), "label map saved with 8 bits"),
    ],
)
def test_wrong_numbering_is_undone(dataset, tmp_path, spoil, note):
    before = {path.name: read_ids(path) for path in (dataset / MAPS).iterdir()}
    dataset.change_maps(spoil)
    assert repaired(dataset, tmp_path / "out")[LABELS].notes == (note,)
    for name, ids in before.items():
        assert np.array_equal(read_ids(tmp_path / "out" / MAPS / name), ids)
    assert_clean(dataset, tmp_path / "out")


def test_dont_care_and_colors_stay_where_maps_count_from_one(dataset, tmp_path):
    ids = dataset.ids(LABELS)
    ids[60:] = 255
    dataset.write(LABELS, ids)
    dataset.change_maps(lambda ids: np.where(ids == 255, 255, ids + 1).astype(np.uint8))
    colored = "train/labels/0003.png"
    expected = dataset.ids(colored) - 1
    dataset.write(colored, dataset.label_set.colorize(expected))
    done = repaired(dataset, tmp_path / "out")
    assert done[LABELS].notes == ("1 subtracted from the ids",)
    assert np.array_equal(read_ids(tmp_path / "out" / LABELS), ids)
    assert np.array_equal(read_ids(tmp_path / "out" / colored), expected)
    assert_clean(dataset, tmp_path / "out")


def test_unknown_ids_become_dont_care_which_is_said(dataset, tmp_path):
    ids = dataset.ids(LABELS)
    ids[40:48, 40:48] = 77
    dataset.write(LABELS, ids)
    (note,) = repaired(dataset, tmp_path / "out")[LABELS].notes
    assert "unknown ids became don't care: 77 (1.0%)" in note
    ids[ids == 77] = 255
    assert np.array_equal(read_ids(tmp_path / "out" / LABELS), ids)
    assert_clean(dataset, tmp_path / "out")


def test_a_mask_of_two_labels_becomes_ids(tmp_path, dataset, eight):
    dataset.label_set = LabelSet("two", eight.labels[:2])
    dataset.change_maps(lambda ids: np.where(ids > 2, 255, 0).astype(np.uint8))
    white = dataset.ids(LABELS) == 255
    assert "255 became 1" in repaired(dataset, tmp_path / "out")[LABELS].notes
    assert np.array_equal(read_ids(tmp_path / "out" / LABELS), white)


def test_a_map_of_another_size_is_fitted_to_the_photo(with_instances, tmp_path):
    ids, numbers = (
        with_instances.ids(f"train/{kind}/0002.png") for kind in ("labels", "instances")
    )
    for kind, array in (("labels", ids), ("instances", numbers)):
        with_instances.write(f"train/{kind}/0002.png", np.kron(array, np.ones((2, 2), array.dtype)))
    repaired(with_instances, tmp_path / "out")
    scene = read_scene(find_pairs(tmp_path / "out", "train")[2], with_instances.label_set)
    assert np.array_equal(scene.label_map, ids)
    assert np.array_equal(scene.instance_map, numbers)
    assert_clean(with_instances, tmp_path / "out")


def test_a_map_of_other_proportions_is_left_out(dataset, tmp_path):
    dataset.write(LABELS, dataset.ids(LABELS)[:48])
    action = repaired(dataset, tmp_path / "out")[LABELS]
    assert action.done == "left out"
    assert action.notes == ("the label map is 96x48 pixels and the photo 96x64",)
    assert_clean(dataset, tmp_path / "out", train=5)


@pytest.mark.parametrize("orientation", range(2, 9))
def test_a_turned_photo_and_its_map_become_upright(dataset, tmp_path, orientation):
    photo, ids = dataset.ids(PHOTO), dataset.ids(LABELS)
    # a red corner that the map marks as 4, wherever it is shown
    photo[:16, :24], ids[:16, :24] = (255, 0, 0), 4
    dataset.write(PHOTO, photo, orientation=orientation)
    dataset.write(LABELS, ids)
    repaired(dataset, tmp_path / "out")
    shown = tmp_path / "out" / "train/images/0002.jpg"
    label_map = read_ids(tmp_path / "out" / LABELS)
    with Image.open(shown) as image:
        assert image.getexif().get(0x0112, 1) == 1
    if orientation >= 5:  # the sizes told that the map lay as the photo was stored
        red = read_photo(shown).astype(int) @ [1, -1, -1] > 100
        assert red.sum() > 300
        assert (label_map[red] == 4).mean() > 0.95
    else:  # the map is upright, for all one can know
        assert np.array_equal(label_map, ids)
    assert_clean(dataset, tmp_path / "out")


@pytest.mark.parametrize(("mode", "kind"), [("CMYK", "JPEG"), ("RGBA", "PNG"), ("L", "PNG")])
def test_photos_of_other_modes_become_rgb(dataset, tmp_path, mode, kind):
    with Image.open(dataset / PHOTO) as image:
        converted = image.convert(mode)
    converted.save(dataset / PHOTO, kind)
    before = read_photo(dataset / PHOTO).astype(int)
    repaired(dataset, tmp_path / "out")
    assert not (tmp_path / "out" / PHOTO).exists()
    with Image.open(tmp_path / "out" / "train/images/0002.jpg") as image:
        assert (image.mode, image.format) == ("RGB", "JPEG")
        assert np.abs(np.asarray(image).astype(int) - before).mean() < 3
    assert_clean(dataset, tmp_path / "out")


def test_16_bit_gray_keeps_its_brightness(dataset, tmp_path):
    gray = dataset.ids(PHOTO)[..., 1]
    dataset.write(PHOTO, gray.astype(np.uint16) * 256 + 100)
    repaired(dataset, tmp_path / "out")
    after = read_photo(tmp_path / "out" / "train/images/0002.jpg")[..., 0]
    assert np.abs(after.astype(int) - gray).max() < 12
    assert_clean(dataset, tmp_path / "out")


def test_names_are_brought_together(dataset, tmp_path):
    for before, after in (
        (f"{PHOTOS}/0001.png", f"{PHOTOS}/lake_img.png"),
        (f"{MAPS}/0001.png", f"{MAPS}/lake_mask.png"),
        (f"{PHOTOS}/0003.png", f"{PHOTOS}/LAKE.png"),
        (f"{MAPS}/0003.png", f"{MAPS}/LAKE.png"),
        (f"{PHOTOS}/0004.png", f"{PHOTOS}/Lake.png"),
        (f"{MAPS}/0004.png", f"{MAPS}/Lake.png"),
    ):
        (dataset / before).rename(dataset / after)
    repaired(dataset, tmp_path / "out")
    names = sorted(path.stem for path in (tmp_path / "out" / PHOTOS).iterdir())
    assert names == ["0000", "0002", "0005", "LAKE", "Lake_2", "lake_img"]
    assert_clean(dataset, tmp_path / "out")


def test_other_endings_become_png_and_jpeg(dataset, tmp_path):
    for name, ending in ((PHOTO, ".tif"), ("train/labels/0003.png", ".bmp")):
        with Image.open(dataset / name) as image:
            image.save((dataset / name).with_suffix(ending))
        (dataset / name).unlink()
    repaired(dataset, tmp_path / "out")
    assert (tmp_path / "out" / "train/images/0002.jpg").is_file()
    assert_clean(dataset, tmp_path / "out")


def test_what_cannot_be_repaired_is_left_out_and_said(dataset, tmp_path):
    (dataset / PHOTO).write_bytes(b"")
    (dataset / "train/labels/0003.png").write_bytes(b"\x89PNG cut off")
    (dataset / "train/labels/0004.png").unlink()
    dataset.write("val/labels/0001.png", dataset.ids("val/images/0001.png"), kind="JPEG")
    done = repaired(dataset, tmp_path / "out")
    reasons = {name: action.notes[0] for name, action in done.items() if action.done == "left out"}
    assert reasons[PHOTO] == "the photo is empty, 0 bytes"
    assert reasons["train/labels/0003.png"].startswith("the label map is not a picture")
    assert reasons["train/images/0004.png"] == "belongs to no scene"
    assert "the label map is a JPEG" in reasons["val/labels/0001.png"]
    assert len(reasons) == 7
    assert_clean(dataset, tmp_path / "out", train=3, val=1)


def test_empty_maps_copies_and_leaks_are_left_out(dataset, tmp_path):
    dataset.write(LABELS, np.full_like(dataset.ids(LABELS), 255))
    for source, target in (
        ("train/{}/0000.png", "train/{}/0004.png"),
        ("val/{}/0001.png", "train/{}/0005.png"),
    ):
        for kind in ("images", "labels"):
            shutil.copy(dataset / source.format(kind), dataset / target.format(kind))
    done = repaired(dataset, tmp_path / "out")
    assert done[PHOTO].notes == ("the whole label map is don't care",)
    assert done["train/images/0004.png"].notes == (
        "the photo is a duplicate of train/images/0000.png",
    )
    assert done["train/images/0005.png"].notes == (
        "the photo is a duplicate of val/images/0001.png",
    )
    assert_clean(dataset, tmp_path / "out", train=3)


def test_no_copy_is_left_out_for_one_that_is_lost(dataset, tmp_path):
    shutil.copy(dataset / "train/images/0000.png", dataset / "train/images/0004.png")
    (dataset / "train/labels/0000.png").write_bytes(b"")
    done = repaired(dataset, tmp_path / "out")
    assert done["train/images/0004.png"].done == "copied"
    assert_clean(dataset, tmp_path / "out", train=5)


def test_record_tells_what_was_found_and_done(dataset, tmp_path):
    (dataset / LABELS).unlink()
    repaired(dataset, tmp_path / "out")
    record = json.loads((tmp_path / "out" / "doctor.json").read_text(encoding="utf-8"))
    assert [finding["code"] for finding in record["before"]["findings"]] == ["photo_alone"]
    left_out = [action for action in record["done"] if action["done"] == "left out"]
    assert [action["files"] for action in left_out] == [[PHOTO]]
    own = LabelSet.load(tmp_path / "out" / "labels.json")
    assert own == dataset.label_set


def test_instance_maps_stay_what_they_are(with_instances, tmp_path):
    repaired(with_instances, tmp_path / "out")
    name = "train/instances/0003.png"
    assert np.array_equal(read_ids(tmp_path / "out" / name), read_ids(with_instances / name))
    assert read_ids(tmp_path / "out" / name).max() > 255
    (with_instances / "train/instances/0001.png").unlink()
    action = repaired(with_instances, tmp_path / "again")["train/images/0001.png"]
    assert action.notes == ("it has no instance map",)
    assert_clean(with_instances, tmp_path / "again", train=5)


@pytest.mark.parametrize("place", ["data", "data/inside", ".", "full"])
def test_nothing_is_written_over_the_data_set_or_into_a_full_folder(dataset, tmp_path, place):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "diary.txt").write_text("dear diary")
    before = contents(tmp_path)
    with pytest.raises(DataError) as error:
        repaired(dataset, tmp_path / place)
    assert error.value.code == "fix_folder"
    assert contents(tmp_path) == before
