"""tools/train.py as people run it, in processes of its own."""

from __future__ import annotations

import json

import numpy as np
import paddle
import pytest
import yaml
from PIL import Image

from spade_paddle.config import load_config
from spade_paddle.data.batches import to_pixels
from spade_paddle.inference.export import LabelsToPicture, export_run
from spade_paddle.inference.painter import Painter
from tests.engine.conftest import assert_same_state
from tests.synthetic import synthetic_scene

# a style encoder, CLADE-ICPE and synchronized statistics, in as few numbers as may be
STYLE = (
    *("generator.norm=clade_icpe", "generator.param_free_norm=sync_batch"),
    *("encoder.style_dim=3", "encoder.nef=2", "encoder.size=16"),
)


@pytest.fixture(scope="module")
def finished(workshop):
    """A run of 8 images, uninterrupted."""
    result = workshop.train("straight")
    assert result.returncode == 0, result.stderr
    return result


def test_run_folder_holds_everything_that_is_promised(workshop, finished):
    run = workshop.folder / "straight"
    assert "done: 8 images" in finished.stdout
    assert yaml.safe_load((run / "config.yaml").read_text())["generator"]["ngf"] == 2
    assert json.loads((run / "labels.json").read_text())["name"] == "landscape"
    # so that the configuration can start other runs, wherever the original file was
    assert load_config(run / "config.yaml").data.labels == "labels.json"
    environment_json = json.loads((run / "environment.json").read_text())
    assert environment_json["paddle"] == paddle.__version__
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    assert [line["images"] for line in lines] == [4, 8]
    assert lines[0].keys() == {
        *("images", "g_gan", "g_feat", "d_fake", "d_real", "d_accuracy", "lr", "images_per_s"),
        *("g_grad_norm", "d_grad_norm", "memory_gib"),
    }
    assert 0 <= lines[0]["d_accuracy"] <= 1
    assert lines[0]["g_grad_norm"] > 0
    assert not list(run.rglob("*.tmp"))
    # two validation scenes, each as label map | painted | by the average | photo, of 32 x 32
    picture = Image.open(run / "samples" / "0000000008-samples.png")
    assert picture.size == (32 * 4 + 12, 32 * 2 + 4)


def test_progress_bar_tells_images_per_second_and_time_left(finished):
    assert "img/s" in finished.stderr
    assert "8/8" in finished.stderr


def read_visualdl(run):
    """Of the one VisualDL file of a run: the steps of a scalar and of the pictures, the tags."""
    from visualdl import LogReader

    (file,) = (run / "vdl").iterdir()
    reader = LogReader(file_path=str(file))
    tags = reader.get_tags()
    scalars = [record.id for record in reader.get_data("scalar", "g_gan")]
    return scalars, [record.id for record in reader.get_data("image", "samples")], tags


def test_visualdl_log_reads_back(workshop, finished):
    del finished
    scalars, pictures, tags = read_visualdl(workshop.folder / "straight")
    assert {"g_gan", "d_accuracy", "g_grad_norm", "memory_gib"} <= set(tags["scalar"])
    assert tags["image"] == ["samples"]
    assert scalars == [4, 8]
    assert pictures == [8]


def test_export_takes_the_statistics_that_were_measured_anew(workshop, landscape, tmp_path):
    options = ("data.instance_edges=false", "ema_recalibration_images=4")
    assert workshop.train("measured", *options).returncode == 0
    run = workshop.folder / "measured"
    state = workshop.weights("measured", 8)
    assert state["statistics"]
    export_run(run, tmp_path / "model", name="x", version="1")
    label_map = synthetic_scene(5, label_set=landscape, height=32, width=32).label_map
    picture = Painter.load(tmp_path / "model", threads=1).paint(label_map).astype(int)
    network = LabelsToPicture.of(load_config(run / "config.yaml"), num_labels=len(landscape))
    differences = []
    for statistics in (state["statistics"], {}):
        network.generator.set_state_dict({**state["average"], **statistics})
        with paddle.no_grad():
            inputs = {"label_map": paddle.to_tensor(label_map[None].astype("int32"))}
            expected = to_pixels(network(inputs).numpy())[0]
        differences.append(np.abs(picture - expected).max())
    assert differences[0] <= 1 < differences[1], differences


