"""How the tensors of the public models are called, and how we call them.

Every renaming is a regular expression and what takes its place; all of a source's are applied, in
order, to whatever network it is. The way to our names is tolerant; the way back, for what a file
lacks, gives the usual name.
"""

from __future__ import annotations

import re

from spade_paddle.weights import Arrays

SOURCES = ("spade", "clade", "photopen")

_SPADE_TO_OURS = (
    (r"\.running_mean$", "._mean"),
    (r"\.running_var$", "._variance"),
    # with spectral norm the convolution lies one level deeper, in a Sequential with its norm
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
    "clade": _SPADE_TO_OURS,  # and what lies inside a norm by its shape
    "photopen": (
        (r"\.spade_([01s])\.", r".norm_\1."),
        (r"\.act_conv_([01s])\.\d+\.", r".conv_\1."),
        # whatever the stage is called, its number counts
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
    """Our name -> the name in the file, for every tensor of a file.

    A name that means nothing to us stays as it is, and so does a second one with the same meaning.
    """
    layers = _clade_layers(arrays) if source == "clade" else {}
    names: dict[str, str] = {}
    for theirs in arrays:
        stem, dot, kind = theirs.rpartition(".")
        ours = _apply(_TO_OURS[source], layers.get(stem, stem) + dot + kind)
        names[theirs if ours in names else ours] = theirs
    return names


def their_name(ours: str, *, source: str) -> str:
    """The usual name, in the files of a source, of a tensor of ours."""
    return _apply(_TO_THEIRS[source], ours)


def looks_like(arrays: Arrays) -> str | None:
    """The source that a generator's names point to, if any."""
    names = " ".join(arrays)
    if re.search(r"\.spade_[01s]\.", names):
        return "photopen"
    if ".mlp_shared." in names:
        return "spade"
    return "clade" if _clade_layers(arrays) else None


def _clade_layers(arrays: Arrays) -> dict[str, str]:
    """Their layer -> ours, for the layers inside CLADE's norms, told apart by their shapes.

    A table of classes and channels; the 1x1 convolution of the edges, 1 -> 1; those of the
    positions, 2 -> 1, whose names end in w and b.
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


def _apply(renamings: tuple[tuple[str, str], ...], name: str) -> str:
    for pattern, replacement in renamings:
        name = re.sub(pattern, replacement, name)
    return name
