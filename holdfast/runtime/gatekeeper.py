"""The gatekeeper of the plain pages knows the accounts of the API, also while that does not run."""

from typing import TYPE_CHECKING

from holdfast.core.config import Site
from holdfast.core.errors import HoldfastError
from holdfast.site.files import SiteFiles

if TYPE_CHECKING:
    from holdfast.api.auth.auth import Auth


class AccountGatekeeper:
    """Lets in who has an account that may start the site. What checks a password is loaded when the
    first one comes: the gateway stays small."""

    def __init__(self, site: Site, files: SiteFiles) -> None:
        self._site, self._files = site, files
        self._auth: Auth | None = None

    def why_not(self, name: str, password: str, code: str, address: str) -> str | None:
        """Tells why ``name`` may not start the site; None if he may."""
        from holdfast.api.access import Right, rights_of
        from holdfast.api.auth.opening import open_auth
        from holdfast.client.messages import Act

        try:
            if self._auth is None:
                self._auth = open_auth(self._site, self._files)
            account = self._auth.login.identified(name, password, code, address)
        except HoldfastError as error:
            return str(error)
        may = Right.SITE_START in rights_of(account.role)
        refused = "" if may else f"{account.role} may not start the site"
        how = f"plain page from {address}"
        self._auth.record(
            account.name, how, Act.COMMAND, refused or "start at the plain page", accepted=may
        )
        return refused or None
