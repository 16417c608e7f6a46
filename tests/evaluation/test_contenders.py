"""Models as contenders: their styles, their noise, their label sets."""

from __future__ import annotations

import dataclasses
import json
import shutil

import numpy as np
import pytest
from PIL import Image

from spade_paddle.errors import DataError, ModelError
from spade_paddle.evaluation.contenders import (
    Contender,
    common_label_set,
    common_val_share,
    open_contenders,
    trained_on_judge_features,
)
from spade_paddle.inference.painter import Painter
from spade_paddle.inference.styles import add_styles
from tests.inference.conftest import photo
from tests.synthetic import synthetic_scene


@pytest.fixture(scope="module")
def scene(landscape):
    return synthetic_scene(1, label_set=landscape, height=64, width=64, instances=True)


@pytest.fixture(scope="module")
def contenders(make_exported):
    return open_contenders([make_exported(name)[1] for name in ("clade", "style")])


def test_a_model_with_styles_enters_with_each_of_its_ways_to_choose_one(contenders):
    assert [contender.style for contender in contenders] == [None, "average", "drawn", "own"]
    assert contenders[1].painter is contenders[3].painter
    assert len({contender.model for contender in contenders}) == 2
    assert contenders[3].title == f"{contenders[1].model}, own style"


def test_styles_that_come_with_a_model_enter_in_place_of_the_average(
    make_exported, scene, tmp_path
):
    folder = tmp_path / "styled"
    shutil.copytree(make_exported("style")[1], folder)
    photos = {name: tmp_path / f"{name}.png" for name in ("bright", "gray")}
    for seed, path in enumerate(photos.values()):
        Image.fromarray(photo(seed)).save(path)
    add_styles(folder, photos)
    contenders = open_contenders([folder])
    assert [c.style for c in contenders] == ["bright", "gray", "drawn", "own"]
    painter, plain = contenders[0].painter, {"instance_map": scene.instance_map}
    for contender in contenders[:2]:
        expected = painter.paint(scene.label_map, style=contender.style, **plain)
        assert np.array_equal(contender.paint(scene, seed=5), expected)
    drawn = [contenders[2].paint(scene, seed=seed).tobytes() for seed in range(9)]
    assert len(set(drawn)) == 2


def test_styles_are_the_average_a_drawn_one_and_that_of_the_scenes_own_photo(contenders, scene):
    painter = contenders[1].painter
    plain = {"instance_map": scene.instance_map}
    for seed in (0, 5):  # no seed draws another style
        average = contenders[1].paint(scene, seed=seed)
        assert np.array_equal(average, painter.paint(scene.label_map, **plain))
    drawn = contenders[2].paint(scene, seed=5)
    assert np.array_equal(drawn, painter.paint(scene.label_map, seed=5, **plain))
    own = contenders[3].paint(scene, seed=5)
    assert np.array_equal(own, painter.paint(scene.label_map, style=scene.photo, **plain))
    assert not np.array_equal(own, average)


def test_instances_make_edges_in_models_that_know_them_only(contenders, scene):
    bare = dataclasses.replace(scene, instance_map=None)
    same = [
        np.array_equal(contender.paint(scene, seed=0), contender.paint(bare, seed=0))
        for contender in contenders
    ]
    assert same == [True, False, False, False]


def test_noise_is_that_of_the_seed(contenders, scene):
    painter = contenders[0].painter
    pictures = [contenders[0].paint(scene, seed=seed) for seed in (3, 4)]
    assert np.array_equal(pictures[0], painter.paint(scene.label_map, seed=3))
    assert not np.array_equal(*pictures)


