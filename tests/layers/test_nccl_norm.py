"""The synchronized batch norm of GPUs, as far as a CPU shows it: what its operator is asked for,
its states, and that it is refused where it cannot work. test_sync_batch_norm.py has its formula.
"""

from __future__ import annotations

from types import SimpleNamespace
from unittest import mock

import numpy as np
import paddle
import pytest

from spade_paddle.config import Config
from spade_paddle.errors import ConfigError
from spade_paddle.layers import norm as norms
from spade_paddle.layers.norm import (
    BatchNorm,
    NcclBatchNorm,
    ParamFreeBatchNorm,
    ParamFreeNcclBatchNorm,
    ParamFreeSyncBatchNorm,
    SyncBatchNorm,
)
from spade_paddle.networks.build import build_generator
from tests.numeric import assert_differs, assert_same, normal, parameters_of, randomize, tensor

pytestmark = pytest.mark.usefixtures("float64")
PARAM_FREE = (ParamFreeBatchNorm, ParamFreeSyncBatchNorm, ParamFreeNcclBatchNorm)
AFFINE = (BatchNorm, SyncBatchNorm, NcclBatchNorm)


def asked(layer: paddle.nn.Layer, x: paddle.Tensor, place: str) -> list:
    """What the layer asks Paddle's operator for, as arrays and plain values."""
    calls = []

    def operator(*arguments):
        calls.append([a.numpy() if isinstance(a, paddle.Tensor) else a for a in arguments])
        return (x, *[None] * 5)

    with mock.patch(place, SimpleNamespace(sync_batch_norm_=operator)):
        assert layer(x) is x
    (call,) = calls
    return call


@pytest.mark.parametrize("kind", [ParamFreeNcclBatchNorm, NcclBatchNorm])
def test_the_operator_is_asked_for_what_paddles_own_layer_asks_for(kind):
    x = tensor(normal(2, 3, 4, 5))
    ours, theirs = kind(3, momentum=0.8, epsilon=1e-4), paddle.nn.SyncBatchNorm(3, 0.8, 1e-4)
    randomize(ours)
    theirs.set_state_dict({**parameters_of(ours), **ours.state_dict()})
    with paddle.amp.auto_cast(enable=False):
        found = asked(ours, x, "spade_paddle.layers.norm._C_ops")
        expected = asked(theirs, x, "paddle.nn.layer.norm._C_ops")
    assert len(found) == len(expected)
    for left, right in zip(found, expected):
        assert np.array_equal(left, right), (left, right)


def test_the_momentum_is_that_of_now():
    layer = ParamFreeNcclBatchNorm(3)
    layer.momentum = 0.25  # as engine/recalibrate.py sets it
    x = tensor(normal(2, 3, 4, 5))
    assert 0.25 in [v for v in asked(layer, x, "spade_paddle.layers.norm._C_ops") if np.isscalar(v)]


@pytest.mark.parametrize("kinds", [PARAM_FREE, AFFINE])
def test_all_batch_norms_have_states_of_the_same_names_and_take_each_others(kinds):
    x = tensor(normal(2, 3, 4, 5))
    for first in kinds:
        for second in kinds:
            ours, theirs = first(3), second(3)
            randomize(ours)
            ours._mean.set_value(np.array([1.0, -1.0, 0.5]))
            ours._variance.set_value(np.array([4.0, 0.25, 2.0]))
            ours.eval(), theirs.eval()
            assert_differs(theirs(x), ours(x).numpy())
            missing, unexpected = theirs.set_state_dict(ours.state_dict())
            assert (missing, unexpected) == ([], [])
            assert_same(theirs(x), ours(x).numpy())
            names = [[name for name, _ in layer.named_parameters()] for layer in (ours, theirs)]
            assert names[0] == names[1]


def generator_of(config: Config, *, nccl: bool) -> paddle.nn.Layer:
    with (
        mock.patch.object(norms.distributed, "get_world_size", lambda: 2 if nccl else 1),
        mock.patch.object(norms, "nccl_synchronizes", lambda: True),
    ):
        network = build_generator(config, num_labels=3)
    network.eval()
    return network


@pytest.mark.parametrize(
    "blocks", [(), ("generator.block=inception", "generator.spectral_norm=false")]
)
def test_a_generator_of_several_gpus_and_one_of_a_cpu_take_each_others_weights(blocks):
    small = "generator.ngf=2", "generator.nhidden=4", "generator.max_width=12"
    config = Config.preset("spade", *small, *blocks)
    plain, several = (generator_of(config, nccl=nccl) for nccl in (False, True))
    kinds = {type(layer) for layer in several.sublayers() if isinstance(layer, ParamFreeBatchNorm)}
    assert kinds == {ParamFreeNcclBatchNorm, NcclBatchNorm} if blocks else {ParamFreeNcclBatchNorm}
    assert [n for n, _ in plain.named_parameters()] == [n for n, _ in several.named_parameters()]
    labels = tensor(np.eye(4)[np.random.default_rng(0).integers(0, 4, (1, 32, 32))])
    segmap = labels.transpose([0, 3, 1, 2])
    for seed, (ours, theirs) in enumerate([(plain, several), (several, plain)]):
        randomize(ours, seed=seed)
        expected = ours(segmap).numpy()
        assert_differs(theirs(segmap), expected)
        assert theirs.set_state_dict(ours.state_dict()) == ([], [])
        assert_same(theirs(segmap), expected)


@pytest.mark.parametrize("kind", [ParamFreeNcclBatchNorm, NcclBatchNorm])
def test_on_a_cpu_training_with_it_is_refused_in_words_and_evaluation_is_not(kind):
    layer, x = kind(2), tensor(normal(1, 2, 3, 3))
    with pytest.raises(ConfigError, match="between GPUs, and this network is on a CPU"):
        layer(x)
    layer.eval()
    assert np.isfinite(layer(x).numpy()).all()


def test_without_nccl_it_is_not_chosen():
    norms.nccl_synchronizes.cache_clear()
    assert not norms.nccl_synchronizes()
    with mock.patch.object(norms.distributed, "get_world_size", lambda: 2):
        assert type(norms.param_free_norm("sync_batch")(2)) is ParamFreeSyncBatchNorm
        assert norms.batch_norm("sync_batch") is SyncBatchNorm
        assert norms.batch_norm("batch") is BatchNorm
