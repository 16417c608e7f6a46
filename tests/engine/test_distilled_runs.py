"""Students in real processes: killed and gone on, in two processes, and what they are refused."""

from __future__ import annotations

import re
import signal
from pathlib import Path

import numpy as np
import pytest
import yaml

from tests.engine.conftest import Workshop, assert_same_state, wait_until
from tests.engine.test_dry_run import dry_run
from tests.engine.test_two_processes import INSTANCE, train_two

STYLE = ("encoder.style_dim=3", "encoder.nef=2", "encoder.size=16")
LONG = ("total_images=64", "checkpoint_every_images=8", "sample_every_images=1000")
OMGD = (
    *("distillation.method=omgd", "distillation.wider=2", "distillation.shared_stages=1"),
    *("distillation.gram=0", "distillation.feature=0"),
)


@pytest.fixture(scope="module")
def teacher(workshop) -> Path:
    """A run with twice the student's widths."""
    result = workshop.train("teacher", *STYLE, "generator.ngf=4", "generator.max_width=16")
    assert result.returncode == 0, result.stderr
    return workshop.folder / "teacher"


@pytest.fixture(scope="module")
def methods(teacher) -> dict[str, tuple[str, ...]]:
    """The options of a student by the name of the method."""
    cat = ("distillation.method=cat", f"distillation.teacher={teacher}")
    return {
        "cat": (*STYLE, *cat, "distillation.feature_mse=10"),
        "omgd": (*STYLE, *OMGD),
        "omgd of a teacher": (*STYLE, *OMGD, f"distillation.teacher={teacher}"),
    }


@pytest.mark.parametrize("method", ["cat", "omgd"])
def test_a_kill_changes_no_bit_of_the_final_state(workshop, methods, method):
    straight, killed = f"{method} unharmed", f"{method} killed"
    result = workshop.train(straight, *methods[method], *LONG)
    assert result.returncode == 0, result.stderr
    process = workshop.start(killed, *methods[method], *LONG)
    wait_until(lambda: workshop.checkpoints(killed) != [], process)
    process.send_signal(signal.SIGKILL)
    assert process.wait(60) == -signal.SIGKILL, "it had finished before it was killed"
    process.communicate()
    again = workshop.train(killed, *methods[method], *LONG)
    assert again.returncode == 0, again.stderr
    assert "resuming from" in again.stdout + again.stderr
    expected = workshop.weights(straight, 64)
    assert expected["adapters"]
    assert (
        ("wider_generator" in expected) == ("optimizer_student" in expected) == (method == "omgd")
    )
    assert_same_state(expected, workshop.weights(killed, 64))


@pytest.mark.parametrize("method", ["cat", "omgd"])
def test_two_processes_learn_what_one_learns(workshop, methods, method):
    """Gradients of the first step; the alignment of CAT is that of the whole batch."""
    # without connectors, whose batch norms have each process's own statistics
    options = (*methods[method], *INSTANCE, "distillation.channels=0", "total_images=2")
    options = (*options, "batch_size=2", "checkpoint_every_images=2", "log_every_images=2")
    two = train_two(workshop, f"{method} two", *options)
    assert two.returncode == 0, two.stdout + two.stderr
    alone = workshop.train(f"{method} one", *options)
    assert alone.returncode == 0, alone.stderr
    left, right = (workshop.weights(f"{method} {count}", 2) for count in ("two", "one"))
    names = [name for name in right if name.startswith("optimizer")]
    assert len(names) == {"cat": 2, "omgd": 3}[method]
    for name in names:
        moments = {key: value for key, value in right[name].items() if "moment1" in key}
        assert moments
        for key, value in moments.items():
            assert np.allclose(left[name][key], value, rtol=2e-3, atol=2e-4), (name, key)


def test_omgd_can_go_on_with_a_trained_teacher(workshop, methods, teacher):
    result = workshop.train("of a teacher", *methods["omgd of a teacher"], "total_images=2")
    assert result.returncode == 0, result.stderr
    state = workshop.weights("of a teacher", 2)
    old = workshop.weights("teacher", 8)["generator"]
    assert state["wider_generator"].keys() == old.keys()
    for name, value in old.items():
        if name.endswith("_orig"):  # one step of Adam at this rate away
            assert np.abs(state["wider_generator"][name] - value).max() < 0.0021, name


def test_a_run_goes_on_by_its_own_configuration(workshop, methods):
    first = workshop.train("by itself", *methods["cat"], "total_images=2")
    assert first.returncode == 0, first.stderr
    shop = Workshop(workshop.folder, workshop.root)
    shop.config = None
    again = shop.train("by itself", "total_images=4")
    assert again.returncode == 0, again.stderr
    assert "resuming from 2 images" in again.stdout + again.stderr
    content = yaml.safe_load((shop.folder / "by itself" / "config.yaml").read_text("utf-8"))
    assert content["distillation"]["method"] == "cat"
    assert content["total_images"] == 4


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (("encoder.style_dim=4",), "cannot teach this student: encoder.style_dim is 3, the"),
        (("data.instance_edges=false",), "data.instance_edges is True, the student's False"),
        (
            ("generator.upsampling=more", "data.crop_size=64", "data.load_size=64"),
            "generator.upsampling is 'normal'",
        ),
        (("distillation.teacher=nowhere",), "nowhere: there are no weights to start from"),
        (("distillation.layers=up_7",), "expected blocks of the generators, got 'up_7'"),
        (("batch_size=1",), "'batch_size' must be at least 2 with distillation.alignment"),
    ],
)
def test_a_teacher_that_does_not_fit_is_told(workshop, methods, changes, message):
    result = workshop.train("never", *methods["cat"], *changes)
    assert result.returncode == 2
    assert message in result.stderr.strip().splitlines()[-1]
    assert not (workshop.folder / "never").exists()


def test_another_method_is_another_run(workshop, methods):
    first = workshop.train("one way", *methods["cat"], "total_images=2")
    assert first.returncode == 0, first.stderr
    result = workshop.train("one way", *methods["omgd"], "total_images=4")
    assert result.returncode == 2
    assert "distillation.method was cat, is omgd" in result.stderr


def test_a_dry_run_tells_what_the_teachers_cost(workshop, methods):
    text = dry_run(workshop, "planned", *methods["omgd"])
    for name in ("wider_generator", "deeper_generator", "deeper_discriminator", "discriminator"):
        assert re.search(rf"^{name}: .* GMAC for a picture", text, re.MULTILINE), name
    assert re.search(r"^adapters: \S+ M parameters$", text, re.MULTILINE)
    text = dry_run(workshop, "planned", *methods["cat"])
    assert re.search(r"^teacher: \S+ GMAC for a picture of 32 x 32$", text, re.MULTILINE)
