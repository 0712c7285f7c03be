"""What can go wrong beside the server's coded errors (`shared.errors.ChatError`)."""


class ConnectionLost(ConnectionError):
    """The connection ended before the answer came: whether the request was done is not known."""


class Unreachable(ConnectionError):
    """No server could be reached; the text is one sentence for a person."""


class Refused(ConnectionError):
    """The server does not want this client, and would not if it tried again."""
