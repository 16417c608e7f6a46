"""Faults of folders and file names, one planted at a time: it is named, and nothing else is."""

from __future__ import annotations

import shutil

import pytest
from PIL import Image

from spade_paddle.config import Config, DataConfig
from spade_paddle.data.split import split_of
from spade_paddle.errors import DataError


def save_as(path, ending):
    """The same picture as another kind of file, in the place of the old one."""
    with Image.open(path) as image:
        image.save(path.with_suffix(ending))
    path.unlink()


def test_clean_data_set_passes(dataset):
    report = dataset.examine()
    assert report.findings == ()
    assert not report.failed
    report.stop_at_errors()


def test_clean_data_set_with_instances_passes(with_instances):
    assert with_instances.found() == {}


def make_flat(dataset):
    """The same scenes without train/ and val/; those of val get names that fall to val."""
    val = [stem for stem in map(str, range(100, 200)) if split_of(stem, val_share=0.1) == "val"]
    train = [stem for stem in map(str, range(100, 200)) if stem not in val]
    for name in ("images", "labels"):
        (dataset / name).mkdir()
        for part, stems in (("train", train), ("val", val)):
            for stem, path in zip(stems, sorted((dataset / part / name).iterdir())):
                path.rename(dataset / name / f"{stem}.png")
    for part in ("train", "val"):
        shutil.rmtree(dataset / part)
    return train, val


def test_clean_flat_data_set_passes(dataset):
    make_flat(dataset)
    report = dataset.examine()
    assert report.findings == ()
    assert [(part.name, part.scenes) for part in report.summary] == [("train", 6), ("val", 2)]


def test_photo_on_both_sides_of_a_flat_data_set_is_named(dataset):
    train, val = make_flat(dataset)
    shutil.copy(dataset / f"images/{val[0]}.png", dataset / f"images/{train[0]}.png")
    files = (f"images/{train[0]}.png", f"images/{val[0]}.png")
    assert dataset.found() == {"photos_leak": files}
    all_train = Config(data=DataConfig(val_share=0.0, crop_size=64))
    assert dataset.found(config=all_train)["photos_duplicate"] == files[::-1]


def test_flat_data_set_of_one_side_is_named(dataset):
    _, val = make_flat(dataset)
    for name in ("images", "labels"):
        for stem in val[:2]:
            (dataset / f"{name}/{stem}.png").unlink()
    assert dataset.found() == {"split_one_sided": ("images",)}
    assert "is in val with data.val_share 0.1" in dataset.message("split_one_sided")


def test_endings_may_be_written_large(dataset):
    for name in ("images", "labels"):
        path = dataset / f"train/{name}/0001.png"
        path.rename(path.with_suffix(".PNG"))
    assert dataset.found() == {}


def test_photo_alone_is_named(dataset):
    (dataset / "train/labels/0003.png").unlink()
    assert dataset.found() == {"photo_alone": ("train/images/0003.png",)}


def test_both_parts_share_one_finding(dataset):
    for name in ("train/labels/0003.png", "val/labels/0001.png"):
        (dataset / name).unlink()
    files = ("train/images/0003.png", "val/images/0001.png")
    assert dataset.found() == {"photo_alone": files}


def test_label_map_alone_is_named(dataset):
    (dataset / "val/images/0001.png").unlink()
    assert dataset.found() == {"label_map_alone": ("val/labels/0001.png",)}


@pytest.mark.parametrize(
    ("photo", "label_map"),
    [
        ("lake", "lake_mask"),
        ("lake_leftImg8bit", "lake_gtFine_labelIds"),
        ("lake.photo", "label-lake"),
        ("Lake", "lAKE"),
    ],
)
def test_names_that_nearly_agree_are_brought_together(dataset, photo, label_map):
    for name, stem in (("images", photo), ("labels", label_map)):
        (dataset / f"train/{name}/0002.png").rename(dataset / f"train/{name}/{stem}.png")
    files = (f"train/images/{photo}.png", f"train/labels/{label_map}.png")
    assert dataset.found() == {"names_differ": files}
    assert f"{photo}.png and {label_map}.png" in dataset.message("names_differ")


