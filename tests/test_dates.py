"""Dates mean one instant, in Python and in SQL."""

import json
import math
import sqlite3
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime

import pytest
from conftest import SETTINGS, texts
from hypothesis import given
from hypothesis import strategies as st

from datasette_tagfeeds import dates

ZONES = ["UTC", "+02:00", "+05:30", "Europe/Berlin", "America/New_York"]
DAY, NOON = "2014-03-19T00:00:00Z", "2014-03-19T12:00:37Z"
READ = [
    # ISO 8601 and RFC 3339.
    ("2014-03-19T12:00:37Z", NOON),
    ("2014-03-19t12:00:37z", NOON),
    ("2014-03-19 12:00:37", NOON),
    ("2014-03-19   12:00:37", NOON),
    (" \n2014-03-19 12:00:37\t", NOON),
    ("2014-03-19T12:00:37.5Z", NOON),
    ("2014-03-19T12:00:37.9999Z", NOON),
    ("2014-03-19T12:00:37.99999999999999999999", NOON),
    ("2014-03-19T12:00:37,123456789+00:00", NOON),
    ("2014-03-19T12:00", "2014-03-19T12:00:00Z"),
    ("2014-03-19T14:00+02:00", "2014-03-19T12:00:00Z"),
    ("2014-03-19T07:00:37-05:00", NOON),
    ("2014-03-19T17:30:37+0530", NOON),
    ("2014-03-20T11:00:37+23:00", NOON),
    ("2014-03-19 12:00:37+00", NOON),
    ("2014-03-19 12:00:37.123456+00", NOON),
    ("2014-03-19 07:00-05", "2014-03-19T12:00:00Z"),
    ("2014-03-19 12:00:37 +0000", NOON),
    ("2014-03-19 12:00:37 UTC", NOON),
    ("2014-03-19 12:00:37 GMT", NOON),
    ("2014-03-19 12:00:37.123456789 +0000 UTC", NOON),
    ("2014-03-19 13:00:37 +0100 CET", NOON),
    ("2014-03-19", DAY),
    ("2014-3-9", "2014-03-09T00:00:00Z"),
    ("2014-3-9 7:05", "2014-03-09T07:05:00Z"),
    ("2014/03/19", DAY),
    ("2014/03/19 8:04:09 PM", "2014-03-19T20:04:09Z"),
    ("2014.03.19 12:00:37", NOON),
    ("20140319", DAY),
    ("20140319T120037Z", NOON),
    ("20140319 1200", "2014-03-19T12:00:00Z"),
    ("20140319T120037.5+0000", NOON),
    ("20140319120037", NOON),
    ("2014-03-30", "2014-03-30T00:00:00Z"),
    ("2014-03-31 12:00", "2014-03-31T12:00:00Z"),
    ("2016-02-29", "2016-02-29T00:00:00Z"),
    ("0001-01-01", "0001-01-01T00:00:00Z"),
    ("9999-12-31T23:59:59Z", "9999-12-31T23:59:59Z"),
    # With the month's name.
    ("Wed, 19 Mar 2014 12:00:37 +0000", NOON),
    ("Wed, 19 Mar 2014 12:00:37 GMT", NOON),
    ("Wed, 19 Mar 2014 07:00:37 EST", NOON),
    ("19 Mar 2014 05:00:37 -0700 (PDT)", NOON),
    ("Wed, 19 Mar 14 12:00:37 GMT", NOON),
    ("Wednesday, 19-Mar-94 12:00:37 GMT", "1994-03-19T12:00:37Z"),
    ("Wed Mar 19 12:00:37 2014", NOON),
    ("Sun Mar  9 12:00:37 2014", "2014-03-09T12:00:37Z"),
    ("Wed Mar 19 12:00:37 +0000 2014", NOON),
    ("Wed Mar 19 08:00:37 EDT 2014", NOON),
    ("Wed Mar 19 2014 13:00:37 GMT+0100 (Central European Standard Time)", NOON),
    ("March 19, 2014", DAY),
    ("19 March 2014", DAY),
    ("Mar 19 2014", DAY),
    ("19-Mar-2014", DAY),
    ("19-MAR-2014 12:00:37", NOON),
    ("March 19, 2014 12:00 PM", "2014-03-19T12:00:00Z"),
    ("March 19, 2014 12:00 AM", DAY),
    ("Mar 19, 2014, 8:04:09 PM", "2014-03-19T20:04:09Z"),
    ("Mar 19, 2014, 8:04:09\N{NARROW NO-BREAK SPACE}PM", "2014-03-19T20:04:09Z"),
    ("Wednesday, March 19, 2014 at 8:04 p.m.", "2014-03-19T20:04:00Z"),
    ("19th of March 2014", DAY),
    ("Mar. 19, 2014 13:00:37 GMT+1", NOON),
    ("Mar. 19, 2014 07:00:37 EST", NOON),
    ("2014-Mar-19", DAY),
    ("19MAR2014", DAY),
    # Numbers, and text that is one.
    (1395230437, NOON),
    (1395230437.25, NOON),
    ("1395230437", NOON),
    (" 1395230437.25 ", NOON),
    (1395230437999, NOON),
    ("1395230437000", NOON),
    (1395230437000.9, NOON),
    (1395230437000000, NOON),
    (1395230437000000000, NOON),
    ("1.395230437e+09", NOON),
    (-14182940, "1969-07-20T20:17:40Z"),
    (-14182940.5, "1969-07-20T20:17:39Z"),
    (-1395230437001, "1925-10-15T11:59:22Z"),
    (100_000, "1970-01-02T03:46:40Z"),
    (7_289_654_399, "2200-12-31T23:59:59Z"),
    (2456736.0004282407, NOON),
    ("2456736.0004282407", NOON),
    (2456736, "2014-03-19T12:00:00Z"),
    (1721425.5, "0001-01-01T00:00:00Z"),
    (20140319, DAY),
    (20140319.0, DAY),
    (20140319120037, NOON),
    (20149999, "1970-08-22T05:13:19Z"),
    (-(2**63), "1677-09-21T00:12:43Z"),
]
UNREAD = [
    *(
        None,
        "",
        " ",
        b"2014-03-19",
        b"",
        "now",
        "x",
        "True",
        "2014",
        "2014-03",
        "March 2014",
        "May",
        "12",
        "10am",
        "12:00",
        "Wed March 2014",
    ),
    *(
        "03/04/2014",
        "19/03/2014",
        "19.03.2014",
        "19-03-2014",
        "14-03-19",
        "19-Mar-14",
        "19 Mar 14 12:00 +0000",
        "19 mars 2014",
        "Mar 1.5 2014",
    ),
    *("0000-00-00", "0000-01-01", "2014-02-30", "2014-02-29", "2014-04-31", "2014-13-01", "2014-00-10", "2014-03-00", "30 February 2014"),
    *("2014-03-19T24:00", "2014-03-19T23:59:60Z", "2014-03-19T12:60", "March 19, 2014 13:00 PM", "March 19, 2014 0:30 AM", "2014-03-19T12"),
    *("2014-03-1912:00", "2014-03-19 T12:00", "2014-03-19T12:00:37.", "2014-03-19T12:00:37.Z", "2014-03-19T12:00:37.1.2", "2014-03-19Z"),
    *("2014-03-19T12:00+24:00", "2014-03-19T12:00+05:60", "2014-03-19T12:00:37 IST", "Mar. 19, 2014 12:00 BRST+3", "2014-03/19"),
    *("0001-01-01T00:00+01:00", "9999-12-31T23:59-01:00", "٢٠١٤-٠٣-١٩", "2014-03-19 é", "2014-03-19" + " " * 91, "\x01 2014-03-19"),
    *(0, 1, 2014, -2014, 99_999, -99_999.9, 20140230, "20140230", 20140230120037, 7_289_654_400, 7_289_654_400_000, 2_599_999),
    *(-62_135_596_801, 2**63 - 1, 1e300, math.inf, -math.inf, "1e999", "9" * 90, "0x53298765", "1_395_230_437", "12e8"),
]


