"""How the numeric tests run Paddle in double precision, compare numbers and check gradients."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Callable

import numpy as np
import paddle
import pytest

Number = "np.ndarray | paddle.Tensor | float"


@pytest.fixture
def float64() -> Iterator[None]:
    """Layers and tensors made in the test are float64; the random numbers are always the same."""
    before = paddle.get_default_dtype()
    paddle.set_default_dtype("float64")
    paddle.seed(7)
    yield
    paddle.set_default_dtype(before)


def normal(*shape: int, seed: int = 0) -> np.ndarray:
    """Normally distributed float64 numbers."""
    return np.random.default_rng(seed).standard_normal(shape)


def tensor(values: object, *, differentiable: bool = False) -> paddle.Tensor:
    """A float64 tensor."""
    array = np.asarray(values, dtype="float64")
    return paddle.to_tensor(array, stop_gradient=not differentiable)


def parameters_of(layer: paddle.nn.Layer) -> dict[str, np.ndarray]:
    """What the layer has learned, by name."""
    return {name: value.numpy() for name, value in layer.named_parameters()}


def randomize(layer: paddle.nn.Layer, *, seed: int = 0, scale: float = 0.5) -> None:
    """Give every parameter random values, so that no zero and no one hides a mistake."""
    generator = np.random.default_rng(seed)
    for parameter in layer.parameters():
        parameter.set_value(scale * generator.standard_normal(parameter.shape))


def assert_same(actual: Number, expected: Number, *, rtol: float = 1e-9) -> None:
    """Equal, up to rounding relative to the largest of the numbers."""
    actual, expected = np.asarray(actual), np.asarray(expected)
    assert actual.shape == expected.shape
    atol = rtol * max(float(np.abs(expected).max()), 1e-3)
    np.testing.assert_allclose(actual, expected, rtol=rtol, atol=atol)


def assert_differs(actual: Number, wrong: Number) -> None:
    """What a wrong formula gives is visibly something else."""
    actual, wrong = np.asarray(actual), np.asarray(wrong)
    assert actual.shape == wrong.shape
    assert np.abs(actual - wrong).max() > 1e-3 * np.abs(wrong).max()


def weighted_sum(value: paddle.Tensor) -> paddle.Tensor:
    """A scalar to differentiate: every output counts, each differently."""
    return (value * tensor(normal(*value.shape, seed=99))).sum()


def assert_gradients(
    loss: Callable[[], paddle.Tensor],
    tensors: Iterable[paddle.Tensor],
    *,
    step: float = 1e-5,
    rtol: float = 1e-5,
    places: int = 10,
) -> None:
    """The gradient of ``loss()`` is its central difference, at some places of every tensor.

    Args:
        loss: a scalar that depends on the tensors.
        tensors: float64 leaves that may be differentiated.
        step: of the difference.
        rtol: allowed error, relative to the largest gradient of that tensor.
        places: how many numbers of each tensor are moved.
    """
    tensors = list(tensors)
    for moved in tensors:
        moved.clear_gradient()
    loss().backward()
    for index, moved in enumerate(tensors):
        values, gradient = moved.numpy().copy(), moved.grad.numpy().reshape(-1)
        assert np.abs(gradient).max() > 0
        generator = np.random.default_rng(index)
        for place in generator.permutation(values.size)[:places]:
            ends = []
            for sign in (1, -1):
                changed = values.copy()
                changed.reshape(-1)[place] += sign * step
                moved.set_value(changed)
                with paddle.no_grad():
                    ends.append(float(loss()))
            moved.set_value(values)
            difference = (ends[0] - ends[1]) / (2 * step)
            assert abs(difference - gradient[place]) <= rtol * np.abs(gradient).max()
