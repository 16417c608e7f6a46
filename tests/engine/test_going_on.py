"""A model folder of tools/export.py --trainable, and runs that go on from it, in real processes."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import paddle
import pytest
import yaml

from spade_paddle.engine.initial_weights import Source, configuration_of
from spade_paddle.engine.resuming import initialize_from
from spade_paddle.errors import ModelError
from spade_paddle.inference.export import without_folders
from spade_paddle.networks.build import build_generator
from spade_paddle.weights import HALF_ERROR
from tests.engine.conftest import Workshop, environment
from tests.engine.small_runs import PARTS, build, picture, segmap_of
from tests.features.weights import squeezenet_file
from tests.synthetic import write_synthetic_dataset

# all that a shipped model has: styles, projected heads, a perceptual loss
SHIPPED = (
    *("encoder.style_dim=3", "encoder.nef=2", "encoder.size=16", "data.instance_edges=false"),
    *("discriminator.kind=both", "discriminator.projected_width=4"),
    "losses.perceptual_network=squeezenet",
)
WITHOUT_FEATURES = ("discriminator.kind=patch", "losses.perceptual_network=none")
ONE_STEP = ("total_images=2", "log_every_images=2", "optimizer.generator_lr=0.0")


def export(workshop: Workshop, run: str, out: Path, *options: str) -> subprocess.CompletedProcess:
    tool = str(workshop.root / "tools" / "export.py")
    return subprocess.run(
        [sys.executable, tool, "--run", str(workshop.folder / run), "--out", str(out), *options],
        capture_output=True,
        text=True,
        env=environment(workshop.root),
        timeout=300,
        check=False,
    )


@pytest.fixture(scope="module")
def features(workshop) -> Path:
    return squeezenet_file(workshop.folder)


@pytest.fixture(scope="module")
def shipped(workshop, features) -> Path:
    """A model folder that can be trained on, of a run that began with another one."""
    first = workshop.train("first", *SHIPPED[:4], "total_images=2")
    assert first.returncode == 0, first.stderr
    options = (
        *(*SHIPPED, f"losses.perceptual_weights={features}"),
        *(f"init_from={workshop.folder / 'first'}", "total_images=4"),
        f"data.labels={workshop.folder / 'labels.yaml'}",
    )
    second = workshop.train("second", *options)
    assert second.returncode == 0, second.stderr
    out = workshop.folder / "model"
    result = export(workshop, "second", out, "--trainable")
    assert result.returncode == 0, result.stderr
    return out


@pytest.fixture(scope="module")
def newcomer(workshop, landscape, tmp_path_factory) -> Workshop:
    """Somebody else, with photos of their own and no configuration."""
    folder = tmp_path_factory.mktemp("newcomer")
    shop = Workshop(folder, workshop.root)
    write_synthetic_dataset(shop.data, label_set=landscape, train=4, height=80, width=72)
    shop.config = None
    return shop


def losses(shop: Workshop, run: str) -> dict[str, float]:
    """Of a run's first step."""
    lines = (shop.folder / run / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    first = json.loads(lines[0])
    names = [name for name in first if name.startswith(("g_", "d_"))]
    # gradients jump where a rounding passes a kink of LeakyReLU or another pixel wins a pooling
    return {name: first[name] for name in names if not name.endswith("grad_norm")}


def test_networks_are_those_of_the_run_up_to_rounding(workshop, shipped, landscape):
    expected = workshop.weights("second", 4)
    source = Source.read(shipped, warn=pytest.fail)
    assert source.name.endswith("model (4 images)")
    assert source.label_set == landscape
    assert set(source.weights) == set(PARTS)
    for part in PARTS:
        assert source.weights[part].keys() == expected[part].keys()
        for name, tensor in source.weights[part].items():
            value, got = expected[part][name], tensor.numpy()
            assert got.dtype == value.dtype
            assert np.linalg.norm(got - value) <= 1.01 * HALF_ERROR * np.linalg.norm(value), name
    pictures = []
    for weights in (expected, source.weights):
        generator = build_generator(source.config, num_labels=len(landscape))
        generator.set_state_dict(weights["generator"])
        segmap = segmap_of(source.config, side=64)
        pictures.append(picture(source.config, {"generator": generator}, segmap))
    assert pictures[0].std() > 0.01
    assert 0 < np.abs(pictures[0] - pictures[1]).max() < 5e-3


def test_first_losses_on_other_photos_are_those_of_the_run_up_to_rounding(
    workshop, shipped, newcomer, features
):
    options = (*ONE_STEP, f"losses.perceptual_weights={features}")
    found = []
    for name, source in (("of the run", workshop.folder / "second"), ("of the model", shipped)):
        result = newcomer.train(name, *options, init=source)
        assert result.returncode == 0, result.stderr
        assert f"discriminator: all 27 layers carry over from {source} (4 images)" in (
            result.stdout + result.stderr
        )
        found.append(losses(newcomer, name))
    assert {"g_gan", "g_feat", "g_vgg", "g_vae", "d_fake", "d_real"} <= found[0].keys()
    for name, value in found[0].items():
        assert found[1][name] == pytest.approx(value, rel=5e-3, abs=1e-3), name


def test_without_a_configuration_it_is_the_folders_own(workshop, shipped, newcomer):
    result = newcomer.train("mine", *WITHOUT_FEATURES, "total_images=4", init=shipped)
    assert result.returncode == 0, result.stderr
    assert "nld_0, nld_1; the heads on squeezenet are removed" in result.stdout + result.stderr
    old, new = (
        yaml.safe_load((run / "config.yaml").read_text(encoding="utf-8"))
        for run in (workshop.folder / "second", newcomer.folder / "mine")
    )
    assert new.pop("init_from") == str(shipped)
    expected = without_folders(old)
    del expected["init_from"]
    expected["discriminator"]["kind"] = "patch"
    expected["losses"]["perceptual_network"] = "none"
    assert new == expected
    state = newcomer.weights("mine", 4)
    assert not any(name.startswith("projected") for name in state["discriminator"])
    again = newcomer.train("mine", *WITHOUT_FEATURES, "total_images=6", init=shipped)
    assert "resuming from 4 images" in again.stdout + again.stderr
    assert newcomer.checkpoints("mine") == [4, 6]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ((), "squeezenet.npz: there is no such weights file"),
        (
            WITHOUT_FEATURES[:1],
            "or train without feature networks: --set losses.perceptual_network=none",
        ),
        (
            (*WITHOUT_FEATURES, "generator.ngf=3"),
            "a run cannot start from these weights: generator.ngf was 2, is 3, must be the same",
        ),
        (("generator.width=3",), "--set generator.width=3: unknown field 'generator.width'"),
    ],
)
def test_what_does_not_fit_is_told(shipped, newcomer, options, expected):
    result = newcomer.train("never", *options, init=shipped)
    assert result.returncode == 2
    assert expected in result.stderr.strip().splitlines()[-1]
    assert not (newcomer.folder / "never").exists()


