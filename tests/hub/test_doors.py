"""The page, HTTP, the command line and Python: each paints, and they agree."""

from __future__ import annotations

import base64
import io
import json
import os
import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import requests
from PIL import Image

from spade_paddle.inference.styles import add_styles
from tests.hub.conftest import HUB_MODULE, free_port
from tests.inference.conftest import STYLE_CONFIG, Trained, export, photo
from tests.pictures import file_bytes, open64, palette_png, png64, raw_labels, scene
from tests.serving.conftest import wait_until


@pytest.fixture(scope="module")
def lake() -> np.ndarray:
    ids = scene(256, 256)
    ids[100:140, 60:200] = 3
    return ids


def picture_of(server, ids: np.ndarray) -> np.ndarray:
    (result,) = server.paint({"images": [png64(ids)]}).json()["results"]
    return np.asarray(open64(result["image"]))


def test_the_module_folder_holds_nothing_but_the_module():
    names = {path.name for path in HUB_MODULE.iterdir()} - {"__pycache__"}
    assert names == {
        "module.py",
        "test.py",
        "README.md",
        "README_zh.md",
        "MODEL_CARD.md",
        "weights",
    }


def test_a_label_map_becomes_a_png_of_its_size(server, lake):
    answer = server.paint({"images": [png64(lake)], "seed": 3})
    assert answer.status_code == 200 and answer.json()["status"] == "000"
    (result,) = answer.json()["results"]
    picture = open64(result["image"])
    assert (picture.format, picture.mode, picture.size) == ("PNG", "RGB", (256, 256))
    assert (result["width"], result["height"], result["seed"]) == (256, 256, 3)
    assert np.asarray(picture).std() > 0


def test_different_label_maps_give_different_pictures_and_the_same_map_the_same(server, lake):
    first = picture_of(server, lake)
    assert not np.array_equal(first, picture_of(server, scene(256, 256, top=2, bottom=6)))
    assert np.array_equal(first, picture_of(server, lake))


def test_a_seed_gives_the_same_picture_again_and_any_allowed_seed_is_painted(server, lake):
    bodies = [{"images": [png64(lake)], "seed": seed} for seed in (7, 7, 0, 2**32 - 1)]
    first, again, *_ = [server.paint(body).json()["results"][0]["image"] for body in bodies]
    assert first == again


def test_all_the_forms_of_one_label_map_give_the_same_picture(server, lake, label_set):
    colored = label_set.colorize(lake)
    bodies = [
        {"images": [base64.b64encode(palette_png(lake, label_set.palette())).decode()]},
        {"images": [base64.b64encode(file_bytes(colored)).decode()]},
        {"labels": [raw_labels(lake)]},
    ]
    expected = picture_of(server, lake)
    for body in bodies:
        (result,) = server.paint(body).json()["results"]
        assert np.array_equal(np.asarray(open64(result["image"])), expected)
    answer = server.post_raw(file_bytes(lake), mimetype="image/png")
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(answer.content))), expected)


def test_a_size_that_is_not_a_multiple_is_painted_and_noted(server):
    (result,) = server.paint({"images": [png64(scene(100, 150))]}).json()["results"]
    assert open64(result["image"]).size == (150, 100)
    assert [note["code"] for note in result["notes"]] == ["padded"]


def test_several_maps_come_back_in_their_order_as_jpeg(server):
    maps = [png64(scene(64, 96)), png64(scene(96, 64))]
    results = server.paint({"images": maps, "format": "jpeg"}).json()["results"]
    assert [open64(result["image"]).size for result in results] == [(96, 64), (64, 96)]
    assert {open64(result["image"]).format for result in results} == {"JPEG"}


def test_the_page_is_served(server):
    page = server.get("/")
    assert page.status_code == 200 and page.headers["Content-Type"].startswith("text/html")
    assert server.get("/ui/main.js").headers["Content-Type"].startswith("text/javascript")


def test_health_and_labels_describe_the_model_that_paints(server, root):
    model = json.loads((root / "hub_module/weights/model.json").read_text(encoding="utf-8"))
    health, labels = server.get("/healthz").json(), server.get("/labels").json()
    assert health["status"] == "ok" and health["model"] == labels["model"]["name"]
    assert (labels["model"]["large"]["width"], labels["model"]["large"]["height"]) == (512, 512)
    assert labels["labels"][0]["id"] == 0 and labels["model"]["multiple"] == model["multiple"]


def test_the_command_line_and_python_paint_what_http_paints(hub, server, lake):
    label_file = hub.work / "lake.png"
    label_file.write_bytes(file_bytes(lake))
    done = hub.run("run", "gaugan_doodle", "--input_path", "lake.png", "--output_dir", "painted")
    assert done.returncode == 0, done.stderr
    assert "painted/lake.png" in done.stdout.splitlines()
    from_command = np.asarray(Image.open(hub.work / "painted/lake.png"))

    program = (
        "import base64, numpy as np, paddlehub as hub\n"
        "module = hub.Module(name='gaugan_doodle')\n"
        "from_path = module.paint('lake.png')\n"
        "ids = np.asarray(__import__('PIL.Image').Image.open('lake.png'))\n"
        "assert np.array_equal(from_path, module.paint(ids))\n"
        "np.save('python.npy', from_path)\n"
        "body = {'images': [base64.b64encode(open('lake.png', 'rb').read()).decode()]}\n"
        "(result,) = module.serving_method(**body)\n"
        "assert result['width'] == 256 and result['image']\n"
    )
    done = hub.python(program)
    assert done.returncode == 0, done.stderr
    from_python = np.load(hub.work / "python.npy")

    expected = picture_of(server, lake).astype(int)
    for picture in (from_command, from_python):  # other processes may round otherwise
        assert np.abs(picture.astype(int) - expected).max() <= 1


