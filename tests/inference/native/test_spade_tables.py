"""What is looked up for a pixel is what SPADE's convolutions give there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import paddle
import pytest
from paddle import nn
from paddle.nn import functional as F

from spade_paddle.inference.native import kernels, spade
from spade_paddle.inference.native.codes import Codes
from spade_paddle.inference.native.products import PackedMatrix
from spade_paddle.inference.native.spade import SpadeNorm, SpadeTables, TooManyPatches
from spade_paddle.layers import SPADE
from spade_paddle.networks.semantics import SemanticLayout
from spade_paddle.onednn.library import OneDNNError
from tests.inference.native.maps import encoded, label_maps
from tests.numeric import assert_differs, assert_same, parameters_of, randomize

pytestmark = pytest.mark.usefixtures("c_library", "float64")

LABELS = 4
CLOSE = 1e-5  # relative to the largest gamma or beta
PLENTY = 2**30
LAYOUTS = {
    "plain": SemanticLayout(LABELS, dont_care=False),
    "don't care": SemanticLayout(LABELS, dont_care=True),
    "edges": SemanticLayout(LABELS, dont_care=False, edges=True),
    "don't care and edges": SemanticLayout(LABELS, dont_care=True, edges=True),
}
EVERYTHING = LAYOUTS["don't care and edges"]
INSIDE = {"gelu": nn.GELU, "relu": nn.ReLU}


MAPS = label_maps(LABELS)


@dataclass
class Pair:
    """A SPADE layer that computes in float64, and its norm with tables.

    Attributes:
        codes: of the label maps.
        layer: with weights that float32 can hold.
        norm: of the same weights.
    """

    codes: Codes
    layer: SPADE
    norm: SpadeNorm

    def dense(self, label_map, instance_map=None, *, stride=1) -> np.ndarray:
        """[h, w, 2C], 1 + gamma and beta at every stride-th pixel."""
        segmap = encoded(self.codes.layout, label_map, instance_map).astype("float64")
        return self.modulation(self.layer.mlp_shared(segmap[:, :, ::stride, ::stride]))

    def modulation(self, features: paddle.Tensor, *, one: int = 1) -> np.ndarray:
        """Of the hidden features [1, h, H, W]. ``one=0``: wrong; gamma without 1 +."""
        gamma, beta = self.layer.mlp_gamma(features) + one, self.layer.mlp_beta(features)
        return paddle.concat([gamma, beta], axis=1).numpy()[0].transpose(1, 2, 0)


def pair_of(layout, *, kernel=3, channels=3, activation="gelu", seed=0) -> Pair:
    codes = Codes(layout)
    layer = SPADE(
        norm_nc=channels,
        label_nc=layout.channels,
        make_norm=lambda channels: nn.Identity(),
        activation=INSIDE[activation](),
        kernel_size=kernel,
        nhidden=6,
    )
    randomize(layer, seed=seed)
    weights = {name: value.astype(np.float32) for name, value in parameters_of(layer).items()}
    for name, parameter in layer.named_parameters():
        parameter.set_value(weights[name].astype(np.float64))
    layer.eval()
    return Pair(
        codes, layer, SpadeNorm(weights, activation=kernels.ACTIVATIONS[activation], codes=codes)
    )


def tables_of(*pairs: Pair, stride: int = 1, limit: int = PLENTY, **options) -> SpadeTables:
    norms = [pair.norm for pair in pairs]
    return SpadeTables({stride: norms}, codes=pairs[0].codes, limit=limit, **options)


def looked_up(pair: Pair, view) -> np.ndarray:
    """[h, w, 2C] of a view."""
    how = pair.norm.modulation(view)
    assert (how.factors, how.edges) == (None, None)
    return how.table[how.index].reshape(*view.size, -1)


def found_in(tables: SpadeTables, pair: Pair, label_map, instance_map=None) -> np.ndarray:
    (view,) = tables.views(pair.codes.encode(label_map, instance_map)).values()
    return looked_up(pair, view)


@pytest.mark.parametrize("activation", INSIDE)
@pytest.mark.parametrize("kernel", [1, 3, 5])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_gamma_and_beta_are_those_of_the_layer_at_every_pixel(layout, kernel, activation):
    pair = pair_of(LAYOUTS[layout], kernel=kernel, activation=activation)
    tables = tables_of(pair)
    for name, label_map in MAPS.items():
        found = found_in(tables, pair, label_map)
        assert found.dtype == np.float32, name
        assert_same(found, pair.dense(label_map), rtol=CLOSE)


def test_layer_itself_gives_the_same():
    pair, label_map = pair_of(EVERYTHING), MAPS["lines"]
    x = np.random.default_rng(2).standard_normal((1, 3, *label_map.shape))
    out = pair.layer(paddle.to_tensor(x), encoded(EVERYTHING, label_map).astype("float64")).numpy()[
        0
    ]
    gain, offset = np.split(found_in(tables_of(pair), pair, label_map).transpose(2, 0, 1), 2)
    assert_same(x[0] * gain + offset, out, rtol=CLOSE)


def test_edges_are_those_of_the_instances():
    pair, label_map = pair_of(EVERYTHING), MAPS["areas"]
    instance_map = np.random.default_rng(1).integers(0, 9, label_map.shape) * 1000
    found = found_in(tables_of(pair), pair, label_map, instance_map)
    assert_same(found, pair.dense(label_map, instance_map), rtol=CLOSE)
    assert_differs(found, pair.dense(label_map))


def test_gamma_without_one_would_be_seen():
    pair, label_map = pair_of(LAYOUTS["plain"]), MAPS["areas"]
    features = pair.layer.mlp_shared(encoded(LAYOUTS["plain"], label_map).astype("float64"))
    found = found_in(tables_of(pair), pair, label_map)
    assert_same(found, pair.modulation(features), rtol=CLOSE)
    assert_differs(found, pair.modulation(features, one=0))


@pytest.mark.parametrize("wrong", ["class 0 outside", "features outside"])
def test_a_border_that_is_taken_wrongly_would_be_seen(wrong):
    pair, label_map, around = pair_of(LAYOUTS["plain"]), MAPS["areas"], [3] * 4
    if wrong == "class 0 outside":  # but no features
        features = pair.layer.mlp_shared(
            encoded(LAYOUTS["plain"], np.pad(label_map, 3)).astype("float64")
        )
        features = features * F.pad(paddle.ones([1, 1, *label_map.shape]), around)
    else:  # of nothing at all; they are not 0
        segmap = F.pad(encoded(LAYOUTS["plain"], label_map).astype("float64"), around)
        features = pair.layer.mlp_shared(segmap)
    bad, found = pair.modulation(features)[3:-3, 3:-3], found_in(tables_of(pair), pair, label_map)
    inside = np.s_[2:-2, 2:-2]
    assert_same(found[inside], bad[inside], rtol=CLOSE)
    for border in (np.s_[:2], np.s_[-2:], np.s_[:, :2], np.s_[:, -2:]):
        assert_differs(found[border], bad[border])


def test_blocks_of_several_sizes_share_the_tables():
    levels = {stride: [pair_of(EVERYTHING, seed=stride)] for stride in (1, 2, 6)}
    levels[2].append(pair_of(EVERYTHING, channels=7, seed=9))
    codes = levels[1][0].codes
    norms = {stride: [pair.norm for pair in pairs] for stride, pairs in levels.items()}
    tables = SpadeTables(norms, codes=codes, limit=PLENTY)
    for label_map in (MAPS["areas"], MAPS["noise"]):
        views = tables.views(codes.encode(label_map, None))
        for stride, pairs in levels.items():
            for pair in pairs:
                expected = pair.dense(label_map, stride=stride)
                assert_same(looked_up(pair, views[stride]), expected, rtol=CLOSE)


def rows_of(pair: Pair, tables: SpadeTables, *names: str) -> np.ndarray:
    """All rows of the table after these maps."""
    for name in names:
        (view,) = tables.views(pair.codes.encode(MAPS[name], None)).values()
    return pair.norm.modulation(view).table.copy()


@pytest.mark.parametrize("at_once", [1, 2000, 20_000])
def test_work_in_parts_gives_the_same_rows(monkeypatch, at_once):
    names = ("holes in noise", "lines", "one row")
    whole, parts = pair_of(EVERYTHING), pair_of(EVERYTHING)
    expected = rows_of(whole, tables_of(whole), *names)
    monkeypatch.setattr(spade, "_PRODUCT_BYTES", at_once)
    calls = []
    extend = SpadeNorm.extend
    monkeypatch.setattr(SpadeNorm, "extend", lambda *arguments: calls.append(extend(*arguments)))
    rows = rows_of(parts, tables_of(parts), *names)
    assert len(calls) > len(names)
    assert_same(rows, expected, rtol=1e-6)


@pytest.mark.parametrize("mask", [0, 3])
def test_a_weak_hash_gives_the_same_rows(mask):
    names = ("areas", "dots", "holes")
    pair, weak = pair_of(EVERYTHING), pair_of(EVERYTHING)
    expected = rows_of(pair, tables_of(pair), *names)
    assert np.array_equal(rows_of(weak, tables_of(weak, hash_mask=mask), *names), expected)


def test_another_map_adds_rows_and_leaves_those_that_are_there():
    pair = pair_of(EVERYTHING)
    tables = tables_of(pair)
    before = rows_of(pair, tables, "areas")
    after = rows_of(pair, tables, "noise")
    assert len(after) > len(before)
    assert np.array_equal(after[: len(before)], before)
    assert np.array_equal(rows_of(pair, tables, "areas", "noise"), after)


def test_an_unchanged_map_computes_nothing(monkeypatch):
    pair = pair_of(EVERYTHING)
    tables = tables_of(pair)
    first = found_in(tables, pair, MAPS["lines"])
    product, counts = PackedMatrix.__rmatmul__, []

    def counted(right, left):
        counts.append(len(left))
        return product(right, left)

    monkeypatch.setattr(PackedMatrix, "__rmatmul__", counted)
    assert np.array_equal(found_in(tables, pair, MAPS["lines"]), first)
    assert sum(counts) == 0


# --- memory --------------------------------------------------------------------------------------


def test_bytes_are_those_of_the_rows_and_their_patches():
    pairs = [pair_of(EVERYTHING), pair_of(EVERYTHING, channels=7)]
    tables = tables_of(*pairs)
    assert tables.bytes == 0
    for name in ("areas", "noise"):
        (view,) = tables.views(pairs[0].codes.encode(MAPS[name], None)).values()
        arrays = [pair.norm.modulation(view).table for pair in pairs]
        patches = len(arrays[0]) * 5 * 5 * 2
        assert tables.bytes == sum(array.nbytes for array in arrays) + patches
    tables.clear()
    assert tables.bytes == 0


def bytes_for(label_map: np.ndarray) -> int:
    pair = pair_of(EVERYTHING)
    tables = tables_of(pair)
    found_in(tables, pair, label_map)
    return tables.bytes


def test_more_than_the_limit_makes_it_forget_everything_but_the_last_map():
    needed = bytes_for(MAPS["noise"])
    pair = pair_of(EVERYTHING)
    tables = tables_of(pair, limit=needed)
    assert_same(found_in(tables, pair, MAPS["areas"]), pair.dense(MAPS["areas"]), rtol=CLOSE)
    for name in ("noise", "holes in noise", "noise"):
        assert_same(found_in(tables, pair, MAPS[name]), pair.dense(MAPS[name]), rtol=CLOSE)
        assert tables.bytes == bytes_for(MAPS[name]) <= needed


def test_a_map_that_alone_is_too_much_is_refused_and_a_smaller_one_is_not():
    pair = pair_of(EVERYTHING)
    tables = tables_of(pair, limit=bytes_for(MAPS["noise"]) - 1)
    for _ in range(2):
        with pytest.raises(TooManyPatches):
            tables.views(pair.codes.encode(MAPS["noise"], None))
        assert tables.bytes == 0
        assert_same(found_in(tables, pair, MAPS["areas"]), pair.dense(MAPS["areas"]), rtol=CLOSE)


@pytest.mark.parametrize("fails_at", [1, 2])
def test_an_error_halfway_leaves_no_wrong_rows(monkeypatch, fails_at):
    pairs = [pair_of(EVERYTHING), pair_of(EVERYTHING, seed=1)]
    tables = tables_of(*pairs)
    found_in(tables, pairs[0], MAPS["dots"])
    product, calls = PackedMatrix.__rmatmul__, []

    def failing(right, left):
        calls.append(1)
        if len(calls) == fails_at:
            raise OneDNNError
        return product(right, left)

    monkeypatch.setattr(PackedMatrix, "__rmatmul__", failing)
    with pytest.raises(OneDNNError):
        found_in(tables, pairs[0], MAPS["areas"])
    (view,) = tables.views(pairs[0].codes.encode(MAPS["lines"], None)).values()
    for pair in pairs:
        assert_same(looked_up(pair, view), pair.dense(MAPS["lines"]), rtol=CLOSE)


def test_a_view_of_rows_that_are_forgotten_is_refused():
    pair = pair_of(EVERYTHING)
    tables = tables_of(pair)
    (view,) = tables.views(pair.codes.encode(MAPS["noise"], None)).values()

    def modulate() -> None:
        how, one = pair.norm.modulation(view), np.ones(3, np.float32)
        kernels.modulate(
            np.zeros((view.rows.size, 3), np.float32),
            size=view.size,
            doubled=False,
            scale=one,
            mean=one,
            table=how.table,
            index=how.index,
        )

    modulate()
    tables.clear()
    found_in(tables, pair, MAPS["one pixel"])
    with pytest.raises(AssertionError):
        modulate()
