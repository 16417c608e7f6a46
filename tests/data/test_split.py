"""Flat data sets: which photos are for training, which for looking."""

from __future__ import annotations

import hashlib

import pytest

from spade_paddle.data.dataset import dataset_parts, find_pairs, read_scene
from spade_paddle.data.split import half_of, split_of
from spade_paddle.errors import DataError
from tests.synthetic import write_synthetic_dataset

STEMS = [f"photo_{index:05d}" for index in range(2000)]


def flat(folder, stems, *, names=("images", "labels")):
    """Empty files: finding pairs opens none."""
    for name in names:
        (folder / name).mkdir(parents=True, exist_ok=True)
        for stem in stems:
            (folder / name / f"{stem}{'.jpg' if name == 'images' else '.png'}").touch()
    return folder


def stems_of(folder, part, **more):
    return [pair.stem for pair in find_pairs(folder, part, **more)]


def test_the_side_is_the_beginning_of_the_stems_sha256_as_a_fraction():
    # sha256("lake") begins with this byte; as a fraction of 256 it is the place
    place = hashlib.sha256(b"lake").digest()[0] / 256
    assert split_of("lake", val_share=place + 1 / 256) == "val"
    assert split_of("lake", val_share=place) == "train"


def test_sides_are_the_same_for_ever():
    # any change of these would mix training and validation photos of people's runs
    val = [stem for stem in STEMS[:60] if split_of(stem, val_share=0.1) == "val"]
    assert val == [f"photo_{index:05d}" for index in (0, 4, 5, 7, 9, 13, 14, 48)]


@pytest.mark.parametrize("share", [0.1, 0.25, 0.9])
def test_the_share_of_many_photos_is_near_the_asked_one(tmp_path, share):
    val = stems_of(flat(tmp_path, STEMS), "val", val_share=share)
    # four standard deviations of 2,000 draws
    assert abs(len(val) - 2000 * share) < 4 * (2000 * share * (1 - share)) ** 0.5


def test_parts_are_all_photos_and_share_none(tmp_path):
    flat(tmp_path, STEMS)
    train, val = stems_of(tmp_path, "train"), stems_of(tmp_path, "val")
    assert sorted(train + val) == STEMS == stems_of(tmp_path, "")
    assert train == sorted(train) and val == sorted(val)
    assert stems_of(tmp_path, "val", val_share=0.1) == val


def test_added_photos_move_none_of_the_others(tmp_path):
    before = {part: stems_of(flat(tmp_path, STEMS[::3]), part) for part in ("train", "val")}
    flat(tmp_path, STEMS)
    for part, stems in before.items():
        assert [stem for stem in stems_of(tmp_path, part) if stem in STEMS[::3]] == stems


def test_a_larger_share_moves_photos_to_val_only(tmp_path):
    flat(tmp_path, STEMS)
    small, large = (set(stems_of(tmp_path, "val", val_share=share)) for share in (0.1, 0.3))
    assert small < large


def test_names_with_accents_fall_to_one_side_on_every_system():
    for index in range(20):
        composed, decomposed = f"caf\u00e9{index}", f"cafe\u0301{index}"
        assert split_of(composed, val_share=0.5) == split_of(decomposed, val_share=0.5)


@pytest.mark.parametrize(
    ("stems", "share", "side"),
    [(["a"], 0.1, "val"), (STEMS[:50], 0.0, "val"), (["c"], 0.9, "train")],
)
@pytest.mark.parametrize("part", ["train", "val"])
def test_a_side_without_photos_is_an_error_that_says_so(tmp_path, stems, share, side, part):
    with pytest.raises(DataError, match=f"none of its .* is in {side} with data.val_share") as e:
        find_pairs(flat(tmp_path, stems), part, val_share=share)
    assert e.value.code == "split_one_sided"
    assert "train/ and val/" in str(e.value)


def test_folders_train_and_val_are_taken_as_they_are(tmp_path, landscape):
    write_synthetic_dataset(tmp_path, label_set=landscape, train=3, val=2)
    flat(tmp_path, STEMS[:50])  # does not count beside train/ and val/
    assert dataset_parts(tmp_path) == ("train", "val")
    assert len(find_pairs(tmp_path, "train", val_share=0.9)) == 3
    assert len(find_pairs(tmp_path, "val", val_share=0.0)) == 2


def test_the_form_of_a_data_set_is_told(tmp_path):
    assert dataset_parts(flat(tmp_path / "flat", ["a"])) == ("",)
    (tmp_path / "half" / "val").mkdir(parents=True)
    assert dataset_parts(tmp_path / "half") == ("train", "val")
    with pytest.raises(DataError, match=r"half.train.images: there is no such folder"):
        find_pairs(tmp_path / "half", "train")
    (tmp_path / "photos").mkdir()
    for name in ("photos", "nowhere"):
        with pytest.raises(
            DataError, match=r"not a data set; .* or only images and labels"
        ) as error:
            dataset_parts(tmp_path / name)
        assert error.value.code == "data_folder_missing"


def test_flat_folders_are_checked_like_others(tmp_path):
    flat(tmp_path, STEMS[:9])
    (tmp_path / "labels" / f"{STEMS[4]}.png").unlink()
    with pytest.raises(DataError, match=f"1 are incomplete: {STEMS[4]}"):
        find_pairs(tmp_path, "train")


def test_two_photos_of_one_stem_are_refused(tmp_path):
    flat(tmp_path, STEMS[:9])
    (tmp_path / "images" / f"{STEMS[4]}.png").touch()
    with pytest.raises(DataError, match="differ only in their extensions") as error:
        find_pairs(tmp_path, "train")
    assert f"{STEMS[4]}.jpg" in str(error.value) and f"{STEMS[4]}.png" in str(error.value)


def test_scenes_of_a_flat_data_set_read_with_their_instances(tmp_path, landscape):
    write_synthetic_dataset(tmp_path, label_set=landscape, train=4, instances=True)
    (tmp_path / "train").rename(tmp_path / "flat")
    scenes = [
        read_scene(pair, landscape)
        for part in ("train", "val")
        for pair in find_pairs(tmp_path / "flat", part, val_share=0.5)
    ]
    assert len(scenes) == 4
    assert all(scene.instance_map.max() > 255 for scene in scenes)


def test_halves_are_by_other_bytes_of_the_hash_and_the_same_for_ever():
    # any change would mix scenes that recipes were chosen on with those that scores are told of
    place = hashlib.sha256(b"lake").digest()[8]
    assert half_of("lake") == ("choose" if place < 128 else "report")
    report = [stem for stem in STEMS[:12] if half_of(stem) == "report"]
    assert report == [f"photo_{index:05d}" for index in (0, 1, 4, 6, 8, 10)]
    share = sum(half_of(stem) == "choose" for stem in STEMS) / len(STEMS)
    assert 0.46 < share < 0.54
    # independent of the side, or a flat data set's val scenes would all be of one half
    val = [stem for stem in STEMS if split_of(stem, val_share=0.1) == "val"]
    assert 0.4 < sum(half_of(stem) == "choose" for stem in val) / len(val) < 0.6


def test_halves_do_not_depend_on_how_a_system_writes_accents():
    for index in range(20):
        composed, decomposed = f"s\u00e9jour{index}", f"se\u0301jour{index}"
        assert half_of(composed) == half_of(decomposed)
