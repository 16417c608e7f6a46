"""Synchronised batch norm in two real processes joined by gloo."""

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
from tests.numeric import assert_differs, assert_same, normal


@pytest.fixture(scope="module")
def two_processes(root, tmp_path_factory):
    """A batch of three, one picture in the first process and two in the second."""
    folder = tmp_path_factory.mktemp("sync")
    x = (2 + 3 * normal(3, 2, 4, 5)).astype("float32")
    weights = normal(3, 2, 4, 5, seed=1).astype("float32")
    np.save(folder / "x.npy", x)
    np.save(folder / "weights.npy", weights)
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


def test_two_processes_normalise_and_differentiate_like_one_with_the_whole_batch(two_processes):
    values, weights, parts = two_processes
    layer, x = ParamFreeBatchNorm(2), paddle.to_tensor(values, stop_gradient=False)
    out = layer(x)
    (out * paddle.to_tensor(weights)).sum().backward()
    assert_same(whole(parts, "out"), out.numpy(), rtol=1e-5)
    assert_same(whole(parts, "gradient"), x.grad.numpy(), rtol=1e-4)
    for part in parts:
        assert_same(part["mean"], layer._mean.numpy(), rtol=1e-5)
        assert_same(part["variance"], layer._variance.numpy(), rtol=1e-5)
    layer.eval()
    assert_same(whole(parts, "evaluated"), layer(x).numpy(), rtol=1e-5)


def test_statistics_of_one_process_alone_would_be_something_else(two_processes):
    values, _, parts = two_processes
    alone = np.concatenate(
        [ParamFreeBatchNorm(2)(paddle.to_tensor(half)).numpy() for half in np.split(values, [1])]
    )
    assert_differs(whole(parts, "out"), alone)


def test_one_process_falls_back_to_batch_norm_and_says_so_once(caplog):
    norms._say_once.cache_clear()
    with caplog.at_level(logging.WARNING):
        layers = [norms.param_free_norm("sync_batch")(2) for _ in range(3)]
    assert {type(layer) for layer in layers} == {ParamFreeBatchNorm}
    assert [record.message for record in caplog.records] == [
        "sync_batch: one process only, so its statistics are those of plain batch norm"
    ]
