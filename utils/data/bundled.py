"""Real data that comes inside scikit-learn, which is slow to import: hence inside the functions."""

import numpy as np

from .dataset import Dataset

_UCI = "UCI Machine Learning Repository (CC BY 4.0), as bundled with scikit-learn"


def load_digits():
    """1797 handwritten digits of 13 people, 8x8 pixels, ink from 0 to 16.

    source : E. Alpaydin and C. Kaynak (1998), "Optical Recognition of Handwritten Digits",
             the test part; UCI Machine Learning Repository, CC BY 4.0
    """
    from sklearn.datasets import load_digits as load

    bunch = load()
    pixels = tuple(f"pixel {row},{column}" for row in range(8) for column in range(8))
    return Dataset(
        x=np.array(bunch.data, dtype=np.float64),
        y=np.array(bunch.target, dtype=np.int64),
        feature_names=pixels,
        class_names=tuple("0123456789"),
        name="digits",
        source=f"E. Alpaydin, C. Kaynak (1998). {_UCI}",
        image_shape=(8, 8),
    )


def load_iris():
    """150 irises of three species, four lengths in cm.

    source : R. A. Fisher, "The use of multiple measurements in taxonomic problems" (1936);
             UCI Machine Learning Repository, CC BY 4.0
    """
    from sklearn.datasets import load_iris as load

    return _table(load(), "iris", "R. A. Fisher (1936)")


def load_wine():
    """178 Italian wines of three grape varieties, 13 measurements on very different scales.

    source : S. Aeberhard and M. Forina (1991); UCI Machine Learning Repository, CC BY 4.0
    """
    from sklearn.datasets import load_wine as load

    return _table(load(), "wine", "S. Aeberhard, M. Forina (1991)")


def load_breast_cancer():
    """569 breast tumors, malignant (0) or benign (1), 30 measurements of cell nuclei.

    source : W. Wolberg, O. Mangasarian, N. Street and W. Street (1993), Wisconsin Diagnostic;
             UCI Machine Learning Repository, CC BY 4.0
    """
    from sklearn.datasets import load_breast_cancer as load

    return _table(load(), "breast cancer", "W. Wolberg, O. Mangasarian, N. and W. Street (1993)")


def _table(bunch, name, author):
    return Dataset(
        x=np.array(bunch.data, dtype=np.float64),
        y=np.array(bunch.target, dtype=np.int64),
        feature_names=tuple(str(feature) for feature in bunch.feature_names),
        class_names=tuple(str(label) for label in bunch.target_names),
        name=name,
        source=f"{author}. {_UCI}",
    )


def load_photo(name="china", color=False):
    """One of scikit-learn's two photographs, 427x640.

    name : "china" (the Summer Palace, by danielbuechele) or "flower" (a dahlia, by vultilion);
           both from Flickr, 2011, under CC BY 2.0
    returns: uint8, (427, 640, 3) in color, else (427, 640) gray levels (luma, ITU-R BT.601)
    """
    if name not in ("china", "flower"):
        raise ValueError(f'name must be "china" or "flower", not {name!r}')
    from sklearn.datasets import load_sample_image

    photo = np.array(load_sample_image(f"{name}.jpg"), dtype=np.uint8)
    if color:
        return photo
    return np.round(photo @ np.array([0.299, 0.587, 0.114])).astype(np.uint8)
