"""A form says how a text in site.yaml is written, and in words what would be right."""

import re
from dataclasses import dataclass
from typing import Annotated

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import core_schema


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """Stands in ``Annotated[str, Form(...)]``."""

    pattern: str
    """What the whole text must match."""
    right: str
    """Ends the sentence that begins with the wrong text: it is no ..."""
    is_secret: bool = False
    """Says whether a secret may stand there by mistake: then the text is not repeated."""

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        """Checks the text after everything else."""
        return core_schema.no_info_after_validator_function(self._checked, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, object]:
        """Tells editors the pattern."""
        return {**handler(schema), "pattern": f"^({self.pattern})$"}

    def _checked(self, text: str) -> str:
        if not re.fullmatch(self.pattern, text):
            shown = "this" if self.is_secret else repr(text)
            raise ValueError(f"{shown} is no {self.right}")
        return text


EnvVariable = Annotated[
    str,
    Form(
        pattern="[A-Z][A-Z0-9_]*",
        right="name of an environment variable, in capitals, such as ENTSOE_TOKEN",
        is_secret=True,
    ),
]
