"""``schema``: print the JSON Schema of search spaces, for an editor."""

from __future__ import annotations

import json

import click


@click.command()
@click.argument("trainable", required=False)
def schema(trainable: str | None) -> None:
    """Print the JSON Schema of a search space, for an editor; with TRAINABLE that of its search spaces."""
    from sweeper.space.json_schema import file_schema

    click.echo(json.dumps(file_schema(trainable), indent=1))
