"""GPUs of clusters in a provider's settings."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from computility.execution.gpu.card import NoCards
from computility.services.claimed_devices import claimed_devices
from computility.services.executor_makers import name_of
from computility.services.provider_config import Offer

TOOLSET = {"gpu": "nvidia-h100-80gb-hbm3", "nvidia-driver": "580"}


def offer(**settings: Any) -> Offer:
    """Cards on Slurm, unless told otherwise."""
    return Offer.model_validate(
        {
            "kind": "process",
            "on": "slurm",
            "resource": "urn:computility:gpu:h100:8x:80g:local:me:0001:gpu-s",
            "price": "0.01",
            "gpus": 2,
            "toolset": TOOLSET,
            **settings,
        }
    )


def test_an_offer__on_a_cluster__says_how_many_cards_a_job_may_have() -> None:
    assert offer().gpus == 2
    assert name_of(offer()) == "process (on slurm; gpu nvidia-h100-80gb-hbm3, nvidia-driver 580; 2 GPUs)"
    assert offer(kind="container", on="kubernetes").gpus == 2


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"gpus": "all"}, "on a cluster a number"),
        ({"gpus": ["GPU-1"]}, "on a cluster a number"),
        ({"on": "here"}, "on a cluster a number"),
        ({"gpus": 0}, "greater than or equal to 1"),
        ({"toolset": {}}, "which cards the cluster has"),
        ({"toolset": {"gpu": "a-card"}}, "which cards the cluster has"),
        ({"kind": "wasm"}, "reach no GPU"),
    ],
)
def test_what_a_cluster_cannot_give__is_refused_in_the_settings(changes: dict[str, Any], fault: str) -> None:
    with pytest.raises(ValidationError, match=fault):
        offer(**changes)


def test_cards_of_a_cluster__are_claimed_by_nobody() -> None:
    assert claimed_devices([offer()], NoCards()) is None
