"""What lets every command, and every agent, start in half the time: loading the libraries is most of a short command's life."""

from __future__ import annotations

import gc
import sys
from importlib import import_module
from types import ModuleType
from typing import Any, Final

_BETWEEN_COLLECTIONS: Final = 20_000
_BLS_ORDER: Final = 0x73EDA753299D7D483339D80809A1D80553BDA402FFFE5BFEFFFFFFFF00000001


def start_sooner() -> None:
    """Prepare what is loaded next. To be called before anything that loads web3.py or eth_account.

    - The collector of cycles looks every 20,000 allocations, not every 700: modules are hundreds of thousands of objects that stay.
    - eth_keyfile, by which eth_account reads keystores, loads an implementation of BLS signatures for the keystores of Ethereum's
      validators, and that computes for half a second while it is loaded. It is loaded when such a keystore is read, which is never.
    """
    gc.set_threshold(_BETWEEN_COLLECTIONS)
    if "py_ecc" not in sys.modules:
        sys.modules["py_ecc.bls"] = _Deferred("py_ecc.bls", G2ProofOfPossession=_DeferredScheme())
        sys.modules["py_ecc.bls12_381"] = _Deferred("py_ecc.bls12_381", curve_order=_BLS_ORDER)


class _Deferred(ModuleType):
    """A module that has some names at once and is loaded for any other."""

    def __init__(self, name: str, **at_once: Any) -> None:
        super().__init__(name)
        self.__dict__.update(at_once)

    def __getattr__(self, wanted: str) -> Any:
        if wanted.startswith("__"):
            raise AttributeError(wanted)
        return getattr(_really(self.__name__), wanted)


class _DeferredScheme:
    """The signature scheme, loaded when one of its functions is asked for."""

    def __getattr__(self, wanted: str) -> Any:
        return getattr(_really("py_ecc.bls").G2ProofOfPossession, wanted)


def _really(name: str) -> ModuleType:
    """The module itself, loaded in its stand-in's place."""
    for loaded, module in list(sys.modules.items()):
        if isinstance(module, _Deferred):
            del sys.modules[loaded]
    return import_module(name)
