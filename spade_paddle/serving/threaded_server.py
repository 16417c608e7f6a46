"""A web server in this process: a thread for each connection, and a stop that cuts nobody off.

PaddleHub's plain mode would answer one connection at a time, so that one idle browser stops all.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from types import FrameType
from typing import Any

from flask import Flask
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from spade_paddle.serving.service import PaintService

logger = logging.getLogger("spade_paddle.serving")


class InProgress:
    """Counts what is going on, and lets one wait until nothing is. ``with`` it around the work."""

    def __init__(self) -> None:
        self._count = 0
        self._changed = threading.Condition()

    def __enter__(self) -> None:
        with self._changed:
            self._count += 1

    def __exit__(self, *exception: object) -> None:
        with self._changed:
            self._count -= 1
            self._changed.notify_all()

    def wait_for_none(self, *, seconds: float) -> bool:
        """Whether everything was done within the time."""
        with self._changed:
            return self._changed.wait_for(lambda: self._count == 0, timeout=seconds)


def serve(app: Flask, *, port: int, service: PaintService) -> None:
    """Answer requests until SIGTERM or Ctrl-C; then finish those that have begun, and exit with 0.

    To be called in the main thread. A second signal ends the process at once.

    Raises:
        SystemExit: always.
    """
    settings, requests = service.settings, InProgress()

    class RequestHandler(WSGIRequestHandler):
        timeout = settings.idle_seconds

        def run_wsgi(self) -> None:
            with requests:
                super().run_wsgi()

        def log_error(self, message: str, *args: Any) -> None:
            """Of connections that fell silent or broke off, which browsers' do all the time."""
            logger.debug(message, *args)

        def version_string(self) -> str:
            """What is told as "Server": no versions, which help none but attackers."""
            return "gaugan_doodle"

        def log_request(self, *args: Any) -> None:
            """Nothing: the app writes the access log."""

    service.warm_up()  # before the port opens: nobody meets a cold painter
    server = make_server(settings.host, port, app, threaded=True, request_handler=RequestHandler)
    _stop_at_signals(server)
    logger.info("the doodle page is at http://%s:%s/ (Ctrl-C ends it)", settings.host, port)
    server.serve_forever()
    if not requests.wait_for_none(seconds=settings.stop_seconds):
        logger.warning("requests were not done within %s s and are cut off", settings.stop_seconds)
        service.queue.refuse_waiting()
        requests.wait_for_none(seconds=1)  # of those who wait, for their answers
        logging.shutdown()
        os._exit(0)  # an ordinary exit would wait for the thread that paints
    sys.exit(0)


def _stop_at_signals(server: BaseWSGIServer) -> None:
    usual = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def stop(number: int, frame: FrameType | None) -> None:
        for each, handler in usual.items():
            signal.signal(each, handler)
        logger.info("stopping: requests that have begun are finished")
        # in a thread: it waits for the loop that this handler interrupts
        threading.Thread(target=server.shutdown).start()

    for number, handler in usual.items():
        if handler is not signal.SIG_IGN:  # as for a process in the background of a shell script
            signal.signal(number, stop)
