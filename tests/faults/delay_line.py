# SPDX-License-Identifier: Apache-2.0
"""A line that takes its time: carries frames between two network interfaces, each way, that many
milliseconds later, more or less: delay_line.py ONE OTHER MILLISECONDS. For kernels without netem.

Frames keep the offloading header of the kernel, so that checksums which nobody has computed yet
and segments longer than a frame arrive as they left. Their order stays."""

import collections
import random
import select
import socket
import sys
import time

SOL_PACKET, PACKET_VNET_HDR = 263, 15
ALL_PROTOCOLS, OUTGOING = 0x0003, 4
FRAME_MAX = 1 << 17
JITTER = 0.25


def open_interface(name):
    end = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    end.setsockopt(SOL_PACKET, PACKET_VNET_HDR, 1)
    end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
    end.bind((name, ALL_PROTOCOLS))
    end.setblocking(False)
    return end


def receive(end):
    """The frames that came in by this interface; those that were sent out by us are not among
    them."""
    while True:
        try:
            frame, origin = end.recvfrom(FRAME_MAX)
        except BlockingIOError:
            return
        if origin[2] != OUTGOING:
            yield frame


def send_due(queue, end, now):
    while queue and queue[0][0] <= now:
        _, frame = queue.popleft()
        try:
            end.send(frame)
        except OSError:
            pass  # no room, or the interface is gone: a lost frame is a lost frame


def carry(one, other, delay):
    ends = {one: other, other: one}
    queues = {end: collections.deque() for end in ends}  # to be sent there: (when, frame)
    while True:
        soonest = min((queue[0][0] for queue in queues.values() if queue), default=None)
        wait = None if soonest is None else max(soonest - time.monotonic(), 0)
        ready, _, _ = select.select(list(ends), [], [], wait)
        now = time.monotonic()
        for end in ready:
            queue = queues[ends[end]]
            due = now + delay * random.uniform(1 - JITTER, 1 + JITTER)
            if queue:
                due = max(due, queue[-1][0])
            queue.extend((due, frame) for frame in receive(end))
        for end, queue in queues.items():
            send_due(queue, end, time.monotonic())


if __name__ == "__main__":
    carry(open_interface(sys.argv[1]), open_interface(sys.argv[2]), float(sys.argv[3]) / 1000)
