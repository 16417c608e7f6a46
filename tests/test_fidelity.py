"""What docs/fidelity.md tells of the article, of presets and of growing."""

from __future__ import annotations

import re

import paddle
import pytest

from spade_paddle.config import Config
from spade_paddle.data.label_sets import find_label_set
from spade_paddle.networks.build import build_generator
from spade_paddle.networks.semantics import SemanticLayout


@pytest.fixture(scope="module")
def page(root) -> str:
    return (root / "docs" / "fidelity.md").read_text(encoding="utf-8")


def rows(page: str, head: str) -> list[list[str]]:
    """The cells of the table whose first line begins so."""
    lines = page[page.index(f"| {head} |") :].split("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def differing(left: Config, right: Config, section: str = "") -> set[str]:
    """The fields in which two configurations differ."""
    ours, theirs = (c.to_dict()[section] if section else c.to_dict() for c in (left, right))
    found = set()
    for name, value in ours.items():
        if isinstance(value, dict) and not section:
            found |= differing(left, right, name)
        elif value != theirs[name]:
            found.add(f"{section}.{name}".strip("."))
    return found


def test_every_option_of_the_articles_listings_is_in_the_table(page, root):
    listings = (root / "tests" / "article" / "listings").glob("*.txt")
    used = {
        name
        for path in listings
        for name in re.findall(r"\b(?:self\.)?opt\.(\w+)", path.read_text(encoding="utf-8"))
    }
    assert {"ngf", "nef", "num_D", "lambda_vgg"} <= used
    told = " ".join(first for first, *_ in rows(page, "article | here"))
    assert {name for name in used if f"`opt.{name}`" not in told} == set()


def test_every_field_that_it_names_is_there(page):
    sections = [name for name, value in Config().to_dict().items() if isinstance(value, dict)]
    named = set(re.findall(rf"`((?:{'|'.join(sections)})\.\w+)", page))
    assert len(named) > 30
    for name in named:
        Config().value(name)  # raises AttributeError


def test_the_numbers_of_article_and_photopen_in_the_table_are_those_of_the_preset(page):
    config = Config.preset("photopen")
    found = {}
    for _, here, number in rows(page, "article | here"):
        told = re.search(r"photopen ([\d.]+)", number)
        fields = re.findall(r"`(\w+\.\w+)`", here)
        if told and len(fields) == 1:
            found[fields[0]] = float(told[1]), config.value(fields[0])
    assert found.keys() == {
        *("generator.ngf", "discriminator.scales", "losses.feature_matching", "losses.perceptual"),
    }
    assert all(told == ours for told, ours in found.values()), found
    layout = SemanticLayout.of(config, len(find_label_set("photopen")))
    assert layout.channels == 14 and "(photopen 14)" in page


def test_presets_of_the_article_differ_in_what_their_headers_say():
    article = Config.preset("article")
    assert differing(article, Config.preset("article_gpu")) == {
        *("batch_size", "checkpoint_every_images", "sample_every_images", "log_every_images"),
    }
    assert differing(article, Config.preset("photopen")) == {
        *("data.labels", "data.flip", "data.dont_care", "losses.perceptual_network"),
    }
    assert SemanticLayout.of(article, len(find_label_set("landscape"))).channels == 15


GROWN = {
    "`normal`, 256": (256, "normal", 0),
    "`normal`, 512": (512, "normal", 0),
    "`more`, 512": (512, "more", 0),
    "`most`, 1024": (1024, "most", 0),
    "`normal` and `fine_blocks: 1`, 512": (512, "normal", 1),
}


@pytest.mark.parametrize("title", GROWN)
def test_blocks_have_maps_as_wide_as_the_table_of_growing_tells(title, page):
    column = page.split("| block | ")[1].splitlines()[0].strip(" |").split(" | ").index(title) + 1
    told = {row[0]: row[column] for row in rows(page, "block")}
    side, upsampling, fine_blocks = GROWN[title]
    config = Config.preset(
        "clade",
        *("generator.ngf=1", "generator.max_width=1", f"generator.upsampling={upsampling}"),
        *(f"generator.fine_blocks={fine_blocks}", "generator.param_free_norm=instance"),
        *("data.crop_size=1024", "data.load_size=1024"),
    )
    network = build_generator(config, num_labels=2)
    found = {}
    for name, _ in network.named_children():
        if hasattr(getattr(network, name), "conv_0"):
            getattr(network, name).register_forward_post_hook(
                lambda layer, inputs, output, name=name: found.update({name: output.shape[3]})
            )
    with paddle.no_grad():
        network(paddle.ones([1, 3, side, side]))
    expected = {name: int(width) for name, width in told.items() if width}
    last = expected.pop("up_4, up_fine_0", None)
    if last:
        expected["up_4" if upsampling == "most" else "up_fine_0"] = last
    assert found == expected