def connect():
    connection = sqlite3.connect(":memory:")
    dates.register(connection)
    return connection


def in_python(value, zone="UTC"):
    moment = dates.parse(value, dates.zone(zone))
    return dates.utc_text(moment) if moment else ""


def in_sql(value, zone="UTC"):
    return connect().execute(f"select {dates.normalised_sql('d', zone)} from (select ? as d)", [value]).fetchone()[0]


@pytest.mark.parametrize(("stored", "expected"), [*READ, *((value, "") for value in UNREAD)], ids=repr)
def test_every_form(stored, expected):
    assert (in_python(stored), in_sql(stored)) == (expected, expected)


@pytest.mark.parametrize("zone", ["+05:30", "America/New_York"])
@pytest.mark.parametrize("stored", [value for value, _ in READ] + UNREAD, ids=repr)
def test_sql_and_python_agree_on_every_form_in_other_zones(stored, zone):
    assert in_sql(stored, zone) == in_python(stored, zone)


@pytest.mark.parametrize(
    ("stored", "zone", "expected"),
    [
        ("2014-03-19", "+05:30", "2014-03-18T18:30:00Z"),
        (20140319, "+05:30", "2014-03-18T18:30:00Z"),
        ("March 19, 2014", "+05:30", "2014-03-18T18:30:00Z"),
        ("19th March 2014", "+05:30", "2014-03-18T18:30:00Z"),
        (1395230437, "+05:30", NOON),
        ("Wed, 19 Mar 2014 12:00:37 GMT", "+05:30", NOON),
        ("2014-07-01 12:00", "America/New_York", "2014-07-01T16:00:00Z"),
        ("2014-01-01 12:00", "America/New_York", "2014-01-01T17:00:00Z"),
        # The hour that was left out: the clock as it stood before. The hour that came twice: the first.
        ("2014-03-09 02:30", "America/New_York", "2014-03-09T07:30:00Z"),
        ("2014-11-02 01:30", "America/New_York", "2014-11-02T05:30:00Z"),
        ("0001-01-01", "+05:30", ""),
    ],
)
def test_dates_without_an_offset_are_in_the_zone(stored, zone, expected):
    assert (in_python(stored, zone), in_sql(stored, zone)) == (expected, expected)


