"""The ``prices`` section says where prices come from, and what the owner pays and gets."""

import re
from collections.abc import Mapping
from typing import Annotated, Literal, Self, get_args

from pydantic import AfterValidator, Field, model_validator

from holdfast.core.config.charges import (
    CapacityCharge,
    DemandCharge,
    Quota,
    StandingCharge,
)
from holdfast.core.config.form import Form
from holdfast.core.config.local_window import LocalWindow
from holdfast.core.config.section import FilePath, Finite, Positive, Section
from holdfast.core.config.token import NeededToken, Token

WebAddress = Annotated[
    str,
    Form(
        pattern=r"https?://[^\s?#@/][^\s?#@]*",
        right="address such as https://example.org/api, without ?, # and password",
        is_secret=True,
    ),
    AfterValidator(lambda text: text.rstrip("/")),
]
"""It has no slash at its end, and neither a name nor a password in it."""


class TimedPrice(LocalWindow):
    """A price and when it holds."""

    price_per_kwh: Finite
    """In the site's currency."""


def _last_row_always(rows: tuple[TimedPrice, ...]) -> tuple[TimedPrice, ...]:
    if rows and not rows[-1].is_always:
        raise ValueError("the last row must hold always: without from, to, days and months")
    return rows


TimeTable = Annotated[tuple[TimedPrice, ...], AfterValidator(_last_row_always)]
"""The first row that fits counts."""


class FixedSource(Section):
    """The same at all times, in the site's currency."""

    kind: Literal["fixed"]
    """One price, always."""
    price_per_kwh: Finite
    """In the site's currency."""


class TimeOfUseSource(Section):
    """By the clock, in the site's currency."""

    kind: Literal["time_of_use"]
    """By the clock."""
    prices: Annotated[TimeTable, Field(min_length=1)]
    """The first row that fits counts; the last one must hold always."""


class FileSource(Section):
    """A file that somebody keeps up to date; read again when it changes."""

    kind: Literal["file"]
    """A file."""
    path: FilePath
    """Relative to site.yaml. ``.xml``: an ENTSO-E document; ``.csv``: see docs/prices.md."""


class _Http(Section):
    """Something that is asked over HTTP."""

    url: WebAddress
    """Where it is asked."""


class EntsoeSource(NeededToken, _Http):
    """Day-ahead prices of the ENTSO-E Transparency Platform."""

    kind: Literal["entsoe"]
    """ENTSO-E."""
    zone: Annotated[
        str, Form(pattern="[A-Za-z0-9_-]{2,16}", right="bidding zone such as DE_LU, nor an EIC")
    ]
    """Bidding zone, such as DE_LU, or its EIC of 16 characters."""
    url: WebAddress = "https://web-api.tp.entsoe.eu/api"
    """Where it is asked."""


def _no_tariff_code(text: str) -> str:
    code = re.fullmatch("E-[12]R-(.+)-([A-P])", text)
    if code is not None:
        raise ValueError(
            f"{text!r} is the code of a tariff; write product: {code[1]} and region: {code[2]}"
        )
    return text


class OctopusSource(Token, _Http):
    """Unit rates of Octopus Energy in Great Britain, VAT included."""

    kind: Literal["octopus"]
    """Octopus Energy."""
    account: (
        Annotated[str, Form(pattern="[A-Z0-9-]{4,20}", right="account such as A-1234ABCD")] | None
    ) = None
    """Its agreement that is valid now says the tariff; needs the API key as the token."""
    mpan: Annotated[str, Form(pattern="[0-9]{13}", right="MPAN of 13 digits")] | None = None
    """The meter point, where an account has several of one direction."""
    product: (
        Annotated[
            str,
            AfterValidator(_no_tariff_code),
            Form(pattern="[A-Z0-9-]{3,60}", right="product such as AGILE-24-10-01"),
        ]
        | None
    ) = None
    """Such as AGILE-24-10-01; with ``region``."""
    region: (
        Annotated[str, Form(pattern="[A-HJ-NP]", right="letter of a region from A to P, such as C")]
        | None
    ) = None
    """Letter of the grid supply point, such as C for London."""
    payment_method: Literal["DIRECT_DEBIT", "NON_DIRECT_DEBIT"] = "DIRECT_DEBIT"
    """Rates of some products differ by it."""
    url: WebAddress = "https://api.octopus.energy/v1"
    """Where it is asked."""

    @model_validator(mode="after")
    def _says_the_tariff(self) -> Self:
        by_product = self.product is not None and self.region is not None
        by_account = self.account is not None and self.has_token
        if by_product == by_account:
            raise ValueError(
                "needs either product and region, or account and where its API key is "
                "(token_env or token_file)"
            )
        return self


class TibberSource(NeededToken, _Http):
    """Prices of a home with a Tibber subscription."""

    kind: Literal["tibber"]
    """Tibber."""
    home_id: str | None = None
    """Needed where an account has several homes."""
    component: Literal["total", "energy"] = "total"
    """total: with all that Tibber adds, tax included. energy: the exchange's price."""
    url: WebAddress = "https://api.tibber.com/v1-beta/gql"
    """Where it is asked."""


