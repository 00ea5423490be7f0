"""The pictures of the manual are there, small, and made by a command that works."""

import io
from typing import Any

import pytest
from PIL import Image

from tests.docs.shown_commands import PAGES
from tests.ui.pictures import FOLDER, PICTURES, Picture, take

MOST_BYTES = 150_000


@pytest.mark.parametrize("picture", PICTURES, ids=lambda picture: picture.name)
def test_a_picture_of_the_manual_is_small_and_shown(picture: Picture) -> None:
    path = FOLDER / picture.name
    assert path.stat().st_size <= MOST_BYTES, "run: python -m tests.ui.pictures"
    with Image.open(path) as shown:
        assert shown.size == tuple(picture.size.values())
    assert any(f"images/{picture.name})" in page.read_text("utf-8") for page in PAGES)


def test_no_other_picture_lies_there() -> None:
    assert {path.name for path in FOLDER.iterdir()} == {picture.name for picture in PICTURES}


@pytest.mark.asyncio(loop_scope="session")
async def test_a_picture_is_taken_of_a_page(browser: Any, address: str) -> None:
    picture = PICTURES[0]._replace(settles_ms=300)
    taken = Image.open(io.BytesIO(await take(browser, address, picture)))
    assert taken.size == tuple(picture.size.values())
    assert len(taken.getcolors() or ()) > 10  # not a blank page