PIECES = st.sampled_from(
    [
        *(
            "2014-03-19",
            "2014-02-30",
            "2016-02-29",
            "0000-00-00",
            "9999-12-31",
            "0001-01-01",
            "2014-3-9",
            "2014/03/19",
            "20140319",
            "2014-03-09",
        ),
        *(
            "T",
            "t",
            " ",
            "  ",
            "\t",
            "\n",
            "12:00",
            "02:30",
            "12:00:37",
            "24:00",
            "23:59:60",
            "7:05",
            "120037",
            ".5",
            ".9996",
            ",5",
            ".",
            ":",
            "0",
        ),
        *("Z", "z", " UTC", "GMT", "+00", "+0000", "+00:00", "-05:00", "+14:59", "+15:00", "+0575", "EST", "(UTC)", "+", "-", "/", "99"),
        *("Wed, ", "Mar", "March", " 19 ", " 2014", "14", "th", "of", "at", "AM", " PM", "May", "now", "1395230437", "2456736.0004", "e5"),
        *("\0", "é", "\xa0", "\u202f", "\x1c", "\x7f", "'"),
    ]
)
TWO = st.integers(0, 61).map("{:02}".format)
WRITTEN = st.one_of(
    st.lists(PIECES, min_size=1, max_size=6).map("".join),
    st.builds(
        "{:04}-{:02}-{:02}{}{:02}:{}{}{}".format,
        st.integers(0, 9999),
        st.integers(0, 13),
        st.integers(0, 32),
        st.sampled_from("T "),
        st.integers(0, 25),
        TWO,
        st.one_of(st.just(""), TWO.map(":{}".format), st.builds(":{}.{}".format, TWO, st.integers(0))),
        st.one_of(st.sampled_from(["", "Z", "+00"]), st.builds("{}{:02}:{}".format, st.sampled_from("+-"), st.integers(0, 25), TWO)),
    ),
    st.dates().map(str),
    st.text(max_size=12),
)
LIMITS = [
    10**5,
    1_721_425.5,
    2_524_958.5,
    2_600_000,
    19000101,
    21001231,
    7_289_654_400,
    10**11,
    10**14,
    10**17,
    19000101000000,
    21001231235959,
]
NUMBERS = st.one_of(
    st.integers(-(2**63), 2**63 - 1),
    st.integers(0, 62).flatmap(lambda bits: st.integers(-(2**bits), 2**bits)),
    st.floats(allow_nan=False),
    st.floats(-3e6, 3e6),
    st.builds(
        lambda limit, change, sign: sign * (limit + change), st.sampled_from(LIMITS), st.sampled_from([0, 1, -1, 0.5, -0.5]), st.just(1)
    ),
    st.builds(lambda moment, unit: int(moment.timestamp()) * unit, st.datetimes(), st.sampled_from([1, 10**3, 10**6])).filter(
        lambda number: abs(number) < 2**63
    ),
)


