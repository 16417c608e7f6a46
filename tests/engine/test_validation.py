"""The judge in the loop: it scores, it keeps the best, and it changes nothing."""

from __future__ import annotations

import dataclasses
import json
import re

import numpy as np
import pytest
import yaml

from spade_paddle.config import read_config
from spade_paddle.data.split import half_of
from spade_paddle.data.transforms import middle_view
from spade_paddle.engine.assemble import trainer_of_folder
from spade_paddle.engine.recalibrate import measure_statistics
from spade_paddle.engine.samples import painted, scene_input
from spade_paddle.engine.validation import Validation
from spade_paddle.errors import DataError, ModelError
from spade_paddle.judge.feature_extractor import FeatureExtractor
from spade_paddle.judge.judge import Judge
from spade_paddle.networks.semantics import SemanticLayout
from tests.engine.conftest import TINY, Workshop, assert_same_state
from tests.engine.small_runs import STYLE, tiny
from tests.engine.test_two_processes import train_two
from tests.features.efficientnet import efficientnet_file
from tests.synthetic import write_synthetic_dataset

SCORES = {"val_frechet_4", "val_frechet_10", "val_grid", "val_score", "overfitting"}


@pytest.fixture(scope="module")
def shop(processes, tmp_path_factory, root, landscape) -> Workshop:
    """A workshop with 6 validation scenes, 4 of them to choose by, and the judge's weights."""
    folder = tmp_path_factory.mktemp("judged")
    made = Workshop(folder, root)
    write_synthetic_dataset(made.data, label_set=landscape, train=5, val=6)
    (folder / "labels.yaml").write_text(yaml.safe_dump(landscape.to_dict()), encoding="utf-8")
    made.config.write_text(yaml.safe_dump(TINY), encoding="utf-8")
    efficientnet_file(folder)
    return made


def judged(shop, **more):
    """Changes of the configuration that put the judge to work."""
    weights = str(shop.folder / "efficientnet_lite0.npz")
    return {
        "validation": {"judge_weights": weights, "judge_scenes": 3, **more},
        "sample_every_images": 2,
    }


def trainer(shop, run, landscape, *changes):
    return trainer_of_folder(
        tiny(*changes), label_set=landscape, data=shop.data, run=shop.folder / run
    )


def lines(shop, run):
    text = (shop.folder / run / "metrics.jsonl").read_text(encoding="utf-8")
    return [line for line in map(json.loads, text.splitlines()) if "val_score" in line]


def judging(shop, *options):
    """The same as options of tools/train.py."""
    return (
        f"validation.judge_weights={shop.folder / 'efficientnet_lite0.npz'}",
        *("validation.judge_scenes=3", "sample_every_images=2", *options),
    )


@pytest.fixture(scope="module")
def straight(shop):
    """The scores of a run of 8 images without a stop."""
    result = shop.train("straight", *judging(shop))
    assert result.returncode == 0, result.stderr
    return lines(shop, "straight")


def test_scores_are_logged_whenever_samples_are_painted(straight):
    assert [line["images"] for line in straight] == [2, 4, 6, 8]
    for line in straight:
        assert line.keys() == {"images", *SCORES}
        assert line["val_score"] == pytest.approx(
            (line["val_frechet_4"] * line["val_frechet_10"]) ** 0.5
        )
    assert len({line["val_score"] for line in straight}) == 4


def test_judging_changes_no_bit_of_the_weights(shop, straight):
    assert shop.train("alone").returncode == 0
    assert_same_state(shop.weights("alone", 8), shop.weights("straight", 8))
    assert lines(shop, "alone") == []
    assert not (shop.folder / "alone" / "snapshots").exists()


def test_resumed_run_has_the_weights_scores_and_the_best_of_an_uninterrupted_one(shop, straight):
    assert shop.train("parts", *judging(shop, "total_images=4")).returncode == 0
    assert shop.train("parts", *judging(shop)).returncode == 0
    assert_same_state(shop.weights("straight", 8), shop.weights("parts", 8))
    assert lines(shop, "parts") == straight
    best = [(shop.folder / run / "snapshots" / "best.json") for run in ("straight", "parts")]
    assert best[0].read_text() == best[1].read_text()


def test_best_is_the_one_of_the_smallest_score(shop, straight):
    best = json.loads((shop.folder / "straight" / "snapshots" / "best.json").read_text())
    assert best == min(straight, key=lambda line: line["val_score"])


