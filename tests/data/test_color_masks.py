from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image, ImageDraw

from spade_paddle.data.blends import dominant_anchor, nearest_anchors
from spade_paddle.data.color_masks import colors_to_labels
from spade_paddle.data.color_table import ColorTable, pack, unpack
from spade_paddle.data.label_pictures import read_color_mask
from spade_paddle.data.label_sets import find_label_set
from spade_paddle.data.labels import DONT_CARE, Label, LabelSet
from spade_paddle.errors import ConfigError, DataError

SCALE = 4  # drawings are made so much larger, and shrunk with smoothed edges
PINK = (255, 0, 255)


def of_colors(*colors):
    """A label set of these colors."""
    names = [f"label {index}" for index in range(len(colors))]
    labels = [Label(i, name, name, color) for i, (name, color) in enumerate(zip(names, colors))]
    return LabelSet("drawn", tuple(labels))


def large_drawing(ids, *, side=512):
    """Ids [SCALE * side, SCALE * side]: an ellipse, a triangle or a slanted box of each id in its
    own cell of a grid; the first is the ground."""
    canvas = Image.new("L", (SCALE * side,) * 2, ids[0])
    draw = ImageDraw.Draw(canvas)
    cells = 4
    cell = SCALE * side / cells
    for index, value in enumerate(ids[1:]):
        x, y = cell * (index % cells + 0.5), cell * (index // cells + 0.5)
        radius, turn = cell * (0.24 + 0.01 * (index % 5)), 0.3 + 0.37 * index
        if index % 3 == 0:
            draw.ellipse([x - radius, y - 0.7 * radius, x + radius, y + 0.7 * radius], fill=value)
            continue
        angles = turn + np.arange(3 if index % 3 == 1 else 4) * (2 * np.pi / (2 + index % 3))
        corners = np.stack([x + radius * np.cos(angles), y + radius * np.sin(angles)], axis=1)
        draw.polygon([tuple(corner) for corner in corners.tolist()], fill=value)
    return np.asarray(canvas)


def touching_drawing(ids, *, side=256):
    """Ids as large_drawing has them, but of sectors: every label has two neighbors, and all meet
    in the middle."""
    canvas = Image.new("L", (SCALE * side,) * 2, ids[0])
    draw = ImageDraw.Draw(canvas)
    step = 360 / len(ids)
    for index, value in enumerate(ids):
        box = [-SCALE * side, -SCALE * side, 2 * SCALE * side, 2 * SCALE * side]
        draw.pieslice(box, 7 + index * step, 7 + (index + 1) * step, fill=value)
    return np.asarray(canvas)


def striped_drawing(ids, *, side=128):
    """Ids as large_drawing has them, but of slanted stripes: each edge is between two labels."""
    rows, columns = np.mgrid[0 : SCALE * side, 0 : SCALE * side]
    place = (0.93 * rows + 0.37 * columns) / (1.3 * SCALE * side)
    return np.array(ids, np.uint8)[(place * len(ids)).astype(int)]


def shrunk(ids, label_set):
    """The drawing in colors with smoothed edges, and which pixels are of one label alone."""
    colors = Image.fromarray(label_set.colorize(ids)).reduce(SCALE)
    side = len(ids) // SCALE
    blocks = ids.reshape(side, SCALE, side, SCALE).transpose(0, 2, 1, 3).reshape(side, side, -1)
    pure = (blocks == blocks[..., :1]).all(axis=2)
    return np.asarray(colors), blocks[..., 0], pure, blocks


def occurs_beside(label_map, blocks, reach=3):
    """Whether each pixel's label was drawn at most ``reach`` pixels away."""
    padded = np.pad(blocks, ((reach, reach), (reach, reach), (0, 0)), mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, (2 * reach + 1,) * 2, axis=(0, 1))
    return (windows == label_map[..., None, None, None]).any(axis=(2, 3, 4))


def test_smoothed_shapes_of_all_landscape_labels_are_read_exactly(landscape):
    colors, drawn, pure, blocks = shrunk(large_drawing(list(range(13))), landscape)
    assert set(np.unique(drawn)) == set(range(13))
    reading = colors_to_labels(colors, landscape)
    assert reading.unknown == ()
    assert (reading.label_map[pure] == drawn[pure]).all()
    assert 0 < reading.snapped <= 0.01 * drawn.size
    assert reading.snapped == (landscape.colorize(reading.label_map) != colors).any(axis=2).sum()
    assert set(np.unique(reading.label_map)) == set(range(13))
    assert occurs_beside(reading.label_map, blocks, reach=2).all()


def test_smoothed_pixels_go_to_the_label_that_covers_most_of_them(landscape):
    colors, _, pure, blocks = shrunk(large_drawing(list(range(13))), landscape)
    label_map = colors_to_labels(colors, landscape).label_map
    covered = (blocks == label_map[..., None]).mean(axis=2)
    largest = np.stack([(blocks == value).mean(axis=2) for value in range(13)]).max(axis=0)
    edges = ~pure
    assert (covered[edges] >= largest[edges]).mean() > 0.98
    assert (covered[edges] > 0).mean() > 0.999


@pytest.mark.parametrize("ids", [(4, 2, 1), (2, 4, 3), (0, 4, 2, 1, 9, 3)])
def test_labels_that_look_alike_do_not_appear_on_edges_of_others(landscape, ids):
    """Between snow and sky lies the color of clouds, between white and black that of rock."""
    for missing in ids:
        drawn_ids = [value for value in ids if value != missing]
        colors, drawn, pure, _ = shrunk(touching_drawing(drawn_ids), landscape)
        reading = colors_to_labels(colors, landscape)
        assert set(np.unique(reading.label_map)) == set(drawn_ids)
        assert (reading.label_map[pure] == drawn[pure]).all()
        assert reading.unknown == ()


@pytest.mark.parametrize("name", ["ade20k", "coco_stuff", "cityscapes", "photopen"])
def test_any_label_set_keeps_its_labels_where_their_edges_show_colors_of_others(name):
    label_set = find_label_set(name)
    for seed in range(13):
        ids = np.random.default_rng(seed).permutation(len(label_set))[:13].tolist()
        colors, drawn, pure, _ = shrunk(striped_drawing(ids), label_set)
        reading = colors_to_labels(colors, label_set)
        assert (reading.label_map[pure] == drawn[pure]).all()
        assert set(np.unique(reading.label_map)) == set(ids)
        assert reading.unknown == ()


def test_a_mixture_that_is_exactly_a_third_color_is_still_a_mixture():
    label_set = of_colors((0, 0, 0), (200, 0, 0), (100, 0, 0))
    pixels = np.zeros((12, 12, 3), np.uint8)
    pixels[6:, :, 0] = 200
    pixels[6, :, 0] = 100  # half of each: exactly label 2
    pixels[6, 5, 0] = 50  # somewhere the edge shows that it is smoothed
    reading = colors_to_labels(pixels, label_set)
    assert set(np.unique(reading.label_map)) == {0, 1}
    assert reading.snapped == 12


def test_a_third_color_between_two_is_kept_where_no_edge_is_smoothed():
    label_set = of_colors((0, 0, 0), (200, 0, 0), (100, 0, 0))
    pixels = np.zeros((12, 12, 3), np.uint8)
    pixels[6:, :, 0] = 200
    pixels[6, :, 0] = 100
    reading = colors_to_labels(pixels, label_set)
    assert (reading.label_map[6] == 2).all()
    assert reading.snapped == 0


def test_a_mixture_that_is_exactly_a_third_color_is_one_where_the_third_is_drawn_elsewhere():
    label_set = of_colors((0, 0, 0), (200, 0, 0), (100, 0, 0))
    pixels = np.zeros((20, 20, 3), np.uint8)
    pixels[6:, :, 0] = 200
    pixels[6, :, 0] = 100
    pixels[6, 5, 0] = 50
    pixels[14:18, 4:16, 0] = 100
    label_map = colors_to_labels(pixels, label_set).label_map
    assert (label_map[6] != 2).all()
    assert (label_map == 2).sum() == 48


def test_a_third_color_is_kept_beside_an_area_of_its_own():
    label_set = of_colors((0, 0, 0), (200, 0, 0), (100, 0, 0))
    pixels = np.zeros((12, 12, 3), np.uint8)
    pixels[6:, :, 0] = 200
    pixels[5:8, 4:8, 0] = 100  # an area, with a thin spur
    pixels[6, 8:10, 0] = 100
    pixels[6, 0, 0] = 50
    label_map = colors_to_labels(pixels, label_set).label_map
    assert (label_map[5:8, 4:8] == 2).all()
    assert (label_map[6, 8:10] == 2).all()


def test_thin_lines_and_dots_are_kept_in_drawings_with_smoothed_edges(landscape):
    colors, drawn, pure, _ = shrunk(touching_drawing([1, 5, 4, 7], side=64), landscape)
    pixels, expected = colors.copy(), drawn.copy()
    for place, label in (((slice(12, 60), 20), 5), ((10, slice(3, 60)), 11), ((50, 50), 12)):
        pixels[place], expected[place] = landscape.labels[label].color, label
    label_map = colors_to_labels(pixels, landscape).label_map
    assert (label_map[pure] == expected[pure]).all()
    assert (label_map[12:60, 20] == 5).all()
    assert (label_map[10, 3:60] == 11).all()
    assert label_map[50, 50] == 12


def test_hard_edged_drawings_are_read_pixel_by_pixel():
    for name in ("landscape", "ade20k", "coco_stuff_raw"):
        label_set = find_label_set(name)
        drawn = np.random.default_rng(0).integers(0, len(label_set), (64, 48)).astype(np.uint8)
        drawn[:8] = DONT_CARE
        reading = colors_to_labels(label_set.colorize(drawn), label_set)
        assert (reading.label_map == drawn).all()
        assert (reading.snapped, reading.unknown) == (0, ())


def test_a_color_near_no_label_is_reported_as_it_is(landscape):
    pixels = landscape.colorize(np.ones((40, 40), np.uint8))
    pixels[10:20, 10:25] = PINK
    pixels[30:35, 0:4] = (1, 254, 3)
    reading = colors_to_labels(pixels, landscape)
    assert reading.unknown == ((PINK, 150), ((1, 254, 3), 20))
    assert (reading.label_map[10:20, 10:25] == DONT_CARE).all()
    assert (reading.label_map == DONT_CARE).sum() == 170
    assert reading.snapped == 0


def test_unknown_colors_of_equal_size_come_in_the_order_of_their_values(landscape):
    pixels = np.zeros((6, 6, 3), np.uint8)
    pixels[:3], pixels[3:] = PINK, (0, 255, 255)
    assert colors_to_labels(pixels, landscape).unknown == (((0, 255, 255), 18), (PINK, 18))


def test_a_thin_line_of_an_unknown_color_is_reported_too(landscape):
    pixels = landscape.colorize(np.full((40, 40), 6, np.uint8))
    pixels[20, 3:30] = PINK
    reading = colors_to_labels(pixels, landscape)
    assert reading.unknown == ((PINK, 27),)
    assert (reading.label_map[20, 3:30] == DONT_CARE).all()


def test_a_single_pixel_is_never_a_label_that_is_not_beside_it(landscape):
    """The tip of something drawn nowhere else: its color is near that of clouds by chance."""
    pixels = landscape.colorize(np.ones((20, 20), np.uint8))
    pixels[10, 10] = np.add(landscape.labels[2].color, (5, -5, 5))
    reading = colors_to_labels(pixels, landscape)
    assert (reading.label_map == 1).all()
    assert (reading.snapped, reading.unknown) == (1, ())


def test_a_faint_line_of_a_label_that_is_not_beside_it_is_left_to_the_label_around(landscape):
    """Six tenths tree on sky, wherever else trees are: no pixel nearby is certainly tree."""
    pixels = landscape.colorize(np.ones((40, 40), np.uint8))
    sky, tree = (np.array(landscape.labels[label].color) for label in (1, 5))
    pixels[30:] = tree
    pixels[10, 5:35] = np.rint(0.4 * sky + 0.6 * tree)
    reading = colors_to_labels(pixels, landscape)
    assert (reading.label_map[:30] == 1).all()
    assert (reading.label_map[30:] == 5).all()
    assert (reading.snapped, reading.unknown) == (30, ())


def test_pixels_near_the_far_side_of_a_soft_edge_go_there(landscape):
    sky, tree = (np.array(landscape.labels[label].color) for label in (1, 5))
    shares = np.array([0.0] * 10 + [0.75, 0.9, 0.96, 0.98] + [1.0] * 10)[:, None]
    column = np.rint(sky + shares * (tree - sky)).astype(np.uint8)
    label_map = colors_to_labels(np.repeat(column[:, None], 12, axis=1), landscape).label_map
    assert (label_map[:10] == 1).all()
    assert (label_map[10:] == 5).all()


def test_the_smoothed_edge_of_an_unknown_area_is_shared_out_and_not_reported_apart(landscape):
    large = landscape.colorize(np.ones((160, 160), np.uint8))
    picture = Image.fromarray(large)
    ImageDraw.Draw(picture).ellipse([33, 33, 127, 120], fill=PINK)
    reading = colors_to_labels(np.asarray(picture.reduce(SCALE)), landscape)
    assert [color for color, _ in reading.unknown] == [PINK]
    assert set(np.unique(reading.label_map)) == {1, DONT_CARE}
    assert reading.unknown[0][1] == (reading.label_map == DONT_CARE).sum()
    assert reading.snapped > 20


@pytest.mark.parametrize("shift", [(0, 0, 0), (12, 0, 0), (-12, 12, 7), (0, 0, -1)])
def test_areas_within_the_tolerance_are_the_nearest_label_and_counted(landscape, shift):
    color = np.add(landscape.labels[7].color, shift)
    pixels = np.broadcast_to(color.astype(np.uint8), (10, 11, 3))
    reading = colors_to_labels(pixels, landscape)
    assert (reading.label_map == 7).all()
    assert reading.snapped == (110 if any(shift) else 0)
    assert reading.unknown == ()


def test_areas_beyond_the_tolerance_are_unknown(landscape):
    color = tuple(np.add(landscape.labels[7].color, (13, 0, 0)).tolist())
    pixels = np.broadcast_to(np.array(color, np.uint8), (10, 11, 3))
    assert colors_to_labels(pixels, landscape).unknown == ((color, 110),)
    assert (colors_to_labels(pixels, landscape, tolerance=13).label_map == 7).all()


def test_the_nearest_of_two_colors_within_the_tolerance_is_taken():
    label_set = of_colors((100, 100, 100), (110, 100, 100))
    for red, expected in ((104, 0), (106, 1)):
        pixels = np.full((4, 4, 3), (red, 100, 100), np.uint8)
        assert (colors_to_labels(pixels, label_set).label_map == expected).all()


def test_drawings_in_shifted_colors_with_smoothed_edges_are_read(landscape):
    colors, drawn, pure, _ = shrunk(touching_drawing([1, 4, 3, 7, 5]), landscape)
    shifted = np.add(colors, [-4, 3, -5], dtype=int).clip(0, 255).astype(np.uint8)
    reading = colors_to_labels(shifted, landscape)
    assert (reading.label_map[pure] == drawn[pure]).all()
    assert set(np.unique(reading.label_map)) == {1, 4, 3, 7, 5}
    assert reading.unknown == ()


def test_edges_smoothed_in_light_instead_of_pixel_values_are_read():
    label_set = of_colors((255, 0, 0), (0, 255, 0), (130, 130, 0), (188, 188, 0))
    large = touching_drawing([0, 1], side=64)
    light = (label_set.colorize(large) / 255.0) ** 2.2
    mixed = light.reshape(64, SCALE, 64, SCALE, 3).mean(axis=(1, 3))
    colors = np.rint(255 * mixed ** (1 / 2.2)).astype(np.uint8)
    reading = colors_to_labels(colors, label_set)
    assert set(np.unique(reading.label_map)) == {0, 1}
    assert reading.unknown == ()


def test_wide_soft_edges_are_divided_between_the_labels_beside_them(landscape):
    ramp = np.linspace(0, 1, 12)[:, None]
    sky, snow = (np.array(landscape.labels[label].color) for label in (1, 4))
    column = np.concatenate([[sky] * 10, sky + ramp * (snow - sky), [snow] * 10])
    pixels = np.rint(np.repeat(column[:, None], 20, axis=1)).astype(np.uint8)
    label_map = colors_to_labels(pixels, landscape).label_map
    assert set(np.unique(label_map)) == {1, 4}
    assert (np.diff((label_map[:, 0] == 4).astype(int)) >= 0).all()
    assert 13 <= (label_map[:, 0] == 1).sum() <= 19


@pytest.mark.parametrize("filter_name", ["BILINEAR", "BICUBIC", "LANCZOS"])
def test_drawings_shrunk_by_other_filters_are_read(landscape, filter_name):
    large = large_drawing(list(range(13)), side=256)
    picture = Image.fromarray(landscape.colorize(large))
    colors = picture.resize((256, 256), getattr(Image, filter_name))
    reading = colors_to_labels(np.asarray(colors), landscape)
    _, drawn, pure, _ = shrunk(large, landscape)
    assert set(np.unique(reading.label_map)) == set(range(13))
    assert (reading.label_map[pure] != drawn[pure]).mean() < 1e-3
    assert reading.unknown == ()


def test_transparent_pixels_are_dont_care_and_others_count_as_their_color(landscape):
    pixels = np.zeros((8, 8, 4), np.uint8)
    pixels[..., :3] = landscape.labels[5].color
    pixels[..., 3] = 255
    pixels[0, :, 3] = 0
    pixels[1, :, 3] = 127
    pixels[2, :, 3] = 128
    pixels[0, :, :3] = PINK  # what lies below nothing is seen by nobody
    reading = colors_to_labels(pixels, landscape)
    assert (reading.label_map[:2] == DONT_CARE).all()
    assert (reading.label_map[2:] == 5).all()
    assert (reading.snapped, reading.unknown) == (0, ())


def test_a_shape_smoothed_against_nothing_keeps_its_color_in_the_half_that_shows(landscape):
    large = np.zeros((160, 160, 4), np.uint8)
    picture = Image.fromarray(large)
    ImageDraw.Draw(picture).ellipse([20, 20, 140, 130], fill=(*landscape.labels[12].color, 255))
    alpha = np.asarray(picture.getchannel("A").reduce(SCALE))
    pixels = np.dstack([np.full((40, 40, 3), landscape.labels[12].color, np.uint8), alpha])
    reading = colors_to_labels(pixels, landscape)
    assert ((reading.label_map == 12) == (alpha >= 128)).all()
    assert ((reading.label_map == DONT_CARE) == (alpha < 128)).all()


def test_the_color_that_shows_dont_care_is_dont_care_again(landscape):
    drawn = np.full((20, 20), 1, np.uint8)
    drawn[5:15, 5:15] = DONT_CARE
    reading = colors_to_labels(landscape.colorize(drawn), landscape)
    assert (reading.label_map == drawn).all()
    assert (reading.snapped, reading.unknown) == (0, ())


def test_the_color_of_dont_care_is_a_label_where_one_has_it():
    label_set = of_colors((0, 0, 0), (235, 235, 235))
    pixels = np.full((5, 5, 3), 235, np.uint8)
    assert (colors_to_labels(pixels, label_set).label_map == 1).all()


def test_labels_of_one_color_cannot_be_read():
    with pytest.raises(ConfigError, match=r"'label 0' and 'label 2' have the same color #010203"):
        colors_to_labels(np.zeros((3, 3, 3), np.uint8), of_colors((1, 2, 3), (1, 2, 4), (1, 2, 3)))


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (2, 2), (3, 1), (3, 3)])
def test_the_smallest_pictures_are_read(landscape, size):
    for color, expected in ((landscape.labels[9].color, 9), (PINK, DONT_CARE)):
        pixels = np.full((*size, 3), color, np.uint8)
        reading = colors_to_labels(pixels, landscape)
        assert reading.label_map.shape == size
        assert (reading.label_map == expected).all()
        assert reading.unknown == (((PINK, size[0] * size[1]),) if expected == DONT_CARE else ())


