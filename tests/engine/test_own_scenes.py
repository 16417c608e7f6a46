"""A script of somebody's own: scenes, losses, networks and what happens after each step."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
import threading

import numpy as np
import paddle
import pytest

from spade_paddle.data.batches import SceneCache
from spade_paddle.data.dataset import Scene, find_pairs, read_scene
from spade_paddle.engine.assemble import trainer_of_folder
from spade_paddle.engine.distributed import Workers
from spade_paddle.engine.feed import Feed
from spade_paddle.engine.learner import Learner
from spade_paddle.engine.steps import Networks
from spade_paddle.engine.trainer import Trainer
from spade_paddle.errors import DataError, LabelMapError, ModelError
from spade_paddle.networks.build import build_discriminator, build_generator
from spade_paddle.networks.semantics import SemanticLayout
from tests.engine.conftest import assert_same_state, environment
from tests.engine.small_runs import tiny
from tests.engine.test_learner import copy
from tests.synthetic import synthetic_scene


@pytest.fixture
def scenes(landscape):
    """Five to train on and two to look at; the last of them has a name of its own."""
    made = [synthetic_scene(seed, label_set=landscape) for seed in range(7)]
    return made[:5], [made[5], dataclasses.replace(made[6], name="lake")]


def lines(run):
    return [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]


SCRIPT = """
import sys
from pathlib import Path
from spade_paddle.data.label_sets import find_label_set
from tests.synthetic import synthetic_scene
from spade_paddle.engine.trainer import Trainer
from tests.engine.small_runs import tiny

