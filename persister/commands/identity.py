"""The identity of a copied, restored or moved database."""

from persister.commands.printing import print_line
from persister.writer import writing_engine
from shared.config import Settings
from shared.storage.installation import adopt, new_identity
from shared.storage.reach import reach_database


async def change_identity(settings: Settings, action: str) -> None:
    """Adopt a copied, restored or moved database, or give it a new identity (`action`)."""
    engine = writing_engine(settings)
    try:
        await reach_database(engine)
        if action == "adopt":
            found = await adopt(engine)
        else:
            found = await new_identity(engine, settings.namespace)
    finally:
        await engine.dispose()
    print_line(f"this database now belongs to the installation {found.namespace}")
