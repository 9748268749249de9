"""`callrace completion`: the shell completes the words of the command line."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class


@click.command(short_help="Print a shell's completion script.")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the script by which SHELL completes `callrace`'s commands and options.

    \b
    Examples:
      callrace completion bash > ~/.local/share/bash-completion/completions/callrace
      callrace completion zsh > "${fpath[1]}/_callrace"
      callrace completion fish > ~/.config/fish/completions/callrace.fish
    """
    kind = get_completion_class(shell)
    if kind is None:  # click knows all three
        raise click.BadParameter(f"click has no completion for {shell}")
    click.echo(kind(ctx.find_root().command, {}, "callrace", "_CALLRACE_COMPLETE").source())
