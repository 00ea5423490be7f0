"""The first layout."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_SUMS = (
    "import_wh", "export_wh", "pv_wh", "load_wh", "charge_wh", "discharge_wh", "cost",
    "cost_no_battery", "grid_s", "pv_s", "load_s", "battery_s", "priced_s", "purchase_s",
    "feed_in_s",
)  # fmt: skip


def _instant(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, primary_key=True, autoincrement=False)


def upgrade() -> None:
    """Makes all tables."""
    op.create_table(
        "series",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("key", sa.String(200), nullable=False, unique=True),
        sa.Column("unit", sa.String(20), nullable=False),
        sa.Column("first_s", sa.BigInteger, nullable=False),
        sa.Column("last_s", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "minute", _instant("start_s"), sa.Column("content", sa.LargeBinary, nullable=False)
    )
    op.create_table(
        "block",
        sa.Column("step_s", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column("series", sa.Integer, primary_key=True, autoincrement=False),
        _instant("start_s"),
        sa.Column("content", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "quarter",
        _instant("start_s"),
        *(sa.Column(name, sa.Float(53), nullable=False) for name in _SUMS),
    )
    op.create_table(
        "total",
        sa.Column("name", sa.String(30), primary_key=True),
        sa.Column("value", sa.Float(53), nullable=False),
    )
    op.create_table(
        "spell",
        sa.Column("kind", sa.String(10), primary_key=True),
        _instant("start_s"),
        sa.Column("name", sa.String(200), primary_key=True),
        sa.Column("end_s", sa.BigInteger),
        sa.Column("times", sa.Integer, nullable=False),
        sa.Column("about", sa.Text, nullable=False),
        sa.Column("plan", sa.LargeBinary),
    )
    op.create_table(
        "day_money",
        sa.Column("day", sa.String(10), primary_key=True),
        sa.Column("self_consumption", sa.Float(53)),
        sa.Column("perfect_foresight", sa.Float(53)),
        sa.Column("made_s", sa.BigInteger, nullable=False),
        sa.Column("problem", sa.Text, nullable=False),
    )
    op.create_table(
        "writer",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("who", sa.String(300), nullable=False),
        sa.Column("until_s", sa.BigInteger, nullable=False),
    )
