"""Options that several commands share. Each also reads an environment variable, so that nothing secret is ever on the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

NodeOption = Annotated[
    str, typer.Option("--node", envvar="COMPUTILITY_NODE", help="URL of the node.", rich_help_panel="Connection")
]
RpcOption = Annotated[
    str,
    typer.Option("--rpc", envvar="COMPUTILITY_RPC_URL", help="URL of a chain endpoint.", rich_help_panel="Connection"),
]
KeystoreOption = Annotated[
    Path,
    typer.Option(
        "--keystore",
        envvar="COMPUTILITY_KEYSTORE",
        help="Encrypted key file; `computility wallet new` makes one.",
        rich_help_panel="Account",
    ),
]
PasswordFileOption = Annotated[
    Path | None,
    typer.Option(
        "--password-file",
        envvar="COMPUTILITY_PASSWORD_FILE",
        help="File whose first line is the password. Without it you are asked.",
        rich_help_panel="Account",
    ),
]
EscrowOption = Annotated[
    str | None,
    typer.Option(
        "--escrow",
        envvar="COMPUTILITY_ESCROW",
        help="The one escrow contract you trust: a node that names another is refused.",
        rich_help_panel="Connection",
    ),
]
ConfirmationsOption = Annotated[
    int,
    typer.Option(
        "--confirmations",
        envvar="COMPUTILITY_CONFIRMATIONS",
        min=0,
        help="Blocks below the head at which the chain is believed.",
        rich_help_panel="Connection",
    ),
]
CheckedByOption = Annotated[
    Path | None,
    typer.Option(
        "--config",
        help="A provider's settings file: its offers say which executors check jobs here. Without it, only WebAssembly is checked.",
        exists=True,
        dir_okay=False,
    ),
]
CheckDeviceOption = Annotated[
    str | None,
    typer.Option(
        "--device",
        envvar="COMPUTILITY_VERIFIER_DEVICE",
        help="On what matrix products are checked: auto (a card, where free and worth it), cpu or cuda:N; as in the settings file, else auto.",
    ),
]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before signing.")]

DEFAULT_NODE = "http://127.0.0.1:8000"
DEFAULT_RPC = "http://127.0.0.1:8545"
DEFAULT_KEYSTORE = Path("~/.computility/keystore.json")
TeeRootOption = Annotated[
    list[str] | None,
    typer.Option(
        "--tee-root",
        help="Root certificate of a vendor whose attestations you believe, as KIND=FILE (tdx, sev-snp, nvidia, nvidia-rim); once for each.",
    ),
]
TeeListOption = Annotated[
    list[str] | None,
    typer.Option("--tee-crl", help="Revocation list of a vendor, as KIND=FILE in PEM or DER, kept up to date by you."),
]
TeeCollateralOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--tee-collateral",
        help="Intel's collateral of a family of processors, a JSON file that you keep up to date: TDX machines have to be of an allowed TCB level.",
        exists=True,
        dir_okay=False,
    ),
]
TeeLevelOption = Annotated[
    list[str] | None,
    typer.Option(
        "--tee-level",
        help="TCB level that you accept, like up-to-date or sw-hardening-needed; once for each; up-to-date unless given.",
    ),
]
TeeMinimumOption = Annotated[
    Path | None,
    typer.Option(
        "--tee-minimum",
        help='Least versions of AMD\'s firmware by line of processors, a JSON file: {"Milan": {"bootloader": 4, "snp": 24, "microcode": 219}}.',
        exists=True,
        dir_okay=False,
    ),
]
TeeReferenceOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--tee-reference",
        help="NVIDIA's reference manifest of a driver or a VBIOS, a .swidtag file; once for each: cards have to have the measurements in it.",
        exists=True,
        dir_okay=False,
    ),
]
