"""The ``prices`` section of site.yaml: where prices come from, and what the owner pays and gets."""

from pathlib import Path
from typing import Annotated, Literal, Self, get_args

from pydantic import AfterValidator, Field, model_validator

from holdfast.core.local_window import LocalWindow
from holdfast.core.section import Finite, NotNegative, Positive, Section

WebAddress = Annotated[str, Field(pattern=r"^https?://[^\s?#@]+[^\s?#@/]$")]
"""Without a slash at its end, and without a name or password in it."""


class TimedPrice(LocalWindow):
    """A price and when it holds."""

    price_per_kwh: Finite


def _last_row_always(rows: tuple[TimedPrice, ...]) -> tuple[TimedPrice, ...]:
    if rows and not rows[-1].is_always:
        raise ValueError("the last row must hold always: without from, to, days and months")
    return rows


TimeTable = Annotated[tuple[TimedPrice, ...], AfterValidator(_last_row_always)]
"""The first row that fits counts."""


class FixedSource(Section):
    """The same at all times, in the site's currency."""

    kind: Literal["fixed"]
    price_per_kwh: Finite


class TimeOfUseSource(Section):
    """By the clock, in the site's currency."""

    kind: Literal["time_of_use"]
    prices: Annotated[TimeTable, Field(min_length=1)]


class FileSource(Section):
    """A file that somebody keeps up to date; read again when it changes."""

    kind: Literal["file"]
    path: Path
    """Relative to site.yaml. ``.xml``: an ENTSO-E document; ``.csv``: see docs/prices.md."""


class _Http(Section):
    """Something that is asked over HTTP."""

    url: WebAddress


class _Token(Section):
    """Where the token is; never the token itself."""

    token_env: Annotated[str, Field(pattern="^[A-Z][A-Z0-9_]*$")] | None = None
    """Name of an environment variable."""
    token_file: Path | None = None
    """A file with nothing but the token in it; relative to site.yaml."""

    @property
    def has_token(self) -> bool:
        """True if it says where a token is."""
        return self.token_env is not None or self.token_file is not None

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if self.token_env is not None and self.token_file is not None:
            raise ValueError("token_env and token_file: only one of them can be")
        return self


class _TokenNeeded(_Token):
    @model_validator(mode="after")
    def _some_place(self) -> Self:
        if not self.has_token:
            raise ValueError("token_env or token_file must say where the token is")
        return self


class EntsoeSource(_TokenNeeded, _Http):
    """Day-ahead prices of the ENTSO-E Transparency Platform."""

    kind: Literal["entsoe"]
    zone: Annotated[str, Field(pattern="^[A-Z0-9_-]{2,16}$")]
    """Bidding zone, such as DE_LU, or its EIC of 16 characters."""
    url: WebAddress = "https://web-api.tp.entsoe.eu/api"


class OctopusSource(_Token, _Http):
    """Unit rates of Octopus Energy in Great Britain, VAT included."""

    kind: Literal["octopus"]
    account: Annotated[str, Field(pattern="^[A-Z0-9-]{4,20}$")] | None = None
    """Its agreement that is valid now says the tariff; needs the API key as the token."""
    mpan: Annotated[str, Field(pattern="^[0-9]{13}$")] | None = None
    """The meter point, where an account has several of one direction."""
    product: Annotated[str, Field(pattern="^[A-Z0-9-]{3,60}$")] | None = None
    region: Annotated[str, Field(pattern="^[A-HJ-NP]$")] | None = None
    payment_method: Literal["DIRECT_DEBIT", "NON_DIRECT_DEBIT"] = "DIRECT_DEBIT"
    url: WebAddress = "https://api.octopus.energy/v1"

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


class TibberSource(_TokenNeeded, _Http):
    """Prices of a home with a Tibber subscription."""

    kind: Literal["tibber"]
    home_id: str | None = None
    """Needed where an account has several homes."""
    component: Literal["total", "energy"] = "total"
    """total: with all that Tibber adds, tax included. energy: the exchange's price."""
    url: WebAddress = "https://api.tibber.com/v1-beta/gql"


class AwattarSource(_Http):
    """Hourly exchange prices from aWATTar, without fees."""

    kind: Literal["awattar"]
    url: WebAddress = "https://api.awattar.de"
    """https://api.awattar.at for Austria."""


class EnergyChartsSource(_Http):
    """Exchange prices from energy-charts.info (Fraunhofer ISE)."""

    kind: Literal["energy_charts"]
    zone: Annotated[str, Field(pattern="^[A-Z]{2}[A-Z0-9-]{0,12}$")]
    """As energy-charts calls it, such as DE-LU."""
    url: WebAddress = "https://api.energy-charts.info"


class NordPoolSource(_Http):
    """Day-ahead prices from Nord Pool's data portal, in the site's currency."""

    kind: Literal["nord_pool"]
    area: Annotated[str, Field(pattern="^[A-Z0-9]{2,8}$")]
    """As Nord Pool calls it, such as SE3."""
    url: WebAddress = "https://dataportal-api.nordpoolgroup.com/api"


class HomeAssistantSource(_TokenNeeded, _Http):
    """A sensor of Home Assistant whose attributes hold lists of prices."""

    kind: Literal["home_assistant"]
    entity_id: Annotated[str, Field(pattern=r"^[a-z_]+\.[a-z0-9_]+$")]
    attributes: Annotated[tuple[str, ...], Field(min_length=1)] | None = None
    """Names of the lists; None: those of the Nord Pool and ENTSO-e integrations."""
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
"""What is asked over HTTP."""
PriceSource = FixedSource | TimeOfUseSource | FileSource | MarketSource
SOURCE_KINDS = tuple(
    str(name)
    for section in get_args(PriceSource)
    for name in get_args(section.model_fields["kind"].annotation)
)


class Tariff(Section):
    """From the source's price to the owner's: (price x factor + fees + levies) x (1 + VAT)."""

    source: Annotated[PriceSource, Field(discriminator="kind")]
    factor: Positive = 1.0
    """What the supplier takes or pays of the source's price."""
    fees: TimeTable = ()
    """Per kWh and by the clock, such as a grid fee, before VAT."""
    levies_per_kwh: Finite = 0.0
    """Always, before VAT; below zero it is taken off, as from a feed-in payment."""
    vat_pct: Annotated[float, Field(ge=0, le=100)] = 0.0


class DemandCharge(LocalWindow):
    """A price for the highest mean import of a quarter hour in each period, before VAT."""

    price_per_kw: NotNegative
    period: Literal["day", "month", "year"]


class Prices(Section):
    """What the owner pays and gets."""

    purchase: Tariff
    feed_in: Tariff
    demand_charges: tuple[DemandCharge, ...] = ()
    """At the VAT of ``purchase``."""