def test_visualdl_shows_a_resumed_run_from_its_beginning(workshop):
    # VisualDL shows the newest file of a folder only
    often = "sample_every_images=4"
    assert workshop.train("seen", often, "total_images=4").returncode == 0
    # what a run leaves that was killed after its last checkpoint
    (workshop.folder / "seen" / "samples" / "0000000006-samples.png").write_bytes(b"of a lost step")
    with (workshop.folder / "seen" / "metrics.jsonl").open("a") as file:
        file.write('{"images": 6, "g_gan": 1.0}\n{"images": 7, "g_g')
    assert workshop.train("seen", often).returncode == 0
    text = (workshop.folder / "seen" / "metrics.jsonl").read_text()
    assert [json.loads(line)["images"] for line in text.splitlines()] == [4, 8]
    scalars, pictures, _ = read_visualdl(workshop.folder / "seen")
    assert scalars == [4, 8]
    assert pictures == [4, 8]
    assert not (workshop.folder / "seen" / "samples" / "0000000006-samples.png").exists()


def test_resumed_run_ends_with_the_weights_of_an_uninterrupted_one(workshop, finished):
    del finished
    assert workshop.train("parts", "total_images=4").returncode == 0
    again = workshop.train("parts")
    assert again.returncode == 0, again.stderr
    assert "resuming from 4 images" in again.stdout + again.stderr
    assert_same_state(workshop.weights("straight", 8), workshop.weights("parts", 8))
    text = (workshop.folder / "parts" / "metrics.jsonl").read_text()
    assert [json.loads(line)["images"] for line in text.splitlines()] == [4, 8]


def test_resumed_run_with_style_ends_with_the_weights_of_an_uninterrupted_one(workshop):
    straight = workshop.train("style-straight", *STYLE)
    assert straight.returncode == 0, straight.stderr
    assert straight.stderr.count("sync_batch: one process only") == 1
    assert workshop.train("style-parts", *STYLE, "total_images=4").returncode == 0
    again = workshop.train("style-parts", *STYLE)
    assert again.returncode == 0, again.stderr
    state = workshop.weights("style-straight", 8)
    assert {"encoder", "average_encoder"} <= state.keys()
    assert_same_state(state, workshop.weights("style-parts", 8))
    text = (workshop.folder / "style-parts" / "metrics.jsonl").read_text()
    assert all(json.loads(line)["g_vae"] > 0 for line in text.splitlines())
    earlier = workshop.weights("style-straight", 4)["encoder"]["fc_mu.weight"]
    assert np.abs(state["encoder"]["fc_mu.weight"] - earlier).max() > 1e-4  # the encoder learns
    # what a style is made into belongs to one size
    other = workshop.train("style-straight", *STYLE, "data.crop_size=64", "data.load_size=64")
    assert other.returncode == 2
    assert "data.crop_size was 32, is 64" in other.stderr


def test_different_seed_ends_with_different_weights(workshop, finished):
    del finished
    assert workshop.train("other-seed", "seed=6").returncode == 0
    one, other = workshop.weights("straight", 8), workshop.weights("other-seed", 8)
    assert not np.array_equal(one["average"]["fc.weight"], other["average"]["fc.weight"])


def test_shortest_run_still_leaves_numbers_and_a_picture(workshop):
    assert workshop.train("short", "total_images=1", "batch_size=1").returncode == 0
    run = workshop.folder / "short"
    assert json.loads((run / "metrics.jsonl").read_text())["images"] == 1
    assert (run / "samples" / "0000000001-samples.png").is_file()


def test_finished_run_stays_finished(workshop, finished):
    del finished
    result = workshop.train("straight")
    assert result.returncode == 0
    assert "done: 8 images" in result.stdout


@pytest.mark.parametrize(
    ("run", "options", "message"),
    [
        ("straight", ["generator.ngf=3"], "generator.ngf was 2, is 3"),
        ("straight", ["encoder.style_dim=3"], "encoder.style_dim was 0, is 3"),
        ("wrong", ["generator.nfg=3"], "did you mean 'generator.ngf'"),
        (
            "wrong",
            ["losses.perceptual_network=squeezenet", "losses.perceptual_weights=none.npz"],
            "none.npz: there is no such weights file",
        ),
    ],
)
def test_mistakes_are_one_line_and_exit_code_2(workshop, finished, run, options, message):
    del finished
    result = workshop.train(run, *options)
    assert result.returncode == 2
    error = result.stderr.strip().splitlines()[-1]
    assert error.startswith("error: ")
    assert message in error
    assert "Traceback" not in result.stderr
