"""Real sets that are too large to come with the course. Nothing is fetched unless asked for.

Each loader looks into the folder that the environment variable COURSE_DATA names, then among what
was fetched before. With download=True it fetches what is missing, by pooch, into the user's cache,
and keeps it only if its SHA-256 is the right one. Otherwise it says in one sentence what to do.
"""

import csv
import gzip
import os
import pickle
import tarfile
from datetime import datetime
from pathlib import Path

import numpy as np

from .dataset import Dataset, Series

FOLDER_VARIABLE = "COURSE_DATA"

# file in the folder: (address, SHA-256)
_FASHION = "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com"
_FILES = {
    "mnist.npz": (
        "https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz",
        "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1",
    ),
    "fashion-mnist/train-images-idx3-ubyte.gz": (
        f"{_FASHION}/train-images-idx3-ubyte.gz",
        "08dc20ab1689590a0bcd66e874647b6ee8464e2d501b5a3f1f78831db19a3fdc",
    ),
    "fashion-mnist/train-labels-idx1-ubyte.gz": (
        f"{_FASHION}/train-labels-idx1-ubyte.gz",
        "b0197879cbda89f3dc7b894f9fd52b858e68ea4182b6947c9d8c2b67e5f18dcc",
    ),
    "fashion-mnist/t10k-images-idx3-ubyte.gz": (
        f"{_FASHION}/t10k-images-idx3-ubyte.gz",
        "78dcbbfb5a27efaf1b6c1d616caca68560be8766c5bffcb2791df9273a534229",
    ),
    "fashion-mnist/t10k-labels-idx1-ubyte.gz": (
        f"{_FASHION}/t10k-labels-idx1-ubyte.gz",
        "42bd18137a62d5998cdeae52bf3a0676ac6b706f5cf8439b47bb5b151ae3dccf",
    ),
    "cifar-10-python.tar.gz": (
        "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz",
        "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce",
    ),
    "tinyshakespeare/input.txt": (
        "https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/input.txt",
        "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed",
    ),
    "nyc-weather/weather.csv": (
        "https://raw.githubusercontent.com/tidyverse/nycflights13/"
        "df98ef215aa8216fe0838a0b8ac5bada646d814c/data-raw/weather.csv",
        "5d1ea2548a3941eac0b4a9ca70805daa9fa49bbb711a0c7557b2bba0bd7c3f64",
    ),
}


def load_mnist(download=False):
    """70,000 handwritten digits, 28x28, ink from 0 to 1: for training 60,000, for test 10,000.

    download: bool, True fetches mnist.npz (11 MB) if it is not there
    returns : train, test, each a Dataset with x float32
    raises  : FileNotFoundError, if the file is not there; ValueError, if it is another one;
              OSError, if it cannot be fetched
    source  : LeCun, Cortes and Burges, The MNIST Database of Handwritten Digits
    """
    with np.load(_find("mnist.npz", "load_mnist", download)) as file:
        wanted = {"x_train", "y_train", "x_test", "y_test"}
        if not wanted <= set(file.files):
            raise ValueError(f"mnist.npz must hold {sorted(wanted)}, got {sorted(file.files)}")
        parts = [(file[f"x_{part}"], file[f"y_{part}"]) for part in ("train", "test")]
    return _pictures(
        parts, (28, 28), tuple("0123456789"), "MNIST", "Y. LeCun, C. Cortes, C. Burges"
    )


def load_fashion_mnist(download=False):
    """70,000 pieces of clothing, 28x28 gray from 0 to 1: for training 60,000, for test 10,000.

    download: bool, True fetches the four files (31 MB) that are not there
    returns : train, test, each a Dataset with x float32
    raises  : FileNotFoundError, if a file is not there; ValueError, if it is another one;
              OSError, if it cannot be fetched
    source  : Xiao, Rasul and Vollgraf, Fashion-MNIST (2017); MIT license
    """
    parts = []
    for part in ("train", "t10k"):
        images, labels = (
            _find(f"fashion-mnist/{part}-{what}-ubyte.gz", "load_fashion_mnist", download)
            for what in ("images-idx3", "labels-idx1")
        )
        parts.append((_idx(images, header=16).reshape(-1, 28, 28), _idx(labels, header=8)))
    names = "T-shirt trouser pullover dress coat sandal shirt sneaker bag boot"
    return _pictures(
        parts, (28, 28), tuple(names.split()), "Fashion-MNIST", "H. Xiao, K. Rasul, R. Vollgraf"
    )


