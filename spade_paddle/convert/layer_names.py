"""Maps tensor names of the public models to ours, and back.

Each rule is a regular expression and its replacement; all rules of a source are applied in order,
to every network. Rules to our names accept variants. Rules back, for messages about missing
tensors, give the usual name.
"""

from __future__ import annotations

import re

from spade_paddle.weights import Arrays

SOURCES = ("spade", "clade", "photopen")

_SPADE_TO_OURS = (
    (r"\.running_mean$", "._mean"),
    (r"\.running_var$", "._variance"),
    # with spectral norm, the convolution is in a nested Sequential with its norm
    (r"^discriminator_(\d+)\.model(\d+)\.0(\.0)?\.", r"nld_\1.\1.layer_\2.0."),
)
_OURS_TO_SPADE = (
    (r"\._mean$", ".running_mean"),
    (r"\._variance$", ".running_var"),
    (r"^nld_(\d+)\.\d+\.layer_(\d+)\.0\.weight_", r"discriminator_\1.model\2.0.0.weight_"),
    (r"^nld_(\d+)\.\d+\.layer_(\d+)\.0\.", r"discriminator_\1.model\2.0."),
)
_TO_OURS = {
    "spade": _SPADE_TO_OURS,
    "clade": _SPADE_TO_OURS,  # and _clade_layers
    "photopen": (
        (r"\.spade_([01s])\.", r".norm_\1."),
        (r"\.act_conv_([01s])\.\d+\.", r".conv_\1."),
        # the name of the stage varies, its number does not
        (r"^nld_(\d+)\.\d+\.[^.]*?(\d+)\.", r"nld_\1.\1.layer_\2."),
    ),
}
_TO_THEIRS = {
    "spade": _OURS_TO_SPADE,
    "clade": (
        (r"\.(norm_[01s])\.(weight|bias)$", r".\1.class_specified_affine.\2"),
        (r"\.edge_conv\.", ".inst_conv."),
        (r"\.position_weight\.", ".class_specified_affine.dist_conv_w."),
        (r"\.position_bias\.", ".class_specified_affine.dist_conv_b."),
        *_OURS_TO_SPADE,
    ),
    "photopen": (
        (r"\.norm_([01s])\.", r".spade_\1."),
        (r"\.conv_([01])\.", r".act_conv_\1.1."),
        (r"\.conv_s\.", r".act_conv_s.0."),
    ),
}


def our_names(arrays: Arrays, *, source: str) -> dict[str, str]:
    """Map our names to the names in the file, for every tensor of a file.

    Unknown names are kept, as is a second name that would map to the same one of ours.
    """
    layers = _clade_layers(arrays) if source == "clade" else {}
    names: dict[str, str] = {}
    for theirs in arrays:
        stem, dot, kind = theirs.rpartition(".")
        ours = _apply(_TO_OURS[source], layers.get(stem, stem) + dot + kind)
        names[theirs if ours in names else ours] = theirs
    return names


def their_name(ours: str, *, source: str) -> str:
    """Return the usual name, in files of a source, of one of our tensors."""
    return _apply(_TO_THEIRS[source], ours)


def guess_source(arrays: Arrays) -> str | None:
    """Guess the source of a generator from its tensor names; None if unknown."""
    names = " ".join(arrays)
    if re.search(r"\.spade_[01s]\.", names):
        return "photopen"
    if ".mlp_shared." in names:
        return "spade"
    return "clade" if _clade_layers(arrays) else None


def _clade_layers(arrays: Arrays) -> dict[str, str]:
    """Map the layers inside CLADE's norms to ours, by their shapes.

    A table [classes, channels]; the 1x1 convolution of the edges, with 1 input channel; those of
    the positions, with 2 input channels, whose names end in w and b.
    """
    layers = {}
    for name, array in arrays.items():
        found = re.match(r"((.*\.norm_[01s])\.(?:.*\.)?(\w+))\.(?:weight|bias)$", name)
        if not found:
            continue
        layer, norm, last_word = found.groups()
        if array.ndim == 2:
            layers[layer] = norm
        elif array.shape == (1, 1, 1, 1):
            layers[layer] = f"{norm}.edge_conv"
        elif array.shape == (1, 2, 1, 1) and last_word[-1] in "wb":
            kind = {"w": "weight", "b": "bias"}[last_word[-1]]
            layers[layer] = f"{norm}.position_{kind}"
    return layers


def _apply(rules: tuple[tuple[str, str], ...], name: str) -> str:
    for pattern, replacement in rules:
        name = re.sub(pattern, replacement, name)
    return name
