"""What the node's settings show of themselves."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from computility.cli.application import build_application
from computility.settings import NodeSettings, describe_settings


def test_every_setting__says_what_it_means() -> None:
    described = describe_settings(NodeSettings.model_construct())
    assert len(described) == len(NodeSettings.model_fields)
    assert [setting.variable for setting in described if not setting.meaning] == []


@pytest.mark.parametrize("setting", describe_settings(NodeSettings.model_construct()), ids=lambda s: s.variable)
def test_the_variable_that_is_named__is_the_one_that_is_read(setting: object, monkeypatch: pytest.MonkeyPatch) -> None:
    variable = setting.variable
    values = {
        "PORT": "81",
        "URL": "http://a.example",
        "PUBLIC": "http://a.example",
        "DEPTH": "7",
        "ACCOUNTS": "a=0x1",
        "HOST": "h",
    }
    value = next((value for ending, value in values.items() if variable.endswith(ending)), "9")
    before = NodeSettings()
    monkeypatch.setenv(variable, value)
    assert NodeSettings() != before


def test_what_a_url_may_hide__is_not_shown() -> None:
    settings = NodeSettings(
        rpc_url="https://rpc.example/v2/ACCESS",
        more_rpc_urls=("https://user:PASSWORD@other.example:444/?key=KEY",),
        database_url="postgresql://me:PASSWORD@db.example/ledger",
    )
    shown = {setting.variable: setting.value for setting in describe_settings(settings)}
    assert shown["COMPUTILITY_RPC_URL"] == "https://rpc.example/…"
    assert shown["COMPUTILITY_MORE_RPC_URLS"] == "https://other.example:444/…"
    assert shown["DATABASE_URL"] == "postgresql://db.example/…"


def test_the_command__prints_lines_that_set_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMPUTILITY_PORT", "81")
    result = CliRunner().invoke(build_application("node"), ["node", "settings"])
    assert result.exit_code == 0
    assert "COMPUTILITY_PORT=81" in result.stdout.splitlines()
