"""Real sets: found in the folder, refused in one sentence, fetched only when asked to.

No test needs the network: what is fetched comes from a server within the test.
"""

import gzip
import hashlib
import io
import pickle
import socket
import tarfile
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from utils import data
from utils.data import real

LOADERS = [
    data.load_mnist,
    data.load_fashion_mnist,
    data.load_cifar10,
    data.load_tiny_shakespeare,
    data.load_nyc_weather,
]


@pytest.fixture
def offline(monkeypatch):
    def refuse(*args, **kwargs):
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "create_connection", refuse)


@pytest.fixture(autouse=True)
def cache(monkeypatch, tmp_path):
    """An empty cache instead of the user's, and no folder."""
    monkeypatch.setattr("pooch.os_cache", lambda project: tmp_path / "cache" / project)
    monkeypatch.delenv("COURSE_DATA", raising=False)
    return tmp_path / "cache" / "deep-learning-course"


@pytest.fixture
def folder(monkeypatch, tmp_path):
    path = tmp_path / "sets"
    path.mkdir()
    monkeypatch.setenv("COURSE_DATA", str(path))
    return path


@pytest.fixture
def server(tmp_path, monkeypatch):
    """serve(name, content, checksum) puts a file where that name is fetched from."""
    path = tmp_path / "served"
    path.mkdir()

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *args):
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(path)))
    threading.Thread(target=http.serve_forever, daemon=True).start()

    def serve(name, content, checksum=None):
        (path / "file").write_bytes(content)
        checksum = checksum or hashlib.sha256(content).hexdigest()
        address = f"http://127.0.0.1:{http.server_port}/file"
        monkeypatch.setitem(real._FILES, name, (address, checksum))

    yield serve
    http.shutdown()
    http.server_close()


