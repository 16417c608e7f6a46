"""``python -m spade_paddle.config_table > docs/configuration.md``: the table of all fields.

With ``--schema`` it prints the JSON schema of a configuration, by which editors complete and check.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from typing import Any

from pydantic import TypeAdapter

from spade_paddle.config import Config
from spade_paddle.fields import entries

HEAD = """# Configuration

All fields of a configuration file (`configs/*.yaml`); `--set FIELD=VALUE` changes one. Fields that
are left out have their defaults. Files are YAML 1.2: `2e-4` is a number, `yes` and `on` are text.
Unknown or duplicate fields, wrong types and values out of range are errors that name the file, the
line and what was expected.

`python -m spade_paddle.config_table` generates this page from
[config.py](../spade_paddle/config.py) and [data_config.py](../spade_paddle/data_config.py), which
also describes the load modes. With `--schema` it prints a JSON schema for completion and validation
in editors; in VS Code, start a file with `# yaml-language-server: $schema=FILE`.
"""


def table() -> str:
    """Return the page in Markdown."""
    whole: Any = Config  # type checkers do not know __pydantic_fields__
    fields = whole.__pydantic_fields__.items()
    sections = {
        name: field.annotation
        for name, field in fields
        if dataclasses.is_dataclass(field.annotation)
    }
    lines = [HEAD]
    for section, kind in {"": whole, **sections}.items():
        lines += [f"## `{section}`" if section else "## Top level", "", _text(kind.__doc__), ""]
        lines += ["| Field | Must be | Default | Meaning |", "|---|---|---|---|"]
        for entry in entries(kind, f"{section}." if section else ""):
            if entry.name.rpartition(".")[0] == section:
                limits = ", ".join(filter(None, (entry.kind.__name__, entry.limits)))
                cells = f"`{entry.name}`", limits, f"`{_value(entry.default)}`", entry.meaning
                lines.append(f"| {' | '.join(cells)} |")
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def _text(docstring: str) -> str:
    return "\n".join(line.strip() for line in docstring.strip().splitlines())


def _value(default: object) -> str:
    return default if isinstance(default, str) else json.dumps(default)


def main() -> int:
    """Print the page or the schema."""
    parser = argparse.ArgumentParser(description="Print all fields of a configuration.")
    parser.add_argument("--schema", action="store_true", help="as a JSON schema, for editors")
    schema = parser.parse_args().schema
    print(json.dumps(TypeAdapter(Config).json_schema(), indent=1) if schema else table(), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
