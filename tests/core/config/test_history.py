"""The section of the history: a database elsewhere, never with its password, and bounds."""

import pytest
from pydantic import ValidationError

from holdfast.core.config.history import History


def test_without_a_word_it_is_in_state_dir_and_bounded() -> None:
    history = History()
    assert history.url is None
    assert History(url=None) == history
    assert (history.keep_seconds_days, history.keep_minutes_days) == (60, 800)
    assert (history.size_max_mb, history.leave_free_mb) == (1000, 200)


@pytest.mark.parametrize(
    "url",
    ["sqlite:////data/history.db", "postgresql+psycopg://holdfast@db:5432/site", "mysql://h/d"],
)
def test_another_database_is_named_by_its_url(url: str) -> None:
    assert History(url=url, password_env="DB_PASSWORD").url == url


@pytest.mark.parametrize("url", ["history.db", "://x", "postgresql://h/d e", "Postgres://h/d", ""])
def test_what_is_no_url_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(
        ValidationError, match=r"url\n.*this is no SQLAlchemy URL, such as postgresql"
    ):
        History(url=url)


@pytest.mark.parametrize("secret", ["s3cret", "s3/cret", "s3:cret"])
def test_a_password_stands_in_the_environment_and_not_in_the_file(secret: str) -> None:
    with pytest.raises(ValidationError, match="a password stands in it: put it in an environment"):
        History(url=f"postgresql://me:{secret}@server/db")
    with pytest.raises(ValidationError, match="password_env: needs url"):
        History(password_env="DB_PASSWORD")


@pytest.mark.parametrize(
    ("key", "least", "most"),
    [
        ("keep_seconds_days", 1, 3650),
        ("keep_minutes_days", 1, 36500),
        ("size_max_mb", 50, 1_000_000),
        ("leave_free_mb", 0, 1_000_000),
    ],
)
def test_bounds(key: str, least: int, most: int) -> None:
    for value in (least, most):
        assert getattr(History.model_validate({key: value}), key) == value
    for value in (least - 1, most + 1):
        with pytest.raises(ValidationError):
            History.model_validate({key: value})