def write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def archive(rng, key=b"labels"):
    """Six tiny batches in the format of CIFAR-10."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        for batch in [f"data_batch_{i}" for i in range(1, 6)] + ["test_batch"]:
            images = rng.integers(256, size=(2, 3072), dtype=np.uint8)
            content = pickle.dumps({b"data": images, key: [3, 9]})
            member = tarfile.TarInfo(f"cifar-10-batches-py/{batch}")
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return out.getvalue()


@pytest.mark.parametrize("load", [*LOADERS, data.load_beijing_air])
def test_says_in_one_sentence_what_to_do(load, offline):
    with pytest.raises(FileNotFoundError) as error:
        load()
    sentence = str(error.value)
    assert "is not here: put " in sentence and "set COURSE_DATA to its path" in sentence
    assert "\n" not in sentence and sentence.endswith(".") and len(sentence) < 400
    if load in LOADERS:
        assert f"{load.__name__}(download=True), which fetches it from http" in sentence


def test_a_wrong_folder(monkeypatch, tmp_path, offline):
    monkeypatch.setenv("COURSE_DATA", str(tmp_path / "nowhere"))
    with pytest.raises(FileNotFoundError, match=r"COURSE_DATA names .*nowhere, which is no folder"):
        data.load_mnist()


def test_an_empty_folder(folder, offline):
    with pytest.raises(FileNotFoundError, match=rf"put mnist.npz into {folder}, or call"):
        data.load_mnist()


def test_mnist_from_the_folder(folder, rng, offline):
    x = rng.integers(256, size=(30, 28, 28), dtype=np.uint8)
    y = np.arange(30, dtype=np.uint8) % 10
    np.savez(folder / "mnist.npz", x_train=x[:20], y_train=y[:20], x_test=x[20:], y_test=y[20:])
    train, test = data.load_mnist()
    assert train.x.shape == (20, 784) and test.x.shape == (10, 784)
    assert train.x.dtype == np.float32 and train.y.dtype == np.int64
    np.testing.assert_allclose(test.x.reshape(-1, 28, 28), x[20:] / 255, rtol=1e-6)
    assert np.array_equal(test.y, y[20:]) and train.image_shape == (28, 28)
    assert train.name == "MNIST, training" and test.name == "MNIST, test"


def test_mnist_of_another_kind(folder, offline):
    np.savez(folder / "mnist.npz", images=np.zeros(3))
    with pytest.raises(ValueError, match=r"must hold .*'x_test'.*got \['images'\]"):
        data.load_mnist()
    x, y = np.zeros((10, 32, 32), dtype=np.uint8), np.arange(10)
    np.savez(folder / "mnist.npz", x_train=x, y_train=y, x_test=x, y_test=y)
    with pytest.raises(ValueError, match=r"pictures \(28, 28\), got \(32, 32\)"):
        data.load_mnist()


def test_fashion_mnist_from_the_folder(folder, rng, offline):
    x = {"train": rng.integers(256, size=(20, 28, 28), dtype=np.uint8)}
    x["t10k"] = x["train"][::-1]
    for part, images in x.items():
        labels = bytes([0] * 8) + bytes(i % 10 for i in range(20))
        write(folder / f"fashion-mnist/{part}-labels-idx1-ubyte.gz", gzip.compress(labels))
        content = gzip.compress(bytes([0] * 16) + images.tobytes())
        write(folder / f"fashion-mnist/{part}-images-idx3-ubyte.gz", content)
    train, test = data.load_fashion_mnist()
    np.testing.assert_allclose(train.x.reshape(20, 28, 28), x["train"] / 255, rtol=1e-6)
    np.testing.assert_allclose(test.x, train.x[::-1])
    assert train.y.tolist() == [*range(10), *range(10)]
    assert train.class_names[9] == "boot" and len(train.class_names) == 10


def test_cifar_is_opened_only_if_it_is_the_right_one(folder, rng, offline, monkeypatch):
    content = archive(rng)
    write(folder / "cifar-10-python.tar.gz", content)
    with pytest.raises(ValueError, match=r"must have the SHA-256 6d958be0.*, got"):
        data.load_cifar10()
    right = hashlib.sha256(content).hexdigest()
    monkeypatch.setitem(real._FILES, "cifar-10-python.tar.gz", ("http://nowhere", right))
    train, test = data.load_cifar10()
    assert train.x.shape == (10, 3072) and test.x.shape == (2, 3072)
    assert train.image_shape == (3, 32, 32) and train.y.tolist() == [3, 9] * 5
    assert train.class_names[3] == "cat" and 0.9 < train.x.max() <= 1


def test_shakespeare_is_fetched_once_and_only_when_asked(server, cache, request):
    server("tinyshakespeare/input.txt", "To be, or não?\n".encode())
    with pytest.raises(FileNotFoundError):
        data.load_tiny_shakespeare()
    assert not cache.exists()
    assert data.load_tiny_shakespeare(download=True) == "To be, or não?\n"
    request.getfixturevalue("offline")
    assert data.load_tiny_shakespeare() == "To be, or não?\n"  # from the cache


def test_what_was_fetched_must_have_its_checksum(server, cache):
    server("tinyshakespeare/input.txt", b"no Shakespeare", checksum="0" * 64)
    with pytest.raises(ValueError, match=r"not the tinyshakespeare/input.txt .* SHA-256 0000"):
        data.load_tiny_shakespeare(download=True)
    assert not [file for file in cache.rglob("*") if file.is_file()]


def test_a_spoiled_cache_is_not_used(cache, offline):
    write(cache / "tinyshakespeare/input.txt", b"spoiled")
    with pytest.raises(FileNotFoundError, match="is not here"):
        data.load_tiny_shakespeare()


def test_no_network_is_said(monkeypatch):
    address = "http://127.0.0.1:9/file"  # nobody listens there
    monkeypatch.setitem(real._FILES, "tinyshakespeare/input.txt", (address, "0" * 64))
    with pytest.raises(OSError, match=rf"could not be fetched from {address}: "):
        data.load_tiny_shakespeare(download=True)


def test_the_folder_comes_before_the_cache(folder, cache, server):
    server("tinyshakespeare/input.txt", b"fetched")
    data.load_tiny_shakespeare(download=True)
    write(folder / "tinyshakespeare/input.txt", b"from the folder")
    assert data.load_tiny_shakespeare() == "from the folder"


def test_addresses_have_checksums():
    for name, (address, checksum) in real._FILES.items():
        assert address.startswith("http") and address.rsplit("/")[-1] == name.rsplit("/")[-1]
        assert len(checksum) == 64 and set(checksum) <= set("0123456789abcdef")


def test_weather_of_new_york(folder, offline):
    header = (
        "origin,year,month,day,hour,temp,dewp,humid,wind_dir,wind_speed,wind_gust,precip,"
        "pressure,visib,time_hour\n"
    )
    rows = (
        "JFK,2013,1,1,1,32,14,50,270,10,NA,1,1000,10,2013-01-01T06:00:00Z\n"
        "EWR,2013,1,1,1,99,14,50,270,10,NA,1,1000,10,2013-01-01T06:00:00Z\n"
        "JFK,2013,1,1,3,212,NA,50,NA,0,NA,0,NA,1,2013-01-01T08:00:00Z\n"
        "JFK,2013,1,1,4,50,NA,50,180,20,NA,0,NA,1,2013-01-01T09:00:00Z\n"
    )
    write(folder / "nyc-weather/weather.csv", (header + rows).encode())
    s = data.load_nyc_weather("JFK")
    assert s.x.shape == (4, 8) and s.step == "1 hour" and "CC0" in s.source
    nan = np.nan
    np.testing.assert_allclose(s["temperature"], [0, nan, 100, 10])
    np.testing.assert_allclose(s["dew point"], [-10, nan, nan, nan])
    np.testing.assert_allclose(s["wind east"], [4.4704, nan, 0, 0], atol=1e-12)  # from the west
    np.testing.assert_allclose(s["wind north"], [0, nan, 0, 8.9408], atol=1e-12)  # from the south
    np.testing.assert_allclose(s["rain"], [25.4, nan, 0, 0])
    np.testing.assert_allclose(s["visibility"], [16.09344, nan, 1.609344, 1.609344])
    with pytest.raises(ValueError, match='"EWR", "JFK" or "LGA", got \'LAX\''):
        data.load_nyc_weather("LAX")


def test_air_of_beijing(folder, offline):
    text = (
        "No,year,month,day,hour,pm2.5,DEWP,TEMP,PRES,cbwd,Iws,Is,Ir\n"
        "1,2010,1,1,23,NA,-21,-11,1021,NW,1.79,0,0\n"
        "2,2010,1,2,0,129,-16,-4,1020,SE,2.68,1,0\n"
    )
    write(folder / "beijing-pm25/pollution.csv", text.encode())
    s = data.load_beijing_air()
    np.testing.assert_allclose(
        s.x, [[np.nan, -21, -11, 1021, 1.79, 0, 0], [129, -16, -4, 1020, 2.68, 1, 0]]
    )
