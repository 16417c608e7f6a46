"""How the tensors of the public models are called, and how we call them.

Every renaming is a regular expression and what takes its place; all of them are applied, in order.
The way to our names is tolerant; the way back, for what a file lacks, gives the usual name.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from spade_paddle.weights import Arrays

SOURCES = ("spade", "clade", "photopen")

Renamings = Sequence[tuple[str, str]]

_TO_OURS: dict[tuple[str, str], Renamings] = {
    ("spade", "generator"): (
        (r"\.running_mean$", "._mean"),
        (r"\.running_var$", "._variance"),
    ),
    ("spade", "discriminator"): (
        # with spectral norm the convolution lies one level deeper, in a Sequential with its norm
        (r"^discriminator_(\d+)\.model(\d+)\.0(\.0)?\.", r"nld_\1.\1.layer_\2.0."),
    ),
    ("photopen", "generator"): (
        (r"\.spade_([01s])\.", r".norm_\1."),
        (r"\.act_conv_([01s])\.\d+\.", r".conv_\1."),
    ),
    ("photopen", "discriminator"): (
        # whatever the stage is called, its number counts
        (r"^nld_(\d+)\.\d+\.[^.]*?(\d+)\.", r"nld_\1.\1.layer_\2."),
    ),
}

_TO_THEIRS: dict[tuple[str, str], Renamings] = {
    ("spade", "generator"): (
        (r"\._mean$", ".running_mean"),
        (r"\._variance$", ".running_var"),
    ),
    ("spade", "discriminator"): (
        (r"^nld_(\d+)\.\d+\.layer_(\d+)\.0\.weight_", r"discriminator_\1.model\2.0.0.weight_"),
        (r"^nld_(\d+)\.\d+\.layer_(\d+)\.0\.", r"discriminator_\1.model\2.0."),
    ),
    ("photopen", "generator"): (
        (r"\.norm_([01s])\.", r".spade_\1."),
        (r"\.conv_([01])\.", r".act_conv_\1.1."),
        (r"\.conv_s\.", r".act_conv_s.0."),
    ),
}
_CLADE_TO_THEIRS: Renamings = (
    (r"\.(norm_[01s])\.(weight|bias)$", r".\1.class_specified_affine.\2"),
    (r"\.edge_conv\.", ".inst_conv."),
    (r"\.position_weight\.", ".class_specified_affine.dist_conv_w."),
    (r"\.position_bias\.", ".class_specified_affine.dist_conv_b."),
)
# the public CLADE is the public SPADE but for what lies inside a norm
_TO_OURS["clade", "generator"] = _TO_OURS["spade", "generator"]
_TO_OURS["clade", "discriminator"] = _TO_OURS["spade", "discriminator"]
_TO_THEIRS["clade", "generator"] = (*_CLADE_TO_THEIRS, *_TO_THEIRS["spade", "generator"])
_TO_THEIRS["clade", "discriminator"] = _TO_THEIRS["spade", "discriminator"]


def our_names(arrays: Arrays, *, source: str, part: str) -> dict[str, str]:
    """Our name -> the name in the file, for every tensor of a file.

    A name that means nothing to us stays as it is, and so does a second one with the same meaning.
    """
    layers = _clade_layers(arrays) if (source, part) == ("clade", "generator") else {}
    names: dict[str, str] = {}
    for theirs in arrays:
        stem, dot, kind = theirs.rpartition(".")
        ours = _apply(_TO_OURS.get((source, part), ()), layers.get(stem, stem) + dot + kind)
        names[theirs if ours in names else ours] = theirs
    return names


def their_name(ours: str, *, source: str, part: str) -> str:
    """The usual name, in the files of a source, of a tensor of ours."""
    return _apply(_TO_THEIRS.get((source, part), ()), ours)


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


def _apply(renamings: Renamings, name: str) -> str:
    for pattern, replacement in renamings:
        name = re.sub(pattern, replacement, name)
    return name
