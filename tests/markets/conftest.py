from tests.markets.http_server import token

__all__ = ["token"]
