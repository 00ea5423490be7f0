"""Auth of a site is opened by the process that serves it."""

import os

from holdfast.api.auth.auth import Auth
from holdfast.core.config import Site
from holdfast.core.config.api import Api
from holdfast.core.errors import ConfigError
from holdfast.site.files import SiteFiles


def open_auth(site: Site, files: SiteFiles) -> Auth:
    """Returns what knows who may do what at ``site``. Raises ConfigError."""
    return Auth(site.api, files, site.name, oidc_secret=_oidc_secret(site.api))


def _oidc_secret(api: Api) -> str:
    name = None if api.oidc is None else api.oidc.client_secret_env
    if name is None:
        return ""
    secret = os.environ.get(name, "")
    if not secret:
        raise ConfigError(
            f"api.oidc.client_secret_env: {name} is not set in the environment of the API"
        )
    return secret
