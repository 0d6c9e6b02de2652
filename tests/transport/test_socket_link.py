"""What links over sockets do alike, on one whose peer the tests play."""

import asyncio
from typing import Any

from sdqkd.transport.socket_link import Patience, SocketLink

TIMEOUT_S = 0.1


class Tap(SocketLink):
    """Keeps what is sent until the test lets some of it go."""

    def __init__(self, receiver: Any) -> None:
        super().__init__(receiver, "noc", "192.0.2.1:830", Patience(TIMEOUT_S, 1000))
        self.kept = 0
        self._make()

    def _send(self, data: bytes) -> None:
        self.kept += len(data)

    def _unsent_bytes(self) -> int:
        return self.kept

    def abort(self, error: Exception | None = None) -> None:
        self._lose(error)


async def test_a_slow_reader_is_waited_for(recorder: Any) -> None:
    receiver = recorder()
    link = Tap(receiver)
    link.write(bytes(1000))
    link.hold("socket")
    loop = asyncio.get_running_loop()
    begin = loop.time()

    def read_a_little() -> None:
        link.kept -= 100
        if link.kept:
            loop.call_later(TIMEOUT_S / 2, read_a_little)
        else:
            link.let_go("socket")

    read_a_little()
    await receiver.until(lambda: "resume" in receiver.calls)
    assert receiver.calls == ["made", "pause", "resume"]
    assert loop.time() - begin > 3 * TIMEOUT_S


async def test_a_reader_who_stops_is_not(recorder: Any) -> None:
    receiver = recorder()
    link = Tap(receiver)
    link.write(bytes(1000))
    link.hold("socket")
    link.kept -= 500
    assert str(await receiver.lost()) == "192.0.2.1:830: the peer has read nothing for 0.1 s"
    link.let_go("socket")
    link.write(b"x")
    assert receiver.calls == ["made", "pause", "lost"]


async def test_a_receiver_is_told_of_the_end_after_it_has_written(recorder: Any) -> None:
    receiver = recorder()
    link = Tap(receiver)
    link.hold("socket")
    for _ in range(20):
        link.write(bytes(100))
        assert receiver.losses == []
    assert link.kept == 1100
    assert str(await receiver.lost()).endswith("leaves more than 1000 bytes unread")


async def test_two_reasons_to_wait_are_two(recorder: Any) -> None:
    receiver = recorder()
    link = Tap(receiver)
    link.hold("window")
    link.hold("socket")
    link.let_go("window")
    assert receiver.calls == ["made", "pause"]
    link.let_go("socket")
    assert receiver.calls == ["made", "pause", "resume"]
    link.let_go("socket")
    assert receiver.calls == ["made", "pause", "resume"]
