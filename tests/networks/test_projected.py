"""The projected discriminator: heads that know the labels, on frozen features."""

from __future__ import annotations

import numpy as np
import pytest

from spade_paddle.networks.cost import count_macs, count_parameters
from spade_paddle.networks.projected import ProjectedDiscriminator, ProjectedHead
from tests import reference
from tests.networks.features import ThreeLevels, area_pooled
from tests.networks.test_projection import projection_of
from tests.numeric import (
    assert_differs,
    assert_gradients,
    assert_same,
    normal,
    randomize,
    tensor,
    weighted_sum,
)

pytestmark = pytest.mark.usefixtures("float64")

LABELS = 4


def head_of(*, strided=True, spectral_norm=False, seed=0) -> ProjectedHead:
    head = ProjectedHead(
        channels=3, width=5, semantic_nc=LABELS, strided=strided, spectral_norm=spectral_norm
    )
    randomize(head, seed=seed)
    return head


def discriminator_of(*, spectral_norm=False) -> ProjectedDiscriminator:
    network = ProjectedDiscriminator(
        projection=projection_of(), width=5, semantic_nc=LABELS, spectral_norm=spectral_norm
    )
    if not spectral_norm:
        for seed in range(3):
            randomize(getattr(network, f"head_{seed}"), seed=seed)
    return network


def one_hot(*size: int, seed: int = 0) -> np.ndarray:
    ids = np.random.default_rng(seed).integers(0, LABELS, (size[0], *size[1:]))
    return np.moveaxis(np.eye(LABELS)[ids], -1, 1)


def by_formula(head, features, segmap, *, labels=None, unconditional=True) -> np.ndarray:
    """``labels``: wrong; the order in which labels are given to the maps."""
    x = features
    for index, padding in ((0, 1), (2, 1), (4, 0)):
        layer = head.layers[index]
        stride = 2 if layer.weight.shape[2] == 4 else 1
        x = reference.conv2d(
            x, layer.weight.numpy(), layer.bias.numpy(), stride=stride, padding=padding
        )
        if index < 4:
            x = reference.leaky_relu(x)
    shares = area_pooled(segmap, *x.shape[2:])
    if labels is not None:
        shares = shares[:, labels]
    score = (x[:, 1:] * shares).sum(axis=1, keepdims=True)
    return score + x[:, :1] if unconditional else score


@pytest.mark.parametrize("strided", [True, False])
@pytest.mark.parametrize("size", [(8, 10), (7, 9)])
def test_scores_agree_with_the_formula(strided, size):
    head, features = head_of(strided=strided), normal(2, 3, *size)
    segmap = one_hot(2, 30, 41)
    score = head(tensor(features), tensor(segmap))
    # Paddle's pooling divides in float32
    assert_same(score, by_formula(head, features, segmap), rtol=1e-6)
    assert_differs(score, by_formula(head, features, segmap, labels=[1, 0, 2, 3]))
    assert_differs(score, by_formula(head, features, segmap, labels=[3, 0, 1, 2]))
    assert_differs(score, by_formula(head, features, segmap, unconditional=False))


def test_the_score_of_a_place_by_hand():
    # the maps are their biases: u = 1, v = (10, 20, 40, 80); three quarters of a place are label 1
    head = head_of(strided=False)
    for parameter in head.parameters():
        parameter.set_value(np.zeros(parameter.shape))
    head.layers[4].bias.set_value(np.array([1.0, 10, 20, 40, 80]))
    segmap = np.zeros((1, LABELS, 2, 2))
    segmap[0, 1] = [[1, 1], [1, 0]]
    segmap[0, 3] = [[0, 0], [0, 1]]
    score = head(tensor(np.zeros((1, 3, 1, 1))), tensor(segmap))
    assert score.item() == 1 + 0.75 * 20 + 0.25 * 80
    # don't care without a channel: only the unconditional map judges it
    assert head(tensor(np.zeros((1, 3, 1, 1))), tensor(np.zeros((1, LABELS, 2, 2)))).item() == 1


def test_permuting_labels_together_with_their_maps_changes_nothing():
    head, features, segmap = head_of(), tensor(normal(2, 3, 8, 8)), one_hot(2, 16, 16)
    before = head(features, tensor(segmap))
    order = [2, 0, 3, 1]
    assert_differs(head(features, tensor(segmap[:, order])), before.numpy())
    last = head.layers[4]
    maps = [0, *(1 + k for k in order)]
    last.weight.set_value(last.weight.numpy()[maps])
    last.bias.set_value(last.bias.numpy()[maps])
    assert_same(head(features, tensor(segmap[:, order])), before.numpy())


