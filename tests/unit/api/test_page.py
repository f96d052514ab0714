"""The web app's files, and what is served where it has none."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette

from computility.api.page import WebPage


def _dist(folder: Path) -> Path:
    dist = folder / "dist"
    (dist / "assets").mkdir(parents=True)
    (dist / "index.html").write_text("<title>index</title>")
    (dist / "assets" / "main-1a2b.js").write_text("main()")
    (folder / "secret.txt").write_text("secret")
    (dist / "link.txt").symlink_to(folder / "secret.txt")
    return dist


async def _get(dist: Path, path: str, method: str = "GET") -> httpx.Response:
    app = Starlette()
    app.router.default = WebPage(dist)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://node") as client:
        return await client.request(method, path)


@pytest.mark.anyio
@pytest.mark.parametrize("path", ["/", "/market", "/jobs/0xabc", "/index.html"])
async def test_paths_of_the_app__get_its_index(tmp_path: Path, path: str) -> None:
    answer = await _get(_dist(tmp_path), path)

    assert answer.text == "<title>index</title>"
    assert answer.headers["cache-control"] == "no-cache"
    assert "script-src 'self'" in answer.headers["content-security-policy"]


@pytest.mark.anyio
async def test_an_asset__may_be_kept_for_ever(tmp_path: Path) -> None:
    answer = await _get(_dist(tmp_path), "/assets/main-1a2b.js")

    assert answer.text == "main()"
    assert "immutable" in answer.headers["cache-control"]
    assert answer.headers["content-type"].startswith("text/javascript")


@pytest.mark.anyio
@pytest.mark.parametrize(
    "path", ["/../secret.txt", "/%2e%2e/secret.txt", "/assets/%2e%2e/%2e%2e/secret.txt", "/link.txt", "/%00.js"]
)
async def test_a_path_out_of_the_build__is_not_found(tmp_path: Path, path: str) -> None:
    answer = await _get(_dist(tmp_path), path)

    assert answer.status_code == 404
    assert "secret" not in answer.text


@pytest.mark.anyio
@pytest.mark.parametrize("path", ["/v1/nothing", "/v1", "/rpc", "/rpc/x", "/missing.js"])
async def test_a_path_that_is_not_the_apps__is_not_found(tmp_path: Path, path: str) -> None:
    assert (await _get(_dist(tmp_path), path)).status_code == 404


@pytest.mark.anyio
async def test_other_methods__are_refused(tmp_path: Path) -> None:
    answer = await _get(_dist(tmp_path), "/market", "POST")

    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET, HEAD"


@pytest.mark.anyio
async def test_without_a_build__a_plain_page_says_what_to_do(tmp_path: Path) -> None:
    answer = await _get(tmp_path / "nothing", "/")

    assert answer.status_code == 200
    assert "make setup" in answer.text
