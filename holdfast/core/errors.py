"""This module has the errors that Holdfast raises.

HoldfastError
├── ConfigError      site.yaml or a device profile is wrong; nothing was started
├── PlanFailed       no plan could be made; the site stays on its local rule
├── PlanRefused      a plan was not accepted; the site stays on its local rule
├── ManualRefused    what a person asks of the batteries is not taken; nothing has changed
├── SourceError      somebody who was asked gave nothing of use; what is known stays in force
│   ├── PriceDataError      a price document cannot be used
│   └── WeatherDataError    an answer is no usable weather forecast
├── DataError        measured data cannot be used; the text names line and column
├── LatchCorrupt     the latch file cannot be trusted; the site goes to ERROR
├── AccountsCorrupt  the file of accounts cannot be trusted; nobody can log in
├── DeviceError      a device did not do what it was asked
│   ├── DeviceUnreachable   no connection, or no answer in time
│   └── DeviceRefused       an answer that is an exception or makes no sense
├── NotRunning       no controller answers at this site
├── SiteRefused      a site elsewhere does not do what it was asked
└── AlreadyRunning   another process holds this site
"""


class HoldfastError(Exception):
    """All errors that Holdfast raises on purpose derive from it."""


class ConfigError(HoldfastError):
    """A configuration is wrong; the text names each key and what would be right."""


class PlanFailed(HoldfastError):
    """No plan could be made of what was asked; the text says why."""


class PlanRefused(HoldfastError):
    """A plan was refused; the text says why."""


class ManualRefused(HoldfastError):
    """What was asked for by hand is not taken; the text says why, and what would be right."""


class SourceError(HoldfastError):
    """A source outside the site gave nothing that can be used; the text says why."""


class PriceDataError(SourceError):
    """A price document cannot be used; the text says why."""


class WeatherDataError(SourceError):
    """An answer is no usable weather forecast; the text says why."""


class DataError(HoldfastError):
    """Measured data cannot be used; the text names line and column, and what would be right."""


class LatchCorrupt(HoldfastError):
    """The persisted latches cannot be read or fail their checksum."""


class AccountsCorrupt(HoldfastError):
    """The file of accounts cannot be read or fails its checksum; the text says what to do."""


class DeviceError(HoldfastError):
    """A device did not do what it was asked."""


class DeviceUnreachable(DeviceError):
    """The device cannot be connected to, or gave no answer in time."""


class DeviceRefused(DeviceError):
    """The device answered with an exception, or with something that is no answer."""


class NotRunning(HoldfastError):
    """No controller answers at this site."""


class SiteRefused(HoldfastError):
    """A site that was asked over its API refuses; the text says why."""


class AlreadyRunning(HoldfastError):
    """Another process holds this site; the text names it."""
