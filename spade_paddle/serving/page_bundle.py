"""Bundles the page's modules and style sheets into one file each, which load faster than 70 files.

The page consists of ES modules that browsers can load as they are. In the bundle, each module is an
immediately invoked function that returns its exports, placed after the modules that it imports:

    const $2 = (() => { const { Problem } = $1; ... return { Service }; })();

This is equivalent if there are no circular imports and no export is reassigned. Any other form of
import or export raises an error; the service then serves the modules one by one.
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
# Comments on lines of their own, a sixth of the page's size.
_COMMENTS = re.compile(
    r"^[ \t]*(?://[^\n]*|/\*\*(?:(?!\*/).)*\*/[ \t]*)\n", re.MULTILINE | re.DOTALL
)
_STYLE = re.compile(r'[ \t]*<link rel="stylesheet" href="(ui/[^"]+)">\n')
_SCRIPT = re.compile(r'(?<=<script type="module" src=")ui/[^"]+(?="></script>)')
_ELSEWHERE = re.compile(r"@import\b.*|\burl\((?!['\"]?data:).*")
FORMS = (
    'import { a, b as c } from "./x.js", import a from "./x.js", export const, function, class or '
    "default, and export { a, b as c }; no circular imports; await in functions only"
)


class BundleError(Exception):
    """A file of the page cannot be bundled; the message says which, where and why."""


@dataclass(frozen=True)
class Bundle:
    """The original ``index.html``, and the contents of the bundled script and style sheet."""

    index: str
    script: str
    style: str

    def index_for(self, *, script: str, style: str) -> str:
        """``index.html`` with the URLs of the bundled script and style sheet."""
        before, _, after = _STYLE.split(self.index, maxsplit=1)  # split() also returns the group
        link = f'    <link rel="stylesheet" href="{style}">\n'
        return _SCRIPT.sub(script, before + link + _STYLE.sub("", after))


def bundle_page(page: Path) -> Bundle:
    """Bundle the modules and style sheets of ``index.html`` in the folder ``page``.

    Raises:
        BundleError: a module or a style sheet uses an unsupported form.
        OSError, UnicodeDecodeError: a file cannot be read.
    """
    index = (page / "index.html").read_text(encoding="utf-8")
    entries, sheets = _SCRIPT.findall(index), _STYLE.findall(index)
    if len(entries) != 1 or not sheets:
        raise BundleError("index.html: expected one module and at least one style sheet")
    scripts = _Scripts(page)
    scripts.add(entries[0], imported_by="index.html")
    return Bundle(index, "\n".join(scripts.modules), bundle_styles(page, sheets))


def bundle_styles(page: Path, names: list[str]) -> str:
    """Concatenate style sheets; the result works at any URL.

    Raises:
        BundleError: one refers to another file.
    """
    texts = [(page / name).read_text(encoding="utf-8") for name in names]
    for name, text in zip(names, texts):
        if found := _ELSEWHERE.search(text):
            raise _unsupported(name, found, "no reference to another file")
    return "\n".join(texts)


class _Scripts:
    """Bundled modules, each after the modules that it imports."""

    def __init__(self, page: Path) -> None:
        self.modules: list[str] = []
        self._page = page
        self._exports: dict[str, list[str]] = {}
        self._variables: dict[str, str] = {}

    def add(self, name: str, *, imported_by: str) -> None:
        """Add a module, given by its path below ``page``, unless it was added before."""
        if name in self._exports:
            return
        if name in self._variables:
            raise BundleError(f"{imported_by}: imports {name}, which imports it, maybe indirectly")
        self._variables[name] = variable = f"${len(self._variables)}"
        file = self._page / name
        if name.startswith("../") or not file.is_file():
            raise BundleError(f"{imported_by}: imports {name}, which is no file of the page")
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
            raise _unsupported(name, found, FORMS)
        text = _COMMENTS.sub("", text)
        self._exports[name] = [export.partition(":")[0] for export in exports]
        given = ", ".join(exports)
        body = f"{text.strip()}\n;return {{ {given} }};"
        self.modules.append(f"// {name}\nconst {variable} = (() => {{\n{body}\n}})();")

    def _constants(self, name: str, found: re.Match) -> str:
        """Replace an import statement by a declaration, after adding the imported module."""
        address = posixpath.normpath(posixpath.join(posixpath.dirname(name), found["address"]))
        self.add(address, imported_by=name)
        pairs = [("default", found["default"])] if found["default"] else _pairs(found["names"])
        for wanted, _ in pairs:
            if wanted not in self._exports[address]:
                raise BundleError(f"{name}: imports {wanted}, which {address} does not export")
        names = ", ".join(": ".join(pair) for pair in pairs)
        return f"const {{ {names} }} = {self._variables[address]};"


def _pairs(names: str) -> list[tuple[str, str]]:
    """``a, b as c`` -> [(a, a), (b, c)]."""
    words = [name.split() for name in names.split(",") if name.strip()]
    return [(name[0], name[-1]) for name in words]


def _unsupported(name: str, found: re.Match, expected: str) -> BundleError:
    return BundleError(f"{name}: {found[0].strip()[:80]!r}; expected {expected}")
