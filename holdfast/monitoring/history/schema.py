"""The tables of the history. Another layout is another migration beside the first one."""

from sqlalchemy import (
    BigInteger,
    Column,
    Float,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
)

from holdfast.monitoring.history.energies import Sum

METADATA = MetaData()

SERIES = Table(
    "series",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("key", String(200), nullable=False, unique=True),
    Column("unit", String(20), nullable=False),
    Column("first_s", BigInteger, nullable=False),
    Column("last_s", BigInteger, nullable=False),
)
"""All times are in s since 1970. ``last_s`` is of the last whole hour; minutes may be newer."""

MINUTE = Table(
    "minute",
    METADATA,
    Column("start_s", BigInteger, primary_key=True, autoincrement=False),
    Column("content", LargeBinary, nullable=False),
)
"""The last minutes, with all series in one row, until their hour is over."""

BLOCK = Table(
    "block",
    METADATA,
    Column("step_s", SmallInteger, primary_key=True, autoincrement=False),
    Column("series", Integer, primary_key=True, autoincrement=False),
    Column("start_s", BigInteger, primary_key=True, autoincrement=False),
    Column("content", LargeBinary, nullable=False),
)

QUARTER = Table(
    "quarter",
    METADATA,
    Column("start_s", BigInteger, primary_key=True, autoincrement=False),
    *(Column(name, Float(53), nullable=False) for name in Sum),
)

TOTAL = Table(
    "total",
    METADATA,
    Column("name", String(30), primary_key=True),
    Column("value", Float(53), nullable=False),
)
"""What was counted through all time; a metric may never fall."""

SPELL = Table(
    "spell",
    METADATA,
    Column("kind", String(10), primary_key=True),
    Column("start_s", BigInteger, primary_key=True, autoincrement=False),
    Column("name", String(200), primary_key=True),
    Column("end_s", BigInteger),
    Column("times", Integer, nullable=False),
    Column("about", Text, nullable=False),
    Column("plan", LargeBinary),
)

DAY_MONEY = Table(
    "day_money",
    METADATA,
    Column("day", String(10), primary_key=True),
    Column("self_consumption", Float(53)),
    Column("perfect_foresight", Float(53)),
    Column("made_s", BigInteger, nullable=False),
    Column("problem", Text, nullable=False),
)
"""What other ways to run the battery would have cost, by local day."""

WRITER = Table(
    "writer",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("who", String(300), nullable=False),
    Column("until_s", BigInteger, nullable=False),
)
"""Who writes, in the one row with id 1, and until when nobody else may."""
