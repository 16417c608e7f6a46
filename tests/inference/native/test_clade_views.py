"""CLADE's own tables, looked up, give what its convolutions give."""

from __future__ import annotations

import numpy as np
import paddle
import pytest
from paddle import nn

from spade_paddle.data.positions import intra_class_positions
from spade_paddle.inference.native import kernels
from spade_paddle.inference.native.clade import CladeNorm, clade_views
from spade_paddle.inference.native.codes import Codes
from spade_paddle.layers import CLADE
from spade_paddle.networks.semantics import SemanticLayout
from tests.inference.native.maps import encoded, label_maps
from tests.numeric import assert_differs, assert_same, parameters_of, randomize

pytestmark = pytest.mark.usefixtures("float64")

LABELS, CHANNELS = 4, 3
CLOSE = 1e-6  # relative to the largest number
MAPS = label_maps(LABELS)
LAYOUTS = {
    "plain": SemanticLayout(LABELS, dont_care=False),
    "don't care": SemanticLayout(LABELS, dont_care=True),
    "edges": SemanticLayout(LABELS, dont_care=False, edges=True),
    "positions": SemanticLayout(LABELS, dont_care=False, positions=True),
    "everything": SemanticLayout(LABELS, dont_care=True, edges=True, positions=True),
}
ALL_LAYOUTS = pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)


def pair_of(layout: SemanticLayout) -> tuple[CLADE, CladeNorm]:
    """A layer that computes in float64, and the same with tables."""
    layer = CLADE(
        norm_nc=CHANNELS,
        num_classes=layout.classes,
        make_norm=lambda channels: nn.Identity(),
        edges=layout.edges,
        positions=layout.positions,
    )
    randomize(layer)
    weights = {name: value.astype(np.float32) for name, value in parameters_of(layer).items()}
    for name, parameter in layer.named_parameters():
        parameter.set_value(weights[name].astype(np.float64))
    return layer, CladeNorm(weights)


def positions_of(layout: SemanticLayout, label_map: np.ndarray):
    """[2, H, W], or None."""
    if not layout.positions:
        return None
    return np.ascontiguousarray(intra_class_positions(label_map).transpose(2, 0, 1))


def features(label_map: np.ndarray, stride: int) -> np.ndarray:
    """[P, C] for one picture."""
    pixels = label_map[::stride, ::stride].size
    return np.random.default_rng(8).standard_normal((pixels, CHANNELS)).astype(np.float32)


def dense(layer, layout, label_map, *, stride=1, instance_map=None) -> np.ndarray:
    """[P, C or C + 1] by the layer."""
    segmap = encoded(layout, label_map, instance_map).astype("float64")
    positions = positions_of(layout, label_map)
    if positions is not None:
        segmap = paddle.concat([segmap, paddle.to_tensor(positions[None], "float64")], axis=1)
    segmap = segmap[:, :, ::stride, ::stride]
    x = features(label_map, stride).astype(np.float64).T.reshape(1, CHANNELS, *segmap.shape[2:])
    return layer(paddle.to_tensor(x), segmap).numpy()[0].reshape(layer.out_channels, -1).T


def views_of(layout, label_map, *, strides=(1,), instance_map=None):
    codes = Codes(layout)
    return clade_views(
        codes.encode(label_map, instance_map),
        codes,
        strides=strides,
        positions=positions_of(layout, label_map),
    )


def looked_up(norm: CladeNorm, view, x: np.ndarray) -> np.ndarray:
    """[P, C or C + 1] by kernels.modulate."""
    how = norm.modulation(view)
    return kernels.modulate(
        x,
        size=view.size,
        doubled=False,
        scale=np.ones(CHANNELS, np.float32),
        mean=np.zeros(CHANNELS, np.float32),
        table=how.table,
        index=how.index,
        factors=how.factors,
        edges=how.edges,
    )


@ALL_LAYOUTS
def test_every_map_is_modulated_as_by_the_layer(c_library, layout):
    layer, norm = pair_of(layout)
    for label_map in MAPS.values():
        (view,) = views_of(layout, label_map).values()
        found = looked_up(norm, view, features(label_map, 1))
        assert_same(found, dense(layer, layout, label_map), rtol=CLOSE)


@ALL_LAYOUTS
def test_a_coarser_block_looks_at_every_so_many_pixels(c_library, layout):
    layer, norm = pair_of(layout)
    for label_map in (MAPS["areas"], MAPS["holes in noise"]):
        views = views_of(layout, label_map, strides=(1, 2, 6))
        assert list(views) == [1, 2, 6]
        for stride, view in views.items():
            assert view.size == label_map[::stride, ::stride].shape
            found = looked_up(norm, view, features(label_map, stride))
            assert_same(found, dense(layer, layout, label_map, stride=stride), rtol=CLOSE)


def test_edges_are_those_of_the_instances(c_library):
    layout, label_map = LAYOUTS["everything"], MAPS["areas"]
    layer, norm = pair_of(layout)
    instance_map = np.random.default_rng(1).integers(0, 9, label_map.shape) * 1000
    (view,) = views_of(layout, label_map, instance_map=instance_map).values()
    found = looked_up(norm, view, features(label_map, 1))
    expected = dense(layer, layout, label_map, instance_map=instance_map)
    assert_same(found, expected, rtol=CLOSE)
    assert_differs(found, dense(layer, layout, label_map))


@ALL_LAYOUTS
def test_every_id_has_a_row_and_what_is_no_class_becomes_nothing(layout):
    _, norm = pair_of(layout)
    (view,) = views_of(layout, MAPS["every id"]).values()
    table = norm.modulation(view).table
    assert (view.rows.dtype, table.dtype) == (np.int32, np.float32)
    assert 0 <= view.rows.min() <= view.rows.max() < len(table) == layout.classes + 1
    known = [*range(LABELS), *[255] * layout.dont_care]
    gains_and_offsets = table[view.rows]
    assert not np.delete(gains_and_offsets, known, axis=0).any()
    assert gains_and_offsets[known].all()


def test_there_is_no_one_plus_as_in_spade():
    layout = LAYOUTS["plain"]
    layer, norm = pair_of(layout)
    (view,) = views_of(layout, MAPS["areas"]).values()
    gain, _ = np.split(norm.modulation(view).table[:-1], 2, axis=1)
    assert np.array_equal(gain, layer.weight.numpy().astype(np.float32))


def test_there_are_edges_and_positions_only_where_the_layer_has_them():
    for layout in LAYOUTS.values():
        _, norm = pair_of(layout)
        (view,) = views_of(layout, MAPS["areas"]).values()
        how = norm.modulation(view)
        for there, values, shape in (
            (layout.edges, how.edges, (view.rows.size,)),
            (layout.positions, how.factors, (view.rows.size, 2)),
        ):
            assert (values is not None) == there
            assert values is None or (values.dtype, values.shape) == (np.float32, shape)
