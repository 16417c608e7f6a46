from __future__ import annotations

import builtins
import pickle
import sys
import types

import numpy as np
import paddle
import pytest

from spade_paddle.convert.leftovers import complete_spectral, without_counters, without_prefix
from spade_paddle.errors import ModelError, UserError
from spade_paddle.weights import read_arrays
from tests import reference

ARRAYS = {"fc.weight": np.arange(6.0).reshape(2, 3), "fc.bias": np.ones(2)}


class TorchTensor:
    """As much of a PyTorch tensor as the reader uses."""

    def __init__(self, array):
        self._array = array

    def detach(self):
        return self

    def float(self):
        return TorchTensor(self._array.astype(np.float32))

    def numpy(self):
        return self._array


@pytest.fixture
def torch(monkeypatch):
    """A stand-in for PyTorch whose ``load`` gives back what ``content`` holds."""
    module = types.ModuleType("torch")
    module.content = {name: TorchTensor(array) for name, array in ARRAYS.items()}
    module.calls = []

    def load(path, *, map_location, weights_only):
        module.calls.append((path, map_location, weights_only))
        return module.content

    module.load = load
    monkeypatch.setitem(sys.modules, "torch", module)
    return module


def assert_arrays(found, expected=ARRAYS):
    assert found.keys() == expected.keys()
    for name, array in expected.items():
        assert found[name].dtype == np.float32
        assert np.array_equal(found[name], array)


def test_npz_is_read(tmp_path):
    np.savez(tmp_path / "g.npz", **ARRAYS)
    assert_arrays(read_arrays(tmp_path / "g.npz", part="generator"))


def test_pth_is_read_as_tensors_only_and_on_the_cpu(torch, tmp_path):
    path = tmp_path / "g.pth"
    path.touch()
    assert_arrays(read_arrays(path, part="generator"))
    assert torch.calls == [(str(path), "cpu", True)]


def test_pdparams_is_read(tmp_path):
    path = tmp_path / "g.pdparams"
    network = paddle.nn.Linear(2, 3)
    paddle.save(network.state_dict(), str(path))
    expected = {name: value.numpy() for name, value in network.state_dict().items()}
    assert_arrays(read_arrays(path, part="generator"), expected)


@pytest.mark.parametrize(
    ("part", "nests"),
    [
        ("generator", ["state_dict"]),
        ("generator", ["net_gen"]),
        ("discriminator", ["net_des"]),
        ("generator", ["state_dict", "net_gen"]),
        ("encoder", ["state_dict"]),
    ],
)
def test_a_state_dict_is_found_inside_a_checkpoint(torch, tmp_path, part, nests):
    path = tmp_path / "c.pth"
    path.touch()
    for nest in nests:
        torch.content = {"epoch": 3, nest: torch.content}
    assert_arrays(read_arrays(path, part=part))


def test_without_pytorch_a_pth_file_tells_what_to_do(monkeypatch, tmp_path):
    real = builtins.__import__

    def no_torch(name, *others):
        if name == "torch":
            raise ImportError(name)
        return real(name, *others)

    monkeypatch.delitem(sys.modules, "torch", raising=False)
    monkeypatch.setattr(builtins, "__import__", no_torch)
    (tmp_path / "g.pth").touch()
    with pytest.raises(UserError, match=r"pip install torch. Or .*numpy.savez\('G.npz'") as error:
        read_arrays(tmp_path / "g.pth", part="generator")
    assert error.value.code == "torch_missing"


@pytest.mark.parametrize("ending", [".npz", ".pdparams"])
def test_a_damaged_file_is_named(tmp_path, ending):
    path = tmp_path / f"g{ending}"
    path.write_bytes(b"these are no weights")
    with pytest.raises(ModelError, match="cannot be read") as error:
        read_arrays(path, part="generator")
    assert str(path) in str(error.value)
    assert error.value.code == "weights_unreadable"


def test_a_damaged_pth_file_is_named(torch, tmp_path):
    def load(*_, **__):
        raise RuntimeError("Invalid magic number\nand more lines")

    torch.load = load
    (tmp_path / "g.pth").touch()
    with pytest.raises(ModelError, match=r"\(RuntimeError: Invalid magic number\)"):
        read_arrays(tmp_path / "g.pth", part="generator")


