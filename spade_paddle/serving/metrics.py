"""What the service counts, in the text format of Prometheus (``GET /metrics``)."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest, values
from prometheus_client.multiprocess import MultiProcessCollector

import spade_paddle

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)


class Metrics:
    """The counters of one process, or of all after ``share_between_processes``."""

    def __init__(self) -> None:
        # its own: several services of one process (in tests) do not count into each other's
        self._registry = CollectorRegistry()
        self.requests = self._counter(
            "gaugan_requests", "Answered requests.", labels=("method", "route", "status")
        )
        self.errors = self._counter("gaugan_errors", "Error answers.", labels=("code",))
        self.in_progress = self._gauge("gaugan_requests_in_progress", "Requests begun, not done.")
        self.request_seconds = self._histogram(
            "gaugan_request_seconds", "From the request to its answer.", labels=("route",)
        )
        self.queue_length = self._gauge("gaugan_queue_length", "Pictures that wait for painting.")
        self.painting_seconds = self._histogram(
            "gaugan_painting_seconds", "One run of the model, over one picture or a batch."
        )
        self.pictures = self._counter("gaugan_pictures", "Painted pictures.")
        self.cache_hits = self._counter(
            "gaugan_cache_hits", "Pictures that were given again from memory."
        )
        self.joined = self._counter(
            "gaugan_joined", "Pictures that were just being painted for an equal request."
        )
        self._build = self._gauge(
            "gaugan_build_info",
            "Always 1.",
            labels=("version", "model", "model_version"),
            mode="max",
        )

    def describe_build(self, *, model: str, model_version: str) -> None:
        """Tell which program and model these numbers are of."""
        self._build.labels(spade_paddle.__version__, model, model_version).set(1)

    def painted(self, seconds: float, *, pictures: int) -> None:
        """Count one run of the model."""
        self.painting_seconds.observe(seconds)
        self.pictures.inc(pictures)

    def text(self) -> bytes:
        """All of it, as ``GET /metrics`` answers it."""
        if not _is_shared():
            return generate_latest(self._registry)
        everybody = CollectorRegistry()
        MultiProcessCollector(everybody)
        return generate_latest(everybody)

    def _counter(self, name: str, meaning: str, *, labels: tuple[str, ...] = ()) -> Counter:
        return Counter(name, meaning, labels, registry=self._registry)

    def _gauge(
        self, name: str, meaning: str, *, labels: tuple[str, ...] = (), mode: str = "livesum"
    ) -> Gauge:
        """``mode``: what is made of the values of several processes."""
        return Gauge(name, meaning, labels, registry=self._registry, multiprocess_mode=mode)

    def _histogram(self, name: str, meaning: str, *, labels: tuple[str, ...] = ()) -> Histogram:
        return Histogram(name, meaning, labels, registry=self._registry, buckets=_SECONDS)


def share_between_processes() -> Path:
    """Let this process and those forked from it count together, in files of a new folder.

    To be called before any ``Metrics`` is made. The library looks for the variable when it is
    imported, which something else may have done already.

    Returns:
        the folder, which is to be removed at the end.
    """
    folder = tempfile.mkdtemp(prefix="gaugan-metrics-")
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
    values.ValueClass = values.get_value_class()
    return Path(folder)


def _is_shared() -> bool:
    return getattr(values.ValueClass, "_multiprocess", False)