run, total = Path(sys.argv[1]), int(sys.argv[2])
labels = find_label_set("landscape")
scenes = [synthetic_scene(seed, label_set=labels) for seed in range(7)]
config = tiny({"total_images": total, "log_every_images": 2})
Trainer(config, label_set=labels, scenes=(scenes[:5], scenes[5:]), run=run).train()
"""


def test_a_script_with_scenes_in_memory_trains_and_goes_on(processes, root, tmp_path):
    for run, total in (("straight", 8), ("parts", 4), ("parts", 8)):
        command = [sys.executable, "-c", SCRIPT, str(tmp_path / run), str(total)]
        subprocess.run(command, check=True, env=environment(root), timeout=300)
    states = [
        paddle.load(str(tmp_path / run / "checkpoint" / "0000000008.pdparams"), return_numpy=True)
        for run in ("straight", "parts")
    ]
    assert_same_state(*states)
    assert [line["images"] for line in lines(tmp_path / "parts")] == [2, 4, 6, 8]


def test_scenes_in_memory_learn_what_those_of_a_folder_learn(workshop, landscape, tmp_path):
    states = []
    pairs = [find_pairs(workshop.data, part) for part in ("train", "val")]
    read = [[read_scene(pair, landscape) for pair in part] for part in pairs]
    by_folder = trainer_of_folder(
        tiny(), label_set=landscape, data=workshop.data, run=tmp_path / "a"
    )
    for trainer in (
        by_folder,
        Trainer(tiny(), label_set=landscape, scenes=read, run=tmp_path / "b"),
    ):
        trainer.train()
        state = copy(trainer.learner.state())
        states.append({name: state[name] for name in ("generator", "discriminator", "average")})
    assert_same_state(*states)


def test_a_step_of_own_scenes_that_is_not_finite_is_saved_with_their_names(
    scenes, landscape, tmp_path
):
    config = tiny({"total_images": 100, "optimizer": {"generator_lr": 1e30}})
    named = [[dataclasses.replace(scenes[0][0], name="meadow"), scenes[0][1]], scenes[1]]
    trainer = Trainer(config, label_set=landscape, scenes=named, run=tmp_path)
    with pytest.raises(ModelError, match="training has diverged"):
        trainer.train()
    with np.load(sorted((tmp_path / "inspect").iterdir())[0]) as step:
        assert sorted(step["files"]) == ["0001", "meadow"]


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (
            {"label_map": np.full((64, 96), 99, np.uint8)},
            LabelMapError,
            "label map of scene '0001': unknown label ids 99",
        ),
        (
            {"photo": np.zeros((64, 96, 3), np.float32)},
            DataError,
            r"scene '0001': .* expected a photo uint8 \[64, 96, 3\] .* got float32",
        ),
        (
            {"instance_map": np.zeros((4, 4), np.int32)},
            DataError,
            r"an instance map \[64, 96\] or None; got .* and \[4, 4\]",
        ),
    ],
)
def test_arrays_that_make_no_scene_are_told_with_its_name(
    scenes, landscape, tmp_path, change, error, message
):
    train = list(scenes[0])
    train[1] = dataclasses.replace(train[1], **change)
    run = tmp_path / "run"
    trainer = Trainer(tiny(), label_set=landscape, scenes=(train, scenes[1]), run=run)
    with pytest.raises(error, match=message):
        trainer.train()
    with pytest.raises(DataError, match="scenes: expected at least one"):
        Trainer(tiny(), label_set=landscape, scenes=(train, []), run=run)


def darkness(networks, part, fake_photo):
    """A loss that wants black pictures."""
    assert networks.generator.training
    assert fake_photo.shape == part.photo.shape
    return {"darkness": 500.0 * (fake_photo + 1).mean()}


def test_an_extra_loss_is_logged_and_changes_the_gradient(scenes, landscape, tmp_path):
    config = tiny({"log_every_images": 2, "total_images": 4})
    norms = {}
    for name, extra in (("plain", []), ("dark", [darkness])):
        run = tmp_path / name
        common = {"label_set": landscape, "scenes": scenes}
        Trainer(config, **common, run=run, extra_losses=extra).train()
        norms[name] = lines(run)[0]["g_grad_norm"]
        assert ("darkness" in lines(run)[0]) == (name == "dark")
        assert ("darkness" in lines(run)[1]) == (name == "dark")
    assert norms["dark"] > 1.5 * norms["plain"]
    assert lines(tmp_path / "dark")[0]["g_gan"] == lines(tmp_path / "plain")[0]["g_gan"]
    assert 0 < lines(tmp_path / "dark")[0]["darkness"] < 1000
    same_name = [lambda *_: {"g_gan": paddle.zeros([])}]
    with pytest.raises(ValueError, match="g_gan"):
        Trainer(config, **common, run=tmp_path / "same", extra_losses=same_name).step()


def test_callbacks_see_every_step_and_what_they_add_is_logged(scenes, landscape, tmp_path):
    seen = []

    def callback(trainer, losses):
        seen.append((trainer.learner.images_seen, losses["g_gan"]))
        losses["twice"] = 2 * losses["g_gan"]

    config = tiny({"log_every_images": 2, "total_images": 6})
    common = {"label_set": landscape, "scenes": scenes, "run": tmp_path}
    assert Trainer(config, **common, callbacks=[callback]).train()
    assert [images for images, _ in seen] == [2, 4, 6]
    for line, (images, loss) in zip(lines(tmp_path), seen):
        assert (line["images"], line["g_gan"], line["twice"]) == (images, loss, 2 * loss)


def test_networks_and_optimizers_can_be_given(landscape):
    config = tiny()
    given = Networks(
        generator=build_generator(config, num_labels=13),
        encoder=None,
        discriminator=build_discriminator(config, num_labels=13),
    )
    optimizers = tuple(
        paddle.optimizer.SGD(parameters=network.parameters()) for _, network in given.trained()
    )
    learner = Learner(
        config, num_labels=13, workers=Workers(), networks=given, optimizers=optimizers
    )
    feed = feed_of([synthetic_scene(0, label_set=landscape)] * 2, landscape, config, learner)
    weight = given.generator.conv_img.weight
    before, average = weight.numpy(), learner.averaged.generator.conv_img.weight
    assert np.array_equal(before, average.numpy())
    learner.learn(list(feed.inputs(feed.take(0))))
    assert not np.array_equal(before, weight.numpy())
    assert not any("moment" in name for name in learner.state()["optimizer_g"])
    assert optimizers[0].get_lr() == config.optimizer.generator_lr


def feed_of(scenes, landscape, config, learner=None):
    learner = learner or Learner(config, num_labels=13, workers=Workers())
    cache = SceneCache(scenes, label_set=landscape, options=config.data, multiple=32)
    layout = SemanticLayout.of(config, 13)
    return Feed(cache, networks=learner.networks, config=config, layout=layout, workers=Workers())


class Watched(list):
    """Scenes; who asks for one is noted, and ``check`` is called first."""

    def __init__(self, scenes, check=lambda index: None):
        super().__init__(scenes)
        self.threads, self.check = [], check

    def __getitem__(self, index) -> Scene:
        self.threads.append(threading.current_thread())
        self.check(index)
        return super().__getitem__(index)


def test_batches_are_read_in_the_background_and_are_those_of_their_place(scenes, landscape):
    config = tiny({"data": {"cache_gib": 0.0}, "total_images": 7})
    watched = Watched(scenes[0])
    feed = feed_of(watched, landscape, config)
    with feed:
        got = [feed.take(seen) for seen in (0, 2, 4, 6)]
    assert threading.main_thread() not in watched.threads
    assert len(watched.threads) == 7  # none twice, and none after the last
    for (batch,), (start, count) in zip(got, [(0, 2), (2, 2), (4, 2), (6, 1)]):
        for name, values in vars(feed.batches.at(start, count)).items():
            assert np.array_equal(values, getattr(batch, name)), name


@pytest.mark.parametrize(
    ("batch_size", "accumulation", "count", "sizes"),
    [(4, 1, 4, [4]), (4, 2, 4, [2, 2]), (4, 2, 3, [1, 1, 1]), (8, 2, 6, [3, 3])],
)
def test_a_batch_is_taken_in_as_few_equal_parts_as_may_be(
    scenes, landscape, batch_size, accumulation, count, sizes
):
    changes = {"batch_size": batch_size, "compute": {"accumulation": accumulation}}
    config = tiny(changes, {"total_images": batch_size + count, "generator": {"noise": True}})
    with feed_of(scenes[0], landscape, config) as feed:
        parts = feed.take(batch_size)
        whole = vars(feed.batches.at(batch_size, count))
    assert [len(part.photo) for part in parts] == sizes
    assert [len(part.segmap) for part in feed.inputs(parts)] == sizes
    for name in ("photo", "label_map", "names"):
        joined = np.concatenate([getattr(part, name) for part in parts])
        assert np.array_equal(joined, whole[name])
    for block, maps in enumerate(whole["noise"]):
        assert np.array_equal(np.concatenate([part.noise[block] for part in parts]), maps)


def test_a_scene_that_cannot_be_read_is_told_where_its_batch_is_needed(scenes, landscape):
    config = tiny({"data": {"cache_gib": 0.0}})

    def check(index):
        if len(watched.threads) > 2:
            raise DataError(f"scene {index} is gone")

    watched = Watched(scenes[0], check)
    with feed_of(watched, landscape, config) as feed:
        assert len(feed.take(0)[0].photo) == 2
        feed.wait(2, cancelled=lambda: False)
        for _ in range(2):  # it is not read again
            with pytest.raises(DataError, match="is gone"):
                feed.take(2)
    assert len(watched.threads) == 3


def test_waiting_ends_when_asked_to_stop_though_nothing_can_be_read(scenes, landscape):
    config = tiny({"data": {"cache_gib": 0.0}})
    reading, go_on = threading.Event(), threading.Event()

    def check(index):
        reading.set()
        go_on.wait()

    with feed_of(Watched(scenes[0], check), landscape, config) as feed:
        feed.wait(0, cancelled=reading.is_set)
        go_on.set()
        assert len(feed.take(0)[0].photo) == 2
