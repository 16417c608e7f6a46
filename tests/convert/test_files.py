from __future__ import annotations

from pathlib import Path

import numpy as np
import paddle
import pytest

from spade_paddle.convert.extra_entries import complete_spectral, without_counters, without_prefix
from spade_paddle.errors import ModelError
from spade_paddle.weights import read_arrays
from tests import reference
from tests.pth import write_pth

ARRAYS = {"fc.weight": np.arange(6.0).reshape(2, 3), "fc.bias": np.ones(2)}


def assert_arrays(found, expected=ARRAYS):
    assert found.keys() == expected.keys()
    for name, array in expected.items():
        assert found[name].dtype == np.float32
        assert np.array_equal(found[name], array)


def test_npz_is_read(tmp_path):
    np.savez(tmp_path / "g.npz", **ARRAYS)
    assert_arrays(read_arrays(tmp_path / "g.npz", part="generator"))


def test_pth_is_read(tmp_path):
    path = write_pth(tmp_path / "g.pth", ARRAYS)
    assert_arrays(read_arrays(path, part="generator"))


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
def test_a_state_dict_is_found_inside_a_checkpoint(tmp_path, part, nests):
    content = ARRAYS
    for nest in nests:
        content = {"epoch": 3, nest: content}
    path = write_pth(tmp_path / "c.pth", content)
    assert_arrays(read_arrays(path, part=part))


@pytest.mark.parametrize("ending", [".npz", ".pdparams", ".pth"])
def test_a_damaged_file_is_named(tmp_path, ending):
    path = tmp_path / f"g{ending}"
    path.write_bytes(b"these are no weights")
    with pytest.raises(ModelError, match="cannot be read") as error:
        read_arrays(path, part="generator")
    assert str(path) in str(error.value)
    assert error.value.code == "weights_unreadable"


def test_objects_in_a_pth_file_are_not_opened(tmp_path):
    path = write_pth(tmp_path / "g.pth", {"a": np.ones(2), "model": Path("a")})
    message = r"other than tensors \(pathlib.*not loaded because they could run code; .*state_dict"
    with pytest.raises(ModelError, match=message):
        read_arrays(path, part="generator")


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
        ({"a": np.ones(2), "b": np.array([1, np.nan])}, "1 tensors are not finite .* is 'b'"),
    ],
)
def test_what_is_no_state_dict_is_refused(tmp_path, content, message):
    path = write_pth(tmp_path / "g.pth", content)
    with pytest.raises(ModelError, match=message):
        read_arrays(path, part="generator")


def test_texts_in_an_npz_are_no_weights(tmp_path):
    np.savez(tmp_path / "g.npz", a=np.array(["text"]))
    with pytest.raises(ModelError, match="'a' is ndarray"):
        read_arrays(tmp_path / "g.npz", part="generator")


def test_the_prefix_of_several_cards_goes_when_all_names_have_it():
    assert list(without_prefix({"module.a": 1, "module.b": 2})) == ["a", "b"]
    assert list(without_prefix({"module.a": 1, "b": 2})) == ["module.a", "b"]


def test_counters_of_batch_norm_go():
    names = ["n.running_mean", "n.num_batches_tracked"]
    assert list(without_counters(dict.fromkeys(names, 0))) == names[:1]


def test_old_pytorch_lacks_v_and_has_the_normalized_weight_as_well():
    # W = diag(3, 4) as two 1x1 filters of two channels, u = (0.6, 0.8): W^T u = (1.8, 3.2). It
    # was divided by sigma = 5, and u^T W (1.8, 3.2) = 13.48, so v is (1.8, 3.2) * 5 / 13.48
    weight = np.diag([3.0, 4.0]).reshape(2, 2, 1, 1)
    old = {"c.weight": weight / 5, "c.weight_orig": weight, "c.weight_u": np.array([0.6, 0.8])}
    new = complete_spectral({**old, "d.weight": np.ones(3)})
    assert set(new) == {"c.weight_orig", "c.weight_u", "c.weight_v", "d.weight"}
    np.testing.assert_allclose(new["c.weight_v"], [0.66765579, 1.18694362], rtol=1e-7)
    # without the normalized weight only the length 1 is left: over sqrt(13.48) = 3.67151195
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
