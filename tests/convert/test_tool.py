"""tools/convert.py as people run it, in a process of its own once per source."""

from __future__ import annotations

import subprocess
import sys
from typing import NamedTuple

import numpy as np
import pytest

from spade_paddle.model_card import ModelCard
from tests.convert.public import CONFIGS, FLAGS, save_npz, with_style
from tests.tool_module import tool_module


class Result(NamedTuple):
    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def process(processes, root):
    """Runs the tool as a process."""

    def run(*arguments):
        return subprocess.run(
            [sys.executable, str(root / "tools" / "convert.py"), *map(str, arguments)],
            cwd=root,
            capture_output=True,
            text=True,
            check=False,
        )

    return run


@pytest.fixture
def tool(root, monkeypatch, capsys):
    """Runs the tool in this process, which takes less time."""
    module = tool_module(root, "convert")

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["convert.py", *map(str, arguments)])
        try:
            code = module.main()
        except SystemExit as exit_:  # argparse
            code = exit_.code
        return Result(code, *capsys.readouterr())

    return run


def base(source, weights, out):
    return ["--from", source, "--weights", weights, *FLAGS[source], "--out", out]


@pytest.mark.parametrize("source", list(CONFIGS))
def test_the_tool_converts_and_counts(process, tmp_path, source):
    path, out = tmp_path / "G.npz", tmp_path / "model"
    network = save_npz(path, CONFIGS[source], "generator", source)
    result = process(*base(source, path, out), "--compatible", "--name", "scenes")
    assert result.returncode == 0, result.stderr
    assert f"model folder: {out}" in result.stdout
    assert "ngf 1, normal upsampling, 3 labels" in result.stdout
    count = len(network.state_dict())
    assert f"generator: {count} tensors converted, 0 missing, 0 extra" in result.stdout
    assert "--compatible has no effect" in result.stdout
    card = ModelCard.open(out)
    assert card.name == "scenes"
    assert [label.name_en for label in card.label_set.labels] == [
        "label 0",
        "label 1",
        "label 2",
    ]


def test_the_labels_of_a_file_are_taken(tool, tmp_path):
    path, labels = tmp_path / "G.npz", tmp_path / "labels.yaml"
    save_npz(path, CONFIGS["clade"], "generator", "clade")
    entries = "".join(
        f"- {{id: {i}, name_en: {name}, name_zh: {name}, color: '#0000{i}0'}}\n"
        for i, name in enumerate(("sky", "sea", "sand"))
    )
    labels.write_text(f"name: beach\nlabels:\n{entries}", encoding="utf-8")
    out = tmp_path / "model"
    result = tool(*base("clade", path, out), "--label-set", labels)
    assert result.returncode == 0, result.stderr
    assert ModelCard.open(out).label_set.labels[1].name_en == "sea"


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--num-labels", "9"], "takes 5 semantic channels, but the flags make 11"),
        (["--upsampling", "most"], "has no up_4"),
        (["--encoder", "ENCODER"], "trained without VAE"),
        (["--discriminator", "MISSING"], "there is no such weights file"),
        (["--latent-size", "8x8"], "no style"),
        (["--weights", "DAMAGED"], "cannot be read"),
        (["--num-labels", "0"], "1 to 255"),
        (["--latent-size", "8"], "expected HxW such as 4x8, got '8'"),
        (["--latent-size", "0x8"], "expected HxW such as 4x8, got '0x8'"),
    ],
)
def test_a_refusal_writes_one_message_and_no_file(tool, tmp_path, more, message):
    files = {name: tmp_path / f"{name}.npz" for name in ("G", "ENCODER", "MISSING", "DAMAGED")}
    save_npz(files["G"], CONFIGS["spade"], "generator", "spade")
    styled = with_style(CONFIGS["spade"], style_dim=4, width=32, height=32)
    save_npz(files["ENCODER"], styled, "encoder", "spade")
    files["DAMAGED"].write_bytes(b"no weights")
    out = tmp_path / "model"
    arguments = [files.get(word, word) for word in more]
    result = tool(*base("spade", files["G"], out), *arguments)
    assert result.returncode == 2
    assert message in result.stderr
    assert "Traceback" not in result.stderr
    assert "model folder" not in result.stdout
    assert {path.name for path in tmp_path.iterdir()} == {"G.npz", "ENCODER.npz", "DAMAGED.npz"}


def test_what_does_not_fit_is_a_table_on_stderr(process, tmp_path):
    path = tmp_path / "G.npz"
    save_npz(path, CONFIGS["clade"], "generator", "clade")
    with np.load(path) as archive:
        arrays = dict(archive)
    del arrays["up_2.norm_1.class_specified_affine.weight"]
    np.savez(path, **arrays)
    result = process(*base("clade", path, tmp_path / "model"))
    assert result.returncode == 2
    lines = result.stderr.splitlines()
    start = next(index for index, line in enumerate(lines) if line.startswith("error: "))
    assert lines[start + 1].split() == ["tensor", "expected", "found"]
    assert lines[start + 2].split() == [
        "up_2.norm_1.class_specified_affine.weight",
        "[4,",
        "2]",
        "nothing",
    ]
    assert [entry.name for entry in tmp_path.iterdir()] == ["G.npz"]
