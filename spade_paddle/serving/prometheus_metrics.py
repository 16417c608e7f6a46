"""What the service counts, in the text format of Prometheus (``GET /metrics``)."""

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
    """The counters of one process, or of all after ``share_between_processes``."""

    def __init__(self) -> None:
        # its own: several services of one process (in tests) do not count into each other's
        self._registry = CollectorRegistry()
        counter = partial(Counter, registry=self._registry)
        # over several processes, the sum of those that live
        gauge = partial(Gauge, registry=self._registry, multiprocess_mode="livesum")
        histogram = partial(Histogram, registry=self._registry, buckets=_SECONDS)

        self.requests = counter(
            "gaugan_requests", "Answered requests.", ("method", "route", "status")
        )
        self.errors = counter("gaugan_errors", "Error answers.", ("code",))
        self.in_progress = gauge("gaugan_requests_in_progress", "Requests begun, not done.")
        self.request_seconds = histogram(
            "gaugan_request_seconds", "From the request to its answer.", ("route",)
        )
        self.queue_length = gauge("gaugan_queue_length", "Pictures and photos that wait.")
        self.painting_seconds = histogram(
            "gaugan_painting_seconds", "One run of the model, over one picture or a batch."
        )
        self.annotating_seconds = histogram(
            "gaugan_annotating_seconds", "One photo, unpacked and annotated."
        )
        self.pictures = counter("gaugan_pictures", "Painted pictures.")
        self.cache_hits = counter(
            "gaugan_cache_hits", "Pictures that were given again from memory."
        )
        self.joined = counter(
            "gaugan_joined", "Pictures that were just being painted for an equal request."
        )
        build = ("version", "model", "model_version")
        self.build = gauge("gaugan_build_info", "Always 1.", build, multiprocess_mode="max")

    def text(self) -> bytes:
        """All of it, as ``GET /metrics`` answers it."""
        if not getattr(values.ValueClass, "_multiprocess", False):
            return generate_latest(self._registry)
        everybody = CollectorRegistry()
        MultiProcessCollector(everybody)
        return generate_latest(everybody)


def share_between_processes() -> Path:
    """Let this process and those forked from it count together, in files of a new folder.

    Only a ``Metrics`` made after it is shared. The library looks for the variable when it is
    imported, which something else may have done already.

    Returns:
        the folder, which is to be removed at the end.
    """
    folder = tempfile.mkdtemp(prefix="gaugan-metrics-")
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
    values.ValueClass = values.get_value_class()
    return Path(folder)
