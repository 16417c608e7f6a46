"""One of two processes of test_sync_batch_norm: its half of the batch through the layers."""

import sys
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

import numpy as np
import paddle
from paddle import distributed, nn

import spade_paddle  # noqa: F401  before paddle: see spade_paddle/__init__.py
from spade_paddle.layers.norm import (
    NcclBatchNorm,
    ParamFreeNcclBatchNorm,
    ParamFreeSyncBatchNorm,
    SyncBatchNorm,
    batch_norm,
    nccl_synchronizes,
    param_free_norm,
)
from spade_paddle.layers.processes import sum_over_processes


def main(folder: Path) -> None:
    distributed.init_parallel_env()
    rank = distributed.get_rank()
    halves, weights = (np.split(np.load(folder / name), [1]) for name in ("x.npy", "weights.npy"))
    layer = param_free_norm("sync_batch")(2)
    assert type(layer) is ParamFreeSyncBatchNorm
    affine = batch_norm("sync_batch")(2)
    assert type(affine) is SyncBatchNorm
    assert type(batch_norm("batch")(2)) is not SyncBatchNorm
    for parameter, name in ((affine.weight, "scale.npy"), (affine.bias, "shift.npy")):
        parameter.set_value(np.load(folder / name))
    results = results_of(layer, halves[rank], weights[rank])
    found = results_of(affine, halves[rank], weights[rank])
    results |= {f"affine_{name}": value for name, value in found.items()}
    results["scale_gradient"], results["shift_gradient"] = affine.weight.grad, affine.bias.grad
    results |= sums(rank)
    results |= nccl(np.load(folder / "x.npy")[rank::2][:1], np.load(folder / "weights.npy")[[rank]])
    np.savez(folder / f"{rank}.npz", **{name: value.numpy() for name, value in results.items()})


def results_of(layer: nn.Layer, values: np.ndarray, weights: np.ndarray) -> dict:
    x = paddle.to_tensor(values, stop_gradient=False)
    out = layer(x)
    (out * paddle.to_tensor(weights)).sum().backward()
    layer.eval()
    return {
        "out": out,
        "gradient": x.grad,
        "mean": layer._mean,
        "variance": layer._variance,
        "evaluated": layer(x),
    }


def nccl(values: np.ndarray, weights: np.ndarray) -> dict:
    """Of the layers for GPUs, their operator played by a stand-in: first by one that forgets the
    other process, which must be noticed in both."""
    with mock.patch.object(distributed, "get_backend", lambda: "NCCL"):
        for exchange, kinds in (
            (lambda own: 2 * own, (ParamFreeSyncBatchNorm, SyncBatchNorm)),
            (sum_over_processes, (ParamFreeNcclBatchNorm, NcclBatchNorm)),
        ):
            nccl_synchronizes.cache_clear()
            operators = SimpleNamespace(sync_batch_norm_=stand_in(exchange))
            with mock.patch("spade_paddle.layers.norm._C_ops", operators):
                layers = [make("sync_batch")(2) for make in (param_free_norm, batch_norm)]
                assert tuple(map(type, layers)) == kinds, layers
                if exchange is sum_over_processes:
                    found = results_of(layers[0], values, weights)
    return {f"nccl_{name}": value for name, value in found.items()}


def stand_in(exchange):
    """Paddle's ``sync_batch_norm_`` for two processes of equal batches, by its formulas."""

    def sync_batch_norm_(x, mean, variance, scale, shift, is_test, momentum, epsilon, *_):
        assert not is_test
        means = exchange(x.mean(axis=[0, 2, 3])) / 2
        squares = exchange(paddle.square(x).mean(axis=[0, 2, 3])) / 2
        spread = squares - paddle.square(means)
        for average, newest in ((mean, means), (variance, spread)):
            average.set_value(average * momentum + newest.detach() * (1 - momentum))
        by_channel = [t.reshape([1, -1, 1, 1]) for t in (means, spread, scale, shift)]
        centered = (x - by_channel[0]) / paddle.sqrt(by_channel[1] + epsilon)
        return centered * by_channel[2] + by_channel[3], None

    return sync_batch_norm_


def sums(rank: int) -> dict:
    """Of 1 2 3 in the first process and 10 20 30 in the second; the loss weighs 1 and 4 of it."""
    own = paddle.to_tensor([[1.0, 2.0, 3.0], [10.0, 20.0, 30.0]][rank], stop_gradient=False)
    total = sum_over_processes(own)
    (total * [1.0, 4.0][rank]).sum().backward()
    return {"own": own, "total": total, "own_gradient": own.grad}


if __name__ == "__main__":
    main(Path(sys.argv[1]))
