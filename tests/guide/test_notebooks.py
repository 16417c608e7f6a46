"""The notebooks: executed from top to bottom by a real kernel, at sizes that take seconds.

A cell that is tagged ``parameters`` gets values for the test behind it, as papermill does it; one
that is tagged ``install`` is not run, since this environment is taken.
"""

from __future__ import annotations

import base64
import io
import os
import re
import shutil
import sys
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from PIL import Image

from spade_paddle.data.label_sets import find_label_set
from tests.guide.test_steps import ROOT, TINY
from tests.serving.processes import free_port
from tests.synthetic import synthetic_scene

FOLDER = ROOT / "docs" / "notebooks"
NOTEBOOKS = sorted(path.name for path in FOLDER.glob("*.ipynb"))
PHOTOS = 12  # of which two fall to validation, by their names
OPTIONS = " ".join(f"--set {each}" for each in TINY)


def read(name: str) -> nbformat.NotebookNode:
    return nbformat.read(FOLDER / name, as_version=4)


def code_cells(notebook: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def tags(cell: nbformat.NotebookNode) -> list[str]:
    return cell.metadata.get("tags", [])


def parameters(folder: Path) -> dict[str, object]:
    """The values of the test, for the names that a notebook has."""
    photos = folder / "own photos"
    photos.mkdir()
    for index in range(PHOTOS):
        scene = synthetic_scene(index, label_set=find_label_set("landscape"), height=96, width=96)
        Image.fromarray(scene.photo).save(photos / f"photo{index}.jpg")
    archive = shutil.make_archive(str(folder / "archive"), "zip", photos)
    photos.rename(folder / "photos")
    work = folder / "work"
    work.mkdir()
    return {
        **{"OPTIONS": OPTIONS, "PORT": free_port()},
        **{"WORK": str(work), "ARCHIVE": archive, "LIBRARIES": str(folder / "none")},
    }


def prepare(notebook: nbformat.NotebookNode, values: dict[str, object]) -> None:
    """Put the test's values in, leave installing out, and let a command that fails be an error."""
    for cell in code_cells(notebook):
        if "install" in tags(cell):
            cell.source = ""
        cell.source = re.sub(
            r"^(!.*)$", r"\1\nassert _exit_code == 0", cell.source, flags=re.MULTILINE
        )
        if "parameters" in tags(cell):
            names = re.findall(r"^(\w+) = ", cell.source, flags=re.MULTILINE)
            lines = [f"{name} = {values[name]!r}" for name in names if name in values]
            cell.source = "\n".join([cell.source, *lines])


# the third has the cells of the second, which a test below holds
@pytest.mark.parametrize("name", ["quickstart.ipynb", "aistudio_zh.ipynb"])
def test_a_notebook_runs_from_top_to_bottom(processes, name, tmp_path, monkeypatch):
    notebook = read(name)
    prepare(notebook, parameters(tmp_path))
    programs = Path(sys.executable).parent
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    resources = {"metadata": {"path": str(tmp_path)}}
    NotebookClient(notebook, timeout=600, kernel_name="python3", resources=resources).execute()

    outputs = [output for cell in code_cells(notebook) for output in cell.outputs]
    pictures = [
        output.data["image/png"] for output in outputs if "image/png" in output.get("data", {})
    ]
    assert len(pictures) >= 5  # painted, annotated or sampled, a sheet, asked for
    asked = Image.open(io.BytesIO(base64.b64decode(pictures[-1])))
    assert asked.size == (384, 256)
    text = "".join(output.text for output in outputs if output.output_type == "stream")
    assert f"{PHOTOS} photos with label maps" in text
    assert "done: 8 images in runs/first" in text
    assert "Traceback" not in text


def test_there_are_three_and_none_has_outputs():
    assert NOTEBOOKS == ["aistudio_en.ipynb", "aistudio_zh.ipynb", "quickstart.ipynb"]
    for name in NOTEBOOKS:
        notebook = read(name)
        nbformat.validate(notebook)
        for cell in code_cells(notebook):
            assert (cell.outputs, cell.execution_count) == ([], None), name
            assert not set(cell.metadata) - {"tags"}
        found = [tag for cell in code_cells(notebook) for tag in tags(cell)]
        assert sorted(found) == ["install", "parameters"]


def test_both_languages_run_the_same_cells():
    def code(name):
        told = r"#.*|, \".*\"$"  # comments, and what is said of a service that ended
        return [
            re.sub(told, "", cell.source, flags=re.MULTILINE) for cell in code_cells(read(name))
        ]

    assert code("aistudio_zh.ipynb") == code("aistudio_en.ipynb")


def test_on_ai_studio_no_paddle_is_installed():
    for name in ("aistudio_en.ipynb", "aistudio_zh.ipynb"):
        (cell,) = [cell for cell in code_cells(read(name)) if "install" in tags(cell)]
        assert "[serve,annotate]" in cell.source
        assert "--target {LIBRARIES}" in cell.source
