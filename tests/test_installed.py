"""The package as other people install it: a wheel, in an environment outside the checkout."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tarfile
import time
import urllib.request
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import spade_paddle
from spade_paddle.assets import TOOLS, find_config
from spade_paddle.data.label_sets import find_label_set
from spade_paddle.errors import ConfigError
from tests.pictures import png64, scene
from tests.synthetic import write_synthetic_dataset

ROOT = Path(__file__).parents[1]


class Installed:
    """An environment with the wheel, and an empty folder to work in."""

    def __init__(self, folder: Path, *, sdist: Path, wheel: Path) -> None:
        self.folder = folder / "elsewhere"
        self.folder.mkdir()
        self.sdist, self.wheel = sdist, wheel
        self._bin = folder / "environment" / "bin"

    def command(self, *arguments: str) -> list[str]:
        return [str(self._bin / "spade-paddle"), *arguments]

    def run(self, *arguments: str) -> subprocess.CompletedProcess:
        done = subprocess.run(
            self.command(*arguments),
            cwd=self.folder,
            env=environment(),
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done


def environment() -> dict[str, str]:
    """Without a way back to the checkout."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}


@pytest.fixture(scope="module")
def installed(processes, tmp_path_factory) -> Installed:
    folder = tmp_path_factory.mktemp("installed")
    source = folder / "source"  # building leaves files behind
    ignored = shutil.ignore_patterns(".*", "tests", "docs", "build", "*.egg-info", "__pycache__")
    shutil.copytree(ROOT, source, ignore=ignored)
    build = [sys.executable, "-m", "build", "--sdist", "--no-isolation", "--outdir", folder]
    subprocess.run([*build, source], check=True)
    shutil.rmtree(source)
    (sdist,) = folder.glob("*.tar.gz")
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "wheel", "--no-deps", "-w", folder, sdist], check=True)
    place = folder / "environment"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", place], check=True)
    (packages,) = place.glob("lib/python*/site-packages")
    # Paddle and the others are those of this environment; a path in a .pth file brings no editable
    # installs along
    (packages / "others.pth").write_text(f"{Path(np.__file__).parents[1]}\n", encoding="utf-8")
    (wheel,) = folder.glob("*.whl")
    python = place / "bin" / "python"
    subprocess.run([*pip, "--python", python, "install", "--no-deps", wheel], check=True)
    return Installed(folder, sdist=sdist, wheel=wheel)


def contents(package: Path) -> dict[str, bytes]:
    """The files of a wheel or a source distribution, by their names in it."""
    if package.suffix == ".whl":
        with zipfile.ZipFile(package) as archive:
            return {name: archive.read(name) for name in archive.namelist()}
    with tarfile.open(package) as archive:
        files = {each.name.partition("/")[2]: archive.extractfile(each) for each in archive}
        return {name: file.read() for name, file in files.items() if file is not None}


def test_packages_hold_everything_that_is_needed_once_and_no_photos(installed):
    folder = ROOT / "hub_module/weights"
    weights = {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }
    for package, place in ((installed.sdist, ""), (installed.wheel, "spade_paddle/packed/")):
        assert package.name.startswith(f"spade_paddle-{spade_paddle.__version__}")
        assert package.stat().st_size < 50e6
        files = contents(package)
        assert {"spade_paddle/py.typed", f"{place}hub_module/MODEL_CARD.md"} <= files.keys()
        assert f"{place}tools/train.py" in files and "spade_paddle/page/index.html" in files
        for name, content in weights.items():
            assert files[f"{place}hub_module/weights/{name}"] == content
        large = [content for content in files.values() if len(content) > 20_000]
        assert len(large) == len(set(large)) > 6
        assert not [name for name in files if name.endswith((".jpg", ".png", ".pyc"))]
        tops = {name.partition("/")[0] for name in files if "/" in name}
        known = {"configs", "hub_module", "tools", "spade_paddle"}
        assert {top for top in tops - known if not top.endswith("-info")} == set()