def load_cifar10(download=False):
    """60,000 photographs of ten kinds, 32x32 in color: for training 50,000, for test 10,000.

    The archive holds pickles, which could run any code: it is opened only if it is, by its
    SHA-256, the one that everybody has.

    download: bool, True fetches cifar-10-python.tar.gz (170 MB) if it is not there
    returns : train, test, each a Dataset with x float32 in [0, 1], image_shape (3, 32, 32)
    raises  : FileNotFoundError, if the file is not there; ValueError, if it is another one;
              OSError, if it cannot be fetched
    source  : Krizhevsky, Learning Multiple Layers of Features from Tiny Images (2009)
    """
    name = "cifar-10-python.tar.gz"
    file = _find(name, "load_cifar10", download)
    _require_checksum(file, _FILES[name][1])
    parts = []
    with tarfile.open(file) as archive:
        for batches in ([f"data_batch_{i}" for i in range(1, 6)], ["test_batch"]):
            read = [
                pickle.load(archive.extractfile(f"cifar-10-batches-py/{batch}"), encoding="bytes")
                for batch in batches
            ]
            images = np.concatenate([batch[b"data"] for batch in read]).reshape(-1, 3, 32, 32)
            parts.append((images, np.concatenate([batch[b"labels"] for batch in read])))
    names = "airplane automobile bird cat deer dog frog horse ship truck"
    return _pictures(parts, (3, 32, 32), tuple(names.split()), "CIFAR-10", "A. Krizhevsky (2009)")


def load_tiny_shakespeare(download=False):
    """1.1 million characters of Shakespeare's plays.

    download: bool, True fetches tinyshakespeare/input.txt (1 MB) if it is not there
    returns : str
    raises  : FileNotFoundError, if the file is not there; ValueError, if it is another one;
              OSError, if it cannot be fetched
    source  : A. Karpathy, char-rnn (2015)
    """
    file = _find("tinyshakespeare/input.txt", "load_tiny_shakespeare", download)
    return file.read_text(encoding="utf-8")


def load_nyc_weather(station="JFK", download=False):
    """The weather at an airport of New York in 2013, hour by hour, nan where nothing was measured.

    carry_forward fills the gaps without looking ahead. The source is left as it is: one wind at
    EWR, in February, of 469 m/s, is an error to be found.

    station : "EWR", "JFK" or "LGA"
    download: bool, True fetches nyc-weather/weather.csv (2 MB) if it is not there
    returns : Series, hours of UTC without a break: temperature, dew point, humidity, the wind's
              velocity to the east and to the north, rain, pressure, visibility
    raises  : ValueError, if there is no such station or the file is another one;
              FileNotFoundError, if it is not there; OSError, if it cannot be fetched
    source  : ASOS measurements, Iowa Environmental Mesonet, from H. Wickham's nycflights13 (CC0)
    """
    if station not in ("EWR", "JFK", "LGA"):
        raise ValueError(f'station must be "EWR", "JFK" or "LGA", got {station!r}')
    with open(_find("nyc-weather/weather.csv", "load_nyc_weather", download)) as file:
        rows = [row for row in csv.DictReader(file) if row["origin"] == station]
    when = [datetime.fromisoformat(row["time_hour"].replace("Z", "+00:00")) for row in rows]
    fahrenheit = {"temperature": "temp", "dew point": "dewp"}
    columns = {name: (_column(rows, key) - 32) / 1.8 for name, key in fahrenheit.items()}
    columns["humidity"] = _column(rows, "humid")
    speed = 0.44704 * _column(rows, "wind_speed")  # from miles an hour
    comes_from = np.deg2rad(_column(rows, "wind_dir"))
    calm = speed == 0  # it has no direction
    columns["wind east"] = np.where(calm, 0, -speed * np.sin(comes_from))
    columns["wind north"] = np.where(calm, 0, -speed * np.cos(comes_from))
    columns["rain"] = 25.4 * _column(rows, "precip")
    columns["pressure"] = _column(rows, "pressure")
    columns["visibility"] = 1.609344 * _column(rows, "visib")
    units = ("°C", "°C", "%", "m/s", "m/s", "mm", "hPa", "km")
    source = "ASOS, Iowa Environmental Mesonet, from nycflights13 (CC0)"
    return _hourly(when, columns, units, f"weather at {station} in 2013", source)


