"""The data sets are what they say, and the same every time."""

import numpy as np
import pytest

from utils import data

BUNDLED = {
    data.load_digits: (1797, 64, 10),
    data.load_iris: (150, 4, 3),
    data.load_wine: (178, 13, 3),
    data.load_breast_cancer: (569, 30, 2),
}
TOYS = [data.make_blobs, data.make_moons, data.make_rings, data.make_spiral]


@pytest.mark.parametrize("load", BUNDLED)
def test_bundled_set_has_its_shape_and_source(load):
    d = load()
    n, features, classes = BUNDLED[load]
    assert d.x.shape == (n, features) and d.x.dtype == np.float64
    assert d.y.shape == (n,) and set(d.y) == set(range(classes))
    assert len(d.feature_names) == features and len(d.class_names) == classes
    assert "CC BY 4.0" in d.source
    assert repr(d) == f"{d.name}: {n} examples, {features} features, {classes} classes"


def test_digits_are_pictures():
    d = data.load_digits()
    assert d.image_shape == (8, 8)
    assert d.x.min() == 0 and d.x.max() == 16


def test_a_loaded_set_is_the_callers_own():
    data.load_digits().x[:] = 0
    assert data.load_digits().x.max() == 16


@pytest.mark.parametrize("name", ["china", "flower"])
def test_photo_is_gray_or_color(name):
    gray, color = data.load_photo(name), data.load_photo(name, color=True)
    assert gray.shape == (427, 640) and color.shape == (427, 640, 3)
    assert gray.dtype == color.dtype == np.uint8
    assert (gray >= color.min(axis=2)).all() and (gray <= color.max(axis=2)).all()


def test_no_other_photo():
    with pytest.raises(ValueError, match="china"):
        data.load_photo("cat")


@pytest.mark.parametrize("make", TOYS)
@pytest.mark.parametrize("n", [7, 90])
def test_toy_is_balanced_and_repeats(make, n):
    a, b = make(n, rng=3), make(n, np.random.default_rng(3))
    assert a.x.shape == (n, 2) and a.x.dtype == np.float64
    assert np.array_equal(a.x, b.x) and np.array_equal(a.y, b.y)
    assert not np.array_equal(a.x, make(n, rng=4).x)
    counts = np.bincount(a.y)
    assert len(counts) == len(a.class_names) and counts.max() - counts.min() <= 1


def test_rings_are_rings():
    d = data.make_rings(60, rng=0, noise=0.0, n_classes=3)
    assert np.allclose(np.hypot(*d.x.T), d.y + 1)


def test_dataset_refuses_what_does_not_fit():
    x = np.zeros((3, 4))
    with pytest.raises(ValueError, match="y must be"):
        data.Dataset(x, np.array([0, 1, 2]), tuple("abcd"), ("a", "b"), "three", "nowhere")
    with pytest.raises(ValueError, match="names"):
        data.Dataset(x, np.array([0, 1, 1]), ("a",), ("a", "b"), "three", "nowhere")
