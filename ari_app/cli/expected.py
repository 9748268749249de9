"""The expected errors: their message says what happened, where, and what to do."""

from __future__ import annotations

from ari_app.ari.errors import AriError
from ari_app.desk import refused
from ari_app.domain.basics.errors import DocumentError
from ari_app.lab.sipp import NotSeen, SippFailed
from ari_app.media.creatives import CreativeError
from ari_app.media.prompts import PromptError
from ari_app.serving.running import SwitchError
from ari_app.settings import SettingsError
from ari_app.store.db.errors import StoreError
from ari_app.store.geography import GeographyError

EXPECTED = (
    AriError,
    CreativeError,
    DocumentError,
    GeographyError,
    NotSeen,
    PromptError,
    SettingsError,
    SippFailed,
    StoreError,
    SwitchError,
    refused.Refused,
)
