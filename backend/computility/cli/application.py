"""The Typer application and its only place where errors become messages and exit codes."""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.metadata import version
from typing import Annotated, Final

import typer

from computility.cli.output import print_error
from computility.cli.quick_start import start_sooner
from computility.domain.errors import ComputilityError

EXIT_REFUSED: Final = 1
EXIT_INTERRUPTED: Final = 130

# Command (or group) name → module that has its ``command`` (or ``group``). A module is imported only when its command runs, so that
# `--help` and short commands start at once.
_COMMANDS: Final = {
    "demo": "computility.cli.demo.command",
    "buy": "computility.cli.buy",
    "sweep": "computility.cli.sweep",
    "ask": "computility.cli.ask",
    "lease": "computility.cli.lease",
    "job": "computility.cli.job",
    "wallet": "computility.cli.wallet",
    "audit": "computility.cli.audit.command",
    "provider": "computility.cli.provider",
    "verifier": "computility.cli.verifier",
    "arbiter": "computility.cli.arbiter",
    "court": "computility.cli.court",
    "export": "computility.cli.export",
    "node": "computility.cli.node",
    "deploy": "computility.cli.deploy",
}


def build_application(wanted: str | None = None) -> typer.Typer:
    """The application with all commands, or with only the one that is ``wanted``."""
    application = typer.Typer(
        name="computility",
        help="Trade computing power between strangers, with the payment in escrow on a blockchain.",
        no_args_is_help=True,
        rich_markup_mode="markdown",
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )

    @application.callback()
    def root(
        show_version: Annotated[
            bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
        ] = False,
    ) -> None:
        """Trade computing power between strangers, with the payment in escrow on a blockchain."""

    for name, module_name in _COMMANDS.items():
        if wanted in _COMMANDS and name != wanted:
            continue
        module = import_module(module_name)
        if hasattr(module, "group"):
            application.add_typer(module.group, name=name)
        else:
            application.command(name)(module.command)
    return application


def main() -> None:
    """Run the command line and end the process: 0 done, 1 refused with a reason, 2 misused, 130 interrupted."""
    start_sooner()
    words = sys.argv[1:]
    wanted = next((word for word in words if not word.startswith("-")), None)
    try:
        build_application(wanted)(standalone_mode=True)
    except ComputilityError as error:
        print_error(error.code, str(error), as_json="--json" in words)
        sys.exit(EXIT_REFUSED)
    except KeyboardInterrupt:
        sys.exit(EXIT_INTERRUPTED)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"computility {version('computility')}")
        raise typer.Exit
