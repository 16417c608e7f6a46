"""ONNX files: onnxruntime paints what Paddle paints, and the file tells what it is."""

from __future__ import annotations

import functools
import json
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import paddle
import paddle2onnx
import pytest
from PIL import Image

import spade_paddle
from spade_paddle.assets import WEIGHTS
from spade_paddle.config import Config, DataConfig, EncoderConfig, GeneratorConfig
from spade_paddle.errors import ModelError, UserError
from spade_paddle.inference.onnx_file import METADATA, export_onnx
from spade_paddle.inference.program import PROGRAM, Program, program_ending
from spade_paddle.model_card import ModelCard
from tests.inference.conftest import CONFIGS, Trained, export

PUBLIC = {"ngf": 3, "nhidden": 8, "activation": "leaky_relu", "simam": False}
STYLE = EncoderConfig(style_dim=4, nef=2, size=32)
BRANCHES = {  # all in the first block, two in the last one, as a student may have them
    "coarse": [12],
    "head_0": [12, *[2] * 6, *[2] * 6],
    **{name: [6, *[0] * 12] for name in ("G_middle_0", "G_middle_1", "up_0", "up_1", "up_2")},
    "up_3": [6, *(0, 3, 0, 0, 3, 0), *(0, 0, 3, 3, 0, 0)],
}
KINDS = {
    "article": CONFIGS["spade"],
    "clade": CONFIGS["clade"],
    "clade_icpe": CONFIGS["style"],
    "spade": Config(
        data=DataConfig(crop_size=128, load_size=128, instance_edges=True, dont_care=False),
        generator=GeneratorConfig(upsampling="more", param_free_norm="sync_batch", **PUBLIC),
        encoder=STYLE,
    ),
    "most": Config(
        data=DataConfig(crop_size=128, load_size=128, instance_edges=False),
        generator=GeneratorConfig(
            upsampling="most", param_free_norm="instance", kernel_size=5, noise=True, **PUBLIC
        ),
    ),
    "fine": Config(
        data=DataConfig(crop_size=64, load_size=64, instance_edges=True),
        generator=GeneratorConfig(
            norm="clade", noise=True, fine_blocks=1, smooth_doublings=3, **PUBLIC
        ),
    ),
    "branches": Config(
        data=DataConfig(crop_size=64, load_size=64, instance_edges=False),
        generator=GeneratorConfig(block="inception", widths=BRANCHES, noise=True),
    ),
}
SHIPPED = "shipped"


