"""tools/compress.py in real processes: a trained run in, a student's run out, which trains on."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from spade_paddle.compression.cost import bytes_cost, macs_cost
from spade_paddle.compression.groups import widths_of
from spade_paddle.engine.run_folder import RunFolder
from spade_paddle.inference.painter import Painter
from tests.engine.conftest import Workshop, environment
from tests.engine.test_going_on import export

STYLE = ("encoder.style_dim=3", "encoder.nef=2", "encoder.size=16", "data.instance_edges=false")
WIDE = (
    *("generator.norm=clade", "generator.ngf=12", "generator.max_width=48"),
    # coarse features of more than one pixel: on those Paddle's predictor crashes, with a style
    *("data.crop_size=64", "data.load_size=64"),
)


def compress(shop: Workshop, out: str, *options: str, run: Path | None = None):
    return subprocess.run(
        [
            *(sys.executable, str(shop.root / "tools" / "compress.py")),
            *("--run", str(run or shop.folder / "teacher"), "--out", str(shop.folder / out)),
            *options,
        ],
        capture_output=True,
        text=True,
        env=environment(shop.root),
        timeout=300,
        check=False,
    )


@pytest.fixture(scope="module")
def teacher(workshop) -> RunFolder:
    result = workshop.train("teacher", *STYLE, *WIDE)
    assert result.returncode == 0, result.stderr
    return RunFolder(workshop.folder / "teacher")


@pytest.fixture(scope="module")
def itself(workshop) -> Workshop:
    """Trains runs by their own configurations."""
    shop = Workshop(workshop.folder, workshop.root)
    shop.config = None
    return shop


def macs(config, labels: int) -> float:
    return macs_cost(config, num_labels=labels, height=64, width=64).of(widths_of(config))


@pytest.fixture(scope="module")
def student(workshop, teacher, landscape) -> RunFolder:
    """Of at most half of the teacher's multiply-adds."""
    budget = macs(teacher.config, len(landscape)) / 2
    result = compress(workshop, "student", "--macs", f"{budget / 1e6:.3f}M")
    assert result.returncode == 0, result.stderr
    assert "total" in result.stdout
    assert "tools/train.py --data DATA --run" in result.stdout
    run = RunFolder(workshop.folder / "student")
    assert 0.9 * budget < macs(run.config, len(landscape)) <= budget
    return run


def test_its_configuration_is_the_teachers_with_widths_and_a_teacher(student, teacher):
    old, new = teacher.config.to_dict(), student.config.to_dict()
    assert new["generator"].pop("widths")["coarse"][0] <= 48
    assert new.pop("init_from") == new["distillation"].pop("teacher") == str(teacher.path)
    assert new["distillation"].pop("method") == "cat"
    assert old["generator"].pop("widths") is None
    assert old["distillation"].pop("teacher") is None
    assert old["distillation"].pop("method") == "none"
    del old["init_from"]
    assert new == old
    text = (student.path / "config.yaml").read_text(encoding="utf-8")
    assert "    coarse: [" in text, "a list is written in one line"


def test_before_any_training_it_can_be_exported_and_paints(workshop, student, teacher, landscape):
    out = workshop.folder / "student-model"
    result = export(workshop, "student", out, "--snapshot", "0")
    assert result.returncode == 0, result.stderr
    painter = Painter.load(out)
    assert painter.card.parameters < 0.7 * sum(
        np.prod(value.shape)
        for name, value in teacher.averages()["average"].items()
        if not name.endswith(("_mean", "_variance"))
    )
    label_map = np.random.default_rng(0).integers(0, len(landscape), (64, 128)).astype(np.uint8)
    picture = painter.paint(label_map)
    assert picture.shape == (64, 128, 3)
    assert picture.std() > 0.1


