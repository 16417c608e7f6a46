"""Hooks of mkdocs: the site has the repository's folders, so that links in pages hold in both.

Its pages are those in the navigation (mkdocs.yml) and whatever they link to, other files as they
are. The reference (docs/api) is made of the names that ``spade_paddle`` offers.
"""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

import spade_paddle

ROOT = Path(__file__).parent.parent
_TARGET = re.compile(r"\]\(([^)\s#:]+)[^)]*\)|(?:src|href)=\"([^\"#:]+)\"")


def on_files(files: Files, *, config: Any) -> Files:
    """The theme's own files, ours, and the reference."""
    theirs = [file for file in files if file.src_dir != config.docs_dir]
    api = {f"docs/api/{part}.md": text for part, text in reference().items()}
    made = [File.generated(config, name, content=text) for name, text in api.items()]
    own = [name for name in pages(config.nav) if name not in api]
    styles = [name for name in config.extra_css if (ROOT / name).is_file()]
    names = with_links([*own, *styles])
    ours = [File.generated(config, name, abs_src_path=str(ROOT / name)) for name in names]
    return Files([*theirs, *made, *ours])


def on_page_markdown(markdown: str, *, page: Any, **_: Any) -> str:
    """What a forge reads and Python-Markdown does not: Markdown in what is folded, and lists in
    lists by two spaces, as in the module's READMEs."""
    markdown = markdown.replace("<details>", '<details markdown="1">')
    return wider_lists(markdown) if page.file.src_uri.startswith("hub_module/README") else markdown


def on_post_page(output: str, *, page: Any, **_: Any) -> str:
    """The language of Chinese pages, by which browsers choose fonts and voices."""
    chinese = page.file.src_uri.endswith("_zh.md")
    return output.replace('<html lang="en"', '<html lang="zh-CN"') if chinese else output


def wider_lists(markdown: str) -> str:
    """Nested lists by four spaces instead of two; code that is an entry of its own becomes part of
    the one above."""
    lines: list[str] = []
    shift: int | None = None  # of the code that these lines are in
    for line in markdown.split("\n"):
        text = line.lstrip(" ")
        indent = len(line) - len(text)
        if shift is not None:
            lines.append(" " * shift + line)
            shift = None if text.startswith("```") else shift
        elif text.startswith("- ```"):
            lines += ["", " " * 2 * indent + text[len("- ") :]]
            shift = indent - len("- ")
        else:
            lines.append(" " * indent + line)
            shift = indent if text.startswith("```") else None
    return "\n".join(lines)


def pages(nav: Any) -> list[str]:
    """The pages in a navigation."""
    if isinstance(nav, str):
        return [nav]
    entries = nav.values() if isinstance(nav, dict) else nav
    return [page for entry in entries for page in pages(entry)]


def with_links(names: list[str]) -> list[str]:
    """These files of the repository and all that they link to, by way of others, too."""
    found = dict.fromkeys(names)
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if not name.endswith(".md"):
            continue
        for groups in _TARGET.findall((ROOT / name).read_text(encoding="utf-8")):
            target = posixpath.normpath(posixpath.join(posixpath.dirname(name), *groups))
            if target not in found and not target.startswith("..") and (ROOT / target).is_file():
                found[target] = None
                waiting.append(target)
    return list(found)


def reference() -> dict[str, str]:
    """A page in Markdown for each part of the package, of the names that the package offers."""
    names = defaultdict(list)
    for name, place in spade_paddle._MODULES.items():
        names[place.partition(".")[0]].append((name, place))
    return {part: "\n".join(map(_entries, [part], [offered])) for part, offered in names.items()}


def _entries(part: str, offered: list[tuple[str, str]]) -> str:
    imports = ",\n    ".join(name for name, _ in offered)
    if len(offered) > 1:
        imports = f"(\n    {imports},\n)"
    head = f"# spade_paddle.{part}\n\n```python\nfrom spade_paddle import {imports}\n```\n"
    return head + "".join(f"\n::: spade_paddle.{place}.{name}\n" for name, place in offered)
