"""The real thing: ``hub install`` and ``hub serving start``, in folders of their own.

Nothing here is faked, and nothing is skipped: without PaddleHub or weights the tests fail.
"""

from __future__ import annotations

import contextlib
import functools
import http.server
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests

from spade_paddle.data.labels import LabelSet
from tests.serving.processes import free_port

ROOT = Path(__file__).parents[2]
HUB_MODULE = ROOT / "hub_module"
GOOD_ORIGIN = "https://a.example"
START_LIMIT_S = 180


@dataclass
class Hub:
    """PaddleHub in a folder of its own; ``work`` is the current folder of its commands."""

    folder: Path
    environ: dict[str, str] = field(default_factory=dict)

    @classmethod
    def create(cls, folder: Path) -> Hub:
        hub = cls(folder)
        for name in ("home", "hub", "work"):
            (folder / name).mkdir()
        kept = {k: v for k, v in os.environ.items() if not k.startswith("GAUGAN_")}
        hub.environ = {
            **kept,
            "HOME": str(folder / "home"),
            "HUB_HOME": str(folder / "hub"),
            "PYTHONPATH": str(ROOT),
            "PYTHONDONTWRITEBYTECODE": "1",
            "no_proxy": "*",
        }
        return hub

    @property
    def work(self) -> Path:
        return self.folder / "work"

    @property
    def installed(self) -> Path:
        return self.folder / "hub/modules/gaugan_doodle"

    def run(self, *arguments: str, **environ: str) -> subprocess.CompletedProcess:
        """Run ``hub ...`` to its end."""
        return self._run([str(Path(sys.executable).with_name("hub")), *arguments], environ)

    def python(self, program: str) -> subprocess.CompletedProcess:
        """Run a Python program to its end."""
        return self._run([sys.executable, "-c", program], {})

    def _run(self, command: list[str], environ: dict[str, str]) -> subprocess.CompletedProcess:
        return subprocess.run(
            command,
            cwd=self.work,
            env={**self.environ, **environ},
            capture_output=True,
            text=True,
            timeout=START_LIMIT_S,
            check=False,
        )

    @contextlib.contextmanager
    def serve(self, *arguments: str, port: int | None = None, **environ: str) -> Iterator[Server]:
        """``hub serving start`` until the block ends; then no process of it may be left."""
        port = port or free_port()
        log = self.folder / f"serving_{port}.log"
        hub = str(Path(sys.executable).with_name("hub"))
        command = [hub, "serving", "start", "-m", "gaugan_doodle", "-p", str(port), *arguments]
        with log.open("wb") as output:
            process = subprocess.Popen(
                command,
                cwd=self.work,
                env={**self.environ, **environ},
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=_take_interrupts,
            )
        server = Server(port=port, process=process, log=log)
        try:
            server.wait_until_healthy()
            yield server
        finally:
            server.stop()

    def files(self) -> set[str]:
        """Every file in the folder, PaddleHub's logs aside."""
        found = (path for path in self.folder.rglob("*") if path.is_file())
        return {str(path) for path in found if path.suffix != ".log"}


@dataclass
class Server:
    """A running service."""

    port: int
    process: subprocess.Popen
    log: Path

    def __post_init__(self) -> None:
        self.session = requests.Session()
        self.session.trust_env = False

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def get(self, path: str, **options: Any) -> requests.Response:
        return self.session.get(self.url + path, timeout=60, **options)

    def paint(self, content: Any, **options: Any) -> requests.Response:
        return self.session.post(
            self.url + "/predict/gaugan_doodle", json=content, timeout=120, **options
        )

    def metric(self, name: str) -> float:
        """A number of ``GET /metrics`` without labels, asked for on a connection of its own."""
        text = requests.get(self.url + "/metrics", timeout=60, proxies={"http": ""}).text
        return next(
            float(line.split()[-1]) for line in text.splitlines() if line.startswith(name + " ")
        )

    def post_raw(self, data: bytes, mimetype: str = "application/json") -> requests.Response:
        url = self.url + "/predict/gaugan_doodle"
        headers = {"Content-Type": mimetype}
        return self.session.post(url, data=data, headers=headers, timeout=120)

    def wait_until_healthy(self) -> None:
        end = time.monotonic() + START_LIMIT_S
        while time.monotonic() < end:
            assert self.process.poll() is None, "the service ended:\n" + self.log.read_text()
            with contextlib.suppress(requests.ConnectionError):
                if self.get("/healthz").status_code == 200:
                    return
            time.sleep(0.2)
        raise AssertionError("the service did not come up:\n" + self.log.read_text())

    def kill(self) -> None:
        """End it as the kernel does where memory runs out: at once, with no word to anybody."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        """Interrupt it as Ctrl-C does, and make sure that nothing of it is left."""
        self.session.close()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGINT)
        try:
            self.process.wait(30)
            end = time.monotonic() + 10
            while time.monotonic() < end and _group_lives(self.process.pid):
                time.sleep(0.1)
            assert not _group_lives(self.process.pid), "processes are left after Ctrl-C"
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


def _group_lives(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def _take_interrupts() -> None:
    # A test run started in the background ignores SIGINT, and children inherit that.
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.fixture(scope="session")
def label_set() -> LabelSet:
    return LabelSet.load(ROOT / "configs/labels/landscape.yaml")


@pytest.fixture(scope="session")
def hub(processes, tmp_path_factory) -> Hub:
    """PaddleHub with the module installed."""
    hub = Hub.create(tmp_path_factory.mktemp("hub"))
    done = hub.run("install", str(HUB_MODULE))
    assert done.returncode == 0 and hub.installed.is_dir(), done.stdout + done.stderr
    return hub


@pytest.fixture(scope="session")
def page_elsewhere() -> Iterator[str]:
    """The address of the page on a plain static server, another origin than the service."""
    with _static_server() as address:
        yield address


@pytest.fixture(scope="session")
def page_not_allowed() -> Iterator[str]:
    """The same on an origin that the service does not allow."""
    with _static_server() as address:
        yield address


@contextlib.contextmanager
def _static_server() -> Iterator[str]:
    handler = functools.partial(
        http.server.SimpleHTTPRequestHandler, directory=ROOT / "spade_paddle/page"
    )
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="session")
def server(hub, page_elsewhere) -> Iterator[Server]:
    """The service in PaddleHub's plain mode, with two foreign pages allowed."""
    with hub.serve(GAUGAN_CORS_ORIGINS=f"{GOOD_ORIGIN},{page_elsewhere}") as server:
        yield server
