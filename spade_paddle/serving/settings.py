"""The service's settings: one table for names, environment variables, defaults and meanings.

A value comes from the module's ``init_args`` (or keyword of ``hub.Module``) or from the plain
server's options, else from the environment variable, else it is the default. The fields of
``ServiceSettings`` are the one source: ``TABLE``, the README (by a test), the module's arguments
(by a test) and the plain server's options follow them.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Annotated, Any, Callable, Literal, Optional

from annotated_types import Ge, Le
from pydantic import BeforeValidator, ConfigDict, StringConstraints
from pydantic.dataclasses import dataclass

from spade_paddle.fields import entries, of
from spade_paddle.reading import build

MIB = 1024 * 1024
# A scheme, a host name or IPv4 address, and an optional port, as in the header "Origin".
_ORIGIN = re.compile(r"https?://[A-Za-z0-9.-]+(:\d{1,5})?")
_HOST = re.compile(r"\.?[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*|\[[0-9a-fA-F:]+\]")
PLAIN_ONLY = ("port", "workers")
"""Settings of the plain server only: PaddleHub has its own options for them."""


def variable(setting: str) -> str:
    """The environment variable of a setting, such as ``GAUGAN_HOST``."""
    return "GAUGAN_" + setting.upper()


def _no_fraction(value: Any) -> Any:
    if isinstance(value, (bool, float)):
        raise ValueError
    return value


def _listed(value: Any, form: re.Pattern[str]) -> tuple[str, ...]:
    if isinstance(value, str):
        value = [part.strip() for part in value.split(",") if part.strip()]
    good = isinstance(value, (list, tuple)) and all(isinstance(part, str) for part in value)
    if not good or not all(map(form.fullmatch, value)):
        raise ValueError
    return tuple(value)


def _origins(value: Any) -> tuple[str, ...]:
    return ("*",) if value in ("*", ["*"], ("*",)) else _listed(value, _ORIGIN)


def _hosts(value: Any) -> tuple[str, ...]:
    return _listed(value, _HOST)


Text = Annotated[str, StringConstraints(min_length=1), "a non-empty string"]
YesNo = Annotated[bool, "1, 0, true, false, yes or no"]
Whole = Annotated[int, BeforeValidator(_no_fraction)]
From0 = Annotated[Whole, Ge(0), "a whole number of at least 0"]
From1 = Annotated[Whole, Ge(1), "a whole number of at least 1"]
From1024 = Annotated[Whole, Ge(1024), "a whole number of at least 1024"]
Port = Annotated[Whole, Ge(1), Le(65535), "a whole number from 1 to 65535"]
Origins = Annotated[
    tuple[str, ...],
    BeforeValidator(_origins),
    "origins such as https://a.example,http://localhost:5173 (scheme, host and port, "
    "no path and no trailing slash) or * alone for any origin",
]
Hosts = Annotated[
    tuple[str, ...],
    BeforeValidator(_hosts),
    "names such as doodle.example.org,localhost, without port; .example.org for all its subdomains",
]
Token = Annotated[
    str,
    StringConstraints(pattern=r"^[!-~]{8,}$"),
    "at least 8 printable ASCII characters without spaces, such as the output of "
    "'openssl rand -hex 16'",
]


@dataclass(frozen=True, config=ConfigDict(extra="forbid", hide_input_in_errors=True))
class ServiceSettings:
    """The validated settings of the service."""

    host: Text = of(
        "127.0.0.1", "Address to listen on: this computer only. 0.0.0.0 opens it to the network."
    )
    port: Port = of(8866, "Port of the plain server. PaddleHub has -p for it.")
    workers: From1 = of(
        1, "Processes of the plain server, each with a painter. PaddleHub: --use_multiprocess -w."
    )
    threads: Optional[From1] = of(
        None, "CPU threads for painting. By default the cores, divided among workers."
    )
    use_gpu: YesNo = of(False, "Paint on the GPU (needs paddlepaddle-gpu).")
    engine: Literal["auto", "paddle", "native"] = of(
        "auto", "Our runtime for CPUs (native) or Paddle Inference; auto: native if available."
    )
    keep_memory: YesNo = of(
        True, "Keep freed memory for the next picture, which is faster (glibc only)."
    )
    model: Optional[Text] = of(None, "Model folder. By default the PaddleHub module's weights/.")
    cors_origins: Origins = of(
        (), "Origins of pages on other hosts that may call, separated by commas."
    )
    proxies: From0 = of(
        0, "Reverse proxies in front of the service, to be trusted with X-Forwarded-For."
    )
    hosts: Hosts = of((), "Host names that requests may use, separated by commas. By default any.")
    api_token: Optional[Token] = of(
        None, "Token that every POST must carry: 'Authorization: Bearer TOKEN'.", secret=True
    )
    max_body_bytes: From1024 = of(20 * MIB, "Largest request body; a larger one gets a 413.")
    max_pixels: From1024 = of(
        MIB, "Most pixels of all label maps in a request; a model may allow fewer."
    )
    max_images: From1 = of(8, "Most label maps in one request.")
    queue_length: From0 = of(16, "Requests that may wait while one is painted; others get a 503.")
    max_wait_seconds: From1 = of(
        60, "Longest wait of a request for its pictures; then it gets a 503."
    )
    batch_size: From1 = of(
        1, "Queued maps of one size to paint as a batch. Slower on a CPU, maybe faster on a GPU."
    )
    cache_mib: From0 = of(64, "MiB of painted pictures to cache for equal requests. 0: no cache.")
    idle_seconds: From1 = of(60, "Seconds after which an idle connection is closed.")
    stop_seconds: From0 = of(
        30, "Seconds that running requests get to finish when the service is stopped."
    )
    access_log: YesNo = of(True, "Log every request except /healthz and /metrics.")
    annotate: YesNo = of(True, "Turn photos into label maps (needs PaddleSeg).")

    @classmethod
    def read(
        cls,
        given: Mapping[str, Any] | None = None,
        *,
        environ: Mapping[str, str] | None = None,
        given_as: Callable[[str], str] = "init_args '{}'".format,
    ) -> ServiceSettings:
        """Collect the settings; ``None`` in ``given`` and empty variables count as not given.

        Args:
            given: values by name, which take precedence over the environment.
            environ: the environment variables; by default those of this process.
            given_as: formats a name in ``given`` for error messages, such as ``--host``.

        Raises:
            ConfigError: an unknown name in ``given``, or an invalid value.
        """
        environ = os.environ if environ is None else environ
        given = {name: value for name, value in (given or {}).items() if value is not None}
        found = {row.name: environ.get(variable(row.name), "") for row in TABLE}
        values = {**{name: text for name, text in found.items() if text.strip()}, **given}
        values = {k: v.strip() if isinstance(v, str) else v for k, v in values.items()}

        def place(name: str) -> str:
            return f"setting {given_as(name) if name in given else variable(name)}"

        return build(cls, values, place=place, noun="setting")


TABLE = tuple(entries(ServiceSettings))