class AwattarSource(_Http):
    """Hourly exchange prices from aWATTar, without fees."""

    kind: Literal["awattar"]
    """aWATTar."""
    url: WebAddress = "https://api.awattar.de"
    """https://api.awattar.at for Austria."""


class EnergyChartsSource(_Http):
    """Exchange prices from energy-charts.info (Fraunhofer ISE)."""

    kind: Literal["energy_charts"]
    """energy-charts.info."""
    zone: Annotated[
        str, Form(pattern="[A-Za-z]{2}[A-Za-z0-9-]{0,20}", right="zone such as DE-LU or IT-North")
    ]
    """As energy-charts calls it, such as DE-LU; it tells IT-North from IT-NORTH."""
    url: WebAddress = "https://api.energy-charts.info"
    """Where it is asked."""


class NordPoolSource(_Http):
    """Day-ahead prices from Nord Pool's data portal, in the site's currency."""

    kind: Literal["nord_pool"]
    """Nord Pool."""
    area: Annotated[
        str, Form(pattern="[A-Z0-9]{2,8}", right="area as Nord Pool writes it, such as SE3")
    ]
    """As Nord Pool calls it, such as SE3."""
    url: WebAddress = "https://dataportal-api.nordpoolgroup.com/api"
    """Where it is asked."""


class RowKeys(Section):
    """What the rows of a list call their parts."""

    start: str
    """When a price begins."""
    end: str | None = None
    """When it ends; None: with the next one."""
    price: str
    """How much it is."""

    def parts(self) -> Mapping[str, tuple[str, ...]]:
        """Returns the names that each part can have."""
        named = {"start": self.start, "end": self.end, "price": self.price}
        return {part: (name,) for part, name in named.items() if name is not None}


class HomeAssistantSource(NeededToken, _Http):
    """A sensor of Home Assistant whose attributes hold lists of prices."""

    kind: Literal["home_assistant"]
    """Home Assistant."""
    entity_id: Annotated[
        str, Form(pattern=r"[a-z_]+\.[a-z0-9_]+", right="entity such as sensor.nordpool_kwh")
    ]
    """Of the sensor, such as sensor.nordpool_kwh."""
    attributes: Annotated[tuple[str, ...], Field(min_length=1)] | None = None
    """Names of the lists; None: those of the integrations that docs/prices.md names."""
    row: RowKeys | None = None
    """What their rows call start, end and price; None: as those integrations do."""
    unit: str | None = None
    """Of the numbers, such as ct/kWh; None: the sensor's own."""
    url: WebAddress
    """Such as http://homeassistant.local:8123."""


MarketSource = (
    EntsoeSource
    | OctopusSource
    | TibberSource
    | AwattarSource
    | EnergyChartsSource
    | NordPoolSource
    | HomeAssistantSource
)
"""It is asked over HTTP."""
PriceSource = FixedSource | TimeOfUseSource | FileSource | MarketSource
SOURCE_KINDS = tuple(
    str(name)
    for section in get_args(PriceSource)
    for name in get_args(section.model_fields["kind"].annotation)
)


class Tariff(Section):
    """From the source's price, in the site's currency, to the owner's: (price x factor + fees +
    levies) x (1 + VAT)."""

    source: Annotated[PriceSource, Field(discriminator="kind")]
    """Where the price comes from."""
    exchange_rate: Positive | None = None
    """What one unit of the source's currency costs in the site's, such as 11.2 for a source in EUR
    and a site in SEK; it stays as it is until you change it."""
    factor: Positive = 1.0
    """What the supplier takes or pays of the source's price."""
    fees: TimeTable = ()
    """Per kWh and by the clock, such as a grid fee, before VAT."""
    levies_per_kwh: Finite = 0.0
    """Always, before VAT; below zero it is taken off, as from a feed-in payment."""
    vat_pct: Annotated[float, Field(ge=0, le=100)] = 0.0
    """On all of it."""

    @model_validator(mode="after")
    def _is_converted_once(self) -> Self:
        if self.exchange_rate is not None and isinstance(
            self.source, FixedSource | TimeOfUseSource
        ):
            raise ValueError(
                f"exchange_rate: prices of {self.source.kind} are in the site's currency already"
            )
        return self


class Prices(Section):
    """What the owner pays and gets."""

    purchase: Tariff
    """For what is bought."""
    feed_in: Tariff
    """For what is fed in."""
    demand_charges: tuple[DemandCharge, ...] = ()
    """At the VAT of ``purchase``."""
    capacity_charges: tuple[CapacityCharge, ...] = ()
    """At the VAT of ``purchase``."""
    standing_charges: tuple[StandingCharge, ...] = ()
    """At the VAT of ``purchase``."""
    quotas: tuple[Quota, ...] = ()
    """At the VAT of ``purchase``; the first one whose window fits and that has something left
    counts."""
