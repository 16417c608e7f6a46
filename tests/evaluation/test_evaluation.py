"""Scores of painters of whom one knows what they paint."""

from __future__ import annotations

import json
import shutil
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from spade_paddle.data.dataset import find_pairs, read_scene
from spade_paddle.data.synthetic import write_synthetic_dataset
from spade_paddle.data.transforms import whole_picture
from spade_paddle.errors import DataError, LabelMapError
from spade_paddle.evaluation.comparison import compare_to_first
from spade_paddle.evaluation.contenders import Contender
from spade_paddle.evaluation.evaluation import Evaluation, colour_error, scenes_of
from spade_paddle.evaluation.features import FeatureSet
from spade_paddle.evaluation.report import Report
from spade_paddle.inference.painter import Painter
from spade_paddle.metrics.kernel import kernel_distance
from spade_paddle.metrics.segmentation import Agreement, confusion
from tests.evaluation.conftest import Copyist

SIDE = 64


class Blueness:
    """Stands in for an Annotator: what is bluish is sky (1), everything else tree (5)."""

    def annotate(self, photo):
        red, _, blue = np.moveaxis(photo.astype(int), 2, 0)
        return SimpleNamespace(label_map=np.where(blue > red + 20, 1, 5).astype(np.uint8))


class Blind:
    """Stands in for a Contender: paints every scene alike."""

    model, style, title = "blind", None, "blind"

    def paint(self, scene, *, seed):
        rng = np.random.default_rng(0)
        return rng.integers(0, 256, scene.photo.shape, dtype=np.uint8)


@pytest.fixture(scope="module")
def views(data, landscape):
    """The val scenes as they are painted."""
    pairs = find_pairs(data, "val")
    return [whole_picture(read_scene(pair, landscape), SIDE, SIDE) for pair in pairs]


@pytest.fixture(scope="module")
def copyists():
    return [Copyist(), Copyist(off=(-3, 0, 4))]


@pytest.fixture(scope="module")
def rows(eye, data, landscape, copyists):
    evaluation = Evaluation(eye, annotator=Blueness(), label_set=landscape, side=SIDE)
    pairs, others = scenes_of(data, "val")
    return evaluation.score([*copyists, Blind()], pairs, others=others)


def test_the_photos_themselves_are_perfect_pictures(rows, eye, views):
    photos, copy = rows[:2]
    assert copy.frechet == pytest.approx(0, abs=1e-6)
    assert copy.perceptual == copy.colour == 0
    # unbiased: a set to itself lies below 0 by what samples have in common with themselves
    averages = np.stack([eye.of(view.photo).patches().mean(axis=0) for view in views])
    assert copy.kernel == pytest.approx(kernel_distance(averages, averages), rel=1e-4)
    assert copy.agreement.mean_iou == photos.agreement.mean_iou
    assert copy.agreement.pixel_accuracy == photos.agreement.pixel_accuracy


def test_pictures_of_nothing_are_far_away_in_every_column(rows):
    _, _, off, blind = rows
    assert blind.frechet > 3 * off.frechet > 0
    assert blind.kernel > off.kernel
    assert blind.perceptual > 3 * off.perceptual > 0
    assert blind.colour > off.colour
    assert blind.agreement.pixel_accuracy < off.agreement.pixel_accuracy


def test_colour_error_is_the_distance_of_the_mean_colours(rows):
    assert 4.5 < rows[2].colour <= 5  # 3 less red, 4 more blue, cut off at 0 and 255
    left, right = np.zeros((2, 3, 3), np.uint8), np.zeros((2, 3, 3), np.uint8)
    left[0], right[1] = (6, 0, 8), (6, 0, 8)  # the same colour elsewhere
    assert colour_error(left, right) == 0
    assert colour_error(left, 0 * left) == 5


def test_real_photos_are_measured_against_photos_of_the_other_part(
    rows, eye, data, landscape, views
):
    photos = rows[0]
    assert (photos.perceptual, photos.colour, photos.model) == (None, None, None)
    real, other = FeatureSet(), FeatureSet()
    for view in views:
        real.add(eye.of(view.photo))
    for pair in find_pairs(data, "train")[:4]:  # as many as there are val scenes
        scene = read_scene(pair, landscape)
        other.add(eye.of(whole_picture(scene, SIDE, SIDE).photo))
    assert photos.frechet == pytest.approx(real.frechet_to(other), rel=1e-6)
    assert photos.kernel == pytest.approx(real.kernel_to(other), rel=1e-6)