@given(value=st.one_of(WRITTEN, NUMBERS, NUMBERS.map(str), st.none(), st.binary(max_size=12)), zone=st.sampled_from(ZONES))
def test_sql_and_python_agree(value, zone):
    assert in_sql(value, zone) == in_python(value, zone)


def test_a_moment_keeps_the_offset_it_was_written_with():
    assert dates.parse("2014-03-19T07:00:37-05:00", timezone.utc).utcoffset() == timedelta(hours=-5)
    assert dates.parse("Wed, 19 Mar 2014 07:00:37 EST", timezone.utc).utcoffset() == timedelta(hours=-5)
    assert dates.parse(1395230437, dates.zone("+05:30")).utcoffset() == timedelta(0)


TO_SECONDS = [
    lambda moment: moment.isoformat(),
    lambda moment: moment.isoformat().replace("+00:00", "Z"),
    lambda moment: str(moment),
    lambda moment: str(moment.replace(tzinfo=None)),
    lambda moment: moment.astimezone(timezone(timedelta(hours=-3, minutes=-30))).isoformat(),
    lambda moment: f"{moment:%Y/%m/%d %H:%M:%S UTC}",
    lambda moment: f"{moment:%Y%m%dT%H%M%SZ}",
    lambda moment: int(f"{moment:%Y%m%d%H%M%S}"),
    format_datetime,
    lambda moment: moment.replace(tzinfo=None).ctime(),
    lambda moment: f"{moment:%B %d, %Y %I:%M:%S %p}",
    lambda moment: f"{moment:%d-%b-%Y %H:%M:%S}",
    lambda moment: f"{moment:%b. %d, %Y at %H:%M:%S}",
    lambda moment: f"{moment:%b %d, %Y, %I:%M:%S\N{NARROW NO-BREAK SPACE}%p}",
    lambda moment: int(moment.timestamp()),
    lambda moment: moment.timestamp() + 0.25,
    lambda moment: str(int(moment.timestamp())),
    lambda moment: int(moment.timestamp()) * 10**3 + 999,
    lambda moment: int(moment.timestamp()) * 10**6,
    lambda moment: int(moment.timestamp()) * 10**9,
    lambda moment: moment.timestamp() / 86400 + 2440587.5,
    lambda moment: str(moment.timestamp() / 86400 + 2440587.5),
]
TO_DAYS = ["%Y-%m-%d", "%Y/%m/%d", "%Y%m%d", "%d %B %Y", "%B %d, %Y", "%d-%b-%Y", "%A, %B %d, %Y", "%b. %d, %Y"]
# From where milliseconds are told from seconds, to where numbers end.
MOMENTS = st.datetimes(datetime(1973, 3, 4), datetime(2099, 12, 31)).map(lambda moment: moment.replace(microsecond=0, tzinfo=timezone.utc))


@pytest.mark.parametrize("write", TO_SECONDS)
@given(moment=MOMENTS)
def test_what_is_written_is_read_back(write, moment):
    expected = dates.utc_text(moment)
    assert (in_python(write(moment)), in_sql(write(moment))) == (expected, expected)


@pytest.mark.parametrize("form", TO_DAYS)
@given(moment=MOMENTS)
def test_a_day_that_is_written_is_read_back(form, moment):
    written, expected = moment.strftime(form), f"{moment:%Y-%m-%d}T00:00:00Z"
    assert (in_python(written), in_sql(written)) == (expected, expected)


