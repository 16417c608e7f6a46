"""``paddle.split`` without its warnings."""

from __future__ import annotations

import warnings

import paddle


def split(values: paddle.Tensor, sizes: list[int], *, axis: int) -> list[paddle.Tensor]:
    """Parts of these sizes along an axis; -1 for what is left.

    Its gradient is one concat, where those of slices are as many whole tensors. Paddle 3 warns at
    each call that PyTorch's function takes its sizes otherwise; this one does not.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return paddle.split(values, sizes, axis=axis)
