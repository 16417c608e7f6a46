"""Which scenes are looked at, and which photos give the floor."""

from __future__ import annotations

import shutil

import pytest

from spade_paddle.data.split import half_of, split_of
from spade_paddle.errors import DataError
from spade_paddle.evaluation.scenes import scenes_of
from tests.synthetic import write_synthetic_dataset


def stems(pairs):
    return [pair.stem for pair in pairs]


def test_halves_are_told_apart_by_the_stems_and_are_all_together(data):
    report, choose, both = (
        stems(scenes_of(data, "val", half=half, val_share=0.1)[0])
        for half in ("report", "choose", "all")
    )
    assert report == [stem for stem in both if half_of(stem) == "report"] == ["0000", "0001"]
    assert choose == ["0002", "0003"]
    assert both == ["0000", "0001", "0002", "0003"]


def test_other_photos_are_as_many_spread_over_the_other_part(tmp_path, landscape):
    data = write_synthetic_dataset(tmp_path, label_set=landscape, train=7, val=3)
    pairs, others = scenes_of(data, "val", half="all", val_share=0.1)
    assert stems(pairs) == ["0000", "0001", "0002"]
    assert [pair.photo.relative_to(data).parts[0] for pair in others] == ["train"] * 3
    assert stems(others) == ["0000", "0002", "0004"]
    pairs, others = scenes_of(data, "train", half="all", val_share=0.1)
    assert (len(pairs), len(others)) == (7, 3)  # no more than there are


def test_a_data_set_with_one_part_only_is_measured_without_other_photos(data, tmp_path):
    shutil.copytree(data / "val", tmp_path / "val")
    assert scenes_of(tmp_path, "val", half="all", val_share=0.1)[1] == []


def test_a_flat_data_set_is_split_by_the_share_that_is_given(tmp_path, landscape):
    parts = write_synthetic_dataset(tmp_path / "parts", label_set=landscape, train=40, val=2)
    flat = parts / "train"
    for share in (0.2, 0.5):
        pairs, others = scenes_of(flat, "val", half="all", val_share=share)
        everything = {path.stem for path in (flat / "images").iterdir()}
        expected = {stem for stem in everything if split_of(stem, val_share=share) == "val"}
        assert set(stems(pairs)) == expected
        assert not set(stems(others)) & expected


def test_too_few_scenes_are_told(data, tmp_path):
    for folder in ("images", "labels"):
        (tmp_path / "val" / folder).mkdir(parents=True)
        shutil.copy(data / "val" / folder / "0000.png", tmp_path / "val" / folder)
    with pytest.raises(DataError, match=r"the part val has 1; .*at least 2") as error:
        scenes_of(tmp_path, "val", half="all", val_share=0.1)
    assert error.value.code == "scenes_too_few"
    with pytest.raises(DataError, match=r"of the 1 .* half to choose has 0.*--half all takes"):
        scenes_of(tmp_path, "val", half="choose", val_share=0.1)