def test_reading_changes_no_pixel_and_gives_the_same_twice(landscape):
    colors, *_ = shrunk(touching_drawing([0, 4, 2, 1], side=64), landscape)
    before = colors.copy()
    first, second = (colors_to_labels(colors, landscape) for _ in range(2))
    assert (colors == before).all()
    assert (first.label_map == second.label_map).all()
    assert first.label_map.dtype == np.uint8


@pytest.mark.parametrize("name", ["a.png", "a.bmp", "a.gif", "a.tiff"])
def test_files_of_common_programs_are_read(tmp_path, landscape, name):
    drawn = touching_drawing([1, 3, 5, 7], side=8)
    Image.fromarray(landscape.colorize(drawn)).save(tmp_path / name)
    reading = read_color_mask(tmp_path / name, landscape)
    assert (reading.label_map == drawn).all()


def test_palette_and_transparent_png_are_read_as_colors_not_as_ids(tmp_path, landscape):
    drawn = touching_drawing([1, 3, 5, 7], side=8)
    palette_picture = Image.fromarray(landscape.colorize(drawn)).quantize(8)
    palette_picture.save(tmp_path / "palette.png")
    assert Image.open(tmp_path / "palette.png").mode == "P"
    reading = read_color_mask(tmp_path / "palette.png", landscape)
    assert (reading.label_map == drawn).all()
    alpha = np.full(drawn.shape, 255, np.uint8)
    alpha[:5] = 0
    Image.fromarray(np.dstack([landscape.colorize(drawn), alpha])).save(tmp_path / "alpha.png")
    label_map = read_color_mask(tmp_path / "alpha.png", landscape).label_map
    assert (label_map[:5] == DONT_CARE).all()
    assert (label_map[5:] == drawn[5:]).all()


