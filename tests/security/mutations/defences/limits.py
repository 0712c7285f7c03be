"""What one client, or one address, may ask for: rates, shares and guests."""

from typing import Final

from tests.security.mutations.mutation import Mutation, without

ADDRESSES: Final = "shared/addresses.py"
INTAKE: Final = "gateway/connections/intake.py"
FAIR_QUEUE: Final = "gateway/access/shares/fair_queue.py"

TURNS: Final = "tests/unit/gateway/access/shares/test_fair_queue.py"

LIMITS: Final[tuple[Mutation, ...]] = (
    without(
        "IPv6 counts by /64",
        ADDRESSES,
        "        return str(ip_network((int(found), CLIENT_PREFIX_BITS), strict=False))\n",
        "        return str(found)\n",
        "tests/security/test_one_address.py::test_a_network_of_ipv6_asks",
        "tests/security/test_one_address.py::test_an_address_that_guesses[2001:db8:8:1::{}]",
        "tests/security/test_guests.py::test_a_network_of_ipv6",
    ),
    without(
        "the address behind trusted proxies only",
        ADDRESSES,
        "    if found not in trusted:\n        return str(found)\n",
        '    trusted = Networks.parse(f"{trusted},{found}")\n',
        "tests/unit/shared/test_addresses.py::test_peer",
    ),
    without(
        "the address behind trusted proxies only",
        ADDRESSES,
        "    while forwarded_addresses and found in trusted:\n",
        "    while forwarded_addresses:\n",
        "tests/unit/shared/test_addresses.py::test_peer",
    ),
    without(
        "the load balancer drops what clients say of themselves",
        "deploy/servers/haproxy.cfg.tmpl",
        "    http-request del-header X-Forwarded-For$unless_trusted\n",
        "",
        "tests/security/test_one_address.py::test_what_a_client_says_of_itself",
        "tests/integration/deploy/test_balancer.py::test_whom_the_balancer_believes",
    ),
    without(
        "every request is counted first",
        "gateway/endpoints/guard.py",
        '    elif kind == "rest":\n        await limits.rest(address)\n',
        "",
        "tests/security/test_one_address.py::test_a_network_of_ipv6_asks",
    ),
    without(
        "refusals end a connection",
        INTAKE,
        "        return not taken.granted\n",
        "        return False\n",
        "tests/security/test_refusals.py::test_refusals_over_socketio"
        "[SocketIODoor-an unknown event]",
        "tests/security/test_refusals.py::test_frames_of_the_wrong_kind[json]",
    ),
    without(
        "bytes and packets are paid for",
        INTAKE,
        "        if seconds < MIN_WAIT_SECONDS:\n",
        "        if seconds >= 0:\n",
        "tests/security/test_slowed.py::test_floods_are_slowed[pings]",
    ),
    without(
        "connections of an address share a budget",
        INTAKE,
        "            shared = self._addresses[key] = Budget(self._rates, ADDRESS_SHARE)\n",
        "            shared = Budget(self._rates, ADDRESS_SHARE)\n",
        "tests/security/test_slowed.py::test_connections_of_an_address_share",
    ),
    without(
        "guests count by address",
        "gateway/access/guests.py",
        "return guest_subject(address) if proven and is_guest(name) else name",
        "return name",
        "tests/security/test_guests.py::test_messages",
        "tests/security/test_guests.py::test_guesses",
    ),
    without(
        "an address can be so many guests",
        "gateway/cluster/guests.py",
        "        if not is_admitted:\n",
        "        if is_admitted is None:\n",
        "tests/security/test_guest_places.py::test_one_too_many[json]",
    ),
    without(
        "bans of guests hold for their address",
        "gateway/access/guests.py",
        "        return bool(self._seconds) and await self._broker.holds(room, subject)\n",
        "        return False\n",
        "tests/security/test_guest_bans.py::test_another_guest_is_banned_as_well[json-1]",
        "tests/security/test_guest_bans.py::test_a_protected_room[json]",
    ),
    without(
        "passwords are checked in turn",
        FAIR_QUEUE,
        "        slot = Slot(self, rate_limit_address(asker.address), asker.rate_subject)\n",
        '        slot = Slot(self, "all", "all")\n',
        f"{TURNS}::test_users_of_an_address_take_turns",
        f"{TURNS}::test_an_address_counts_once",
        "tests/cluster/test_shares.py::test_a_password_is_checked_next",
        fails_by=("ChatError", "Refusal"),
    ),
    without(
        "a bounded number of passwords waits",
        FAIR_QUEUE,
        "            len(line.waiting) >= self._max_waiting_per_user\n",
        "            len(line.waiting) < 0\n",
        f"{TURNS}::test_waiting_is_bounded",
        "tests/unit/gateway/access/shares/test_passwords.py::test_a_flood_is_told_to_come_again",
    ),
    without(
        "rates of users",
        "gateway/api/dispatcher.py",
        "permit = None if limits is None else limits.ask(action.rate, client)",
        "permit = None",
        "tests/cluster/test_limits.py::test_a_second_gateway_doubles_no_messages",
    ),
    without(
        "rates count on all gateways together",
        "gateway/access/rates/buckets.py",
        "        if now >= self._ask_broker_at:\n",
        "        if now < 0:\n",
        "tests/cluster/test_limits.py::test_a_second_gateway_doubles_no_messages",
        "tests/cluster/test_limits.py::test_a_second_gateway_doubles_no_connections",
    ),
    without(
        "connections of a user",
        "gateway/api/login.py",
        "        await gateway.access.limits.connect_user(client.rate_subject, client)\n",
        "        pass\n",
        "tests/cluster/test_limits.py::test_a_user_connects_too_often",
    ),
    without(
        "a login costs a connection",
        "gateway/endpoints/socketio/chat.py",
        "        if again and limits is not None:\n",
        "        if again is None and limits is not None:\n",
        "tests/security/test_refusals.py::test_a_new_login_costs_a_connection",
    ),
    without(
        "who was refused waits",
        "gateway/connections/http/slowed.py",
        "        self._until[counted] = now + PAUSE_SECONDS\n",
        "",
        "tests/integration/test_requests.py::test_a_connection_that_goes_on_is_closed",
    ),
    without(
        "health checks are always answered",
        "gateway/endpoints/guard.py",
        '                if scope["path"] not in HEALTH:\n',
        '                if scope["path"]:\n',
        "tests/integration/test_requests.py::test_health_checks_are_always_answered",
    ),
    without(
        "rooms of a connection",
        "gateway/api/targets.py",
        "    if len(hub.rooms_of(client)) + len(new) > max_rooms:\n",
        "    if len(new) < 0:\n",
        "tests/cluster/test_limits.py::test_a_connection_has_so_many_rooms",
    ),
    without(
        "a share of what reads Redis or SQL",
        FAIR_QUEUE,
        "        if self._free and line.held < self._max_slots_per_user:\n",
        "        if self._free:\n",
        f"{TURNS}::test_a_user_holds_so_many_slots",
    ),
    without(
        "a resume costs by its places",
        "gateway/api/actions/performing.py",
        "limits is not None and (more := action.cost(command) - 1):",
        "limits is not None and (more := 0):",
        "tests/cluster/test_limits.py::test_a_resume_costs_by_its_places",
    ),
    without(
        "typing beyond its rate is dropped",
        "gateway/access/rates/limits.py",
        '        if kind == "typing":\n            raise Shed\n',
        '        if kind == "typing":\n            return\n',
        "tests/cluster/test_limits.py::test_typing_over_the_limit_is_dropped",
    ),
)