def test_text_that_is_no_utf_8_is_no_date_and_ends_no_query():
    connection = connect()
    for bytes_ in ("ff", "323031342d30332d3139ff", "323031342d30332d313900ff", "313920f082a0a04d61722032303134"):
        stored = f"(select cast(x'{bytes_}' as text) as d)"
        python = connection.execute("select cast(? as blob)", [bytes.fromhex(bytes_)]).fetchone()[0].decode("utf-8", "replace")
        assert connection.execute(f"select {dates.normalised_sql('d', 'UTC')} from {stored}").fetchone() == (in_python(python),)


def test_columns_of_every_affinity_and_mixed_views():
    connection = connect()
    for affinity in ("text", "integer", "real", "numeric", "blob", "datetime", ""):
        connection.execute(f'create table "t{affinity}" (d {affinity} collate nocase)')
        for value, _ in READ:
            connection.execute(f'insert into "t{affinity}" values (?)', [value])
    connection.execute("create view mixed as select d from ttext union all select d from tinteger union all select d from treal")
    for table in ("ttext", "tinteger", "treal", "tnumeric", "tblob", "tdatetime", "t", "mixed"):
        for stored, got in connection.execute(f'select d, {dates.normalised_sql("d", "UTC")} from "{table}"'):
            assert got == in_python(stored), (table, stored)


@pytest.mark.parametrize(
    ("values", "share"),
    [
        ([], 0.0),
        ([None, "", "  \n"], 0.0),
        (["2014-03-19", None, ""], 1.0),
        (["2014-03-19", "soon"], 0.5),
        ([1395230437, "March 19, 2014", 7, b"x"], 0.5),
        (iter([2456736.5]), 1.0),
    ],
)
def test_the_share_of_dates(values, share):
    assert dates.looks_like_dates(values) == share


@pytest.mark.parametrize("name", ["Europe/Nowhere", "", "+24:00", "+02:60", "CEST", "../etc"])
def test_no_such_zone(name):
    with pytest.raises(ValueError, match=r"time zone|offset"):
        dates.zone(name)


def test_real_tables_read_to_the_expected_moments(data):
    connection = sqlite3.connect(f"file:{data}/shapes.db?mode=ro", uri=True)
    dates.register(connection)
    created = {int(key): item["created"] for key, item in json.loads((data / "shapes-expected.json").read_text())["items"].items()}
    told = set(connection.execute('select "table", date_column, date_format from _shapes where date_column not like "%.%"').fetchall())
    told.add(("post", "created", connection.execute("select date_format from _shapes where date_column = 'post.created'").fetchone()[0]))
    assert len({form for *_, form in told}) == 15
    for table, column, form in told:
        count = 0
        for key, stored, got in connection.execute(f'select id, "{column}", {dates.normalised_sql(column, "UTC")} from "{table}"'):
            assert got == in_python(stored)
            if key in created:
                expected = dates.utc_text(datetime.fromisoformat(created[key]))
                assert got == (expected[:10] + "T00:00:00Z" if form in ("date only", "year month day text") else expected), (table, stored)
                count += 1
            assert got, (table, stored)
        assert count == len(created)


@pytest.mark.parametrize(
    ("written", "instant"),
    [
        ("2024-06-01 12:00:00", "2024-06-01T10:00:00+00:00"),
        ("2024-01-01 12:00", "2024-01-01T11:00:00+00:00"),
        ("2024-06-01", "2024-05-31T22:00:00+00:00"),
        ("2024-06-01T12:00:00Z", "2024-06-01T12:00:00+00:00"),
        ("2024-06-01 12:00:00.123456+05:30", "2024-06-01T06:30:00+00:00"),
        ("1969-07-20T20:17:40Z", "1969-07-20T20:17:40+00:00"),
        (1717236000, "2024-06-01T10:00:00+00:00"),
        ("June 1, 2024", "2024-05-31T22:00:00+00:00"),
    ],
)
async def test_the_time_zone_is_of_dates_that_have_none(site, written, instant):
    blog = site({**SETTINGS, "timezone": "Europe/Berlin"})
    blog.post(1, created=written)
    assert texts(await blog.feed("/tags/python.atom"), "a:entry/a:published") == [instant]
