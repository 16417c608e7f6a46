"""What starts the service, up to where a server of its own would begin."""

from __future__ import annotations

import os
import sys
from types import SimpleNamespace

import pytest

from spade_paddle.serving import __main__ as command
from spade_paddle.serving import gunicorn_server, paddlehub_gpu, plain
from spade_paddle.serving.settings import ServiceSettings

WORKER = "/lib/paddlehub/serving/worker.py"


@pytest.fixture
def served(monkeypatch) -> list[ServiceSettings]:
    """The settings of what would be served; nothing is."""
    found: list[ServiceSettings] = []
    monkeypatch.setattr(command, "apply_cpu_settings", lambda: None)
    monkeypatch.setattr(plain, "run", found.append)
    for name in [name for name in os.environ if name.startswith("GAUGAN_")]:
        monkeypatch.delenv(name)
    return found


def test_options_win_over_variables_and_the_token_comes_from_one_alone(served, monkeypatch):
    monkeypatch.setenv("GAUGAN_PORT", "7000")
    monkeypatch.setenv("GAUGAN_API_TOKEN", "long-enough")
    monkeypatch.setattr(sys, "argv", ["serve", "--port", "9000", "--annotate", "no"])
    assert command.main() == 0
    (settings,) = served
    assert (settings.port, settings.annotate) == (9000, False)
    assert settings.api_token == "long-enough"
    monkeypatch.setattr(sys, "argv", ["serve", "--api-token", "long-enough"])
    with pytest.raises(SystemExit):
        command.main()


def test_a_wrong_option_is_told_by_its_name_in_one_line(served, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["serve", "--port", "70000"])
    assert command.main() == 2
    assert served == []
    error = capsys.readouterr().err
    assert error.startswith("error: setting --port") and error.count("\n") == 1
    assert "a whole number from 1 to 65535" in error


@pytest.mark.parametrize(
    ("given", "threads"), [({}, None), ({"workers": 3}, 2), ({"workers": 9, "threads": 5}, 5)]
)
def test_several_workers_share_the_cores(monkeypatch, given, threads):
    run = []

    class Application:
        def __init__(self, app, *, service) -> None:
            self.settings = service.settings

        def run(self) -> None:
            run.append(self.settings.threads)

    monkeypatch.setattr(gunicorn_server, "PlainApplication", Application)
    monkeypatch.setattr(plain, "usable_cores", lambda: 6)
    plain.run(ServiceSettings(**given))
    assert run == [threads]


class Process:
    """A process of the system, as psutil knows it."""

    def __init__(self, pid: int, *command: str, children: tuple[Process, ...] = ()) -> None:
        self.pid = pid
        self.terminated = False
        self.cmdline = lambda: list(command)
        self.children = lambda recursive: list(children)

    def terminate(self) -> None:
        self.terminated = True


def refused(monkeypatch, hub: Process | None) -> None:
    monkeypatch.setattr(sys, "argv", [WORKER, "0"])
    monkeypatch.setattr(
        paddlehub_gpu.psutil, "Process", lambda: SimpleNamespace(parent=lambda: hub)
    )
    with pytest.raises(SystemExit) as ended:
        paddlehub_gpu.refuse_gpu_mode()
    assert ended.value.code == 2


def test_hubs_gpu_mode_ends_as_a_whole_with_what_to_use_instead(monkeypatch, capsys):
    ourselves, other = Process(os.getpid()), Process(-2)
    hub = Process(-1, "hub", "serving", "start", "--use_gpu", children=(ourselves, other))
    refused(monkeypatch, hub)
    assert "GAUGAN_USE_GPU=1 hub serving start" in capsys.readouterr().err
    assert (hub.terminated, other.terminated, ourselves.terminated) == (True, True, False)


def test_a_parent_that_is_not_hub_serving_start_is_left_alone(monkeypatch):
    shell = Process(-1, "sh", "-c", "serving", children=(Process(-2),))
    refused(monkeypatch, shell)
    assert not shell.terminated
    refused(monkeypatch, None)


def test_in_every_other_process_nothing_is_refused(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["/lib/bin/hub", "run"])
    paddlehub_gpu.refuse_gpu_mode()
