"""The sizes of the published models, by our own counter."""

from __future__ import annotations

import paddle
import pytest
from paddle import nn

from spade_paddle.config import Config, read_config
from spade_paddle.networks.build import build_generator
from spade_paddle.networks.cost import count_macs, count_parameters
from spade_paddle.networks.semantics import SemanticLayout

PUBLIC = {"ngf": 64, "activation": "leaky_relu", "simam": False}


def test_counts_of_two_layers_by_hand():
    # 3x3 convolution 2 -> 4 in two groups on 6x5 pixels: 30 * 4 * 1 * 9 = 1080 for each of 3
    # pictures; linear 120 -> 7: 840 each
    network = nn.Sequential(
        nn.Conv2D(2, 4, 3, padding=1, groups=2), nn.ReLU(), nn.Flatten(), nn.Linear(120, 7)
    )
    assert count_macs(network, paddle.zeros([3, 2, 6, 5])) == 3 * (1080 + 840)
    assert count_parameters(network) == 4 * 9 + 4 + 840 + 7


def test_counting_leaves_mode_and_statistics_alone():
    generator = build_generator(read_config({"generator": {"ngf": 1}}), num_labels=2)
    before = {name: value.numpy() for name, value in generator.state_dict().items()}
    count_macs(generator, paddle.ones([1, 4, 32, 32]))
    assert generator.training
    for name, value in generator.state_dict().items():
        assert (value.numpy() == before[name]).all(), name


def cost(config: Config, *, num_labels: int, height: int, width: int) -> tuple[float, float]:
    """Thousand million MACs and million parameters.

    Counted at the smallest picture and multiplied by the area: every layer of a generator without
    style is a convolution whose pixels grow with the picture.
    """
    generator = build_generator(config, num_labels=num_labels, spectral_norm=False)
    channels = SemanticLayout.of(config, num_labels).channels
    side = generator.multiple
    smallest = count_macs(generator, paddle.zeros([1, channels, side, side]))
    area = (height // side) * (width // side)
    return smallest * area / 1e9, count_parameters(generator) / 1e6


def test_arithmetic_grows_with_the_area():
    generator = build_generator(read_config({"generator": {"ngf": 2}}), num_labels=3)
    small, large = (
        count_macs(generator, paddle.zeros([1, 5, height, width]))
        for height, width in ((32, 32), (64, 96))
    )
    assert large == 6 * small


@pytest.mark.parametrize(
    ("sections", "num_labels", "size", "macs", "parameters"),
    [
        # 182 labels of COCO-Stuff, don't care and edges: 184 channels
        pytest.param({"generator": PUBLIC}, 182, (256, 256), 191.1, 97.5, id="SPADE, 184 channels"),
        pytest.param(
            {"generator": {**PUBLIC, "upsampling": "more"}, "data": {"dont_care": False}},
            *(35, (256, 512), 281.3, 93.05),
            id="SPADE, Cityscapes",
        ),
        pytest.param({}, 12, (256, 256), 45.2, 19.2, id="the article, 14 channels"),
        pytest.param(
            {"generator": {**PUBLIC, "norm": "clade"}, "data": {"instance_edges": False}},
            *(150, (256, 256), 42.2, 71.4),
            id="CLADE, ADE20K",
        ),
    ],
)
def test_published_models_cost_what_is_published(sections, num_labels, size, macs, parameters):
    height, width = size
    found = cost(read_config(sections), num_labels=num_labels, height=height, width=width)
    assert found[0] == pytest.approx(macs, abs=0.051)
    assert found[1] == pytest.approx(parameters, abs=0.051)
