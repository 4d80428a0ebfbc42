import os
import socket
import struct
import threading

import pytest

from frl.envs.channel import DONE, OUTLINE, RAISED, Message, receive, send


@pytest.fixture
def ends():
    ours, theirs = socket.socketpair()
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", 0, 20_000))
    with ours, theirs:
        yield ours, theirs


def test_messages_arrive_whole_and_in_order(ends):
    ours, theirs = (end.fileno() for end in ends)
    said = [Message(DONE, 3), Message(RAISED, 4, {"type": "Ö"}), Message(DONE, 5)]
    for message in said:
        send(theirs, message)
    assert [receive(ours) for _ in said] == said


def test_a_long_text_is_sent_in_parts(ends):
    message = Message(OUTLINE, 0, ["x" * 3_000_000])
    thread = threading.Thread(target=send, args=(ends[1].fileno(), message))
    thread.start()
    assert receive(ends[0].fileno(), lambda: None) == message
    thread.join()


def test_a_part_that_was_read_already_is_taken_up(ends):
    send(ends[1].fileno(), Message(RAISED, 9, 1))
    head = os.read(ends[0].fileno(), 1)
    assert receive(ends[0].fileno(), None, head) == Message(RAISED, 9, 1)


def test_the_end_of_the_other_is_none_before_and_amid_a_message(ends):
    ends[1].send(bytes((RAISED, 1, 0, 0)))
    ends[1].close()
    assert receive(ends[0].fileno()) is None
    assert receive(ends[0].fileno()) is None


def test_who_waits_may_give_up(ends):
    waits = []

    def give_up():
        waits.append(1)
        if len(waits) == 3:
            raise TimeoutError

    with pytest.raises(TimeoutError):
        receive(ends[0].fileno(), give_up)
    with pytest.raises(BlockingIOError):
        receive(ends[0].fileno())


def test_what_nobody_can_read_is_refused(ends):
    ends[0].close()
    with pytest.raises(BrokenPipeError):
        send(ends[1].fileno(), Message(DONE, 0))
