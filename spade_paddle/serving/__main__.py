"""``python -m spade_paddle.serving``: the doodle page and its service, without PaddleHub."""

from __future__ import annotations

import argparse
import sys

from spade_paddle.cli import run_tool
from spade_paddle.engine.cpu import apply_cpu_settings
from spade_paddle.fields import Entry
from spade_paddle.serving.settings import TABLE, ServiceSettings, variable


def main() -> int:
    """Parse the options and serve."""
    parser = argparse.ArgumentParser(
        prog="python -m spade_paddle.serving",
        description="Serve the doodle page. Options default to environment variables.",
    )
    for setting in TABLE:
        if not setting.secret:  # other users of the computer can see command lines
            parser.add_argument(_option(setting.name), dest=setting.name, help=_help(setting))
    return run_tool(serve, parser)


def serve(arguments: argparse.Namespace) -> int:
    """Serve until a signal."""
    settings = ServiceSettings.read(vars(arguments), given_as=_option)
    apply_cpu_settings()
    from spade_paddle.serving.plain import run  # after the CPU settings

    run(settings)
    return 0


def _option(name: str) -> str:
    return "--" + name.replace("_", "-")


def _help(setting: Entry) -> str:
    default = "" if setting.default in (None, ()) else f" Default: {setting.default}."
    return f"{setting.meaning}{default} ({variable(setting.name)})".replace("%", "%%")


if __name__ == "__main__":
    sys.exit(main())