@pytest.mark.parametrize("exists", [True, False])
def test_missing_weights_of_judge_and_heads_become_the_defaults(shipped, tmp_path, exists):
    folder = shutil.copytree(shipped, tmp_path / "model")
    file = str(tmp_path / "features.pth")
    if exists:
        Path(file).touch()
    model = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    model["training"]["config"]["validation"]["judge_weights"] = file
    model["training"]["config"]["discriminator"]["projected_weights"] = file
    model["training"]["config"]["discriminator"]["projected_2_weights"] = file
    (folder / "model.json").write_text(json.dumps(model), encoding="utf-8")
    config, _ = configuration_of(folder)
    options = config.discriminator
    found = config.validation.judge_weights, options.projected_weights, options.projected_2_weights
    assert set(found) == {file if exists else None}


def test_neither_configuration_nor_folder_is_told(newcomer):
    result = newcomer.train("never")
    assert result.returncode == 2
    assert "error: --config: a run needs a configuration" in result.stderr


def test_nothing_of_the_machine_and_of_the_feature_network_is_in_the_folder(
    workshop, shipped, features
):
    model = json.loads((shipped / "model.json").read_text(encoding="utf-8"))
    config = model["training"]["config"]
    assert config["init_from"] == "first"
    assert config["data"]["labels"] == "labels.json"
    assert config["losses"]["perceptual_weights"] == features.name
    names = {path.name for path in shipped.iterdir()}
    assert names == {"model.json", "training.pdparams", *model["files"]}
    for path in shipped.iterdir():
        assert str(workshop.folder).encode() not in path.read_bytes(), path.name
    content = paddle.load(str(shipped / "training.pdparams"))
    with np.load(features) as arrays:
        theirs = {(tuple(arrays[name].shape), arrays[name].tobytes()) for name in arrays.files}
    for part in PARTS:
        for name, value in content[part].items():
            value = value.numpy()
            assert (value.shape, value.astype(np.float32).tobytes()) not in theirs, name
    assert "projected.projection.down_0.weight" in content["discriminator"]  # its mixes are


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/home/somebody/photos/net.npz", "net.npz"),
        ("../elsewhere/net.npz", "net.npz"),
        ("C:\\Users\\Somebody\\net.npz", "net.npz"),
        ("fire3 fire9", "fire3 fire9"),
        (None, None),
        (3, 3),
    ],
)
def test_paths_of_a_configuration_become_names(path, name):
    content = {"a": path, "b": {"c": path}}
    assert without_folders(content) == {"a": name, "b": {"c": name}}
    assert content["b"]["c"] == path


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))