def test_the_tolerance_reaches_the_file(tmp_path, landscape):
    color = np.add(landscape.labels[7].color, (20, 0, 0)).astype(np.uint8)
    Image.fromarray(np.full((5, 5, 3), color, np.uint8)).save(tmp_path / "a.png")
    assert read_color_mask(tmp_path / "a.png", landscape).unknown
    assert not read_color_mask(tmp_path / "a.png", landscape, tolerance=20).unknown


@pytest.mark.parametrize("kind", ["JPEG", "WEBP"])
def test_lossy_pictures_are_refused_unless_allowed(tmp_path, landscape, kind):
    colors, drawn, pure, _ = shrunk(large_drawing([1, 3, 5, 7, 12], side=256), landscape)
    path = tmp_path / "a.png"  # the content counts, not the ending
    Image.fromarray(colors).save(path, kind, quality=85)
    with pytest.raises(DataError, match=rf"a\.png: .* must not be a {kind}.*save it as PNG") as e:
        read_color_mask(path, landscape)
    assert e.value.code == "color_mask_jpeg"
    reading = read_color_mask(path, landscape, allow_jpeg=True)
    assert set(np.unique(reading.label_map)) == {1, 3, 5, 7, 12}
    assert (reading.label_map[pure] == drawn[pure]).mean() > 0.999
    assert reading.unknown == ()
    assert reading.snapped > 0


