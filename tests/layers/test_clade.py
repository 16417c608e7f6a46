from __future__ import annotations

import numpy as np
import pytest
from paddle import nn

from spade_paddle.layers import CLADE, ParamFreeBatchNorm, ParamFreeInstanceNorm
from tests import reference
from tests.numeric import (
    assert_differs,
    assert_gradients,
    assert_same,
    normal,
    parameters_of,
    randomize,
    tensor,
    weighted_sum,
)

pytestmark = pytest.mark.usefixtures("float64")

CLASSES = 3


def small_clade(*, make_norm=ParamFreeBatchNorm) -> CLADE:
    layer = CLADE(norm_nc=2, num_classes=CLASSES, make_norm=make_norm)
    randomize(layer)
    return layer


def labels(*shape: int) -> np.ndarray:
    ids = np.random.default_rng(1).integers(0, CLASSES, shape)
    return reference.one_hot(ids, num_labels=CLASSES, dont_care=False)


def test_clade_of_two_pixels_is_what_the_formula_gives_by_hand():
    # class 0 scales by 2 and adds 1, class 1 scales by 3 and subtracts 1:
    # 10 * 2 + 1 = 21 and -4 * 3 - 1 = -13
    layer = CLADE(norm_nc=1, num_classes=2, make_norm=lambda channels: nn.Identity())
    layer.weight.set_value(np.array([[2.0], [3.0]]))
    layer.bias.set_value(np.array([[1.0], [-1.0]]))
    segmap = tensor([[[[1.0, 0.0]], [[0.0, 1.0]]]])
    assert_same(layer(tensor([[[[10.0, -4.0]]]]), segmap), [[[[21.0, -13.0]]]])


def test_clade_agrees_with_the_paper():
    layer, x, segmap = small_clade(), normal(2, 2, 4, 6), labels(2, 4, 6)
    assert_same(layer(tensor(x), tensor(segmap)), reference.clade(x, segmap, parameters_of(layer)))


def test_clade_with_instance_norm_agrees_with_the_paper():
    layer, x, segmap = (
        small_clade(make_norm=ParamFreeInstanceNorm),
        normal(2, 2, 4, 4),
        labels(2, 4, 4),
    )
    expected = reference.clade(x, segmap, parameters_of(layer), norm=reference.instance_norm)
    assert_same(layer(tensor(x), tensor(segmap)), expected)


def test_a_label_map_of_another_size_is_resized_by_nearest_neighbor():
    layer, x, segmap = small_clade(), normal(1, 2, 4, 6), labels(1, 16, 12)
    assert_same(layer(tensor(x), tensor(segmap)), reference.clade(x, segmap, parameters_of(layer)))


def test_clade_does_not_add_one_to_its_scale():
    layer, x, segmap = small_clade(), normal(2, 2, 4, 4), labels(2, 4, 4)
    wrong = reference.clade(x, segmap, parameters_of(layer), one_plus=True)
    assert_differs(layer(tensor(x), tensor(segmap)), wrong)


def test_gradient_of_clade_is_its_slope_for_input_and_parameters():
    layer, segmap = small_clade(), tensor(labels(2, 3, 4))
    x = tensor(normal(2, 2, 3, 4), differentiable=True)
    everything = [x, layer.weight, layer.bias]
    assert_gradients(lambda: weighted_sum(layer(x, segmap)), everything, places=48)


def test_permuting_the_classes_together_with_their_table_rows_changes_nothing():
    layer, x, segmap = small_clade(), tensor(normal(1, 2, 4, 4)), labels(1, 4, 4)
    before = layer(x, tensor(segmap)).numpy()
    order = [2, 0, 1]
    for table in (layer.weight, layer.bias):
        table.set_value(table.numpy()[order])
    assert_same(layer(x, tensor(segmap[:, order])), before)
    assert_differs(layer(x, tensor(segmap)), before)  # the tables alone do


@pytest.mark.parametrize("label", range(CLASSES))
def test_a_uniform_label_map_makes_clade_a_plain_affine_norm(label):
    layer, x = small_clade(), normal(2, 2, 4, 5)
    affine = nn.BatchNorm2D(2)
    affine.weight.set_value(layer.weight[label])
    affine.bias.set_value(layer.bias[label])
    segmap = np.zeros((2, CLASSES, 4, 5))
    segmap[:, label] = 1.0
    assert_same(layer(tensor(x), tensor(segmap)), affine(tensor(x)).numpy())


def test_a_class_looks_at_no_pixel_but_its_own():
    # unlike SPADE, whose convolutions see neighbors
    layer, x, segmap = small_clade(), tensor(normal(1, 2, 4, 4)), labels(1, 4, 4)
    changed = segmap.copy()
    changed[0, :, 2, 1] = np.roll(segmap[0, :, 2, 1], 1)
    difference = (layer(x, tensor(changed)) - layer(x, tensor(segmap))).abs().sum(axis=[0, 1])
    assert difference.numpy()[2, 1] > 1e-3
    assert difference.sum() == difference[2, 1]


