"""The page's modules and style sheets, each kind as one file: a slow line waits once, not 70 times.

The page is written as ES modules that browsers can load as they are. Here each becomes a function
that runs at once and gives what it exports, after those of the modules that it imports:

    const $2 = (() => { const { Problem } = $1; ... return { Service }; })();

This holds for modules that import in no circle and export nothing that changes later. What cannot
be read so is an error, and never left in; a service then serves the modules one by one.
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass
from pathlib import Path

# At the start of a line, or of a statement in minified code.
_START = r"(?:^|(?<=[;}]))"
_IMPORT = re.compile(
    _START + r'import\s*(?:(?P<default>\w+)|\{(?P<names>[^}]*)\})\s*from\s*"(?P<address>[^"]+)";?',
    re.MULTILINE,
)
_EXPORTED = re.compile(
    r"^export (?=(?:(?:async )?function\*?|class|const) (?P<name>[\w$]+))", re.MULTILINE
)
_DEFAULT = re.compile(_START + r"export default ", re.MULTILINE)
_LIST = re.compile(_START + r"export\s*\{(?P<names>[^}]*)\};?", re.MULTILINE)
_LEFT = re.compile(
    _START + r"[ \t]*(?:import|export)\b.*|\bimport\s*[.(].*|^[^\s/].*\bawait\b.*", re.MULTILINE
)
# Whole lines of them; they are a sixth of what a browser would load.
_COMMENTS = re.compile(
    r"^[ \t]*(?://[^\n]*|/\*\*(?:(?!\*/).)*\*/[ \t]*)\n", re.MULTILINE | re.DOTALL
)
_STYLE = re.compile(r'[ \t]*<link rel="stylesheet" href="(ui/[^"]+)">\n')
_SCRIPT = re.compile(r'(?<=<script type="module" src=")ui/[^"]+(?="></script>)')
_ELSEWHERE = re.compile(r"@import\b.*|\burl\((?!['\"]?data:).*")
FORMS = (
    'import { a, b as c } from "./x.js", import a from "./x.js", export const, function, class or '
    "default, and export { a, b as c }; no circles; await in functions only"
)


class CannotJoin(Exception):
    """A file of the page that cannot be joined with others; says which, where and why."""


@dataclass(frozen=True)
class JoinedPage:
    """``index.html``, to be filled with the addresses of the other two; and their contents."""

    index: str
    script: str
    style: str

    def index_for(self, *, script: str, style: str) -> str:
        """``index.html`` that loads its script and its style sheet from these addresses."""
        before, _, after = _STYLE.split(self.index, maxsplit=1)  # the pattern has one group
        link = f'    <link rel="stylesheet" href="{style}">\n'
        return _SCRIPT.sub(script, before + link + _STYLE.sub("", after))


def join_page(page: Path) -> JoinedPage:
    """Join what ``index.html`` in the folder ``page`` names.

    Raises:
        CannotJoin: a module or a style sheet has a form that is not understood.
        OSError, UnicodeDecodeError: a file cannot be read.
    """
    index = (page / "index.html").read_text(encoding="utf-8")
    entries, sheets = _SCRIPT.findall(index), _STYLE.findall(index)
    if len(entries) != 1 or not sheets:
        raise CannotJoin("index.html: expected one module and style sheets")
    scripts = _Scripts(page)
    scripts.add(entries[0], asked_by="index.html")
    return JoinedPage(index, "\n".join(scripts.joined), join_styles(page, sheets))


def join_styles(page: Path, names: list[str]) -> str:
    """Style sheets one after the other; the result may lie in any folder.

    Raises:
        CannotJoin: one refers to another file.
    """
    texts = [(page / name).read_text(encoding="utf-8") for name in names]
    for name, text in zip(names, texts):
        if found := _ELSEWHERE.search(text):
            raise _not_understood(name, found, "no address of another file")
    return "\n".join(texts)


class _Scripts:
    """Modules, each behind those that it imports."""

    def __init__(self, page: Path) -> None:
        self.joined: list[str] = []
        self._page = page
        self._exports: dict[str, list[str]] = {}
        self._variables: dict[str, str] = {}

    def add(self, name: str, *, asked_by: str) -> None:
        """Join a module, by its path below ``page``, unless that is done."""
        if name in self._exports:
            return
        if name in self._variables:
            raise CannotJoin(f"{asked_by}: imports {name}, which imports it, maybe through others")
        self._variables[name] = variable = f"${len(self._variables)}"
        file = self._page / name
        if name.startswith("../") or not file.is_file():
            raise CannotJoin(f"{asked_by}: imports {name}, which is no file of the page")
        source = file.read_text(encoding="utf-8")
        text = _IMPORT.sub(lambda found: self._constants(name, found), source)
        exports: list[str] = []

        def take_list(found: re.Match) -> str:
            exports.extend(": ".join(reversed(pair)) for pair in _pairs(found["names"]))
            return ""

        def take_default(found: re.Match) -> str:
            exports.append("default: $default")
            return "const $default = "

        text = _LIST.sub(take_list, text)
        text = _DEFAULT.sub(take_default, text)
        exports += [found["name"] for found in _EXPORTED.finditer(text)]
        text = _EXPORTED.sub("", text)
        if found := _LEFT.search(text):
            raise _not_understood(name, found, FORMS)
        text = _COMMENTS.sub("", text)
        self._exports[name] = [export.partition(":")[0] for export in exports]
        given = ", ".join(exports)
        body = f"{text.strip()}\n;return {{ {given} }};"
        self.joined.append(f"// {name}\nconst {variable} = (() => {{\n{body}\n}})();")

    def _constants(self, name: str, found: re.Match) -> str:
        """What stands for an import statement; the module that it names is joined before."""
        address = posixpath.normpath(posixpath.join(posixpath.dirname(name), found["address"]))
        self.add(address, asked_by=name)
        pairs = [("default", found["default"])] if found["default"] else _pairs(found["names"])
        for wanted, _ in pairs:
            if wanted not in self._exports[address]:
                raise CannotJoin(f"{name}: imports {wanted}, which {address} does not export")
        names = ", ".join(": ".join(pair) for pair in pairs)
        return f"const {{ {names} }} = {self._variables[address]};"


def _pairs(names: str) -> list[tuple[str, str]]:
    """``a, b as c`` -> [(a, a), (b, c)]."""
    words = [name.split() for name in names.split(",") if name.strip()]
    return [(name[0], name[-1]) for name in words]


def _not_understood(name: str, found: re.Match, expected: str) -> CannotJoin:
    return CannotJoin(f"{name}: {found[0].strip()[:80]!r}; expected {expected}")
