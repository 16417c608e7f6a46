"""Checks that a model for large pictures can be used with the model whose folder it is in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from spade_paddle.errors import ModelError
from spade_paddle.model_card import ModelCard


def check_large_model(folder: Path, large: ModelCard, card: ModelCard) -> None:
    """Raise ModelError unless the model for large pictures is for larger ones, and takes what the
    other one takes."""
    if large.height * large.width <= card.height * card.width:
        raise ModelError(
            f"{folder}: expected a model for pictures larger than {card.width} x {card.height}, "
            f"got one for {large.width} x {large.height}; export one that was trained on larger "
            "pictures (data.load_size_min), or remove this folder",
            code="large_model_small",
        )
    expected, given = _what_it_takes(card), _what_it_takes(large)
    differing = [name for name in expected if given[name] != expected[name]]
    if differing:
        raise ModelError(
            f"{folder}: the model for large pictures must take the same label maps and styles as "
            f"the one in {folder.parent}, but differs in: {', '.join(differing)}; export it from a "
            "run that was started from the other one, or remove this folder",
            code="large_model_differs",
        )


def _what_it_takes(card: ModelCard) -> dict[str, Any]:
    return {
        "label set": card.label_set.fingerprint(),
        "inputs": card.inputs,
        "don't care": card.dont_care,
        "multiple": card.multiple,
        "style_dim": card.style_dim,
        "styles": [style["name"] for style in card.styles],
    }
