"""A code says of a pixel what the semantic map says of it."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from spade_paddle.data.labels import DONT_CARE
from spade_paddle.inference.native.codes import Codes
from spade_paddle.networks.semantics import SemanticLayout
from tests.inference.native.maps import encoded, label_maps

LAYOUTS = {
    f"{labels} labels, {'' if dont_care else 'no '}don't care, {'' if edges else 'no '}edges": (
        SemanticLayout(labels, dont_care=dont_care, edges=edges)
    )
    for labels, dont_care, edges in itertools.product((1, 5, 255), (True, False), (True, False))
}


@pytest.mark.parametrize("name", LAYOUTS)
def test_channels_of_the_codes_are_the_semantic_map(name):
    layout = LAYOUTS[name]
    codes = Codes(layout)
    instances = np.random.default_rng(1).integers(0, 3, (16, 16)) * 100_000
    for case, label_map in label_maps(max(layout.num_labels, 2), height=6, width=8).items():
        height, width = label_map.shape
        for instance_map in (None, instances[:height, :width]):
            found = codes.encode(label_map, instance_map)
            assert (found.dtype, found.shape) == (np.uint16, label_map.shape)
            assert found.max() < codes.outside, case
            expected = encoded(layout, label_map, instance_map).numpy()[0]
            assert np.array_equal(codes.channels()[found].transpose(2, 0, 1), expected), case


@pytest.mark.parametrize("name", LAYOUTS)
def test_every_id_has_a_class_that_tables_have_a_row_for(name):
    codes = Codes(LAYOUTS[name])
    found = codes.encode(np.arange(256, dtype=np.uint8)[None], None)
    classes = codes.class_of(found)
    assert classes.max() <= codes.unknown == codes.layout.classes
    known = [*range(codes.layout.num_labels), *[DONT_CARE] * codes.layout.dont_care]
    assert (np.delete(classes[0], known) == codes.unknown).all()
    assert classes[0, known].tolist() == list(range(codes.layout.classes))
    assert (codes.on_edge(found) == codes.layout.edges).all()  # each id lies beside another


@pytest.mark.parametrize("name", LAYOUTS)
def test_there_is_a_code_for_each_thing_that_a_pixel_can_be_and_one_for_none(name):
    codes = Codes(LAYOUTS[name])
    channels = codes.channels()
    assert channels.dtype == np.float32
    assert channels.shape == (codes.count, codes.layout.channels)
    assert not channels[codes.outside].any()
    assert codes.outside == codes.count - 1 <= np.iinfo(np.uint16).max


def test_codes_of_three_labels_by_hand():
    # classes 0 1 2 and 255; unknown is 4, and on an edge 5 is added
    codes = Codes(SemanticLayout(3, dont_care=True, edges=True))
    label_map = np.uint8([[0, 0, 1], [0, 0, 1], [0, 0, 255], [7, 7, 7]])
    expected = [[0, 5, 6], [0, 5, 6], [5, 5, 8], [9, 9, 9]]
    assert codes.encode(label_map, None).tolist() == expected
    one_instance = np.zeros((4, 3), np.int32)
    assert codes.encode(label_map, one_instance).tolist() == [
        [0, 0, 1],
        [0, 0, 1],
        [0, 0, 3],
        [4] * 3,
    ]
    assert (codes.unknown, codes.outside, codes.count) == (4, 10, 11)
