"""What docs/serving.md and deploy/ say agrees with the code."""

from __future__ import annotations

import configparser
import re

from spade_paddle.serving.error_codes import ERROR_CODES
from spade_paddle.serving.settings import TABLE, Settings, variable
from tests.serving.conftest import ROOT

GUIDE = ROOT / "docs/serving.md"
FILES = [GUIDE, *(path for path in (ROOT / "deploy").iterdir())]


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def test_the_guide_tells_every_error_as_the_table_does():
    rows = [f"| `{row.code}` | {row.status} | {row.when} |" for row in ERROR_CODES.values()]
    found = [line for line in GUIDE.read_text(encoding="utf-8").splitlines() if line in rows]
    assert found == rows


def test_every_setting_that_is_named_exists():
    known = {variable(setting.name) for setting in TABLE}
    for path in FILES:
        named = set(re.findall(r"GAUGAN_[A-Z_]+", path.read_text(encoding="utf-8")))
        assert named - {"GAUGAN_NAME"} <= known, path


def test_every_file_that_is_named_exists():
    for target in re.findall(r"\]\(([^)#:]+)(?:#\w+)?\)", GUIDE.read_text(encoding="utf-8")):
        assert (GUIDE.parent / target).exists(), target
    copied = re.findall(r"^COPY (.+) \S+$", text_of("deploy/Dockerfile"), re.MULTILINE)
    allowed = text_of("deploy/Dockerfile.dockerignore").splitlines()
    for name in " ".join(copied).split():
        assert (ROOT / name).exists() and f"!{name}" in allowed, name


def test_nginx_lets_the_same_bodies_through_and_waits_longer_than_the_service():
    nginx, settings = text_of("deploy/nginx.conf"), Settings()
    megabytes = int(re.search(r"client_max_body_size (\d+)m;", nginx)[1])
    assert megabytes * 1024 * 1024 == settings.max_body_bytes
    assert f'"max_body_bytes":{settings.max_body_bytes}' in nginx
    assert int(re.search(r"proxy_read_timeout (\d+)s;", nginx)[1]) > settings.max_wait_seconds
    for code in re.findall(r'"code":"(\w+)"', nginx):
        status = re.search(rf"return (\d+) '.*\"{code}\"", nginx)[1]
        assert ERROR_CODES[code].status == int(status)


def test_the_unit_and_the_image_start_the_same_server_without_rights():
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str
    unit.read_string(text_of("deploy/gaugan-doodle.service"))
    assert unit["Service"]["ExecStart"].endswith("-m spade_paddle.serving")
    assert unit["Service"]["User"] != "root" and unit["Service"]["NoNewPrivileges"] == "yes"
    dockerfile = text_of("deploy/Dockerfile")
    assert 'CMD ["python", "-m", "spade_paddle.serving"]' in dockerfile.splitlines()
    assert dockerfile.index("USER doodle") < dockerfile.index("CMD [")
