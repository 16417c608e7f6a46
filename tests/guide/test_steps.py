"""The commands of README.md and docs/guide.md, run as written in one folder, as a stranger would.

Every indented line of the two pages is run by a shell, but those of NOT_RUN. What is put in: sizes
that take seconds, and a free port. README_zh.md and docs/guide_zh.md have the same commands
(tests/test_repository.py).
"""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from spade_paddle.data.label_sets import find_label_set
from tests.serving.processes import free_port
from tests.synthetic import synthetic_scene

ROOT = Path(__file__).parents[2]
PAGES = ("README.md", "docs/guide.md")
# lines that begin so are not run, and why
NOT_RUN = {
    "git clone ": "the checkout is here",
    "make ": "installs for minutes or runs all tests; its commands are the ones below",
    "python3 -m venv ": "this environment is taken instead",
    ".venv/bin/pip install ": "the same",
    "py -3.11 ": "Windows",
    ".venv\\Scripts\\": "Windows",
    ".venv/bin/python tools/convert.py ": "needs weights of others; tests/convert runs it",
    ".venv/bin/python tools/paint.py --model out/ade20k ": "paints with what that makes",
}
# networks that are quickly made, without weights that would be downloaded
TINY = (
    *("losses.perceptual_network=none", "discriminator.kind=patch", "discriminator.ndf=4"),
    *("generator.ngf=4", "encoder.nef=4", "encoder.size=32"),
    *("data.load_size=72", "data.crop_size=64", "total_images=8", "sample_every_images=8"),
)
# what is put into a line that has the first: what replaces it
SUBSTITUTES = {
    "--config configs/landscape_cpu.yaml": " ".join(
        ["--config configs/landscape_cpu.yaml", *(f"--set {each}" for each in TINY)]
    ),
    "--set total_images=40000": "--set total_images=12",
    "--set total_images=8000": "--set total_images=8",
    "--macs 0.5G": "--macs 8M",  # of a tiny generator
    # of so few photos one falls to validation
    "tools/evaluate.py": "tools/evaluate.py --part train --half all --side 64",
}
SERVE = re.compile(r"-m spade_paddle\.serving|hub serving start")


def blocks(page: str) -> list[list[str]]:
    """The indented blocks of a page: lists of lines, continued ones joined."""
    text = (ROOT / page).read_text(encoding="utf-8")
    text = re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE)
    found = re.findall(r"(?:^ {4}.*\n)+", text, flags=re.MULTILINE)
    return [re.sub(r"\\\n\s*", "", block).strip().split("\n    ") for block in found]


STEPS = [(page, block) for page in PAGES for block in blocks(page)]


class Stranger:
    """A folder like a checkout after installation, and what readers have of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "spade_paddle"
        self.folder.mkdir()
        self.server: subprocess.Popen | None = None
        self.port = 0
        for name in ("configs", "constraints.txt", "hub_module", "setup.py", "tools"):
            (self.folder / name).symlink_to(ROOT / name)
        programs = self.folder / ".venv" / "bin"
        programs.mkdir(parents=True)
        for name in ("python", "hub"):
            real = shlex.quote(str(Path(sys.executable).with_name(name)))
            (programs / name).write_text(f'#!/bin/sh\nexec {real} "$@"\n', encoding="utf-8")
            (programs / name).chmod(0o755)
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("GAUGAN_", "HUB_"))}
        home = {"HOME": str(folder / "home"), "PYTHONPATH": str(ROOT), "no_proxy": "*"}
        self.environment = {**kept, **home, "PYTHONDONTWRITEBYTECODE": "1"}
        (folder / "home").mkdir()
        self._own_files()

    def _own_files(self) -> None:
        landscape = find_label_set("landscape")
        for name, count in (("PHOTOS", 12), ("MY_PHOTOS", 10)):
            (self.folder / name).mkdir()
            for index in range(count):
                scene = synthetic_scene(index, label_set=landscape, height=96, width=96)
                Image.fromarray(scene.photo).save(self.folder / name / f"photo {index}.jpg")
        (self.folder / "doodles").mkdir()
        Image.fromarray(scene.label_map).save(self.folder / "doodles" / "lake.png")
        Image.fromarray(scene.photo).save(self.folder / "evening.jpg")
        # larger than what fits into a command line
        noise = np.random.default_rng(0).integers(0, 13, (384, 640)).astype(np.uint8)
        Image.fromarray(noise).save(self.folder / "label.png")
        assert (self.folder / "label.png").stat().st_size > 131072 * 3 / 4  # in base64

    def run(self, line: str) -> None:
        """Run a line to its end, or, if it serves, until the service is ready."""
        for found, substitute in SUBSTITUTES.items():
            line = line.replace(found, substitute)
        if SERVE.search(line):
            self.serve(line)
            return
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", line.replace("localhost:8866", self.address)],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        assert done.returncode == 0, f"{line}\n{done.stdout}\n{done.stderr}"

    @property
    def address(self) -> str:
        return f"localhost:{self.port}"

    def serve(self, line: str) -> None:
        self.stop()
        self.port = free_port()
        option = "-p" if "hub serving" in line else "--port"
        log = self.folder / "service.log"
        with log.open("wb") as output:
            self.server = subprocess.Popen(
                ["bash", "-c", f"exec {line} {option} {self.port}"],
                cwd=self.folder,
                env=self.environment,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        while True:  # the test as a whole has its time limit from CI
            assert self.server.poll() is None, f"{line}\n{log.read_text()}"
            with contextlib.suppress(OSError):
                opener.open(f"http://{self.address}/healthz", timeout=30).close()
                page = opener.open(f"http://{self.address}/", timeout=30).read()
                assert b"<html" in page
                return
            time.sleep(0.2)

    def stop(self) -> None:
        if self.server is not None:
            os.killpg(self.server.pid, signal.SIGTERM)
            self.server.wait(60)
            self.server = None


@pytest.fixture(scope="module")
def stranger(processes, tmp_path_factory):
    stranger = Stranger(tmp_path_factory.mktemp("stranger"))
    yield stranger
    stranger.stop()


@pytest.mark.parametrize(("page", "block"), STEPS, ids=[block[0][:70] for _, block in STEPS])
def test_the_commands_work_as_they_are_written(stranger, page, block):
    for line in block:
        if not line.startswith(tuple(NOT_RUN)):
            stranger.run(line)


def test_everything_that_is_said_to_come_of_it_is_there(stranger):
    made = (
        *("DATA/review.html", "runs/first/vdl", "runs/first/samples", "out/model/model.json"),
        *("picture.png", "pictures/lake.png", "out/hub/label.png", "out/sheet.png"),
        *("out/model/training.pdparams", "landscape.onnx", "runs/mine/config.yaml"),
        "runs/student/checkpoint",
    )
    assert [name for name in made if not (stranger.folder / name).exists()] == []
    for name in ("picture.jpg", "out/hub/label.png", "picture.png"):
        assert Image.open(stranger.folder / name).size == (640, 384), name


def test_what_is_not_run_and_what_is_put_in_stands_in_the_pages():
    lines = [line for _, block in STEPS for line in block]
    assert len(lines) > 30
    for beginning in NOT_RUN:
        assert any(line.startswith(beginning) for line in lines), beginning
    for found in SUBSTITUTES:
        assert any(found in line for line in lines), found
