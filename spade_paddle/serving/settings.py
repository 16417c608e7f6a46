"""The service's settings: one table for names, environment variables, defaults and meanings.

A value comes from the module's ``init_args`` (or keyword of ``hub.Module``), else from the
environment variable, else it is the default. ``TABLE`` is what the README shows and what a test
compares with it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from spade_paddle.errors import ConfigError

MIB = 1024 * 1024
# A scheme, a host name or IPv4 address, maybe a port: what browsers put into "Origin".
_ORIGIN = re.compile(r"https?://[A-Za-z0-9.-]+(:\d{1,5})?")


@dataclass(frozen=True)
class Setting:
    """One row of the table; ``parse`` turns text or a JSON value into the checked value."""

    name: str
    default: Any
    parse: Callable[[Any], Any]
    meaning: str

    @property
    def environment_variable(self) -> str:
        """The variable that sets it, such as ``GAUGAN_HOST``."""
        return "GAUGAN_" + self.name.upper()


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError("a text that is not empty")
    return value.strip()


def _whole_number(at_least: int) -> Callable[[Any], int]:
    def parse(value: Any) -> int:
        wanted = f"a whole number of at least {at_least}"
        if isinstance(value, (bool, float)):
            raise ValueError(wanted)
        try:
            number = int(value)
        except (TypeError, ValueError):
            raise ValueError(wanted) from None
        if number < at_least:
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


TABLE = (
    Setting(
        "host",
        "127.0.0.1",
        _text,
        "Address to listen on. The default answers this computer only; 0.0.0.0 opens the service "
        "to the network.",
    ),
    Setting(
        "cors_origins",
        (),
        _origins,
        "Pages on other hosts that may call the service, separated by commas. None by default.",
    ),
    Setting(
        "max_body_bytes", 20 * MIB, _whole_number(1024), "Largest request body; more is a 413."
    ),
    Setting(
        "max_pixels",
        MIB,
        _whole_number(32 * 32),
        "Largest label map, width times height. The model may set a lower limit.",
    ),
    Setting("max_images", 8, _whole_number(1), "Most label maps in one request."),
    Setting(
        "queue_length",
        16,
        _whole_number(0),
        "Requests that may wait while one is painted; the next gets a 503 and may try again.",
    ),
    Setting(
        "max_wait_seconds",
        60,
        _whole_number(1),
        "Longest wait in that queue before a 503.",
    ),
    Setting(
        "idle_seconds",
        60,
        _whole_number(1),
        "A connection on which nothing moves for so long is closed.",
    ),
    Setting(
        "threads",
        None,
        _whole_number(1),
        "CPU threads for painting. The painter chooses by default.",
    ),
    Setting("use_gpu", False, _yes_or_no, "Paint on the GPU (needs paddlepaddle-gpu)."),
    Setting(
        "annotate",
        True,
        _yes_or_no,
        "Photos may become doodles (needs PaddleSeg, loads it with the first photo).",
    ),
    Setting(
        "model",
        None,
        _text,
        "Model folder to serve instead of the module's own weights/.",
    ),
)


@dataclass(frozen=True)
class Settings:
    """The checked values; see ``TABLE`` for what each means."""

    host: str = "127.0.0.1"
    cors_origins: tuple[str, ...] = ()
    max_body_bytes: int = 20 * MIB
    max_pixels: int = MIB
    max_images: int = 8
    queue_length: int = 16
    max_wait_seconds: int = 60
    idle_seconds: int = 60
    threads: int | None = None
    use_gpu: bool = False
    annotate: bool = True
    model: str | None = None

    @classmethod
    def read(
        cls,
        init_args: Mapping[str, Any] | None = None,
        *,
        environ: Mapping[str, str] | None = None,
    ) -> Settings:
        """Collect the settings; ``None`` in ``init_args`` and an empty variable mean "not given".

        Raises:
            ConfigError: an unknown name in ``init_args``, or a value that does not parse.
        """
        init_args = dict(init_args or {})
        environ = os.environ if environ is None else environ
        names = [setting.name for setting in TABLE]
        for unknown in sorted(set(init_args) - set(names)):
            raise ConfigError(
                f"init_args: there is no setting '{unknown}'; there are {', '.join(names)}",
                code="setting_unknown",
                setting=unknown,
            )
        values: dict[str, Any] = {}
        for setting in TABLE:
            if init_args.get(setting.name) is not None:
                value, source = init_args[setting.name], f"init_args '{setting.name}'"
            elif environ.get(setting.environment_variable, "").strip():
                source = setting.environment_variable
                value = environ[source]
            else:
                continue
            try:
                values[setting.name] = setting.parse(value)
            except ValueError as error:
                raise ConfigError(
                    f"setting {source}: expected {error}, got {value!r}",
                    code="setting_invalid",
                    setting=setting.name,
                ) from error
        return cls(**values)
