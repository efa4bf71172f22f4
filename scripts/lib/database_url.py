"""Prints the parts of DATABASE_URL as PGHOST=... PGPORT=... and so on, each ended by a NUL."""

import os
import sys
import urllib.parse

url = urllib.parse.urlsplit(os.environ["DATABASE_URL"])
if url.scheme not in ("postgres", "postgresql"):
    sys.exit("DATABASE_URL must begin with postgres://")

query = dict(urllib.parse.parse_qsl(url.query))
address = url.netloc.rpartition("@")[2]
host, colon, port = address.rpartition(":")
if not colon or not port.isdigit():
    host, port = address, "5432"

parts = {
    "PGHOST": query.get("host") or urllib.parse.unquote(host) or "localhost",
    "PGPORT": query.get("port") or port,
    "PGUSER": urllib.parse.unquote(url.username or ""),
    "PGPASSWORD": urllib.parse.unquote(url.password or ""),
    "PGDATABASE": urllib.parse.unquote(url.path.lstrip("/")),
    "PGSSLMODE": query.get("sslmode", ""),
}
for name, value in parts.items():
    if value:
        sys.stdout.write(f"{name}={value}\0")
