"""One file a schema change; `down_revision` names the one before."""
