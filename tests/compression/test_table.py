from __future__ import annotations

from spade_paddle.compression.cost import macs_cost
from spade_paddle.compression.groups import block_groups, group_sizes, resized, widths_of
from spade_paddle.compression.table import pruning_rows, pruning_table
from tests.compression.teachers import KINDS, NUM_LABELS


def rows_of(config, **sizes):
    before = widths_of(config)
    after = resized(config.generator, before, group_sizes(config.generator, before) | sizes)
    side = config.generator.multiple
    rows = pruning_rows(
        config, num_labels=NUM_LABELS, before=before, after=after, height=side, width=side
    )
    cost = macs_cost(config, num_labels=NUM_LABELS, height=side, width=side)
    return rows, (cost.of(before), cost.of(after))


def test_rows_of_a_plain_generator_by_hand():
    rows, costs = rows_of(KINDS["spade"], **{"up_3.norm_1": 5, "up_3.middle": 1})
    found = {name: numbers for name, *numbers in rows}
    assert list(found)[:5] == [
        *("fc", "head_0.norm_0", "head_0.conv_0", "head_0.norm_1", "head_0.conv_1")
    ]
    pixels = 32 * 32
    # 4 channels of the map -> hidden -> gamma and beta of up_3.middle
    assert found["up_3.norm_1"] == [12, 5, pixels * 12 * (4 + 4), pixels * 5 * (4 + 2)]
    assert found["up_3.conv_0"] == [2, 1, pixels * 4 * 2 * 9, pixels * 4 * 9]
    assert found["conv_img"] == [3, 3, pixels * 2 * 3 * 9, pixels * 2 * 3 * 9]
    assert tuple(sum(row[part] for row in rows) for part in (3, 4)) == costs


def test_rows_of_branches_that_are_gone():
    config = KINDS["branches, spade, style, more"]
    gone = block_groups(config.generator, widths_of(config))[0].own
    rows, costs = rows_of(config, **dict.fromkeys(gone, 0))
    found = {name: numbers for name, *numbers in rows}
    assert found["fc"] == [20, 20, 3 * 20 * 4, 3 * 20 * 4]  # a style of 3, features of 2 x 2
    for name in ("head_0.branches.depthwise_3", "head_0.norm.branches.plain_5"):
        assert found[name][0] > 0 and found[name][2] > 0
        assert found[name][1] == found[name][3] == 0
    assert tuple(sum(row[part] for row in rows) for part in (3, 4)) == costs


def test_the_table_has_a_line_for_every_row_and_the_sum():
    rows = [("fc", 1024, 256, 5_000, 1_250), ("head_0.conv_0", 64, 0, 70, 0)]
    assert pruning_table(rows) == "\n".join(
        [
            "layer          channels  now   MACs    now",
            "fc                1,024  256  5,000  1,250",
            "head_0.conv_0        64    0     70      0",
            "total                         5,070  1,250",
        ]
    )
