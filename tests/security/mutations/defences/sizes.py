"""What one connection may hold: sizes, numbers and times."""

from typing import Final

from tests.security.mutations.mutation import Mutation, without

HTTP: Final = "gateway/connections/http/protocol.py"
READER: Final = "gateway/protocols/websocket_reader.py"

BROKEN_FRAMES: Final = "tests/security/test_frames.py::test_bytes_that_break_the_protocol[json-1]"

SIZES: Final[tuple[Mutation, ...]] = (
    without(
        "bounded messages",
        READER,
        '        if size + len(self._parts or b"") > self._limit:\n',
        "        if size < 0:\n",
        BROKEN_FRAMES,
    ),
    without(
        "bounded fragments",
        READER,
        "            if self._fragments > MAX_FRAGMENTS:\n",
        "            if self._fragments < 0:\n",
        BROKEN_FRAMES,
    ),
    without(
        "frames as RFC 6455 has them",
        READER,
        "        if not second & MASKED:\n",
        "        if second < 0:\n",
        BROKEN_FRAMES,
    ),
    without(
        "bounded bodies",
        "gateway/endpoints/rest/bodies.py",
        "                if len(body) > max_bytes:\n",
        "                if not max_bytes:\n",
        "tests/security/test_frames.py::test_bodies_that_are_too_big[1-False]",
    ),
    without(
        "bounded requests",
        HTTP,
        "        if len(self.headers) >= MAX_HEADERS:\n",
        "        if len(self.headers) < 0:\n",
        "tests/security/test_pipelines.py::test_many_short_headers[200-431]",
    ),
    without(
        "one request of a connection at a time",
        HTTP,
        "        if self.cycle is None or self.cycle.response_complete:\n            return True\n",
        "        if self.cycle is None or True:\n            return True\n",
        "tests/security/test_pipelines.py::test_pipelines_that_are_never_read",
    ),
    without(
        "deadlines of requests",
        "gateway/connections/http/half_open.py",
        "                break\n            self._refuse(connection)\n",
        "                break\n            break\n",
        "tests/security/test_held.py::test_handshakes_that_never_end[1]",
    ),
    without(
        "time to log in",
        "gateway/connections/deadlines.py",
        "            del self._logins[connection]\n            on_late()\n",
        "            del self._logins[connection]\n",
        "tests/security/test_held.py::test_who_never_says_who_they_are",
    ),
    without(
        "short turns",
        READER,
        "            if frames == MAX_FRAMES_AT_ONCE or position >= stop:\n",
        "            if frames < 0:\n",
        "tests/unit/gateway/protocols/test_websocket_frames.py::test_a_part_at_a_time",
    ),
    without(
        "a bounded number of half-open connections",
        "gateway/connections/http/half_open.py",
        "        if len(self._deadlines) > self._max_half_open:\n",
        "        if self._max_half_open < 0:\n",
        "tests/integration/protocols/test_entrance.py::test_the_oldest_silent_connection_gives_way",
    ),
    without(
        "bodies end with their refusal",
        "gateway/connections/http/request_size.py",
        "        return self._drained_bytes > MAX_DRAINED_BYTES\n",
        "        return False\n",
        "tests/security/test_pipelines.py::test_a_body_that_was_refused",
    ),
    without(
        "peers that are gone are dropped",
        "gateway/connections/websocket.py",
        "        if self._pinged and is_read and unread >= self._unread_at_ping:\n",
        "        if self._pinged is None and is_read and unread >= self._unread_at_ping:\n",
        "tests/security/test_held.py::test_peers_that_are_gone",
    ),
    without(
        "bounded content",
        "gateway/api/handlers/messages.py",
        "    if characters > settings.max_content:\n",
        "    if characters < 0:\n",
        "tests/cluster/test_bad_frames.py::test_bad_json_is_answered[content over MAX_CONTENT]",
    ),
    without(
        "pages end by their bytes",
        "gateway/protocols/item_writer.py",
        "        if self._left < 0 and self._written:\n",
        "        if self._left is None and self._written:\n",
        "tests/cluster/test_large_answers.py::test_long_messages_of_many_guests[usual-json]",
        fails_by=("ConnectionClosedError", "ConnectionClosedOK"),
    ),
    without(
        "slow readers cost others nothing",
        "gateway/connections/connection.py",
        "        if self._unsent > self._limit:\n            self._fall_behind()\n",
        "        if self._unsent < 0:\n            self._fall_behind()\n",
        "tests/cluster/test_slow_reader.py::test_who_lags_is_told_and_resumes",
    ),
    without(
        "frames as RFC 6455 has them",
        READER,
        "        if opcode == TEXT and not payload.isascii():\n            try:\n",
        "        if opcode == CLOSE and not payload.isascii():\n            try:\n",
        BROKEN_FRAMES,
    ),
    without(
        "bounded requests",
        HTTP,
        "        if len(self.url) > MAX_TARGET_BYTES:\n",
        "        if not self.url:\n",
        "tests/security/test_pipelines.py::test_a_long_path[20000-414]",
    ),
)
