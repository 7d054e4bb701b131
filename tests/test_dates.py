"""Dates mean one instant, in Python and in SQL."""

import sqlite3

import pytest
from conftest import SETTINGS, texts
from hypothesis import given
from hypothesis import strategies as st

from datasette_tagfeeds import dates

ZONES = ["UTC", "+02:00", "Europe/Berlin", "America/New_York"]
DIGITS = st.integers(0, 99).map("{:02}".format)
WRITTEN = st.one_of(
    st.builds(
        "{}-{}-{}{}{}:{}{}{}".format,
        st.integers(0, 9999).map("{:04}".format),
        st.integers(0, 13).map("{:02}".format),
        st.integers(0, 32).map("{:02}".format),
        st.sampled_from("T "),
        st.integers(0, 25).map("{:02}".format),
        st.integers(0, 61).map("{:02}".format),
        st.one_of(
            st.just(""), st.integers(0, 61).map(":{:02}".format), st.builds(":{:02}.{:03}".format, st.integers(0, 59), st.integers(0, 999))
        ),
        st.one_of(
            st.sampled_from(["", "Z"]), st.builds("{}{:02}:{:02}".format, st.sampled_from("+-"), st.integers(0, 15), st.integers(0, 61))
        ),
    ),
    st.dates().map(str),
    st.text(max_size=12),
    st.sampled_from(["now", "2454832.5", "2020-02-30", "2020-01-01T24:00:00", "12:00", " 2020-01-01 ", "2020-01-01 10:00:00 +01:00"]),
    st.integers(-(2**63), 2**63 - 1),
    st.none(),
    st.binary(max_size=12),
)


@given(value=WRITTEN, zone=st.sampled_from(ZONES))
def test_sql_and_python_agree(value, zone):
    connection = sqlite3.connect(":memory:")
    dates.register(connection)
    moment = dates.parse(value, dates.zone(zone))
    expected = dates.utc_text(moment) if moment else ""
    assert connection.execute(f"select {dates.normalised_sql('d', zone)} from (select ? as d)", [value]).fetchone() == (expected,)


@pytest.mark.parametrize(
    ("written", "instant"),
    [
        ("2024-06-01 12:00:00", "2024-06-01T10:00:00+00:00"),
        ("2024-01-01 12:00", "2024-01-01T11:00:00+00:00"),
        ("2024-06-01", "2024-05-31T22:00:00+00:00"),
        ("2024-06-01T12:00:00Z", "2024-06-01T12:00:00+00:00"),
        ("2024-06-01 12:00:00.123456+05:30", "2024-06-01T06:30:00+00:00"),
        ("1969-07-20T20:17:40Z", "1969-07-20T20:17:40+00:00"),
    ],
)
async def test_the_time_zone_is_of_dates_that_have_none(site, written, instant):
    blog = site({**SETTINGS, "timezone": "Europe/Berlin"})
    blog.post(1, created=written)
    assert texts(await blog.feed("/tags/python.atom"), "a:entry/a:published") == [instant]