def test_models_are_called_like_their_folders_or_their_paths(make_exported, tmp_path):
    folder = make_exported("clade")[1]
    for place in ("old/model", "new/model", "new/other"):
        shutil.copytree(folder, tmp_path / place)
    both = open_contenders([tmp_path / "old/model", tmp_path / "new/other"])
    assert [contender.title for contender in both] == ["model", "other"]
    both = open_contenders([tmp_path / "old/model", tmp_path / "new/model"])
    assert [contender.title for contender in both] == [
        str(tmp_path / "old/model"),
        str(tmp_path / "new/model"),
    ]


def test_missing_model_is_named(tmp_path):
    with pytest.raises(ModelError, match=r"nowhere: this is not a model folder"):
        open_contenders([tmp_path / "nowhere"])


def relabelled(folder, out):
    """A copy of a model folder with another name for a label."""
    shutil.copytree(folder, out)
    model = json.loads((out / "model.json").read_text(encoding="utf-8"))
    model["label_set"]["labels"][3]["name_en"] = "cheese"
    (out / "model.json").write_text(json.dumps(model), encoding="utf-8")
    return out


def test_other_labels_than_the_data_sets_are_refused(make_exported, landscape, tmp_path):
    folder = make_exported("clade")[1]
    (tmp_path / "labels.json").write_text(json.dumps(landscape.to_dict()["labels"]))
    assert common_label_set(open_contenders([folder]), tmp_path) == landscape
    odd = Contender("odd", Painter.load(relabelled(folder, tmp_path / "odd"), threads=1))
    with pytest.raises(DataError, match=r"odd: this model .*labels\.json has") as error:
        common_label_set([odd], tmp_path)
    assert error.value.code == "label_sets_differ"
    # and models that differ from each other, where the data set does not tell
    (tmp_path / "labels.json").unlink()
    assert common_label_set([odd], tmp_path).labels[3].name_en == "cheese"
    with pytest.raises(DataError, match="the model odd has"):
        common_label_set([odd, *open_contenders([folder])], tmp_path)


def with_val_share(folder, out, share):
    """A copy of a model folder that was trained with another share."""
    return trained_with(folder, out, "data", val_share=share)


def trained_with(folder, out, section, **fields):
    """A copy of a model folder that was trained with other fields of a section."""
    shutil.copytree(folder, out)
    model = json.loads((out / "model.json").read_text(encoding="utf-8"))
    model["training"]["config"][section].update(fields)
    (out / "model.json").write_text(json.dumps(model), encoding="utf-8")
    return out


def test_scenes_are_those_that_all_models_left_for_looking(make_exported, data, tmp_path):
    folder = make_exported("clade")[1]
    old, new = (with_val_share(folder, tmp_path / name, 0.05) for name in ("old", "new"))
    other = with_val_share(folder, tmp_path / "other", 0.3)
    flat = data / "train"  # images/ and labels/ without parts
    assert common_val_share(open_contenders([old, new]), flat) == 0.05
    with pytest.raises(DataError, match=r"other was trained with .* 0\.3, but old with 0\.05") as e:
        common_val_share(open_contenders([old, other]), flat)
    assert e.value.code == "val_shares_differ"
    # where people have sorted the photos the share means nothing
    assert common_val_share(open_contenders([old, other]), data) == 0.05


def test_models_that_were_trained_through_the_judges_network_are_named(make_exported, tmp_path):
    folder = make_exported("clade")[1]
    heads = {"kind": "both", "projected_network": "efficientnet_lite0"}
    fond = trained_with(folder, tmp_path / "fond", "discriminator", **heads)
    other = trained_with(
        folder, tmp_path / "other", "discriminator", **{**heads, "projected_network": "squeezenet"}
    )
    unused = trained_with(
        folder, tmp_path / "unused", "discriminator", **{**heads, "kind": "patch"}
    )
    second = {"projected_network": "squeezenet", "projected_2_network": "efficientnet_lite0"}
    also = trained_with(folder, tmp_path / "also", "discriminator", **{**heads, **second})
    contenders = open_contenders([fond, other, unused, also])
    assert trained_on_judge_features(contenders) == ["fond", "also"]
