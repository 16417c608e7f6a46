"""The examples of the module's README files paint a picture when they are copied out."""

from __future__ import annotations

import io
import re
import subprocess
import sys
import textwrap

import pytest
from PIL import Image

from tests.pictures import file_bytes, scene
from tests.serving.conftest import ROOT
from tests.serving.processes import stand_in

RUNS = {"python": ([sys.executable], "py", "PNG"), "js": (["node"], "mjs", "JPEG")}


@pytest.fixture(scope="module")
def server(processes, tmp_path_factory):
    with stand_in(tmp_path_factory.mktemp("server")) as server:
        yield server


def example(document: str, language: str) -> str:
    """The one block of that language that asks the service."""
    text = (ROOT / "hub_module" / document).read_text(encoding="utf-8")
    blocks = re.findall(rf"^ *- ```{language}\n(.*?)^ *```$", text, re.MULTILINE | re.DOTALL)
    (block,) = [block for block in blocks if "/predict/" in block]
    return textwrap.dedent(block)


@pytest.mark.parametrize("language", RUNS)
@pytest.mark.parametrize("document", ["README.md", "README_zh.md"])
def test_an_example_writes_a_picture_or_says_what_is_wrong(server, tmp_path, document, language):
    command, ending, file_format = RUNS[language]
    program = tmp_path / f"example.{ending}"
    here = example(document, language).replace("127.0.0.1:8866", f"127.0.0.1:{server.port}")
    program.write_text(here, encoding="utf-8")

    def run() -> str:
        done = subprocess.run(
            [*command, program],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        return done.stdout

    (tmp_path / "label.png").write_bytes(file_bytes(scene(64, 96)))
    assert run() == ""
    (picture,) = tmp_path.glob("picture.*")
    image = Image.open(io.BytesIO(picture.read_bytes()))
    assert (image.format, image.size) == (file_format, (96, 64))
    (tmp_path / "label.png").write_bytes(b"no picture")
    assert "PNG" in run()
