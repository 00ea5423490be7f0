"""Why a process cannot listen where site.yaml says, told by the key that is to be changed."""

import errno

from holdfast.core.errors import ConfigError


def cannot_listen(section: str, host: str, port: int, error: OSError) -> ConfigError:
    """Returns what to raise; ``section`` is the part of site.yaml that names host and port."""
    match error.errno:
        case errno.EADDRINUSE:
            text = (
                f"{section}.port: {port} is taken on {host}, perhaps by another site's {section}; "
                "write another port into site.yaml"
            )
        case errno.EACCES:
            text = f"{section}.port: {port} is not permitted; ports from 1024 on are"
        case _:
            text = f"{section}.host: {host} is no address of this computer: {error}"
    return ConfigError(text)