def test_a_bad_label_file_ends_the_command_with_one_line_and_a_status(hub):
    (hub.work / "bad.png").write_bytes(file_bytes(np.full((64, 64), 200, np.uint8)))
    done = hub.run("run", "gaugan_doodle", "--input_path", "bad.png", "--output_dir", "bad_out")
    said = [line for line in done.stderr.splitlines() if line.startswith("hub run gaugan_doodle:")]
    assert done.returncode == 2 and len(said) == 1 and "bad.png" in said[0]
    assert "Traceback" not in done.stderr and not (hub.work / "bad_out").exists()


def test_multi_process_mode_paints_counts_for_all_and_stops_cleanly_too(hub):
    with hub.serve("--use_multiprocess", "-w", "2") as server:
        for seed in range(4):
            body = {"images": [png64(scene())], "seed": seed}
            (result,) = requests.post(
                server.url + "/predict/gaugan_doodle", json=body, timeout=120, proxies={"http": ""}
            ).json()["results"]
            assert open64(result["image"]).size == (64, 64)
        assert server.metric("gaugan_pictures_total") == 4
        assert server.paint({}).json()["code"] == "missing_key"
        assert server.post_raw(bytes(30 * 1024 * 1024)).status_code == 413


def test_sigterm_lets_the_pictures_that_have_begun_be_painted_and_the_exit_code_is_0(hub):
    with hub.serve(GAUGAN_STOP_SECONDS="120") as server, ThreadPoolExecutor(1) as pool:
        maps = [png64(scene(512, 512, top=top)) for top in (1, 2, 3)]
        answer = pool.submit(server.paint, {"images": maps})
        wait_until(lambda: server.metric("gaugan_queue_length") > 0)
        server.process.terminate()
        assert answer.result().status_code == 200 and len(answer.result().json()["results"]) == 3
        assert server.process.wait(60) == 0


@pytest.mark.parametrize("way", ["option", "file"])
def test_paddlehubs_gpu_mode_ends_with_what_to_use_instead_and_leaves_no_process(hub, way):
    port = free_port()
    options = ["-m", "gaugan_doodle", "-p", str(port), "--use_gpu"]
    if way == "file":
        module = {"init_args": {"version": "0.1.0"}, "predict_args": {}}
        settings = {"modules_info": {"gaugan_doodle": module}, "use_gpu": True, "port": port}
        (hub.work / "serving.json").write_text(json.dumps(settings))
        options = ["-c", "serving.json"]
    # PaddleHub starts "python" for the process that would paint
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    # this waits until no process holds the output any more
    done = hub.run("serving", "start", *options, PATH=path)
    assert done.returncode == -signal.SIGTERM
    assert "GAUGAN_USE_GPU=1 hub serving start -m gaugan_doodle" in done.stderr


def test_a_wrong_setting_ends_the_start_with_its_name(hub):
    done = hub.run("serving", "start", "-m", "gaugan_doodle", GAUGAN_MAX_PIXELS="many")
    assert done.returncode != 0 and "GAUGAN_MAX_PIXELS" in done.stderr.splitlines()[-1]


def test_a_missing_model_folder_ends_the_start_with_its_path(hub):
    done = hub.run("serving", "start", "-m", "gaugan_doodle", GAUGAN_MODEL="/nowhere")
    assert done.returncode != 0 and "/nowhere" in done.stderr.splitlines()[-1]


def test_the_modules_own_tests_pass_and_leave_nothing_behind(hub):
    before = hub.files()
    done = hub.python(
        f"import runpy; runpy.run_path({str(HUB_MODULE / 'test.py')!r}, None, '__main__')"
    )
    assert done.returncode == 0 and "Ran 8 tests" in done.stderr, done.stderr
    assert hub.files() == before


def test_the_command_line_and_python_paint_in_the_style_of_a_name_or_a_photo(
    hub, landscape, tmp_path
):
    model = tmp_path / "model"
    export(Trained(STYLE_CONFIG, landscape), model)
    photos = {name: hub.work / f"{name}.png" for name in ("dawn", "dusk")}
    for seed, path in enumerate(photos.values()):
        Image.fromarray(photo(seed)).save(path)
    add_styles(model, {"dawn": photos["dawn"]})
    (hub.work / "styled.png").write_bytes(file_bytes(scene()))
    program = (
        "import numpy as np, paddlehub as hub\n"
        f"module = hub.Module(name='gaugan_doodle', model={str(model)!r})\n"
        "styles = ('dawn', 'dawn.png', 'dusk.png')\n"
        "painted = {style: module.paint('styled.png', style=style) for style in styles}\n"
        "np.savez('styled.npz', **painted)\n"
        "given = '--input_path styled.png --output_dir out --style night'\n"
        "module.run_cmd(given.split())\n"
    )
    done = hub.python(program)
    assert done.returncode == 2 and "dawn" in done.stderr.splitlines()[-1], done.stderr
    painted = {
        name: picture.astype(int) for name, picture in np.load(hub.work / "styled.npz").items()
    }
    assert np.abs(painted["dawn"] - painted["dawn.png"]).max() <= 1  # the photo the name is of
    assert np.abs(painted["dawn"] - painted["dusk.png"]).max() > 1
    given = ("--input_path", "styled.png", "--output_dir", "styled_out", "--style", "dusk.png")
    done = hub.run("run", "gaugan_doodle", *given, GAUGAN_MODEL=str(model))
    assert done.returncode == 0, done.stderr
    picture = np.asarray(Image.open(hub.work / "styled_out/styled.png")).astype(int)
    assert np.abs(picture - painted["dusk.png"]).max() <= 1
