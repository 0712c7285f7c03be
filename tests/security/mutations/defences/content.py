"""What people write, and what a server shows: decoders, names, headers, logs and secrets."""

from typing import Final

from tests.security.mutations.mutation import Mutation, without

DECODER: Final = "gateway/protocols/socketio/decoder.py"
HEADERS: Final = "gateway/endpoints/security_headers.py"
CANARY: Final = "tests/security/test_canary.py"

CONTENT: Final[tuple[Mutation, ...]] = (
    without(
        "nested data is refused",
        "gateway/protocols/frames.py",
        '        except RecursionError:\n            raise ChatError("bad_frame", ',
        '        except ():\n            raise ChatError("bad_frame", ',
        "tests/security/test_content.py::test_values_that_are_none[json-1]",
    ),
    without(
        "nested data is refused",
        DECODER,
        "except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):",
        "except (msgspec.DecodeError, UnicodeEncodeError):",
        "tests/security/test_content.py::test_values_that_are_none[socket.io-1]",
    ),
    without(
        "nested data is refused",
        DECODER,
        "        if not depth:\n",
        "        if depth is None:\n",
        "tests/unit/gateway/protocols/socketio/test_packets.py::"
        "test_placeholders_that_name_no_attachment",
    ),
    without(
        "names that are seen for what they are",
        "shared/names/rules.py",
        'taken = parts.take(_BLANKS.sub(" ", _checked(name)))',
        'taken = parts.take(_BLANKS.sub(" ", name))',
        "tests/unit/shared/names/test_rules.py::test_what_cannot_be_seen_is_refused"
        "[a musical sign that is not drawn]",
    ),
    without(
        "a log line is one line",
        "shared/telemetry.py",
        "        key: escaped(value) if isinstance(value, str) else value "
        "for key, value in event.items()\n",
        "        key: value for key, value in event.items()\n",
        "tests/unit/shared/test_telemetry.py::test_one_line_an_event[text]",
        fails_by=("ValueError",),  # of the lines that it takes apart, there is more than one
    ),
    without(
        "no secret in a log",
        "gateway/access/tokens.py",
        'REFUSALS.get(type(error), "token_invalid"),',
        'f"token_invalid {token}",  # type: ignore[arg-type]',
        f"{CANARY}::test_nothing_in_logs",
    ),
    without(
        "no secret in the environment of other programs",
        "deploy/processes/environments.py",
        "        return without_settings(self._environ)\n",
        "        return dict(self._environ)\n",
        f"{CANARY}::test_nothing_for_onlookers",
    ),
    without(
        "headers for browsers",
        HEADERS,
        "                added = [pair for pair in ENCODED if pair[0] not in present]\n",
        "                added = [pair for pair in ENCODED if pair[0] in present]\n",
        "tests/security/test_content.py::test_markup_in_answers[1]",
        fails_by=("KeyError",),
    ),
    without(
        "pages run their own files only",
        "gateway/endpoints/web.py",
        "script-src 'self'; style-src 'self'; img-src 'self'; ",
        "script-src 'self' 'unsafe-inline'; style-src 'self'; img-src 'self'; ",
        "tests/security/test_content.py::test_markup_in_answers[1]",
        "tests/cluster/test_web.py::test_a_page_may_do_little",
    ),
    without(
        "pages make no markup of text",
        "gateway/endpoints/web.py",
        "\"require-trusted-types-for 'script'; trusted-types 'none'\"",
        '""',
        "tests/security/test_content.py::test_markup_in_answers[1]",
    ),
    without(
        "no version is told",
        "gateway/endpoints/serving.py",
        "        server_header=False,\n",
        "        server_header=True,\n",
        "tests/security/test_content.py::test_health_from_outside[1]",
        "tests/cluster/test_operator.py::test_every_answer_is_guarded[/]",
    ),
    without(
        "health is one word",
        "gateway/endpoints/health.py",
        '    return JSONResponse({"status": "not ready"}, status_code=status)\n',
        "    waits_for = readiness.waits_for\n"
        '    return JSONResponse({"status": waits_for}, status_code=status)\n',
        "tests/integration/test_operator_port.py::test_a_gateway_without_a_broker",
    ),
    without(
        "settings that may hold a secret are not shown",
        "shared/config/errors.py",
        '    if is_secret(name) or (name.endswith("_URL") and re.search("[@?]", value)):\n',
        '    if name.endswith("_URL") and re.search("[@?] ", value):\n',
        "tests/unit/shared/test_config.py::test_secrets_are_not_quoted",
    ),
    without(
        "libraries log warnings only",
        "shared/telemetry.py",
        "level=max(level, logging.WARNING)",
        "level=level",
        f"{CANARY}::test_nothing_in_logs",
    ),
    without(
        "files of pages, and no others",
        "gateway/endpoints/web.py",
        "return super().lookup_path(path) if path in VIEWER_FILES else",
        "return super().lookup_path(path) if path else",
        "tests/cluster/test_rest.py::test_docs_need_nothing_from_outside",
    ),
    without(
        "pages of others import the client only",
        "gateway/endpoints/web.py",
        'Mount("/chat", Files(WEB / "chat")),',
        'Mount("/chat", Files(WEB / "chat", CROSS_ORIGIN_HEADERS)),',
        "tests/cluster/test_web.py::test_other_origins_may_import_the_client",
    ),
    without(
        "answers are kept by no cache",
        HEADERS,
        '    "Cache-Control": "no-store",\n',
        "",
        "tests/security/test_content.py::test_what_caches_keep",
    ),
)
