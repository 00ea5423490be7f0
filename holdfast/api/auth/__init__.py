"""Auth tells who asks over HTTP, and what he may do: accounts, sessions, tokens, second factors."""
