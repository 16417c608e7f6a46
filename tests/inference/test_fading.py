"""A run whose finest block fades in is exported as it paints at its checkpoint."""

from __future__ import annotations

import dataclasses
import functools
import json

import numpy as np
import pytest
import yaml

from spade_paddle.config import Config, DataConfig, GeneratorConfig
from spade_paddle.data.labels import LABELS_FILE
from spade_paddle.engine.checkpoint import save_checkpoint
from spade_paddle.inference.export import export_run
from spade_paddle.inference.painter import Painter
from spade_paddle.layers.spectral import effective_state
from spade_paddle.networks.build import build_generator
from spade_paddle.networks.cost import count_parameters
from tests.inference.conftest import Trained, scene_labels

FADING = Config(
    fade_in_images=100,
    init_from="/somewhere/small",
    data=DataConfig(crop_size=128, load_size=128, instance_edges=True),
    generator=GeneratorConfig(
        norm="clade", ngf=3, max_width=8, upsampling="most", simam=False, noise=True
    ),
)
FINE = dataclasses.replace(
    FADING, generator=dataclasses.replace(FADING.generator, upsampling="normal", fine_blocks=2)
)


@pytest.fixture(scope="module", params=[FADING, FINE], ids=["most", "fine blocks"])
def trained(landscape, request):
    return Trained(request.param, landscape)


@pytest.fixture(scope="module")
def exported(tmp_path_factory, landscape, trained):
    """The model folder and its model.json of a run, by the images its checkpoint has seen."""

    @functools.cache
    def export(images_seen: int):
        run = tmp_path_factory.mktemp("fading")
        (run / "config.yaml").write_text(yaml.safe_dump(trained.config.to_dict()), encoding="utf-8")
        (run / LABELS_FILE).write_text(landscape.to_json(), encoding="utf-8")
        (run / "environment.json").write_text('{"paddle": "3"}', encoding="utf-8")
        state = {
            "average": effective_state(trained.generator),
            "images_seen": images_seen,
            "seconds": 1.0,
        }
        save_checkpoint(run / "checkpoint", state, images_seen=images_seen)
        out = export_run(run, run / "model", name="tiny", version="1")
        return out, json.loads((out / "model.json").read_text(encoding="utf-8"))

    return export


@pytest.mark.parametrize("images_seen, fade", [(0, 0.0), (40, 0.4), (100, 1.0)])
def test_an_exported_generator_paints_as_far_as_it_had_come_in(
    trained, exported, landscape, images_seen, fade
):
    label_map = scene_labels(9, landscape, 128, 256)
    trained.generator.fade = fade
    expected = trained.paint(label_map, seed=5)
    painted = Painter.load(exported(images_seen)[0], threads=1).paint(label_map, seed=5)
    assert np.abs(painted - expected).max() <= 0.5 + 0.02  # rounding, and float sums
    trained.generator.fade = 0.7
    other = trained.paint(label_map, seed=5)
    assert np.abs(other - expected).max() > 2  # it can be told apart


def test_a_generator_that_has_come_in_is_exported_without_the_old_way(trained, exported):
    config = dataclasses.replace(trained.config, fade_in_images=0)
    plain = count_parameters(build_generator(config, num_labels=13, spectral_norm=False))
    width = 1 if config.generator.fine_blocks else 3  # before the last block
    old_way = 3 * width * 3 * 3 + 3  # conv_img_before
    sizes = {}
    for images_seen, parameters in ((40, plain + old_way), (100, plain)):
        out, model = exported(images_seen)
        assert model["parameters"] == parameters
        sizes[images_seen] = (out / "generator.pdiparams").stat().st_size
    assert sizes[40] - sizes[100] >= 4 * old_way


def test_the_sizes_that_it_paints_are_those_of_all_its_doublings(exported):
    out, model = exported(100)
    painter = Painter.load(out, threads=1)
    assert painter.multiple == model["multiple"] == 128
    assert (model["height"], model["width"]) == (128, 128)
    options = model["training"]["config"]["generator"]
    assert model["noise_channels"] == 7 + (options["fine_blocks"] or 1)  # up_4 or fine blocks


def test_where_the_smaller_run_lay_is_not_told(exported):
    _, model = exported(100)
    assert model["training"]["config"]["init_from"] == "small"
    assert model["training"]["config"]["fade_in_images"] == 100
