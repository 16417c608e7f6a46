"""The service's metrics, in the text format of Prometheus (``GET /metrics``)."""

from __future__ import annotations

import os
import tempfile
from functools import partial
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest, values
from prometheus_client.multiprocess import MultiProcessCollector

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)


class Metrics:
    """The metrics of one process, or of all after ``share_between_processes``."""

    def __init__(self) -> None:
        # a registry of its own, because tests run several services in one process
        self._registry = CollectorRegistry()
        counter = partial(Counter, registry=self._registry)
        # over several processes, the sum of those that are alive
        gauge = partial(Gauge, registry=self._registry, multiprocess_mode="livesum")
        histogram = partial(Histogram, registry=self._registry, buckets=_SECONDS)

        self.requests = counter(
            "gaugan_requests", "Requests with a response.", ("method", "route", "status")
        )
        self.errors = counter("gaugan_errors", "Error responses.", ("code",))
        self.in_progress = gauge("gaugan_requests_in_progress", "Requests in progress.")
        self.request_seconds = histogram(
            "gaugan_request_seconds", "From the request to its response.", ("route",)
        )
        self.queue_length = gauge("gaugan_queue_length", "Queued pictures and photos.")
        self.painting_seconds = histogram(
            "gaugan_painting_seconds", "One run of the model, on one picture or a batch."
        )
        self.annotating_seconds = histogram(
            "gaugan_annotating_seconds", "Decoding and annotating one photo."
        )
        self.pictures = counter("gaugan_pictures", "Painted pictures.")
        self.cache_hits = counter("gaugan_cache_hits", "Pictures returned from the cache.")
        self.joined = counter("gaugan_joined", "Pictures shared with an equal request in progress.")
        build = ("version", "model", "model_version")
        self.build = gauge("gaugan_build_info", "Always 1.", build, multiprocess_mode="max")

    def text(self) -> bytes:
        """The response of ``GET /metrics``, over all processes that share metrics."""
        if not getattr(values.ValueClass, "_multiprocess", False):
            return generate_latest(self._registry)
        registry = CollectorRegistry()
        MultiProcessCollector(registry)
        return generate_latest(registry)


def share_between_processes() -> Path:
    """Let this process and those forked from it share their metrics, in files of a new folder.

    Only instances of ``Metrics`` created afterwards are shared. The library reads the environment
    variable on import, which may have happened already, so its value class is set here, too.

    Returns:
        The folder, to be removed at the end.
    """
    folder = tempfile.mkdtemp(prefix="gaugan-metrics-")
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
    values.ValueClass = values.get_value_class()
    return Path(folder)