@dataclass(frozen=True)
class Pair:
    """One model, for Paddle Inference and for onnxruntime."""

    folder: Path
    card: ModelCard
    program: Program
    session: onnxruntime.InferenceSession

    def inputs(self, height, width, *, count=1, seed=0):
        """Random ones of the file's own inputs."""
        rng = np.random.default_rng(seed)
        made = {}
        for given in self.session.get_inputs():
            if given.type == "tensor(int32)":
                ids = rng.integers(0, 13, (count, height // 8, width // 8), dtype=np.int32)
                if given.name == "label_map" and self.card.dont_care:
                    ids[:, 0, :2] = 255
                made[given.name] = ids.repeat(8, axis=1).repeat(8, axis=2)
            else:
                sides = given.shape[2:] and (height, width)
                shape = (count, given.shape[1], *sides)
                made[given.name] = rng.standard_normal(shape, dtype=np.float32)
        return made

    def paint(self, inputs):
        """By onnxruntime, float32 [N, 3, H, W]."""
        (picture,) = self.session.run(None, inputs)
        return picture


@pytest.fixture(scope="module")
def make_pair(landscape, tmp_path_factory):
    """The pair of a kind."""

    @functools.cache
    def make(kind):
        place = tmp_path_factory.mktemp(kind)
        if kind == SHIPPED:
            folder = WEIGHTS
        else:
            folder = export(Trained(KINDS[kind], landscape), place / "model")
        file = export_onnx(folder, place / "model.onnx")
        card = ModelCard.open(folder)
        program = Program(folder, PROGRAM, program_ending(folder, card), threads=1, use_gpu=False)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        session = onnxruntime.InferenceSession(
            str(file), options, providers=["CPUExecutionProvider"]
        )
        return Pair(folder, card, program, session)

    return make


def kinds():
    """Those that this Paddle reads."""
    return [*KINDS, *([] if paddle.__version__.startswith("2.") else [SHIPPED])]


@pytest.mark.parametrize("kind", kinds())
@pytest.mark.parametrize(("rows", "columns", "count"), [(2, 3, 2), (4, 2, 1)])
def test_onnxruntime_paints_what_paddle_paints(make_pair, kind, rows, columns, count):
    pair = make_pair(kind)
    multiple = pair.card.multiple
    inputs = pair.inputs(rows * multiple, columns * multiple, count=count)
    picture, expected = pair.paint(inputs), pair.program.run(inputs)
    assert picture.dtype == np.float32
    assert picture.shape == expected.shape == (count, 3, rows * multiple, columns * multiple)
    assert np.abs(picture - expected).max() <= 1e-4
    assert picture.std() > 0.05 and np.abs(picture).max() <= 1 + 1e-6


def test_a_picture_of_one_coarse_pixel_is_no_exception(make_pair):
    # SimAM divides by 0 there but for a number that paddle2onnx could leave out
    pair = make_pair("article")
    inputs = pair.inputs(pair.card.multiple, pair.card.multiple)
    assert np.abs(pair.paint(inputs) - pair.program.run(inputs)).max() <= 1e-4


@pytest.mark.parametrize("kind", kinds())
def test_every_input_changes_the_picture(make_pair, kind):
    pair = make_pair(kind)
    inputs, others = (pair.inputs(128, 128, seed=seed) for seed in (0, 1))
    picture = pair.paint(inputs)
    for name in inputs:
        changed = pair.paint({**inputs, name: others[name]})
        assert np.abs(changed - picture).max() > 0.01, name


@pytest.mark.parametrize("kind", kinds())
def test_inputs_are_those_of_the_model_and_any_size_fits(make_pair, kind):
    pair = make_pair(kind)
    card, sides = pair.card, ["height", "width"]
    expected = {"label_map": ["batch", *sides]}
    if card.instance_edges:
        expected["instance_map"] = ["batch", *sides]
    if card.positions:
        expected["positions"] = ["batch", 2, *sides]
    if card.noise_channels:
        expected["noise"] = ["batch", card.noise_channels, *sides]
    if card.style_dim:
        expected["style"] = ["batch", card.style_dim]
    assert {given.name: given.shape for given in pair.session.get_inputs()} == expected
    assert set(pair.program.inputs) == set(expected)
    (output,) = pair.session.get_outputs()
    assert (output.name, output.type, output.shape) == (
        *("picture", "tensor(float)"),
        ["batch", 3, *sides],
    )


def test_every_feature_is_in_one_of_the_kinds(make_pair):
    names = {given.name for kind in KINDS for given in make_pair(kind).session.get_inputs()}
    assert names == {"label_map", "instance_map", "positions", "noise", "style"}


def test_the_file_says_what_it_is(make_pair, landscape):
    pair = make_pair("clade_icpe")
    about = pair.session.get_modelmeta()
    told = dict(about.custom_metadata_map)
    assert json.loads(told.pop("label_set")) == landscape.to_dict()
    assert told == {
        "name": "tiny",
        "version": "7",
        "dont_care": "false",
        "height": "64",
        "width": "64",
        "multiple": "32",
        "noise_channels": "0",
        "style_dim": "4",
        "styles": "[]",
        "instance_edges": "true",
        "positions": "icpe",
        "spade_paddle": spade_paddle.__version__,
        "paddle": pair.card.paddle,
    }
    assert (about.graph_name, about.producer_name) == ("tiny", "spade_paddle")


def test_what_the_file_says_is_what_model_json_says(make_pair):
    for kind in kinds():
        pair = make_pair(kind)
        model = json.loads((pair.folder / "model.json").read_text(encoding="utf-8"))
        told = pair.session.get_modelmeta().custom_metadata_map
        assert set(told) == set(METADATA)
        for name, text in told.items():
            value = model[name]
            assert (text if isinstance(value, str) else json.loads(text)) == value, (kind, name)


def test_the_model_folder_stays_and_the_file_depends_on_nothing_else(make_pair, tmp_path):
    folder = make_pair("clade").folder
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    files = [export_onnx(folder, tmp_path / "deeper" / f"{name}.onnx") for name in "ab"]
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    one, other = (file.read_bytes() for file in files)
    assert one == other
    onnx.checker.check_model(onnx.load_model_from_string(one), full_check=True)
    assert {path.name for path in (tmp_path / "deeper").iterdir()} == {"a.onnx", "b.onnx"}


def assert_refused(model, tmp_path, kind, code):
    """No file is written, and one that there is stays."""
    file = tmp_path / "old.onnx"
    file.write_bytes(b"old")
    with pytest.raises(kind) as error:
        export_onnx(model, file)
    assert error.value.code == code
    assert [path.read_bytes() for path in tmp_path.glob("*.onnx*")] == [b"old"]
    return str(error.value)


def test_a_damaged_model_folder_is_refused(make_pair, tmp_path):
    folder = shutil.copytree(make_pair("clade").folder, tmp_path / "model")
    weights = folder / "generator.pdiparams"
    weights.write_bytes(weights.read_bytes()[:-1] + b"?")
    assert "generator.pdiparams" in assert_refused(folder, tmp_path, ModelError, "model_damaged")


@pytest.mark.parametrize("result", [b"", ValueError("no such operator")])
def test_what_paddle2onnx_cannot_convert_is_told(make_pair, monkeypatch, tmp_path, result):
    def converted(*arguments, **options):
        if isinstance(result, Exception):
            raise result
        return result

    monkeypatch.setattr(paddle2onnx, "export", converted)
    message = assert_refused(make_pair("clade").folder, tmp_path, ModelError, "onnx_conversion")
    assert "cannot convert this model" in message
    assert ("no such operator" in message) == bool(result)


@pytest.mark.parametrize("package", ["onnx", "paddle2onnx"])
def test_a_missing_package_is_told_with_what_to_install(make_pair, monkeypatch, tmp_path, package):
    monkeypatch.setitem(sys.modules, package, None)
    message = assert_refused(make_pair("clade").folder, tmp_path, UserError, "onnx_missing")
    assert "pip install" in message and "\n" not in message


def test_painting_and_exporting_load_neither_package(processes):
    code = (
        "import sys; import spade_paddle.inference.onnx_file, spade_paddle.inference.painter; "
        "assert not {'onnx', 'paddle2onnx', 'onnxruntime'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.skipif(SHIPPED not in kinds(), reason="Paddle 2 cannot read the shipped model")
def test_the_python_lines_of_the_page_paint(make_pair, root, monkeypatch, tmp_path):
    page = (root / "docs" / "onnx.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    export_onnx(WEIGHTS, tmp_path / "landscape.onnx")
    monkeypatch.chdir(tmp_path)
    used = {}
    exec(code, used)
    pair = make_pair(SHIPPED)
    inputs = {name: used[name] for name in pair.program.inputs}
    expected = (pair.program.run(inputs)[0].transpose(1, 2, 0) + 1) * 127.5
    pixels = np.asarray(Image.open("picture.png"))
    assert pixels.shape == (256, 384, 3)
    assert np.abs(pixels - expected).max() < 0.52


def test_the_page_names_every_key_and_the_sizes_of_the_shipped_model(root):
    page = (root / "docs" / "onnx.md").read_text(encoding="utf-8")
    table = page.partition("## What the file says about itself")[2].partition("## Python")[0]
    assert set(re.findall(r"`(\w+)`", "".join(re.findall(r"^\| (.*?) \|", table, re.M)))) == set(
        METADATA
    )
    card = ModelCard.read(WEIGHTS)
    assert f"noise: random(1, {card.noise_channels}, height, width)" in page
    assert f"style: random(1, {card.style_dim})" in page
