"""Schedule, averaging, checkpoint files and CPU settings."""

from __future__ import annotations

import subprocess
import sys
from unittest import mock

import numpy as np
import paddle
import pytest
from paddle import nn

from spade_paddle.engine.checkpoint import (
    checkpoints,
    load_latest,
    save_checkpoint,
)
from spade_paddle.engine.cpu import cpu_settings
from spade_paddle.engine.distributed import Workers
from spade_paddle.engine.ema import WeightAverage
from spade_paddle.engine.schedule import averaging_halflife, linear_decay
from spade_paddle.errors import ConfigError, ModelError
from spade_paddle.files import write_atomically


def test_linear_decay_by_hand():
    factors = [linear_decay(k, start=100, end=200, floor=0.0) for k in (0, 100, 150, 200, 900)]
    assert factors == [1.0, 1.0, 0.5, 0.0, 0.0]
    assert linear_decay(10**9, start=None, end=200) == 1.0


def test_average_moves_half_way_in_one_half_life_whatever_the_batch():
    for batch in (1, 5, 10):
        network, average = nn.Linear(1, 1), nn.Linear(1, 1)
        network.weight.set_value(paddle.zeros([1, 1]))
        keeper = WeightAverage(network, average, halflife_images=10)
        network.weight.set_value(paddle.ones([1, 1]))
        for _ in range(10 // batch):
            keeper.update(batch)
        assert float(average.weight) == pytest.approx(0.5, rel=1e-5)


def test_without_a_half_life_nothing_is_done_until_the_newest_weights_are_asked_for():
    network, average = nn.Linear(1, 1), nn.Linear(1, 1)
    keeper = WeightAverage(network, average, halflife_images=0, halflife_share=0.5)
    first = float(average.weight)
    network.weight.set_value(paddle.full([1, 1], 7.0))
    with mock.patch("spade_paddle.engine.ema.effective_state", side_effect=AssertionError):
        keeper.update(1, images_seen=1)
    assert float(average.weight) == first
    keeper.catch_up()
    assert float(average.weight) == 7
    network.weight.set_value(paddle.full([1, 1], 8.0))
    assert float(average.weight) == 7  # a copy


def test_with_a_half_life_catching_up_changes_nothing():
    network, average = nn.Linear(1, 1), nn.Linear(1, 1)
    keeper = WeightAverage(network, average, halflife_images=10)
    first = float(average.weight)
    network.weight.set_value(paddle.full([1, 1], 7.0))
    keeper.catch_up()
    assert float(average.weight) == first


def test_half_life_is_a_share_of_the_images_seen_up_to_its_most_by_hand():
    seen = (0, 100, 4000, 20_000, 10**6)
    assert [averaging_halflife(k, share=0.05, maximum=1000) for k in seen] == [
        0,
        5,
        200,
        1000,
        1000,
    ]
    assert [averaging_halflife(k, share=0.0, maximum=1000) for k in seen] == [1000] * 5
    assert averaging_halflife(4000, share=0.05, maximum=0) == 0  # no averaging


@pytest.mark.parametrize("batch", [1, 4])
def test_with_a_share_the_average_is_that_of_the_last_part_of_the_run(batch):
    # the weights are how many images were seen; with beta = 2^(-b / (s k)) what was learned at
    # image j counts (j / k)^(ln 2 / s) of k images, so that the mean is k / (1 + s / ln 2)
    network, average = nn.Linear(1, 1), nn.Linear(1, 1)
    keeper = WeightAverage(network, average, halflife_images=10**9, halflife_share=0.1)
    for seen in range(batch, 2001, batch):
        network.weight.set_value(paddle.full([1, 1], float(seen)))
        keeper.update(batch, images_seen=seen)
        if seen in (400, 2000):
            expected = seen / (1 + 0.1 / np.log(2))
            assert average.weight.item() == pytest.approx(expected, rel=0.02)


def test_failed_write_leaves_the_old_file_whole(tmp_path):
    path = tmp_path / "state"
    path.write_text("old")

    def fail(temporary):
        temporary.write_text("half")
        raise OSError("no space left on device")

    with pytest.raises(OSError, match="no space"):
        write_atomically(path, fail)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_two_newest_checkpoints_are_kept(tmp_path):
    for images in (5, 10, 100):
        save_checkpoint(tmp_path, {"images_seen": images}, images_seen=images)
    assert [int(path.stem) for path in checkpoints(tmp_path)] == [100, 10]
    assert load_latest(tmp_path, warn=pytest.fail)["images_seen"] == 100


def test_only_damaged_checkpoints_are_an_error_not_a_new_start(tmp_path):
    (tmp_path / "0000000005.pdparams").write_bytes(b"rubbish")
    warnings = []
    with pytest.raises(ModelError, match="none of the 1 checkpoints can be read"):
        load_latest(tmp_path, warn=warnings.append)
    assert "0000000005.pdparams is damaged" in warnings[0]


def test_any_wrong_bit_is_noticed(tmp_path):
    path = save_checkpoint(tmp_path, {"a": paddle.ones([3]), "images_seen": 5}, images_seen=5)
    whole = path.read_bytes()
    for place in range(0, len(whole), 11):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 4]) + whole[place + 1 :])
        warnings = []
        try:
            state = load_latest(tmp_path, warn=warnings.append)
        except ModelError:
            assert "is damaged" in warnings[0]
        else:  # the mark of the checksum itself, so that there seems to be none
            assert place >= len(whole) - 90
            assert np.array_equal(state["a"], [1, 1, 1])
    path.write_bytes(whole)
    assert load_latest(tmp_path, warn=pytest.fail)["images_seen"] == 5


