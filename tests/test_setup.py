"""What setup.py asks for: a GPU's Paddle that is there stays, a CPU's broken one does not."""

from __future__ import annotations

import runpy
from unittest import mock

import pytest
from packaging.requirements import Requirement

INSTALLED_ON_GPUS = ("2.6.2", "2.6.2.post120", "3.0.0", "3.0.0rc1", "3.2.2", "3.3.0", "3.3.1")


@pytest.fixture(scope="module")
def options(root) -> dict:
    """The arguments of setup()."""
    with mock.patch("setuptools.setup") as setup:
        runpy.run_path(str(root / "setup.py"))
    return setup.call_args.kwargs


def paddle_of(requirements: list[str]) -> dict[str, Requirement]:
    """The requirements that are Paddle itself, by name."""
    found = {r.name: r for r in map(Requirement, requirements)}
    return {name: r for name, r in found.items() if name.startswith("paddlepaddle")}


@pytest.mark.parametrize("version", INSTALLED_ON_GPUS)
def test_the_gpu_extra_takes_every_paddle_from_the_oldest_on_as_it_is(options, version):
    (paddle,) = paddle_of(options["extras_require"]["gpu"]).values()
    assert paddle.name == "paddlepaddle-gpu"
    # pip lets a prerelease that is installed already stay
    assert paddle.specifier.contains(version, prereleases=True)


@pytest.mark.parametrize("version", ["2.6.1", "4.0.0"])
def test_the_gpu_extra_refuses_what_the_code_does_not_run_on(options, version):
    (paddle,) = paddle_of(options["extras_require"]["gpu"]).values()
    assert not paddle.specifier.contains(version, prereleases=True)


def test_versions_that_are_broken_on_cpus_are_excluded_there_alone(options):
    (paddle,) = paddle_of(options["extras_require"]["cpu"]).values()
    assert paddle.name == "paddlepaddle"
    kept = [v for v in INSTALLED_ON_GPUS if paddle.specifier.contains(v, prereleases=True)]
    assert set(INSTALLED_ON_GPUS) - set(kept) == {"3.3.0", "3.3.1"}


def test_nothing_else_asks_for_paddle_nor_pins_that_of_gpus(options, root):
    extras = options["extras_require"]
    others = [r for name, r in extras.items() if name not in ("cpu", "gpu")]
    for requirements in [options["install_requires"], *others]:
        assert paddle_of(requirements) == {}
    lines = (root / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pinned = [line.partition("#")[0].strip() for line in lines]
    assert paddle_of([line for line in pinned if line]).keys() == {"paddlepaddle"}
