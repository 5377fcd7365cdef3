"""Glyph digits: what is promised of them, and that they tell models apart."""

from time import process_time

import numpy as np
import pytest

from utils import data
from utils.reference.neighbors import knn_predict

LEVELS = ["easy", "medium", "hard"]


@pytest.mark.parametrize("level", LEVELS)
def test_pictures_with_labels(level):
    d = data.make_glyph_digits(105, rng=3, level=level)
    assert d.x.shape == (105, 784) and d.x.dtype == np.float32
    assert d.image_shape == (28, 28)
    assert d.x.min() == 0 and 0.9 < d.x.max() <= 1
    assert sorted(np.bincount(d.y)) == [10] * 5 + [11] * 5
    assert level in d.name and "generated" in d.source


def test_repeats_by_its_seed():
    a, b = data.make_glyph_digits(50, 3), data.make_glyph_digits(50, np.random.default_rng(3))
    assert np.array_equal(a.x, b.x) and np.array_equal(a.y, b.y)
    assert not np.array_equal(a.x, data.make_glyph_digits(50, 4).x)


def test_no_two_are_the_same():
    d = data.make_glyph_digits(4100, 0, level="easy")  # in more than one block
    assert len(np.unique(d.x, axis=0)) == 4100
    half = np.abs(d.x[:2000].mean(axis=0) - d.x[2000:4000].mean(axis=0))
    assert half.max() < 0.1  # both blocks are drawn alike


def test_faces_are_held_out():
    assert len(data.GLYPH_FACES) == 16 and len(data.HELD_OUT_FACES) == 4
    assert not set(data.GLYPH_FACES) & set(data.HELD_OUT_FACES)
    assert len(set(data.GLYPH_FACES + data.HELD_OUT_FACES)) == 20


def test_faces_are_drawn_equally_often():
    thin, fat = "DejaVuSans", "DejaVuSans-Bold"
    one, other, both, mostly_fat = (
        data.make_glyph_digits(1000, 0, level="easy", faces=faces).x.mean()
        for faces in [(thin,), (fat,), (thin, fat), (thin, fat, fat, fat)]
    )
    assert other > 1.2 * one
    np.testing.assert_allclose(both, (one + other) / 2, rtol=0.03)
    np.testing.assert_allclose(mostly_fat, (one + 3 * other) / 4, rtol=0.03)


@pytest.mark.parametrize("face", data.GLYPH_FACES + data.HELD_OUT_FACES)
def test_every_face_draws_ten_different_digits_upright(face):
    d = data.make_glyph_digits(100, 0, level="easy", faces=(face,))
    means = np.array([d.x[d.y == k].mean(axis=0) for k in range(10)])
    rows = means.reshape(10, 28, 28)
    assert (means.sum(axis=1) > 30).all()  # there is ink
    # in the middle
    assert (rows[:, 3:25, 4:24].sum(axis=(1, 2)) > 0.8 * means.sum(axis=1)).all()
    apart = np.linalg.norm(means[:, None] - means, axis=2)
    assert apart[~np.eye(10, dtype=bool)].min() > 1
    assert rows[7, :14].sum() > rows[7, 14:].sum()  # a seven is heavy on top
    six, nine = rows[6], rows[9]
    assert np.linalg.norm(six[::-1, ::-1] - nine) < np.linalg.norm(six - nine)


def test_levels_are_steps_and_nearest_neighbors_feel_them():
    right = []
    for level in LEVELS:
        d = data.make_glyph_digits(2400, 1, level=level)
        x = d.x.astype(np.float64)
        said = knn_predict(x[:2000], d.y[:2000], x[2000:], k=3)
        right.append((said == d.y[2000:]).mean())
    easy, medium, hard = right  # with 20,000 to learn from: 1.00, 0.89, 0.60
    assert easy > 0.95
    assert 0.55 < medium < 0.9
    assert 0.25 < hard < 0.65
    assert hard < medium - 0.15


def test_twenty_thousand_are_there_in_a_moment():
    data.make_glyph_digits(10, 0)  # draws the faces
    start = process_time()
    data.make_glyph_digits(4000, 0)
    assert process_time() - start < 2  # 0.2 s, on a machine with nothing else to do


def test_refuses():
    with pytest.raises(ValueError, match=r"n must be at least 10.*got 9"):
        data.make_glyph_digits(9, 0)
    with pytest.raises(ValueError, match="easy, medium, hard, got 'evil'"):
        data.make_glyph_digits(10, 0, level="evil")
    with pytest.raises(ValueError, match=r"got \['Comic'\]"):
        data.make_glyph_digits(10, 0, faces=("Comic", "cmr10"))
    with pytest.raises(ValueError, match=r"faces must be.*got \[\]"):
        data.make_glyph_digits(10, 0, faces=())
