"""The documentation as a site: it builds without warnings and without other servers."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

import spade_paddle


@pytest.fixture(scope="module")
def site(processes, root, tmp_path_factory):
    pytest.importorskip("mkdocs", reason="the extra docs is not installed")
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root), "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr
    return folder


def test_every_public_name_has_its_place_in_the_reference(site):
    pages = "".join(page.read_text(encoding="utf-8") for page in site.glob("docs/api/*.html"))
    for name, place in spade_paddle._MODULES.items():
        assert f'id="spade_paddle.{place}.{name}"' in pages, name


def test_every_guide_is_a_page_and_what_they_link_to_is_there(site, root):
    for path in [*root.glob("docs/*.md"), root / "hub_module" / "MODEL_CARD.md"]:
        assert (site / path.relative_to(root)).with_suffix(".html").is_file(), path
    dangling = [
        (page.name, target)
        for page in site.rglob("*.html")
        if page.name != "404.html"
        for target in re.findall(r'(?:src|href)="([^":#?]+)["#?]', page.read_text(encoding="utf-8"))
        if not (page.parent / target).exists()
    ]
    assert not dangling


def test_pages_name_their_language_and_load_our_style_sheet(site):
    for page in site.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        assert ('<html lang="zh-CN"' in text) == page.stem.endswith("_zh"), page
        assert 'site.css"' in text, page


def test_nothing_is_loaded_from_other_servers(site):
    for page in site.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        loaded = re.findall(r'<(?:script|img|iframe)[^>]+src="([^"]+)"', text)
        loaded += re.findall(r'<link[^>]+rel="(?:stylesheet|preconnect)"[^>]+href="([^"]+)"', text)
        assert loaded
        assert not [address for address in loaded if "//" in address]


def test_lists_in_lists_and_code_in_them_are_read_as_on_a_forge(root):
    pytest.importorskip("mkdocs", reason="the extra docs is not installed")
    sys.path.insert(0, str(root / "docs"))
    try:
        from hooks import wider_lists
    finally:
        sys.path.pop(0)
    given = "- a\n  - b\n  - ```python\n    if x:\n        y\n    ```\n    - c\n"
    expected = "- a\n    - b\n\n    ```python\n    if x:\n        y\n    ```\n        - c\n"
    assert wider_lists(given) == expected
    code = "```python\nif x:\n    y\n```\n"
    assert wider_lists(f"{code}- z\n  ```\n  - w\n  ```\n- v\n") == (
        f"{code}- z\n    ```\n    - w\n    ```\n- v\n"
    )
