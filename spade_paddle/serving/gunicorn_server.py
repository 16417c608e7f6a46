"""Configures gunicorn, for PaddleHub's multi-process mode and for the plain server."""

from __future__ import annotations

import logging
import os
import shutil
import signal
from types import FrameType
from typing import Any

from gunicorn.app.base import BaseApplication
from gunicorn.config import Config
from gunicorn.workers.base import Worker
from prometheus_client.multiprocess import mark_process_dead

from spade_paddle.serving.prometheus_metrics import Metrics, share_between_processes
from spade_paddle.serving.service import PaintService
from spade_paddle.serving.web_server import WebServer

# gunicorn kills workers that are silent for 30 s by default; loading a model may take longer.
WORKER_TIMEOUT_SECONDS = 120

logger = logging.getLogger("spade_paddle.serving")


def configure(cfg: Config, *, port: str | int, service: PaintService) -> None:
    """Configure gunicorn in the parent process, before it forks its workers."""
    settings = service.settings
    cfg.set("bind", f"{settings.host}:{port}")
    cfg.set("worker_class", type("Worker", (_Worker,), {"service": service}))
    cfg.set("timeout", WORKER_TIMEOUT_SECONDS)
    cfg.set("graceful_timeout", settings.stop_seconds)
    cfg.set("accesslog", None)  # the app writes it
    if "control_socket_disable" in cfg.settings:  # newer versions create it in the home folder
        cfg.set("control_socket_disable", True)
    metrics_folder = share_between_processes()
    service.metrics = Metrics()

    def when_ready(server: Any) -> None:
        """Make Ctrl-C stop gracefully, as SIGTERM does; a second Ctrl-C aborts requests."""
        abort = signal.getsignal(signal.SIGINT)

        def stop(number: int, frame: FrameType | None) -> None:
            signal.signal(signal.SIGINT, abort)
            os.kill(os.getpid(), signal.SIGTERM)

        signal.signal(signal.SIGINT, stop)

    def post_worker_init(worker: Any) -> None:
        """In a new worker, leave Ctrl-C to the parent, and load the painter."""
        # Ctrl-C reaches all processes of a terminal; the parent signals the workers
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        # only after the fork, because the parent process must not load a painter
        service.warm_up()
        logger.info("worker %s is ready", worker.pid)

    def child_exit(server: Any, worker: Any) -> None:
        mark_process_dead(worker.pid, str(metrics_folder))

    def on_exit(server: Any) -> None:
        shutil.rmtree(metrics_folder, ignore_errors=True)

    for hook in (when_ready, post_worker_init, child_exit, on_exit):
        cfg.set(hook.__name__, hook)


class _Worker(Worker):
    """A gunicorn worker that runs our web server; ``service`` is that of the app."""

    service: PaintService

    def run(self) -> None:
        """Serve until gunicorn stops the worker, or gunicorn itself has ended."""
        sockets = [one.sock for one in self.sockets]
        self._server = WebServer(self.wsgi, sockets=sockets, service=self.service)
        self._server.run(tick=self._tick)

    def _tick(self) -> None:
        self.notify()
        if not self.alive or os.getppid() != self.ppid:
            self._server.stop()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Handle SIGTERM, which may arrive before ``run``."""
        self.alive = False


class PlainApplication(BaseApplication):
    """Runs a WSGI app under gunicorn, configured only by the service's settings."""

    def __init__(self, app: Any, *, service: PaintService) -> None:
        self._app = app
        self._service = service
        super().__init__()

    def load_config(self) -> None:
        """Called by gunicorn, in the parent process."""
        settings = self._service.settings
        self.cfg.set("workers", settings.workers)
        configure(self.cfg, port=settings.port, service=self._service)

    def load(self) -> Any:
        """Called by gunicorn, in each worker."""
        return self._app
