"""``spade-paddle COMMAND ...``: the commands of tools/ and ``serve``, wherever the package lies."""

from __future__ import annotations

import ast
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

from spade_paddle.assets import TOOLS
from spade_paddle.errors import did_you_mean

SERVE = "serve"


def main() -> int:
    """Run the command that the first argument names, with the arguments after it."""
    files = {path.stem.replace("_", "-"): path for path in sorted(TOOLS.glob("*.py"))}
    name = sys.argv[1] if len(sys.argv) > 1 else "--help"
    if name in ("-h", "--help"):
        print("usage: spade-paddle COMMAND ...   (COMMAND --help shows its options)\n")
        for command, path in files.items():
            text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
            print(f"  {command:16} {text.splitlines()[0]}")
        print(f"  {SERVE:16} Serve the doodle page.")
        return 0
    if name not in (*files, SERVE):
        hint = did_you_mean(name, [*files, SERVE], otherwise="--help lists them")
        print(f"error: there is no command '{name}'; {hint}", file=sys.stderr)
        return 2
    sys.argv = [f"spade-paddle {name}", *sys.argv[2:]]  # the program name in its usage
    if name == SERVE:
        from spade_paddle.serving.__main__ import main as serve

        return serve()
    return _module(files[name]).main()


def _module(path: Path) -> ModuleType:
    """Import a file outside the package as a module."""
    spec = importlib.util.spec_from_file_location(f"spade_paddle_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    sys.exit(main())
