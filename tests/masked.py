"""Texts that differ between runs only in paths, addresses and the like, made comparable."""


def masked(text: str, **values: object) -> str:
    """Return the text with the name of a value for the value: ``masked("in /tmp/a", path="/tmp/a")`` is "in {path}"."""
    for name, value in sorted(values.items(), key=lambda item: -len(str(item[1]))):
        text = text.replace(str(value), f"{{{name}}}")
    return text
