"""The web server of every mode: waitress, in this process or in each worker of gunicorn.

A request occupies a thread only after it has been received completely, so slow or idle clients do
not block others. This module adds to waitress a limit for slow uploads, the replacement of idle
connections when too many are open, errors in the service's format, and a graceful stop.
"""

from __future__ import annotations

import io
import logging
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Sequence
from types import FrameType
from typing import Any

from flask import Flask
from waitress import wasyncore
from waitress.adjustments import Adjustments
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser
from waitress.server import TcpWSGIServer
from waitress.task import ThreadedTaskDispatcher, WSGITask
from waitress.utilities import RequestEntityTooLarge

from spade_paddle.serving.error_answers import MAX_DRAINED_BYTES
from spade_paddle.serving.service import PaintService

ERROR = "spade_paddle.http_error"
"""WSGI environment key of requests that the parser rejected; its value is the status."""

CONNECTIONS = 500  # per process; open files are usually limited to 1024
THREADS = 128  # more than queue_length, because each waiting request holds a thread
SLOWEST_BYTES_PER_SECOND = 20_000  # of a body, after the first idle_seconds
_TICK_SECONDS = 1

logger = logging.getLogger("spade_paddle.serving")


class _Request(HTTPRequestParser):
    """Parses a request as it arrives. A body that is too large is read and discarded, because
    clients that cannot finish sending show a network error instead of the response."""

    _left_to_drain = 0

    def __init__(self, adj: Adjustments) -> None:
        super().__init__(adj)
        self.begun = time.time()

    def received(self, data: bytes) -> int:
        """See HTTPRequestParser."""
        if self._left_to_drain:
            taken = min(len(data), self._left_to_drain)
            self._left_to_drain -= taken
            self.body_bytes_received += taken
            self.completed = not self._left_to_drain
            return taken
        taken = super().received(data)
        if isinstance(self.error, RequestEntityTooLarge) and not self.chunked:
            self._left_to_drain = min(self.content_length, MAX_DRAINED_BYTES)
            self.completed = False
        return taken

    def is_too_slow(self, *, timeout: float) -> bool:
        """Whether it has been arriving for longer than ``timeout`` seconds, plus the time its body
        takes at SLOWEST_BYTES_PER_SECOND."""
        allowed = timeout + self.body_bytes_received / SLOWEST_BYTES_PER_SECOND
        return time.time() - self.begun > allowed


class _Refusal(WSGITask):
    """Passes a request that the parser rejected to the app, for its error format and metrics."""

    def __init__(self, channel: HTTPChannel, request: HTTPRequestParser) -> None:
        super().__init__(channel, request)
        defaults = {"command": "GET", "path": "/", "query": "", "request_uri": "/"}
        for name, value in {**defaults, "url_scheme": "http"}.items():
            if not hasattr(request, name):
                setattr(request, name, value)

    def get_environment(self) -> dict[str, Any]:
        """See WSGITask."""
        environ = super().get_environment()
        environ.pop("CONTENT_LENGTH", None)
        environ["wsgi.input"] = io.BytesIO()
        environ[ERROR] = self.request.error.code
        return environ

    def execute(self) -> None:
        """See WSGITask."""
        self.set_close_on_finish()
        super().execute()


class _Connection(HTTPChannel):
    parser_class = _Request
    error_task_class = _Refusal

    @property
    def is_busy(self) -> bool:
        """Whether a complete request has not been fully answered."""
        return bool(self.requests) or self.total_outbufs_len > 0

    @property
    def idle_since(self) -> float:
        """When the incomplete request began; without one, the time of the last activity."""
        return self.last_activity if self.request is None else self.request.begun


class _Listener(TcpWSGIServer):
    """Accepts the connections of one socket."""

    channel_class = _Connection

    def handle_accept(self) -> None:
        """Accept a connection. If there are too many, close the one that has gone longest without
        a complete request."""
        connections = list(self.active_channels.values())
        if len(connections) >= CONNECTIONS:
            idle = [one for one in connections if not one.is_busy]
            if idle:
                min(idle, key=lambda one: one.idle_since).handle_close()
        super().handle_accept()

    def maintenance(self, now: float) -> None:
        """Close idle connections, and those whose requests arrive too slowly."""
        super().maintenance(now)
        for connection in self.active_channels.values():
            request = connection.request
            if request is not None and request.is_too_slow(timeout=self.adj.channel_timeout):
                connection.will_close = True

    def stop_listening(self) -> None:
        """Stop accepting connections; open ones stay open."""
        self.accepting = False
        self.del_channel()
        self.socket.close()