def leave_out(key: str):
    """Damage: model.json without this."""

    def change(path: Path) -> None:
        model = path.with_name("model.json")
        content = json.loads(model.read_text(encoding="utf-8"))
        del content[key]
        model.write_text(json.dumps(content), encoding="utf-8")

    return change


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (flip, "training.pdparams: missing or not the file that was exported"),
        (
            lambda path: path.write_bytes(path.read_bytes()[:-9]),
            "training.pdparams: missing or not",
        ),
        (lambda path: path.unlink(), "export the run again with --trainable"),
        (leave_out("label_set"), "model.json: damaged: there is no label_set"),
        (leave_out("training"), "export the model again"),
        (lambda path: path.with_name("model.json").write_text("[1]"), "model.json: damaged"),
    ],
)
def test_damaged_folders_are_told(shipped, tmp_path, damage, message):
    folder = shutil.copytree(shipped, tmp_path / "model")
    damage(folder / "training.pdparams")
    with pytest.raises(ModelError) as error:
        Source.read(folder, warn=pytest.fail)
    assert message in str(error.value)
    assert str(folder) in str(error.value)


def test_a_tensor_that_is_missing_is_named(shipped, tmp_path, landscape):
    folder = shutil.copytree(shipped, tmp_path / "model")
    path = folder / "training.pdparams"
    leave_out("training_files")(path)  # or its checksum would tell
    content = paddle.load(str(path))
    del content["encoder"]["fc_mu.bias"]
    paddle.save(content, str(path))
    config, label_set = configuration_of(folder, overrides=WITHOUT_FEATURES)
    with pytest.raises(ModelError, match=r"encoder: .* fc_mu.bias: expected \(3,\), got nothing"):
        initialize_from(build(config, seed=2), folder, config=config, label_set=label_set)


def test_without_the_option_a_model_folder_cannot_be_trained_on(workshop, shipped, newcomer):
    del shipped
    out = workshop.folder / "plain"
    assert export(workshop, "second", out).returncode == 0
    assert not (out / "training.pdparams").exists()
    result = newcomer.train("never", *WITHOUT_FEATURES, init=out)
    assert result.returncode == 2
    assert "there are no weights to start from" in result.stderr
    assert "tools/export.py --trainable" in result.stderr
