"""What docs/serving.md and deploy/ say agrees with the code."""

from __future__ import annotations

import configparser
import re
import runpy
from unittest import mock

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from spade_paddle.serving.error_codes import ERROR_CODES
from spade_paddle.serving.settings import TABLE, ServiceSettings, variable
from tests.serving.conftest import ROOT

GUIDE = ROOT / "docs/serving.md"
FILES = [GUIDE, *(path for path in (ROOT / "deploy").iterdir())]


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


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
    nginx, settings = text_of("deploy/nginx.conf"), ServiceSettings()
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


def test_the_image_installs_what_is_pinned_by_hashes_and_nothing_else():
    dockerfile = text_of("deploy/Dockerfile").replace("\\\n", " ")
    tools, packages, own = re.findall(r"pip install ([^&\n]+)", dockerfile)
    for options in (tools, packages):
        assert "--require-hashes" in options and options.split()[-2] == "-r"
        assert options.split()[-1] in dockerfile.partition("RUN pip")[0]  # copied before
    assert "--no-deps" in own and "-e ." in own
    assert "--no-build-isolation" in packages and "--no-build-isolation" in own


def pinned(name: str) -> dict[str, str]:
    """The versions in a generated list, each with a hash."""
    text = text_of(name)
    assert "://" not in text, "no address of a package index"
    blocks = re.split(r"^(?=[\w.-]+==)", text, flags=re.MULTILINE)[1:]
    assert blocks and all("--hash=sha256:" in block for block in blocks)
    found = [re.match(r"([\w.-]+)==([^ ;]+)(?: ;.*)? \\$", block, re.MULTILINE) for block in blocks]
    return {match[1]: match[2] for match in found}


def test_the_pinned_versions_are_those_that_setup_py_and_the_constraints_allow():
    """When this fails: make requirements."""
    versions = pinned("deploy/requirements.txt")
    asked = asked_by_setup_py()
    for requirement in asked:
        assert canonicalize_name(requirement.name) in versions, requirement
    constraints = [
        line.partition("#")[0].strip() for line in text_of("constraints.txt").split("\n")
    ]
    for requirement in [*asked, *map(Requirement, filter(None, constraints))]:
        version = versions.get(canonicalize_name(requirement.name))
        if version and (not requirement.marker or requirement.marker.evaluate(IMAGE)):
            assert requirement.specifier.contains(version, prereleases=True), requirement


def test_the_build_tools_are_of_the_same_versions_as_the_packages():
    tools, versions = pinned("deploy/build-requirements.txt"), pinned("deploy/requirements.txt")
    assert {"setuptools", "setuptools-scm", "wheel"} <= set(tools)
    assert {name: version for name, version in tools.items() if name in versions} == {
        name: versions[name] for name in tools if name in versions
    }


IMAGE = {"python_version": "3.11", "sys_platform": "linux"}


def asked_by_setup_py() -> list[Requirement]:
    """What the image installs of setup.py: that of the package and of its extras."""
    told = {}
    with mock.patch("setuptools.setup", lambda **given: told.update(given)):
        runpy.run_path(str(ROOT / "setup.py"))
    extras = [told["extras_require"][name] for name in ("cpu", "serve", "annotate")]
    return [Requirement(text) for text in sum(extras, told["install_requires"])]
