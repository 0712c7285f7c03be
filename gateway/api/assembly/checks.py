"""The check of a gateway's settings and data, before it is assembled."""

from collections.abc import Iterator

from gateway.access.identity import identity_faults
from gateway.cluster.installation import find_installation
from shared.broker.transport.url import check_broker_url
from shared.config import ConfigError, Settings
from shared.storage.installation import Installation
from shared.tls.certificate import check_certificate
from shared.trail import check_trail_file


async def find_data(settings: Settings) -> Installation:
    """Check the settings, and find the installation that is to be served.

    Raises:
        ConfigError: a URL or a certificate cannot be used, settings contradict each other, this
            build does not read the data, or the data is another installation's.
    """
    for fault in setting_faults(settings):
        raise fault
    return await find_installation(settings)


def setting_faults(settings: Settings) -> Iterator[ConfigError]:
    """Everything that is wrong with the settings of a gateway, without a connection to anything."""
    yield from identity_faults(settings)
    try:
        if settings.tls_cert or settings.tls_key:
            check_certificate(settings.tls_cert, settings.tls_key)
    except ConfigError as error:
        yield error
    try:
        check_broker_url(settings.redis_url)
    except ConfigError as error:
        yield error
    try:
        check_trail_file(settings.security_log)
    except ConfigError as error:
        yield error