def test_it_is_not_the_checkout_that_runs(installed):
    code = "import spade_paddle.assets as a; print(a.__file__, a.CONFIGS, a.WEIGHTS, a.TOOLS)"
    python = installed.command()[0].replace("spade-paddle", "python")
    shown = subprocess.check_output(
        [python, "-c", code], cwd=installed.folder, env=environment(), text=True
    )
    places = [Path(word) for word in shown.split()]
    assert len(places) == 4
    for place in places:
        assert place.exists()
        assert installed.folder.parent in place.parents


def test_it_lists_every_command(installed):
    shown = installed.run("--help").stdout
    for path in TOOLS.glob("*.py"):
        assert f"  {path.stem.replace('_', '-')} " in shown
    assert "usage: spade-paddle paint " in installed.run("paint", "--help").stdout


def test_it_paints_with_the_shipped_weights_by_their_name(installed):
    label_map = np.full((64, 96), 1, np.uint8)
    label_map[32:] = 7
    Image.fromarray(label_map).save(installed.folder / "label.png")
    # by the C library in the wheel, where it can have been built
    engine = "native" if sys.platform == "linux" and shutil.which("cc") else "auto"
    painted = ("--label-map", "label.png", "--out", "picture.png", "--engine", engine)
    installed.run("paint", *painted)
    picture = np.asarray(Image.open(installed.folder / "picture.png"))
    assert picture.shape == (64, 96, 3) and picture.std() > 5


def test_it_annotates_examines_and_trains_by_the_name_of_a_configuration(installed):
    landscape = find_label_set("landscape")
    data = write_synthetic_dataset(
        installed.folder / "data", label_set=landscape, train=6, val=2, height=144, width=144
    )
    photos = str(data / "train" / "images")
    installed.run("annotate", "--photos", photos, "--out", "annotated")
    assert len(list((installed.folder / "annotated" / "labels").glob("*.png"))) == 6
    installed.run("doctor", str(data), "--config", "landscape_cpu", "--json")
    options = [
        *("losses.perceptual_network=none", "discriminator.kind=patch", "generator.ngf=4"),
        *("total_images=8", "data.load_size=72", "data.crop_size=64", "encoder.size=32"),
    ]
    sets = [word for option in options for word in ("--set", option)]
    where = ("--data", str(data), "--run", "run")
    done = installed.run("train", "--config", "landscape_cpu", *where, *sets)
    assert "done: 8 images" in done.stdout


def test_it_serves_the_page_and_paints_over_http(installed):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = installed.command("serve", "--port", str(port))
    with subprocess.Popen(command, cwd=installed.folder, env=environment()) as server:
        try:
            address = f"http://127.0.0.1:{port}"
            while True:  # the test as a whole has its time limit from CI
                assert server.poll() is None
                try:
                    health = json.load(urllib.request.urlopen(f"{address}/healthz", timeout=30))
                    break
                except OSError:
                    time.sleep(0.2)
            assert health["status"] == "ok"
            page = urllib.request.urlopen(f"{address}/", timeout=30).read()
            assert b"<html" in page
            request = urllib.request.Request(
                f"{address}/predict/gaugan_doodle",
                data=json.dumps({"images": [png64(scene())]}).encode(),
                headers={"Content-Type": "application/json"},
            )
            answer = json.load(urllib.request.urlopen(request, timeout=120))
            assert (answer["results"][0]["width"], answer["results"][0]["height"]) == (64, 64)
        finally:
            server.terminate()
        server.wait(timeout=60)


@pytest.mark.parametrize("name", ["landscape_cpu", "article"])
def test_a_configuration_is_found_by_its_name(name):
    assert find_config(name) == ROOT / "configs" / f"{name}.yaml"
    assert find_config("other/place.yaml") == Path("other/place.yaml")


def test_a_name_that_is_not_known_is_answered_with_the_nearest(processes):
    with pytest.raises(ConfigError, match="did you mean 'landscape_cpu'") as caught:
        find_config("landscape-cpu")
    assert caught.value.code == "config_missing"
    done = subprocess.run(
        [sys.executable, "-m", "spade_paddle", "piant"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr == "error: there is no command 'piant'; did you mean 'paint'?\n"
