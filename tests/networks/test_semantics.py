from __future__ import annotations

import numpy as np
import paddle
import pytest

from spade_paddle.config import Config
from spade_paddle.networks.semantics import SemanticLayout, instance_edges
from tests import reference
from tests.numeric import assert_differs, assert_same


def ids(values: object) -> paddle.Tensor:
    return paddle.to_tensor(np.asarray(values, dtype="int32"))


def random_labels(*shape: int) -> np.ndarray:
    values = np.random.default_rng(0).integers(0, 4, shape).astype("int32")
    return np.where(values == 3, 255, values)


def test_one_hot_of_three_pixels_by_hand():
    out = SemanticLayout(2).encode(ids([[[0, 1, 255]]]))
    assert_same(out, [[[[1, 0, 0]], [[0, 1, 0]], [[0, 0, 1]]]])  # label 0, label 1, don't care
    out = SemanticLayout(2, dont_care=False).encode(ids([[[0, 1, 255]]]))
    assert_same(out, [[[[1, 0, 0]], [[0, 1, 0]]]])  # 255 is in no channel
    assert out.dtype == paddle.float32


@pytest.mark.parametrize("dont_care", [True, False])
def test_one_hot_agrees_with_the_definition(dont_care):
    labels = random_labels(2, 5, 6)
    expected = reference.one_hot(labels, num_labels=3, dont_care=dont_care)
    assert_same(SemanticLayout(3, dont_care=dont_care).encode(ids(labels)), expected)


def test_with_dont_care_every_pixel_has_exactly_one_label():
    out = SemanticLayout(3).encode(ids(random_labels(2, 5, 6)))
    assert_same(out.sum(axis=1), np.ones((2, 5, 6)))


def test_edges_of_a_pixel_in_the_middle_by_hand():
    # the pixel differs from its four neighbors and each of them from it; the corners, which touch
    # it by a corner only, and the border of the picture are no boundary
    out = instance_edges(ids([[[1, 1, 1], [1, 2, 1], [1, 1, 1]]]))
    assert_same(out, [[[[0, 1, 0], [1, 1, 1], [0, 1, 0]]]])
    assert out.dtype == paddle.float32


@pytest.mark.parametrize("shape", [(2, 6, 7), (1, 1, 5), (1, 5, 1), (1, 1, 1)])
def test_edges_agree_with_the_definition(shape):
    instances = np.random.default_rng(0).integers(0, 3, shape)
    assert_same(instance_edges(ids(instances)), reference.instance_edges(instances))


def test_both_sides_of_a_boundary_are_marked():
    instances = np.zeros((1, 6, 6), dtype="int32")
    instances[:, 2:5, 1:4] = 7
    out = instance_edges(ids(instances))
    assert_differs(out, reference.instance_edges(instances, both_sides=False))
    assert out.numpy()[0, 0, 3].tolist() == [1, 1, 0, 1, 1, 0]


def test_edges_of_a_mirrored_map_are_the_mirrored_edges():
    instances = np.random.default_rng(0).integers(0, 3, (1, 6, 7))
    edges = instance_edges(ids(instances)).numpy()
    for axis in (1, 2):
        mirrored = instance_edges(ids(np.flip(instances, axis))).numpy()
        assert_same(mirrored, np.flip(edges, axis + 1))


def test_edges_do_not_depend_on_which_number_an_instance_has():
    instances = np.random.default_rng(0).integers(0, 3, (1, 6, 7))
    renamed = np.array([40000, 7, 1], dtype="int32")[instances]
    assert_same(instance_edges(ids(renamed)), instance_edges(ids(instances)).numpy())


def test_a_uniform_map_has_no_edges():
    assert not instance_edges(ids(np.full((1, 4, 4), 3))).numpy().any()


@pytest.mark.parametrize("dont_care", [True, False])
@pytest.mark.parametrize("edges", [True, False])
def test_semantic_map_is_labels_then_dont_care_then_edges(dont_care, edges):
    labels = random_labels(2, 4, 5)
    layout = SemanticLayout(3, dont_care=dont_care, edges=edges)
    out = layout.encode(ids(labels))
    parts = [reference.one_hot(labels, num_labels=3, dont_care=dont_care)]
    if edges:
        parts.append(reference.instance_edges(labels))
    assert_same(out, np.concatenate(parts, axis=1))
    assert out.shape[1] == layout.channels


def test_edges_come_from_the_instance_map_where_there_is_one():
    labels, instances = np.zeros((1, 3, 4), dtype="int32"), np.zeros((1, 3, 4), dtype="int32")
    instances[:, :, 2:] = 1  # two instances of one label
    layout = SemanticLayout(2, dont_care=False, edges=True)
    out = layout.encode(ids(labels), ids(instances))
    assert_same(out[:, 2:], [[[[0, 1, 1, 0]] * 3]])


def test_the_article_has_fourteen_semantic_channels():
    # 12 labels, don't care, instance edges
    assert SemanticLayout.of(Config(), 12) == SemanticLayout(12, edges=True)
    assert SemanticLayout(12, edges=True).channels == 14
