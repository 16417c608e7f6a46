"""Setting the weights of a network, all of them or none."""

from __future__ import annotations

from typing import Any, Optional

from paddle import nn

from spade_paddle.errors import ModelError

Shape = tuple[int, ...]
Misfit = tuple[str, Optional[Shape], Optional[Shape]]  # name, expected and found shape


def misfits(network: nn.Layer, state: dict[str, Any]) -> list[Misfit]:
    """The tensors that are missing (found is None), left over (expected is None) or of another
    shape; the network's own first, in its order."""
    expected = {name: tuple(value.shape) for name, value in network.state_dict().items()}
    found = {name: tuple(value.shape) for name, value in state.items()}
    names = [*expected, *(name for name in found if name not in expected)]
    return [
        (name, expected.get(name), found.get(name))
        for name in names
        if expected.get(name) != found.get(name)
    ]


def load_state(network: nn.Layer, state: dict[str, Any], *, where: str = "the weights") -> None:
    """Set every tensor of a network; nothing may be missing, left over or of another shape.

    Raises:
        ModelError: names what does not fit; ``where`` says whose weights they are.
    """
    wrong = [
        f"{name}: expected {'nothing' if expected is None else expected}, "
        f"got {'nothing' if found is None else found}"
        for name, expected, found in sorted(misfits(network, state), key=lambda misfit: misfit[0])
    ]
    if wrong:
        raise ModelError(
            f"{where}: these weights do not fit the network at {len(wrong)} places: "
            f"{'; '.join(wrong[:5])}",
            code="weights_do_not_fit",
        )
    network.set_state_dict(state)
