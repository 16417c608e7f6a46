"""tools/train.py --dry-run: what the run would be, and nothing is written."""

from __future__ import annotations

import re
import subprocess
import sys

import yaml

from spade_paddle.config import read_config
from spade_paddle.networks.build import build_discriminator, build_generator
from spade_paddle.networks.cost import count_parameters
from tests.engine.conftest import environment


def dry_run(workshop, run, *options):
    result = subprocess.run(
        [sys.executable, *workshop.command(run, *options), "--dry-run"],
        capture_output=True,
        text=True,
        env=environment(workshop.root),
        timeout=300,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_it_tells_configuration_networks_data_time_and_memory(workshop, landscape):
    text = dry_run(workshop, "planned", "total_images=5000")
    content = yaml.safe_load(text[text.index("total_images") : text.index("\n\ngenerator:")])
    config = read_config(content)
    assert config.total_images == 5000
    assert config.generator.ngf == 2
    for name, build in (("generator", build_generator), ("discriminator", build_discriminator)):
        parameters = count_parameters(build(config, num_labels=len(landscape)))
        assert f"{name}: {parameters / 1e6:.2f} M parameters" in text
    assert text.count("GMAC for a picture of 32 x 32") == 2
    assert "data: 5 training and 2 validation photos; 96 x 64 to 96 x 64 pixels" in text
    assert "; 1000.0 epochs" in text
    assert re.search(r"time: \d+ h \d\d min for 5000 images at [\d.]+ images/s", text)
    assert re.search(r"memory: peak of [\d.]+ GiB per process", text)
    assert not (workshop.folder / "planned").exists()


def test_of_a_run_that_has_begun_it_tells_what_is_left_and_changes_nothing(workshop):
    style = ("encoder.style_dim=3", "encoder.nef=2", "encoder.size=16")
    assert workshop.train("begun", *style, "total_images=4").returncode == 0
    files = sorted((workshop.folder / "begun").rglob("*"))
    before = {path: path.read_bytes() for path in files if path.is_file()}
    text = dry_run(workshop, "begun", *style, "total_images=10")
    assert "encoder: " in text
    assert "progress: 4 of 10 images are done" in text
    assert "for 6 images" in text
    after = sorted((workshop.folder / "begun").rglob("*"))
    assert {path: path.read_bytes() for path in after if path.is_file()} == before
    assert "time: none, 4 of 4 images are done" in dry_run(
        workshop, "begun", *style, "total_images=4"
    )
