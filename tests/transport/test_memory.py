from hypothesis import given
from hypothesis import strategies as st

from sdqkd.netconf.events import HelloReceived, ReplyReceived
from sdqkd.netconf.session import ClientSession
from sdqkd.transport.links import Link
from sdqkd.transport.memory import MemoryLink, pair


class Log:
    """Writes what happens to it into a list that both ends share."""

    def __init__(self, name: str, log: list[str]) -> None:
        self.name, self.log, self.data = name, log, b""

    def link_made(self, link: Link) -> None:
        self.link = link
        self.log.append(f"{self.name} made")

    def data_received(self, data: bytes) -> None:
        self.data += data
        self.log.append(f"{self.name} hears {data.decode()[:9]}")

    def link_lost(self, error: Exception | None) -> None:
        self.log.append(f"{self.name} lost {error}")

    def pause_writing(self) -> None:
        self.log.append(f"{self.name} pauses")

    def resume_writing(self) -> None:
        self.log.append(f"{self.name} resumes")


class Bouncer(Log):
    """Writes back inside a delivery, and closes when it hears 0."""

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if int(data) == 0:
            self.link.close()
        else:
            self.link.write(b"%d" % (int(data) - 1))
        self.log.append(f"{self.name} done")


def joined(kind: type[Log] = Log) -> tuple[Log, Log, list[str]]:
    log: list[str] = []
    server, client = kind("server", log), kind("client", log)
    links = pair(server, client, "fred")
    assert links == (server.link, client.link)
    assert {link.username for link in links} == {"fred"}
    assert log == ["server made", "client made"]
    log.clear()
    return server, client, log


def test_nobody_is_entered_twice() -> None:
    server, client, log = joined(Bouncer)
    client.link.write(b"2")
    assert log == [
        "server hears 2", "server done", "client hears 1", "client done", "server hears 0", "server done",
        "client lost None", "server lost None",
    ]  # fmt: skip
    log.clear()
    for end in (server, client):
        end.link.write(b"9")
        end.link.close()
    assert log == []


def test_what_was_written_before_the_close_arrives() -> None:
    server, client, log = joined()
    client.link.pause_reading()
    server.link.write(b"a")
    server.link.write(b"b")
    server.link.close()
    assert log == ["client hears a", "client hears b", "client lost None", "server lost None"]


def test_a_reader_who_pauses_makes_the_writer_pause() -> None:
    server, client, log = joined()
    client.link.pause_reading()
    server.link.write(b"x" * 60_000)
    assert log == []
    server.link.write(b"y" * 60_000)
    assert log == ["server pauses"]
    client.link.resume_reading()
    assert log == ["server pauses", "client hears xxxxxxxxx", "client hears yyyyyyyyy", "server resumes"]


@given(st.lists(st.binary(max_size=50)))
def test_all_bytes_arrive_in_order(pieces: list[bytes]) -> None:
    server, client = Log("server", []), Log("client", [])
    link: MemoryLink = pair(server, client)[1]
    server.data_received = lambda data: setattr(server, "data", server.data + data)  # type: ignore[method-assign]
    for piece in pieces:
        link.write(piece)
    assert server.data == b"".join(pieces)


def test_a_session_in_memory(mini_agent: type) -> None:
    client = Log("client", [])
    client.data_received = lambda data: setattr(client, "data", client.data + data)  # type: ignore[method-assign]
    link = pair(mini_agent(), client)[1]
    session = ClientSession()
    link.write(session.start())
    session.receive_data(client.data)
    assert isinstance(session.next_event(), HelloReceived)
    client.data = b""
    link.write(session.call(b"<close-session/>")[1])
    session.receive_data(client.data)
    event = session.next_event()
    assert isinstance(event, ReplyReceived)
    assert event.reply.ok
    assert client.log == ["client made", "client lost None"]
