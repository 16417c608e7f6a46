"""One of two processes of test_sync_batch_norm: its half of the batch through the layers."""

import sys
from pathlib import Path

import numpy as np
import paddle
from paddle import distributed, nn

import spade_paddle  # noqa: F401  before paddle: see spade_paddle/__init__.py
from spade_paddle.layers.norm import (
    ParamFreeSyncBatchNorm,
    SyncBatchNorm,
    batch_norm,
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


def sums(rank: int) -> dict:
    """Of 1 2 3 in the first process and 10 20 30 in the second; the loss weighs 1 and 4 of it."""
    own = paddle.to_tensor([[1.0, 2.0, 3.0], [10.0, 20.0, 30.0]][rank], stop_gradient=False)
    total = sum_over_processes(own)
    (total * [1.0, 4.0][rank]).sum().backward()
    return {"own": own, "total": total, "own_gradient": own.grad}


if __name__ == "__main__":
    main(Path(sys.argv[1]))