def test_two_likely_partners_are_no_partner(dataset):
    (dataset / "train/labels/0002.png").rename(dataset / "train/labels/0002_mask.png")
    shutil.copy(dataset / "train/labels/0002_mask.png", dataset / "train/labels/0002_seg.png")
    assert dataset.found() == {
        "photo_alone": ("train/images/0002.png",),
        "label_map_alone": ("train/labels/0002_mask.png", "train/labels/0002_seg.png"),
    }


def test_two_photos_of_one_name_are_named(dataset):
    Image.new("RGB", (96, 64)).save(dataset / "train/images/0004.jpg")
    files = ("train/images/0004.jpg", "train/images/0004.png")
    assert dataset.found() == {"stem_twice": files}


def test_names_that_differ_by_case_only_are_named(dataset):
    for name in ("images", "labels"):
        (dataset / f"train/{name}/0000.png").rename(dataset / f"train/{name}/lake.png")
        (dataset / f"train/{name}/0001.png").rename(dataset / f"train/{name}/Lake.png")
    files = ("train/images/Lake.png", "train/images/lake.png")
    assert dataset.found() == {"names_case": files}


def test_photo_of_an_ending_that_is_not_read_is_named(dataset):
    save_as(dataset / "train/images/0001.png", ".tif")
    files = ("train/images/0001.tif", "train/labels/0001.png")
    assert dataset.found() == {"photo_ending": files}


def test_label_map_of_another_ending_is_named(dataset):
    save_as(dataset / "train/labels/0001.png", ".bmp")
    files = ("train/images/0001.png", "train/labels/0001.bmp")
    assert dataset.found() == {"label_map_ending": files}


def test_jpeg_among_the_label_maps_is_named(dataset):
    save_as(dataset / "train/labels/0001.png", ".jpg")
    files = ("train/images/0001.png", "train/labels/0001.jpg")
    assert dataset.found() == {"label_map_jpeg": files}


def test_label_maps_that_are_all_jpegs_are_no_empty_folder(dataset):
    for name in ("0000", "0001"):
        save_as(dataset / f"val/labels/{name}.png", ".jpg")
    assert set(dataset.found()) == {"label_map_jpeg"}


def test_files_and_folders_that_training_does_not_look_at_are_named(dataset):
    (dataset / "train/images/more").mkdir()
    (dataset / "train/labels/notes.txt").write_text("notes")
    (dataset / "train/labels/Thumbs.db").write_text("no one meant this")
    files = ("train/images/more", "train/labels/notes.txt")
    assert dataset.found() == {"files_ignored": files}


def test_missing_val_is_named(dataset):
    shutil.rmtree(dataset / "val")
    assert dataset.found() == {"data_folder_missing": ("val",)}
    assert "move about a tenth of train/ there" in dataset.message("data_folder_missing")


def test_missing_folder_of_label_maps_is_named(dataset):
    (dataset / "train/labels").rename(dataset / "train/masks")
    assert dataset.found() == {"data_folder_missing": ("train/labels",)}
    assert "next to labels/ there are images, masks" in dataset.message("data_folder_missing")


def test_empty_folder_is_named(dataset):
    for path in (dataset / "val/images").iterdir():
        path.unlink()
    assert dataset.found() == {"data_folder_empty": ("val/images",)}


def test_folder_that_is_no_data_set_says_what_one_looks_like(tmp_path, dataset):
    (tmp_path / "data").rename(tmp_path / "photos")
    dataset.folder = tmp_path
    report = dataset.examine()
    assert report.findings[0].code == "data_folder_missing"
    assert "train/images, train/labels" in report.findings[0].message
    assert "next to train/ there are photos" in report.findings[0].message
    assert report.suggestions == ()


def test_folder_that_is_not_there_is_an_error_of_the_caller(tmp_path, dataset):
    dataset.folder = tmp_path / "nowhere"
    with pytest.raises(DataError, match="nowhere: there is no such folder"):
        dataset.examine()


def test_missing_instance_map_is_named(with_instances):
    (with_instances / "train/instances/0001.png").unlink()
    assert with_instances.found() == {"instance_map_missing": ("train/images/0001.png",)}


def test_instance_map_alone_is_named(with_instances):
    with_instances.write("train/instances/other.png", with_instances.ids("val/instances/0000.png"))
    assert with_instances.found() == {"instance_map_alone": ("train/instances/other.png",)}


def test_empty_instance_folder_is_named(dataset):
    (dataset / "train/instances").mkdir()
    assert dataset.found() == {"data_folder_empty": ("train/instances",)}
