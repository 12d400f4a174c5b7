"""Making and dropping databases on a server that we can reach."""

from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql


def create(server_url: str, name: str) -> str:
    """Make database `name` if there is none; the URL that leads to it."""
    with psycopg.connect(server_url, autocommit=True, connect_timeout=5) as connection:
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    return urlunsplit(urlsplit(server_url)._replace(path=f"/{name}"))


def drop(server_url: str, name: str) -> None:
    with psycopg.connect(server_url, autocommit=True, connect_timeout=5) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
