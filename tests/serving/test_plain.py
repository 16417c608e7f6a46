"""The service without PaddleHub: its command, its app for other servers, and the shipped model."""

from __future__ import annotations

import subprocess
import sys

import pytest

from spade_paddle.errors import ModelError
from spade_paddle.serving import plain
from spade_paddle.serving.settings import TABLE, ServiceSettings, variable
from tests.pictures import open64, png64, scene
from tests.serving.conftest import ROOT
from tests.serving.processes import free_port, serving


def run(*arguments: str, folder, **environ: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin", **environ},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_every_setting_but_the_token_is_an_option_with_its_variable(processes, tmp_path):
    done = run("-m", "spade_paddle.serving", "--help", folder=tmp_path)
    shown = " ".join(done.stdout.split())
    for setting in TABLE:
        option = "--" + setting.name.replace("_", "-")
        assert (f"{option} " in shown) is not setting.secret
        assert (f"({variable(setting.name)})" in shown) is not setting.secret


@pytest.mark.parametrize(
    ("arguments", "environ", "said"),
    [
        (["--max-pixels", "many"], {}, "--max-pixels"),
        ([], {"GAUGAN_QUEUE_LENGTH": "-1"}, "GAUGAN_QUEUE_LENGTH"),
        (["--model", "/nowhere"], {}, "/nowhere"),
    ],
)
def test_a_wrong_setting_or_model_is_one_line_and_exit_code_2(
    processes, tmp_path, arguments, environ, said
):
    done = run("-m", "spade_paddle.serving", *arguments, folder=tmp_path, **environ)
    assert done.returncode == 2
    (error,) = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert said in error and "Traceback" not in done.stderr


def test_a_model_that_is_not_there_is_named():
    with pytest.raises(ModelError, match="/nowhere"):
        plain.create_app(ServiceSettings(model="/nowhere"))


def test_the_app_for_other_servers_paints_with_the_shipped_model_and_without_paddlehub(
    processes, tmp_path
):
    program = (
        "import base64, io, sys\n"
        "import spade_paddle.serving\n"
        "assert 'flask' not in sys.modules\n"  # a light package until the app is wanted
        "client = spade_paddle.serving.create_app().test_client()\n"
        "assert client.get('/healthz').status_code == 200\n"
        f"body = {{'images': [{png64(scene())!r}]}}\n"
        "answer = client.post('/predict/gaugan_doodle', json=body)\n"
        "assert answer.status_code == 200, answer.data\n"
        "assert client.get('/').status_code == 200\n"
        "assert client.post('/predict/gaugan_doodle', json={}).status_code == 400\n"
        "assert not [name for name in sys.modules if name.startswith('paddlehub')]\n"
        "print('painted')\n"
    )
    done = run("-c", program, folder=tmp_path, GAUGAN_CACHE_MIB="0")
    assert (done.returncode, done.stdout) == (0, "painted\n"), done.stderr


def test_the_command_serves_page_pictures_and_counts_with_the_shipped_model(processes, tmp_path):
    port = free_port()
    command = ("-m", "spade_paddle.serving", "--port", str(port), "--threads", "1")
    token = {"GAUGAN_API_TOKEN": "0123456789abcdef"}
    with serving(tmp_path, *command, port=port, environ=token) as server:
        assert server.get("/").headers["Content-Type"].startswith("text/html")
        assert server.get("/labels").json()["token"] is True
        body = {"images": [png64(scene())]}
        assert server.paint(body).json()["code"] == "unauthorized"
        for cached in (False, True):
            (result,) = server.paint(body, token="0123456789abcdef").json()["results"]
            assert open64(result["image"]).size == (64, 64) and result["cached"] is cached
        assert server.metric("gaugan_pictures_total") == 1
        assert "/healthz" not in server.log and "0123456789abcdef" not in server.log
        assert server.log.count("POST /predict/gaugan_doodle 200 ") == 2
