"""FID and KID of features that are known, and statistics that are kept."""

from __future__ import annotations

import dataclasses

import numpy as np
import paddle
import pytest

from spade_paddle.data.clean_resize import clean_resize
from spade_paddle.errors import DataError
from spade_paddle.judge import inception as judge_inception
from spade_paddle.judge.inception import FeatureSet, InceptionExtractor, Statistics
from spade_paddle.metrics.frechet import frechet_distance
from spade_paddle.metrics.kernel import kernel_distance
from spade_paddle.metrics.normal import Normal
from tests.evaluation.conftest import inception, inception_weights
from tests.inference.conftest import photo

__all__ = ["inception", "inception_weights"]


def test_pictures_are_resized_scaled_and_seen_by_inception(inception):
    picture = photo(1, 40, 56)
    values = (clean_resize(picture, 299) - 128) / 128
    with paddle.no_grad():
        pictures = paddle.to_tensor(values.transpose(2, 0, 1)[None])
        expected = inception._network(pictures).numpy()[0]
    found = inception.extract(picture)
    assert found.shape == (2048,)
    assert found == pytest.approx(expected, rel=1e-4, abs=1e-5)
    assert np.abs(found - inception.extract(picture[::-1])).max() > 0.01


def test_the_other_filter_is_another_protocol(inception, inception_weights, monkeypatch):
    monkeypatch.setattr(judge_inception, "InceptionV3", lambda weights: inception._network)
    other = InceptionExtractor(inception_weights, kernel="bilinear")
    assert other.protocol["resize"].startswith("bilinear")
    assert inception.protocol["resize"].startswith("bicubic")
    picture = photo(1, 340, 340)
    assert np.abs(other.extract(picture) - inception.extract(picture)).max() > 1e-3


def feature_set(samples):
    result = FeatureSet()
    for row in samples:
        result.add(row)
    return result


@pytest.fixture
def samples():
    rng = np.random.default_rng(0)
    return rng.standard_normal((6, 30)), rng.random((5, 30))


def test_distances_are_those_of_the_features(samples):
    left, right = map(feature_set, samples)
    assert len(left) == 6
    assert left.fid(right) == pytest.approx(frechet_distance(*samples), rel=1e-9)
    assert left.kid(right) == pytest.approx(kernel_distance(*samples), rel=1e-12)
    normal = Normal.of_samples(samples[1])
    assert left.fid(normal) == pytest.approx(frechet_distance(*samples), rel=1e-9)


def test_weights_draw_scenes_anew(samples):
    left, right = map(feature_set, samples)
    weights = np.array([[2.0, 0, 1, 1, 1, 1], [1, 1, 1, 1, 1, 1]])
    other = np.array([[1.0, 1, 1, 2, 0], [1, 1, 1, 1, 1]])
    drawn = [
        np.repeat(each, w[0].astype(int), axis=0) for each, w in zip(samples, (weights, other))
    ]
    fid = left.fid(right, weights=weights, other_weights=other)
    assert fid.shape == (2,)
    assert fid[0] == pytest.approx(frechet_distance(*drawn), rel=1e-9)
    assert fid[1] == pytest.approx(left.fid(right))
    kid = left.kid(right, weights=weights, other_weights=other)
    assert kid[0] == pytest.approx(kernel_distance(*drawn), rel=1e-12)
    stored = left.fid(Normal.of_samples(samples[1]), weights=weights)
    assert stored[0] == pytest.approx(frechet_distance(drawn[0], samples[1]), rel=1e-9)


PROTOCOL = {"network": "this", "resize": "so"}


SIZE = 40


@pytest.fixture
def statistics(monkeypatch):
    """Of features that are fewer than 2048, for speed."""
    monkeypatch.setattr(judge_inception, "FEATURES", SIZE)
    rng = np.random.default_rng(1)
    return Statistics(Normal.of_samples(rng.standard_normal((7, SIZE))), 7, PROTOCOL)


def test_statistics_come_back_as_they_were(statistics, tmp_path):
    path = tmp_path / "deep" / "s.npz"
    statistics.save(path)
    with np.load(path, allow_pickle=False) as archive:
        assert archive["mu"].shape == (SIZE,)
        assert archive["sigma"] == pytest.approx(statistics.normal.covariance)
    found = Statistics.load(path, protocol=PROTOCOL)
    assert (found.count, found.protocol) == (7, PROTOCOL)
    other = feature_set(np.random.default_rng(2).random((5, SIZE)))
    assert other.fid(found.normal) == pytest.approx(other.fid(statistics.normal), rel=1e-6)


def test_statistics_of_another_protocol_are_refused_by_what_differs(statistics, tmp_path):
    statistics.save(tmp_path / "s.npz")
    wanted = {**PROTOCOL, "resize": "otherwise"}
    message = r"another protocol, resize: 'so', here 'otherwise'; .*--save-statistics"
    with pytest.raises(DataError, match=message) as error:
        Statistics.load(tmp_path / "s.npz", protocol=wanted)
    assert error.value.code == "statistics_differ"
    more = dataclasses.replace(statistics, protocol={**PROTOCOL, "side": 3})
    more.save(tmp_path / "t.npz")
    with pytest.raises(DataError, match="side: 3, here None"):
        Statistics.load(tmp_path / "t.npz", protocol=PROTOCOL)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"mu": np.zeros(2048), "sigma": np.zeros((2048, 2048))}, "without a protocol"),
        ({"mu": np.zeros(3), "sigma": np.eye(3)}, r"shapes \(3,\)"),
        ({"mu": np.full(2048, np.nan), "sigma": np.zeros((2048, 2048))}, "not finite"),
        ({"mu": np.array([{}], object)}, "expected mu"),
    ],
    ids=["of other programs", "small", "nan", "a pickle"],
)
def test_what_is_no_statistics_is_refused(tmp_path, content, words):
    about = {} if words == "without a protocol" else {"count": 2, "protocol": "{}"}
    np.savez(tmp_path / "s.npz", **content, **about)
    with pytest.raises(DataError, match=words) as error:
        Statistics.load(tmp_path / "s.npz", protocol={})
    assert error.value.code == "statistics_unreadable"


def test_missing_statistics_are_told(tmp_path):
    with pytest.raises(DataError, match=r"none\.npz: there is no such file; .* --save-statistics"):
        Statistics.load(tmp_path / "none.npz", protocol={})
