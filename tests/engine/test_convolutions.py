"""Which library computes convolutions: chosen, said, recorded; and what it makes of training."""

from __future__ import annotations

import json

import numpy as np
import pytest

from spade_paddle.config import read_config
from spade_paddle.engine import convolutions
from spade_paddle.engine.convolutions import Convolutions
from spade_paddle.errors import ConfigError
from spade_paddle.onednn.library import has_bfloat16

SHORT = ("total_images=2", "checkpoint_every_images=2")


def choose(**options) -> Convolutions:
    return Convolutions.choose(read_config({"compute": options}))


def test_onednn_where_it_can_be_had():
    assert str(choose()) == "onednn"
    assert choose().line() == "convolutions: onednn"


def test_paddle_where_it_is_asked_for():
    assert str(choose(convolutions="paddle")) == "paddle"


def test_paddle_where_there_is_no_other_and_why(monkeypatch):
    monkeypatch.setattr(convolutions, "unavailable_reason", lambda: "there is no libdnnl.so")
    assert choose().line() == "convolutions: paddle (there is no libdnnl.so)"
    with pytest.raises(ConfigError, match=r"is not available here: there is no libdnnl\.so; set"):
        choose(convolutions="onednn")


def test_bfloat16_where_the_processor_has_it(monkeypatch):
    monkeypatch.setattr(convolutions, "has_bfloat16", lambda: True)
    assert str(choose(bfloat16=True)) == "onednn, bfloat16"
    monkeypatch.setattr(convolutions, "has_bfloat16", lambda: False)
    assert "no AVX512_BF16: no bfloat16" in choose(bfloat16=True).line()
    assert str(choose(bfloat16=True)) == "onednn"


def test_bfloat16_by_paddle_is_refused():
    with pytest.raises(ConfigError, match=r"compute\.bfloat16"):
        choose(convolutions="paddle", bfloat16=True)


def losses(workshop, name: str, *options: str) -> dict[str, float]:
    result = workshop.train(name, *SHORT, *options)
    assert result.returncode == 0, result.stderr
    lines = (workshop.folder / name / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    return json.loads(lines[-1])


def test_a_step_has_the_losses_of_paddles_convolutions(workshop):
    ours = losses(workshop, "onednn", "compute.convolutions=onednn")
    paddles = losses(workshop, "paddle", "compute.convolutions=paddle")
    for name in ("g_gan", "g_feat", "d_fake", "d_real", "g_grad_norm", "d_grad_norm"):
        assert ours[name] == pytest.approx(paddles[name], rel=1e-4, abs=1e-5), name
    states = [workshop.weights(name, 2)["generator"] for name in ("onednn", "paddle")]
    assert any(not np.array_equal(states[0][name], states[1][name]) for name in states[0])


def test_bfloat16_learns_nearly_the_same(workshop):
    rough = losses(workshop, "bfloat16", "compute.bfloat16=true")
    exact = losses(workshop, "float32")
    for name in ("g_gan", "g_feat", "d_fake", "d_real"):
        assert rough[name] == pytest.approx(exact[name], rel=0.05, abs=0.02), name
    environment = json.loads((workshop.folder / "bfloat16/environment.json").read_text())
    assert environment["convolutions"] == ("onednn, bfloat16" if has_bfloat16() else "onednn")


def test_a_change_of_the_library_is_said_when_a_run_goes_on(workshop):
    assert workshop.train("change", *SHORT, "compute.convolutions=paddle").returncode == 0
    longer = ("total_images=4", "checkpoint_every_images=2")
    result = workshop.train("change", *longer, "compute.convolutions=onednn")
    assert "so far, paddle computed the convolutions of this run; from now on, it is onednn" in (
        result.stdout + result.stderr
    )
    again = workshop.train("change", "total_images=6", "compute.convolutions=onednn")
    assert "so far" not in again.stdout + again.stderr
