"""One of two processes of test_sync_batch_norm: its half of the batch through the layer."""

import sys
from pathlib import Path

import numpy as np
import paddle
from paddle import distributed

import spade_paddle  # noqa: F401  before paddle: see spade_paddle/__init__.py
from spade_paddle.layers.norm import ParamFreeSyncBatchNorm, param_free_norm


def main(folder: Path) -> None:
    distributed.init_parallel_env()
    rank = distributed.get_rank()
    halves, weights = (np.split(np.load(folder / name), [1]) for name in ("x.npy", "weights.npy"))
    layer = param_free_norm("sync_batch")(2)
    assert isinstance(layer, ParamFreeSyncBatchNorm)
    x = paddle.to_tensor(halves[rank], stop_gradient=False)
    out = layer(x)
    (out * paddle.to_tensor(weights[rank])).sum().backward()
    layer.eval()
    results = {
        "out": out,
        "gradient": x.grad,
        "mean": layer._mean,
        "variance": layer._variance,
        "evaluated": layer(x),
    }
    np.savez(folder / f"{rank}.npz", **{name: value.numpy() for name, value in results.items()})


if __name__ == "__main__":
    main(Path(sys.argv[1]))
