"""Our networks, saved under the public names and converted back: nothing is lost."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import paddle
import pytest

from spade_paddle.config import load_config
from spade_paddle.convert.flags import Flags
from spade_paddle.convert.label_set import numbered_label_set
from spade_paddle.convert.model import convert, load_networks
from spade_paddle.data.batches import to_network
from spade_paddle.data.labels import LabelSet
from spade_paddle.data.positions import intra_class_positions
from spade_paddle.engine.resuming import initialize_from
from spade_paddle.errors import UserError
from spade_paddle.inference.painter import Painter
from spade_paddle.networks.build import build_discriminator, build_generator
from spade_paddle.networks.semantics import SemanticLayout
from spade_paddle.networks.widths import GeneratorWidths
from tests.convert.public import (
    CLADE,
    CONFIGS,
    NUM_LABELS,
    SPADE,
    network_of,
    public_state,
    save_npz,
    state_of,
    with_style,
)

LABELS = numbered_label_set("tiny", NUM_LABELS)
ICPE = dataclasses.replace(CLADE, generator=dataclasses.replace(CLADE.generator, norm="clade_icpe"))


def flags_of(source, config, **others) -> Flags:
    data = config.data
    return Flags(
        source,
        NUM_LABELS,
        dont_care=data.dont_care,
        instances=data.instance_edges,
        **others,
    )


def assert_equal_states(actual, expected):
    assert actual.keys() == expected.keys()
    for name, array in expected.items():
        assert np.array_equal(actual[name], array), name


@pytest.fixture(scope="module", params=list(CONFIGS))
def converted(request, tmp_path_factory):
    """(source, networks of ours, their files converted: folder, configuration, networks)."""
    source, folder = request.param, tmp_path_factory.mktemp("weights")
    weights = {part: folder / f"{part}.npz" for part in ("generator", "discriminator")}
    networks = {
        part: save_npz(path, CONFIGS[source], part, source) for part, path in weights.items()
    }
    flags = flags_of(source, CONFIGS[source])
    out = folder / "model"
    config, loaded = convert(weights, out, flags=flags, label_set=LABELS, name="tiny")
    return source, networks, (out, config, loaded)


def test_every_tensor_comes_back_spectral_vectors_included(converted):
    _, networks, (_, _, loaded) = converted
    for part, network in networks.items():
        expected = state_of(network)
        assert any(name.endswith("weight_v") for name in expected)
        assert_equal_states(state_of(loaded[part]), expected)


def label_map_of(height: int, width: int) -> np.ndarray:
    rng = np.random.default_rng(0)
    return rng.integers(0, NUM_LABELS, (height // 8, width // 8)).repeat(8, 0).repeat(8, 1)


def original_picture(network, config, label_map, **inputs) -> np.ndarray:
    """What the network itself paints, [H, W, 3] in 0..255."""
    with paddle.no_grad():
        ids = paddle.to_tensor(label_map.astype(np.int32)[None])
        segmap = SemanticLayout.of(config, NUM_LABELS).encode(ids)
        named = {name: paddle.to_tensor(array[None]) for name, array in inputs.items()}
        picture = network(segmap, **named).numpy()[0].transpose(1, 2, 0)
    assert picture.std() > 0.01
    return np.rint((picture + 1) * 127.5)


def test_painter_paints_what_the_original_paints(converted):
    source, networks, (out, _, _) = converted
    config = CONFIGS[source]
    label_map = label_map_of(64, 96)
    if config.data.dont_care:
        label_map[:5, :5] = 255
    expected = original_picture(networks["generator"], config, label_map)
    picture = Painter.load(out, threads=1).paint(label_map).astype(int)
    assert np.abs(picture - expected).max() <= 1


@pytest.mark.parametrize("source, config", [("spade", SPADE), ("clade", ICPE)])
def test_styles_and_positions_reach_the_painted_picture(tmp_path, source, config):
    config = with_style(config, style_dim=6, width=64, height=32)
    weights = {part: tmp_path / f"{part}.npz" for part in ("generator", "encoder")}
    networks = {part: save_npz(path, config, part, source) for part, path in weights.items()}
    flags = flags_of(source, config, latent_size=(1, 2), compatible=True)
    convert(weights, tmp_path / "model", flags=flags, label_set=LABELS, name="tiny")
    painter = Painter.load(tmp_path / "model", threads=1)
    assert (painter.height, painter.width, painter.style_dim) == (32, 64, 6)
    photo = np.random.default_rng(3).integers(0, 256, (20, 30, 3)).astype(np.uint8)
    with paddle.no_grad():
        style = networks["encoder"](paddle.to_tensor(to_network(photo[None])))[0].numpy()[0]
    label_map = label_map_of(32, 64)
    positions = {}
    if source == "clade":
        far = intra_class_positions(label_map, compatible=True)
        positions = {"positions": far.transpose(2, 0, 1).astype(np.float32)}
    expected = original_picture(networks["generator"], config, label_map, style=style, **positions)
    picture = painter.paint(label_map, style=photo).astype(int)
    assert np.abs(picture - expected).max() <= 1


def test_everything_to_train_on_lies_in_the_model_folder(converted):
    source, networks, (out, expected, _) = converted
    config = load_config(out / "config.yaml")
    fresh = {
        "generator": build_generator(config, num_labels=NUM_LABELS),
        "discriminator": build_discriminator(config, num_labels=NUM_LABELS),
    }
    lines = initialize_from(fresh, out, config=config, label_set=LABELS)
    assert len(lines) == 2
    for part, network in networks.items():
        assert_equal_states(state_of(fresh[part]), state_of(network))
    assert config == expected
    assert LabelSet.load(out / config.data.labels) == LABELS
    model = json.loads((out / "model.json").read_text(encoding="utf-8"))
    assert model["training"] == {
        "converted_from": source,
        "weights": "generator.npz",
        "config": config.to_dict(),
    }
    assert (model["name"], model["version"]) == ("tiny", "1")


def test_configuration_tells_what_the_weights_are(converted):
    source, _, (_, config, _) = converted
    original = CONFIGS[source]
    assert config.generator == original.generator
    assert config.discriminator == dataclasses.replace(
        original.discriminator, max_width=16 if source != "photopen" else 8
    )
    assert (config.data.crop_size, config.data.load_size) == (256, 286)
    rates = {"spade": (1e-4, 4e-4, 0.0, 0.9), "photopen": (4e-4, 1e-4, 0.9, 0.999)}
    optimizer = config.optimizer
    assert (
        optimizer.generator_lr,
        optimizer.discriminator_lr,
        optimizer.beta1,
        optimizer.beta2,
    ) == rates.get(source, rates["spade"])
    assert config.initializer == ("paddle" if source == "photopen" else "xavier")
    assert config.losses.feature_matching == 10


@pytest.mark.parametrize("source, config", [("spade", SPADE), ("clade", ICPE)])
@pytest.mark.parametrize("latent_channels", [None, 24])
def test_style_generator_and_encoder_come_back(tmp_path, source, config, latent_channels):
    config = with_style(config, style_dim=6, width=64, height=32)
    options = dataclasses.replace(config.generator, latent_channels=latent_channels)
    config = dataclasses.replace(config, generator=options)
    weights = {part: tmp_path / f"{part}.npz" for part in ("generator", "encoder")}
    networks = {part: save_npz(path, config, part, source) for part, path in weights.items()}
    flags = flags_of(source, config, latent_size=(1, 2), compatible=True)
    found, loaded = load_networks(weights, flags=flags)
    assert found.generator == config.generator
    assert found.encoder == config.encoder
    data = found.data
    assert (data.crop_size, data.crop_height, data.picture_size(32)) == (64, 32, (32, 64))
    assert data.icpe_compatible is (source == "clade")
    for part, network in networks.items():
        assert_equal_states(state_of(loaded[part]), state_of(network))


@pytest.mark.parametrize("upsampling", ["more", "most"])
@pytest.mark.parametrize("norm", ["spade", "clade"])
def test_more_and_most_come_back(tmp_path, upsampling, norm):
    options = dataclasses.replace(CONFIGS[norm].generator, upsampling=upsampling, ngf=2)
    config = dataclasses.replace(CONFIGS[norm], generator=options)
    path = tmp_path / "generator.npz"
    network = save_npz(path, config, "generator", norm)
    for given in {upsampling, None if upsampling == "most" else "more"}:  # most shows by itself
        flags = flags_of(norm, config, upsampling=given)
        found, loaded = load_networks({"generator": path}, flags=flags)
        assert found.generator == options
        assert_equal_states(state_of(loaded["generator"]), state_of(network))


@pytest.mark.parametrize("spectral_norm", [True, False])
@pytest.mark.parametrize("param_free_norm", ["batch", "instance"])
@pytest.mark.parametrize("kernel_size", [3, 5])
def test_norms_and_kernels_are_read_from_the_weights(
    tmp_path, spectral_norm, param_free_norm, kernel_size
):
    options = dataclasses.replace(
        SPADE.generator,
        spectral_norm=spectral_norm,
        param_free_norm=param_free_norm,
        kernel_size=kernel_size,
        nhidden=7,
    )
    config = dataclasses.replace(
        SPADE,
        generator=options,
        data=dataclasses.replace(SPADE.data, crop_size=64, load_size=64),
    )
    path = tmp_path / "generator.npz"
    save_npz(path, config, "generator", "spade")
    found, _ = load_networks({"generator": path}, flags=flags_of("spade", config))
    assert found.generator == options


def test_pdparams_of_a_paddlegan_checkpoint_holds_both_networks(tmp_path):
    config = CONFIGS["photopen"]
    networks = {part: network_of(config, part) for part in ("generator", "discriminator")}
    nests = {"generator": "net_gen", "discriminator": "net_des"}
    content = {
        nests[part]: {
            name: paddle.to_tensor(array)
            for name, array in public_state(state_of(network), "photopen").items()
        }
        for part, network in networks.items()
    }
    path = tmp_path / "iter_1_checkpoint.pdparams"
    paddle.save({"epoch": 3, **content}, str(path))
    weights = {part: path for part in networks}
    _, loaded = load_networks(weights, flags=flags_of("photopen", config))
    for part, network in networks.items():
        assert_equal_states(state_of(loaded[part]), state_of(network))


def test_a_folder_that_is_no_model_folder_is_left_alone(tmp_path):
    path = tmp_path / "generator.npz"
    save_npz(path, CLADE, "generator", "clade")
    (tmp_path / "photos").mkdir()
    for out, message in (
        (tmp_path / "photos", "is not a model folder"),
        (path, "is not a model folder"),
    ):
        with pytest.raises(UserError, match=message):
            convert(
                {"generator": path}, out, flags=flags_of("clade", CLADE), label_set=LABELS, name="x"
            )
    (tmp_path / "model.json").write_text("{}")
    with pytest.raises(UserError, match="it contains the weights"):
        convert(
            {"generator": path}, tmp_path, flags=flags_of("clade", CLADE), label_set=LABELS, name=""
        )
    assert path.exists()


@pytest.mark.parametrize("source", ["spade", "clade"])
@pytest.mark.parametrize("style_dim", [0, 6])
def test_a_compressed_generator_comes_back_with_its_widths(tmp_path, source, style_dim):
    config = CONFIGS[source]
    if style_dim:
        config = with_style(config, style_dim=style_dim, width=64, height=64)
    usual = GeneratorWidths.of_options(config.generator, has_style=style_dim > 0)
    lists = {
        name: [max(count - 1 - place % 2, 1) if place else count for place, count in enumerate(row)]
        for name, row in usual.to_lists(config.generator).items()
    }
    generator = dataclasses.replace(config.generator, widths=lists)
    config = dataclasses.replace(config, generator=generator)
    weights = {"generator": tmp_path / "generator.npz"}
    network = network_of.__wrapped__(config, "generator")  # lists cannot be a key of a cache
    np.savez(weights["generator"], **public_state(state_of(network), source))
    flags = flags_of(source, config)
    found, loaded = convert(weights, tmp_path / "model", flags=flags, label_set=LABELS, name="tiny")
    assert found.generator.widths["up_0"] == lists["up_0"]
    assert_equal_states(state_of(loaded["generator"]), state_of(network))
