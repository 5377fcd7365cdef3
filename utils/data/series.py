"""Real series that come inside statsmodels, which is slow to import: hence inside the functions."""

import numpy as np

from .dataset import Series


def load_co2():
    """Carbon dioxide in the air over Mauna Loa, each week from March 1958 to December 2001.

    59 of 2284 weeks were not measured and are nan: carry_forward fills them without looking ahead.

    returns: Series, x (2284, 1), ppm
    source : C. D. Keeling and T. P. Whorf (2004), Scripps Institution of Oceanography
    """
    from statsmodels.datasets import co2

    return _series(
        co2.load_pandas().data["co2"],
        name="co2",
        unit="ppm",
        step="1 week",
        source="C. D. Keeling, T. P. Whorf (2004)",
    )


def load_sunspots():
    """Sunspots counted in each year from 1700 to 2008: a cycle of about 11 years, never the same.

    returns: Series, x (309, 1), spots
    source : NOAA, National Geophysical Data Center
    """
    from statsmodels.datasets import sunspots

    return _series(
        sunspots.load_pandas().data["SUNACTIVITY"],
        name="sunspots",
        unit="1",
        step="1 year",
        source="NOAA, National Geophysical Data Center",
    )


def load_nile():
    """Flow of the Nile at Aswan in each year from 1871 to 1970; it falls about 1898.

    returns: Series, x (100, 1), 10^8 m^3
    source : G. W. Cobb, The problem of the Nile, Biometrika 65 (1978)
    """
    from statsmodels.datasets import nile

    return _series(
        nile.load_pandas().data["volume"],
        name="nile",
        unit="10^8 m^3",
        step="1 year",
        source="G. W. Cobb (1978)",
    )


def load_elnino():
    """Temperature of the sea in the eastern Pacific, each month from January 1950 to 2010.

    returns: Series, x (732, 1), °C
    source : NOAA, National Weather Service, Climate Prediction Center
    """
    from statsmodels.datasets import elnino

    table = elnino.load_pandas().data.drop(columns="YEAR")  # a row is a year, a column a month
    return _series(
        table.to_numpy().ravel(),
        name="elnino",
        unit="°C",
        step="1 month",
        source="NOAA, Climate Prediction Center",
    )


def carry_forward(x):
    """Fill each gap with the last value before it, as one who forecasts would have to.

    Interpolation would use the value after the gap: at the end of the training part that is one
    of the test part, and in each window one of its future. What comes before the first value of
    a column stays nan.

    x      : (T, D), nan where nothing was measured
    returns: (T, D)
    raises : ValueError, if x has not two sides
    """
    if x.ndim != 2:
        raise ValueError(f"x must be (T, D), got {x.shape}")
    known = np.where(np.isnan(x), 0, np.arange(len(x))[:, None])  # its own row, or the first
    return np.take_along_axis(x, np.maximum.accumulate(known, axis=0), axis=0)


def _series(values, name, unit, step, source):
    return Series(
        x=np.array(values, dtype=np.float64)[:, None],
        names=(name,),
        units=(unit,),
        step=step,
        name=name,
        source=f"{source}, as bundled with statsmodels",
    )
