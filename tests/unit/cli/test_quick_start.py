"""What a command loads before it does anything."""

from __future__ import annotations

import json
import subprocess
import sys


def python(program: str) -> str:
    """What a program prints in an interpreter of its own."""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_help_of_all_commands__loads_neither_the_chain_nor_the_databases_libraries() -> None:
    program = """
import sys
from computility.cli.application import build_application
build_application()
print(*sorted({"web3", "eth_account", "sqlalchemy", "fastapi", "numpy", "wasmtime"} & sys.modules.keys()))
"""
    assert python(program).split() == []


def test_an_account__signs_and_opens_its_keystore__without_the_validators_signatures() -> None:
    program = """
import sys
from computility.cli.quick_start import start_sooner
start_sooner()
from eth_account import Account
account = Account.from_key(b"\\x01" * 32)
stored = account.encrypt("a password", iterations=2)
assert Account.decrypt(stored, "a password") == account.key
print(*[name for name in sys.modules if name.startswith("py_ecc.")])
print(*[name for name in sys.modules if "optimized_bls" in name])
"""
    loaded, computed = python(program).splitlines()
    assert "py_ecc.bls" in loaded, "eth_keyfile does not load it any more: quick_start need not defer it"
    assert computed == ""


def test_a_validators_keystore__is_made_and_opened_all_the_same() -> None:
    program = """
import json
from computility.cli.quick_start import start_sooner
start_sooner()
import eth_keyfile
made = eth_keyfile.create_keyfile_json(b"\\x02" * 32, b"a password", version=4, kdf="pbkdf2", iterations=2)
import py_ecc.bls
print(json.dumps([made["pubkey"], py_ecc.bls.G2ProofOfPossession.SkToPk(int.from_bytes(b"\\x02" * 32, "big")).hex(),
                  eth_keyfile.decode_keyfile_json(made, b"a password").hex()]))
"""
    made, computed, opened = json.loads(python(program))
    assert made == computed
    assert opened == "02" * 32


def test_the_order_of_bls12_381__is_the_librarys() -> None:
    program = """
from py_ecc.bls12_381 import curve_order
from computility.cli.quick_start import _BLS_ORDER
print(curve_order == _BLS_ORDER)
"""
    assert python(program).strip() == "True"
