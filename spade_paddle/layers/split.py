"""``paddle.split`` without its warnings."""

from __future__ import annotations

import warnings

import paddle


def split(values: paddle.Tensor, sizes: list[int], *, axis: int) -> list[paddle.Tensor]:
    """Split a tensor into parts of these sizes along an axis; -1 stands for the rest.

    Its gradient is a single concat, that of slices one full-size tensor for each. Paddle 3 warns
    at every call that PyTorch's function of this name has other arguments; this is suppressed.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return paddle.split(values, sizes, axis=axis)
