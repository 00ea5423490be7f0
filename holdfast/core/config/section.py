"""This module has what all sections of site.yaml have in common, and the numbers in them."""

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, GetCoreSchemaHandler, model_validator
from pydantic_core import core_schema

from holdfast.core.texts import MAX_ID, MAX_REASON, MAX_VALUE, shown, wrong_with

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Finite = Annotated[float, Field(allow_inf_nan=False)]
MAX_ENTRIES = 500
"""So many entries may stand in a list."""
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,30}$")]
Accepts = dict[str, Annotated[str, Field(min_length=3, max_length=MAX_REASON)]]
"""Goals of :mod:`holdfast.safety.goals`, and why it is right that nobody guards them."""


class FilePath(str):
    """Holds a path as it stands in site.yaml; a relative one counts from that file's folder.

    It is text, for nothing that is configured can open a file.
    """

    __slots__ = ()

    @classmethod
    def __get_pydantic_core_schema__(
        cls, _source: object, _handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        """Takes any text that is not empty and says where it is."""
        return core_schema.no_info_after_validator_function(
            cls._whole, core_schema.str_schema(min_length=1)
        )

    @classmethod
    def _whole(cls, text: str) -> Self:
        """Refuses ``~``: whose home it is would depend on who runs a command."""
        if text.startswith("~"):
            raise ValueError(f"{text}: write the path without ~, such as /home/me/state")
        return cls(text)


class Section(BaseModel):
    """Cannot be changed once it is checked; an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _values_have_bounds(cls, content: object) -> object:
        """Refuses a text that steers a terminal, and what is too long for anything."""
        for name, value in content.items() if isinstance(content, dict) else ():
            wrong = None
            if isinstance(value, str):
                wrong = wrong_with(value, MAX_VALUE)
            elif isinstance(value, list) and len(value) > MAX_ENTRIES:
                wrong = f"has {len(value)} entries, and {MAX_ENTRIES} are permitted"
            if wrong is not None:
                raise ValueError(f"{shown(str(name), MAX_ID)}: {wrong}")
        return content

    @model_validator(mode="before")
    @classmethod
    def _true_is_no_number(cls, content: object) -> object:
        """Refuses true where a number is wanted: it would pass for 1."""
        for name, value in content.items() if isinstance(content, dict) else ():
            field = cls.model_fields.get(name)
            if isinstance(value, bool) and field is not None and field.annotation is not bool:
                raise ValueError(f"{name}: {value} is a yes or no, which this key is not")
        return content
