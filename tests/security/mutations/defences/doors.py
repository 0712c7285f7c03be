"""What a cluster opens, to whom, and what it keeps to itself."""

from typing import Final

from tests.security.mutations.mutation import Mutation, without

TESTS: Final = "tests/security/test_doors.py"

DOORS: Final[tuple[Mutation, ...]] = (
    without(
        "HOST opens the load balancer alone",
        "deploy/processes/environments.py",
        '"HOST": settings.gateway_host,',
        '"HOST": settings.host,',
        f"{TESTS}::test_host_opens_the_load_balancer_alone",
    ),
    without(
        "the embedded Redis has a password",
        "deploy/servers/redis.py",
        'write_atomically(self.config, f"requirepass {self.password}\\n")',
        'write_atomically(self.config, "\\n")',
        "tests/unit/deploy/servers/test_redis.py::test_the_password_is_in_private_files_only",
    ),
    without(
        "the embedded Redis has a password",
        "deploy/servers/redis.py",
        "self.password = secrets.token_urlsafe(32)",
        'self.password = "parley"',
        "tests/unit/deploy/servers/test_redis.py::test_each_run_has_a_password_of_its_own",
    ),
    without(
        "a shared folder is refused",
        "deploy/data_dir.py",
        "            if fault := folder_fault(self.path):\n",
        "            if (fault := folder_fault(self.path)) is self:\n",
        f"{TESTS}::test_a_shared_folder_is_refused",
    ),
    without(
        "private files",
        "deploy/cluster.py",
        "os.umask(0o077)",
        "os.umask(0o022)",
        f"{TESTS}::test_files_are_private",
    ),
    without(
        "each process has the settings that it reads",
        "deploy/processes/environments.py",
        "    read = {name: value for name, value in environ.items() if name in names}\n",
        "    read = dict(environ) if names else {}\n",
        "tests/unit/deploy/processes/test_environments.py::test_others_get_none_of_it",
        f"{TESTS}::test_each_process_has_what_it_needs",
    ),
)
