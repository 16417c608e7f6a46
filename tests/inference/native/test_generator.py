"""Whole generators of every kind against the dense graph."""

from __future__ import annotations

import functools

import numpy as np
import pytest

from spade_paddle.compression.groups import widths_of
from spade_paddle.inference.native import generator as module
from spade_paddle.inference.native.generator import NativeGenerator
from tests.inference.native.dense import (
    LABELS,
    config_of,
    dense,
    inputs_of,
    label_maps,
    painted,
    weights_of,
)

pytestmark = pytest.mark.usefixtures("c_library")

EDGES = {"instance_edges": True}
ARTICLE = {"norm": "spade", "activation": "gelu", "simam": True}
PUBLIC = {"norm": "spade", "activation": "leaky_relu", "simam": False}
STYLE = {"style_dim": 5}
KINDS = {
    "article": {"generator": ARTICLE, "data": EDGES},
    "public SPADE": {"generator": PUBLIC, "data": EDGES},
    "without don't care": {"generator": PUBLIC, "data": {"dont_care": False}},
    "more": {"generator": {**PUBLIC, "upsampling": "more", "smooth_doublings": 4}},
    "most": {
        "generator": {**PUBLIC, "upsampling": "most"},
        "data": {"crop_size": 128, "load_size": 128},
    },
    "kernels of 1": {"generator": {**PUBLIC, "kernel_size": 1}, "data": EDGES},
    "kernels of 5": {"generator": {**ARTICLE, "kernel_size": 5}},
    "instance norm": {"generator": {**ARTICLE, "param_free_norm": "instance", "noise": True}},
    "noise and style": {"generator": {**PUBLIC, "noise": True}, "encoder": STYLE},
    "clade": {
        "generator": {"norm": "clade", "noise": True, "smooth_doublings": 3},
        "encoder": STYLE,
    },
    "clade, edges": {"generator": {"norm": "clade"}, "data": EDGES},
    "clade, instance norm": {"generator": {"norm": "clade", "param_free_norm": "instance"}},
    "icpe": {"generator": {"norm": "clade_icpe"}, "data": EDGES},
    "deeper": {"generator": {**PUBLIC, "fine_blocks": 1, "extra_blocks": 1, "noise": True}},
}
SIZES = ((64, 64), (64, 192))


def clipped():
    """Some channels left out, unevenly, as compression leaves them."""
    options = config_of(generator=PUBLIC)
    lists = widths_of(options).to_lists(options.generator)
    for count, channels in enumerate(lists.values()):
        channels[:] = [max(1, value - (count + place) % 3) for place, value in enumerate(channels)]
    return {"generator": {**PUBLIC, "widths": lists}}


def native(network, sections, **options) -> NativeGenerator:
    config = config_of(**sections)
    options = {"num_labels": LABELS, "threads": 1, **options}
    return NativeGenerator(weights_of(network), config, **options)


@pytest.mark.parametrize("kind", [*KINDS, "clipped"])
def test_it_paints_what_the_dense_graph_paints(kind):
    sections = clipped() if kind == "clipped" else KINDS[kind]
    config = config_of(**sections)
    network = dense(config)
    painter = native(network, sections)
    for size in SIZES:
        if any(side % network.generator.multiple for side in size):
            size = tuple(2 * side for side in size)
        maps = label_maps(*size, dont_care=config.data.dont_care)
        for name, label_map in maps.items():
            inputs = inputs_of(network, label_map)
            expected, found = painted(network, inputs), painter.run(inputs)
            assert found.dtype == np.float32
            assert found.shape == (1, 3, *size)
            assert np.abs(found - expected).max() < 1e-3, name
            assert expected.std() > 0.02


def test_a_batch_is_painted_one_by_one():
    sections = KINDS["clade"]
    network = dense(config_of(**sections))
    painter = native(network, sections)
    every = [inputs_of(network, found) for found in label_maps(64, 64).values()]
    batch = {name: np.concatenate([one[name] for one in every]) for name in every[0]}
    together = painter.run(batch)
    for one, picture in zip(every, together):
        assert np.array_equal(painter.run(one)[0], picture)


@pytest.mark.parametrize("kind", ["article", "icpe"])
def test_the_number_of_threads_and_what_was_painted_before_change_no_bit(kind):
    network = dense(config_of(**KINDS[kind]))
    maps = label_maps(64, 192)
    pictures = []
    for threads, order in ((1, list(maps)), (2, list(reversed(maps)))):
        painter = native(network, KINDS[kind], threads=threads)
        pictures.append({name: painter.run(inputs_of(network, maps[name])) for name in order})
    first, second = pictures
    for name in maps:
        assert np.array_equal(first[name], second[name]), name


def test_equal_hashes_change_nothing(monkeypatch):
    network = dense(config_of(**KINDS["article"]))
    inputs = inputs_of(network, label_maps(64, 64)["dots"])
    plain = native(network, KINDS["article"]).run(inputs)
    weak = functools.partial(module.SpadeTables, hash_mask=3)
    monkeypatch.setattr(module, "SpadeTables", weak)
    assert np.array_equal(native(network, KINDS["article"]).run(inputs), plain)


def test_convolutions_are_prepared_for_a_few_sizes_only():
    network = dense(config_of(**KINDS["clade"]))
    painter = native(network, KINDS["clade"])
    for side in range(1, 9):
        painter.run(inputs_of(network, label_maps(32 * side, 32)["lines"]))
    assert len(painter._prepared) == 4
    assert (256, 32) in painter._prepared
