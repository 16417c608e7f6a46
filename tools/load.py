"""Load test the service with 1, 8 and 64 concurrent users, and print a table (docs/serving.md)."""

from __future__ import annotations

import argparse
import contextlib
import csv
import importlib.util
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from spade_paddle.cli import run_tool
from spade_paddle.errors import UserError

ROOT = Path(__file__).parents[1]
LOCUSTFILE = ROOT / "tests" / "load" / "locustfile.py"
START_LIMIT_SECONDS = 180
HEAD = (
    "| people | pictures/s | p50 ms | p95 ms | busy (503) | other errors | MiB before | MiB after |"
)


def main() -> int:
    """Parse the options and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--people", type=int, nargs="+", default=[1, 8, 64], help="numbers of concurrent users"
    )
    parser.add_argument("--seconds", type=int, default=60, help="duration of each test")
    parser.add_argument(
        "--side", type=int, default=256, help="height and width of the doodles in pixels"
    )
    parser.add_argument(
        "--hub", action="store_true", help="test hub serving start, not the plain server"
    )
    return run_tool(measure, parser)


def measure(arguments: argparse.Namespace) -> int:
    """Start the service, run locust, print a table. Returns 1 after errors other than "busy"."""
    if importlib.util.find_spec("locust") is None:
        raise UserError(
            'locust is not installed; install it with \'pip install -e ".[load]" '
            "-c constraints.txt'",
            code="locust_missing",
        )
    failed = False
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with _service(folder, hub=arguments.hub) as (group, port):
            _load(folder / "warm_up", port, people=4, seconds=10, side=arguments.side)
            print(HEAD, "|".join(["", *["---"] * 8, ""]), sep="\n", flush=True)
            for people in arguments.people:
                before = _resident_mib(group)
                row = _load(
                    folder / str(people),
                    port,
                    people=people,
                    seconds=arguments.seconds,
                    side=arguments.side,
                )
                failed = failed or row[-1] != "0"
                memory = (f"{before:.0f}", f"{_resident_mib(group):.0f}")
                print("|", " | ".join([str(people), *row, *memory]), "|", flush=True)
    return int(failed)


@contextlib.contextmanager
def _service(folder: Path, *, hub: bool) -> Iterator[tuple[int, int]]:
    """Run a service on this computer without cache; yields its process group and port."""
    port = _free_port()
    environ = {
        **os.environ,
        "GAUGAN_HOST": "127.0.0.1",
        "GAUGAN_CACHE_MIB": "0",
        "GAUGAN_ACCESS_LOG": "no",
        "HUB_HOME": str(folder / "hub"),
    }
    command = [sys.executable, "-m", "spade_paddle.serving", "--port", str(port)]
    if hub:
        program = str(Path(sys.executable).with_name("hub"))
        install = [program, "install", str(ROOT / "hub_module")]
        subprocess.run(install, env=environ, check=True, stdout=subprocess.DEVNULL)
        command = [program, "serving", "start", "-m", "gaugan_doodle", "-p", str(port)]
    log = folder / "service.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=ROOT, env=environ, stdout=output, stderr=output, start_new_session=True
        )
    try:
        _wait_until_healthy(process, port=port, log=log)
        yield process.pid, port
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(60)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def _wait_until_healthy(process: subprocess.Popen, *, port: int, log: Path) -> None:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    end = time.monotonic() + START_LIMIT_SECONDS
    while process.poll() is None and time.monotonic() < end:
        with contextlib.suppress(OSError):
            opener.open(f"http://127.0.0.1:{port}/healthz", timeout=10).close()
            return
        time.sleep(0.5)
    raise UserError(
        f"the service did not start; its log ends with:\n{log.read_text(errors='replace')[-2000:]}",
        code="service_start",
    )


def _load(results: Path, port: int, *, people: int, seconds: int, side: int) -> list[str]:
    """Run locust once: pictures per second, p50, p95, share of "busy", number of other errors."""
    command = [
        sys.executable,
        "-m",
        "locust",
        "-f",
        str(LOCUSTFILE),
        "--headless",
        "--only-summary",
    ]
    command += ["-u", str(people), "-r", str(people), "-t", f"{seconds}s", "--csv", str(results)]
    command += ["-H", f"http://127.0.0.1:{port}", "--loglevel", "ERROR"]
    environ = {**os.environ, "LOAD_SIDE": str(side)}
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    stats = Path(f"{results}_stats.csv")
    if not stats.is_file():
        raise UserError(f"locust failed:\n{done.stderr[-2000:]}", code="locust_failed")
    with stats.open(newline="", encoding="utf-8") as file:
        rows = {row["Name"]: row for row in csv.DictReader(file)}
    painted, total = rows.get("/predict/gaugan_doodle"), rows["Aggregated"]
    busy = int(rows["busy"]["Request Count"]) if "busy" in rows else 0
    share = f"{100 * busy / max(int(total['Request Count']), 1):.1f}%"
    if painted is None:
        return ["0.0", "-", "-", share, total["Failure Count"]]
    rate = f"{float(painted['Requests/s']):.1f}"
    return [rate, painted["50%"], painted["95%"], share, total["Failure Count"]]


def _resident_mib(group: int) -> float:
    """Resident memory of all processes of a process group, in MiB (Linux)."""
    pages = 0
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if os.getpgid(int(folder.name)) == group:
                pages += int((folder / "statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


if __name__ == "__main__":
    sys.exit(main())
