"""Bidding zones have codes (EIC) on the ENTSO-E Transparency Platform."""

from collections.abc import Iterable

from holdfast.core.errors import ConfigError

EIC = {
    "AT": "10YAT-APG------L",
    "BE": "10YBE----------2",
    "BG": "10YCA-BULGARIA-R",
    "CH": "10YCH-SWISSGRIDZ",
    "CZ": "10YCZ-CEPS-----N",
    "DE_LU": "10Y1001A1001A82H",
    "DK_1": "10YDK-1--------W",
    "DK_2": "10YDK-2--------M",
    "EE": "10Y1001A1001A39I",
    "ES": "10YES-REE------0",
    "FI": "10YFI-1--------U",
    "FR": "10YFR-RTE------C",
    "GB": "10YGB----------A",
    "GR": "10YGR-HTSO-----Y",
    "HR": "10YHR-HEP------M",
    "HU": "10YHU-MAVIR----U",
    "IE_SEM": "10Y1001A1001A59C",
    "IT_CALA": "10Y1001C--00096J",
    "IT_CNOR": "10Y1001A1001A70O",
    "IT_CSUD": "10Y1001A1001A71M",
    "IT_NORD": "10Y1001A1001A73I",
    "IT_SARD": "10Y1001A1001A74G",
    "IT_SICI": "10Y1001A1001A75E",
    "IT_SUD": "10Y1001A1001A788",
    "LT": "10YLT-1001A0008Q",
    "LV": "10YLV-1001A00074",
    "NL": "10YNL----------L",
    "NO_1": "10YNO-1--------2",
    "NO_2": "10YNO-2--------T",
    "NO_3": "10YNO-3--------J",
    "NO_4": "10YNO-4--------9",
    "NO_5": "10Y1001A1001A48H",
    "PL": "10YPL-AREA-----S",
    "PT": "10YPT-REN------W",
    "RO": "10YRO-TEL------P",
    "SE_1": "10Y1001A1001A44P",
    "SE_2": "10Y1001A1001A45N",
    "SE_3": "10Y1001A1001A46L",
    "SE_4": "10Y1001A1001A47J",
    "SI": "10YSI-ELES-----O",
    "SK": "10YSK-SEPS-----K",
}
_EIC_LENGTH = 16


def eic_of(zone: str) -> str:
    """Returns the code of ``zone``, which may be one already. Raises ConfigError if unknown."""
    if len(zone) == _EIC_LENGTH:
        return zone
    if zone in EIC:
        return EIC[zone]
    meant = meant_of(zone, EIC)
    if meant is not None:
        raise ConfigError(f"zone {zone!r} is not known; {meant} is")
    raise ConfigError(f"zone {zone!r} is not known; write its EIC, or one of {', '.join(EIC)}")


def meant_of(name: str, known: Iterable[str]) -> str | None:
    """Returns the name that differs from ``name`` only in capitals and hyphens, if there is one."""
    return next((other for other in known if _bare(other) == _bare(name)), None)


def _bare(name: str) -> str:
    return name.replace("_", "").replace("-", "").lower()
