"""What the repository promises about itself."""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import re
import subprocess
import sys

import numpy as np
import pytest
import yaml

import spade_paddle
from spade_paddle import cli
from spade_paddle.config import read_config
from tests.guide.test_steps import blocks

TOOLS = (
    *("annotate", "benchmark", "compare_maps", "compress", "convert", "correct", "doctor"),
    *("evaluate", "export", "load", "paint", "remap", "sheet", "split", "train"),
    "train_annotator",
)


@pytest.mark.parametrize("tool", TOOLS)
def test_every_tool_explains_itself(processes, root, tool):
    result = subprocess.run(
        [sys.executable, str(root / "tools" / f"{tool}.py"), "--help"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert "usage:" in result.stdout


def test_tools_say_how_to_install_paddle_where_it_is_missing(monkeypatch, capsys, root):
    monkeypatch.setattr(cli.importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(sys, "argv", ["export.py"])
    assert cli.run_tool(lambda arguments: 0, argparse.ArgumentParser()) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: Paddle is not installed")
    assert "constraints.txt" in error


def test_tools_named_here_are_all_tools(root):
    assert {path.stem for path in (root / "tools").glob("*.py")} == set(TOOLS)


def headings(page) -> set[str]:
    """What links call the headings of a page."""
    found = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {re.sub(r"[^\w -]", "", each.lower()).replace(" ", "-") for each in found}


PAGES = [("README.md", "README_zh.md"), ("docs/guide.md", "docs/guide_zh.md")]
WORKFLOW = ".github/workflows/ci.yml"


@pytest.mark.parametrize(
    "name", [*PAGES[0], *PAGES[1], "CONTRIBUTING.md", "docs/design.md", "tests/README.md"]
)
def test_files_that_the_readmes_point_to_exist(root, name):
    page = root / name
    text = page.read_text(encoding="utf-8")
    targets = re.findall(r"\]\(([^):]+)\)", text)
    assert targets or name in ("docs/design.md", "tests/README.md")
    for target in targets:
        path, _, heading = target.partition("#")
        assert (page.parent / path).exists(), f"{name} points to {target}"
        if heading:
            assert heading in headings(page.parent / path), f"{name} points to {target}"
    for path in re.findall(r"`?((?:configs|tools)/\w+\.(?:py|yaml))", text):
        assert (root / path).is_file(), f"{name} names {path}"


@pytest.mark.parametrize(("english", "chinese"), PAGES)
def test_both_languages_show_the_same_commands_in_the_same_order(english, chinese):
    def commands(name):
        return [line for block in blocks(name) for line in block if "<" not in line]

    assert commands(english)
    assert commands(chinese) == commands(english)


@pytest.mark.parametrize(
    "name",
    ["README.md", "README_zh.md", "CONTRIBUTING.md", "tests/README.md", ".ci/run", WORKFLOW],
)
def test_every_target_of_make_that_is_named_is_there(root, name):
    text = (root / name).read_text(encoding="utf-8")
    named = re.findall(r"(?:^|[`:] ?)\s*make ([a-z][a-z -]*)", text, re.M)
    targets = re.findall(r"^([a-z-]+):", (root / "Makefile").read_text(encoding="utf-8"), re.M)
    assert named
    assert {target for words in named for target in words.split()} <= set(targets)


def test_what_a_forge_reads_is_yaml_and_runs_what_the_continuous_integration_runs(root):
    files = [*root.glob(".github/**/*.yml"), root / ".pre-commit-config.yaml"]
    read = {path.name: yaml.safe_load(path.read_text(encoding="utf-8")) for path in files}
    assert {"ci.yml", "bug.yml", "idea.yml", "config.yml", ".pre-commit-config.yaml"} <= set(read)
    assert {"run": ".ci/run"} in read["ci.yml"]["jobs"]["all"]["steps"]
    versions = read["ci.yml"]["jobs"]["fast"]["strategy"]["matrix"]["python"]
    setup = (root / "setup.py").read_text(encoding="utf-8")
    assert versions == re.findall(r'"Programming Language :: Python :: (3\.\d+)"', setup)
    for hook in read[".pre-commit-config.yaml"]["repos"][0]["hooks"]:
        assert hook["entry"].startswith(".venv/bin/")


def test_one_version_everywhere(root):
    version = spade_paddle.__version__
    module = (root / "hub_module" / "module.py").read_text(encoding="utf-8")
    assert f'version="{version}"' in module
    changes = (root / "CHANGELOG.md").read_text(encoding="utf-8")
    newest = next(line for line in changes.splitlines() if line.startswith("## "))
    assert re.fullmatch(rf"## \[{version}\] - (not yet released|\d{{4}}-\d\d-\d\d)", newest)
    assert f"`v{version}`" in changes
    for name in ("README.md", "README_zh.md"):
        notes = (root / "hub_module" / name).read_text(encoding="utf-8")
        assert f"- {version}" in notes


@pytest.mark.parametrize("name", PAGES[0])
def test_a_readme_is_read_in_minutes(root, name):
    lines = (root / name).read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 150
    assert any(line.startswith("![") for line in lines[:8])  # a picture first
    assert "```bibtex" in lines


def test_label_table_of_the_guide_is_the_label_set(root, landscape):
    for name, attribute in zip(PAGES[1], ("name_en", "name_zh")):
        text = (root / name).read_text(encoding="utf-8")
        for label in landscape.labels:
            assert f"| {label.id} | {getattr(label, attribute)} |" in text


def test_no_weights_file_is_larger_than_14_mb(processes, root):
    listed = subprocess.run(
        ["git", "ls-files"], cwd=root, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    sizes = {name: (root / name).stat().st_size for name in listed if (root / name).exists()}
    assert sizes
    assert max(sizes.values()) <= 14_000_000, max(sizes, key=sizes.get)


def test_shipped_model_is_small_and_its_service_reads_the_smaller_part(root):
    weights = root / "hub_module" / "weights"
    limits = {weights: (14_000_000, 24_000_000), weights / "large": (16_000_000, 16_000_000)}
    for folder, (most_served, most) in limits.items():
        model = json.loads((folder / "model.json").read_text(encoding="utf-8"))
        sizes = {path.name: path.stat().st_size for path in folder.iterdir() if path.is_file()}
        serving, training = {"model.json", *model["files"]}, set(model.get("training_files", {}))
        assert set(sizes) == serving | training
        assert sum(sizes[name] for name in serving) <= most_served
        assert sum(sizes.values()) <= most


def test_model_card_tells_the_numbers_of_the_shipped_model(root):
    weights = root / "hub_module" / "weights"
    model = json.loads((weights / "model.json").read_text(encoding="utf-8"))
    card = (root / "hub_module" / "MODEL_CARD.md").read_text(encoding="utf-8")
    training = model["training"]
    read_config(training["config"])  # tools/benchmark.py builds the networks of it
    assert f"{training['images_seen']} pictures, {training['hours']} hours" in card
    assert f"seed {training['seed']}" in card
    assert f"{model['parameters'] / 1e6:.2f} M parameters" in card
    for name in ("generator", "encoder"):
        megabytes = (weights / f"{name}.pdiparams").stat().st_size / 1e6
        assert f"{megabytes:.1f} MB {name}" in card
    large = json.loads((weights / "large" / "model.json").read_text(encoding="utf-8"))
    assert f"{large['training']['images_seen']} pictures more" in card


@pytest.mark.parametrize("side", [256, 512])
@pytest.mark.parametrize("style, redder", [("bright", -10), (None, 25)])
def test_shipped_model_paints_sky_blue_and_grass_green(root, side, style, redder):
    from spade_paddle.inference.painter import Painter

    painter = Painter.load(root / "hub_module" / "weights", threads=1)
    sky, grass = (painter.label_set.id_of(name) for name in ("sky", "grass"))
    label_map = np.full((side, side), sky, np.uint8)
    label_map[side // 2 :] = grass
    picture = painter.paint(label_map, style=style).astype(int)
    red, green, blue = picture[: side * 3 // 8].mean(axis=(0, 1))
    assert blue > red + 20
    red, green, blue = picture[side * 5 // 8 :].mean(axis=(0, 1))
    assert green > blue + 20
    # the style chosen for it makes it dry, as in a quarter of the photos; sand has 30 more of red
    assert red - green < redder
    assert picture.std() > 20


def test_annotators_card_tells_its_size_and_a_number_for_every_label(root, landscape):
    folder = root / "spade_paddle" / "annotate" / "models" / "landscape"
    card = (folder / "MODEL_CARD.md").read_text(encoding="utf-8")
    megabytes = (folder / "model.pdparams").stat().st_size / 1e6
    assert f"{megabytes:.1f} MB (float16)" in card
    for label in landscape.labels:
        assert re.search(rf"^\| {label.name_en} \| [\d.-]+ \| [\d.-]+ \| [\d.]+ \|$", card, re.M)


@pytest.mark.parametrize(
    "start",
    [
        lambda: subprocess.run(["true"]),
        lambda: multiprocessing.get_context("spawn").Process().start(),
        lambda: os.fork() or os._exit(0),
    ],
    ids=["subprocess", "multiprocessing", "fork"],
)
def test_without_the_fixture_processes_a_test_cannot_start_one(start):
    with pytest.raises(pytest.fail.Exception, match="add the fixture 'processes'"):
        start()


def test_a_test_with_the_fixture_processes_is_marked_and_can(processes, request):
    assert {"processes", "slow"} <= {mark.name for mark in request.node.iter_markers()}
    assert subprocess.run(["true"], check=False).returncode == 0
