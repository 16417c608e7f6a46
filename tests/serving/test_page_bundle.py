"""The page as one script and one style sheet; Chromium runs it in tests/page/test_loading.py."""

from __future__ import annotations

import json
import subprocess

import pytest

from spade_paddle.assets import PAGE
from spade_paddle.serving.page_bundle import BundleError, bundle_page

INDEX = """<head>
    <link rel="stylesheet" href="ui/one.css">
    <meta name="x">
    <link rel="stylesheet" href="ui/two.css">
    <script type="module" src="ui/main.js"></script>
</head>
"""


@pytest.fixture
def join(tmp_path):
    """Join a page of these files below ``ui``."""

    def run(**files: str):
        files = {"one.css": "a {}", "two.css": "b {}", **files}
        (tmp_path / "index.html").write_text(INDEX)
        for name, text in files.items():
            file = tmp_path / "ui" / name.replace("_js", ".js").replace("__", "/")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        return bundle_page(tmp_path)

    return run


def printed(script: str):
    """What Node.js prints when it runs a module."""
    command = ["node", "--input-type=module", "--eval", script]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_page_itself_can_be_joined():
    """When this fails, the page still works, but each module costs a request: write it as told."""
    joined = bundle_page(PAGE)
    for file in (PAGE / "ui").rglob("*.js"):
        name = file.relative_to(PAGE).as_posix()
        assert joined.script.count(f"// {name}\n") == 1, f"nothing of the page imports {name}"
    for file in (PAGE / "ui").rglob("*.css"):
        assert file.read_text(encoding="utf-8") in joined.style, f"index.html lacks {file.name}"


def test_every_form_of_import_and_export_means_what_it_means_in_modules(processes, join):
    joined = join(
        main_js="""// A comment.
import whole from "./deep/whole.js";
import { a, b as c,
  f } from "./deep/part.js";
import { a as again } from "./deep/part.js";
/** More
 * of them. */
const K = 1;
console.log(JSON.stringify([whole(K), a, c, f(), new again.K().x, `// kept: ${K}`]));
""",
        deep__part_js="""import { five } from "../five.js";
const hidden = five;
const a = { K: class { x = hidden; } };
export { a, hidden as b };
export function f() {
  return 'export const is a "word"';
}
""",
        deep__whole_js="import{five as v}from'../five.js';".replace("'", '"')
        + "var q=v;export default function(x){return x+q}",
        five_js="globalThis.times = (globalThis.times ?? 0) + 1;\nexport const five = 4 + times;\n",
    )
    a, said = {}, 'export const is a "word"'
    assert printed(joined.script) == [6, a, 5, said, 5, "// kept: 1"]
    assert "A comment" not in joined.script and "More" not in joined.script


def test_names_of_one_module_are_not_seen_in_another(processes, join):
    joined = join(
        main_js='import "./a.js";'.replace('"./a', '{ x } from "./a')
        + "\nconst y = 2;\nconsole.log(JSON.stringify([x, y, typeof z]));\n",
        a_js="const y = 1;\nconst z = 1;\nexport const x = y + z;\n",
    )
    assert printed(joined.script) == [2, 2, "undefined"]


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ('import "./a.js";', 'import "./a.js"'),
        ('import * as a from "./a.js";', "import * as a"),
        ('export * from "./a.js";', "export *"),
        ("export let changing = 1;", "export let changing"),
        ('const later = () => import("./a.js");', 'import("./a.js")'),
        ("const here = import.meta.url;", "import.meta.url"),
        ("const now = await 1;", "const now = await 1;"),
        ('import { a } from "./main.js";', "imports ui/main.js, which imports it"),
        ('import { a } from "./none.js";', "imports ui/none.js, which is no file"),
        ('import { a } from "../../a.js";', "imports ../a.js, which is no file"),
        ('import { none } from "./a.js";', "imports none, which ui/a.js does not export"),
    ],
)
def test_what_cannot_be_joined_is_refused_with_its_place(join, source, told):
    with pytest.raises(BundleError) as refused:
        join(main_js=f"{source}\n", a_js="export const a = 1;\n")
    assert told in str(refused.value) and str(refused.value).startswith("ui/main.js: ")


@pytest.mark.parametrize("style", ['@import "x.css";', "a { background: url(x.png) }"])
def test_a_style_sheet_that_needs_another_file_is_refused(join, style):
    with pytest.raises(BundleError, match=r"ui/one\.css: "):
        join(**{"main_js": "", "one.css": style})


def test_style_sheets_keep_their_order_and_the_index_names_the_joined_ones(join):
    joined = join(main_js="")
    assert joined.style == "a {}\nb {}"
    index = joined.index_for(script="ui/S.js", style="ui/S.css")
    assert (
        index
        == """<head>
    <link rel="stylesheet" href="ui/S.css">
    <meta name="x">
    <script type="module" src="ui/S.js"></script>
</head>
"""
    )
