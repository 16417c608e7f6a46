"""Intersection over union against numbers worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from spade_paddle.metrics.segmentation import Agreement, confusion, joint_iou

TRUTH = np.array([[0, 0, 0, 1], [1, 1, 2, 255]], np.uint8)
GIVEN = np.array([[0, 0, 1, 1], [1, 255, 1, 2]], np.uint8)


def test_confusion_counts_true_label_by_given_label():
    counts = confusion(TRUTH, GIVEN, num_labels=3)
    assert counts.tolist() == [[2, 1, 0, 0], [0, 2, 0, 1], [0, 1, 0, 0]]


def test_scores_of_the_hand_made_pictures():
    scores = Agreement.of(confusion(TRUTH, GIVEN, num_labels=3))
    assert scores.iou.tolist() == pytest.approx([2 / 3, 2 / 5, 0])
    assert scores.recall.tolist() == pytest.approx([2 / 3, 2 / 3, 0])
    assert scores.share.tolist() == pytest.approx([3 / 7, 3 / 7, 1 / 7])
    assert scores.mean_iou == pytest.approx((2 / 3 + 2 / 5) / 3)
    assert scores.pixel_accuracy == pytest.approx(4 / 7)


def test_pixels_that_were_given_no_label_count_as_wrong():
    silent = np.where(GIVEN == TRUTH, GIVEN, 255).astype(np.uint8)
    scores = Agreement.of(confusion(TRUTH, silent, num_labels=3))
    assert scores.pixel_accuracy == pytest.approx(4 / 7)
    assert scores.iou.tolist() == pytest.approx([2 / 3, 2 / 3, 0])  # only the third has no rival


def test_a_label_that_is_nowhere_does_not_enter_the_mean():
    truth = np.array([[0, 2]], np.uint8)
    scores = Agreement.of(confusion(truth, truth, num_labels=4))
    assert np.isnan(scores.iou[[1, 3]]).all()
    assert scores.mean_iou == 1


def test_label_given_falsely_that_is_nowhere_true_lowers_the_other():
    scores = Agreement.of(confusion(TRUTH[:1], np.full((1, 4), 2, np.uint8), num_labels=3))
    assert scores.iou[2] == 0
    assert scores.mean_iou == 0


def test_counts_of_pictures_add_up_before_they_are_divided():
    small, large = np.zeros((1, 1), np.uint8), np.zeros((1, 3), np.uint8)
    counts = confusion(small, small + 1, num_labels=2) + confusion(large, large, num_labels=2)
    assert Agreement.of(counts).iou[0] == pytest.approx(3 / 4)


def test_labels_taken_as_one_ignore_confusion_among_themselves():
    truth = np.array([[0, 0, 1, 2, 2, 255]], np.uint8)
    predicted = np.array([[0, 1, 0, 2, 1, 0]], np.uint8)
    counts = confusion(truth, predicted, num_labels=3)
    assert joint_iou(counts, [0, 1]) == pytest.approx(3 / 4)  # one pixel of label 2 is called 1
    assert joint_iou(counts, [2]) == pytest.approx(Agreement.of(counts).iou[2])
    nothing = confusion(truth, np.zeros_like(truth), num_labels=4)
    assert np.isnan(joint_iou(nothing, [3]))
