"""Content up and down."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from computility.domain.content_id import content_id_of


def test_what_goes_up__comes_down_unchanged_and_harmless(served: Any) -> None:
    data = b"<script>alert(1)</script>" * 100

    kept = served.client.put("/v1/content", content=data)
    again = served.client.put("/v1/content", content=data)

    assert (kept.status_code, again.status_code) == (201, 200)
    assert kept.json() == again.json() == {"cid": content_id_of(data), "size": len(data)}
    answer = served.client.get(f"/v1/content/{kept.json()['cid']}")
    assert hashlib.sha256(answer.content).digest() == hashlib.sha256(data).digest()
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-length"] == str(len(data))
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"].startswith("sandbox")
    assert "attachment" in answer.headers["content-disposition"]
    assert "immutable" in answer.headers["cache-control"]


def test_an_image__is_shown_as_one_only_when_asked_for_by_name(served: Any) -> None:
    cid = served.client.put("/v1/content", content=b"\x89PNG").json()["cid"]

    assert served.client.get(f"/v1/content/{cid}?type=image/png").headers["content-type"] == "image/png"
    refused = served.client.get(f"/v1/content/{cid}?type=text/html")
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid-request")


def test_a_second_download__is_not_sent_again(served: Any) -> None:
    cid = served.client.put("/v1/content", content=b"data").json()["cid"]
    etag = served.client.get(f"/v1/content/{cid}").headers["etag"]

    answer = served.client.get(f"/v1/content/{cid}", headers={"If-None-Match": etag})

    assert (answer.status_code, answer.content) == (304, b"")


def test_head__tells_size_and_presence(served: Any) -> None:
    cid = served.client.put("/v1/content", content=b"data").json()["cid"]

    assert served.client.head(f"/v1/content/{cid}").headers["content-length"] == "4"
    assert served.client.head(f"/v1/content/{content_id_of(b'other')}").status_code == 404


def test_content_that_is_not_what_the_sender_takes_it_for__is_refused_and_not_kept(served: Any) -> None:
    other = content_id_of(b"other")

    refused = served.client.put(f"/v1/content?cid={other}", content=b"data")

    assert (refused.status_code, refused.json()["code"]) == (422, "content-mismatch")
    assert "send it again" in refused.json()["detail"]
    assert served.client.head(f"/v1/content/{content_id_of(b'data')}").status_code == 404


def test_too_much_at_once_and_too_much_in_all__are_refused(served: Any) -> None:
    large = served.client.put("/v1/content", content=b"x" * 100_001)
    assert (large.status_code, large.json()["code"]) == (413, "request-too-large")

    answers = [served.client.put("/v1/content", content=bytes([number]) * 100_000) for number in range(3)]

    assert [answer.status_code for answer in answers] == [201, 201, 507]
    assert answers[-1].json()["code"] == "quota-exceeded"
    assert served.client.put("/v1/content", content=bytes([0]) * 100_000).status_code == 200


@pytest.mark.parametrize("cid", ["bafkreif", "b" + "a" * 58, "..%2f..%2fetc%2fpasswd", "B" * 59])
def test_what_is_no_content_id__is_refused(served: Any, cid: str) -> None:
    answer = served.client.get(f"/v1/content/{cid}")

    assert answer.status_code in (404, 422)
    assert answer.headers["content-type"] == "application/problem+json"
