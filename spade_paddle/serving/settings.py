"""The service's settings: one table for names, environment variables, defaults and meanings.

A value comes from the module's ``init_args`` (or keyword of ``hub.Module``) or from the plain
server's options, else from the environment variable, else it is the default. The fields of
``Settings`` are the one source: ``TABLE``, the README (by a test), the module's arguments (by a
test) and the plain server's options follow them.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from spade_paddle.errors import ConfigError

MIB = 1024 * 1024
# A scheme, a host name or IPv4 address, maybe a port: what browsers put into "Origin".
_ORIGIN = re.compile(r"https?://[A-Za-z0-9.-]+(:\d{1,5})?")
_TOKEN = re.compile(r"[!-~]{8,}")


@dataclass(frozen=True)
class Setting:
    """One row of the table; ``parse`` turns text or a JSON value into the checked value.

    ``plain_only``: PaddleHub has an option of its own for it. ``secret``: never to be shown.
    """

    name: str
    default: Any
    parse: Callable[[Any], Any]
    meaning: str
    plain_only: bool = False
    secret: bool = False

    @property
    def environment_variable(self) -> str:
        """The variable that sets it, such as ``GAUGAN_HOST``."""
        return "GAUGAN_" + self.name.upper()


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError("a text that is not empty")
    return value.strip()


def _whole_number(at_least: int, at_most: int | None = None) -> Callable[[Any], int]:
    wanted = f"a whole number of at least {at_least}"
    if at_most is not None:
        wanted = f"a whole number from {at_least} to {at_most}"

    def parse(value: Any) -> int:
        """Raises ValueError, whose text says what was wanted."""
        if isinstance(value, (bool, float)):
            raise ValueError(wanted)
        try:
            number = int(value)
        except (TypeError, ValueError):
            raise ValueError(wanted) from None
        if number < at_least or (at_most is not None and number > at_most):
            raise ValueError(wanted)
        return number

    return parse


def _yes_or_no(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    answers = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}
    try:
        return answers[str(value).strip().lower()]
    except KeyError:
        raise ValueError("1, 0, true, false, yes or no") from None


def _origins(value: Any) -> tuple[str, ...]:
    wanted = (
        "origins such as https://a.example,http://localhost:5173 (scheme, host and port, "
        "no path and no slash at the end) or * alone for every page"
    )
    if isinstance(value, str):
        value = [part.strip() for part in value.split(",") if part.strip()]
    if not isinstance(value, (list, tuple)) or not all(isinstance(part, str) for part in value):
        raise ValueError(wanted)
    if tuple(value) == ("*",):
        return ("*",)
    if not all(_ORIGIN.fullmatch(part) for part in value):
        raise ValueError(wanted)
    return tuple(value)


def _token(value: Any) -> str:
    if not isinstance(value, str) or not _TOKEN.fullmatch(value.strip()):
        raise ValueError(
            "at least 8 letters, digits and signs of ASCII without spaces, such as "
            "'openssl rand -hex 16' prints"
        )
    return value.strip()


def _row(default: Any, parse: Callable[[Any], Any], meaning: str, **marks: bool) -> Any:
    """A field of ``Settings`` that knows the rest of its row; ``marks`` as in ``Setting``."""
    row = {"parse": parse, "meaning": meaning, **marks}
    return field(default=default, metadata=row, repr=not marks.get("secret", False))


@dataclass(frozen=True)
class Settings:
    """The checked values. Each row: default, how it is read, meaning."""

    host: str = _row(
        "127.0.0.1",
        _text,
        "Address to listen on. The default answers this computer only; 0.0.0.0 opens the service "
        "to the network.",
    )
    port: int = _row(
        8866,
        _whole_number(1, 65535),
        "Port of the plain server. PaddleHub has -p for it.",
        plain_only=True,
    )
    workers: int = _row(
        1,
        _whole_number(1),
        "Processes of the plain server, each with a painter. PaddleHub has --use_multiprocess -w.",
        plain_only=True,
    )
    threads: int | None = _row(
        None, _whole_number(1), "CPU threads for painting. The painter chooses by default."
    )
    use_gpu: bool = _row(False, _yes_or_no, "Paint on the GPU (needs paddlepaddle-gpu).")
    model: str | None = _row(
        None, _text, "Model folder to serve. By default the weights/ of the PaddleHub module."
    )
    cors_origins: tuple[str, ...] = _row(
        (),
        _origins,
        "Pages on other hosts that may call the service, separated by commas. None by default.",
    )
    api_token: str | None = _row(
        None,
        _token,
        "Requests to paint must carry it: 'Authorization: Bearer TOKEN'. None by default.",
        secret=True,
    )
    max_body_bytes: int = _row(
        20 * MIB, _whole_number(1024), "Largest request body; more is a 413."
    )
    max_pixels: int = _row(
        MIB,
        _whole_number(32 * 32),
        "Largest label map, width times height. The model may set a lower limit.",
    )
    max_images: int = _row(8, _whole_number(1), "Most label maps in one request.")
    queue_length: int = _row(
        16,
        _whole_number(0),
        "Requests that may wait while one is painted; the next gets a 503 and may try again.",
    )
    max_wait_seconds: int = _row(
        60,
        _whole_number(1),
        "Longest time from the arrival of a request to its pictures; then it gets a 503.",
    )
    batch_size: int = _row(
        1,
        _whole_number(1),
        "Waiting label maps of one size that are painted together. More than 1 is slower on a CPU "
        "and may be faster on a GPU.",
    )
    cache_mib: int = _row(
        64,
        _whole_number(0),
        "Memory for painted pictures, in MiB: an equal request is answered from there. 0 paints "
        "every time.",
    )
    idle_seconds: int = _row(
        60, _whole_number(1), "A connection on which nothing moves for so long is closed."
    )
    stop_seconds: int = _row(
        30,
        _whole_number(0),
        "Time that requests which have begun get to finish when the service is stopped.",
    )
    access_log: bool = _row(
        True, _yes_or_no, "One line in the log for every request but /healthz and /metrics."
    )
    annotate: bool = _row(
        True,
        _yes_or_no,
        "Photos may become doodles (needs PaddleSeg, loads it with the first photo).",
    )

    @classmethod
    def read(
        cls,
        given: Mapping[str, Any] | None = None,
        *,
        environ: Mapping[str, str] | None = None,
        given_as: Callable[[str], str] = "init_args '{}'".format,
    ) -> Settings:
        """Collect the settings; ``None`` in ``given`` and an empty variable mean "not given".

        Args:
            given: values by name; they win.
            environ: the environment variables; those of this process by default.
            given_as: what the person knows a given value by, of its name.

        Raises:
            ConfigError: an unknown name in ``given``, or a value that does not parse.
        """
        given = dict(given or {})
        environ = os.environ if environ is None else environ
        names = [setting.name for setting in TABLE]
        for unknown in sorted(set(given) - set(names)):
            raise ConfigError(
                f"{given_as(unknown)}: there is no such setting; there are {', '.join(names)}",
                code="setting_unknown",
                setting=unknown,
            )
        values: dict[str, Any] = {}
        for setting in TABLE:
            if given.get(setting.name) is not None:
                value, source = given[setting.name], given_as(setting.name)
            elif environ.get(setting.environment_variable, "").strip():
                source = setting.environment_variable
                value = environ[source]
            else:
                continue
            values[setting.name] = _parsed(setting, value, source=source)
        return cls(**values)


def _parsed(setting: Setting, value: Any, *, source: str) -> Any:
    try:
        return setting.parse(value)
    except ValueError as error:
        came = "something else" if setting.secret else repr(value)
        raise ConfigError(
            f"setting {source}: expected {error}, got {came}",
            code="setting_invalid",
            setting=setting.name,
        ) from (None if setting.secret else error)


TABLE = tuple(
    Setting(name=row.name, default=row.default, **row.metadata) for row in fields(Settings)
)