@pytest.mark.parametrize("style", [False, True])
def test_scores_are_those_of_the_averages_pictures_of_scenes_to_choose_by(
    shop, landscape, style, monkeypatch
):
    changes = [judged(shop), STYLE] if style else [judged(shop)]
    run = trainer(shop, "unused", landscape, *changes)
    averaged, config = run.learner.averaged, run.config
    read = []
    plain = type(run.val_scenes).__getitem__
    monkeypatch.setattr(
        type(run.val_scenes),
        "__getitem__",
        lambda scenes, index: (read.append((scenes, index)), plain(scenes, index))[1],
    )
    scores = run.scores()
    monkeypatch.undo()
    seen = {scenes.names()[index] for scenes, index in read if scenes is run.val_scenes}
    assert {half_of(stem) for stem in seen} == {"choose"}  # those of the other half, never

    def view(scenes, index):
        return middle_view(scenes[index], config.data, multiple=config.generator.multiple)

    others = [view(run.train_scenes, index) for index in (0, 1, 3)]  # of 5, evenly spread
    scenes = [view(run.val_scenes, index) for index in (2, 3, 4)]
    judge = Judge(
        FeatureExtractor(config.validation.judge_weights),
        photos=[scene.photo for scene in scenes],
        others=[scene.photo for scene in others],
    )
    pictures, layout = [], SemanticLayout.of(config, 13)
    for seed, (scene, other) in enumerate(zip(scenes, others)):
        inputs = scene_input(scene, averaged, layout, seed=seed)
        if style:  # the style is that of a photo of another scene
            inputs = dataclasses.replace(
                inputs, photo=scene_input(other, averaged, layout, seed=seed).photo
            )
        pictures.append(painted(averaged, inputs))
    expected = judge.score(pictures)
    assert scores.pop("overfitting") is not None
    assert scores == pytest.approx({f"val_{name}": value for name, value in expected.items()})


def test_statistics_that_were_measured_anew_are_those_that_are_painted_with(shop, landscape):
    run = trainer(shop, "unused", landscape, judged(shop), {"ema_recalibration_images": 4})
    own = run.scores()
    inputs = run.feed.inputs(run.feed.first(4))
    run.learner.statistics = measure_statistics(run.learner.averaged, inputs)
    assert run.learner.statistics
    assert run.scores() != own
    run.learner.statistics = {}
    assert run.scores() == own


def test_too_few_scenes_to_choose_by_are_told_before_the_first_step(shop, landscape, tmp_path):
    data = write_synthetic_dataset(tmp_path / "data", label_set=landscape, train=5, val=2)
    with pytest.raises(DataError, match="0 of the 2 validation scenes are in the half") as error:
        trainer_of_folder(tiny(judged(shop)), label_set=landscape, data=data, run=tmp_path / "run")
    assert error.value.code == "scenes_too_few"
    assert not (tmp_path / "run").exists()


def test_weights_that_are_missing_are_told_before_the_first_step(shop, landscape):
    missing = judged(shop, judge_weights="nowhere.npz")
    with pytest.raises(ModelError, match=r"nowhere\.npz: .*validation\.judge_weights"):
        trainer(shop, "never", landscape, missing)
    assert not (shop.folder / "never").exists()


def test_judge_that_is_given_one_scene_is_refused():
    with pytest.raises(Exception, match=r"'validation\.judge_scenes' must be at least 2"):
        read_config({"validation": {"judge_scenes": 1}})


def test_of_two_processes_the_first_one_judges_and_both_go_on(shop):
    options = judging(shop, "generator.param_free_norm=instance", "total_images=4")
    options = (*options, "validation.keep_snapshots_every_images=2")
    two = train_two(shop, "two", *options)
    assert two.returncode == 0, two.stdout + two.stderr
    assert [line["images"] for line in lines(shop, "two")] == [2, 4]
    names = {path.name for path in (shop.folder / "two" / "snapshots").iterdir()}
    assert names == {
        *("best.json", "best.pdparams", "0000000002.pdparams", "0000000004.pdparams"),
    }
    alone = shop.train("one", *options)
    assert alone.returncode == 0, alone.stderr
    first, apart = (lines(shop, run)[0] for run in ("two", "one"))
    for name in SCORES:
        assert first[name] == pytest.approx(apart[name], rel=0.05), name


def test_validation_takes_no_more_scenes_than_there_are(shop, landscape):
    run = trainer(shop, "unused", landscape, judged(shop, judge_scenes=100))
    assert isinstance(run._validation, Validation)
    assert np.isfinite(list(run.scores().values())).all()


def test_a_message_of_a_run_that_came_apart_names_states_that_are_there(shop, landscape):
    changes = [judged(shop, keep_snapshots_every_images=2), {"total_images": 100}]
    run = trainer(shop, "apart", landscape, *changes, {"optimizer": {"generator_lr": 1e30}})
    with pytest.raises(ModelError, match="training has diverged") as error:
        run.train()
    named = re.findall(r"\S+\.pdparams", str(error.value))
    assert len(named) == 3
    folder = shop.folder / "apart"
    assert [name.removeprefix(f"{folder}/") for name in named][1:2] == ["snapshots/best.pdparams"]
    # still, though the state of the end was saved after that
    for name in named:
        assert (folder / name.removeprefix(f"{folder}/")).is_file(), name