def test_training_begins_with_the_channels_that_are_left(workshop, itself, student, teacher):
    result = itself.train("student", "total_images=4", "distillation.teacher=" + str(teacher.path))
    assert result.returncode == 0, result.stderr
    lines = result.stdout + result.stderr
    assert "pruned to the channels with the best scores" in lines
    assert "discriminator: all" in lines
    state = workshop.weights("student", 4)
    assert state["generator"]["head_0.norm_0.weight"].shape[1] == widths_of(student.config).coarse
    export_result = export(workshop, "student", workshop.folder / "trained-model", "--trainable")
    assert export_result.returncode == 0, export_result.stderr
    again = compress(workshop, "smaller", "--size", "90KB", run=workshop.folder / "trained-model")
    assert again.returncode == 0, again.stderr
    smaller = RunFolder(workshop.folder / "smaller")
    size = bytes_cost(smaller.config, num_labels=len(smaller.label_set))
    assert size.of(widths_of(smaller.config)) <= 90_000


def test_from_scratch_there_is_nothing_to_export_and_fresh_weights_begin(workshop, itself, teacher):
    result = compress(
        *(workshop, "fresh", "--macs", "9M", "--start", "scratch", "--method", "omgd"),
        *("--set", "distillation.wider=2", "--set", "distillation.gram=0"),
        *("--set", "distillation.feature=0", "--set", "total_images=2"),
    )
    assert result.returncode == 0, result.stderr
    run = RunFolder(workshop.folder / "fresh")
    assert run.config.distillation.method == "omgd"
    assert run.config.distillation.teacher is None
    assert not (run.path / "snapshots").exists()
    result = itself.train("fresh")
    assert result.returncode == 0, result.stderr
    assert "generator: all layers are newly initialized (distillation.student_start=scratch)" in (
        result.stdout + result.stderr
    )
    assert workshop.checkpoints("fresh") == [2]


def test_a_latency_is_measured_here(workshop, teacher):
    """Timings decide what is left, so that alone is asked which no timing can change."""
    result = compress(workshop, "quick", "--latency", "60000ms")
    assert result.returncode == 2
    assert "budget: expected less than" in result.stderr
    assert "ms, the cost of the unpruned generator" in result.stderr
    result = compress(workshop, "quick", "--latency", "0.0001ms")
    assert result.returncode == 2
    assert "the smallest cost that this generator can be pruned to" in result.stderr


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--macs", "1"), "the smallest cost that this generator can be pruned to, got 1"),
        (("--macs", "900G"), "the cost of the unpruned generator"),
        (("--macs", "0"), "budget: expected more than 0 MACs, got 0"),
        (("--macs", "many"), "expected an amount such as 1.0G, got 'many'"),
        (("--size", "4ms"), "expected an amount such as 4MB, got '4ms'"),
        (("--macs", "9M", "--picture", "33x32"), "width and height must be multiples of 32"),
        (("--macs", "9M", "--picture", "big"), "expected WIDTHxHEIGHT, such as 512x256"),
        ((), "one of the arguments --macs --size --latency is required"),
        (("--macs", "9M", "--set", "batch_size=1"), "'batch_size' must be at least 2"),
    ],
)
def test_mistakes_are_one_line_and_exit_code_2(workshop, teacher, options, message):
    result = compress(workshop, "never", *options)
    assert result.returncode == 2
    assert message in result.stderr.strip().splitlines()[-1]
    assert not (workshop.folder / "never").exists()


def test_a_run_that_is_there_is_not_written_over(workshop, student):
    before = (student.path / "config.yaml").read_bytes()
    result = compress(workshop, "student", "--macs", "9M")
    assert result.returncode == 2
    assert "there is already a run here" in result.stderr
    assert (student.path / "config.yaml").read_bytes() == before


def test_a_configuration_that_is_no_narrower_version_is_told(workshop, itself, student):
    run = workshop.folder / "wrong"
    run.mkdir()
    text = (student.path / "config.yaml").read_text(encoding="utf-8")
    coarse = widths_of(student.config).coarse
    (run / "config.yaml").write_text(text.replace(f"[{coarse}", "[64"), encoding="utf-8")
    (run / "labels.json").write_bytes((student.path / "labels.json").read_bytes())
    result = itself.train("wrong")
    assert result.returncode == 2
    assert "generator.widths: coarse: expected at most 48 channels" in result.stderr
