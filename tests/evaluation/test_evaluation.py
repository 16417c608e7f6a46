"""Scores of painters of whom one knows what they paint."""

from __future__ import annotations

import json
import shutil
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from spade_paddle.data.dataset import find_pairs, read_scene
from spade_paddle.data.transforms import whole_picture
from spade_paddle.errors import LabelMapError
from spade_paddle.evaluation.contenders import Contender
from spade_paddle.evaluation.evaluation import Evaluation, color_error
from spade_paddle.evaluation.report import EvaluationReport
from spade_paddle.inference.painter import Painter
from spade_paddle.judge.feature_extractor import feature_distance
from spade_paddle.metrics.frechet import frechet_distance
from spade_paddle.metrics.grid import grid_energy
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


class Flickering:
    """Stands in for a Contender: another brightness with every seed."""

    model, style, title = "flickering", None, "flickering"

    def paint(self, scene, *, seed):
        return scene.photo // (seed + 1)


@pytest.fixture(scope="module")
def copyists():
    return [Copyist(), Copyist(name="off", off=(-3, 0, 4))]


@pytest.fixture(scope="module")
def rows(extractor, data, landscape, copyists):
    evaluation = Evaluation(extractor, annotator=Blueness(), label_set=landscape, side=SIDE)
    others = find_pairs(data, "train")[:4]
    return evaluation.score([*copyists, Blind()], find_pairs(data, "val"), others=others)


def value(row, name):
    return row.estimates[name].value


def test_the_photos_themselves_are_perfect_pictures(rows):
    photos, copy = rows[:2]
    for name in ("frechet_4", "frechet_10"):
        assert value(copy, name) == pytest.approx(0, abs=1e-6 * value(photos, name))
        assert copy.estimates[name].interval[1] < 1e-3 * value(photos, name)
    assert value(copy, "perceptual") == pytest.approx(0, abs=1e-6)
    assert value(copy, "color") == 0
    for name in ("grid_energy", "mean_iou", "pixel_accuracy"):
        assert value(copy, name) == value(photos, name)
        assert np.array_equal(copy.estimates[name].replicates, photos.estimates[name].replicates)


def test_pictures_of_nothing_are_far_away_in_every_column(rows):
    _, _, off, blind = rows
    for name in ("frechet_4", "frechet_10", "perceptual"):
        assert value(blind, name) > 3 * value(off, name) > 0
        assert blind.estimates[name].interval[0] > value(off, name)
    assert value(blind, "color") > value(off, "color")
    assert value(blind, "pixel_accuracy") < value(off, "pixel_accuracy")


def test_distances_are_of_all_positions_of_all_pictures(rows, extractor, views):
    off = [Copyist(off=(-3, 0, 4)).paint(view, seed=0) for view in views]
    for name, layer in (("frechet_4", "block4"), ("frechet_10", "block10")):
        painted, real = (
            np.concatenate([extractor.extract(picture).samples(layer) for picture in pictures])
            for pictures in (off, [view.photo for view in views])
        )
        assert value(rows[2], name) == pytest.approx(frechet_distance(painted, real), rel=1e-6)
    assert value(rows[2], "grid_energy") == pytest.approx(np.mean([grid_energy(p) for p in off]))


