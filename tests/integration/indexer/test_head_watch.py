"""New blocks are told by a WebSocket while there is one; without it, and when it drops, they are polled for."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest
from tests.chaos.waiting import wait_until
from tests.integration.ledger_on_chain import LedgerOnChain
from websockets.sync.server import ServerConnection, serve

from computility.chain import head_watch
from computility.chain.head_watch import HeadWatch
from computility.settings import NodeSettings

NEVER_S = 10_000.0
SOON_S = 120.0


class Line:
    """A TCP connection to somewhere else that can be cut."""

    def __init__(self, to: tuple[str, int]) -> None:
        self._to = to
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]
        self._ends: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """End all that goes over it, and take no more."""
        self._server.close()
        for end in self._ends:
            # Wakes those that wait to read, which closing alone does not.
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        while True:
            try:
                here, _ = self._server.accept()
            except OSError:
                return
            there = socket.create_connection(self._to)
            self._ends += [here, there]
            for source, target in ((here, there), (there, here)):
                threading.Thread(target=_carry, args=(source, target), daemon=True).start()


def _carry(source: socket.socket, target: socket.socket) -> None:
    with closing(target):
        try:
            while data := source.recv(65_536):
                target.sendall(data)
        except OSError:
            return


@contextmanager
def waiting(watch: HeadWatch) -> Iterator[threading.Thread]:
    """A thread that waits for the next block; it has to have ended by the end."""
    stop = threading.Event()
    thread = threading.Thread(target=watch.wait, args=(stop,))
    thread.start()
    yield thread
    thread.join(SOON_S)
    ended = not thread.is_alive()
    stop.set()
    thread.join()
    assert ended


def test_a_new_block__is_told_by_the_socket(ledger: LedgerOnChain) -> None:
    with HeadWatch(ledger.rpc.url.replace("http", "ws", 1), NEVER_S) as watch:
        wait_until(lambda: watch.listening, SOON_S)
        with waiting(watch):
            ledger.mine()


def test_a_socket_that_drops__is_noticed_and_blocks_are_polled_for(ledger: LedgerOnChain) -> None:
    host, _, port = ledger.rpc.url.removeprefix("http://").partition(":")
    line = Line((host, int(port)))
    with HeadWatch(f"ws://127.0.0.1:{line.port}", 0.2) as watch:
        wait_until(lambda: watch.listening, SOON_S)
        line.cut()
        wait_until(lambda: not watch.listening, SOON_S)
        for _ in range(2):
            with waiting(watch):
                pass


def test_whoever_waits_while_the_socket_drops__waits_no_longer_for_it(ledger: LedgerOnChain) -> None:
    host, _, port = ledger.rpc.url.removeprefix("http://").partition(":")
    line = Line((host, int(port)))
    with HeadWatch(f"ws://127.0.0.1:{line.port}", NEVER_S) as watch:
        wait_until(lambda: watch.listening, SOON_S)
        with waiting(watch):
            line.cut()


@pytest.mark.parametrize("answer", ["5", "null", "[]", '"0x1"', "no JSON"])
def test_a_socket_that_answers_with_something_else__is_tried_again(
    answer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(head_watch, "_TRY_AGAIN_S", 0.05)
    answers = iter([answer])

    def subscribed(connection: ServerConnection) -> None:
        connection.recv()
        connection.send(next(answers, '{"jsonrpc":"2.0","id":1,"result":"0x1"}'))
        for _ in connection:
            pass

    with serve(subscribed, "127.0.0.1", 0) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with HeadWatch(f"ws://127.0.0.1:{server.socket.getsockname()[1]}", NEVER_S) as watch:
            wait_until(lambda: watch.listening, SOON_S)
        server.shutdown()


def test_without_a_socket__blocks_are_polled_for() -> None:
    with HeadWatch(None, 0.05) as watch, waiting(watch):
        assert not watch.listening


def test_a_node_on_a_development_chain__is_told_of_blocks_without_being_set_up_for_it(ledger: LedgerOnChain) -> None:
    settings = NodeSettings(rpc_url=ledger.rpc.url, chain_number=31_337)
    with HeadWatch(settings.heads_url, NEVER_S) as watch:
        wait_until(lambda: watch.listening, SOON_S)
    assert NodeSettings(rpc_url="https://somewhere.example/key", chain_number=1).heads_url is None
    named = NodeSettings(rpc_url="https://somewhere.example/key", rpc_websocket_url="wss://there.example")
    assert named.heads_url == "wss://there.example"
