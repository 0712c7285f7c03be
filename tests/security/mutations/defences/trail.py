"""What is written about what happens, and who can push it out."""

from typing import Final

from tests.security.mutations.mutation import Mutation, without

TESTS: Final = "tests/security/test_trail.py"

TRAIL: Final[tuple[Mutation, ...]] = (
    without(
        "logins are events",
        "gateway/api/login.py",
        "    gateway.access.trail.note(event, client.source)\n",
        "",
        f"{TESTS}::test_a_login[json]",
    ),
    without(
        "refused logins are events",
        "gateway/api/login.py",
        "    gateway.access.trail.note(event, Source.at(address))\n",
        "",
        f"{TESTS}::test_a_refused_login[token_invalid]",
        f"{TESTS}::test_refusals_at_the_other_doors",
    ),
    without(
        "refused actions are events",
        "gateway/api/actions/refusals.py",
        "    gateway.access.trail.note(event, asker.source)\n",
        "",
        f"{TESTS}::test_what_one_may_not_do",
    ),
    without(
        "acts of moderation are events",
        "gateway/api/handlers/acts.py",
        "    gateway.access.trail.note(_event(_fields(asker, room), body), asker.source)\n",
        "",
        f"{TESTS}::test_acts_in_a_room",
    ),
    without(
        "limits that are met are events",
        "gateway/access/rates/limits.py",
        "        self._trail.note(event, source)\n",
        "",
        f"{TESTS}::test_limits",
    ),
    without(
        "what operators do is an event",
        "gateway/endpoints/operator/acting.py",
        "        trail.note(OperatorAction("
        "action=action, on=done_to, address=address, error=error_code))\n",
        "",
        f"{TESTS}::test_an_operators_port[1-/disconnect]",
    ),
    without(
        "no source pushes the events of others out",
        "shared/trail/bounds.py",
        "        return taken.granted > 0\n\n    def _take_of_kind(",
        "        return True\n\n    def _take_of_kind(",
        f"{TESTS}::test_one_script_cannot_push_others_out",
    ),
    without(
        "the file of events is private",
        "shared/trail/file.py",
        "MODE: Final = 0o600\n",
        "MODE: Final = 0o644\n",
        "tests/unit/shared/trail/test_file.py::test_only_its_user_may_read_it",
    ),
    without(
        "pages and hosts of others are events",
        "gateway/endpoints/guard.py",
        "        gateway.access.trail.note(event, Source.at(address))\n",
        "",
        f"{TESTS}::test_a_foreign_page",
    ),
    without(
        "moderators read what was done in their room",
        "gateway/access/authorization.py",
        "return Verdict.FORBIDDEN if verdict is Verdict.ALLOWED and not _role(asked) else verdict",
        "return verdict",
        "tests/cluster/test_permission_matrix.py::test_events",
    ),
)
