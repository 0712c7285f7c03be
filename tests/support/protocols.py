"""Clients of a cluster, by the protocol that they speak."""

from tests.support.cluster import Cluster
from tests.support.peer import WIRES, Peer, Wire
from tests.support.socketio_peer import SocketIOPeer

PROTOCOLS = (*WIRES, "socket.io")


def connect(
    cluster: Cluster, gateway: int, name: str | None = None, protocol: str = "json"
) -> Peer:
    """A client of a gateway, under a name or none."""
    url = cluster.gateway_url(gateway)
    query = "" if name is None else f"username={name}"
    if protocol == "socket.io":
        return SocketIOPeer(url, query)
    wire: Wire = "json" if protocol == "json" else "msgpack"
    return Peer(url, query, wire)
