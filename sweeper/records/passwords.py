"""Passwords in the addresses of databases and servers: they are neither recorded nor printed."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

PASSWORD = re.compile(r"(//[^/@:\s]*:)[^/@\s]*@")


def has_password(address: str | None) -> bool:
    """Check whether an address holds a password."""
    return bool(urlsplit(address or "").password)


def without_password(text: str) -> str:
    """Return text with the password of every address in it replaced by ``***``."""
    return PASSWORD.sub(r"\1***@", text)
