"""Who may do what: rules, grants, passwords, and what a refusal gives away."""

from typing import Final

from tests.faults.sources import Change
from tests.security.mutations.mutation import Mutation, without

RULES: Final = "gateway/access/authorization.py"
ROLES: Final = "gateway/access/roles.py"
GRANTS: Final = "gateway/access/grants.py"
GUESSES: Final = "gateway/access/shares/guesses.py"
PASSWORDS: Final = "gateway/access/shares/passwords.py"

CANARY: Final = "tests/security/test_canary.py"
TESTS: Final = "tests/security/test_permission.py"
HIDDEN: Final = "tests/security/test_hidden_rooms.py::test_a_hash_for_a_room_that_is_not_there"

PERMISSION: Final[tuple[Mutation, ...]] = (
    without(
        "members only",
        RULES,
        '    inside = asked.inside if room.kind == "room" else asked.user in room.users\n',
        '    inside = room.kind == "room" or asked.user in room.users\n',
        f"{TESTS}::test_a_protected_room[1-json]",
    ),
    without(
        "chats for their two users",
        RULES,
        '    inside = asked.inside if room.kind == "room" else asked.user in room.users\n',
        '    inside = asked.inside if room.kind == "room" else True\n',
        f"{TESTS}::test_chats_of_others[1-json]",
        f"{TESTS}::test_chats_of_others_over_rest",
    ),
    without(
        "users ask for themselves only",
        RULES,
        "    return Verdict.ALLOWED if nameless or asked.user in asked.about "
        "else Verdict.FORBIDDEN\n",
        "    return Verdict.ALLOWED if nameless or asked.user else Verdict.FORBIDDEN\n",
        f"{TESTS}::test_chats_of_others_over_rest",
    ),
    without(
        "who may delete",
        RULES,
        "asked.name not in asked.about and not _role(asked):",
        'asked.name == "nobody":',
        f"{TESTS}::test_deleting_what_others_said[1-json]",
    ),
    without(
        "who may clear a room",
        RULES,
        "    if verdict is Verdict.ALLOWED and asked.verified and not _role(asked):\n",
        "    if verdict is Verdict.FORBIDDEN:\n",
        f"{TESTS}::test_deleting_what_others_said[1-json]",
    ),
    without(
        "who may mark as seen",
        RULES,
        "    if verdict is Verdict.ALLOWED and asked.name in asked.about "
        "and not asked.room.is_notes:\n",
        "    if verdict is Verdict.FORBIDDEN:\n",
        f"{TESTS}::test_what_one_has_sent_oneself[1-json]",
    ),
    without(
        "who may moderate",
        RULES,
        "return Verdict.ALLOWED if _role(asked) > others else Verdict.FORBIDDEN",
        "return Verdict.ALLOWED if _role(asked) >= others else Verdict.FORBIDDEN",
        f"{TESTS}::test_deleting_what_others_said[1-json]",
    ),
    without(
        "what the owner alone may do",
        RULES,
        "allowed = _role(asked) is Role.OWNER and asked.room.creator not in asked.about",
        "allowed = asked.room.creator not in asked.about",
        f"{TESTS}::test_deleting_what_others_said[1-json]",
    ),
    Mutation(
        "bans",
        (
            Change(
                RULES,
                "return Verdict.UNSEEN if asked.name in room.standings.banned else Verdict.ALLOWED",
                "return Verdict.ALLOWED",
            ),
            # It is looked at again as the client becomes a member.
            Change(ROLES, "user not in standings.banned and ", ""),
        ),
        (f"{TESTS}::test_one_who_is_banned[1-json]",),
    ),
    without(
        "kicks hold on every gateway",
        ROLES,
        "standings.kicked.get(user, 0) <= since",
        "True",
        "tests/integration/gateway/test_put_out.py::test_a_gateway_that_is_behind",
    ),
    without(
        "who is put out hears no more",
        "gateway/rooms/hub.py",
        "            self._end_memberships(local, event, user)\n",
        "            pass\n",
        f"{TESTS}::test_a_protected_room[1-json]",
    ),
    without(
        "grants are their user's",
        GRANTS,
        "is_for_both = holder == user and room_id == room.id",
        "is_for_both = room_id == room.id",
        f"{TESTS}::test_a_new_password[1-json]",
    ),
    without(
        "grants end with a kick or a new password",
        GRANTS,
        "return is_for_both and since >= room.min_valid_since(user)",
        "return is_for_both",
        f"{TESTS}::test_a_new_password[1-json]",
    ),
    without(
        "hidden things look like missing ones",
        RULES,
        "        if verdict is Verdict.UNSEEN:\n            return subject.unseen()\n",
        "",
        f"{TESTS}::test_chats_of_others[1-json]",
        f"{TESTS}::test_chats_of_others_over_rest",
    ),
    without(
        "a room that is not there costs a hash",
        PASSWORDS,
        "            await self._opens(self._decoy, password, asker)\n            return False\n",
        "            return False\n",
        f"{HIDDEN}[none]",
        f"{HIDDEN}[banned]",
    ),
    without(
        "a room that is not there costs a hash",
        "gateway/api/handlers/rooms.py",
        "        await _opens(gateway, client, None, command)\n",
        "        pass\n",
        f"{HIDDEN}[none]",
        f"{HIDDEN}[banned]",
    ),
    Mutation(
        "passwords are kept as hashes",
        (
            Change(
                PASSWORDS,
                'return await self._run(asker, self._hasher.hash, text) if text else ""',
                "return text",
            ),
            Change(
                PASSWORDS,
                "return self._hasher.verify(password_hash, password)",
                "return password_hash == password",
            ),
        ),
        (f"{CANARY}::test_nothing_in_sql", f"{CANARY}::test_nothing_in_redis"),
    ),
    without(
        "hashes by OWASP's figures",
        PASSWORDS,
        "memory_cost=19 * 1024",
        "memory_cost=1024",
        "tests/unit/gateway/access/shares/test_passwords.py::"
        "test_a_hash_is_as_strong_as_owasp_asks",
    ),
    without(
        "guesses of a user",
        GUESSES,
        '            Bucket("guesses", (room, asker.rate_subject), rates.rate_guesses),\n',
        "",
        f"{TESTS}::test_guessing",
    ),
    without(
        "guesses of an address",
        GUESSES,
        '            Bucket("address guesses", (room, address), rates.rate_address_guesses),\n',
        "",
        "tests/security/test_one_address.py::test_an_address_that_guesses",
    ),
    without(
        "guesses at a room only slow it",
        GUESSES,
        "                await self._take_of_room(of_room, names, asker)\n",
        "                pass\n",
        "tests/integration/gateway/test_guesses.py::test_one_of_each_waits",
    ),
    without(
        "hidden things take the look-ups of missing ones",
        "gateway/rooms/store/room_names.py",
        "            if hidden:\n                await self.find_all(hidden)\n",
        "",
        "tests/integration/gateway/test_alike.py::test_rooms_with_passwords",
    ),
    without(
        "hidden things take the look-ups of missing ones",
        "gateway/rooms/store/directory.py",
        "if (key := cached.get(each)) and sees(key)}",
        "if (key := cached.get(each))}",
        "tests/integration/gateway/test_alike.py::test_chats_of_others",
    ),
)