def test_diversity_is_the_mean_distance_of_pictures_of_one_scene_with_other_seeds(
    extractor, data, landscape, views, rows
):
    assert rows[0].diversity is None
    assert rows[1].diversity == rows[3].diversity == pytest.approx(0, abs=1e-6)
    evaluation = Evaluation(extractor, annotator=None, label_set=landscape, side=SIDE)
    row = evaluation.score([Flickering()], find_pairs(data, "val"), others=[])[1]
    distances = []
    for view in views:  # four, which is as many as are looked at
        features = [extractor.extract(view.photo // (seed + 1)) for seed in range(8)]
        distances += [feature_distance(a, b) for k, a in enumerate(features) for b in features[:k]]
    assert row.diversity == pytest.approx(np.mean(distances), rel=1e-6)
    assert row.diversity > 0.01


def test_color_error_is_the_distance_of_the_mean_colors(rows):
    assert 4.5 < value(rows[2], "color") <= 5  # 3 less red, 4 more blue, cut off at 0 and 255
    left, right = np.zeros((2, 3, 3), np.uint8), np.zeros((2, 3, 3), np.uint8)
    left[0], right[1] = (6, 0, 8), (6, 0, 8)  # the same color elsewhere
    assert color_error(left, right) == 0
    assert color_error(left, 0 * left) == 5


def test_real_photos_are_measured_against_photos_of_the_other_part(
    rows, extractor, data, landscape, views
):
    photos = rows[0]
    assert photos.model is None
    assert not {"perceptual", "color"} & photos.estimates.keys()
    scenes = [read_scene(pair, landscape) for pair in find_pairs(data, "train")[:4]]
    others = [whole_picture(scene, SIDE, SIDE) for scene in scenes]
    for name, layer in (("frechet_4", "block4"), ("frechet_10", "block10")):
        real, other = (
            np.concatenate([extractor.extract(view.photo).samples(layer) for view in each])
            for each in (views, others)
        )
        assert value(photos, name) == pytest.approx(frechet_distance(real, other), rel=1e-6)
        low, high = photos.estimates[name].interval
        assert low < value(photos, name) < high


def test_iou_is_of_the_label_map_that_was_painted_counted_over_all_scenes(rows, views):
    counts = sum(
        confusion(view.label_map, Blueness().annotate(view.photo).label_map, num_labels=13)
        for view in views
    )
    expected = Agreement.of(counts)
    assert 0 < expected.mean_iou < 1
    for name in ("mean_iou", "pixel_accuracy"):
        assert value(rows[0], name) == pytest.approx(getattr(expected, name))
        low, high = rows[0].estimates[name].interval
        assert low < value(rows[0], name) < high


def test_every_scene_has_a_seed_of_its_own_the_same_for_all(rows, copyists):
    # and after it those of the pictures whose diversity is measured
    expected = [seed for scene in range(4) for seed in (scene, *range(8))]
    assert [copyist.seeds for copyist in copyists] == [expected] * 2


def test_means_are_those_of_the_scenes(rows):
    for row in rows[1:]:
        assert [scene.scene for scene in row.scenes] == ["0000", "0001", "0002", "0003"]
        for name in ("perceptual", "color"):
            expected = np.mean([getattr(scene, name) for scene in row.scenes])
            assert value(row, name) == pytest.approx(expected)


def test_without_an_annotator_there_are_no_columns_of_it(extractor, data, landscape, rows):
    evaluation = Evaluation(extractor, annotator=None, label_set=landscape, side=SIDE)
    bare = evaluation.score([Copyist()], find_pairs(data, "val"), others=[])
    assert bare[0].estimates.keys() == {"grid_energy"}
    assert "mean_iou" not in bare[1].estimates
    text = EvaluationReport({}, bare, landscape).text()
    assert "IoU" not in text
    assert "| real photos |               - |       - |" in text
    assert "mean IoU" in EvaluationReport({}, rows, landscape).text()


def test_report_shows_every_distance_beside_its_floor(rows, landscape):
    report = EvaluationReport({}, rows, landscape)
    lines = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in report.text().splitlines()
        if line.startswith("|")
    ]
    photos, blind = rows[0], rows[3]
    floor = photos.estimates["frechet_10"]
    cells = next(line for line in lines if line[0] == "real photos")
    assert cells[3] == f"{floor.value:.2f}"
    assert cells[4].startswith("1.00 [")
    cells = next(line for line in lines if line[0] == "blind")
    multiple = blind.estimates["frechet_10"].divided_by(floor.value)
    low, high = multiple.interval
    assert cells[3] == f"{blind.estimates['frechet_10'].value:.2f}"
    assert cells[4] == f"{multiple.value:.2f} [{low:.2f}, {high:.2f}]"
    content = report.to_dict()["rows"][3]["frechet_10"]
    assert content["over_floor"] == pytest.approx(multiple.value)
    # and the difference to the first model in the same unit
    cells = next(line for line in lines if line[:2] == ["blind", "copyist"])
    assert cells[3].startswith(f"{multiple.value:+.2f} [")
    assert cells[-1] == "0 of 4"


def test_report_goes_through_json_even_with_labels_that_are_nowhere(rows, landscape):
    report = EvaluationReport({"side": SIDE}, rows, landscape)
    content = json.loads(json.dumps(report.to_dict(), allow_nan=False))
    assert [row["title"] for row in content["rows"]] == [row.title for row in rows]
    first = content["rows"][0]
    assert first["iou"]["snow"] is None  # in no scene, and never seen
    assert first["iou"]["sky"] > 0
    assert set(first["scenes"][0]) == {"scene", "mean_iou", "pixel_accuracy"}
    assert content["rows"][3]["scenes"][2]["perceptual"] == rows[3].scenes[2].perceptual


def test_scene_that_a_model_cannot_paint_is_named(
    extractor, data, landscape, make_exported, views, tmp_path
):
    painter = Painter.load(make_exported("style")[1], threads=1)  # knows no "don't care"
    shutil.copytree(data, tmp_path / "data")
    label_map = np.asarray(Image.open(tmp_path / "data/val/labels/0002.png")).copy()
    label_map[:, 40] = 255
    Image.fromarray(label_map).save(tmp_path / "data/val/labels/0002.png")
    evaluation = Evaluation(extractor, annotator=None, label_set=landscape, side=SIDE)
    pairs = find_pairs(tmp_path / "data", "val")
    with pytest.raises(LabelMapError, match=r"0002\.png: .*don't care") as error:
        evaluation.score([Contender("tiny", painter, "average")], pairs, others=[])
    assert error.value.code == "label_unknown"
