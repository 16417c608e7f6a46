"""Synchronized batch norm in two real processes joined by gloo."""

from __future__ import annotations

import logging
import os
import subprocess
import sys

import numpy as np
import paddle
import pytest

from spade_paddle.layers import ParamFreeBatchNorm
from spade_paddle.layers import norm as norms
from spade_paddle.layers.norm import BatchNorm
from tests.numeric import assert_differs, assert_same, normal

SCALE, SHIFT = (np.array(values, "float32") for values in ([1.5, -0.7], [0.3, 2.0]))


@pytest.fixture(scope="module")
def two_processes(processes, root, tmp_path_factory):
    """A batch of three, one picture in the first process and two in the second."""
    folder = tmp_path_factory.mktemp("sync")
    x = (2 + 3 * normal(3, 2, 4, 5)).astype("float32")
    weights = normal(3, 2, 4, 5, seed=1).astype("float32")
    np.save(folder / "x.npy", x)
    np.save(folder / "weights.npy", weights)
    np.save(folder / "scale.npy", SCALE)
    np.save(folder / "shift.npy", SHIFT)
    worker = root / "tests" / "layers" / "sync_worker.py"
    result = subprocess.run(
        [
            *(sys.executable, "-m", "paddle.distributed.launch", "--nproc_per_node", "2"),
            *("--backend", "gloo", "--log_dir", str(folder / "log"), str(worker), str(folder)),
        ],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(root), "CUDA_VISIBLE_DEVICES": ""},
        timeout=300,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    parts = [np.load(folder / f"{rank}.npz") for rank in range(2)]
    return x, weights, parts


def whole(parts, name):
    return np.concatenate([part[name] for part in parts])


@pytest.mark.parametrize("kind, prefix", [(ParamFreeBatchNorm, ""), (BatchNorm, "affine_")])
def test_two_processes_normalize_and_differentiate_like_one_with_the_whole_batch(
    two_processes, kind, prefix
):
    values, weights, parts = two_processes
    layer, x = kind(2), paddle.to_tensor(values, stop_gradient=False)
    for parameter, value in zip(layer.parameters(), (SCALE, SHIFT)):
        parameter.set_value(value)
    out = layer(x)
    (out * paddle.to_tensor(weights)).sum().backward()
    assert_same(whole(parts, f"{prefix}out"), out.numpy(), rtol=1e-5)
    assert_same(whole(parts, f"{prefix}gradient"), x.grad.numpy(), rtol=1e-4)
    for part in parts:
        assert_same(part[f"{prefix}mean"], layer._mean.numpy(), rtol=1e-5)
        assert_same(part[f"{prefix}variance"], layer._variance.numpy(), rtol=1e-5)
    for name, parameter in zip(("scale_gradient", "shift_gradient"), layer.parameters()):
        # every process has that of its pictures; training adds them up
        assert_same(sum(part[name] for part in parts), parameter.grad.numpy(), rtol=1e-4)
        assert_differs(parts[0][name], parameter.grad.numpy())
    layer.eval()
    assert_same(whole(parts, f"{prefix}evaluated"), layer(x).numpy(), rtol=1e-5)


def test_statistics_of_one_process_alone_would_be_something_else(two_processes):
    values, _, parts = two_processes
    alone = np.concatenate(
        [ParamFreeBatchNorm(2)(paddle.to_tensor(half)).numpy() for half in np.split(values, [1])]
    )
    assert_differs(whole(parts, "out"), alone)


def test_the_norm_of_gpus_gives_in_two_processes_what_one_gives_for_the_whole_batch(two_processes):
    values, weights, parts = two_processes
    layer, x = ParamFreeBatchNorm(2), paddle.to_tensor(values[:2], stop_gradient=False)
    out = layer(x)
    (out * paddle.to_tensor(weights[:2])).sum().backward()
    assert_same(whole(parts, "nccl_out"), out.numpy(), rtol=1e-4)
    assert_same(whole(parts, "nccl_gradient"), x.grad.numpy(), rtol=1e-3)
    layer.eval()
    assert_same(whole(parts, "nccl_evaluated"), layer(x).numpy(), rtol=1e-4)
    for part in parts:
        assert_same(part["nccl_mean"], layer._mean.numpy(), rtol=1e-4)
        assert_same(part["nccl_variance"], layer._variance.numpy(), rtol=1e-4)


def test_both_processes_get_the_sum_and_the_gradients_of_both(two_processes):
    # the loss is 1 * total in the first process and 4 * total in the second
    for rank, part in enumerate(two_processes[2]):
        assert_same(part["total"], [11.0, 22.0, 33.0])
        assert_same(part["own_gradient"], [5.0, 5.0, 5.0])
        assert_same(part["own"], np.array([1.0, 2.0, 3.0]) * [1, 10][rank])  # is left as it was


def test_one_process_falls_back_to_batch_norm_and_says_so_once(caplog):
    norms._warn_once.cache_clear()
    with caplog.at_level(logging.WARNING):
        layers = [norms.param_free_norm("sync_batch")(2) for _ in range(3)]
    assert {type(layer) for layer in layers} == {ParamFreeBatchNorm}
    assert [record.message for record in caplog.records] == [
        "sync_batch: one process only, so its statistics are those of plain batch norm"
    ]