def test_edges_in_a_jpeg_show_no_third_label():
    label_set = of_colors((0, 0, 0), (255, 255, 255), (128, 128, 128))
    colors, *_ = shrunk(touching_drawing([0, 1, 0, 1]), label_set)
    stream = io.BytesIO()
    Image.fromarray(colors).save(stream, "JPEG", quality=75)
    reading = colors_to_labels(np.asarray(Image.open(stream)), label_set, lossy=True)
    assert set(np.unique(reading.label_map)) == {0, 1}


def test_an_unknown_area_of_a_jpeg_is_unknown(landscape):
    pixels = landscape.colorize(np.full((96, 96), 6, np.uint8))
    pixels[32:80, 32:80] = PINK
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", quality=90)
    reading = colors_to_labels(np.asarray(Image.open(stream)), landscape, lossy=True)
    assert (reading.label_map[40:72, 40:72] == DONT_CARE).all()
    assert (reading.label_map[:24] == 6).all()
    assert sum(count for _, count in reading.unknown) == (reading.label_map == DONT_CARE).sum()


def test_files_that_are_no_pictures_are_named(tmp_path, landscape):
    (tmp_path / "a.png").write_text("no picture", encoding="utf-8")
    for name in ("a.png", "missing.png"):
        with pytest.raises(DataError, match=f"{name}: cannot be read as a color mask") as e:
            read_color_mask(tmp_path / name, landscape)
        assert e.value.code == "color_mask_unreadable"