def test_every_head_judges_its_level():
    network, picture, segmap = discriminator_of(), normal(2, 3, 24, 16), one_hot(2, 24, 16)
    prediction = network(tensor(np.concatenate([segmap, picture], axis=1)))
    levels = network.projection(tensor(picture))
    assert len(prediction) == 3
    for level, stages in enumerate(prediction):
        assert len(stages) == 1  # nothing for feature matching
        head = getattr(network, f"head_{level}")
        assert_same(stages[0], by_formula(head, levels[level].numpy(), segmap), rtol=1e-6)
    # 24 x 16 pixels: features of 12 x 8, which the first head halves; 6 x 4; 3 x 2
    assert [stages[0].shape for stages in prediction] == [[2, 1, 6, 4], [2, 1, 6, 4], [2, 1, 3, 2]]


def test_features_may_be_computed_once_and_judged_twice():
    network, picture, segmap = discriminator_of(), normal(2, 3, 16, 16), one_hot(2, 16, 16)
    whole = network(tensor(np.concatenate([segmap, picture], axis=1)))
    features = [level.detach() for level in network.features(tensor(picture))]
    for _ in range(2):
        for (got,), (expected,) in zip(network.apply_heads(features, tensor(segmap)), whole):
            assert np.array_equal(got.numpy(), expected.numpy())


def test_gradient_reaches_picture_and_heads_and_is_the_slope():
    network = discriminator_of()
    pictures = np.concatenate([one_hot(2, 12, 10), normal(2, 3, 12, 10)], axis=1)
    pictures = tensor(pictures, differentiable=True)
    head = network.head_1.layers

    def loss():
        return sum(weighted_sum(stages[-1]) for stages in network(pictures))

    assert_gradients(loss, [head[0].weight, head[4].bias, head[2].weight], places=8)
    pictures.clear_gradient()
    loss().backward()
    gradient = pictures.grad.numpy()
    assert (gradient[:, :LABELS] == 0).all()  # the map is a condition, nothing to be changed
    assert np.abs(gradient[:, LABELS:]).max() > 0
    photo = tensor(pictures.numpy()[:, LABELS:], differentiable=True)
    segmap = tensor(pictures.numpy()[:, :LABELS])
    assert_gradients(
        lambda: sum(
            weighted_sum(stages[-1])
            for stages in network.apply_heads(network.features(photo), segmap)
        ),
        [photo],
        places=30,
    )


def test_only_the_heads_learn():
    network = discriminator_of(spectral_norm=True)
    assert {name.split(".")[0] for name, _ in network.named_parameters()} == {
        "head_0",
        "head_1",
        "head_2",
    }
    for parameter in network.parameters():  # as engine/updates.py does in every step
        parameter.stop_gradient = False
    pictures = np.concatenate([one_hot(2, 12, 10), normal(2, 3, 12, 10)], axis=1)
    sum(weighted_sum(stages[-1]) for stages in network(tensor(pictures))).backward()
    assert all(parameter.grad is not None for parameter in network.parameters())
    frozen = network.projection.network.parameters()
    assert frozen
    assert all(weight.grad is None and weight.stop_gradient for weight in frozen)


def test_every_convolution_of_a_head_is_spectrally_normalized():
    names = {name for name, _ in head_of(spectral_norm=True).named_parameters()}
    assert {name for name in names if "weight" in name} == {
        f"layers.{index}.weight_orig" for index in (0, 2, 4)
    }


def test_each_picture_is_judged_alone():
    network = discriminator_of()
    pictures = np.concatenate([one_hot(3, 16, 16), normal(3, 3, 16, 16)], axis=1)
    together = network(tensor(pictures))
    for (whole,), (one,) in zip(together, network(tensor(pictures[1:2]))):
        assert_same(one, whole.numpy()[1:2])


def test_mixes_and_the_frozen_network_cost_multiplications_and_have_no_parameters():
    network = discriminator_of()
    pictures = tensor(np.zeros((1, LABELS + 3, 16, 16)))
    own = count_macs(network, pictures)
    # level sizes 8, 4, 2 with 3, 4, 5 channels mixed to 4, 5, 6; the coarser ones to 4 and 5
    across = 64 * 3 * 4 + 16 * 4 * 5 + 4 * 5 * 6
    down = 16 * 5 * 4 * 9 + 4 * 6 * 5 * 9
    # heads at 4 x 4, 4 x 4, 2 x 2
    last = 5 * 5 * 9 + 5 * (LABELS + 1)
    heads = 16 * (4 * 5 * 16 + last) + 16 * (5 * 5 * 9 + last) + 4 * (6 * 5 * 9 + last)
    assert own == across + down + heads
    seen = 64 * 3 * 3 * 9 + 16 * 3 * 4 * 9 + 4 * 4 * 5 * 9
    assert count_macs(network, pictures, also=[network.projection.network]) == own + seen
    assert isinstance(network.projection.network, ThreeLevels)
    first = (4 * 16 + 5 * 9 + 6 * 9) * 5 + 3 * 5
    assert count_parameters(network) == first + 3 * (5 * 5 * 9 + 5 + 5 * 5 + 5)
