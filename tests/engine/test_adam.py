"""Adam with one call for all weights: the same steps and states as one call for each."""

from __future__ import annotations

import numpy as np
import paddle
import pytest
from paddle import nn
from paddle.utils import unique_name

from spade_paddle.engine import adam
from spade_paddle.engine.adam import Adam

STEPS = 6


class Learning:
    """A small network and its optimizer; always the same weights, and names as in a new process."""

    def __init__(self, *, multi_tensor: bool | None) -> None:
        with unique_name.guard():
            paddle.seed(3)
            self.network = nn.Sequential(nn.Conv2D(3, 4, 3), nn.GELU(), nn.Conv2D(4, 2, 3))
            self.optimizer = Adam(
                1e-2,
                beta1=0.5,
                beta2=0.9,
                parameters=self.network.parameters(),
                multi_tensor=multi_tensor,
            )

    def step(self, seed: int, *, without: str | None = None) -> None:
        x = np.random.default_rng(seed).standard_normal((2, 3, 8, 8)).astype("float32")
        paddle.square(self.network(paddle.to_tensor(x))).mean().backward()
        for name, parameter in self.network.named_parameters():
            if name == without:
                parameter.clear_gradient(False)
        self.optimizer.set_lr(1e-2 * (1 - seed / 10))
        with unique_name.guard():
            self.optimizer.step()
        self.optimizer.clear_grad(set_to_zero=False)

    def state(self) -> dict[str, paddle.Tensor]:
        return {**self.network.state_dict(), **self.optimizer.state_dict()}


def arrays(learning: Learning) -> dict[str, np.ndarray]:
    return {name: np.array(value) for name, value in learning.state().items()}


def assert_close(left: Learning, right: Learning, *, atol: float) -> None:
    left, right = arrays(left), arrays(right)
    assert left.keys() == right.keys()
    for name, value in left.items():
        assert np.abs(value - right[name]).max() <= atol, name


def learned(*, multi_tensor: bool, without: dict[int, str] | None = None) -> Learning:
    learning = Learning(multi_tensor=multi_tensor)
    for step in range(STEPS):
        learning.step(step, without=(without or {}).get(step))
    return learning


def test_weights_and_states_are_those_of_one_call_for_each_weight():
    several, single = (learned(multi_tensor=multi) for multi in (True, False))
    assert several.optimizer._use_multi_tensor and not single.optimizer._use_multi_tensor
    assert_close(several, single, atol=1e-7)
    assert sum("moment1" in name for name in several.state()) == 4


@pytest.mark.parametrize("after", [True, False])
@pytest.mark.parametrize("before", [True, False])
def test_a_saved_state_goes_on_whichever_way_it_was_made(before, after, tmp_path):
    learning = Learning(multi_tensor=before)
    for step in range(3):
        learning.step(step)
    parts = learning.network.state_dict(), learning.optimizer.state_dict()
    paddle.save(parts, str(tmp_path / "state.pdparams"))
    weights, moments = paddle.load(str(tmp_path / "state.pdparams"))
    going_on = Learning(multi_tensor=after)
    going_on.network.set_state_dict(weights)
    going_on.optimizer.set_state_dict(moments)
    for step in range(3, STEPS):
        going_on.step(step)
    same = before == after
    assert_close(going_on, learned(multi_tensor=after), atol=0.0 if same else 1e-7)


@pytest.mark.parametrize("without", [{2: "2.bias"}, {0: "0.weight", 3: "0.bias"}])
def test_a_weight_without_a_gradient_in_some_steps_is_left_alone_in_them(without):
    several, single = (learned(multi_tensor=multi, without=without) for multi in (True, False))
    assert_close(several, single, atol=1e-7)
    every = arrays(learned(multi_tensor=False))
    assert np.abs(every["2.bias"] - arrays(several)["2.bias"]).max() > 1e-4


@pytest.mark.parametrize("gpu", [True, False])
def test_it_is_used_on_gpus_alone(gpu, monkeypatch):
    monkeypatch.setattr(adam, "on_gpu", lambda: gpu)
    assert bool(Learning(multi_tensor=None).optimizer._use_multi_tensor) is gpu