def test_a_cut_off_file_is_named(tmp_path, landscape):
    Image.fromarray(landscape.colorize(touching_drawing([1, 3, 5], side=64))).save(
        tmp_path / "whole.png"
    )
    content = (tmp_path / "whole.png").read_bytes()
    (tmp_path / "cut.png").write_bytes(content[: len(content) // 2])
    with pytest.raises(DataError, match=r"cut\.png: cannot be read as a color mask"):
        read_color_mask(tmp_path / "cut.png", landscape)


def test_sixteen_bit_values_are_no_colors(tmp_path, landscape):
    Image.fromarray(np.zeros((4, 4), np.uint16)).save(tmp_path / "a.png")
    with pytest.raises(DataError, match=r"a\.png: expected a picture in the colors") as e:
        read_color_mask(tmp_path / "a.png", landscape)
    assert e.value.code == "color_mask_mode"


def test_packing_undoes_unpacking_and_keeps_channels_in_order():
    pixels = np.random.default_rng(0).integers(0, 256, (5, 7, 3)).astype(np.uint8)
    assert (unpack(pack(pixels)) == pixels).all()
    assert pack(np.array([[[1, 2, 3]]], np.uint8)).tolist() == [[0x010203]]


def test_a_color_table_knows_labels_then_near_and_unknown_colors(landscape):
    table = ColorTable(landscape, tolerance=12)
    sky = pack(np.array(landscape.labels[1].color, np.uint8))
    asked = np.array([sky, sky + 1, 0xFF00FF, 0xEBEBEB, 0xFF00FF])
    assert table.find(asked).tolist() == [1, -1, -1, 13, -1]
    indices = table.add(asked)
    assert table.packed[indices].tolist() == asked.tolist()
    groups = table.groups[indices]
    assert groups[:2].tolist() == [1, 1]
    assert groups[2] == groups[4] > 255
    assert groups[3] == DONT_CARE
    assert table.add(asked).tolist() == indices.tolist()


def test_nearest_anchors_are_the_nearest_of_each_group():
    anchors = np.full((7, 7), -1, np.int32)
    anchors[3, 4], anchors[3, 5] = 0, 1  # of one group
    anchors[1, 1], anchors[0, 3] = 2, 3  # the last is out of reach
    groups = np.array([7, 7, 8, 9])
    near = nearest_anchors(anchors, np.array([[3, 3], [6, 0]]), groups=groups, radius=2)
    assert near.tolist() == [[0, 2, -1, -1], [-1, -1, -1, -1]]


@pytest.mark.parametrize(
    ("color", "near", "expected"),
    [
        ((0, 0, 0), [0, -1, -1, -1], 0),
        ((9, 0, 0), [0, -1, -1, -1], 0),
        ((11, 0, 0), [0, -1, -1, -1], -1),
        ((90, 90, 0), [0, 1, -1, -1], 0),  # nearer to black on the line to yellow
        ((150, 150, 0), [0, 1, -1, -1], 1),
        ((90, 120, 0), [0, 1, -1, -1], -1),  # beside the line
        ((120, 120, 60), [0, 1, 2, -1], 1),  # of three: half yellow, a quarter blue and black
        ((60, 60, 150), [2, 1, 0, -1], 2),
        ((255, 0, 0), [0, 1, 2, -1], -1),
        ((240, 240, 240), [0, 1, 2, -1], -1),  # level with the three, but not between them
        ((150, 150, 0), [-1, -1, -1, -1], -1),
    ],
)
def test_colors_are_matched_to_the_anchors_beside_them(color, near, expected):
    anchors = np.array([[0, 0, 0], [240, 240, 0], [0, 0, 240]])
    chosen = dominant_anchor(
        np.array([color]), np.array([near], np.int32), anchor_colors=anchors, tolerance=10
    )
    assert chosen.tolist() == [expected]
