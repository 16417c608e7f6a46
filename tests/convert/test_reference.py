"""Public weights, made up name by name, painted by NumPy straight from those names.

Neither the weights nor the picture come from a network of ours. Paths and shapes are those of the
public SPADE and CLADE as the papers describe them.
"""

from __future__ import annotations

from functools import partial

import numpy as np
import paddle
import pytest

from spade_paddle.convert import tensors
from spade_paddle.convert.flags import Flags
from spade_paddle.convert.label_set import numbered_label_set
from spade_paddle.convert.model import convert, load_networks
from spade_paddle.inference.painter import Painter
from tests import reference

LABELS, NGF, HIDDEN = 3, 1, 4
WIDTHS = {
    "head_0": (16, 16),
    "G_middle_0": (16, 16),
    "G_middle_1": (16, 16),
    "up_0": (16, 8),
    "up_1": (8, 4),
    "up_2": (4, 2),
    "up_3": (2, 1),
}
DOUBLED_BEFORE = ("G_middle_0", "up_0", "up_1", "up_2", "up_3")


class PublicWeights:
    """Random state dicts with the names, shapes and layouts of PyTorch."""

    def __init__(self, *, clade: bool, instances: bool, style_dim: int = 0, cells: int = 0) -> None:
        self.rng = np.random.default_rng(11)
        self.arrays: dict[str, np.ndarray] = {}
        self.clade, self.instances = clade, instances
        self.semantic_nc = LABELS + instances
        if style_dim:
            self.add("fc.weight", 16 * NGF * cells, style_dim)  # [out, in]
        else:
            self.add("fc.weight", 16 * NGF, self.semantic_nc, 3, 3)
        self.add("fc.bias", 16 * NGF * max(cells, 1))
        for block, (fin, fout) in WIDTHS.items():
            middle, edge = min(fin, fout), int(clade and instances)
            self.norm(f"{block}.norm_0", fin)
            self.norm(f"{block}.norm_1", middle)
            self.spectral(f"{block}.conv_0", middle, fin + edge, 3)
            self.add(f"{block}.conv_0.bias", middle)
            self.spectral(f"{block}.conv_1", fout, middle + edge, 3)
            self.add(f"{block}.conv_1.bias", fout)
            if fin != fout:
                self.norm(f"{block}.norm_s", fin)
                self.spectral(f"{block}.conv_s", fout, fin + edge, 1)
        self.add("conv_img.weight", 3, NGF, 3, 3)
        self.add("conv_img.bias", 3)

    def add(self, name: str, *shape: int) -> None:
        self.arrays[name] = (0.5 * self.rng.standard_normal(shape)).astype(np.float32)

    def norm(self, name: str, channels: int) -> None:
        self.add(f"{name}.param_free_norm.running_mean", channels)
        variance = self.rng.uniform(0.3, 3.0, channels).astype(np.float32)
        self.arrays[f"{name}.param_free_norm.running_var"] = variance
        self.arrays[f"{name}.param_free_norm.num_batches_tracked"] = np.array(9)
        if self.clade:
            self.add(f"{name}.class_specified_affine.weight", LABELS, channels)
            self.add(f"{name}.class_specified_affine.bias", LABELS, channels)
            for kind in "wb":
                self.add(f"{name}.class_specified_affine.dist_conv_{kind}.weight", 1, 2, 1, 1)
                self.add(f"{name}.class_specified_affine.dist_conv_{kind}.bias", 1)
            if self.instances:
                self.add(f"{name}.inst_conv.weight", 1, 1, 1, 1)
                self.add(f"{name}.inst_conv.bias", 1)
            return
        for conv, (o, i) in {
            "mlp_shared.0": (HIDDEN, self.semantic_nc),
            "mlp_gamma": (channels, HIDDEN),
            "mlp_beta": (channels, HIDDEN),
        }.items():
            self.add(f"{name}.{conv}.weight", o, i, 3, 3)
            self.add(f"{name}.{conv}.bias", o)

    def spectral(self, name: str, out: int, into: int, kernel: int) -> None:
        """As PyTorch 1.0 saved it: the weight as well, and no v."""
        self.add(f"{name}.weight_orig", out, into, kernel, kernel)
        self.add(f"{name}.weight", out, into, kernel, kernel)
        matrix = self.arrays[f"{name}.weight_orig"].reshape(out, -1)
        self.arrays[f"{name}.weight_u"] = np.linalg.svd(matrix)[0][:, 0]

    def under(self, prefix: str) -> dict[str, np.ndarray]:
        """The arrays below a layer, in float64."""
        return {
            name[len(prefix) + 1 :]: array.astype(np.float64)
            for name, array in self.arrays.items()
            if name.startswith(prefix + ".")
        }


def public_norm(x, segmap, weights: PublicWeights, name: str, positions):
    """One modulated norm in evaluation, straight from the public names."""
    own = weights.under(name)

    def running(values):
        mean, variance = own["param_free_norm.running_mean"], own["param_free_norm.running_var"]
        centered = values - mean.reshape(1, -1, 1, 1)
        return centered / np.sqrt(variance.reshape(1, -1, 1, 1) + 1e-5)

    if not weights.clade:
        return reference.spade(x, segmap, own, activation=reference.relu, norm=running)
    segmap = reference.resize_nearest(segmap, *x.shape[2:])
    far = reference.resize_nearest(positions, *x.shape[2:])
    classes = segmap[:, :LABELS].argmax(axis=1)
    scale, shift = (
        own[f"class_specified_affine.{kind}"][classes].transpose(0, 3, 1, 2)
        * (1 + conv1x1(far, own, f"class_specified_affine.dist_conv_{kind[0]}"))
        for kind in ("weight", "bias")
    )
    out = running(x) * scale + shift
    if not weights.instances:
        return out
    return np.concatenate([out, conv1x1(segmap[:, LABELS:], own, "inst_conv")], axis=1)