def load_beijing_air():
    """Fine dust and weather in Beijing from 2010 to 2014, hour by hour, nan where not measured.

    Not fetched: put beijing-pm25/pollution.csv into the folder; the UCI Machine Learning
    Repository has it as "Beijing PM2.5". carry_forward fills the gaps without looking ahead.

    returns : Series: fine dust, dew point, temperature, pressure, wind (its way, summed up since it
              last turned), hours of snow, hours of rain
    raises  : FileNotFoundError, if the file is not there
    source  : Liang et al., Assessing Beijing's PM2.5 pollution (2015); UCI, CC BY 4.0
    """
    with open(_find("beijing-pm25/pollution.csv", "load_beijing_air", False)) as file:
        rows = list(csv.DictReader(file))
    when = [datetime(*(int(row[key]) for key in ("year", "month", "day", "hour"))) for row in rows]
    keys = {
        "fine dust": "pm2.5",
        "dew point": "DEWP",
        "temperature": "TEMP",
        "pressure": "PRES",
        "wind": "Iws",
        "snow": "Is",
        "rain": "Ir",
    }
    columns = {name: _column(rows, key) for name, key in keys.items()}
    units = ("ug/m^3", "°C", "°C", "hPa", "m/s", "h", "h")
    source = "X. Liang et al. (2015). UCI Machine Learning Repository (CC BY 4.0)"
    return _hourly(when, columns, units, "air of Beijing", source)


def _find(name, loader, download):
    """The path of a file: in the folder, in the cache, or fetched."""
    folder = os.environ.get(FOLDER_VARIABLE)
    if folder:
        if not Path(folder).is_dir():
            raise FileNotFoundError(f"{FOLDER_VARIABLE} names {folder}, which is no folder.")
        if (Path(folder) / name).is_file():
            return Path(folder) / name
    put = f"put {name} into " + (folder or f"a folder and set {FOLDER_VARIABLE} to its path")
    if name not in _FILES:
        raise FileNotFoundError(f"{name} is not here: {put}.")
    import pooch

    address, checksum = _FILES[name]
    cached = Path(pooch.os_cache("deep-learning-course")) / name
    if cached.is_file() and pooch.file_hash(str(cached)) == checksum:
        return cached
    if not download:
        raise FileNotFoundError(
            f"{name} is not here: {put}, or call {loader}(download=True), "
            f"which fetches it from {address}."
        )
    try:
        pooch.retrieve(address, f"sha256:{checksum}", fname=cached.name, path=cached.parent)
    except ValueError as error:
        raise ValueError(
            f"What {address} sent is not the {name} that this course knows, by its SHA-256 "
            f"{checksum}; it was thrown away."
        ) from error
    except OSError as error:
        raise OSError(f"{name} could not be fetched from {address}: {error}") from error
    return cached


def _require_checksum(file, checksum):
    import pooch

    got = pooch.file_hash(str(file))
    if got != checksum:
        raise ValueError(f"{file} must have the SHA-256 {checksum}, got {got}")


def _pictures(parts, shape, class_names, name, author):
    """train and test, Datasets of (images uint8, labels)."""
    features = tuple(f"pixel {','.join(map(str, place))}" for place in np.ndindex(shape))
    datasets = []
    for part, (images, labels) in zip(("training", "test"), parts, strict=True):
        if images.shape[1:] != shape:
            raise ValueError(f"{name} must have pictures {shape}, got {images.shape[1:]}")
        datasets.append(
            Dataset(
                x=images.reshape(len(images), -1).astype(np.float32) / 255,
                y=np.asarray(labels, dtype=np.int64),
                feature_names=features,
                class_names=class_names,
                name=f"{name}, {part}",
                source=author,
                image_shape=shape,
            )
        )
    return tuple(datasets)


def _idx(file, header):
    """The bytes of a file of the IDX format, after its header."""
    with gzip.open(file) as opened:
        return np.frombuffer(opened.read(), dtype=np.uint8, offset=header)


def _column(rows, key):
    return np.array([np.nan if row[key] in ("NA", "") else float(row[key]) for row in rows])


def _hourly(when, columns, units, name, source):
    """Series with a row for every hour from the first to the last, nan where there was none."""
    hour = np.array([round((moment - when[0]).total_seconds() / 3600) for moment in when])
    hour -= hour.min()
    x = np.full((hour.max() + 1, len(columns)), np.nan)
    x[hour] = np.stack(list(columns.values()), axis=1)
    return Series(x, tuple(columns), units, "1 hour", name, source)