def test_iou_is_of_the_label_map_that_was_painted_counted_over_all_scenes(rows, views):
    counts = sum(
        confusion(view.label_map, Blueness().annotate(view.photo).label_map, num_labels=13)
        for view in views
    )
    expected = Agreement.of(counts)
    assert 0 < expected.mean_iou < 1
    assert rows[0].agreement.mean_iou == expected.mean_iou
    assert rows[0].agreement.pixel_accuracy == expected.pixel_accuracy


def test_every_scene_has_a_seed_of_its_own_the_same_for_all(rows, copyists):
    assert [copyist.seeds for copyist in copyists] == [[0, 1, 2, 3]] * 2


def test_means_are_those_of_the_scenes(rows):
    for row in rows[1:]:
        assert [scene.scene for scene in row.scenes] == ["0000", "0001", "0002", "0003"]
        assert row.perceptual == pytest.approx(np.mean([scene.perceptual for scene in row.scenes]))
        assert row.colour == pytest.approx(np.mean([scene.colour for scene in row.scenes]))


def test_without_an_annotator_there_are_no_columns_of_it(eye, data, landscape, rows):
    evaluation = Evaluation(eye, annotator=None, label_set=landscape, side=SIDE)
    bare = evaluation.score([Copyist()], find_pairs(data, "val"), others=[])
    assert (bare[0].frechet, bare[0].kernel, bare[0].agreement) == (None, None, None)
    text = Report({}, bare, [], landscape).text()
    assert "IoU" not in text
    assert "| real photos |             - |" in text
    assert "mean IoU" in Report({}, rows, [], landscape).text()


def test_report_goes_through_json_even_with_labels_that_are_nowhere(rows, landscape):
    report = Report({"side": SIDE}, rows, compare_to_first(rows[1:]), landscape)
    content = json.loads(json.dumps(report.to_dict(), allow_nan=False))
    assert [row["title"] for row in content["rows"]] == [row.title for row in rows]
    first = content["rows"][0]
    assert first["iou"]["snow"] is None  # in no scene, and never seen
    assert first["iou"]["sky"] > 0
    assert set(first["scenes"][0]) == {"scene", "mean_iou", "pixel_accuracy"}
    assert content["rows"][3]["scenes"][2]["perceptual"] == rows[3].scenes[2].perceptual


def test_scene_that_a_model_cannot_paint_is_named(
    eye, data, landscape, make_exported, views, tmp_path
):
    painter = Painter.load(make_exported("style")[1], threads=1)  # knows no "don't care"
    shutil.copytree(data, tmp_path / "data")
    label_map = np.asarray(Image.open(tmp_path / "data/val/labels/0002.png")).copy()
    label_map[:, 40] = 255
    Image.fromarray(label_map).save(tmp_path / "data/val/labels/0002.png")
    evaluation = Evaluation(eye, annotator=None, label_set=landscape, side=SIDE)
    pairs = find_pairs(tmp_path / "data", "val")
    with pytest.raises(LabelMapError, match=r"0002\.png: .*don't care") as error:
        evaluation.score([Contender("tiny", painter, "average")], pairs, others=[])
    assert error.value.code == "label_unknown"


def test_other_photos_are_spread_over_the_other_part(tmp_path, landscape):
    data = write_synthetic_dataset(tmp_path, label_set=landscape, train=7, val=3)
    pairs, others = scenes_of(data, "val")
    assert [pair.stem for pair in pairs] == ["0000", "0001", "0002"]
    assert [pair.photo.relative_to(data).parts[0] for pair in others] == ["train"] * 3
    assert [pair.stem for pair in others] == ["0000", "0002", "0004"]
    pairs, others = scenes_of(data, "train")
    assert (len(pairs), len(others)) == (7, 3)  # no more than there are


def test_a_data_set_with_one_part_only_is_measured_without_other_photos(data, tmp_path):
    shutil.copytree(data / "val", tmp_path / "val")
    assert scenes_of(tmp_path, "val")[1] == []


def test_too_few_scenes_are_told(data, tmp_path):
    for folder in ("images", "labels"):
        (tmp_path / "val" / folder).mkdir(parents=True)
        shutil.copy(data / "val" / folder / "0000.png", tmp_path / "val" / folder)
    with pytest.raises(DataError, match=r"the part val has 1 scene.*at least 2") as error:
        scenes_of(tmp_path, "val")
    assert error.value.code == "scenes_too_few"
