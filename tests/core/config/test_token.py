"""site.yaml tells where a token is, once."""

import pytest
from pydantic import ValidationError

from holdfast.core.config.token import NeededToken, Token


def test_a_token_is_in_one_place_or_none() -> None:
    assert not Token().has_token
    assert Token(token_env="MY_TOKEN").has_token
    assert NeededToken.model_validate({"token_file": "token"}).has_token
    with pytest.raises(ValidationError, match="only one of them can be"):
        Token.model_validate({"token_env": "MY_TOKEN", "token_file": "token"})
    with pytest.raises(ValidationError, match="must say where the token is"):
        NeededToken()