def test_objects_in_a_pth_file_are_not_opened(torch, tmp_path):
    def load(*_, **__):
        raise pickle.UnpicklingError("Weights only load failed")

    torch.load = load
    (tmp_path / "g.pth").touch()
    with pytest.raises(ModelError, match=r"not opened because they could run code; .*state_dict"):
        read_arrays(tmp_path / "g.pth", part="generator")


def test_a_pickle_inside_an_npz_is_not_opened(tmp_path):
    np.savez(tmp_path / "g.npz", evil=np.array([{"a": 1}], dtype=object))
    with pytest.raises(ModelError, match="cannot be read"):
        read_arrays(tmp_path / "g.npz", part="generator")


def test_a_missing_file_and_a_wrong_ending_are_named(tmp_path):
    with pytest.raises(ModelError, match="there is no such weights file"):
        read_arrays(tmp_path / "g.npz", part="generator")
    with pytest.raises(ModelError, match=r"ends in .pth, .pdparams, .npz, got '.zip'"):
        read_arrays(tmp_path / "g.zip", part="generator")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([1, 2], "got list; save network.state_dict"),
        ({"epoch": "three"}, "'epoch' is str"),
        ({"a": {"b": np.ones(2)}}, "'a' is dict"),
        ({"a": np.array(["text"])}, "'a' is ndarray"),
        ({"a": np.ones(2), "b": np.array([1, np.nan])}, "1 tensors are not finite .* is 'b'"),
    ],
)
def test_what_is_no_state_dict_is_refused(torch, tmp_path, content, message):
    (tmp_path / "g.pth").touch()
    torch.content = content
    with pytest.raises(ModelError, match=message):
        read_arrays(tmp_path / "g.pth", part="generator")


def test_the_prefix_of_several_cards_goes_when_all_names_have_it():
    assert list(without_prefix({"module.a": 1, "module.b": 2})) == ["a", "b"]
    assert list(without_prefix({"module.a": 1, "b": 2})) == ["module.a", "b"]


def test_counters_of_batch_norm_go():
    names = ["n.running_mean", "n.num_batches_tracked"]
    assert list(without_counters(dict.fromkeys(names, 0))) == names[:1]


def test_old_pytorch_lacks_v_and_has_the_normalised_weight_as_well():
    # W = diag(3, 4) as two 1x1 filters of two channels, u = (0.6, 0.8): W^T u = (1.8, 3.2). It
    # was divided by sigma = 5, and u^T W (1.8, 3.2) = 13.48, so v is (1.8, 3.2) * 5 / 13.48
    weight = np.diag([3.0, 4.0]).reshape(2, 2, 1, 1)
    old = {"c.weight": weight / 5, "c.weight_orig": weight, "c.weight_u": np.array([0.6, 0.8])}
    new = complete_spectral({**old, "d.weight": np.ones(3)})
    assert set(new) == {"c.weight_orig", "c.weight_u", "c.weight_v", "d.weight"}
    np.testing.assert_allclose(new["c.weight_v"], [0.66765579, 1.18694362], rtol=1e-7)
    # without the normalised weight only the length 1 is left: over sqrt(13.48) = 3.67151195
    del old["c.weight"]
    np.testing.assert_allclose(
        complete_spectral(old)["c.weight_v"], [0.49026125, 0.87157557], rtol=1e-7
    )


def test_the_v_of_old_pytorch_gives_the_spectral_norm_of_the_paper():
    rng = np.random.default_rng(0)
    weight, u = rng.standard_normal((4, 3, 3, 3)), rng.standard_normal(4)
    u /= np.linalg.norm(u)
    v = complete_spectral({"c.weight_orig": weight, "c.weight_u": u})["c.weight_v"]
    matrix = weight.reshape(4, -1)
    best = matrix @ v / np.linalg.norm(matrix @ v)
    expected = reference.spectral_norm(weight, u)
    np.testing.assert_allclose(weight / (best @ matrix @ v), expected, rtol=1e-12)


def test_a_v_that_is_there_is_kept_and_one_that_cannot_be_computed_is_not_invented():
    weight, v = np.ones((4, 1, 3, 3)), np.arange(9.0)
    kept = complete_spectral({"c.weight_orig": weight, "c.weight_u": np.ones(4), "c.weight_v": v})
    assert kept["c.weight_v"] is v
    assert "c.weight_v" not in complete_spectral({"c.weight_orig": weight})
    wrong = {"c.weight_orig": weight, "c.weight_u": np.ones(5)}
    assert "c.weight_v" not in complete_spectral(wrong)