def conv1x1(x, own, name):
    return reference.conv2d(x, own[f"{name}.weight"], own[f"{name}.bias"])


def public_picture(weights: PublicWeights, segmap, *, style=None, latent_size=None, positions=None):
    """The public generator in evaluation: [1, K, H, W] -> [1, 3, H, W] in -1..1."""
    fc = weights.under("fc")
    if style is None:
        small = reference.resize_nearest(segmap, segmap.shape[2] // 32, segmap.shape[3] // 32)
        x = reference.conv2d(small, fc["weight"], fc["bias"], padding=1)
    else:
        x = (fc["weight"] @ style + fc["bias"]).reshape(1, 16 * NGF, *latent_size)
    for block, (fin, fout) in WIDTHS.items():
        if block in DOUBLED_BEFORE:
            x = x.repeat(2, axis=2).repeat(2, axis=3)
        parts = "01" if fin == fout else "01s"
        convolutions = {}
        for part in parts:
            own = weights.under(f"{block}.conv_{part}")
            # u is the first singular vector already: an iteration changes nothing
            weight = reference.spectral_norm(own["weight_orig"], own["weight_u"])
            convolutions[part] = {"weight": weight}
            if "bias" in own:
                convolutions[part]["bias"] = own["bias"]
        x = reference.residual_block(
            x,
            segmap,
            norms={
                part: partial(
                    public_norm, weights=weights, name=f"{block}.norm_{part}", positions=positions
                )
                for part in parts
            },
            convolutions=convolutions,
            activation=reference.leaky_relu,
            attention=False,
        )
    image = weights.under("conv_img")
    x = reference.conv2d(reference.leaky_relu(x), image["weight"], image["bias"], padding=1)
    return np.tanh(x)


def label_map_of(height: int, width: int) -> np.ndarray:
    rng = np.random.default_rng(2)
    return rng.integers(0, LABELS, (height // 8, width // 8)).repeat(8, 0).repeat(8, 1)


def segmap_of(label_map: np.ndarray, *, instances: bool) -> np.ndarray:
    maps = [reference.one_hot(label_map[None], num_labels=LABELS, dont_care=False)]
    if instances:
        maps.append(reference.instance_edges(label_map[None]))
    return np.concatenate(maps, axis=1)


def test_the_painted_picture_is_the_one_of_the_public_names(tmp_path):
    weights = PublicWeights(clade=False, instances=True)
    np.savez(tmp_path / "g.npz", **weights.arrays)
    convert(
        {"generator": tmp_path / "g.npz"},
        tmp_path / "model",
        flags=Flags("spade", LABELS, instances=True),
        label_set=numbered_label_set("x", LABELS),
        name="x",
    )
    label_map = label_map_of(32, 64)
    expected = public_picture(weights, segmap_of(label_map, instances=True))[0].transpose(1, 2, 0)
    assert expected.std() > 0.05
    picture = Painter.load(tmp_path / "model", threads=1).paint(label_map).astype(int)
    assert np.abs(picture - np.rint((expected + 1) * 127.5)).max() <= 1


@pytest.mark.parametrize("instances", [True, False])
def test_clade_with_positions_is_the_one_of_the_public_names(tmp_path, instances):
    weights = PublicWeights(clade=True, instances=instances)
    np.savez(tmp_path / "g.npz", **weights.arrays)
    flags = Flags("clade", LABELS, instances=instances)
    config, networks = load_networks({"generator": tmp_path / "g.npz"}, flags=flags)
    assert config.generator.norm == "clade_icpe"
    segmap = segmap_of(label_map_of(32, 32), instances=instances)
    positions = np.random.default_rng(1).uniform(-1, 1, (1, 2, 32, 32))
    expected = public_picture(weights, segmap, positions=positions)
    with paddle.no_grad():
        picture = networks["generator"](single(segmap), positions=single(positions)).numpy()
    assert expected.std() > 0.05
    np.testing.assert_allclose(picture, expected, atol=1e-3)  # float32 here, float64 there


# a square matrix: its shape does not tell whether it was transposed
@pytest.mark.parametrize("style_dim", [5, 32])
def test_a_style_makes_the_picture_of_the_public_names(tmp_path, monkeypatch, style_dim):
    weights = PublicWeights(clade=False, instances=False, style_dim=style_dim, cells=2)
    np.savez(tmp_path / "g.npz", **weights.arrays)
    flags = Flags("spade", LABELS, latent_size=(1, 2))
    segmap = segmap_of(label_map_of(32, 64), instances=False)
    style = np.random.default_rng(4).standard_normal(style_dim)
    expected = public_picture(weights, segmap, style=style, latent_size=(1, 2))

    def picture():
        _, networks = load_networks({"generator": tmp_path / "g.npz"}, flags=flags)
        with paddle.no_grad():
            return networks["generator"](single(segmap), style=single(style[None])).numpy()

    np.testing.assert_allclose(picture(), expected, atol=1e-3)
    # the mutant: a converter that does not turn linear layers over
    monkeypatch.setattr(tensors, "LINEAR_WEIGHTS", ())
    if style_dim == 32:
        assert np.abs(picture() - expected).max() > 0.01
    else:
        with pytest.raises(Exception, match="not a multiple of the 16 channels"):
            picture()


def single(array: np.ndarray) -> paddle.Tensor:
    return paddle.to_tensor(array.astype(np.float32))