def test_a_new_clade_scales_between_zero_and_one_and_adds_nothing():
    layer = CLADE(norm_nc=50, num_classes=20, make_norm=ParamFreeBatchNorm)
    weight = layer.weight.numpy()
    assert weight.shape == (20, 50)
    assert 0 <= weight.min() < 0.05
    assert 0.95 < weight.max() <= 1
    assert not layer.bias.numpy().any()
    assert layer.out_channels == 50


def with_everything() -> CLADE:
    layer = CLADE(
        norm_nc=2,
        num_classes=CLASSES,
        make_norm=ParamFreeInstanceNorm,
        edges=True,
        positions=True,
    )
    randomize(layer)
    return layer


def full_segmap(n: int, height: int, width: int) -> np.ndarray:
    """Classes, an edge channel and two channels of positions."""
    edges = (normal(n, 1, height, width, seed=3) > 0).astype(float)
    return np.concatenate([labels(n, height, width), edges, normal(n, 2, height, width)], axis=1)


def test_positions_scale_table_entries_by_one_plus_a_number_a_pixel_by_hand():
    # d = (0.5, -1): position_weight 2 * 0.5 + 3 * -1 + 1 = -1, so the scale 4 becomes 4 * 0 = 0;
    # position_bias 0.5 * 0.5 + 0 = 0.25, so the shift 8 becomes 8 * 1.25 = 10
    layer = CLADE(
        norm_nc=1, num_classes=1, make_norm=lambda channels: nn.Identity(), positions=True
    )
    layer.weight.set_value(np.array([[4.0]]))
    layer.bias.set_value(np.array([[8.0]]))
    for convolution, weight, bias in (
        (layer.position_weight, [2.0, 3.0], 1.0),
        (layer.position_bias, [0.5, 0.0], 0.0),
    ):
        convolution.weight.set_value(np.reshape(weight, (1, 2, 1, 1)))
        convolution.bias.set_value(np.array([bias]))
    segmap = tensor(np.reshape([1.0, 0.5, -1.0], (1, 3, 1, 1)))
    assert_same(layer(tensor([[[[7.0]]]]), segmap), [[[[10.0]]]])


def test_the_edge_channel_is_convolved_and_appended_by_hand():
    # 3 * 1 - 0.5 on an edge, 3 * 0 - 0.5 elsewhere; the modulated channel comes first
    layer = CLADE(norm_nc=1, num_classes=1, make_norm=lambda channels: nn.Identity(), edges=True)
    layer.weight.set_value(np.array([[2.0]]))
    layer.edge_conv.weight.set_value(np.array([[[[3.0]]]]))
    layer.edge_conv.bias.set_value(np.array([-0.5]))
    segmap = tensor([[[[1.0, 1.0]], [[1.0, 0.0]]]])
    assert_same(layer(tensor([[[[5.0, 6.0]]]]), segmap), [[[[10.0, 12.0]], [[2.5, -0.5]]]])
    assert layer.out_channels == 2


@pytest.mark.parametrize("before", [(4, 6), (8, 18)])
def test_clade_with_edges_and_positions_agrees_with_the_paper(before):
    layer, x, segmap = with_everything(), normal(2, 2, 4, 6), full_segmap(2, *before)
    expected = reference.clade(x, segmap, parameters_of(layer), norm=reference.instance_norm)
    assert_same(layer(tensor(x), tensor(segmap)), expected)


def test_gradient_of_clade_with_edges_and_positions_is_its_slope():
    layer = with_everything()
    x = tensor(normal(1, 2, 3, 4), differentiable=True)
    segmap = tensor(full_segmap(1, 3, 4))
    everything = [x, *layer.parameters()]
    assert len(everything) == 1 + 2 + 3 * 2
    assert_gradients(lambda: weighted_sum(layer(x, segmap)), everything)


def test_a_new_clade_with_positions_is_clade_without():
    layer = CLADE(norm_nc=2, num_classes=CLASSES, make_norm=ParamFreeInstanceNorm, positions=True)
    segmap = np.concatenate([labels(1, 4, 4), normal(1, 2, 4, 4)], axis=1)
    x = tensor(normal(1, 2, 4, 4))
    plain = small_clade(make_norm=ParamFreeInstanceNorm)
    plain.weight.set_value(layer.weight)
    plain.bias.set_value(layer.bias)
    assert_same(layer(x, tensor(segmap)), plain(x, tensor(segmap[:, :CLASSES])).numpy())
