"""Series: simulated weather, those of statsmodels, gaps; and text."""

import numpy as np
import pytest

from utils import data


@pytest.fixture(scope="module")
def weather():
    return data.simulate_weather(2 * 8760, rng=1)


def test_weather_has_named_columns_with_units(weather):
    assert weather.x.shape == (17520, 8) and np.isfinite(weather.x).all()
    assert weather.names[0] == "temperature" and weather.units[0] == "°C"
    assert np.array_equal(weather["pressure"], weather.x[:, 1])
    assert "simulated" in weather.name and "simulated" in weather.source
    assert repr(weather).startswith("simulated weather: 17520 rows, 1 hour apart, temperature")
    with pytest.raises(KeyError, match="no column 'snow', only temperature"):
        weather["snow"]


def test_weather_is_plausible(weather):
    t = weather["temperature"]
    assert 5 < t.mean() < 15 and -25 < t.min() < 0 and 25 < t.max() < 45
    assert weather["pressure"].min() > 990 and weather["pressure"].max() < 1040
    assert weather["humidity"].min() >= 0 and weather["humidity"].max() <= 100
    assert weather["rain"].min() == 0 and 0.05 < (weather["rain"] > 0).mean() < 0.5
    january, july = t[: 31 * 24].mean(), t[181 * 24 : 212 * 24].mean()
    assert 12 < july - january < 24
    hour = np.arange(len(t)) % 24
    assert hour[np.argmax([t[hour == h].mean() for h in range(24)])] in (14, 15, 16)
    np.testing.assert_allclose(weather["hour sine"], np.sin(2 * np.pi * hour / 24), atol=1e-9)
    np.testing.assert_allclose(weather["hour cosine"], np.cos(2 * np.pi * hour / 24), atol=1e-9)


def test_humidity_is_ahead_of_the_rain(weather):
    humidity, wet = weather["humidity"], weather["rain"] > 0
    together = [np.corrcoef(humidity[: len(wet) - k], wet[k:])[0, 1] for k in range(25)]
    assert np.argmax(together) == 13


def test_weather_repeats_by_its_seed():
    a, b = data.simulate_weather(100, 3), data.simulate_weather(100, np.random.default_rng(3))
    assert np.array_equal(a.x, b.x)
    assert not np.array_equal(a.x, data.simulate_weather(100, 4).x)
    assert data.simulate_weather(1, 0).x.shape == (1, 8)
    with pytest.raises(ValueError, match="hours must be at least 1, got 0"):
        data.simulate_weather(0, 0)


def test_a_product_of_what_was_seen_says_more_than_a_sum(weather):
    """Twelve hours ahead: last value 3.6 degrees, linear 1.6, LSTM 0.9 (mean absolute errors)."""
    ahead, back, x = 12, 48, weather.x
    change = x[back + ahead - 1 :, 0] - x[back - 1 : -ahead, 0]
    z = (x - x.mean(axis=0)) / x.std(axis=0)
    windows = np.lib.stride_tricks.sliding_window_view(z[:-ahead], back, axis=0)[:, :, ::2]
    seen = windows.reshape(len(windows), -1)
    # what a memory can form: humidity times the hour, and gusts so far times the fall of pressure
    humidity, pressure, gust = windows[:, 2], windows[:, 1], windows[:, 4]
    day = z[back - 1 : -ahead, 6:8]
    products = np.concatenate([humidity * day[:, :1], humidity * day[:, 1:]], axis=1)
    late = pressure[:, -12:] - pressure[:, -1:].mean()
    lags = np.concatenate([gust[:, :12].sum(1, keepdims=True) * late, gust[:, 12:] * late], axis=1)
    n = len(seen) * 3 // 4

    def error(features):
        a = np.concatenate([features, np.ones((len(features), 1))], axis=1)
        w = np.linalg.solve(a[:n].T @ a[:n] + 10 * np.eye(a.shape[1]), a[:n].T @ change[:n])
        return np.abs(change[n:] - a[n:] @ w).mean()

    last, linear = np.abs(change[n:]).mean(), error(seen)
    assert 3.2 < last < 4.2
    assert 1.4 < linear < 2.1
    assert error(np.concatenate([seen, products, lags], axis=1)) < linear - 0.2


@pytest.mark.parametrize(
    "load, rows, gaps",
    [
        (data.load_co2, 2284, 59),
        (data.load_sunspots, 309, 0),
        (data.load_nile, 100, 0),
        (data.load_elnino, 732, 0),
    ],
)
def test_bundled_series(load, rows, gaps):
    series = load()
    assert series.x.shape == (rows, 1) and series.x.dtype == np.float64
    assert np.isnan(series.x).sum() == gaps
    assert "statsmodels" in series.source
    series.x[:] = 0
    assert np.nanmax(load().x) > 0  # the caller's own


def test_bundled_series_begin_as_published():
    assert data.load_co2().x[0, 0] == 316.1
    assert data.load_sunspots().x[:2, 0].tolist() == [5, 11]
    assert data.load_nile().x[:2, 0].tolist() == [1120, 1160]
    assert data.load_elnino().x[0, 0] == 23.11


def test_gaps_take_the_last_value_before_them():
    nan = np.nan
    x = np.array([[nan, 1.0], [2.0, nan], [nan, nan], [nan, 4.0], [5.0, nan]])
    before = x.copy()
    filled = data.carry_forward(x)
    np.testing.assert_array_equal(filled, [[nan, 1], [2, 1], [2, 1], [2, 4], [5, 4]])
    np.testing.assert_array_equal(x, before)
    np.testing.assert_array_equal(data.carry_forward(x[:3]), filled[:3])  # the future is not asked
    assert data.carry_forward(np.zeros((0, 2))).shape == (0, 2)
    with pytest.raises(ValueError, match=r"x must be \(T, D\), got \(3,\)"):
        data.carry_forward(np.zeros(3))


def test_series_refuses_what_does_not_fit():
    with pytest.raises(ValueError, match=r"x must be \(T, D\)"):
        data.Series(np.zeros(3), ("a",), ("m",), "1 day", "three", "nowhere")
    with pytest.raises(ValueError, match="2 columns, 1 names, 2 units"):
        data.Series(np.zeros((3, 2)), ("a",), ("m", "m"), "1 day", "three", "nowhere")


def test_text_of_python():
    docs, source = data.load_python_docs(), data.load_standard_library()
    assert 300_000 < len(docs) < 1_000_000
    assert 2_000_000 < len(source) < 10_000_000
    assert docs == data.load_python_docs() and source == data.load_standard_library()
    assert 'The "if" statement' in docs and "import" in source
