"""Where a step is computed."""

from __future__ import annotations

import paddle


def on_gpu() -> bool:
    """Whether the networks run on a GPU."""
    return paddle.device.get_device() != "cpu"
