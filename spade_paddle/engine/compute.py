"""The ``compute`` section put into effect: layouts and compiled programs (half precision is in
engine/updates.py)."""

from __future__ import annotations

from collections.abc import Iterator

import paddle
from paddle import nn

from spade_paddle.config import ComputeConfig


def on_gpu() -> bool:
    """Whether the networks run on a GPU."""
    return paddle.device.get_device() != "cpu"


def set_layouts(options: ComputeConfig) -> None:
    """Let Paddle choose channels-last for convolutions where tensor cores like it: on a GPU.

    Its automatic layout tuning keeps our tensors [N, C, H, W] and changes them inside.
    """
    if options.channels_last and on_gpu():
        paddle.incubate.autotune.set_config({"layout": {"enable": True}})


def compiled(network: nn.Layer) -> nn.Layer:
    """The same network; what it computes is a compiled program from its first call on."""
    return paddle.jit.to_static(network, full_graph=True)


def without_effect(options: ComputeConfig) -> Iterator[str]:
    """What was asked for and does nothing here, in words."""
    if on_gpu():
        return
    for name in ("amp", "channels_last"):
        if getattr(options, name):
            yield f"compute.{name} is for GPUs; on this CPU everything stays as it is"