def test_checkpoint_of_a_version_without_check_sums_is_read(tmp_path):
    paddle.save({"images_seen": 7}, str(tmp_path / "0000000007.pdparams"))
    assert load_latest(tmp_path, warn=pytest.fail)["images_seen"] == 7


def test_empty_folder_means_a_new_start(tmp_path):
    assert load_latest(tmp_path, warn=pytest.fail) is None


def test_amd_processors_get_the_mkl_variables_and_others_do_not():
    amd = cpu_settings(vendor="AuthenticAMD", cores=2)
    assert amd == {
        "OMP_NUM_THREADS": "2",
        "KMP_BLOCKTIME": "5",
        "MKL_DEBUG_CPU_TYPE": "5",
        "MKL_NUM_THREADS": "2",
        "MKL_DYNAMIC": "FALSE",
    }
    others = cpu_settings(vendor="GenuineIntel", cores=8)
    assert others == {"OMP_NUM_THREADS": "8", "KMP_BLOCKTIME": "5"}


def test_cpu_settings_keep_what_the_person_set(processes, root):
    code = (
        "from spade_paddle.engine import cpu; cpu._cpu_vendor = lambda: 'AuthenticAMD';"
        "e = {'OMP_NUM_THREADS': '1', 'PADDLE_TRAINERS_NUM': '10000'};"
        "added = cpu.apply_cpu_settings(e); print(e['OMP_NUM_THREADS'], added['MKL_NUM_THREADS'])"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=root, check=True
    )
    assert result.stdout.split() == ["1", "1"]


def test_shares_cover_the_batch_without_overlap():
    shares = [Workers(rank=rank, size=3).share(12, 6) for rank in range(3)]
    assert shares == [(12, 2), (14, 2), (16, 2)]
    with pytest.raises(ConfigError, match="cannot be split evenly among 4 processes"):
        Workers(rank=0, size=4).share(0, 6)


def test_alone_nothing_is_exchanged():
    layer = nn.Linear(1, 1)
    layer(paddle.ones([1, 1])).backward()
    before = np.array(layer.weight.grad)
    values = Workers().average([p.grad for p in layer.parameters()], paddle.ones([2]))
    assert np.array_equal(layer.weight.grad, before)
    assert np.array_equal(values, [1, 1])
    assert Workers().any(True) is True
    assert Workers().any(False) is False
    assert not Workers().orphaned
