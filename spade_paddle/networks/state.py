"""Setting the weights of a network, all of them or none."""

from __future__ import annotations

from typing import Any

from paddle import nn

from spade_paddle.errors import ModelError


def load_state(network: nn.Layer, state: dict[str, Any], *, where: str = "the weights") -> None:
    """Set every tensor of a network; nothing may be missing, left over or of another shape.

    Raises:
        ModelError: names what does not fit; ``where`` says whose weights they are.
    """
    expected = {key: tuple(value.shape) for key, value in network.state_dict().items()}
    wrong = [
        f"{key}: expected {expected.get(key, 'nothing')}, "
        f"got {tuple(state[key].shape) if key in state else 'nothing'}"
        for key in sorted(expected.keys() | state.keys())
        if key not in state or expected.get(key) != tuple(state[key].shape)
    ]
    if wrong:
        raise ModelError(
            f"{where}: these weights do not fit the network at {len(wrong)} places: "
            f"{'; '.join(wrong[:5])}",
            code="weights_do_not_fit",
        )
    network.set_state_dict(state)
