"""The page's files as a browser gets them from a server on a port."""

from __future__ import annotations

import gzip
import hashlib
import json
import logging
import re
import subprocess
import sys

import pytest
import requests
from flask import Flask

from spade_paddle.assets import PAGE
from spade_paddle.serving.page_files import add_page
from tests.serving.processes import stand_in

JOINED = re.compile(r'(?:src|href)="(ui/[0-9a-f]{20}\.(js|css))"')


@pytest.fixture(scope="module")
def server(processes, tmp_path_factory):
    with stand_in(tmp_path_factory.mktemp("server")) as server:
        yield server


def ask(server, path: str, *, method: str = "GET", **headers: str) -> requests.Response:
    """An answer as it came: its body is unpacked only by ``content``."""
    given = {"Accept-Encoding": "identity"}
    given.update({name.replace("_", "-"): value for name, value in headers.items()})
    url = f"http://127.0.0.1:{server.port}{path}"
    return requests.request(method, url, headers=given, timeout=60, proxies={"http": ""})


@pytest.fixture(scope="module")
def joined(server) -> dict[str, str]:
    """The addresses of the script and the style sheet that the index names: js, css."""
    found = JOINED.findall(ask(server, "/").text)
    assert sorted(kind for _, kind in found) == ["css", "js"]
    return {kind: f"/{address}" for address, kind in found}


def test_the_index_names_one_script_and_one_style_sheet_and_asks_the_first_questions(server):
    text = ask(server, "/").text
    assert len(re.findall("<script", text)) == 1 and text.count('rel="stylesheet"') == 1
    assert re.findall(r'<link rel="preload" as="fetch" href="(\w+)" crossorigin>', text) == [
        "healthz",
        "labels",
    ]


def test_what_the_index_names_has_its_content_in_its_address_and_is_kept_for_good(server, joined):
    for kind, mimetype in (("js", "text/javascript"), ("css", "text/css")):
        answer = ask(server, joined[kind])
        assert answer.headers["Content-Type"] == f"{mimetype}; charset=utf-8"
        assert answer.headers["Cache-Control"] == "max-age=31536000, immutable"
        assert hashlib.sha256(answer.content).hexdigest()[:20] in joined[kind]


def test_what_keeps_its_address_is_asked_for_again_each_time(server):
    for path in ("/", "/ui/main.js", "/ui/theme.css"):
        assert ask(server, path).headers["Cache-Control"] == "no-cache"
    assert ask(server, "/ui/main.js").content == (PAGE / "ui/main.js").read_bytes()


@pytest.mark.parametrize("path", ["/", "/ui/main.js", "joined"])
def test_files_are_packed_for_those_who_take_it(server, joined, path):
    path = joined["js"] if path == "joined" else path
    plain = ask(server, path)
    packed = ask(server, path, Accept_Encoding="br, gzip")
    assert "Content-Encoding" not in plain.headers
    assert packed.headers["Content-Encoding"] == "gzip"
    assert packed.content == plain.content  # requests has unpacked it
    assert int(packed.headers["Content-Length"]) == len(gzip.compress(plain.content, mtime=0))
    assert int(packed.headers["Content-Length"]) < len(plain.content)
    assert "Content-Encoding" not in ask(server, path, Accept_Encoding="gzip;q=0").headers
    for answer in (plain, packed):
        assert "Accept-Encoding" in answer.headers["Vary"]
    assert plain.headers["ETag"] == packed.headers["ETag"] and plain.headers["ETag"][:2] == "W/"


@pytest.mark.parametrize("encoding", ["identity", "gzip"])
def test_who_has_a_file_is_told_so_without_it(server, joined, encoding):
    for path in ("/", "/ui/main.js", joined["css"]):
        tag = ask(server, path).headers["ETag"]
        again = ask(server, path, Accept_Encoding=encoding, If_None_Match=tag)
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["ETag"] == tag and "Accept-Encoding" in again.headers["Vary"]
        other = ask(server, path, Accept_Encoding=encoding, If_None_Match='W/"other"')
        assert other.status_code == 200 and other.content


def test_head_tells_what_get_would_send(server, joined):
    for path in ("/", "/ui/main.js", joined["js"]):
        got = ask(server, path, Accept_Encoding="gzip")
        head = ask(server, path, Accept_Encoding="gzip", method="HEAD")
        assert (head.status_code, head.content) == (200, b"")
        kept = ("Content-Length", "Content-Encoding", "Content-Type", "ETag", "Cache-Control")
        assert [head.headers[name] for name in kept] == [got.headers[name] for name in kept]


@pytest.mark.parametrize(
    "path",
    [
        *("none.js", "0123456789abcdef0123.js", "", "tools", "%2e%2e/index.html"),
        *("..%2findex.html", "%2e%2e/%2e%2e/serving/app.py", "/etc/passwd", "a%00b"),
        "tools/../../index.html",
    ],
)
def test_what_is_no_file_of_the_page_is_a_json_404(server, path):
    request = requests.Request("GET", f"http://127.0.0.1:{server.port}/").prepare()
    request.url += f"ui/{path}"  # as it is: not tidied up on the way
    answer = requests.Session().send(request, timeout=60)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_another_process_gives_the_same_addresses(server, joined):
    """So machines behind one name, and restarts, agree."""
    program = (
        "import json; from spade_paddle.assets import PAGE; "
        "from spade_paddle.serving.page_files import _bundled_files; "
        "print(json.dumps(sorted(_bundled_files(PAGE))))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    names = json.loads(done.stdout.splitlines()[-1])
    assert {f"/ui/{name}" for name in names if name != "index.html"} == set(joined.values())


def test_a_page_that_cannot_be_joined_is_served_file_by_file_and_the_log_says_why(tmp_path, caplog):
    (tmp_path / "ui").mkdir()
    index = (
        '    <link rel="stylesheet" href="ui/a.css">\n'
        '    <script type="module" src="ui/main.js"></script>\n  </head>'
    )
    (tmp_path / "index.html").write_text(index)
    (tmp_path / "ui/a.css").write_text("")
    (tmp_path / "ui/main.js").write_text('import "./x.js";\n')
    app = Flask("test", static_folder=None)
    with caplog.at_level(logging.WARNING):
        add_page(app, page=tmp_path, cors_origins=())
    assert 'ui/main.js: \'import "./x.js"' in caplog.text
    client = app.test_client()
    assert client.get("/").text == index
    (tmp_path / "ui/main.js").write_text("2;\n")
    assert client.get("/ui/main.js").text == "2;\n"  # as it is now, not as it was