class WebServer:
    """Serves an app; its event loop runs in the thread that calls ``run``.

    Args:
        app: the app, called in threads of this server.
        sockets: bound sockets.
        service: the app's service, whose settings have the limits.
    """

    def __init__(
        self, app: Flask, *, sockets: Sequence[socket.socket], service: PaintService
    ) -> None:
        settings = service.settings
        self._service = service
        self._map: dict[int, Any] = {}
        self._stopping = False
        limits = Adjustments(
            ident="gaugan_doodle",  # the header "Server", without versions
            threads=THREADS,
            # reading ahead is how waitress notices that a client has disconnected
            channel_request_lookahead=1,
            channel_timeout=settings.idle_seconds,
            cleanup_interval=min(settings.idle_seconds, 5),
            connection_limit=CONNECTIONS + len(sockets) + 100,  # see _Listener.handle_accept
            max_request_body_size=settings.max_body_bytes + 1,
            max_request_header_size=32 * 1024,
            clear_untrusted_proxy_headers=False,  # see the setting "proxies"
            asyncore_use_poll=True,
        )
        logging.getLogger("waitress").setLevel(logging.ERROR)
        threads = ThreadedTaskDispatcher()
        threads.set_thread_count(limits.threads)
        self._listeners = [
            _Listener(
                app,
                self._map,
                _sock=one,
                dispatcher=threads,
                adj=limits,
                bind_socket=False,
                sockinfo=(one.family, one.type, one.proto, one.getsockname()),
            )
            for one in sockets
        ]

    def stop(self) -> None:
        """Make ``run`` finish the complete requests and return; safe in a signal handler."""
        self._stopping = True
        self._listeners[0].pull_trigger()

    def run(self, *, tick: Callable[[], None] = lambda: None) -> bool:
        """Serve until ``stop``, then finish running requests within ``stop_seconds``.

        Args:
            tick: called at least every two seconds.

        Returns:
            Whether all requests were finished.
        """
        while not self._stopping:
            self._poll(tick)
        logger.info("stopping: running requests are finished")
        for listener in self._listeners:
            listener.stop_listening()
        seconds = self._service.settings.stop_seconds
        if self._finish(seconds, tick):
            return True
        logger.warning("requests unfinished after stop_seconds = %s are aborted", seconds)
        self._service.queue.refuse_waiting()
        self._finish(1, tick)  # send the responses of those that waited
        return False

    def _finish(self, seconds: float, tick: Callable[[], None]) -> bool:
        until = time.monotonic() + seconds
        while any(one.is_busy for one in self._connections()):
            if time.monotonic() > until:
                return False
            self._poll(tick, timeout=0.1)
        return True

    def _poll(self, tick: Callable[[], None], *, timeout: float = _TICK_SECONDS) -> None:
        wasyncore.loop(timeout=timeout, use_poll=True, map=self._map, count=1)
        tick()

    def _connections(self) -> list[_Connection]:
        return [one for each in self._listeners for one in list(each.active_channels.values())]


def serve(app: Flask, *, port: int, service: PaintService) -> None:
    """Serve until SIGTERM or Ctrl-C, then finish running requests and exit with code 0.

    Call it in the main thread. A second signal ends the process immediately.

    Raises:
        SystemExit: at the end.
        OSError: the address cannot be bound.
    """
    host = service.settings.host
    service.warm_up()  # before the port opens
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.create_server((host, port), family=family, backlog=1024)
    server = WebServer(app, sockets=[listening], service=service)
    _stop_at_signals(server)
    logger.info("the doodle page is at http://%s:%s/ (Ctrl-C to stop)", host, port)
    if server.run():
        sys.exit(0)
    logging.shutdown()
    os._exit(0)  # sys.exit would wait for the painting thread


def _stop_at_signals(server: WebServer) -> None:
    previous = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def stop(number: int, frame: FrameType | None) -> None:
        for each, handler in previous.items():
            signal.signal(each, handler)
        server.stop()

    for number, handler in previous.items():
        if handler is not signal.SIG_IGN:  # ignored by background processes of shell scripts
            signal.signal(number, stop)
